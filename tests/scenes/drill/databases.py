"""The databases of the drill as their own departments change them, past the proxy."""

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]
from sqlalchemy.ext.asyncio import create_async_engine


@dataclass(frozen=True, slots=True)
class PostgresDatabase:
    """One database of a server; `url` is asyncpg's."""

    url: str
    engine: str = "postgresql"

    async def run(self, *statements: str) -> None:
        """Run the statements as one change."""
        connection = await asyncpg.connect(self.url)
        try:
            async with connection.transaction():
                for statement in statements:
                    await connection.execute(statement)
        finally:
            await connection.close()

    async def columns(self, table: str) -> Sequence[str]:
        """Return the names of the columns."""
        connection = await asyncpg.connect(self.url)
        try:
            prepared = await connection.prepare(f"SELECT * FROM {table}")  # noqa: S608 -- our own
            return [attribute.name for attribute in prepared.get_attributes()]
        finally:
            await connection.close()


@dataclass(frozen=True, slots=True)
class MariadbDatabase:
    """A server; `url` is SQLAlchemy's."""

    url: str
    engine: str = "mariadb"

    async def run(self, *statements: str) -> None:
        """Run the statements one after the other."""
        engine = create_async_engine(self.url, isolation_level="AUTOCOMMIT")
        async with engine.connect() as connection:
            for statement in statements:
                await connection.exec_driver_sql(statement)
        await engine.dispose()

    async def columns(self, table: str) -> Sequence[str]:
        """Return the names of the columns."""
        engine = create_async_engine(self.url)
        async with engine.connect() as connection:
            found = await connection.exec_driver_sql(f"SELECT * FROM {table} LIMIT 0")  # noqa: S608 -- our own
            names = list(found.keys())
        await engine.dispose()
        return names


@dataclass(frozen=True, slots=True)
class SqliteDatabase:
    """A file."""

    file: Path
    engine: str = "sqlite"

    async def run(self, *statements: str) -> None:
        """Run the statements as one change."""
        await asyncio.to_thread(self._run, statements)

    async def columns(self, table: str) -> Sequence[str]:
        """Return the names of the columns."""
        with closing(sqlite3.connect(self.file)) as connection:
            return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]

    def _run(self, statements: Sequence[str]) -> None:
        with closing(sqlite3.connect(self.file, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            for statement in statements:
                connection.execute(statement)
            connection.execute("COMMIT")
