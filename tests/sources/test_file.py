import asyncio
import logging
import os
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from contract.errors import SourceTimeout, SourceUnavailable
from contract.read import Aggregate, Function, Measure
from sources.declaration import Budget, MappedEntity
from sources.file_database import Database
from tests.sources.file_drops import (
    CSV,
    FIRST,
    ONE,
    READ,
    SECOND,
    TWO,
    answered,
    department,
    opened,
    put,
)


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
