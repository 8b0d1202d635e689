"""Permits in SQLite, in PostgreSQL and in a dropped file, and what may be wrong with them."""

import csv
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from pathlib import Path

from sqlalchemy.ext.asyncio import create_async_engine

from demo.postgres import Postgres
from tests.onboarding.permits import FILE, SQL, Native, Served, natives

_NAMES = count()
COLUMNS = (
    "no text, certno text, shop text, kind text, began text, changed text, fee {money}, "
    "area text, months integer, note text"
)


@dataclass(frozen=True, slots=True)
class Sqlite:
    """A database of one table; `statements` run behind it."""

    text: str = SQL.replace("{money}", "decimal")
    rows: Sequence[Native] = field(default_factory=natives)
    columns: str = COLUMNS.format(money="numeric")
    statements: tuple[str, ...] = ()

    def made(self, folder: Path) -> Served:
        path = folder / "permits.db"
        marks = ", ".join("?" * 10)
        with closing(sqlite3.connect(path)) as database, database:
            database.execute(f"CREATE TABLE permits ({self.columns})")
            values = [tuple(map(_plain, row.values())) for row in self.rows]
            database.executemany(f"INSERT INTO permits VALUES ({marks})", values)  # noqa: S608
            for statement in self.statements:
                database.execute(statement)
        return Served(self.text, {"URL": f"sqlite+aiosqlite:///{path}"})


@dataclass(frozen=True, slots=True)
class InPostgres:
    """A database of one table in a server; `before` and `statements` run around it."""

    text: str = SQL.replace("{money}", "decimal")
    rows: Sequence[Native] = field(default_factory=natives)
    columns: str = COLUMNS.format(money="numeric")
    before: tuple[str, ...] = ()
    statements: tuple[str, ...] = ()

    async def made(self, server: Postgres) -> Served:
        name = f"permits_{next(_NAMES)}"
        await server._create(name)
        url = server.url(name)
        database = create_async_engine(url)
        marks = ", ".join(f"${place}" for place in range(1, 11))
        async with database.begin() as connection:
            for statement in (*self.before, f"CREATE TABLE permits ({self.columns})"):
                await connection.exec_driver_sql(statement)
            for row in self.rows:
                await connection.exec_driver_sql(
                    f"INSERT INTO permits VALUES ({marks})",  # noqa: S608
                    tuple(row.values()),
                )
            for statement in self.statements:
                await connection.exec_driver_sql(statement)
        await database.dispose()
        return Served(self.text, {"URL": url})


@dataclass(frozen=True, slots=True)
class Dropped:
    """One file in a directory."""

    text: str = FILE
    rows: Sequence[Native] = field(default_factory=natives)

    def made(self, folder: Path) -> Served:
        drop = folder / "drop"
        drop.mkdir()
        with (drop / "permits-20251130.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(self.rows[0]))
            writer.writeheader()
            writer.writerows(self.rows)
        return Served(self.text, {"URL": f"file:{drop}"})


def _plain(native: object) -> object:
    return float(native) if isinstance(native, Decimal) else native
