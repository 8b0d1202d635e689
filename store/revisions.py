"""
Numbers that grow when something changed, by name: how processes learn of each other's changes.

Whoever changes something raises its number first, in the same transaction; changes of one name
therefore take turns, and who has seen a number has seen everything up to it.
"""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import BigInteger, Column, MetaData, Table, Text, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

_METADATA: Final = MetaData()
_TABLE: Final = Table(
    "revision",
    _METADATA,
    Column("name", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),
)
_RAISE: Final = text(
    "INSERT INTO revision (name, number) VALUES (:name, 1) "
    "ON CONFLICT (name) DO UPDATE SET number = revision.number + 1 RETURNING number"
)
_ALL: Final = select(_TABLE.c.name, _TABLE.c.number)

# Processes that start at the same time make tables one after the other.
_TURN: Final[Mapping[str, str]] = {
    "sqlite": "BEGIN IMMEDIATE",
    "postgresql": "SELECT pg_advisory_xact_lock(3202051061)",
}


class Revisions:
    """The numbers in one database."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def create(self) -> None:
        """Make the table where there is none."""
        await made(self._engine, _METADATA)

    async def numbers(self) -> Mapping[str, int]:
        """Return every number by its name."""
        async with self._engine.connect() as connection:
            return {row.name: row.number for row in await connection.execute(_ALL)}

    async def advance(self, name: str) -> None:
        """Say that what the name stands for changed."""
        async with self._engine.begin() as connection:
            await advanced(connection, name)


async def advanced(connection: AsyncConnection, name: str) -> int:
    """Return the next number; others who want it wait for the end of the transaction."""
    return int((await connection.execute(_RAISE, {"name": name})).scalar_one())


async def made(engine: AsyncEngine, metadata: MetaData) -> None:
    """Make the tables that are not there yet."""
    async with engine.connect() as connection:
        await connection.exec_driver_sql(_TURN[engine.dialect.name])
        await connection.run_sync(metadata.create_all)
        await connection.commit()
