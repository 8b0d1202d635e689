"""Files dropped in a directory: what counts, what does not, and what is in force meanwhile."""

import asyncio
import logging
import os
import sqlite3
import zipfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl  # type: ignore[import-untyped]
import pytest

from contract.entity import Entity, Field, Kind
from contract.errors import SourceTimeout, SourceUnavailable
from contract.predicate import Comparison, Operator
from contract.read import Aggregate, Function, Measure, Order, Read
from sources.codec import boolean, calendar, integer, money, text
from sources.declaration import Budget, Codec, Column, Department, Drop, MappedEntity
from sources.file import FileSource
from sources.file_database import Database

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


async def test_a_new_file_is_in_force_after_it_is_noticed(tmp_path: Path) -> None:
    put(tmp_path, FIRST)
    async with opened(department(tmp_path, CSV)) as source:
        before = await answered(source)
        put(tmp_path, SECOND, "visits-2.csv")
        meanwhile = await answered(source)
        await source.refresh()
        after = await answered(source)

    assert (before, meanwhile, after) == (ONE, ONE, TWO)


async def test_a_read_after_the_pause_starts_the_load_itself(tmp_path: Path) -> None:
    put(tmp_path, FIRST)
    async with opened(department(tmp_path, CSV, refresh_seconds=0.0)) as source:
        await answered(source)
        put(tmp_path, SECOND)
        async with asyncio.timeout(20):
            while await answered(source) != TWO:
                pass


@pytest.mark.parametrize(
    ("newest", "wanted"), [("name", TWO), ("modified", ONE)], ids=["name", "modified"]
)
async def test_the_newest_is_told_by_name_or_by_time(
    tmp_path: Path, newest: Any, wanted: list[object]
) -> None:
    os.utime(put(tmp_path, FIRST, "visits-20260101.csv"), (2_000_000_000, 2_000_000_000))
    os.utime(put(tmp_path, SECOND, "visits-20260102.csv"), (1_000_000_000, 1_000_000_000))

    async with opened(department(tmp_path, replace(CSV, newest=newest))) as source:
        assert await answered(source) == wanted


async def test_it_says_how_old_what_is_in_force_is(tmp_path: Path) -> None:
    os.utime(put(tmp_path, FIRST), (1_000_000_000, 1_000_000_000))

    async with opened(department(tmp_path, CSV)) as source:
        await answered(source)

        assert (source.as_of, source.stale) == (datetime(2001, 9, 9, 1, 46, 40, tzinfo=UTC), "")


BROKEN: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "the file is empty"),
    "nothing but a header line of blanks": (",,\n", "the file is empty"),
    "a column is missing": (SECOND.replace("姓名", "名字"), "the column 姓名 is not there"),
    "a column is there twice": (SECOND.replace("日期", "姓名"), "the column 姓名 is twice there"),
    "a line is short": (SECOND.replace(",1,7", ",1"), "line 3: 4 cells, not 5"),
    "a line is long": (SECOND.replace(",1,7", ",1,7,8"), "line 3: 6 cells, not 5"),
    "cut off in a line": (SECOND[:-1], "the last line has no end: the file may be cut off"),
    "cut off in a quoted text": (
        SECOND.replace("尤建明", '"尤建明'),
        "line 3: unexpected end of data",
    ),
    "undecodable": (SECOND.encode("gbk"), "line 1: not utf-8"),
    "undecodable later": (SECOND.encode() + b"\xff\n", "line 4: not utf-8"),
    "no text": (SECOND.replace("尤", "\0"), "line 3: no text"),
    "a web page": ("\n <!DOCTYPE html><html>登录</html>\n", "a web page, not a table"),
    "one key twice": (SECOND.replace("003", "001"), "two rows with one key (number)"),
    "an empty key": (SECOND.replace("003", ""), "line 3: number is empty"),
    "a text for a number": (SECOND.replace(",1,7", ",x1,7"), "line 3: photos: no whole number"),
    "too long a number": (
        SECOND.replace(",1,7", f",{10**19},7"),
        "line 3: photos: no whole number",
    ),
    "no amount": (SECOND.replace(",1,7", ",1,1e9999"), "line 3: amount: no number"),
    "too many rows": (SECOND + "004,,,,\n", "more than 2 rows"),
    "too many bytes": (SECOND + "\n" * 2_000, "the file has more than 1000 bytes"),
}


@pytest.mark.parametrize("title", BROKEN)
async def test_a_broken_file_leaves_the_last_good_one_in_force_and_says_so(
    tmp_path: Path, title: str, caplog: pytest.LogCaptureFixture
) -> None:
    content, reason = BROKEN[title]
    put(tmp_path, FIRST)
    there = department(tmp_path, replace(CSV, rows=2), budget=Budget(20.0, bytes=1000))
    async with opened(there) as source:
        before, as_of = await answered(source), source.as_of
        put(tmp_path, content, "visits-2.csv")
        with caplog.at_level(logging.WARNING):
            await source.refresh()
            await source.refresh()
        after = await answered(source)

        assert (before, after, source.as_of) == (ONE, ONE, as_of)
        assert source.stale == f"visits-2.csv: {reason}"
        assert caplog.messages == [f"grid_visits: files do not count: visits-2.csv: {reason}"]


async def test_files_that_were_forgotten_answer_no_more_where_the_newest_are_broken(
    tmp_path: Path,
) -> None:
    put(tmp_path, FIRST)
    async with opened(department(tmp_path, CSV)) as source:
        before = await answered(source)
        await source.forget()
        again = await answered(source)
        put(tmp_path, BROKEN["no amount"][0], "visits-2.csv")
        await source.forget()

        with pytest.raises(SourceUnavailable):
            await source.read(READ)
        assert before == again == ONE


@pytest.mark.parametrize("title", BROKEN)
async def test_before_there_is_a_good_file_the_source_is_unavailable(
    tmp_path: Path, title: str
) -> None:
    content, reason = BROKEN[title]
    put(tmp_path, content)
    there = department(tmp_path, replace(CSV, rows=2), budget=Budget(20.0, bytes=1000))
    async with opened(there) as source:
        with pytest.raises(SourceUnavailable) as caught:
            await source.read(READ)
        put(tmp_path, FIRST)
        await source.refresh()

        assert caught.value.detail == f"visits-1.csv: {reason}"
        assert (await answered(source), source.stale) == (ONE, "")


async def test_without_any_file_the_source_is_unavailable(tmp_path: Path) -> None:
    async with opened(department(tmp_path / "nowhere", CSV)) as source:
        with pytest.raises(SourceUnavailable) as caught:
            await source.aggregate(Aggregate("Visit", (Measure("rows", Function.COUNT),)))

    assert caught.value.detail == "there is no file visits-*.csv"


async def test_a_directory_that_cannot_be_listed_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, FIRST)
    monkeypatch.setattr(Database, "fill", lambda *_: os.listdir(tmp_path / "visits-1.csv"))
    async with opened(department(tmp_path, CSV)) as source:
        with pytest.raises(SourceUnavailable) as caught:
            await source.read(READ)

    assert caught.value.detail == "they cannot be loaded: NotADirectoryError"


async def test_a_file_that_is_taken_away_stays_in_force(tmp_path: Path) -> None:
    path = put(tmp_path, FIRST)
    async with opened(department(tmp_path, CSV)) as source:
        await answered(source)
        path.rename(tmp_path / "away")
        await source.refresh()
        gone = (await answered(source), source.stale)
        (tmp_path / "away").rename(path)
        await source.refresh()

        assert gone == (ONE, "there is no file visits-*.csv")
        assert (await answered(source), source.stale) == (ONE, "")


async def test_a_file_that_grows_while_it_is_read_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(tmp_path, FIRST)
    read = Database._index

    def index(database: Database, there: MappedEntity) -> None:
        with path.open("a", encoding="utf-8") as file:
            file.write("004,,,,\n")
        read(database, there)

    monkeypatch.setattr(Database, "_index", index)
    async with opened(department(tmp_path, CSV)) as source:
        with pytest.raises(SourceUnavailable) as caught:
            await source.read(READ)

    assert caught.value.detail == "visits-1.csv: it changed while it was read"


async def test_reads_in_flight_finish_on_what_they_began_with(tmp_path: Path) -> None:
    put(tmp_path, FIRST)
    async with opened(department(tmp_path, CSV)) as source:
        await answered(source)
        assert source._drop is not None
        old = source._drop.database.url.removeprefix("sqlite+aiosqlite:///")
        put(tmp_path, SECOND)
        *meanwhile, _ = await asyncio.gather(
            *(answered(source) for _ in range(20)), source.refresh()
        )

        assert (meanwhile, await answered(source)) == ([ONE] * 20, TWO)
        with closing(sqlite3.connect(old.replace("&uri=true", ""), uri=True)) as connection:
            assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []


async def test_a_load_that_takes_longer_than_the_budget_is_awaited_by_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, FIRST)
    go = asyncio.Event()
    loop = asyncio.get_running_loop()
    fill = Database.fill

    def slowly(database: Database, *arguments: Any) -> None:
        asyncio.run_coroutine_threadsafe(go.wait(), loop).result()
        fill(database, *arguments)

    monkeypatch.setattr(Database, "fill", slowly)
    async with opened(department(tmp_path, CSV, budget=Budget(seconds=0.05))) as source:
        with pytest.raises(SourceTimeout):
            await source.read(READ)
        go.set()
        await source.refresh()

        assert source.as_of is not None


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
