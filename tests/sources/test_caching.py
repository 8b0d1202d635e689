"""Answers that are kept, for as long as the mapping lets them be."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from contract.entity import Relationship
from contract.errors import SourceInMaintenance, SourceUnavailable
from contract.predicate import (
    TRUE,
    Comparison,
    Exists,
    In,
    Operator,
)
from contract.read import Aggregate, Read, Rows
from contract.source import Capabilities
from sources.assembly import Guarded
from sources.caching import Caching
from sources.constants import Completed
from sources.declaration import Budget, Cache, MappedEntity
from sources.guard import Guard
from tests.sources.kept import (
    BEGAN,
    COUNTED,
    LISTED,
    OTHER,
    OWNER,
    PERIOD,
    SHOP,
    TOWN,
    Clock,
    Counting,
    as_none,
    failing,
    kept,
    registry,
)


async def test_an_answer_is_kept_to_the_end_of_its_period_and_says_of_when_it_is() -> None:
    source, clock = registry(), Clock()
    cache = kept(source, clock)

    first = await cache.read(LISTED)
    clock.time = PERIOD + timedelta(minutes=59)
    again = await cache.read(LISTED)
    clock.time = PERIOD + timedelta(minutes=60)
    later = await cache.read(LISTED)

    fresh = await source.source.read(LISTED)
    assert first == again == replace(fresh, rows=tuple(fresh.rows), as_of=PERIOD, cached=True)
    assert later == replace(first, as_of=PERIOD + timedelta(hours=1))
    assert (len(source.asked), cache.tally.hits, cache.tally.misses) == (2, 1, 2)


async def test_what_the_mapping_does_not_name_is_never_kept() -> None:
    source = registry()
    cache = kept(source)
    read = Read("Owner", ("number",))

    answers = [await cache.read(read) for _ in range(2)]

    assert answers == [Rows(("number",), [("O1",)])] * 2
    assert (len(source.asked), cache.tally.hits, cache.tally.misses) == (2, 0, 0)


async def test_what_depends_on_related_rows_is_never_kept() -> None:
    cache = kept(Refusing(registry()))

    for _ in range(2):
        with pytest.raises(TypeError):
            await cache.read(replace(LISTED, where=Exists("owner", TRUE)))

    assert cache.tally.misses == 0


class Refusing(Counting):
    """A system that answers no questions about related rows."""

    async def read(self, read: Read) -> Rows:
        raise TypeError


async def test_equal_questions_at_the_same_time_are_asked_once() -> None:
    source, go_on = registry(), asyncio.Event()
    source.before = lambda: as_none(go_on.wait())
    cache = kept(source)

    asking = [asyncio.create_task(cache.read(LISTED)) for _ in range(5)]
    await asyncio.sleep(0)
    go_on.set()
    answers = await asyncio.gather(*asking)

    assert (len({id(answer) for answer in answers}), len(source.asked)) == (1, 1)
    assert (cache.tally.hits, cache.tally.misses) == (4, 1)


async def test_who_goes_away_leaves_the_others_their_answer() -> None:
    source, go_on = registry(), asyncio.Event()
    source.before = lambda: as_none(go_on.wait())
    cache = kept(source)

    first, second = (asyncio.create_task(cache.read(LISTED)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    go_on.set()

    assert (len((await second).rows), first.cancelled(), len(source.asked)) == (4, True, 1)


async def test_a_question_that_nobody_waits_for_is_given_up_and_asked_anew() -> None:
    source, given_up = registry(), asyncio.Event()

    async def until_given_up() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            given_up.set()

    source.before = until_given_up
    cache = kept(source)
    asking = [asyncio.create_task(cache.read(LISTED)) for _ in range(3)]
    await asyncio.sleep(0.01)
    for each in asking:
        each.cancel()
    outcomes = await asyncio.gather(*asking, return_exceptions=True)
    source.before = None
    anew = await cache.read(LISTED)
    await asyncio.wait_for(given_up.wait(), 1)

    assert [type(outcome) for outcome in outcomes] == [asyncio.CancelledError] * 3
    assert (len(anew.rows), len(source.asked)) == (4, 2)


async def test_failures_reach_all_who_wait_and_are_not_kept() -> None:
    source = registry()
    source.before = failing
    cache = kept(source)

    outcomes = await asyncio.gather(*(cache.read(LISTED) for _ in range(2)), return_exceptions=True)
    source.before = None
    rows = await cache.read(LISTED)

    assert [type(outcome) for outcome in outcomes] == [SourceUnavailable] * 2
    assert (len(rows.rows), len(source.asked)) == (4, 2)


@pytest.mark.parametrize("whole", [False, True])
async def test_an_old_copy_says_so_and_is_not_kept_as_a_new_one(whole: bool) -> None:
    source, clock = registry(), Clock()
    guard = Guard(source, Budget(retries=0, stale_seconds=36_000), clock)
    cache = kept(guard, clock, Cache(3600.0, whole=whole))

    fresh = await cache.read(LISTED)
    clock.time += timedelta(hours=1)
    source.before = failing
    old = [await cache.read(LISTED) for _ in range(2)]
    source.before = None
    later = await cache.read(LISTED)

    assert [(each.as_of, each.cached) for each in (fresh, *old, later)] == [
        (PERIOD, True),
        *[(BEGAN, False)] * 2,
        (PERIOD + timedelta(hours=1), True),
    ]
    assert len({tuple(each.rows) for each in (fresh, *old, later)}) == 1


async def test_in_a_failure_what_is_kept_answers_and_nothing_else() -> None:
    source, clock = registry(), Clock()
    cache = kept(Guard(source, Budget(retries=0), clock), clock)
    await cache.read(LISTED)
    source.before = failing

    rows = await cache.read(replace(LISTED, where=TOWN))
    with pytest.raises(SourceUnavailable):
        await cache.read(replace(LISTED, where=OTHER))
    clock.time += timedelta(hours=1)
    with pytest.raises(SourceUnavailable):
        await cache.read(LISTED)

    assert len(rows.rows) == 2


@pytest.mark.parametrize("whole", [False, True])
async def test_what_was_forgotten_is_asked_anew_and_so_is_what_was_on_its_way(
    whole: bool,
) -> None:
    source, go_on = registry(), asyncio.Event()
    source.before = lambda: as_none(go_on.wait())
    guard = Guard(source, Budget())
    cache = kept(guard, cache=Cache(3600.0, whole=whole))
    on_its_way = asyncio.create_task(cache.read(LISTED))
    await asyncio.sleep(0.01)

    await Guarded(source, guard, cache).forget()  # type: ignore[arg-type] # it is never closed
    after = asyncio.create_task(cache.read(LISTED))
    await asyncio.sleep(0.01)
    go_on.set()
    await asyncio.gather(on_its_way, after)
    await cache.read(LISTED)

    assert len(source.asked) == 2


async def test_an_entity_that_is_kept_whole_is_read_once_and_can_be_asked_everything() -> None:
    source = registry()
    source.entities = {
        "Shop": Capabilities(exists=frozenset({"owner"})),
        "Owner": replace(source.entities["Owner"], exists=frozenset({"shops", "other"})),
    }
    owner = replace(OWNER, relationships={"shops": Relationship("shops", "Shop", (("a", "b"),))})
    mapped = {
        "Shop": MappedEntity(SHOP, "shop", {}, cache=Cache(3600.0, whole=True)),
        "Owner": MappedEntity(owner, "owner", {}),
    }
    cache = Caching(source, mapped, Clock())

    rows = await cache.read(replace(LISTED, where=TOWN))
    counted = await cache.aggregate(Aggregate("Shop", COUNTED, OTHER))

    assert rows == Rows(
        LISTED.fields, [("S0", "320205106"), ("S2", "320205106")], PERIOD, cached=True
    )
    assert counted == Rows(("rows",), [(1,)], PERIOD, cached=True)
    assert source.asked == [Read("Shop", tuple(SHOP.fields))]
    able = cache.entities["Shop"]
    assert (able.scan, able.limit, able.trusted, able.exists) == (True, True, True, frozenset())
    assert cache.entities["Owner"].exists == {"other"}


async def test_in_maintenance_what_is_kept_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    source, clock = registry(), Clock()
    guard = Guard(source, Budget(), clock)
    cache = kept(guard, clock)
    before = await cache.read(LISTED)

    def refuse() -> None:
        raise SourceInMaintenance("registry", "登记", BEGAN)

    monkeypatch.setattr(guard, "_refuse_in_maintenance", refuse)

    assert await cache.read(LISTED) == before
    with pytest.raises(SourceInMaintenance):
        await cache.read(replace(LISTED, where=OTHER))


async def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sources.period._MOST_ANSWERS", 3)
    monkeypatch.setattr("sources.period._MOST_VALUES", 10)
    source = registry()
    cache = kept(source)
    of_each = [
        replace(LISTED, fields=("code",), where=Comparison("code", Operator.EQ, f"S{number}"))
        for number in range(5)
    ]

    for read in (*of_each, *reversed(of_each)):
        await cache.read(read)
    asked = len(source.asked)
    for _ in range(2):
        await cache.read(replace(LISTED, where=In("code", tuple("abcdefghij"))))

    assert (asked, len(source.asked)) == (7, 9)


async def test_nobody_changes_what_is_kept() -> None:
    cache = kept(registry())

    first = await cache.read(LISTED)

    assert isinstance(first.rows, tuple)


async def test_constants_of_a_system_take_nothing_from_what_its_copies_say() -> None:
    copied = Rows(("code",), [("S0",)], BEGAN, cached=True)
    counted = Rows(("rows", "#rows"), [(1, 1)], BEGAN)

    @dataclass
    class Copy:
        name = title = "registry"
        entities: Mapping[str, Capabilities]

        async def read(self, read: Read) -> Rows:
            return copied

        async def aggregate(self, aggregate: Aggregate) -> Rows:
            return counted

    completed = Completed(Copy({"Shop": Capabilities()}), {"Shop": {"name": "茶"}})

    rows = await completed.read(Read("Shop", ("name", "code")))
    names = await completed.aggregate(Aggregate("Shop", COUNTED, group_by=("name",)))

    assert rows == Rows(("name", "code"), [("茶", "S0")], BEGAN, cached=True)
    assert names == Rows(("name", "rows"), [("茶", 1)], BEGAN)
