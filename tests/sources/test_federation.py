from collections.abc import Mapping
from types import MappingProxyType

import pytest

from contract.entity import Entity, Field, Kind, Relationship
from contract.errors import SourceUnavailable, TooComplex
from contract.predicate import FALSE, TRUE, Comparison, Exists, In, IsNull, Operator, all_of
from contract.read import Aggregate, ForEach, Function, Measure, Order, Read, Rows
from contract.source import Capabilities, Source
from sources.federation import Call, Calls, Federation
from sources.memory import MemorySource
from tests.graph import Recording

PEOPLE = 1_000
EVERY = frozenset(operator for operator in Operator if operator is not Operator.EXISTS)
PERSON = Entity(
    "Person",
    MappingProxyType(
        {
            "number": Field("number", Kind.INTEGER, nullable=False),
            "name": Field("name", Kind.STRING),
        }
    ),
    ("number",),
    MappingProxyType({"cards": Relationship("cards", "Card", (("number", "holder"),), many=True)}),
)
CARD = Entity(
    "Card",
    MappingProxyType(
        {
            "holder": Field("holder", Kind.INTEGER, nullable=False),
            "kind": Field("kind", Kind.STRING),
        }
    ),
    ("holder",),
)
ENTITIES: Mapping[str, Entity] = {"Person": PERSON, "Card": CARD}


class Claiming:
    """A source that claims what it is told to claim."""

    def __init__(self, source: Source, capabilities: Capabilities) -> None:
        self._source = source
        self.name = source.name
        self.title = source.title
        self.entities = dict.fromkeys(source.entities, capabilities)

    async def read(self, read: Read) -> Rows:
        return await self._source.read(read)

    async def aggregate(self, aggregate: Aggregate) -> Rows:
        return await self._source.aggregate(aggregate)


def able(**changes: object) -> Capabilities:
    claimed: dict[str, object] = {
        "operators": dict.fromkeys(("number", "name", "holder", "kind"), EVERY),
        "negation": True,
        "disjunction": True,
        "order_by": frozenset(("number", "name", "holder", "kind")),
        "limit": True,
        "for_each": frozenset((("number",), ("holder",))),
        "for_each_limit": True,
        "functions": frozenset(Function),
    }
    return Capabilities(**{**claimed, **changes})  # type: ignore[arg-type] # its own fields


def federation(people: Capabilities, cards: Capabilities, scan_rows: int = 5_000) -> Federation:
    persons = [{"number": n, "name": None if n % 7 == 0 else f"n{n % 10}"} for n in range(PEOPLE)]
    held = [{"holder": n, "kind": "gold" if n % 100 == 0 else "tin"} for n in range(0, PEOPLE, 2)]
    sources = (
        Claiming(MemorySource("people", "人", {"Person": PERSON}, {"Person": persons}), people),
        Claiming(MemorySource("cards", "卡", {"Card": CARD}, {"Card": held}), cards),
    )
    return Federation(ENTITIES, [Recording(source) for source in sources], scan_rows)


def reads(built: Federation) -> list[tuple[str, int | None]]:
    return [
        (source.name, read.limit if isinstance(read, Read) else None)
        for source in built.sources
        for read in source.reads  # type: ignore[attr-defined] # recordings
    ]


GOLD = Exists("cards", Comparison("kind", Operator.EQ, "gold"))
BY_NUMBER = (Order("number"),)


async def test_a_residual_is_filled_page_by_page_until_the_limit_is_reached() -> None:
    built = federation(able(operators={"number": EVERY}), able())
    calls: Calls = []
    where = Comparison("name", Operator.EQ, "n9")

    rows = await built.read(Read("Person", ("number",), where, BY_NUMBER, 30), calls)

    expected = [n for n in range(PEOPLE) if n % 10 == 9 and n % 7][:30]
    assert [row[0] for row in rows.rows] == expected
    assert reads(built) == [("people", 200), ("people", 400)]
    assert calls == [
        Call("people", "人", "Person", "OK", 200),
        Call("people", "人", "Person", "OK", 400),
    ]


async def test_a_residual_holds_where_all_rows_are_wanted_and_where_they_are_asked_by_key() -> None:
    where, keys = Comparison("name", Operator.EQ, "n9"), tuple((n,) for n in range(0, 100, 3))
    by_key = ForEach(("number",), keys)
    expected = [n for n in range(PEOPLE) if n % 10 == 9 and n % 7]

    for wanted, numbers in (
        (Read("Person", ("number",), where, BY_NUMBER), expected),
        (
            Read("Person", ("number",), where, BY_NUMBER, for_each=by_key),
            [n for n in expected if n < 100 and n % 3 == 0],
        ),
    ):
        built = federation(able(operators={"number": EVERY}), able())
        rows = await built.read(wanted, [])
        assert [row[0] for row in rows.rows] == numbers
        assert reads(built) == [("people", None)]


async def test_a_residual_that_would_fetch_too_much_is_refused() -> None:
    built = federation(able(operators={"number": EVERY}), able(), scan_rows=300)

    with pytest.raises(TooComplex):
        await built.read(
            Read("Person", ("number",), Comparison("name", Operator.EQ, "no"), BY_NUMBER, 1), []
        )


async def test_few_keys_of_the_related_side_drive() -> None:
    built = federation(able(), able())

    rows = await built.read(Read("Person", ("number",), GOLD, BY_NUMBER), [])

    assert [row[0] for row in rows.rows] == list(range(0, PEOPLE, 100))
    assert reads(built) == [("people", None), ("cards", 1_001)]


async def test_rows_found_ask_the_related_side_where_it_cannot_be_listed() -> None:
    built = federation(able(), able(scan=False))

    rows = await built.read(Read("Person", ("number",), GOLD, BY_NUMBER, 2), [])

    assert [row[0] for row in rows.rows] == [0, 100]
    assert reads(built) == [("people", 200), ("cards", None)]


async def test_no_key_of_the_related_side_asks_nobody_further() -> None:
    built = federation(able(), able())

    rows = await built.read(
        Read("Person", ("number",), Exists("cards", Comparison("kind", Operator.EQ, "no"))), []
    )

    assert rows == Rows(("number",), ())
    assert reads(built) == [("cards", 1_001)]


async def test_keys_are_cut_into_batches_and_the_limit_counts_per_key() -> None:
    built = federation(able(), able(batch=100))
    keys = tuple((n,) for n in range(250))

    rows = await built.read(Read("Card", ("holder",), TRUE, (), 1, ForEach(("holder",), keys)), [])

    assert [row[0] for row in rows.rows] == list(range(0, 250, 2))
    assert reads(built) == [("cards", 1)] * 3


@pytest.mark.parametrize(
    "read",
    [
        Read("Person", ("number",), FALSE),
        Read("Person", ("number",), limit=0),
        Read("Card", ("holder",), for_each=ForEach(("holder",), ())),
        Read("Person", ("number",), all_of(GOLD, FALSE)),
    ],
)
async def test_a_question_that_nothing_can_answer_asks_nobody(read: Read) -> None:
    built = federation(able(), able())

    rows = await built.read(read, [])

    assert list(rows.rows) == []
    assert reads(built) == []


async def test_an_entity_that_is_asked_by_key_alone_is_not_listed() -> None:
    built = federation(able(), able(scan=False))

    with pytest.raises(TooComplex):
        await built.read(Read("Card", ("holder",)), [])
    some = await built.read(Read("Card", ("holder",), In("holder", (2, 3))), [])

    assert list(some.rows) == [(2,)]
    assert reads(built) == [("cards", None)]


async def test_a_source_that_is_not_trusted_to_filter_is_checked_again() -> None:
    class Ignoring(Claiming):
        async def read(self, read: Read) -> Rows:
            return await super().read(
                Read(read.entity, read.fields, TRUE, read.order_by, None, read.for_each)
            )

    people = MemorySource(
        "people", "人", {"Person": PERSON}, {"Person": [{"number": n} for n in range(9)]}
    )
    built = Federation(ENTITIES, [Ignoring(people, able(trusted=False))])

    rows = await built.read(
        Read("Person", ("number",), Comparison("number", Operator.GT, 6), BY_NUMBER, 1), []
    )

    assert list(rows.rows) == [(7,)]


@pytest.mark.parametrize("functions", [frozenset(Function), frozenset()])
async def test_a_count_is_the_same_whoever_counts(functions: frozenset[Function]) -> None:
    built = federation(able(functions=functions), able())
    count = (Measure("n", Function.COUNT),)

    plain = await built.aggregate(Aggregate("Person", count, IsNull("name")), [])
    joined = await built.aggregate(Aggregate("Person", count, GOLD), [])
    nothing = await built.aggregate(Aggregate("Person", count, FALSE), [])

    assert [list(rows.rows) for rows in (plain, joined, nothing)] == [[(143,)], [(10,)], [(0,)]]


async def test_counting_more_than_may_be_fetched_is_refused() -> None:
    built = federation(able(functions=frozenset()), able(), scan_rows=500)

    with pytest.raises(TooComplex):
        await built.aggregate(Aggregate("Person", (Measure("n", Function.COUNT),)), [])


async def test_a_failure_is_noted_and_passed_on() -> None:
    class Down(Claiming):
        async def read(self, read: Read) -> Rows:
            raise SourceUnavailable(self.name, self.title)

    people = MemorySource("people", "人", {"Person": PERSON}, {})
    built = Federation(ENTITIES, [Down(people, able())])
    calls: Calls = []

    with pytest.raises(SourceUnavailable):
        await built.read(Read("Person", ("number",)), calls)

    assert calls == [Call("people", "人", "Person", "UNAVAILABLE")]
