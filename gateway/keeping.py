"""What keeps the access ledger in order: new keys, records that are old, an index made again."""

import asyncio
import getpass
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from auth.chain import Broken, algorithm, linked
from auth.heads import NOTHING_YET, Heads
from auth.ledger import Ledger
from auth.marks import mark_of
from auth.principal import Principal
from auth.reading import Answer
from auth.retention import prune
from gateway.auditing import Keeping, heads_of, subject_keys
from gateway.verification import ROTATION, LedgerBroken, existing_store, exported
from store.journal import Journal

logger = logging.getLogger(__name__)
_DAY_SECONDS: Final = 24 * 3600.0


async def rotate_heads_key(keeping: Keeping) -> str:
    """
    Sign heads with a new key from now on; return what the key is called.

    Raises: StoreUnavailable, OSError, ValueError.
    """
    async with existing_store(keeping) as store:
        journal, heads = Journal(store, mark_of), heads_of(keeping)
        last = await journal.last() or NOTHING_YET
        named = await asyncio.to_thread(keeping.key_files.hand_over, heads, last)
        await _noted(journal, {"what": "heads", **named})
    return named["to"]


async def rotate_subject_key(keeping: Keeping) -> str:
    """
    Name people with a new key from now on; return what the key is called.

    Raises: StoreUnavailable, OSError, ValueError.
    """
    async with existing_store(keeping) as store:
        keys = subject_keys(keeping)
        before = keys.current().id
        added = await asyncio.to_thread(keys.rotate)
        await _noted(Journal(store, mark_of), {"what": "subjects", "from": before, "to": added.id})
    return added.id


async def prune_now(keeping: Keeping, keep: timedelta) -> int:
    """
    Remove the records that are older; return how many went.

    Raises: LedgerBroken, StoreUnavailable, OSError, ValueError.
    """
    async with existing_store(keeping) as store:
        return await _pruned(Journal(store, mark_of), heads_of(keeping), keep)


async def reindex(keeping: Keeping) -> int:
    """
    Put into the index what the records say and it does not have; return how many were read.

    Raises: StoreUnavailable.
    """
    counted = 0
    async with existing_store(keeping) as store:
        journal = Journal(store, mark_of)
        async for page in journal.pages():
            await journal.index_again(page)
            counted += len(page)
    return counted


async def exported_on_record(keeping: Keeping) -> AsyncGenerator[str, None]:
    """
    Yield the ledger as lines of JSON; that it is taken out is on record before the first.

    Raises: AuditUnavailable, StoreUnavailable, OSError, ValueError.
    """
    async with existing_store(keeping) as store:
        journal = Journal(store, mark_of)
        ledger = Ledger(journal, subject_keys(keeping), heads_of(keeping))
        writer = asyncio.create_task(ledger.run())
        try:
            operator = Principal(f"operator:{getpass.getuser()}", (), ())
            told = Answer(operator, "audit export", "", (), frozenset(), frozenset())
            intent = await ledger.intent(told)
            count, outcome = 0, "BROKEN_OFF"
            try:
                async for line in exported(keeping):
                    yield line
                    count += 1
                outcome = "OK"
            finally:
                await intent.close(count, outcome)
        finally:
            ledger.close()
            await writer


@asynccontextmanager
async def pruning(journal: Journal, heads: Heads, keep: timedelta | None) -> AsyncIterator[None]:
    """Remove old records at once and each day, as long as the block lasts."""
    task = asyncio.create_task(_prune_daily(journal, heads, keep)) if keep else None
    try:
        yield
    finally:
        if task is not None:
            task.cancel()
            await asyncio.wait([task])


async def _prune_daily(journal: Journal, heads: Heads, keep: timedelta) -> None:
    while True:
        try:
            await _pruned(journal, heads, keep)
        except (LedgerBroken, SQLAlchemyError, OSError, ValueError) as error:
            logger.error("old records of the ledger were not removed: %s", type(error).__name__)  # noqa: TRY400 -- no path, no trace
        await asyncio.sleep(_DAY_SECONDS)


async def _pruned(journal: Journal, heads: Heads, keep: timedelta) -> int:
    try:
        removed = await prune(journal, heads, datetime.now(UTC) - keep)
    except Broken as broken:
        raise LedgerBroken(f"nothing more is removed, the ledger is broken: {broken}") from None
    if removed:
        logger.info("%d old records of the ledger were removed", removed)
    return removed


async def _noted(journal: Journal, told: dict[str, object]) -> None:
    time = datetime.now(UTC).isoformat(timespec="microseconds")
    record = {"time": time, "kind": ROTATION, "account": f"operator:{getpass.getuser()}", **told}
    await journal.append(partial(linked, algorithm(), [record]))
