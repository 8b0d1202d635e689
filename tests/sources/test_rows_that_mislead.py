"""Rows that are there twice, in the place of others, or of keys that nobody asked for."""

import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]
import pytest

from contract.errors import SourceRefused
from contract.predicate import INVALID, Comparison, Operator
from contract.read import ForEach, Read
from demo.postgres import Postgres
from sources.declaration import Budget
from sources.sql import SqlSource
from tests.loopback import json_reply, serving
from tests.sources import world
from tests.sources.enrolments import ENDPOINT, ENROLMENTS, ROWS, asking, by_key, scan
from tests.sources.file_drops import CSV, FIRST, ONE, answered, department, opened, put

FILTERED = replace(ENDPOINT, answered="", total="", parameters={("balance", "gte"): "least"})
VISITS = Read("Visit", ("number", "purpose"))


def said(rows: list[dict[str, object]], total: int) -> dict[str, object]:
    keys = [str(row["certno"]) for row in rows]
    return {"infcode": 0, "output": {"rows": rows, "total": total, "answered": keys}}


async def test_a_row_in_the_place_of_another_does_not_make_up_the_total() -> None:
    first, second, *_ = ENROLMENTS
    reply = json_reply(said([first, second, first], 3))
    async with serving(lambda _: reply) as loopback, asking(loopback) as source:
        with pytest.raises(SourceRefused) as caught:
            await source.read(scan())

    assert caught.value.detail == "Mistrusted: the number of rows is not the total"


async def test_a_row_that_is_there_twice_counts_once() -> None:
    first, second, *_ = ENROLMENTS
    reply = json_reply(said([first, second, first], 2))
    async with serving(lambda _: reply) as loopback, asking(loopback) as source:
        rows = await source.read(scan())

    assert list(rows.rows) == list(ROWS[:2])


@asynccontextmanager
async def changed(folder: Path, *statements: str) -> AsyncIterator[SqlSource]:
    """Open a database in which somebody has changed the table of visits."""
    url = world.fill_sqlite(folder / "world.db")
    with closing(sqlite3.connect(folder / "world.db", isolation_level=None)) as connection:
        connection.execute("ALTER TABLE visit RENAME TO before")
        for statement in statements:
            connection.execute(statement)
    source = SqlSource(replace(world.department(url), binary_collation=True))
    try:
        yield source
    finally:
        await source.aclose()


@pytest.mark.parametrize("purpose", ["purpose", "'else'"], ids=["same", "different"])
async def test_a_database_that_has_a_key_twice_is_not_believed(
    tmp_path: Path, purpose: str
) -> None:
    twice = f"SELECT * FROM before UNION ALL SELECT number, personnumber, {purpose} FROM before"  # noqa: S608 -- ours
    async with changed(tmp_path, f"CREATE VIEW visit AS {twice}") as source:
        with pytest.raises(SourceRefused) as caught:
            await source.read(VISITS)

    assert caught.value.detail == "Visit: two rows with one key"


async def test_a_database_that_equates_other_texts_than_we_do_is_not_believed(
    tmp_path: Path,
) -> None:
    made = "CREATE TABLE visit (number TEXT, personnumber TEXT COLLATE RTRIM, purpose TEXT)"
    filled = "INSERT INTO visit VALUES ('V1', 'P01', 'a'), ('V2', 'P02 ', 'b')"
    read = Read("Visit", ("number", "personNumber"))
    good, bad = (
        replace(read, for_each=ForEach(("personNumber",), ((key,),))) for key in ("P01", "P02")
    )
    async with changed(tmp_path, made, filled) as source:
        rows = await source.read(good)
        with pytest.raises(SourceRefused) as caught:
            await source.read(bad)

    assert list(rows.rows) == [("V1", "P01")]
    assert caught.value.detail == "Visit: a row of a key that nobody asked for"


async def test_a_database_that_filters_otherwise_than_we_do_is_not_believed(tmp_path: Path) -> None:
    made = "CREATE TABLE visit (number TEXT, personnumber TEXT, purpose TEXT COLLATE NOCASE)"
    filled = "INSERT INTO visit VALUES ('V1', 'P01', 'a'), ('V2', 'P02', 'B')"
    async with changed(tmp_path, made, filled) as source:
        good, bad = (
            replace(VISITS, where=Comparison("purpose", Operator.EQ, purpose)) for purpose in "ab"
        )
        rows = await source.read(good)
        with pytest.raises(SourceRefused) as caught:
            await source.read(bad)

    assert list(rows.rows) == [("V1", "a")]
    assert caught.value.detail == "Visit: a row that is not as it was asked for"


async def test_texts_of_more_bytes_than_the_budget_are_refused(tmp_path: Path) -> None:
    long = "SELECT number, personnumber, hex(zeroblob(5000)) AS purpose FROM before LIMIT 1"
    async with changed(tmp_path, f"CREATE VIEW visit AS {long}") as source:
        whole = await source.read(VISITS)
    budget = Budget(seconds=20.0, bytes=10_000)
    tight = SqlSource(world.department(f"sqlite+aiosqlite:///{tmp_path / 'world.db'}", budget))
    with pytest.raises(SourceRefused) as caught:
        await tight.read(VISITS)
    await tight.aclose()

    assert [len(str(purpose)) for _, purpose in whole.rows] == [10_000]
    assert caught.value.detail == "texts of more than 10000 bytes"


async def test_what_is_named_as_a_drop_but_is_no_file_does_not_count(tmp_path: Path) -> None:
    put(tmp_path, FIRST)
    os.mkfifo(tmp_path / "visits-2.csv")
    (tmp_path / "visits-3.csv").mkdir()

    async with opened(department(tmp_path, CSV)) as source:
        assert await answered(source) == ONE


@pytest.mark.parametrize("native", [{}, {"balc": {"yuan": 12}}, {"balc": [12]}], ids=str)
async def test_a_row_without_what_it_was_filtered_by_is_not_left_out_in_silence(
    native: dict[str, object],
) -> None:
    row = {name: value for name, value in ENROLMENTS[0].items() if name != "balc"} | native
    where = Comparison("balance", Operator.GTE, Decimal(1))
    async with (
        serving(lambda _: json_reply(said([row], 1))) as loopback,
        asking(loopback, FILTERED) as source,
    ):
        with pytest.raises(SourceRefused) as caught:
            await source.read(by_key("A", where=where))
        unfiltered = await source.read(by_key("A"))

    assert caught.value.detail == "Mistrusted: balc is no value that could be filtered by"
    assert list(unfiltered.rows) == [(*ROWS[0][:3], INVALID, *ROWS[0][4:])]


async def test_a_table_that_was_made_anew_is_asked_anew(postgres: Postgres) -> None:
    postgres.create_database("anew")
    url = world.fill_server(postgres.url("anew"), "postgres")
    source = SqlSource(world.department(url))
    before = await source.read(VISITS)
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    await connection.execute("ALTER TABLE visit ALTER COLUMN purpose TYPE varchar(40)")
    after = await source.read(VISITS)
    await connection.close()
    await source.aclose()

    assert set(after.rows) == set(before.rows)


async def test_a_column_that_has_become_one_of_lists_cannot_be_read(postgres: Postgres) -> None:
    postgres.create_database("lists")
    url = world.fill_server(postgres.url("lists"), "postgres")
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    for name in ("kind", "active", "place"):
        change = f"ALTER COLUMN {name} TYPE text[] USING ARRAY[{name}::text]"
        await connection.execute(f"ALTER TABLE person {change}")
    await connection.close()
    async with world.database(url) as source:
        rows = await source.read(Read("Person", ("kind", "active", "place")))

    assert set(rows.rows) == {(INVALID, INVALID, INVALID)}
