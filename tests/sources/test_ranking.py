"""Lists in the order of what another system knows."""

from random import Random
from types import MappingProxyType

import pytest

from contract.entity import Entity, Field, Kind, Relationship
from contract.errors import TooComplex
from contract.keyset import reversed_order, rows_after
from contract.predicate import TRUE, Comparison, Exists, Operator, Predicate, all_of
from contract.read import Extreme, ForEach, Function, Order, Read, Rows
from contract.source import Capabilities
from sources.federation import Federation
from sources.memory import MemorySource
from tests.graph import Recording
from tests.limited import LimitedSource

PEOPLE, CASES = 2_600, 700
PERSON = Entity(
    "Person",
    MappingProxyType(
        {
            "number": Field("number", Kind.INTEGER, nullable=False),
            "card": Field("card", Kind.STRING),
            "town": Field("town", Kind.STRING),
        }
    ),
    ("number",),
    MappingProxyType({"cases": Relationship("cases", "Case", (("card", "card"),), many=True)}),
)
CASE = Entity(
    "Case",
    MappingProxyType(
        {
            "number": Field("number", Kind.INTEGER, nullable=False),
            "card": Field("card", Kind.STRING),
            "day": Field("day", Kind.INTEGER),
            "kind": Field("kind", Kind.STRING),
        }
    ),
    ("number",),
)
ENTITIES = {"Person": PERSON, "Case": CASE}
_CHANCE = Random(1)
PERSONS = [
    {"number": n, "card": None if n % 50 == 0 else f"c{n}", "town": f"t{n % 3}"}
    for n in range(PEOPLE)
]
HELD = [
    {
        "number": n,
        "card": f"c{_CHANCE.randrange(PEOPLE)}",
        "day": _CHANCE.choice((None, *range(40))),
        "kind": _CHANCE.choice(("aid", "other")),
    }
    for n in range(CASES)
]
AID = Comparison("kind", Operator.EQ, "aid")


def federation(limited: int | None = None, scan_rows: int = 20_000) -> Federation:
    sources = [
        MemorySource("people", "人", {"Person": PERSON}, {"Person": PERSONS}),
        MemorySource("cases", "件", {"Case": CASE}, {"Case": HELD}),
    ]
    if limited is not None:
        sources = [LimitedSource(source, limited) for source in sources]  # type: ignore[misc] # a source too
    return Federation(ENTITIES, [Recording(source) for source in sources], scan_rows)


def fetched(built: Federation) -> dict[str, int]:
    return {source.name: len(source.reads) for source in built.sources}  # type: ignore[attr-defined] # recordings


def order_by(*, descending: bool, where: Predicate = TRUE) -> tuple[Order, ...]:
    extreme = Extreme("cases", "day", Function.MAX if descending else Function.MIN, where)
    return (Order(extreme.name, descending, extreme=extreme), Order("town"), Order("number"))


def expected(*, descending: bool, aid: bool = False) -> list[tuple[object, ...]]:
    days: dict[object, list[int]] = {}
    for case in HELD:
        if case["day"] is not None and (not aid or case["kind"] == "aid"):
            days.setdefault(case["card"], []).append(int(str(case["day"])))
    pick = max if descending else min
    rows = [
        (pick(days[row["card"]]) if row["card"] in days else None, row["town"], row["number"])
        for row in PERSONS
    ]
    known = [row for row in rows if row[0] is not None]
    known.sort(key=lambda row: (-int(str(row[0])) if descending else row[0], row[1], row[2]))
    return [*known, *sorted((row for row in rows if row[0] is None), key=lambda row: row[1:])]


async def whole(built: Federation, order: tuple[Order, ...], size: int) -> list[tuple[object, ...]]:
    """Return the list, page by page."""
    found: list[tuple[object, ...]] = []
    fields = tuple(part.field for part in order)
    while True:
        where = rows_after(order, found[-1], frozenset(("number",))) if found else TRUE
        rows = await built.read(Read("Person", fields, where, order, size), [])
        found += rows.rows
        if len(rows.rows) < size:
            return found


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("limited", [None, 1, 4])
async def test_pages_in_the_order_of_related_rows_lose_and_repeat_nothing(
    descending: bool, limited: int | None
) -> None:
    rows = await whole(federation(limited=limited), order_by(descending=descending), 130)

    assert rows == expected(descending=descending)


async def test_the_same_list_is_read_from_its_other_end() -> None:
    order = reversed_order(order_by(descending=True))

    rows = await whole(federation(), order, 130)

    assert rows == expected(descending=True)[::-1]


async def test_related_rows_that_do_not_count_decide_nothing() -> None:
    rows = await whole(federation(), order_by(descending=True, where=AID), 700)

    assert rows == expected(descending=True, aid=True)


async def test_the_fewer_related_rows_lead_and_only_a_page_of_rows_is_fetched() -> None:
    built = federation()
    order = order_by(descending=True)

    rows = await built.read(Read("Person", ("number",), TRUE, order, 20), [])

    assert [row[0] for row in rows.rows] == [row[2] for row in expected(descending=True)[:20]]
    people = [read for read in built.sources[0].reads if isinstance(read, Read)]  # type: ignore[attr-defined] # a recording
    assert [(read.limit, read.where == TRUE) for read in people] == [(1_001, True), (None, False)]
    assert fetched(built) == {"people": 3, "cases": 2}


async def test_few_rows_ask_for_what_they_are_related_to() -> None:
    built = federation()
    where = Comparison("number", Operator.LT, 100)

    rows = await built.read(Read("Person", ("number",), where, order_by(descending=True), 100), [])

    wanted = [row[2] for row in expected(descending=True) if int(str(row[2])) < 100]
    assert [row[0] for row in rows.rows] == wanted
    assert fetched(built) == {"people": 1, "cases": 1}


async def test_the_limit_counts_per_key() -> None:
    towns = ForEach(("town",), (("t0",), ("t1",)))
    read = Read("Person", ("number", "town"), TRUE, order_by(descending=True), 3, towns)

    rows = await federation().read(read, [])

    wanted = [
        (row[2], town)
        for town in ("t0", "t1")
        for row in [row for row in expected(descending=True) if row[1] == town][:3]
    ]
    assert sorted(rows.rows, key=lambda row: str(row[1])) == wanted


async def test_an_order_over_too_much_on_both_sides_is_refused_before_it_is_read() -> None:
    built = federation(scan_rows=500)

    with pytest.raises(TooComplex, match="缩小范围"):
        await built.read(Read("Person", ("number",), TRUE, order_by(descending=True), 20), [])

    assert fetched(built) == {"people": 2, "cases": 1}


async def test_more_keys_than_a_thousand_lead_where_they_are_the_fewer() -> None:
    cards = [{"number": n, "card": f"c{n}", "day": n, "kind": "aid"} for n in range(1, 2_000)]
    people = MemorySource("people", "人", {"Person": PERSON}, {"Person": PERSONS})
    cases = MemorySource("cases", "件", {"Case": CASE}, {"Case": cards})
    built = Federation(ENTITIES, [Recording(people), Recording(cases)])
    where = Exists("cases", Comparison("day", Operator.GTE, 500))

    rows = await built.read(Read("Person", ("number",), where, (Order("number"),), 5), [])
    every = await built.read(Read("Person", ("number",), where, (Order("number"),)), [])

    wanted = [n for n in range(500, 2_000) if n % 50]
    assert [row[0] for row in rows.rows] == wanted[:5]
    assert [row[0] for row in every.rows] == wanted
    batches = [read for read in built.sources[0].reads if isinstance(read, Read)]  # type: ignore[attr-defined] # a recording
    assert [read.limit for read in batches] == [5, 5, None, None]


async def test_a_side_that_cannot_count_is_followed() -> None:
    cards = [{"number": n, "card": f"c{n}", "day": n, "kind": "aid"} for n in range(1, PEOPLE)]
    cases = MemorySource("cases", "件", {"Case": CASE}, {"Case": cards})
    able = cases.entities["Case"]
    cases.entities["Case"] = Capabilities(
        operators=able.operators, for_each=able.for_each, limit=True, order_by=able.order_by
    )
    people = MemorySource("people", "人", {"Person": PERSON}, {"Person": PERSONS})
    built = Federation(ENTITIES, [Recording(people), Recording(cases)])
    where = all_of(AID_OF_LATE, Comparison("number", Operator.LT, 1_800))

    rows = await built.read(Read("Person", ("number",), where, (Order("number"),), 5), [])

    assert rows == Rows(("number",), [(n,) for n in range(501, 506)])


AID_OF_LATE = Exists("cases", Comparison("day", Operator.GTE, 500))
