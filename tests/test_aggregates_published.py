from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from random import Random
from typing import Any

import orjson
import pytest

from auth.principal import Principal
from auth.reading import Reading
from resolvers.context import RequestContext
from schema.errors import formatted
from tests import world
from tests.drawn import ROOTS
from tests.drawn import where as drawn_filter
from tests.filters import OPENED
from tests.graph import Graph
from tests.resolvers.attack import possible
from tests.schema.test_shared import graph_with
from tests.twins import graph_over
from tests.world import Row

Leaf = tuple[str, str]

THRESHOLD = 5
TOWNSHIPS = ("320205106", "320205001", "320205002", "320206001", "320206002")
STATISTICIANS = {
    "city": Principal("s", ("statistician",), ("3202",)),
    "county": Principal("s", ("statistician",), ("320205",)),
    "also clerk": Principal("s", ("statistician", "township_clerk"), ("3202", TOWNSHIPS[0])),
}
LEVELS = {2: "PROVINCE", 4: "CITY", 6: "COUNTY", 9: "TOWNSHIP"}
ASKED = """
query($where: %sWhere, $by: [%sGroupBy!]) {
  aggregate { answer: %s(where: $where, groupBy: $by) {
    groups { keys { value } count suppressed } total { count suppressed }
  } }
}
"""


def of(graph: Graph, who: Principal) -> RequestContext:
    return replace(graph.context("nobody"), principal=who)


async def told(graph: Graph, who: Principal, query: str, **variables: object) -> Any:
    result = await graph.schema.execute(
        query, variable_values=dict(variables), context_value=of(graph, who)
    )
    errors = formatted(result.errors or (), "request")
    return orjson.loads(orjson.dumps({"data": result.data, "errors": errors}))


def residents_of(numbers: Mapping[Leaf, int]) -> list[Row]:
    places = [leaf for leaf, number in numbers.items() for _ in range(number)]
    return [
        world.person(serial, "某", township, sex=sex, registeredDivision=world.OUTSIDE)
        for serial, (township, sex) in enumerate(places)
    ]


def drawn_numbers(chance: Random) -> dict[Leaf, int]:
    typical = chance.choice((4, 8, 20))
    leaves = product(TOWNSHIPS, ("MALE", "FEMALE"))
    return {leaf: int(chance.expovariate(1 / typical)) for leaf in leaves}


def graph_of(numbers: Mapping[Leaf, int], **more: Sequence[Row]) -> Graph:
    return graph_over({**world.ROWS, "Resident": residents_of(numbers), **more})


def groupings() -> Iterator[tuple[int, bool]]:
    """Yield digits of the division (0 for none), and whether by sex."""
    yield from product((0, 4, 6, 9), (False, True))


def filters() -> Iterator[tuple[dict[str, Any], tuple[str, ...], tuple[str, ...]]]:
    """Yield a filter with the prefixes of divisions and the sexes that it leaves."""
    sexes: Sequence[tuple[dict[str, Any], tuple[str, ...]]] = (
        ({}, ("MALE", "FEMALE")),
        ({"sex": {"eq": "MALE"}}, ("MALE",)),
        ({"sex": {"in": ["MALE", "FEMALE"]}}, ("MALE", "FEMALE")),
    )
    for code in ("", "320205", "320206", *TOWNSHIPS[:2]):
        place = {"residenceDivision": {"within": code}} if code else {}
        for sex, left in sexes:
            yield {**place, **sex}, (code,), left


async def published_by(graph: Graph, who: Principal, numbers: Mapping[Leaf, int]) -> Any:
    """Return all that can be asked for, by the leaf cells it is about, each as it must be."""
    found: dict[frozenset[Leaf], int] = {}
    nulls: set[frozenset[Leaf]] = set()
    scope = who.scopes[0]
    for (digits, by_sex), (where, prefixes, sexes) in product(groupings(), filters()):
        by: list[dict[str, str]] = [{"field": "SEX"}] * by_sex
        if digits:
            by.append({"field": "RESIDENCE_DIVISION", "level": LEVELS[digits]})
        answer = await told(
            graph, who, ASKED % ("Resident", "Resident", "residents"), where=where, by=by
        )
        assert answer["errors"] == []
        meant = [
            (place, sex)
            for (place, sex), number in numbers.items()
            if number and place.startswith((*prefixes,)) and place.startswith(scope)
            if sex in sexes
        ]
        table = answer["data"]["aggregate"]["answer"]
        cells = [(group, _of_group(group, meant, by_sex)) for group in table["groups"]]
        assert sum(len(leaves) for _, leaves in cells) == (len(meant) if by else 0)
        for group, leaves in (*cells, (table["total"], frozenset(meant))):
            rows = sum(numbers[leaf] for leaf in leaves)
            assert group["count"] in (rows, None)
            assert group["suppressed"] is (group["count"] is None)
            if group["count"] is None:
                nulls.add(leaves)
            else:
                found[leaves] = rows
    return found, nulls


def _of_group(group: Any, meant: Sequence[Leaf], by_sex: bool) -> frozenset[Leaf]:
    values = [key["value"] for key in group["keys"]]
    sex = values[0] if by_sex else ""
    place = values[-1] if len(values) > by_sex else ""
    return frozenset(
        leaf for leaf in meant if leaf[1] == (sex or leaf[1]) and leaf[0].startswith(place)
    )


@pytest.mark.parametrize("scope", ["city", "county"])
@pytest.mark.parametrize("seed", range(3))
async def test_from_all_answers_together_no_small_cell_can_be_worked_out(
    scope: str, seed: int
) -> None:
    assert await _attacked(scope, seed) > 2


@pytest.mark.deep
@pytest.mark.parametrize("scope", ["city", "county"])
async def test_from_all_answers_together_no_small_cell_can_be_worked_out_in_many_worlds(
    scope: str,
) -> None:
    published = [await _attacked(scope, seed) for seed in range(100, 160)]

    assert sum(published) > 3 * len(published)


async def _attacked(scope: str, seed: int) -> int:
    numbers = drawn_numbers(Random(seed))
    who = STATISTICIANS[scope]
    published, nulls = await published_by(graph_of(numbers), who, numbers)

    leaves = [
        leaf for leaf, number in numbers.items() if number and leaf[0].startswith(who.scopes[0])
    ]
    small = {cell for cell in nulls if sum(numbers[leaf] for leaf in cell) < THRESHOLD}
    assert not any(0 < rows < THRESHOLD for rows in published.values())
    for cell in small:
        rows = sum(numbers[leaf] for leaf in cell)
        assert possible(published, leaves, cell, rows + THRESHOLD), (seed, cell)
    return len(published)


async def test_rows_out_of_scope_change_no_byte_of_what_is_published() -> None:
    seen = 0
    for seed in range(12):
        chance = Random(seed)
        numbers = drawn_numbers(chance)
        changed = {
            leaf: number if leaf[0].startswith("320205") else chance.randrange(40)
            for leaf, number in numbers.items()
        }
        twins = graph_of(numbers), graph_of(changed)
        (digits, by_sex), (where, _, _) = chance.choice([*product(groupings(), filters())])
        by: list[dict[str, str]] = [{"field": "SEX"}] * by_sex
        if digits:
            by.append({"field": "RESIDENCE_DIVISION", "level": LEVELS[digits]})
        query = ASKED % ("Resident", "Resident", "residents")
        one, other = [
            await told(twin, STATISTICIANS["county"], query, where=where, by=by) for twin in twins
        ]
        control = [await told(twin, STATISTICIANS["city"], query, by=by) for twin in twins]

        assert one == other, seed
        assert one["errors"] == []
        seen += control[0] != control[1]
    assert seen > 6


REFUSED = (
    "residents { total { min(field: BIRTH_DATE) } }",
    "residents { total { max(field: NAME) } }",
    "residents { total { countDistinct(field: HOUSEHOLD_NUMBER) } }",
    "households { total { sum(field: SIZE) min(field: SIZE) } }",
    "residents(groupBy: [{field: NATION}]) { groups { count } }",
    "residents(groupBy: [{field: VILLAGE}]) { groups { count } }",
    "residents(groupBy: [{field: RESIDENCE_DIVISION}]) { groups { count } }",
    "residents(groupBy: [{field: RESIDENCE_DIVISION, level: VILLAGE}]) { groups { count } }",
    "residents(groupBy: [{field: BIRTH_DATE, level: YEAR}]) { groups { count } }",
    'residents(where: {residenceDivision: {within: "320205106001"}}) { total { count } }',
    'residents(where: {residenceDivision: {within: "32020510"}}) { total { count } }',
    'residents(where: {residenceDivision: {eq: "320205106"}}) { total { count } }',
    'residents(where: {registeredDivision: {within: "320205"}}) { total { count } }',
    "residents(where: {sex: {ne: MALE}}) { total { count } }",
    "residents(where: {sex: {notIn: [MALE]}}) { total { count } }",
    "residents(where: {sex: {isNull: true}}) { total { count } }",
    "residents(where: {not: {sex: {eq: MALE}}}) { total { count } }",
    "residents(where: {or: [{sex: {eq: MALE}}]}) { total { count } }",
    'residents(where: {name: {eq: "某"}}) { total { count } }',
    'residents(where: {idNumber: {eq: "99999919800101000X"}}) { total { count } }',
    'residents(where: {birthDate: {lt: "1950-01-01"}}) { total { count } }',
    "residents(where: {cases: {}}) { total { count } }",
    "cases(where: {applicant: {sex: {eq: MALE}}}) { total { count } }",
    'cases(where: {handler: {eq: "经办甲"}}) { total { count } }',
    "cases(groupBy: [{field: APPLIED_AT, level: YEAR}]) { groups { count } }",
)


@pytest.mark.parametrize("asked", REFUSED)
async def test_what_is_no_cell_of_the_table_is_refused_and_nobody_is_asked(asked: str) -> None:
    graph = graph_of(drawn_numbers(Random(1)))

    answer = await told(graph, STATISTICIANS["city"], f"{{ aggregate {{ answer: {asked} }} }}")

    assert [each["extensions"]["code"] for each in answer["errors"]] == ["FORBIDDEN"]
    assert answer["data"] == {"aggregate": {"answer": None}}
    assert graph.reads() == []


@pytest.mark.parametrize("root", ROOTS.values())
async def test_who_may_count_rows_lists_none_of_them_and_nobody_is_asked(root: str) -> None:
    graph = graph_of(drawn_numbers(Random(1)))
    query = f"{{ {root}(where: {{}}) {{ totalCount nodes {{ id }} }} }}"

    answer = await told(graph, STATISTICIANS["city"], query)

    assert answer == {"data": {root: {"totalCount": 0, "nodes": []}}, "errors": []}
    assert graph.reads() == []


async def test_who_may_count_rows_finds_no_person_by_number_or_id() -> None:
    graph = graph_of(drawn_numbers(Random(1)))
    listed = await graph.data("province", "{ residents(first: 1) { nodes { id } } }")
    graph.sources["population"].reads.clear()
    query = """query($n: String, $id: ID!) {
      resident(idNumber: $n) { name } node(id: $id) { id }
      divisions(where: {code: {eq: "320205106"}}) { nodes { residents { totalCount } } }
    }"""
    person = listed["residents"]["nodes"][0]["id"]

    answer = await told(graph, STATISTICIANS["city"], query, n=world.id_number(0), id=person)

    places = {"nodes": [{"residents": {"totalCount": 0}}]}
    assert answer["data"] == {"resident": None, "node": None, "divisions": places}
    assert [name for name, _ in graph.reads() if name != "divisions"] == []


async def test_a_grant_to_count_opens_no_row_and_no_filter_to_another_role() -> None:
    both = STATISTICIANS["also clerk"]
    clerk = replace(both, roles=both.roles[1:], scopes=both.scopes[1:])
    asked = 0
    for seed in range(60):
        chance = Random(seed)
        entity = chance.choice(sorted(set(ROOTS) & OPENED["clerk"]))
        listed = f"list: {ROOTS[entity]}(where: $where) {{ totalCount }}"
        query = f"query($where: {entity}Where) {{ {listed} }}"
        where = drawn_filter(chance, entity)
        graphs = graph_over(world.ROWS), graph_over(world.ROWS)
        one = await told(graphs[0], both, query, where=where)
        other = await told(graphs[1], clerk, query, where=where)

        assert one == other, (seed, where)
        assert graphs[0].reads() == graphs[1].reads()
        asked += bool(graphs[0].reads())
    assert asked > 30


async def test_rows_that_are_seen_are_counted_without_suppression() -> None:
    numbers = {(TOWNSHIPS[0], "MALE"): 2, (TOWNSHIPS[1], "MALE"): 30, (TOWNSHIPS[2], "MALE"): 20}
    graph, who = graph_of(numbers), STATISTICIANS["also clerk"]
    query = """query($code: DivisionCode!) { aggregate { residents(
      where: {residenceDivision: {within: $code}}, groupBy: [{field: BIRTH_DATE, level: YEAR}]
    ) { total { count suppressed } } } }"""

    own = await told(graph, who, query, code=TOWNSHIPS[0])
    others = await told(graph, who, query, code="320205")

    assert own["data"]["aggregate"]["residents"]["total"] == {"count": 2, "suppressed": False}
    assert others["data"]["aggregate"]["residents"] is None
    assert [each["extensions"]["code"] for each in others["errors"]] == ["FORBIDDEN"]


@pytest.mark.parametrize(
    ("who", "counts"),
    [("city", [None, None, 40]), ("also clerk", [30, None, None])],
)
async def test_what_somebody_sees_anyway_protects_nobody_from_them(
    who: str, counts: list[int | None]
) -> None:
    numbers = {(TOWNSHIPS[0], "MALE"): 30, (TOWNSHIPS[1], "MALE"): 2, (TOWNSHIPS[2], "MALE"): 40}
    query = """{ aggregate { residents(groupBy: [{field: RESIDENCE_DIVISION, level: TOWNSHIP}]) {
      groups { keys { value } count } total { count }
    } } }"""

    answer = await told(graph_of(numbers), STATISTICIANS[who], query)

    table = answer["data"]["aggregate"]["residents"]
    found = {group["keys"][0]["value"]: group["count"] for group in table["groups"]}
    assert [found[township] for township in TOWNSHIPS[:3]] == counts
    assert table["total"] == {"count": 72}


async def test_cases_are_suppressed_by_the_people_who_applied() -> None:
    # Seven cases of one person, six of six people, nine of nine others.
    applicants = (*[0] * 7, *range(1, 7), *range(7, 16))
    counties = ("320205106", "320206001", "320211001")
    places = (*[counties[0]] * 7, *[counties[1]] * 6, *[counties[2]] * 9)
    people = residents_of({(TOWNSHIPS[0], "MALE"): 20})
    cases = [
        world.case(serial, 0, place, department="民政", applicantIdNumber=people[who]["idNumber"])
        for serial, (who, place) in enumerate(zip(applicants, places, strict=True))
    ]
    graph = graph_over({**world.ROWS, "Resident": people, "Case": cases})
    query = """{ aggregate { cases(
      groupBy: [{field: ACCEPTING_DIVISION, level: COUNTY}]
    ) { groups { count suppressed } total { count suppressed } } } }"""

    answer = await told(graph, STATISTICIANS["city"], query)

    table = answer["data"]["aggregate"]["cases"]
    assert [group["count"] for group in table["groups"]] == [None, None, 9]
    assert table["total"] == {"count": 22, "suppressed": False}


async def test_sums_and_averages_are_suppressed_with_the_numbers_behind_them() -> None:
    sizes = {TOWNSHIPS[0]: [3] * 2, TOWNSHIPS[1]: [2] * 8, TOWNSHIPS[2]: [4] * 10}
    households = [
        {
            **world.HOUSEHOLDS[0],
            "number": f"{place}{at}",
            "division": place,
            "size": size,
            "headIdNumber": f"{place}{at}",
        }
        for place, several in sizes.items()
        for at, size in enumerate(several)
    ]
    graph = graph_over({**world.ROWS, "Household": households})
    query = """{ aggregate { households(groupBy: [{field: DIVISION, level: TOWNSHIP}]) {
      groups { keys { value } count sum(field: SIZE) avg(field: SIZE) suppressed }
      total { count sum(field: SIZE) }
    } } }"""

    answer = await told(graph, STATISTICIANS["city"], query)

    table = answer["data"]["aggregate"]["households"]
    hidden = {"count": None, "sum": None, "avg": None, "suppressed": True}
    assert {group["keys"][0]["value"]: group for group in table["groups"]} == {
        TOWNSHIPS[0]: {"keys": [{"value": TOWNSHIPS[0]}], **hidden},
        TOWNSHIPS[1]: {"keys": [{"value": TOWNSHIPS[1]}], **hidden},
        TOWNSHIPS[2]: {
            "keys": [{"value": TOWNSHIPS[2]}],
            "count": 10,
            "sum": "40",
            "avg": "4",
            "suppressed": False,
        },
    }
    assert table["total"] == {"count": 20, "sum": "62"}


async def test_what_is_about_nobody_is_not_suppressed() -> None:
    by = "groupBy: [{field: DIVISION, level: TOWNSHIP}]"
    query = f"{{ aggregate {{ enterprises({by}) {{ groups {{ count }} }} }} }}"
    who = Principal("s", ("statistician",), ("32",))

    answer = await told(graph_over(world.ROWS), who, query)

    assert answer["data"]["aggregate"]["enterprises"]["groups"] == [{"count": 1}, {"count": 1}]


async def test_a_table_of_which_a_system_lacks_is_none_however_it_is_asked_for() -> None:
    query = "{ aggregate { cases(partial: true) { total { count } } } }"

    answer = await told(graph_with("civil_affairs"), STATISTICIANS["city"], query)

    assert answer["data"] == {"aggregate": {"cases": None}}
    assert [each["extensions"]["code"] for each in answer["errors"]] == ["SOURCE_UNAVAILABLE"]


async def test_what_is_asked_of_systems_is_the_same_whatever_is_asked_for() -> None:
    asked = []
    for where in ("{}", '{sex: {eq: MALE}, residenceDivision: {within: "320205001"}}'):
        graph = graph_of(drawn_numbers(Random(2)))
        query = f"{{ aggregate {{ residents(where: {where}) {{ total {{ count }} }} }} }}"
        await told(graph, STATISTICIANS["city"], query)
        asked.append(graph.sources["population"].reads)

    assert asked[0] == asked[1] != []


async def test_the_ledger_is_told_what_was_named_and_of_nobody() -> None:
    graph = graph_of(drawn_numbers(Random(2)))
    query = "{ aggregate { residents(groupBy: [{field: SEX}]) { groups { count } } } }"
    context = of(graph, STATISTICIANS["city"])

    await graph.schema.execute(query, context_value=context)

    assert [_noted(reading) for reading in context.readings] == [
        ("Resident", ["Resident.sex"], [], 0)
    ]


def _noted(reading: Reading) -> tuple[str, list[str], list[object], int]:
    return reading.entity.name, sorted(reading.named()), list(reading.subjects), reading.rows
