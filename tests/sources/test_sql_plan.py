"""Plans of reads: kept where a read recurs, each for its own question."""

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from contract.errors import SourceRefused
from contract.predicate import TRUE, Comparison, Operator, Predicate, Within
from contract.read import ForEach, Order, Read
from sources.sql import SqlSource
from sources.sql_driver import Natives
from tests.sources import world

SCOPES = ("320205", "320206", "32")
BY_NUMBER = (Order("number"),)


@pytest.fixture
async def source(tmp_path: Path) -> AsyncIterator[SqlSource]:
    async with world.database(world.fill_sqlite(tmp_path / "world.db")) as opened:
        yield opened


def kept(source: SqlSource) -> int:
    found: int = source._plans._kept.cache_info().currsize  # type: ignore[attr-defined] # a cache's
    return found


async def test_a_kept_plan_answers_as_one_that_is_made_anew(source: SqlSource) -> None:
    wheres: list[Predicate] = [*(Within("place", scope) for scope in SCOPES), TRUE]
    reads = [
        Read("Person", ("number", "name", "age"), where, order, limit)
        for where in wheres
        for order in (BY_NUMBER, (Order("number", descending=True),))
        for limit in (None, 3)
    ]
    anew = [await source.read(read) for read in reads]
    recurring = [replace(read, recurs=True) for read in reads]
    for _ in range(2):
        assert [await source.read(read) for read in recurring] == anew

    assert kept(source) == len(reads)


async def test_a_kept_plan_serves_any_keys_and_any_number_of_them(source: SqlSource) -> None:
    numbers = [f"P{place:02}" for place in range(9)]
    for limit in (None, 1):
        for count in (1, 2, 3, 9, 0, 2):
            keys = tuple((number,) for number in numbers[9 - count :])
            asked = Read(
                "Visit",
                ("number", "personNumber"),
                order_by=BY_NUMBER,
                limit=limit,
                for_each=ForEach(("personNumber",), keys),
            )
            assert await source.read(replace(asked, recurs=True)) == await source.read(asked)

    assert kept(source) == 2


async def test_nothing_is_kept_of_a_read_that_does_not_recur(source: SqlSource) -> None:
    await source.read(Read("Person", ("number",), Comparison("name", Operator.EQ, "王")))

    assert kept(source) == 0


async def test_what_a_kept_plan_looks_at_is_looked_at_each_time(
    source: SqlSource, tmp_path: Path
) -> None:
    read = Read("Visit", ("number", "purpose"), recurs=True)
    before = await source.read(read)
    with closing(sqlite3.connect(tmp_path / "world.db", isolation_level=None)) as connection:
        connection.execute("UPDATE visit SET number = 'V1'")

    with pytest.raises(SourceRefused) as refused:
        await source.read(read)

    assert len(before.rows) == 23
    assert refused.value.detail == "Visit: two rows with one key"


async def test_one_key_is_asked_for_as_often_as_it_is_spelled(source: SqlSource) -> None:
    asked: list[Sequence[object]] = []
    rows = source.connections.rows

    async def recorded(text: str, operands: Sequence[object]) -> Natives:
        asked.append(operands)
        return await rows(text, operands)

    source.connections.rows = recorded  # type: ignore[method-assign] # recorded, then done
    keys = tuple((number,) for number in ("P01", "P02", "P01", "P\0", "P\ud800"))
    await source.read(
        Read("Visit", ("number", "personNumber"), for_each=ForEach(("personNumber",), keys))
    )

    limit = source._rows_allowed + 1
    assert asked == [["P01", "P02", "P\0", "P\0", limit]]
