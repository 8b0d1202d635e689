"""A folder in which a department drops files, and the source over it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl  # type: ignore[import-untyped]

from contract.entity import Entity, Field, Kind
from contract.read import Order, Read
from sources.codec import calendar, integer, money, text
from sources.declaration import Budget, Codec, Column, Department, Drop, MappedEntity
from sources.file import FileSource

HEADER = "编号,姓名,日期,照片,金额\n"
FIRST = f"{HEADER}001,华桂英,20260818,2,1.50\n002,,20260916,,\n"
SECOND = f"{HEADER}001,华桂英,20260818,2,1.50\n003,尤建明,20261020,1,7\n"
FIELDS = ("number", "name")
READ = Read("Visit", FIELDS, order_by=(Order("number"),))
ONE = [("001", "华桂英"), ("002", None)]
TWO = [("001", "华桂英"), ("003", "尤建明")]


def column(name: str, native: str, codec: Codec, kind: Kind) -> Column:
    return Column(Field(name, kind, nullable=name != "number"), native, codec)


COLUMNS = {
    "number": column("number", "编号", text(), Kind.STRING),
    "name": column("name", "姓名", text(), Kind.STRING),
    "visitedOn": column("visitedOn", "日期", calendar("yyyymmdd"), Kind.DATE),
    "photos": column("photos", "照片", integer(), Kind.INTEGER),
    "amount": column("amount", "金额", money("yuan"), Kind.DECIMAL),
}


def mapped(drop: Drop, columns: Mapping[str, Column] = COLUMNS) -> MappedEntity:
    fields = {name: each.field for name, each in columns.items()}
    return MappedEntity(Entity("Visit", fields, ("number",)), "", columns, drop=drop)


def department(folder: Path, drop: Drop, **options: Any) -> Department:
    there = Department(
        name="grid_visits",
        title="网格",
        department="政法",
        kind="file",
        url=f"file:{folder}",
        entities={"Visit": mapped(drop)},
        budget=Budget(seconds=20.0),
    )
    return replace(there, **{"refresh_seconds": 1000.0, **options})


@asynccontextmanager
async def opened(there: Department) -> AsyncIterator[FileSource]:
    source = FileSource(there)
    try:
        yield source
    finally:
        await source.aclose()


CSV = Drop("visits-*.csv")
XLSX = Drop("visits-*.xlsx")


def put(folder: Path, content: str | bytes, name: str = "visits-1.csv") -> Path:
    path, fresh = folder / name, folder / "part"
    fresh.write_bytes(content if isinstance(content, bytes) else content.encode())
    fresh.rename(path)
    return path


def workbook(folder: Path, *rows: tuple[object, ...], name: str = "visits-1.xlsx") -> Path:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Sheet")
    for row in rows:
        sheet.append(row)
    book.save(folder / name)
    return folder / name


async def answered(source: FileSource, read: Read = READ) -> list[tuple[object, ...]]:
    return list((await source.read(read)).rows)
