import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from contract.entity import Kind
from contract.errors import SourceUnavailable
from contract.predicate import Comparison, Operator
from contract.read import Order, Read
from sources.codec import boolean, calendar
from sources.declaration import Budget
from tests.sources.file_drops import (
    COLUMNS,
    CSV,
    FIRST,
    ONE,
    READ,
    XLSX,
    answered,
    column,
    department,
    mapped,
    opened,
    put,
    workbook,
)


@pytest.mark.parametrize(
    ("encoding", "spelled"),
    [("utf-8", "utf-8"), ("utf-8", "utf-8-sig"), ("gbk", "gbk"), ("gb18030", "gb18030")],
)
async def test_encodings(tmp_path: Path, encoding: Any, spelled: str) -> None:
    put(tmp_path, FIRST.encode(spelled))

    async with opened(department(tmp_path, replace(CSV, encoding=encoding))) as source:
        assert await answered(source) == ONE


async def test_characters_beyond_gbk_need_gb18030(tmp_path: Path) -> None:
    put(tmp_path, FIRST.replace("华桂英", "𠮷田").encode("gb18030"))

    async with opened(department(tmp_path, replace(CSV, encoding="gb18030"))) as source:
        assert (await answered(source))[0] == ("001", "𠮷田")
    async with opened(department(tmp_path, replace(CSV, encoding="gbk"))) as source:
        with pytest.raises(SourceUnavailable) as caught:
            await source.read(READ)

    assert caught.value.detail == "visits-1.csv: line 2: not gbk"


async def test_quotes_delimiters_titles_and_blank_lines(tmp_path: Path) -> None:
    lines = ("说明", "编号;姓名;日期;照片;金额;多余", '001;"张""三;\n李";;;;x', "", "002;;;;;")
    put(tmp_path, "".join(f"{line}\r\n" for line in lines))

    async with opened(department(tmp_path, replace(CSV, delimiter=";", header_row=2))) as source:
        assert await answered(source) == [("001", '张"三;\n李'), ("002", None)]


async def test_leading_zeros_are_kept_and_numbers_count(tmp_path: Path) -> None:
    put(tmp_path, FIRST)
    where = Comparison("photos", Operator.GTE, 2)

    async with opened(department(tmp_path, CSV)) as source:
        rows = await source.read(Read("Visit", ("number", "photos", "amount"), where))

    assert [(number, photos, str(amount)) for number, photos, amount in rows.rows] == [
        ("001", 2, "1.50")
    ]


NAMES = ("编号", "姓名", "日期", "照片", "金额")


async def test_a_workbook_keeps_what_its_cells_say(tmp_path: Path) -> None:
    workbook(
        tmp_path,
        NAMES,
        ("320205199001011234", "007", datetime(2026, 8, 18), 2, 1.5),  # noqa: DTZ001 -- a cell
        (42, None, "20260916"),
        (None, None, None),
        (3.0, True, None, 4.0, 7),
    )
    fields = ("number", "name", "visitedOn", "photos", "amount")

    async with opened(department(tmp_path, XLSX)) as source:
        rows = await answered(source, Read("Visit", fields, order_by=(Order("number"),)))

    assert [tuple(map(str, row)) for row in rows] == [
        ("3", "True", "None", "4", "7.00"),
        ("320205199001011234", "007", "2026-08-18", "2", "1.50"),
        ("42", "None", "2026-09-16", "None", "None"),
    ]


def _packed(change: Callable[[bytes], bytes], folder: Path) -> None:
    path = workbook(folder, NAMES, ("001",))
    path.write_bytes(change(path.read_bytes()))


def _no_rows(folder: Path) -> None:
    workbook(folder)


def _long_number(folder: Path) -> None:
    workbook(folder, NAMES, (3.20205199001011e17, "华桂英"))


def _formula_error(folder: Path) -> None:
    workbook(folder, NAMES, ("001", "#REF!"))


def _too_wide(folder: Path) -> None:
    workbook(folder, NAMES, ("001", *"23456"))


def _no_sheet(folder: Path) -> None:
    with zipfile.ZipFile(folder / "visits-1.xlsx", "w") as packed:
        packed.writestr("a.txt", "a")


BOOKS: dict[str, tuple[Callable[[Path], None], str]] = {
    "cut off": (lambda folder: _packed(lambda all_: all_[:-30], folder), "no workbook: BadZipFile"),
    "a web page": (lambda folder: _packed(lambda _: b"<html>", folder), "no workbook: BadZipFile"),
    "empty": (lambda folder: _packed(lambda _: b"", folder), "no workbook: BadZipFile"),
    "another archive": (_no_sheet, "no workbook: KeyError"),
    "no rows": (_no_rows, "the file is empty"),
    "digits lost": (
        _long_number,
        "line 2: number: a number of more than 15 digits, which only a text keeps",
    ),
    "an error for a value": (_formula_error, "line 2: name: the error of a formula"),
    "a cell too many": (_too_wide, "line 2: 6 cells, not 5"),
}


@pytest.mark.parametrize("title", BOOKS)
async def test_a_broken_workbook_does_not_count(tmp_path: Path, title: str) -> None:
    make, reason = BOOKS[title]
    make(tmp_path)

    async with opened(department(tmp_path, XLSX)) as source:
        with pytest.raises(SourceUnavailable) as caught:
            await source.read(READ)

    assert caught.value.detail == f"visits-1.xlsx: {reason}"


async def test_a_workbook_is_measured_unpacked(tmp_path: Path) -> None:
    workbook(tmp_path, NAMES, *((f"{number:05}",) for number in range(5_000)))

    async with opened(department(tmp_path, XLSX, budget=Budget(20.0, bytes=100_000))) as source:
        with pytest.raises(SourceUnavailable) as caught:
            await source.read(READ)

    assert caught.value.detail == (
        "visits-1.xlsx: the workbook has more than 100000 bytes unpacked"
    )


async def test_a_sheet_is_chosen_by_name(tmp_path: Path) -> None:
    workbook(tmp_path, NAMES, ("001", "华桂英"), ("002",))

    async with opened(department(tmp_path, replace(XLSX, sheet="Sheet"))) as source:
        assert await answered(source) == ONE
    async with opened(department(tmp_path, replace(XLSX, sheet="另一页"))) as source:
        with pytest.raises(SourceUnavailable) as caught:
            await source.read(READ)

    assert caught.value.detail == "visits-1.xlsx: the sheet is not there"


TRUTHS = {
    "number": COLUMNS["number"],
    "yes": column("yes", "是", boolean(), Kind.BOOLEAN),
    "on": column("on", "日", calendar("iso", "date"), Kind.DATE),
}


async def test_truths_and_days(tmp_path: Path) -> None:
    put(tmp_path, "编号,是,日\n1,TRUE,2026-10-30\n2,0,\n3,,\n")
    there = department(tmp_path, CSV, entities={"Visit": mapped(CSV, TRUTHS)})

    async with opened(there) as source:
        rows = await answered(source, Read("Visit", ("yes", "on"), order_by=(Order("number"),)))

    assert [(yes, str(on)) for yes, on in rows] == [
        (True, "2026-10-30"),
        (False, "None"),
        (None, "None"),
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [("1,vielleicht,", "yes: neither true nor false"), ("1,1,gestern", "on: no date")],
)
async def test_what_is_neither_does_not_count(tmp_path: Path, line: str, reason: str) -> None:
    put(tmp_path, f"编号,是,日\n{line}\n")
    there = department(tmp_path, CSV, entities={"Visit": mapped(CSV, TRUTHS)})

    async with opened(there) as source:
        with pytest.raises(SourceUnavailable) as caught:
            await source.read(READ)

    assert caught.value.detail == f"visits-1.csv: line 2: {reason}"
