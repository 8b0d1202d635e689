"""
An append-only list of texts, each with its hash, and an index beside it, whoever writes to it.

What the texts say, how one follows from the other and under which terms it is found, is the
business of whoever appends. The index only finds: what it finds has to be read.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from itertools import chain, groupby, islice, starmap
from typing import Any, Final, NamedTuple, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    delete,
    func,
    insert,
    literal,
    select,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncEngine

from store.ledger_tables import CHECKPOINTS, INDEX, RECORDS, make_tables
from store.postings import (
    BUCKETS,
    Posting,
    Row,
    block_of,
    bucket_of,
    each_of,
    full_before,
    kept_of,
    places_of,
    postings,
    postings_of,
    rows_again,
    rows_of,
)
from store.transactions import Transactions


class Entry(NamedTuple):  # made a hundred thousand times a second when all are checked
    """One text, its place in the list, from 1 on, and its hash."""

    sequence: int
    body: str
    hash: str


class Mark(NamedTuple):
    """Under what an entry is found: its time, and terms of eight bytes each, in a row."""

    time: int
    terms: bytes


class Span(NamedTuple):
    """
    Entries of a term, or of all where there is none, behind one place and before another.

    Where there are terms in `among`, entries of one of these alone.
    """

    term: bytes | None = None
    after: int = 0
    below: int | None = None
    among: tuple[bytes, ...] = ()

    def has(self, place: int) -> bool:
        """Return whether a place is between those that bound the span."""
        return place > self.after and (self.below is None or place < self.below)


Link = Callable[[Entry | None], Sequence[Entry]]
Marked = Callable[[Entry], Mark]
Answer = TypeVar("Answer")

_PAGE: Final = 5_000
_INSERTED: Final = 1_000  # in one statement
_ROWS: Final = 200  # of the index, read at once
_FEW_ROWS: Final = 8
# Writers take turns from here to the commit, whichever process they are in.
_TURN: Final[Mapping[str, str]] = {
    "sqlite": "BEGIN IMMEDIATE",
    "postgresql": "SELECT pg_advisory_xact_lock(3202051060)",
}
_LAST: Final = "SELECT sequence, body, hash FROM ledger ORDER BY sequence DESC LIMIT 1"
_IN_ORDER: Final = select(RECORDS).order_by(RECORDS.c.sequence)
_LATEST_FIRST: Final = select(RECORDS).order_by(RECORDS.c.sequence.desc())
_KEY: Final = INDEX.c.bucket, INDEX.c.sequence, INDEX.c.part
_ANY_BUCKET: Final = INDEX.c.bucket.in_(range(BUCKETS))  # or the whole index would be gone through
_POSITION: Final[Mapping[str, Callable[[bytes], ColumnElement[int]]]] = {
    "sqlite": lambda term: func.instr(INDEX.c.terms, term),
    "postgresql": lambda term: func.position(literal(term).op("IN")(INDEX.c.terms)),
}


class Journal:
    """The list in one database, of which other processes may be writers too."""

    def __init__(self, engine: AsyncEngine, marked: Marked) -> None:
        self._engine = engine
        self._transactions = Transactions(engine)
        self._marked = marked
        self._turn = _TURN[engine.dialect.name]
        self._position = _POSITION[engine.dialect.name]

    async def create(self) -> None:
        """Make the tables where there are none, and the index of what was there without one."""
        await self._transactions.run(self._created)

    async def append(self, link: Link) -> Sequence[Entry]:
        """
        Append what `link` makes of the last entry, and return it; durable when this returns.

        Nothing is appended where it raises.
        """

        def appended(connection: Connection) -> Sequence[Entry]:
            connection.exec_driver_sql(self._turn)
            return self._appended(connection, link)

        return await self._transactions.run(appended)

    async def cut(self, through: Entry, link: Link) -> None:
        """
        Remove the entries to this one, put down that it was so, and append what `link` makes.

        Raises: ValueError where nothing would be left; nothing is removed then.
        """

        def done(connection: Connection) -> None:
            connection.exec_driver_sql(self._turn)
            last = _last(connection)
            if last is None or last.sequence <= through.sequence:
                raise ValueError("the last record of the ledger is always kept")
            covered = {"sequence": through.sequence, "hash": through.hash}
            connection.execute(insert(CHECKPOINTS), covered)
            connection.execute(delete(RECORDS).where(RECORDS.c.sequence <= through.sequence))
            covered_rows = _ANY_BUCKET, INDEX.c.sequence <= through.sequence
            connection.execute(delete(INDEX).where(*covered_rows))
            self._appended(connection, link)

        await self._transactions.run(done)

    async def last(self) -> Entry | None:
        """Return the last entry there is."""
        return await self._read(_last)

    async def pages(self, after: int = 0) -> AsyncIterator[Sequence[Entry]]:
        """Yield the entries behind a place, in order; writers are not held up."""
        while page := await self.page(after):
            yield page
            after = page[-1].sequence

    async def page(self, after: int, limit: int = _PAGE) -> Sequence[Entry]:
        """Return the first entries behind a place."""
        return await self._read(partial(_entries, asked=_behind(after, limit)))

    async def latest(self, span: Span, limit: int) -> Sequence[Entry]:
        """Return the last entries of a span, as the index has them, the last one first."""
        return await self._read(partial(self._latest, span=span, limit=limit))

    async def first_since(self, time: int) -> int | None:
        """
        Return the place of the first entry of that time or later; no time is before an earlier one.

        Reads:  an entry for each time that their number can be halved.
        """
        return await self._read(partial(self._first_since, time=time))

    async def index(self) -> AsyncIterator[Sequence[Posting]]:
        """Yield all of the index, in no order."""
        after: Row | None = None
        while rows := await self._read(partial(_indexed, after=after)):
            yield list(chain.from_iterable(map(postings_of, rows)))
            after = rows[-1]

    async def index_again(self, entries: Sequence[Entry]) -> None:
        """Put what the index should have of the entries into it, where it is not there."""
        for _, block in groupby(entries, key=lambda entry: block_of(entry.sequence)):
            await self._transactions.run(partial(self._mended, entries=list(block)))

    async def _read(self, work: Callable[[Connection], Answer]) -> Answer:
        async with self._engine.connect() as connection:
            return await connection.run_sync(work)

    def _created(self, connection: Connection) -> None:
        connection.exec_driver_sql(self._turn)
        if make_tables(connection) and (first := _entries(connection, _IN_ORDER.limit(1))):
            self._index(connection, first[0].sequence, _end(connection))

    def _appended(self, connection: Connection, link: Link) -> Sequence[Entry]:
        entries = link(_last(connection))
        _insert(connection, RECORDS.name, entries)
        self._index(connection, entries[0].sequence, entries[-1].sequence)
        return entries

    def _index(self, connection: Connection, first: int, last: int) -> None:
        """Index the blocks that places from the one to the other made full."""
        for start in range(block_of(first).start, full_before(last), len(block_of(first))):
            entries = _entries(connection, _IN_ORDER.where(*_within(_block(start), RECORDS)))
            _insert(connection, INDEX.name, list(rows_of(map(self._place_and_terms, entries))))

    def _place_and_terms(self, entry: Entry) -> tuple[int, bytes]:
        return entry.sequence, self._marked(entry).terms

    def _mended(self, connection: Connection, entries: Sequence[Entry]) -> None:
        connection.exec_driver_sql(self._turn)
        if entries[-1].sequence >= full_before(_end(connection)):
            return
        own = _ANY_BUCKET, *_within(_block(entries[0].sequence), INDEX)
        held: Counter[Posting] = Counter()
        parts: dict[int, int] = {}
        for row in _rows(connection, select(INDEX).where(*own).order_by(INDEX.c.part)):
            held.update(postings_of(row))
            parts[row.bucket] = row.part + 1
        lacking = self._wanted(entries) - held
        rows = (
            row._replace(part=parts.get(row.bucket, 0)) for row in rows_again(lacking.elements())
        )
        _insert(connection, INDEX.name, list(rows))

    def _wanted(self, entries: Iterable[Entry]) -> Counter[Posting]:
        marks = map(self._place_and_terms, entries)
        return Counter(chain.from_iterable(starmap(postings, marks)))

    def _latest(self, connection: Connection, span: Span, limit: int) -> Sequence[Entry]:
        if span.term is None:
            within = _within(span, RECORDS)
            return _entries(connection, _LATEST_FIRST.where(*within).limit(limit))
        places = self._places(connection, span.term, span)
        found: list[Entry] = []
        while wanted := list(islice(places, limit - len(found))):  # of some the records are gone
            found += _entries(connection, _LATEST_FIRST.where(RECORDS.c.sequence.in_(wanted)))
        return found

    def _places(self, connection: Connection, term: bytes, span: Span) -> Iterator[int]:
        """Yield the places in a span where all of it is found, the last one first."""
        full = full_before(_end(connection))
        tail = span._replace(after=max(span.after, full - 1))
        for entry in _entries(connection, _LATEST_FIRST.where(*_within(tail, RECORDS))):
            said = each_of(self._marked(entry).terms)
            if term in said and (not span.among or not set(said).isdisjoint(span.among)):
                yield entry.sequence
        below = full if span.below is None else min(full, span.below)
        yield from self._indexed_places(connection, term, span._replace(below=below))

    def _indexed_places(self, connection: Connection, term: bytes, span: Span) -> Iterator[int]:
        blocks = self._blocks(connection, term, span)
        if span.among and term not in span.among:
            blocks = self._among(connection, blocks, span.among)
        for places in blocks:
            yield from sorted(filter(span.has, places), reverse=True)

    def _blocks(self, connection: Connection, term: bytes, span: Span) -> Iterator[set[int]]:
        """Yield the places of a term by block, the last one first."""
        rows = self._rows_with(connection, term, span)
        for _, block in groupby(rows, key=lambda row: block_of(row.sequence)):
            yield set(chain.from_iterable(places_of(row, term) for row in block))

    def _rows_with(self, connection: Connection, term: bytes, span: Span) -> Iterator[Row]:
        """Yield the rows that may have a term, the last one first, few of them and then more."""
        own = [*self._has(term), INDEX.c.sequence > span.after]
        if span.below is not None:
            own.append(INDEX.c.sequence < block_of(span.below - 1).stop)
        asked = select(INDEX).where(*own).order_by(INDEX.c.sequence.desc(), INDEX.c.part.desc())
        limit = _FEW_ROWS
        page = _rows(connection, asked.limit(limit))
        while page:
            yield from page
            behind = tuple_(INDEX.c.sequence, INDEX.c.part) < page[-1][1:3]
            more = len(page) == limit
            limit = min(2 * limit, _ROWS)
            page = _rows(connection, asked.where(behind).limit(limit)) if more else []

    def _among(
        self, connection: Connection, blocks: Iterator[set[int]], terms: Sequence[bytes]
    ) -> Iterator[set[int]]:
        """Yield those of the places that one of the terms is found at too, by block."""
        while some := list(islice(filter(None, blocks), _FEW_ROWS)):
            ends = INDEX.c.sequence.in_([block_of(min(places))[-1] for places in some])
            found = {
                place
                for term in terms
                for row in _rows(connection, select(INDEX).where(*self._has(term), ends))
                for place in places_of(row, term)
            }
            yield from (places & found for places in some)

    def _has(self, term: bytes) -> tuple[ColumnElement[bool], ...]:
        return INDEX.c.bucket == bucket_of(term), self._position(kept_of(term)) > 0

    def _first_since(self, connection: Connection, time: int) -> int | None:
        first, last = _entries(connection, _IN_ORDER.limit(1)), _last(connection)
        if not first or last is None or self._marked(last).time < time:
            return None
        low, high = first[0].sequence, last.sequence
        while low < high:
            middle = (low + high) // 2
            before = _LATEST_FIRST.where(RECORDS.c.sequence <= middle).limit(1)
            if self._marked(_entries(connection, before)[0]).time < time:
                low = middle + 1
            else:
                high = middle
        return low


def _insert(connection: Connection, table: str, rows: Sequence[tuple[object, ...]]) -> None:
    for start in range(0, len(rows), _INSERTED):
        part = rows[start : start + _INSERTED]
        statement = _insertion(connection.dialect.name, table, len(part), len(part[0]))
        connection.exec_driver_sql(statement, tuple(chain.from_iterable(part)))


@lru_cache(maxsize=256)
def _insertion(dialect: str, table: str, count: int, width: int) -> str:
    """
    Return the statement that inserts so many rows of so many columns.

    One for all: a thread lets others run at each, and waits for a busy loop to let it go on.
    """
    numbers = range(1, width * count + 1)
    marks = ["?" if dialect == "sqlite" else f"${number}" for number in numbers]
    rows = (f"({', '.join(marks[at : at + width])})" for at in range(0, len(marks), width))
    return f"INSERT INTO {table} VALUES {', '.join(rows)}"  # noqa: S608 -- names of ours


def _last(connection: Connection) -> Entry | None:
    found = connection.exec_driver_sql(_LAST).first()
    return Entry._make(found) if found else None


def _behind(after: int, limit: int = _PAGE) -> Select[Any]:
    return _IN_ORDER.where(RECORDS.c.sequence > after).limit(limit)


def _entries(connection: Connection, asked: Select[Any]) -> list[Entry]:
    return [Entry._make(row) for row in connection.execute(asked)]


def _end(connection: Connection) -> int:
    """Return the last place there is, or 0."""
    return connection.execute(select(func.max(RECORDS.c.sequence))).scalar() or 0


def _rows(connection: Connection, asked: Select[Any]) -> list[Row]:
    return [Row._make(row) for row in connection.execute(asked)]


def _indexed(connection: Connection, after: Row | None) -> Sequence[Row]:
    """Return the next rows of the index."""
    behind = () if after is None else (tuple_(*_KEY) > after[:3],)
    asked = select(INDEX).where(*behind).order_by(*_KEY)
    return _rows(connection, asked.limit(_ROWS))


def _block(place: int) -> Span:
    block = block_of(place)
    return Span(None, block.start - 1, block.stop)


def _within(span: Span, table: Table) -> list[ColumnElement[bool]]:
    after = [table.c.sequence > span.after]
    return after if span.below is None else [*after, table.c.sequence < span.below]
