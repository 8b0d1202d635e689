"""
Removes old records from the beginning of the ledger, so that what is left can still be checked.

Only what heads confirm goes, so that whoever writes records anew has none of them removed by us.
Before a segment goes, the heads say up to where and how many, signed; that it went is a record too.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import takewhile
from typing import Final

from auth.chain import Walk, algorithm, linked, time_of
from auth.heads import Heads
from auth.marks import microseconds
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

    What is not as it was written is not removed, nor what is behind the last head.
    Raises: Broken, OSError, ValueError, SQLAlchemyError; what went until then stays removed.
    """
    removed = 0
    limit = before.astimezone(UTC).isoformat(timespec="microseconds")
    confirmed = await _confirmed(journal, heads, limit)
    while segment := await _segment(journal, limit, confirmed):
        last = segment[-1]
        await asyncio.to_thread(heads.checkpoint, last, len(segment))
        await journal.cut(last, partial(linked, algorithm(), [_record(last, len(segment))]))
        removed += len(segment)
    return removed


async def _confirmed(journal: Journal, heads: Heads, limit: str) -> int:
    """
    Return the last place that a head confirms of the records from before a time, or behind them.

    Reads:  these records, on to the first head behind them.
    Raises: Broken where they are not as they were written, or not what a head says.
    """
    page = await journal.page(0, 1)
    if not page or not _is_old(page[0], limit):
        return 0
    first, young = page[0], await journal.first_since(microseconds(limit))
    last = await journal.last()
    ends = young or (last.sequence if last else 0)
    told = await asyncio.to_thread(heads.told, first.sequence, ends)
    walk, ends = _walk_from(first, told), max(told, default=ends)
    while page and page[0].sequence <= ends:
        walk.steps([entry for entry in page if entry.sequence <= ends])
        page = await journal.page(walk.sequence, _SEGMENT)
    walk.end()
    return walk.agreed


async def _segment(journal: Journal, limit: str, confirmed: int) -> Sequence[Entry]:
    """Return the next records to go; the last one of the ledger is never among them."""
    page = await journal.page(0, _SEGMENT + 1)
    known = takewhile(lambda entry: entry.sequence <= confirmed, page[:-1])
    return list(takewhile(lambda entry: _is_old(entry, limit), known))


def _is_old(entry: Entry, limit: str) -> bool:
    return "" < time_of(entry.body) < limit


def _walk_from(first: Entry, heads: Mapping[int, str]) -> Walk:
    """Return a walk that believes the first record what was before it."""
    before = first.body[first.body.rindex('"previous":"') + 12 : -2]
    return Walk(heads, {first.sequence - 1: before} if first.sequence > 1 else {})


def _record(last: Entry, count: int) -> dict[str, object]:
    time = datetime.now(UTC).isoformat(timespec="microseconds")
    return {"time": time, "kind": PRUNED, "through": last.sequence, "rows": count}
