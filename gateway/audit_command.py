"""The commands `audit verify` and `audit export`."""

import asyncio
import sys
from contextlib import aclosing
from pathlib import Path
from typing import Annotated, Final

from cyclopts import App, Parameter

from gateway.auditing import Keeping, exported, verify

_DEFAULT: Final = Keeping()
audit: Final = App(name="audit", help="Check the access ledger, or take it out.")


@audit.command(name="verify")
def verify_command(
    export: Annotated[
        Path | None, Parameter(help="An export to check; the ledger in the store by default.")
    ] = None,
    /,
    *,
    keeping: Keeping = _DEFAULT,
) -> None:
    """Check that every record is as it was written; names the first that is not."""
    print(asyncio.run(verify(keeping, export)))  # noqa: T201 -- the answer


@audit.command(name="export")
def export_command(
    *,
    jsonl: Annotated[bool, Parameter(help="One JSON object a line.", negative="")] = True,
    keeping: Keeping = _DEFAULT,
) -> None:
    """Print the ledger; people stand in it by a keyed hash alone."""
    asyncio.run(_print(keeping))


async def _print(keeping: Keeping) -> None:
    async with aclosing(exported(keeping)) as lines:
        async for line in lines:
            sys.stdout.write(f"{line}\n")
