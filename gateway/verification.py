"""How the access ledger is checked and taken out, without the server that writes it."""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time
from typing import Final

import orjson
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from auth.chain import Broken, Walk, entries_of, line_of
from auth.heads import public_key
from auth.indexing import IndexCheck
from auth.ledger import CLOSE, INTENT
from auth.marks import mark_of
from auth.succession import Signed, signed_heads
from gateway.auditing import Keeping
from store.database import StoreUnavailable, open_store
from store.journal import Entry, Journal

ROTATION: Final = "rotation"
_PAGE: Final = 2_000
_ALL: Final = "SELECT sequence, body, hash FROM ledger ORDER BY sequence"


class LedgerBroken(Exception):
    """A ledger that cannot be trusted; the text says from which record on."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    A ledger that is as it was written: how long, and how far heads confirm that.

    `removed` records are not there any more, as was signed; `unclosed` are the places of exports
    and streams of which no end is on record.
    """

    records: int
    heads: int
    agreed: int
    seconds: float
    removed: int = 0
    unclosed: tuple[int, ...] = ()
    cpu_seconds: float = 0.0

    def __str__(self) -> str:
        """Return it in words."""
        speed = self.records / self.seconds if self.seconds else 0.0
        each = self.cpu_seconds / self.records * 1e6 if self.records else 0.0
        told = f"{self.records} records are as they were written"
        if self.removed:
            told += f", behind {self.removed} that were removed and signed for"
        told += f" ({speed:,.0f} in a second, {each:.1f} µs of processor time each); "
        if not self.heads:
            told += "without heads nobody can tell whether all were written anew"
        else:
            last = self.records + self.removed
            told += f"{self.heads} heads confirm the first {self.agreed}, "
            told += f"none the {last - self.agreed} after"
        if self.unclosed:
            places = ", ".join(map(str, self.unclosed))
            told += f"; begun and not ended: {places}"
        return told


async def verify(keeping: Keeping, export: Path | None, *, index: bool = False) -> Verdict:
    """
    Check a ledger from its beginning: the one in the store, or an export.

    With `index` also that the index beside the records in the store is what they say.
    Raises: LedgerBroken; StoreUnavailable, OSError, ValueError for what cannot be read.
    """
    signed = _signed(keeping)
    walk = Walk(signed.hashes, signed.removed)
    begun, worked = perf_counter(), process_time()
    try:
        if export is not None:
            await asyncio.to_thread(_walk_lines, walk, export)
        elif (path := _sqlite_file(keeping.store)) is not None:
            await asyncio.to_thread(_walk_file, walk, path)
        else:
            async with aclosing(pages(keeping)) as read:
                async for page in read:
                    walk.steps(page)
        walk.end()
    except Broken as broken:
        raise LedgerBroken(f"the ledger is broken: {broken}") from None
    seconds, worked = perf_counter() - begun, process_time() - worked
    others = [orjson.loads(body) for body in walk.others]
    _check_keys(others, signed)
    if index and export is None:
        await _check_index(keeping)
    removed = max(0, walk.began)
    unclosed = _unclosed(others)
    told = walk.records, len(walk.heads), walk.agreed, seconds, removed, unclosed, worked
    return Verdict(*told)


async def exported(keeping: Keeping) -> AsyncGenerator[str, None]:
    """Yield the ledger in the store as lines of JSON."""
    async with aclosing(pages(keeping)) as read:
        async for page in read:
            for entry in page:
                yield line_of(entry)


async def pages(keeping: Keeping) -> AsyncGenerator[Sequence[Entry], None]:
    """
    Yield the entries of the ledger in the store, in order.

    Raises: StoreUnavailable.
    """
    async with existing_store(keeping) as store:
        async for page in Journal(store, mark_of).pages():
            yield page


@asynccontextmanager
async def existing_store(keeping: Keeping) -> AsyncIterator[AsyncEngine]:
    """
    Open a store that is there already, as long as the block lasts.

    Raises: StoreUnavailable.
    """
    _sqlite_file(keeping.store)
    store = await open_store(keeping.store)
    try:
        yield store
    except SQLAlchemyError as error:
        raise StoreUnavailable("the store has no ledger that can be read") from error
    finally:
        await store.dispose()


def _sqlite_file(store: str) -> Path | None:
    """
    Return the file of a SQLite store; None for a store of another kind.

    Raises: StoreUnavailable where there is no such file: none is made by looking.
    """
    try:
        address = make_url(store)
    except SQLAlchemyError:
        return None  # whoever opens it says what is wrong
    if address.get_backend_name() != "sqlite" or not address.database:
        return None
    path = Path(address.database)
    if not path.is_file():
        raise StoreUnavailable(f"there is no store at {path}")
    return path


def _walk_file(walk: Walk, path: Path) -> None:
    """Check the records of a SQLite file as the bytes that they are."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as file:
            file.text_factory = bytes
            rows = file.execute(_ALL)
            rows.arraysize = _PAGE
            walk.raw(rows)
    except sqlite3.Error as error:
        raise StoreUnavailable("the store has no ledger that can be read") from error


def _walk_lines(walk: Walk, export: Path) -> None:
    with export.open(encoding="utf-8", newline="\n") as lines:
        walk.steps(entries_of(lines))


def _signed(keeping: Keeping) -> Signed:
    """Return what was signed; nothing where no file was named and there is none."""
    if keeping.heads is None and not keeping.heads_file.exists():
        return Signed()
    return signed_heads(keeping.heads_file, public_key(keeping.public_key_file.read_bytes()))


def _check_keys(others: Sequence[dict[str, object]], signed: Signed) -> None:
    """
    Check that the heads know every key that the ledger says signs them.

    Raises: LedgerBroken.
    """
    for record in others:
        known = not signed.keys or record.get("to") in signed.keys
        if record.get("kind") == ROTATION and record.get("what") == "heads" and not known:
            place = record["sequence"]
            raise LedgerBroken(f"record {place} tells of a signing key that the heads do not know")


def _unclosed(others: Sequence[dict[str, object]]) -> tuple[int, ...]:
    begun = [int(str(each["sequence"])) for each in others if each.get("kind") == INTENT]
    ended = {each.get("intent") for each in others if each.get("kind") == CLOSE}
    return tuple(place for place in begun if place not in ended)


async def _check_index(keeping: Keeping) -> None:
    """
    Check that the index has what the records say, and nothing else.

    Raises: LedgerBroken, StoreUnavailable.
    """
    check = IndexCheck()
    async with existing_store(keeping) as store:
        journal = Journal(store, mark_of)
        async for page in journal.pages():
            check.should(page)
        async for part in journal.index():
            check.has(part)
    if not check.agrees:
        raise LedgerBroken("the index is not what the records say; run audit reindex")
