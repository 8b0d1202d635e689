"""The commands of `audit`: check the access ledger, take it out, rotate its keys, keep it small."""

import asyncio
import sys
from contextlib import aclosing
from pathlib import Path
from typing import Annotated, Final

from cyclopts import App, Parameter

from auth.retention import kept_for
from gateway.auditing import Keeping
from gateway.keeping import (
    exported_on_record,
    prune_now,
    reindex,
    rotate_heads_key,
    rotate_subject_key,
)
from gateway.verification import verify

_DEFAULT: Final = Keeping()
audit: Final = App(name="audit", help="Check the access ledger, or take it out.")


@audit.command(name="verify")
def verify_command(
    export: Annotated[
        Path | None, Parameter(help="An export to check; the ledger in the store by default.")
    ] = None,
    /,
    *,
    index: Annotated[
        bool, Parameter(help="Check the index beside the records too.", negative="")
    ] = False,
    keeping: Keeping = _DEFAULT,
) -> None:
    """Check that every record is as it was written; names the first that is not."""
    print(asyncio.run(verify(keeping, export, index=index)))  # noqa: T201 -- the answer


@audit.command(name="export")
def export_command(
    *,
    jsonl: Annotated[bool, Parameter(help="One JSON object a line.", negative="")] = True,
    keeping: Keeping = _DEFAULT,
) -> None:
    """Print the ledger; people stand in it by a keyed hash alone."""
    asyncio.run(_print(keeping))


@audit.command(name="rotate")
def rotate_command(
    *,
    subjects: Annotated[
        bool, Parameter(help="Rotate the key people are named with instead.", negative="")
    ] = False,
    keeping: Keeping = _DEFAULT,
) -> None:
    """Sign heads with a new key from now on; the old one signs the handover and is gone."""
    rotated = asyncio.run((rotate_subject_key if subjects else rotate_heads_key)(keeping))
    print(f"the key is {rotated} from now on")  # noqa: T201 -- the answer


@audit.command(name="prune")
def prune_command(*, keeping: Keeping = _DEFAULT) -> None:
    """Remove the records that are older than they have to be kept; the rest can be checked."""
    keep = kept_for(keeping.keep_records)
    removed = asyncio.run(prune_now(keeping, keep)) if keep else 0
    print(f"{removed} records were removed")  # noqa: T201 -- the answer


@audit.command(name="reindex")
def reindex_command(*, keeping: Keeping = _DEFAULT) -> None:
    """Add to the index beside the records what it lacks."""
    print(f"the index has {asyncio.run(reindex(keeping))} records")  # noqa: T201 -- the answer


async def _print(keeping: Keeping) -> None:
    async with aclosing(exported_on_record(keeping)) as lines:
        async for line in lines:
            sys.stdout.write(f"{line}\n")
