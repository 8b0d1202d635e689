"""The conformance world as files that were dropped in a directory."""

import csv
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl  # type: ignore[import-untyped]

from sources.declaration import Drop, MappedEntity
from sources.file import FileSource
from tests.sources import world

NULL = "\\N"
DROPS = {
    "csv": Drop("", null=NULL),
    "csv-gb18030": Drop("", encoding="gb18030", delimiter=";", header_row=2, null=NULL),
    "xlsx": Drop("", sheet="导出", header_row=3, null=NULL),
}


def dropped(kind: str, folder: Path) -> str:
    """Drop the world's files of a kind in the folder and return its address."""
    folder = folder / kind
    folder.mkdir()
    for name, mapped in _mapped(kind).items():
        drop = mapped.drop
        assert drop is not None
        rows = list(_rows(name))
        path = folder / drop.pattern.replace("*", "20261030")
        (_write_workbook if kind == "xlsx" else _write_csv)(path, drop, rows)
    return f"file:{folder}"


@asynccontextmanager
async def system(url: str) -> AsyncIterator[FileSource]:
    """Open the world behind the files that were dropped there."""
    entities = _mapped(url.rpartition("/")[2])
    department = replace(world.department(url), kind="file", entities=entities)
    source = FileSource(department)
    yield source
    await source.aclose()


def _mapped(kind: str) -> dict[str, MappedEntity]:
    ending = kind.partition("-")[0]
    return {
        name: replace(mapped, drop=replace(DROPS[kind], pattern=f"{name}-*.{ending}"))
        for name, mapped in world.department("").entities.items()
    }


def _rows(name: str) -> Iterator[list[object]]:
    yield [column.lower() for column in world.ENTITIES[name]]
    for row in world.NATIVE[name]:
        yield [NULL if native is None else native for native in row.values()]


def _write_csv(path: Path, drop: Drop, rows: list[list[object]]) -> None:
    encoding = "utf-8-sig" if drop.encoding == "utf-8" else drop.encoding
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=drop.delimiter)
        writer.writerows([["导出"]] * (drop.header_row - 1))
        writer.writerows(rows)


def _write_workbook(path: Path, drop: Drop, rows: list[list[object]]) -> None:
    book = openpyxl.Workbook(write_only=True)
    book.create_sheet("说明").append(["请勿修改"])
    sheet = book.create_sheet(drop.sheet)
    for _ in range(drop.header_row - 1):
        sheet.append(["导出"])
    for row in rows:
        sheet.append([_cell(native) for native in row])
    book.save(path)


def _cell(native: object) -> object:
    match native:
        case Decimal():
            return float(native)
        case datetime():
            return native.isoformat(" ")
        case date():
            return datetime(native.year, native.month, native.day)  # noqa: DTZ001 -- a day
        case int() if native > 10**15:
            return str(native)  # a number of a workbook has 15 digits
        case _:
            return native
