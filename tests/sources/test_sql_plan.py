"""Plans of reads: kept where a read recurs, each for its own question."""

import gc
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import _lru_cache_wrapper
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


async def test_a_number_in_the_place_of_a_division_is_remembered_nowhere(source: SqlSource) -> None:
    texts = "3202811030", "320281", "320281199001011234"
    for division in texts:
        await source.read(Read("Person", ("number",), Within("place", division)))

    assert [text for text in texts if text in held()] == ["320281"]


def held() -> set[object]:
    """Return what is remembered by one value alone, in any cache of the sources."""
    caches = [
        each
        for each in gc.get_objects()
        if isinstance(each, _lru_cache_wrapper) and (each.__module__ or "").startswith("sources.")
    ]
    tables = [each for cache in caches for each in gc.get_referents(cache) if type(each) is dict]
    return {key for table in tables for key in table if isinstance(key, str)}
