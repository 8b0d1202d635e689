"""Look-ups and people shown, against the quota of the account."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import orjson

from auth.quota import LOOKUPS, NO_QUOTA, PEOPLE, Quota
from auth.throttle import Throttle
from contract.errors import RateLimited
from resolvers.context import RequestContext
from resolvers.seal import Seal
from resolvers.spending import Spending
from schema.errors import formatted
from tests import world
from tests.graph import PRINCIPALS, SECRET, Graph, build_graph

REFUSED = {
    "message": "按证件号码等查找的次数已达上限,请65秒后再试。",
    "extensions": {"code": "RATE_LIMITED", "retryAfterSeconds": 65},
}
TEN: Quota = {LOOKUPS: {60: 10}}
ABSENT = "999999198001019991"


@dataclass
class Town:
    """A graph whose accounts have quotas, at a time that the test sets."""

    quota: Quota
    graph: Graph = field(default_factory=build_graph)
    now: float = 1_000_000.0
    throttle: Throttle = field(init=False)

    def __post_init__(self) -> None:
        self.throttle = Throttle(lambda: self.now)

    async def ask(self, query: str, account: str = "clerk", **variables: object) -> "Told":
        spending = Spending(self.throttle, account, self.quota)
        context = RequestContext(
            PRINCIPALS[account],
            self.graph.gate,
            self.graph.identity,
            Seal(SECRET, "cursor"),
            spending=spending,
        )
        asked = len(self.graph.reads())
        result = await self.graph.schema.execute(
            query, variable_values=variables, context_value=context
        )
        errors = formatted(result.errors or (), "request")
        answer = {"data": result.data, "errors": errors, "extensions": result.extensions}
        return Told(orjson.dumps(answer), context, self.graph.reads()[asked:])

    def left(self, account: str = "clerk") -> int:
        """Spend all that is left of the look-ups; return how many that were."""
        spending, found = Spending(self.throttle, account, self.quota), 0
        with suppress(RateLimited):
            while True:
                spending.look_up()
                found += 1
        return found


@dataclass(frozen=True)
class Told:
    bytes: bytes
    context: RequestContext
    reads: Sequence[tuple[str, str]]

    @property
    def data(self) -> Any:
        return orjson.loads(self.bytes)["data"]

    @property
    def errors(self) -> list[tuple[str, list[str | int]]]:
        found = orjson.loads(self.bytes)["errors"]
        return [(error["extensions"]["code"], error["path"]) for error in found]


def aliases(numbers: Sequence[str]) -> str:
    asked = (
        f'a{place:02}: resident(idNumber: "{number}") {{ name }}'
        for place, number in enumerate(numbers)
    )
    return f"{{ {' '.join(asked)} }}"


async def test_each_alias_is_a_look_up_and_those_beyond_the_quota_ask_no_source() -> None:
    town = Town(TEN)

    told = await town.ask(aliases([world.id_number(3)] * 50))

    answered = [name for name, person in told.data.items() if person == {"name": "𠮷三"}]
    assert answered == [f"a{place:02}" for place in range(10)]
    assert told.errors == [("RATE_LIMITED", [f"a{place:02}"]) for place in range(10, 50)]
    assert len(told.reads) == 10
    first = orjson.loads(told.bytes)["errors"][0]
    assert {name: first[name] for name in REFUSED} == REFUSED


async def test_a_refused_look_up_is_noted_for_the_ledger_with_the_field_it_named() -> None:
    town = Town(TEN)
    town.left()

    told = await town.ask(aliases([world.id_number(3)]))

    (reading,) = told.context.readings
    assert (set(reading.named()), reading.rows, reading.grants) == ({"Resident.idNumber"}, 0, ())
    assert (told.data, told.reads, told.context.calls) == ({"a00": None}, [], [])


async def test_someone_there_elsewhere_or_nowhere_is_answered_and_counted_alike() -> None:
    """Up to the limit, at it and beyond it: the same bytes, the same questions to sources."""
    elsewhere, towns = world.id_number(0), (Town(TEN), Town(TEN))
    for times in (1, 8, 3, 1, 50):
        found = [
            await town.ask(aliases([number] * times), "neighbour")
            for town, number in zip(towns, (elsewhere, ABSENT), strict=True)
        ]
        assert found[0].bytes == found[1].bytes
        assert found[0].reads == found[1].reads
        assert found[0].context.calls == found[1].context.calls

    there, nowhere = Town(TEN), Town(TEN)
    for _ in range(12):
        one = await there.ask(aliases([world.id_number(3)]))
        other = await nowhere.ask(aliases([ABSENT]))
        assert (one.errors, one.reads) == (other.errors, other.reads)
    assert (there.left(), nowhere.left()) == (0, 0)


async def test_what_one_account_looks_up_is_nothing_to_another() -> None:
    town = Town(TEN)
    await town.ask(aliases([world.id_number(3)] * 50))

    told = await town.ask(aliases([ABSENT] * 10), "neighbour")

    assert (told.errors, town.left("neighbour"), town.left("county")) == ([], 0, 10)


async def test_who_tries_ten_thousand_numbers_is_answered_as_often_as_the_quota_says() -> None:
    town = Town({LOOKUPS: {60: 60, 86_400: 600}})
    numbers = [f"3202051980010{place:05}" for place in range(10_000)]
    answered = 0
    for start in range(0, len(numbers), 50):
        told = await town.ask(aliases(numbers[start : start + 50]))
        assert len(told.reads) == 50 - len(told.errors)
        answered += len(told.reads)
        town.now += 200  # an attack that lasts eleven hours

    assert answered == 600
    assert town.throttle.refused == {LOOKUPS: 9_400}


async def test_at_once_no_more_than_a_minutes_look_ups_are_answered() -> None:
    town = Town({LOOKUPS: {60: 60, 86_400: 600}})

    told = [await town.ask(aliases([ABSENT] * 50)) for _ in range(20)]

    assert [len(each.reads) for each in told] == [50, 10, *([0] * 18)]


async def test_a_list_of_one_number_with_its_total_is_one_look_up() -> None:
    town = Town(TEN)
    query = "query($n: String!) { residents(where: {idNumber: {eq: $n}}) { %s } }"

    both = await town.ask(query % "totalCount nodes { name }", n=world.id_number(3))
    pages = await town.ask(query % "edges { node { name } } pageInfo { hasNextPage }", n=ABSENT)

    assert (both.errors, pages.errors, town.left()) == ([], [], 8)


async def test_a_pair_of_numbers_is_two_look_ups_and_a_look_up_within_a_household_is_one() -> None:
    town = Town(TEN)
    number = world.id_number(3)

    await town.ask(
        "query($n: String!) { residents(where: {idNumber: {eq: $n}, phone: {eq: $n}}) "
        "{ nodes { name } } }",
        n=number,
    )
    await town.ask(
        "query($n: String!) { households { nodes { members(where: {idNumber: {eq: $n}}) "
        "{ name } } } }",
        n=number,
    )

    assert town.left() == 7


async def test_an_id_a_list_a_refused_filter_and_a_clear_field_are_no_look_ups() -> None:
    town = Town(TEN)
    found = await town.ask("{ residents(first: 1) { nodes { id } } }")
    node = found.data["residents"]["nodes"][0]["id"]
    ids = " ".join(f'a{place}: node(id: "{node}") {{ id }}' for place in range(20))

    told = await town.ask(f"{{ {ids} }}")
    clear = await town.ask('{ residents(where: {name: {eq: "𠮷三"}}) { nodes { name } } }')
    many = await town.ask('{ residents(where: {idNumber: {in: ["1", "2"]}}) { nodes { name } } }')
    either = await town.ask(
        '{ residents(where: {or: [{idNumber: {eq: "1"}}, {idNumber: {eq: "2"}}]}) { totalCount } }'
    )

    assert (told.errors, clear.errors, len(told.data)) == ([], [], 20)
    assert many.errors == [("FORBIDDEN", ["residents"])]
    assert either.errors == [("FORBIDDEN", ["residents", "totalCount"])]
    assert (many.reads, either.reads, town.left()) == ([], [], 10)


async def test_who_sees_no_row_looks_nobody_up_and_asks_no_source() -> None:
    town = Town(TEN)

    told = await town.ask(aliases([world.id_number(3)] * 20), "auditor")

    assert (told.errors, told.reads, town.left("auditor")) == ([], [], 10)


async def test_people_are_refused_when_enough_were_shown_and_open_data_are_not() -> None:
    town = Town({PEOPLE: {86_400: 5}})
    everybody = "{ residents { nodes { name cases { nodes { number } } } } }"

    first = await town.ask(everybody)
    second = await town.ask("{ residents { nodes { name } totalCount } matters { totalCount } }")
    other = await town.ask("{ residents(first: 1) { nodes { name } } }", "county")
    town.now += 94_000
    later = await town.ask("{ residents(first: 1) { nodes { name } } }")

    assert (first.errors, len(first.data["residents"]["nodes"]) > 5) == ([], True)
    assert second.errors == [("RATE_LIMITED", ["residents"])]
    assert second.data["matters"]["totalCount"] > 0
    assert ("population", "Resident") not in second.reads
    assert (other.errors, later.errors) == ([], [])


async def test_a_person_who_is_shown_in_many_places_of_one_answer_counts_once() -> None:
    town = Town({PEOPLE: {86_400: 2}})
    query = "{ residents(first: 1) { nodes { name cases { nodes { number } } } } }"

    told = [await town.ask(query) for _ in range(3)]

    assert [each.errors for each in told] == [[], [], [("RATE_LIMITED", ["residents"])]]


async def test_a_count_shows_nobody() -> None:
    town = Town({PEOPLE: {86_400: 1}})
    for _ in range(3):
        told = await town.ask("{ residents { totalCount } }")
        assert told.errors == []


async def test_whoever_was_given_no_quota_to_spend_from_looks_nobody_up() -> None:
    graph = build_graph()
    context = RequestContext(
        PRINCIPALS["clerk"], graph.gate, graph.identity, Seal(SECRET, "cursor")
    )
    query = f'{{ resident(idNumber: "{world.id_number(3)}") {{ name }} }}'

    result = await graph.schema.execute(query, context_value=context)
    free = await Town(NO_QUOTA).ask(query)

    assert (result.data, graph.reads()) == ({"resident": None}, [])
    assert free.data == {"resident": {"name": "𠮷三"}}
