"""
Removes old records from the beginning of the ledger, so that what is left can still be checked.

Before a segment goes, the heads say up to where and how many, signed; that it went is a record too.
"""

import asyncio
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import takewhile
from typing import Final

from auth.chain import Walk, algorithm, linked, time_of
from auth.heads import Heads
from store.journal import Entry, Journal

PRUNED: Final = "pruned"
_SEGMENT: Final = 1_000  # removed in one commit, for which all who write wait
_KEPT: Final = re.compile(r"([1-9][0-9]{0,3})([dy])")
_DAYS: Final = {"d": 1, "y": 366}


def kept_for(text: str) -> timedelta | None:
    """
    Return how long records are kept, written like 3y or 400d; None for `forever`.

    Raises: ValueError.
    """
    if text == "forever":
        return None
    found = _KEPT.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no time to keep records: write 3y, 400d or forever")
    return timedelta(days=int(found.group(1)) * _DAYS[found.group(2)])


async def prune(journal: Journal, heads: Heads, before: datetime) -> int:
    """
    Remove the records from before a time, but for the last; return how many went.

    What is not as it was written is not removed.
    Raises: Broken, OSError, ValueError, SQLAlchemyError; what went until then stays removed.
    """
    removed = 0
    limit = before.astimezone(UTC).isoformat(timespec="microseconds")
    while segment := await _segment(journal, limit):
        _check(segment)
        last = segment[-1]
        await asyncio.to_thread(heads.checkpoint, last, len(segment))
        await journal.cut(last, partial(linked, algorithm(), [_record(last, len(segment))]))
        removed += len(segment)
    return removed


async def _segment(journal: Journal, limit: str) -> Sequence[Entry]:
    """Return the next records to go; the last one of the ledger is never among them."""
    page = await journal.page(0, _SEGMENT + 1)
    return list(takewhile(lambda entry: "" < time_of(entry.body) < limit, page[:-1]))


def _check(segment: Sequence[Entry]) -> None:
    """
    Check that the records follow each other as they were written.

    Raises: Broken.
    """
    first = segment[0]
    before = first.body[first.body.rindex('"previous":"') + 12 : -2]
    removed = {first.sequence - 1: before} if first.sequence > 1 else {}
    Walk({}, removed).steps(segment)


def _record(last: Entry, count: int) -> dict[str, object]:
    time = datetime.now(UTC).isoformat(timespec="microseconds")
    return {"time": time, "kind": PRUNED, "through": last.sequence, "rows": count}
