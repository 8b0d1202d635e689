"""The tables of the demo's systems as they are, read past the product into one DuckDB."""

import csv
import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from demo.systems import Systems

CANONICAL: Final = Path(__file__).with_name("canonical.sql")
_NULL: Final = "\\N"
_SERVERS: Final[Mapping[str, tuple[str, ...]]] = {
    "population": ("ck_rk", "ck_hu"),
    "service_platform": ("up_pro_accept",),
    "civil_affairs": ("civil.axdf", "civil.axbj"),
}
_FILES: Final[Mapping[str, tuple[str, ...]]] = {
    "social_security": ("AC01", "AC02", "AZ02"),
    "medical_insurance": ("psn_insu",),
    "housing_fund": ("GRZHXX",),
    "low_income_platform": ("household",),
    "market_regulation": ("E_CASEINFO",),
}
_VISITS: Final = "wgzf"


@dataclass(frozen=True, slots=True)
class Table:
    """A system's table as it came: every value as text."""

    system: str
    name: str
    columns: Sequence[str]
    rows: Iterable[Sequence[object]]


async def union(province: Systems, folder: Path) -> duckdb.DuckDBPyConnection:
    """Return a database with all raw tables and what they mean; the folder holds what is read."""
    database = duckdb.connect()
    for system, names in _SERVERS.items():
        for table in await _served(province.environment, system, names):
            _load(database, table, folder)
    state = Path(province.processes["social_security"].address).parent
    for system, names in _FILES.items():
        for table in _filed(state / f"{system}.sqlite", system, names):
            _load(database, table, folder)
    _load(database, _dropped(Path(province.processes["grid_visits"].address)), folder)
    database.execute(CANONICAL.read_text(encoding="utf-8"))
    return database


async def _served(environment: Mapping[str, str], system: str, names: Iterable[str]) -> list[Table]:
    engine = create_async_engine(environment[f"{system.upper()}_URL"])
    tables = []
    try:
        async with engine.connect() as connection:
            for name in names:
                found = await connection.execute(text(f"SELECT * FROM {name}"))  # noqa: S608 -- our own names
                short = name.rpartition(".")[2]
                tables.append(Table(system, short, tuple(found.keys()), [*map(tuple, found)]))
    finally:
        await engine.dispose()
    return tables


def _filed(file: Path, system: str, names: Iterable[str]) -> list[Table]:
    connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    try:
        tables = []
        for name in names:
            found = connection.execute(f"SELECT * FROM {name}")  # noqa: S608 -- our own names
            columns = [column[0] for column in found.description]
            tables.append(Table(system, name, columns, found.fetchall()))
    finally:
        connection.close()
    return tables


def _dropped(folder: Path) -> Table:
    (file,) = folder.glob(f"{_VISITS}-*.csv")
    with file.open(encoding="gbk", newline="") as opened:
        columns, *rows = csv.reader(opened)
    return Table("grid_visits", _VISITS, columns, rows)


def _load(database: duckdb.DuckDBPyConnection, table: Table, folder: Path) -> None:
    file = folder / f"{table.system}.{table.name}.csv"
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened, quoting=csv.QUOTE_ALL)
        writer.writerow(table.columns)
        writer.writerows([_written(value) for value in row] for row in table.rows)
    database.execute(f"CREATE SCHEMA IF NOT EXISTS raw_{table.system}")
    database.execute(
        f"CREATE TABLE raw_{table.system}.{table.name} AS SELECT * FROM read_csv("  # noqa: S608 -- our own names
        f"'{file}', header = true, all_varchar = true, nullstr = '{_NULL}', quote = '\"')"
    )


def _written(value: object) -> str:
    assert not (isinstance(value, str) and re.fullmatch(r"\\N", value))
    return _NULL if value is None else str(value)
