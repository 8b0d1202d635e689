"""
A small hostile world for every kind of source: odd texts, blanks, broken dates, unknown codes.

`NATIVE` is what the systems hold; what a source must answer is `ROWS`, decoded value by value. A
kind of source is one factory: from the world to an open source.
"""

import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import cycle, islice
from pathlib import Path
from typing import TypeAlias
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import create_async_engine

from contract.entity import Entity, Field, Kind, Relationship
from contract.source import Source
from demo.process import finished
from sources import codec
from sources.crosswalk import CodeReading
from sources.declaration import Budget, Codec, Column, Department, MappedEntity
from sources.memory import MemorySource
from sources.sql import SqlSource

ZONE = "Asia/Shanghai"
Natives: TypeAlias = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """One column of the world: its types by engine, how it is read and what it holds."""

    kind: Kind
    codec: Codec
    postgres: str
    natives: Natives
    sqlite: str = "TEXT"
    mariadb: str = "VARCHAR(50)"
    nullable: bool = True
    codes: tuple[str, ...] = ()


WORDS = (None, "", "a", "A", "b", "ab", "a ", "你", "𠮷", "\uffee", "a", "B")
SHORT = (None, "a", "A", "ab", "b", "你")
CODED = ("1", "2", "02", "9", None, "1", "")
DAYS = (
    "20000229",
    "",
    "19991231",
    None,
    "20230229",
    "00000000",
    "20010201",
    "2001021",
    "x",
    "20010215",
    "00010101",
    " ",
)
TIMES = (
    "2000-02-29 09:02:03",
    None,
    "",
    "2000-02-30 00:00:00",
    "2000-01-01 00:00:00",
    "2001-02-01 08:00:00",
    "9999-12-31 23:59:59",
    "0001-01-01 00:00:00",
    "2001-02-01",
)
MOMENTS = (
    datetime(2000, 2, 29, 1, 2, 3, tzinfo=UTC),
    None,
    datetime(1999, 12, 31, 16, tzinfo=UTC),
    datetime(2001, 2, 1, tzinfo=UTC),
    datetime(2000, 2, 29, 1, 2, 3, 500_000, tzinfo=UTC),
)
PLACES = (
    "32",
    "320000",
    "3202",
    "320200000000",
    "320205",
    None,
    "320205100",
    "320205100000",
    "",
    "320200100",
    "33",
    "320205100001",
    " ",
)

BUREAU = CodeReading(
    {
        "320205101": "320205100",
        "320205100": "320206001",  # the same digits are another place's
        "320206007": "320205101",
        "320205102": None,
        "320209001": "320205100-320209001",
    },
    {"32": "32", "3202": "3202", "320205": "320205", "320271": "320205", "320209001": "320205100"},
)
OFFICES = (
    "320205101",
    "320205100",
    "320205101000",
    None,
    "320206007001",
    "320205102",
    "3202",
    "320205101x",
    "320205000000",
    "32",
    "",
    "320271",
    "320209001000",
    "320209001005",
    "320209",
    "x",
    " ",
    "320000",
    "320205101001",
)

PERSON: Mapping[str, Held] = {
    "number": Held(Kind.STRING, codec.text(), "TEXT", (), "TEXT COLLATE NOCASE", nullable=False),
    "name": Held(Kind.STRING, codec.text(), "TEXT", WORDS, "TEXT COLLATE NOCASE"),
    "tag": Held(Kind.STRING, codec.text(trim=True), "CHAR(4)", (*SHORT, "a ", "")),
    "letter": Held(Kind.STRING, codec.text(upper=True), "TEXT", ("x1", "X1", "xY", None, "a", "A")),
    "serial": Held(
        Kind.STRING, codec.numeral(), "BIGINT", (10, 9, -1, None, 0, 100), "INTEGER", "BIGINT"
    ),
    "age": Held(
        Kind.INTEGER, codec.integer(), "SMALLINT", (0, -2, None, 1, 2, -1), "INTEGER", "SMALLINT"
    ),
    "balance": Held(
        Kind.DECIMAL, codec.money("fen", "integer"), "BIGINT", (0, 10, -1, None, 200), "INT", "INT"
    ),
    "price": Held(
        Kind.DECIMAL,
        codec.decimal(),
        "NUMERIC(12,3)",
        (Decimal("0.1"), Decimal(2), None, Decimal("-0.01"), Decimal("0.105"), Decimal(0)),
        "NUMERIC",
        "DECIMAL(12,3)",
    ),
    "active": Held(
        Kind.BOOLEAN, codec.boolean(), "BOOLEAN", (True, False, None), "INTEGER", "BOOLEAN"
    ),
    "flag": Held(Kind.BOOLEAN, codec.boolean("1", "0"), "CHAR(1)", ("1", "0", "x", None)),
    "kind": Held(
        Kind.CODE,
        codec.code({"1": "ONE", "2": "TWO", "02": "TWO"}),
        "TEXT",
        CODED,
        codes=("ONE", "TWO"),
    ),
    "level": Held(
        Kind.CODE,
        codec.code({1: "LOW", 2: "HIGH"}),
        "INTEGER",
        (1, 2, 3, None),
        "INTEGER",
        "INTEGER",
        codes=("LOW", "HIGH"),
    ),
    "bornOn": Held(Kind.DATE, codec.calendar("yyyymmdd"), "TEXT", DAYS, "TEXT COLLATE NOCASE"),
    "month": Held(
        Kind.DATE, codec.calendar("yyyymm"), "TEXT", ("200102", "200013", None, "199912")
    ),
    "countedOn": Held(
        Kind.DATE,
        codec.calendar("yyyymmdd", "integer"),
        "INTEGER",
        (20000229, 0, None, 20230229, 20010201, 9991231, 123),
        "INTEGER",
        "INTEGER",
    ),
    "diedOn": Held(
        Kind.DATE,
        codec.calendar("iso", "date"),
        "DATE",
        (date(2000, 2, 29), None, date(2001, 2, 1)),
        "DATE",
        "DATE",
    ),
    "seenAt": Held(
        Kind.DATETIME,
        codec.instant("iso", ZONE, "timestamptz"),
        "TIMESTAMPTZ",
        MOMENTS,
        "TEXT",
        "TIMESTAMP(6) NULL",
    ),
    "loggedAt": Held(Kind.DATETIME, codec.instant("plain", ZONE), "TEXT", TIMES),
    "stampedAt": Held(
        Kind.DATETIME,
        codec.instant("epoch_ms", ZONE),
        "BIGINT",
        (951786123000, None, 0, 951786123500, 10**17),
        "INTEGER",
        "BIGINT",
    ),
    "isoAt": Held(
        Kind.DATETIME,
        codec.instant("iso", ZONE),
        "TEXT",
        ("2000-02-29T01:02:03Z", "2000-02-29T09:02:03+08:00", "x", "", None),
    ),
    "place": Held(Kind.DIVISION, codec.division(), "TEXT", PLACES),
    "office": Held(Kind.DIVISION, codec.division(reading=BUREAU), "TEXT", OFFICES),
}
VISIT: Mapping[str, Held] = {
    "number": Held(Kind.STRING, codec.text(), "TEXT", (), nullable=False),
    "personNumber": Held(
        Kind.STRING, codec.text(), "TEXT", ("P01", "P02", "p02", None, "P05", "P01", "P00")
    ),
    "purpose": Held(Kind.STRING, codec.text(), "TEXT", (*SHORT, "", "a ")),
}
ENTITIES = {"Person": PERSON, "Visit": VISIT}
RELATIONSHIPS = {
    "Person": Relationship("visits", "Visit", (("number", "personNumber"),), many=True),
    "Visit": Relationship("person", "Person", (("personNumber", "number"),)),
}
COUNTS = {"Person": 37, "Visit": 23}


def _natives(name: str) -> list[dict[str, object]]:
    """Deal every column's values round, so that they meet in many ways and all occur."""
    held, count = ENTITIES[name], COUNTS[name]
    numbers = [f"{name[0]}{place:02}" for place in range(count)]
    dealt = {
        field: numbers if field == "number" else list(islice(cycle(column.natives), count))
        for field, column in held.items()
    }
    return [{field: values[place] for field, values in dealt.items()} for place in range(count)]


NATIVE = {name: _natives(name) for name in ENTITIES}


def _decoded(name: str, row: Mapping[str, object]) -> dict[str, object]:
    columns = ENTITIES[name]
    return {
        field: None if native is None else columns[field].codec.decode(native)
        for field, native in row.items()
    }


ROWS = {name: [_decoded(name, row) for row in rows] for name, rows in NATIVE.items()}


def entity(name: str) -> Entity:
    """Return an entity of the world."""
    fields = {
        field: Field(field, column.kind, nullable=column.nullable, codes=column.codes)
        for field, column in ENTITIES[name].items()
    }
    relationship = RELATIONSHIPS[name]
    return Entity(name, fields, ("number",), {relationship.name: relationship})


def department(url: str, budget: Budget | None = None) -> Department:
    """Return the mapping of the world in a database."""
    return Department(
        name="world",
        title="世界",
        department="测试",
        kind="sql",
        url=url,
        entities={name: _mapped(name) for name in ENTITIES},
        budget=budget or Budget(seconds=20.0),
        time_zone=ZONE,
    )


def _mapped(name: str) -> MappedEntity:
    there = entity(name)
    columns = {
        field: Column(there.fields[field], field.lower(), column.codec)
        for field, column in ENTITIES[name].items()
    }
    return MappedEntity(there, name.lower(), columns)


def definitions(engine: str) -> Iterator[str]:
    """Yield the statements that make the tables."""
    for name, columns in ENTITIES.items():
        listed = ", ".join(
            f"{field.lower()} {getattr(column, engine)}" for field, column in columns.items()
        )
        charset = (
            " DEFAULT CHARSET utf8mb4 COLLATE utf8mb4_general_ci" if engine == "mariadb" else ""
        )
        yield f"CREATE TABLE {name.lower()} ({listed}){charset}"


def fill_sqlite(path: Path) -> str:
    """Make the world in a file and return its address."""
    with sqlite3.connect(path) as connection:
        for statement in definitions("sqlite"):
            connection.execute(statement)
        for name, rows in NATIVE.items():
            marks = ", ".join("?" * len(ENTITIES[name]))
            values = [tuple(map(_sqlite, row.values())) for row in rows]
            connection.executemany(f"INSERT INTO {name.lower()} VALUES ({marks})", values)  # noqa: S608
    connection.close()
    return f"sqlite+aiosqlite:///{path}"


def fill_server(url: str, engine: str) -> str:
    """Make the world in a server's empty database and return its address."""
    finished(_fill(url, engine))
    return url


async def _fill(url: str, engine: str) -> None:
    database = create_async_engine(url)
    async with database.begin() as connection:
        if engine == "mariadb":
            await connection.exec_driver_sql("SET time_zone = '+08:00'")
        for statement in definitions(engine):
            await connection.exec_driver_sql(statement)
        for name, rows in NATIVE.items():
            numbers = range(1, len(ENTITIES[name]) + 1)
            marks = ", ".join("%s" if engine == "mariadb" else f"${n}" for n in numbers)
            bound = _mariadb if engine == "mariadb" else _same
            for row in rows:
                await connection.exec_driver_sql(
                    f"INSERT INTO {name.lower()} VALUES ({marks})",  # noqa: S608
                    tuple(map(bound, row.values())),
                )
    await database.dispose()


def _same(native: object) -> object:
    return native


def _sqlite(native: object) -> object:
    if isinstance(native, Decimal):
        return float(native)
    return native.isoformat() if isinstance(native, date) else native


def _mariadb(native: object) -> object:
    if isinstance(native, datetime):
        return native.astimezone(ZoneInfo(ZONE)).replace(tzinfo=None)
    return native


@asynccontextmanager
async def memory() -> AsyncIterator[Source]:
    """Open the reference source."""
    yield MemorySource("world", "世界", {name: entity(name) for name in ENTITIES}, ROWS)


@asynccontextmanager
async def database(url: str, budget: Budget | None = None) -> AsyncIterator[SqlSource]:
    """Open the world in a database."""
    source = SqlSource(department(url, budget))
    yield source
    await source.aclose()
