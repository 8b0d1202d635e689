"""
An append-only table of texts, each with its hash: one list, whoever writes to it.

What the texts say, and how one follows from the other, is the business of whoever appends.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    MetaData,
    Table,
    Text,
    insert,
    inspect,
    select,
)
from sqlalchemy.ext.asyncio import AsyncEngine


class Entry(NamedTuple):  # made a hundred thousand times a second when all are checked
    """One text, its place in the list, from 1 on, and its hash."""

    sequence: int
    body: str
    hash: str


Link = Callable[[Entry | None], Sequence[Entry]]

_METADATA: Final = MetaData()
_TABLE: Final = Table(
    "ledger",
    _METADATA,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),
    Column("hash", Text, nullable=False),
)
_PAGE: Final = 5_000

# Writers take turns from here to the commit, whichever process they are in.
_TURN: Final[Mapping[str, str]] = {
    "sqlite": "BEGIN IMMEDIATE",
    "postgresql": "SELECT pg_advisory_xact_lock(3202051060)",
}
_GUARDS: Final[Mapping[str, tuple[str, ...]]] = {
    "sqlite": tuple(
        f"CREATE TRIGGER ledger_no_{word.lower()} BEFORE {word} ON ledger "
        "BEGIN SELECT RAISE(ABORT, 'the ledger is append only'); END"
        for word in ("UPDATE", "DELETE")
    ),
    "postgresql": (
        "CREATE FUNCTION ledger_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the ledger is append only'; END $$",
        "CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger "
        "FOR EACH STATEMENT EXECUTE FUNCTION ledger_append_only()",
    ),
}
_LAST: Final = select(_TABLE).order_by(_TABLE.c.sequence.desc()).limit(1)
_INSERT: Final = insert(_TABLE)


class Journal:
    """The table in one database, of which other processes may be writers too."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._turn = _TURN[engine.dialect.name]

    async def create(self) -> None:
        """Make the table where there is none."""
        async with self._engine.connect() as connection:
            await connection.exec_driver_sql(self._turn)
            await connection.run_sync(_made)
            await connection.commit()

    async def append(self, link: Link) -> Sequence[Entry]:
        """
        Append what `link` makes of the last entry, and return it; durable when this returns.

        Nothing is appended where it raises.
        """
        async with self._engine.connect() as connection:
            await connection.exec_driver_sql(self._turn)
            last = (await connection.execute(_LAST)).first()
            entries = link(Entry(*last) if last else None)
            await connection.execute(_INSERT, [_values(entry) for entry in entries])
            await connection.commit()
        return entries

    async def pages(self, after: int = 0) -> AsyncIterator[Sequence[Entry]]:
        """Yield the entries behind a place, in order; writers are not held up."""
        while page := await self._page(after):
            yield page
            after = page[-1].sequence

    async def _page(self, after: int) -> Sequence[Entry]:
        asked = select(_TABLE).where(_TABLE.c.sequence > after)
        async with self._engine.connect() as connection:
            rows = await connection.execute(asked.order_by(_TABLE.c.sequence).limit(_PAGE))
            return [Entry._make(row) for row in rows]


def _values(entry: Entry) -> Mapping[str, object]:
    return {"sequence": entry.sequence, "body": entry.body, "hash": entry.hash}


def _made(connection: Connection) -> None:
    if inspect(connection).has_table(_TABLE.name):
        return
    _METADATA.create_all(connection)
    for statement in _GUARDS[connection.dialect.name]:
        connection.exec_driver_sql(statement)
