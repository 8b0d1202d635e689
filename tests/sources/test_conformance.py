"""
Every kind of source under one suite: the two laws of `contract.source`, and every odd value.

A new kind is one line in `KINDS` and one factory in `opened`, both in `conftest.py`.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract.entity import UNKNOWN, Kind
from contract.predicate import (
    TRUE,
    Comparison,
    Contains,
    Exists,
    In,
    Not,
    Operator,
    Predicate,
    Row,
    StartsWith,
    Value,
    any_of,
    evaluate,
    fields_of,
    negation,
)
from contract.read import Aggregate, ForEach, Function, Measure, Order, Read, Rows
from contract.source import Capabilities, Source, pushes, split
from sources import rowset
from tests.predicates import TEXTS, every_leaf, predicates
from tests.sources import world

PERSON = world.entity("Person")
FIELDS = tuple(PERSON.fields)
ALL = Rows(FIELDS, [tuple(row.values()) for row in world.ROWS["Person"]])
VISITS = world.ROWS["Visit"]
NOTHING = Capabilities()
BY_NUMBER = (Order("number"),)

generated = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
persons = predicates(PERSON.fields.values())
orders = st.builds(
    Order, st.sampled_from(FIELDS), descending=st.booleans(), nulls_first=st.booleans()
)


@generated
@given(persons)
async def test_pushed_and_residual_keep_exactly_what_where_keeps(
    source: Source, where: Predicate
) -> None:
    parts = split(source.entities["Person"], where)

    rows = await source.read(Read("Person", FIELDS, parts.pushed, BY_NUMBER))

    kept = rowset.keep(rows, parts.residual)
    assert kept == Rows(FIELDS, list(rowset.keep(ALL, where).rows))


@pytest.mark.parametrize("name", FIELDS)
async def test_every_claimed_leaf_and_its_negation_mean_what_the_contract_says(
    source: Source, name: str
) -> None:
    capabilities = source.entities["Person"]
    leaves = list(every_leaf(PERSON.fields[name]))
    asked = [
        predicate
        for predicate in (*leaves, *map(negation, leaves))
        if pushes(capabilities, predicate)
    ]

    answers = [await source.read(Read("Person", ("number",), part, BY_NUMBER)) for part in asked]

    wanted = [rowset.project(rowset.keep(ALL, part), ("number",)) for part in asked]
    assert [(part, rows.rows) for part, rows in zip(asked, answers, strict=True)] == [
        (part, rows.rows) for part, rows in zip(asked, wanted, strict=True)
    ]


@generated
@given(persons, st.lists(orders, max_size=2, unique_by=lambda order: order.field), st.data())
async def test_the_answer_equals_materialise_then_filter(
    source: Source, where: Predicate, order_by: list[Order], data: st.DataObject
) -> None:
    capabilities = source.entities["Person"]
    pushed = split(capabilities, where).pushed
    order = (*(part for part in order_by if part.field in capabilities.order_by), *BY_NUMBER)
    limit = data.draw(st.none() | st.integers(1, 5))
    fields = tuple(data.draw(st.lists(st.sampled_from(FIELDS), unique=True)))

    rows = await source.read(Read("Person", fields, pushed, order, limit))

    sorted_rows = rowset.ordered(rowset.keep(ALL, pushed), order)
    assert rows == rowset.project(rowset.limited(sorted_rows, limit), fields)


@generated
@given(persons, st.data())
async def test_for_each_gives_each_key_its_first_rows(
    source: Source, where: Predicate, data: st.DataObject
) -> None:
    capabilities = source.entities["Person"]
    pushed = split(capabilities, where).pushed
    by = data.draw(st.sampled_from(sorted(capabilities.for_each)))
    present = [key for key in (rowset.picker(FIELDS, by)(row) for row in ALL.rows) if known(key)]
    keys = tuple(data.draw(st.lists(st.sampled_from(present), unique=True)))
    limit = data.draw(st.none() | st.integers(1, 3))
    order = data.draw(orders.filter(lambda part: part.field in capabilities.order_by))

    rows = await source.read(
        Read("Person", FIELDS, pushed, (order, *BY_NUMBER), limit, ForEach(by, keys))
    )

    asked = rowset.of_keys(rowset.keep(ALL, pushed), ForEach(by, keys))
    wanted = rowset.limited(rowset.ordered(asked, (order, *BY_NUMBER)), limit, ForEach(by, keys))
    assert by_key(rows, by) == by_key(wanted, by)


@generated
@given(persons, st.data())
async def test_aggregates_are_those_of_the_rows(
    source: Source, where: Predicate, data: st.DataObject
) -> None:
    capabilities = source.entities["Person"]
    pushed = split(capabilities, where).pushed
    groups = data.draw(
        st.lists(st.sampled_from(sorted(capabilities.group_by)), max_size=2, unique=True)
    )
    measures = tuple(data.draw(st.lists(measure, min_size=1, max_size=3, unique=True)))
    aggregate = Aggregate("Person", measures, pushed, tuple(groups))

    rows = await source.aggregate(aggregate)

    wanted = rowset.aggregated(rowset.keep(ALL, pushed), aggregate)
    assert (rows.fields, set(rows.rows)) == (wanted.fields, set(wanted.rows))
    assert len(rows.rows) == len(wanted.rows)


def known(key: Sequence[object]) -> bool:
    return not any(value is None or repr(value) == "INVALID" for value in key)


def by_key(rows: Rows, fields: tuple[str, ...]) -> dict[object, list[object]]:
    pick = rowset.picker(rows.fields, fields)
    grouped: dict[object, list[object]] = {}
    for row in rows.rows:
        grouped.setdefault(pick(row), []).append(row)
    return grouped


def _measures() -> Iterator[Measure]:
    yield Measure("rows", Function.COUNT)
    for name, field in PERSON.fields.items():
        yield Measure(f"{name}Count", Function.COUNT, name)
        yield Measure(f"{name}Distinct", Function.COUNT_DISTINCT, name)
        if field.kind in (Kind.INTEGER, Kind.DECIMAL):
            yield Measure(f"{name}Sum", Function.SUM, name)
        if field.kind is not Kind.BOOLEAN:
            yield Measure(f"{name}Least", Function.MIN, name)
            yield Measure(f"{name}Most", Function.MAX, name)


measure = st.sampled_from(list(_measures()))


@generated
@given(predicates(world.entity("Visit").fields.values()), persons, st.booleans())
async def test_exists_runs_where_it_is_claimed(
    source: Source,
    inner: Predicate,
    where: Predicate,
    negated: bool,
) -> None:
    capabilities = source.entities["Person"]
    exists = Exists("visits", split(source.entities.get("Visit", NOTHING), inner).pushed)
    claimed = (negation(exists) if negated else exists,) if capabilities.exists else ()
    asked = any_of(*claimed, split(capabilities, where).pushed)

    rows = await source.read(Read("Person", FIELDS, asked, BY_NUMBER))

    assert rows == Rows(FIELDS, list(rowset.keep(ALL, asked, visited).rows))


def visited(exists: Exists) -> Callable[[Row], bool]:
    numbers = {visit["personNumber"] for visit in VISITS if evaluate(exists.predicate, visit)}
    return lambda row: row[0] in numbers


async def answered(source: Source, read: Read) -> Rows:
    """Ask what the source claims and run the rest here, as whoever asks a source must."""
    parts = split(source.entities[read.entity], read.where)
    fields = tuple(world.ENTITIES[read.entity])
    rows = await source.read(Read(read.entity, fields, parts.pushed, for_each=read.for_each))
    rows = rowset.ordered(rowset.keep(rows, parts.residual), read.order_by)
    return rowset.project(rowset.limited(rows, read.limit, read.for_each), read.fields)


def eq(field: str, operand: Value) -> Predicate:
    return Comparison(field, Operator.EQ, operand)


ODD: dict[str, tuple[Predicate, list[object]]] = {
    "null is neither equal nor different": (
        any_of(eq("name", "a"), Not(eq("name", "a"))),
        [row["name"] for row in world.ROWS["Person"] if row["name"] is not None],
    ),
    "the empty text is a text": (eq("name", ""), [""] * 3),
    "a trailing blank counts": (eq("name", "a "), ["a "] * 3),
    "case counts": (In("name", ("A", "B")), ["A", "B", "A", "B", "A", "B"]),
    "a character beyond the BMP": (StartsWith("name", "𠮷"), ["𠮷"] * 3),
    "text by code point": (
        Comparison("name", Operator.GT, "你"),
        ["𠮷", "\uffee"] * 3,
    ),
    "zero is a number": (eq("age", 0), [0] * 7),
    "false is a truth": (eq("active", operand=False), [False] * 12),
    "a list of nothing": (In("name", ()), []),
}


@pytest.mark.parametrize("title", ODD)
async def test_odd_values(source: Source, title: str) -> None:
    predicate, wanted = ODD[title]
    field = next(iter(fields_of(predicate)))

    rows = await answered(source, Read("Person", (field,), predicate, BY_NUMBER))

    assert [row[0] for row in rows.rows] == wanted


async def test_codes_that_no_mapping_knows_are_found_as_unknown(source: Source) -> None:
    asked = In("kind", (UNKNOWN, "TWO"))

    rows = await answered(source, Read("Person", ("number", "kind"), asked, BY_NUMBER))
    others = await answered(source, Read("Person", ("kind",), Not(asked), BY_NUMBER))

    kinds = [row["kind"] for row in world.ROWS["Person"]]
    assert [row[1] for row in rows.rows] == [kind for kind in kinds if kind in (UNKNOWN, "TWO")]
    assert [row[0] for row in others.rows] == [kind for kind in kinds if kind == "ONE"]


async def test_times_are_utc_whatever_the_zone_of_the_system(source: Source) -> None:
    asked = (eq("number", "P02"),)

    rows = await answered(source, Read("Person", ("seenAt", "loggedAt", "stampedAt"), *asked))
    first = await answered(source, Read("Person", ("loggedAt",), eq("number", "P00")))

    assert rows.rows[0] == (
        datetime(1999, 12, 31, 16, tzinfo=UTC),
        None,
        datetime(1970, 1, 1, tzinfo=UTC),
    )
    assert first.rows == [(datetime(2000, 2, 29, 1, 2, 3, tzinfo=UTC),)]


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("nulls_first", [False, True])
async def test_nulls_come_last_in_both_directions_unless_they_come_first(
    source: Source,
    descending: bool,
    nulls_first: bool,
) -> None:
    order = (Order("age", descending, nulls_first),)

    rows = await source.read(Read("Person", ("age",), order_by=order))

    ages = sorted(
        (age for row in world.ROWS["Person"] if isinstance(age := row["age"], int)),
        reverse=descending,
    )
    nulls = [None] * (len(world.ROWS["Person"]) - len(ages))
    assert [row[0] for row in rows.rows] == ([*nulls, *ages] if nulls_first else [*ages, *nulls])


async def test_more_keys_than_rows_and_than_one_batch_find_each_keys_first_row(
    source: Source,
) -> None:
    keys = tuple((word,) for word in (*TEXTS, *map(str, range(60))))
    batch = source.entities["Person"].batch
    parts = [ForEach(("name",), keys[at : at + batch]) for at in range(0, len(keys), batch)]

    found = [
        await source.read(Read("Person", ("name", "number"), TRUE, BY_NUMBER, 1, part))
        for part in parts
    ]

    first: dict[object, object] = {}
    for row in world.ROWS["Person"]:
        first.setdefault(row["name"], row["number"])
    first.pop(None)
    assert {row for rows in found for row in rows.rows} == set(first.items()) - {("B", "P11")}


async def test_keys_that_no_row_can_have_find_nothing(source: Source) -> None:
    keys = (("\0",), ("\ud800",), ("",))

    rows = await source.read(Read("Person", ("number",), for_each=ForEach(("number",), keys)))

    assert list(rows.rows) == []


@pytest.mark.parametrize("text", ["\0", "a\0", "\ud800", "a\udfff", "\U0010ffff"])
@pytest.mark.parametrize(
    "operator", [Operator.EQ, Operator.LT, Operator.LTE, Operator.GT, Operator.GTE]
)
async def test_texts_no_system_can_hold_still_compare(
    source: Source, text: str, operator: Operator
) -> None:
    asked = Comparison("name", operator, text)

    rows = await answered(source, Read("Person", FIELDS, asked, BY_NUMBER))

    assert list(rows.rows) == list(rowset.keep(ALL, asked).rows)


@pytest.mark.parametrize(
    "predicate", [StartsWith("name", "\ud800"), Contains("name", "\0"), Contains("name", "\ud800")]
)
async def test_texts_no_system_can_hold_are_in_no_text(
    source: Source, predicate: Predicate
) -> None:
    rows = await answered(source, Read("Person", ("number",), predicate))

    assert list(rows.rows) == []
