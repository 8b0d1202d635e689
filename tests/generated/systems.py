"""A generated world in departments' systems of every kind, as each of them would hold it."""

import csv
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Final, Literal, TypeAlias

from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from contract.entity import UNKNOWN, Field, Kind
from contract.predicate import INVALID
from contract.source import Source
from sources import codec
from sources.declaration import Budget, Codec, Column, Department, Drop, MappedEntity
from sources.file import FileSource
from sources.sql import SqlSource
from tests.generated.graphs import bare_graph
from tests.generated.worlds import ENTITIES, World

Natives: TypeAlias = Mapping[str, list[dict[str, object]]]
Fill: TypeAlias = Callable[[World], Awaitable[Source]]
"""Puts another world in the place of the one before and returns the system that holds it."""

ZONE: Final = "Asia/Shanghai"
NULL: Final = "\\N"
_BROKEN: Final = {Kind.DATE: "20230229", Kind.DATETIME: "2026-02-30 00:00:00"}
_TYPES: Final[Mapping[str, Mapping[bool, str]]] = {
    "sqlite": {True: "INTEGER", False: "TEXT COLLATE NOCASE"},
    "postgresql": {True: "BIGINT", False: "TEXT"},
    "mysql": {True: "BIGINT", False: "VARCHAR(100)"},
}


def department(kind: Literal["sql", "rest", "graphql", "file"], url: str) -> Department:
    """Return the mapping of a system that holds every entity."""
    return Department(
        name="everything",
        title="全部",
        department="测试",
        kind=kind,
        url=url,
        entities={name: _mapped(name) for name in ENTITIES},
        budget=Budget(seconds=20.0, concurrency=4),
        time_zone=ZONE,
    )


def natives_of(world: World) -> Natives:
    """Return the rows as systems keep them."""
    return {
        name: [
            {
                native(field): _kept(ENTITIES[name].fields[field], value)
                for field, value in row.items()
            }
            for row in rows
        ]
        for name, rows in world.items()
    }


def native(field: str) -> str:
    """Return what systems call a field."""
    return f"c_{field.lower()}"


def table(entity: str) -> str:
    """Return what systems call an entity."""
    return f"t_{entity.lower()}"


def is_number(field: Field) -> bool:
    """Return whether systems keep the field as a number."""
    return field.kind in (Kind.INTEGER, Kind.DECIMAL)


@asynccontextmanager
async def in_database(url: str) -> AsyncIterator[Fill]:
    """Open a database that holds one world after the other."""
    engine = create_async_engine(url)
    source = SqlSource(department("sql", url))
    await _run(engine, *_definitions(engine.dialect.name))

    async def fill(world: World) -> Source:
        await _replaced(engine, natives_of(world))
        return source

    yield fill
    await source.aclose()
    await engine.dispose()


@asynccontextmanager
async def in_files(folder: Path) -> AsyncIterator[Fill]:
    """Open a folder into which one world after the other is dropped."""
    opened: list[FileSource] = []

    async def fill(world: World) -> Source:
        there = folder / f"{len(opened)}"
        there.mkdir()
        for name, rows in natives_of(world).items():
            _drop(there / f"{name}-1.csv", name, rows)
        source = FileSource(_dropped(f"file:{there}"))
        opened.append(source)
        return source

    yield fill
    for source in opened:
        await source.aclose()


def _mapped(name: str) -> MappedEntity:
    entity = bare_graph().entities[name]
    columns = {
        field.name: Column(field, native(field.name), codec_of(field))
        for field in entity.fields.values()
    }
    return MappedEntity(entity, table(name), columns)


def codec_of(field: Field) -> Codec:
    """Return how systems keep a field."""
    return _codec(field.kind, field.codes)


@cache
def _codec(kind: Kind, codes: tuple[str, ...]) -> Codec:
    match kind:
        case Kind.INTEGER:
            return codec.integer()
        case Kind.DECIMAL:
            return codec.money("fen", "integer")
        case Kind.CODE:
            return codec.code({str(number): code for number, code in enumerate(codes, 1)})
        case Kind.DATE:
            return codec.calendar("yyyymmdd")
        case Kind.DATETIME:
            return codec.instant("plain", ZONE)
        case Kind.DIVISION:
            return codec.division()
        case _:
            return codec.text()


def _kept(field: Field, value: object) -> object:
    if value is None:
        return None
    if value is INVALID:
        return _BROKEN[field.kind]
    if field.kind is Kind.CODE and value == UNKNOWN:
        return "99"
    if field.kind is Kind.DECIMAL:
        return int(str(value).replace(".", ""))
    if isinstance(value, datetime):
        return codec_of(field).bound(value)
    return codec_of(field).encode(value)[0]


def _definitions(engine: str) -> list[str]:
    charset = " DEFAULT CHARSET utf8mb4 COLLATE utf8mb4_general_ci" if engine == "mysql" else ""
    return [
        f"CREATE TABLE {table(name)} ("
        + ", ".join(
            f"{native(field.name)} {_TYPES[engine][is_number(field)]}"
            for field in entity.fields.values()
        )
        + f"){charset}"
        for name, entity in ENTITIES.items()
    ]


async def _run(engine: AsyncEngine, *statements: str) -> None:
    async with engine.begin() as connection:
        for statement in statements:
            await connection.exec_driver_sql(statement)


async def _replaced(engine: AsyncEngine, natives: Natives) -> None:
    marks = {"sqlite": "?", "mysql": "%s"}.get(engine.dialect.name)
    async with engine.begin() as connection:
        for name, rows in natives.items():
            await connection.exec_driver_sql(f"DELETE FROM {table(name)}")  # noqa: S608 -- our names
            places = [marks or f"${n}" for n in range(1, len(ENTITIES[name].fields) + 1)]
            columns = ", ".join(map(native, ENTITIES[name].fields))
            insertion = f"INSERT INTO {table(name)} ({columns}) VALUES ({', '.join(places)})"  # noqa: S608
            for row in rows:
                values = tuple(row[native(field)] for field in ENTITIES[name].fields)
                await connection.exec_driver_sql(insertion, values)


def _dropped(url: str) -> Department:
    there = department("file", url)
    entities = {
        name: replace(mapped, drop=Drop(f"{name}-*.csv", null=NULL))
        for name, mapped in there.entities.items()
    }
    return replace(there, entities=entities)


def _drop(path: Path, name: str, rows: list[dict[str, object]]) -> None:
    columns = [native(field) for field in ENTITIES[name].fields]
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for row in rows:
            writer.writerow([NULL if row[each] is None else row[each] for each in columns])
