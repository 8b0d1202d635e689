"""An entity that several systems hold is one list."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from types import MappingProxyType

import pytest

from contract.entity import Entity, Field, Kind, Relationship
from contract.errors import SourceTimeout, SourceUnavailable, TooComplex
from contract.keyset import rows_after
from contract.predicate import (
    TRUE,
    Comparison,
    Exists,
    In,
    IsNull,
    Not,
    Operator,
    Predicate,
    all_of,
    any_of,
    evaluate,
)
from contract.read import Aggregate, ForEach, Function, Measure, Order, Read, Rows
from contract.source import Source
from sources.constants import Completed
from sources.federation import ORIGIN, Calls, Federation
from sources.holding import Homes
from sources.memory import MemorySource
from tests.graph import Recording
from tests.limited import DownSource, LimitedSource

Row = Mapping[str, object]

CASE = Entity(
    "Case",
    MappingProxyType(
        {
            "number": Field("number", Kind.STRING, nullable=False),
            "department": Field("department", Kind.STRING),
            "acceptedAt": Field("acceptedAt", Kind.DATETIME),
            "handler": Field("handler", Kind.STRING),
        }
    ),
    ("number",),
    MappingProxyType({"events": Relationship("events", "Event", (("number", "case"),), many=True)}),
)
EVENT = Entity(
    "Event",
    MappingProxyType(
        {
            "number": Field("number", Kind.INTEGER, nullable=False),
            "case": Field("case", Kind.STRING),
        }
    ),
    ("number",),
    MappingProxyType({"of": Relationship("of", "Case", (("case", "number"),))}),
)
ENTITIES = {"Case": CASE, "Event": EVENT}
DEPARTMENTS = ("民政", "人社", "市监")
NAMES = ("platform", *DEPARTMENTS)
HOMES: Homes = {(name, "Case"): In("department", (name,)) for name in DEPARTMENTS}
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
ORDER = (Order("acceptedAt", descending=True), Order("number"))
FIELDS = ("number", "department", "acceptedAt", "handler")


def case(serial: int, **more: object) -> Row:
    """Return a case; many were accepted at one moment, some never, some have no department."""
    chance = Random(serial)
    return {
        "number": f"{chance.choice('aAbB民')}{serial:04d}",
        "department": chance.choice((*DEPARTMENTS, *DEPARTMENTS, "医保", "卫健", None)),
        "acceptedAt": chance.choice((None, BEGIN + timedelta(days=chance.randrange(20)))),
        "handler": chance.choice(("甲", "乙", None)),
        **more,
    }


CASES = [case(serial) for serial in range(400)]


def copied(row: Row) -> Row:
    """Return what a system that is not its home says of a case."""
    return {**row, "acceptedAt": BEGIN - timedelta(days=1), "handler": "丙"}


def homes_of(row: Row) -> str:
    return str(row["department"]) if row["department"] in DEPARTMENTS else "platform"


def systems(rows: list[Row]) -> dict[str, Source]:
    """Return the platform with copies of half of all cases, and the departments with their own."""
    held: dict[str, list[Row]] = {name: [] for name in NAMES}
    for serial, row in enumerate(rows):
        home = homes_of(row)
        held[home].append(row)
        if home != "platform" and serial % 2:
            held["platform"].append(copied(row))
        if home == "platform" and serial % 3 == 0:
            held["民政"].append(copied(row))
    events = [{"number": n, "case": row["number"]} for n, row in enumerate(rows) if n % 5 == 0]
    found: dict[str, Source] = {
        name: MemorySource(name, name, {"Case": CASE}, {"Case": held[name]}) for name in NAMES[1:]
    }
    found["platform"] = MemorySource(
        "platform", "platform", ENTITIES, {"Case": held["platform"], "Event": events}
    )
    return found


def federation(sources: Mapping[str, Source]) -> Federation:
    return Federation(ENTITIES, [Recording(sources[name]) for name in NAMES], homes=HOMES)


def asked(built: Federation) -> list[str]:
    return [source.name for source in built.sources for _ in source.reads]  # type: ignore[attr-defined] # recordings


def in_order(rows: list[Row]) -> list[Row]:
    known = [row for row in rows if row["acceptedAt"] is not None]
    known.sort(key=lambda row: str(row["number"]))
    known.sort(key=lambda row: str(row["acceptedAt"]), reverse=True)
    rest = sorted(
        (row for row in rows if row["acceptedAt"] is None), key=lambda row: str(row["number"])
    )
    return [*known, *rest]


def tuples(rows: list[Row]) -> list[tuple[object, ...]]:
    return [tuple(row[name] for name in FIELDS) for row in rows]


async def page(built: Federation, last: tuple[object, ...] | None, calls: Calls) -> Rows:
    where: Predicate = TRUE
    if last is not None:
        where = rows_after(ORDER, (last[2], last[0]), frozenset(("number",)))
    return await built.read(Read("Case", FIELDS, where, ORDER, 50), calls)


@pytest.mark.parametrize("limited", [None, 1, 2, 3, 4, 5])
async def test_pages_through_all_systems_neither_lose_nor_repeat_a_row(limited: int | None) -> None:
    sources = systems(CASES)
    if limited is not None:
        sources = {name: LimitedSource(each, limited) for name, each in sources.items()}
    built = federation(sources)
    found: list[tuple[object, ...]] = []
    while rows := (await page(built, found[-1] if found else None, [])).rows:
        found += rows

    assert found == tuples(in_order(CASES))


async def test_rows_that_come_while_pages_are_read_neither_hide_nor_double_others() -> None:
    rows, found = list(CASES), list[tuple[object, ...]]()
    for serial in range(400, 1_000, 40):
        answer = (await page(federation(systems(rows)), found[-1] if found else None, [])).rows
        found += answer
        rows += [case(number) for number in range(serial, serial + 40)]

    expected = tuples(in_order(CASES))
    assert len(set(found)) == len(found)
    assert [row for row in found if row in set(expected)] == expected
    assert found == sorted(found, key=tuples(in_order(rows)).index)


async def test_a_system_that_fails_half_way_leaves_the_others_rows_and_the_cursor_works() -> None:
    sources = systems(CASES)
    first = await page(federation(sources), None, [])
    failing = federation({**sources, "人社": DownSource(sources["人社"])})
    calls: Calls = []
    second = await page(failing, first.rows[-1], calls)
    third = await page(federation(sources), second.rows[-1], [])

    expected = in_order(CASES)
    there = [row for row in expected[50:] if row["department"] != "人社"]
    assert list(first.rows) == tuples(expected[:50])
    assert list(second.rows) == tuples(there[:50])
    assert [(failure.source, failure.code) for failure in second.failures] == [
        ("人社", "SOURCE_UNAVAILABLE")
    ]
    assert sorted((call.source, call.state) for call in calls) == sorted(
        [("platform", "OK"), ("市监", "OK"), ("民政", "OK"), ("人社", "UNAVAILABLE")]
    )
    behind = expected[expected.index(there[49]) + 1 :]
    assert list(third.rows) == tuples(behind[:50])
    assert third.failures == ()


async def test_numbers_are_added_up_and_not_given_where_a_part_is_missing() -> None:
    sources = systems(CASES)
    measures = (
        Measure("cases", Function.COUNT),
        Measure("accepted", Function.COUNT, "acceptedAt"),
        Measure("first", Function.MIN, "acceptedAt"),
        Measure("last", Function.MAX, "acceptedAt"),
        Measure("handlers", Function.COUNT_DISTINCT, "handler"),
    )
    times = [row["acceptedAt"] for row in CASES if row["acceptedAt"] is not None]
    known = sorted(times, key=str)
    every = (len(CASES), len(times), known[0], known[-1])

    added = await federation(sources).aggregate(Aggregate("Case", measures[:4]), [])
    distinct = await federation(sources).aggregate(Aggregate("Case", measures), [])
    by = await federation(sources).aggregate(
        Aggregate("Case", measures[:1], group_by=("department",)), []
    )

    assert list(added.rows) == [every]
    assert list(distinct.rows) == [(*every, 2)]
    assert sorted(by.rows, key=str) == sorted(
        (
            (name, sum(row["department"] == name for row in CASES))
            for name in (*DEPARTMENTS, "医保", "卫健", None)
        ),
        key=str,
    )
    with pytest.raises(SourceUnavailable):
        await federation({**sources, "市监": DownSource(sources["市监"])}).aggregate(
            Aggregate("Case", measures[:1]), []
        )


async def test_only_the_systems_that_can_hold_what_is_asked_for_are_asked() -> None:
    sources = systems(CASES)
    questions = (
        Comparison("department", Operator.EQ, "民政"),
        In("department", ("民政", "人社")),
        Comparison("department", Operator.EQ, "医保"),
        all_of(Comparison("department", Operator.EQ, "民政"), In("department", ("人社",))),
        IsNull("department"),
        Not(In("department", ("民政",))),
    )
    named = []
    for where in questions:
        built = federation(sources)
        rows = await built.read(Read("Case", ("number",), where, (Order("number"),)), [])
        expected = sorted(str(row["number"]) for row in CASES if evaluate(where, row))
        assert [row[0] for row in rows.rows] == expected
        named.append(asked(built))

    assert named == [
        ["民政"],
        ["民政", "人社"],
        ["platform"],
        [],
        ["platform"],
        ["platform", "人社", "市监"],
    ]


async def test_a_row_tells_its_home() -> None:
    rows = await federation(systems(CASES)).read(
        Read("Case", ("number", ORIGIN), TRUE, (Order("number"),)), []
    )

    assert sorted(rows.rows) == sorted((row["number"], homes_of(row)) for row in CASES)


async def test_the_limit_counts_per_key_over_all_systems() -> None:
    keys = (("甲",), ("乙",))
    read = Read("Case", FIELDS, TRUE, ORDER, 7, ForEach(("handler",), keys))

    rows = await federation(systems(CASES)).read(read, [])

    expected = [
        row
        for (key,) in keys
        for row in [row for row in in_order(CASES) if row["handler"] == key][:7]
    ]
    assert sorted(rows.rows, key=str) == sorted(tuples(expected), key=str)


async def test_what_rows_decide_is_not_decided_with_some_of_them_missing() -> None:
    sources = systems(CASES)
    down = {**sources, "民政": DownSource(sources["民政"])}
    where = Not(Exists("of", Comparison("handler", Operator.EQ, "甲")))

    with pytest.raises(SourceUnavailable):
        await federation(down).read(Read("Event", ("number",), where), [])


async def test_a_system_that_did_not_answer_in_time_is_not_asked_again_for_the_same_request() -> (
    None
):
    class Silent(DownSource):
        async def read(self, read: Read) -> Rows:
            raise SourceTimeout(self.name, self.title)

    sources = systems(CASES)
    built = federation({**sources, "人社": Silent(sources["人社"])})
    calls: Calls = []
    first, second = [await page(built, None, calls) for _ in range(2)]

    assert list(first.rows) == list(second.rows)
    assert [failure.source for failure in second.failures] == ["人社"]
    assert asked(built).count("人社") == 1
    assert len((await page(built, None, [])).failures) == 1
    assert asked(built).count("人社") == 2


async def test_no_system_at_all_is_a_failure() -> None:
    sources = {name: DownSource(each) for name, each in systems(CASES).items()}

    with pytest.raises(SourceUnavailable):
        await federation(sources).read(Read("Case", FIELDS), [])


async def test_a_question_that_one_system_refuses_as_too_wide_is_refused() -> None:
    sources = systems(CASES)
    able = sources["民政"].entities["Case"]
    by_key = replace(able, operators={}, scan=False)
    sources["民政"].entities["Case"] = by_key  # type: ignore[index] # a memory source's own

    with pytest.raises(TooComplex):
        await federation(sources).read(Read("Case", FIELDS), [])


async def test_more_keys_than_a_system_takes_at_once_are_asked_in_pieces_and_merged() -> None:
    numbers = tuple(str(row["number"]) for row in CASES)
    sources = systems(CASES)
    for source in sources.values():
        able = replace(source.entities["Case"], batch=100)
        source.entities["Case"] = able  # type: ignore[index] # a memory source's own
    where = In("number", numbers[:250])
    built = federation(sources)

    rows = await built.read(Read("Case", FIELDS, where, ORDER, 60), [])

    assert list(rows.rows) == tuples(in_order(CASES[:250]))[:60]
    assert asked(built) == [name for name in NAMES for _ in range(3)]


async def test_a_field_that_a_system_does_not_keep_has_one_value_in_all_its_rows() -> None:
    kept = {name: CASE.fields[name] for name in ("number", "acceptedAt")}
    entity = Entity("Case", kept, ("number",))
    rows: list[Row] = [{"number": "1", "acceptedAt": BEGIN}, {"number": "2", "acceptedAt": None}]
    plain = Recording(MemorySource("民政", "民政", {"Case": entity}, {"Case": rows}))
    source = Completed(plain, {"Case": {"department": "民政", "handler": None}})
    own, other = (Comparison("department", Operator.EQ, name) for name in ("民政", "人社"))

    answers = [
        (await source.read(Read("Case", ("department", "number", "handler"), where))).rows
        for where in (TRUE, own, other, IsNull("handler"), any_of(other, IsNull("acceptedAt")))
    ]
    counted = await source.aggregate(
        Aggregate(
            "Case",
            (
                Measure("all", Function.COUNT),
                Measure("named", Function.COUNT, "department"),
                Measure("handled", Function.COUNT, "handler"),
                Measure("names", Function.COUNT_DISTINCT, "department"),
                Measure("last", Function.MAX, "department"),
            ),
            group_by=("department",),
        )
    )
    nothing = await source.aggregate(
        Aggregate("Case", (Measure("all", Function.COUNT),), IsNull("number"), ("department",))
    )

    every = [("民政", "1", None), ("民政", "2", None)]
    assert answers == [every, every, (), every, every[1:]]
    assert list(counted.rows) == [("民政", 2, 2, 0, 1, "民政")]
    assert list(nothing.rows) == []
    assert len(plain.reads) == 6
