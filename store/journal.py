"""
An append-only list of texts, each with its hash, and an index beside it, whoever writes to it.

What the texts say, how one follows from the other and under which terms it is found, is the
business of whoever appends. The index only finds: what it finds has to be read.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from itertools import repeat
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    delete,
    exists,
    insert,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine

from store.ledger_tables import CHECKPOINTS, RECORDS, TERMS, TIMES, make_tables
from store.transactions import Transactions


class Entry(NamedTuple):  # made a hundred thousand times a second when all are checked
    """One text, its place in the list, from 1 on, and its hash."""

    sequence: int
    body: str
    hash: str


class Mark(NamedTuple):
    """Under what an entry is found: its time, and terms that stand for what it speaks of."""

    time: int
    terms: Sequence[int]


class Span(NamedTuple):
    """
    Entries of a term, or of all where there is none, behind one place and before another.

    Where there are terms in `among`, entries of one of these alone.
    """

    term: int | None = None
    after: int = 0
    below: int | None = None
    among: tuple[int, ...] = ()


Link = Callable[[Entry | None], Sequence[Entry]]
Marked = Callable[[Entry], Mark]

_PAGE: Final = 5_000
# Writers take turns from here to the commit, whichever process they are in.
_TURN: Final[Mapping[str, str]] = {
    "sqlite": "BEGIN IMMEDIATE",
    "postgresql": "SELECT pg_advisory_xact_lock(3202051060)",
}
_INSERTS: Final[Mapping[str, Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
_ADDED: Final[Mapping[str, str]] = {
    "sqlite": "INSERT INTO {table} VALUES (?, ?)",
    "postgresql": "INSERT INTO {table} VALUES ($1, $2)",
}
_OF_RECORD: Final = delete(RECORDS).where(RECORDS.c.sequence == bindparam("own_sequence"))
_OF_TIME: Final = delete(TIMES).where(
    TIMES.c.time == bindparam("own_time"), TIMES.c.sequence == bindparam("own_sequence")
)
_OF_TERM: Final = delete(TERMS).where(
    TERMS.c.term == bindparam("own_term"), TERMS.c.sequence == bindparam("own_sequence")
)
_LAST: Final = select(RECORDS).order_by(RECORDS.c.sequence.desc()).limit(1)


class Journal:
    """The list in one database, of which other processes may be writers too."""

    def __init__(self, engine: AsyncEngine, marked: Marked) -> None:
        self._engine = engine
        self._transactions = Transactions(engine)
        self._marked = marked
        self._turn = _TURN[engine.dialect.name]
        self._insert = _INSERTS[engine.dialect.name]

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
            while gone := _page(connection, 0, through.sequence):
                self._remove(connection, gone)
            self._appended(connection, link)

        await self._transactions.run(done)

    async def last(self) -> Entry | None:
        """Return the last entry there is."""
        async with self._engine.connect() as connection:
            return await connection.run_sync(_last)

    async def pages(self, after: int = 0) -> AsyncIterator[Sequence[Entry]]:
        """Yield the entries behind a place, in order; writers are not held up."""
        while page := await self.page(after):
            yield page
            after = page[-1].sequence

    async def page(self, after: int, limit: int = _PAGE) -> Sequence[Entry]:
        """Return the first entries behind a place."""
        async with self._engine.connect() as connection:
            return await connection.run_sync(_page, after, limit=limit)

    async def latest(self, span: Span, limit: int) -> Sequence[Entry]:
        """Return the last entries of a span, as the index has them, the last one first."""
        asked = select(RECORDS).where(_within(span, RECORDS.c.sequence))
        if span.term is not None:
            asked = asked.join(TERMS, TERMS.c.sequence == RECORDS.c.sequence)
            asked = asked.where(TERMS.c.term == span.term, _within(span, TERMS.c.sequence))
            asked = asked.order_by(TERMS.c.sequence.desc())
        else:
            asked = asked.order_by(RECORDS.c.sequence.desc())
        if span.among:
            asked = asked.where(_is_among(span.among))
        return await self._entries(asked.limit(limit))

    async def first_since(self, time: int) -> int | None:
        """Return the place of the first entry of that time or later, as the index has it."""
        asked = select(TIMES.c.sequence).where(TIMES.c.time >= time)
        async with self._engine.connect() as connection:
            found = await connection.execute(
                asked.order_by(TIMES.c.time, TIMES.c.sequence).limit(1)
            )
            return found.scalar_one_or_none()

    async def index(self) -> AsyncIterator[Sequence[tuple[int, int]]]:
        """Yield all of the index, in no order: times and terms, each with the place it gives."""
        async with self._engine.connect() as connection:
            for table in (TIMES, TERMS):
                rows = await connection.stream(select(table))
                async for part in rows.partitions(_PAGE):
                    yield [(value, sequence) for value, sequence in part]

    async def index_again(self, entries: Sequence[Entry]) -> None:
        """Put what the index should have of the entries into it, where it is not there."""
        times, terms = self._marks_of(entries)

        def indexed(connection: Connection) -> None:
            connection.exec_driver_sql(self._turn)
            for table, rows in ((TIMES, times), (TERMS, terms)):
                if rows:
                    value, sequence = (column.name for column in table.columns)
                    named = [{value: each, sequence: place} for each, place in rows]
                    connection.execute(self._insert(table).on_conflict_do_nothing(), named)

        await self._transactions.run(indexed)

    async def _entries(self, asked: Select[tuple[int, str, str]]) -> Sequence[Entry]:
        async with self._engine.connect() as connection:
            return [Entry._make(row) for row in await connection.execute(asked)]

    def _created(self, connection: Connection) -> None:
        connection.exec_driver_sql(self._turn)
        if make_tables(connection):
            after = 0
            while page := _page(connection, after):
                self._index(connection, page)
                after = page[-1].sequence

    def _appended(self, connection: Connection, link: Link) -> Sequence[Entry]:
        entries = link(_last(connection))
        connection.execute(insert(RECORDS), [entry._asdict() for entry in entries])
        self._index(connection, entries)
        return entries

    def _index(self, connection: Connection, entries: Iterable[Entry]) -> None:
        times, terms = self._marks_of(entries)
        # Driver rows: twenty for each record, which is most of what a record costs.
        add = _ADDED[self._engine.dialect.name]
        for table, rows in ((TIMES, times), (TERMS, terms)):
            if rows:
                connection.exec_driver_sql(add.format(table=table.name), rows)

    def _remove(self, connection: Connection, entries: Sequence[Entry]) -> None:
        times, terms = self._marks_of(entries)
        gone = [{"own_sequence": entry.sequence} for entry in entries]
        connection.execute(_OF_RECORD, gone)
        for statement, name, rows in ((_OF_TIME, "time", times), (_OF_TERM, "term", terms)):
            if rows:
                named = [{f"own_{name}": value, "own_sequence": place} for value, place in rows]
                connection.execute(statement, named)

    def _marks_of(
        self, entries: Iterable[Entry]
    ) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        times: list[tuple[int, int]] = []
        terms: list[tuple[int, int]] = []
        for entry in entries:
            mark = self._marked(entry)
            times.append((mark.time, entry.sequence))
            terms += zip(mark.terms, repeat(entry.sequence))
        return times, terms


def _last(connection: Connection) -> Entry | None:
    found = (connection.execute(_LAST)).first()
    return Entry._make(found) if found else None


def _page(
    connection: Connection, after: int, through: int | None = None, limit: int = _PAGE
) -> Sequence[Entry]:
    asked = select(RECORDS).where(RECORDS.c.sequence > after)
    if through is not None:
        asked = asked.where(RECORDS.c.sequence <= through)
    rows = connection.execute(asked.order_by(RECORDS.c.sequence).limit(limit))
    return [Entry._make(row) for row in rows]


def _is_among(terms: Sequence[int]) -> ColumnElement[bool]:
    other = TERMS.alias()
    return exists().where(other.c.sequence == RECORDS.c.sequence, other.c.term.in_(terms))


def _within(span: Span, column: ColumnElement[int]) -> ColumnElement[bool]:
    after = column > span.after
    return after if span.below is None else and_(after, column < span.below)
