"""
Fills databases with a layout's tables, township by township, in each engine's bulk way.

Each is a context: entering drops what an earlier attempt left and creates the tables, leaving
creates indexes and views; in between there is a function that adds a township's rows.
"""

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final, TypeAlias

import asyncmy
import asyncpg  # type: ignore[import-untyped]
from asyncmy.connection import Connection
from sqlalchemy.engine import make_url

from demo.province import Records
from demo.tables import Layout, Table

Add: TypeAlias = Callable[[Records], Awaitable[None]]

_BATCH: Final = 2_000


@asynccontextmanager
async def filled_postgres(url: str, layout: Layout, schema: str = "public") -> AsyncIterator[Add]:
    """Fill one schema of a PostgreSQL database by COPY."""
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        await connection.execute(
            f"DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema};"
            f"SET search_path TO {schema}"
        )
        for table in layout.tables:
            await connection.execute(table.definition)
        yield partial(_copy, connection, layout)
        for statement in (*layout.afterwards, "VACUUM ANALYZE"):
            await connection.execute(statement)
    finally:
        await connection.close()


@asynccontextmanager
async def filled_mariadb(url: str, layout: Layout) -> AsyncIterator[Add]:
    """Fill one MariaDB database by long INSERT statements."""
    at = make_url(url)
    connection = await asyncmy.connect(
        host=at.host, port=at.port, user=at.username, password=at.password, charset="utf8mb4"
    )
    try:
        await _run(connection, f"CREATE OR REPLACE DATABASE {at.database}", f"USE {at.database}")
        await _run(connection, *(table.definition for table in layout.tables))
        yield partial(_insert, connection, layout)
        analyse = (f"ANALYZE TABLE {table.name}" for table in layout.tables)
        await _run(connection, *layout.afterwards, *analyse)
    finally:
        await connection.ensure_closed()


@asynccontextmanager
async def filled_sqlite(path: Path, layout: Layout) -> AsyncIterator[Add]:
    """Fill one SQLite file."""
    with closing(_emptied(path)) as connection:
        for table in layout.tables:
            connection.execute(table.definition)
        yield partial(_write, connection, layout)
        for statement in (*layout.afterwards, "ANALYZE"):
            connection.execute(statement)
        connection.commit()


def _emptied(path: Path) -> sqlite3.Connection:
    path.unlink(missing_ok=True)
    connection = sqlite3.connect(path)
    # Half a file is thrown away, so nothing has to survive a crash.
    connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
    return connection


async def _copy(connection: asyncpg.Connection, layout: Layout, records: Records) -> None:
    for table in layout.tables:
        await connection.copy_records_to_table(
            table.name, records=table.rows(records), columns=table.names
        )


async def _insert(connection: Connection, layout: Layout, records: Records) -> None:
    async with connection.cursor() as cursor:
        for table in layout.tables:
            rows = iter(table.rows(records))
            while batch := list(islice(rows, _BATCH)):
                await cursor.executemany(_insertion(table, "%s"), batch)
    await connection.commit()


async def _write(connection: sqlite3.Connection, layout: Layout, records: Records) -> None:
    for table in layout.tables:
        connection.executemany(_insertion(table, "?"), table.rows(records))
    connection.commit()


async def _run(connection: Connection, *statements: str) -> None:
    async with connection.cursor() as cursor:
        for statement in statements:
            await cursor.execute(statement)


def _insertion(table: Table, marker: str) -> str:
    places = ", ".join([marker] * len(table.columns))
    return f"INSERT INTO {table.name} VALUES ({places})"  # noqa: S608 -- our own names
