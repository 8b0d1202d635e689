"""What is opened of one person shows on that person's rows, and nowhere and to nobody else."""

import gc
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import _lru_cache_wrapper
from math import inf
from random import Random
from typing import Any

import orjson
import pytest

from auth.openings import Opening, Purpose
from auth.principal import Principal
from auth.throttle import Throttle
from contract.errors import Forbidden
from resolvers.case_purpose import REFUSED, CasePurpose
from resolvers.context import RequestContext
from resolvers.seal import Seal
from resolvers.spending import Spending
from schema.errors import formatted
from tests import world
from tests.graph import PRINCIPALS, SECRET, Graph
from tests.twins import graph_over, policy

CLERK = PRINCIPALS["clerk"]
OWN, OTHER, AWAY = 0, 1, 4  # in the clerk's township, another one there, and of another township
FIELDS = frozenset({"Resident.idNumber", "Resident.phone"})
CLEAR = frozenset(
    {str(row["idNumber"]) for row in world.RESIDENTS}
    | {str(row["phone"]) for row in world.RESIDENTS if row["phone"]}
)
NEEDS = {code: FIELDS | {"Case.contactPhone"} for code in ("320000030001", "320000030003")}


def opening(person: int, purpose: Purpose = Purpose.EMERGENCY, **more: Any) -> Opening:
    inside = purpose is Purpose.EMERGENCY
    return replace(Opening(world.id_number(person), purpose, 0, FIELDS, inf, inside=inside), **more)


def opened(*openings: Opening, principal: Principal = CLERK) -> Principal:
    return replace(principal, openings=openings)


async def answered(graph: Graph, principal: Principal, query: str, **variables: object) -> Any:
    context = RequestContext(
        principal,
        graph.gate,
        graph.identity,
        Seal(SECRET, "cursor"),
        principal.roles,
        spending=Spending(Throttle(), principal.account),
    )
    result = await graph.schema.execute(
        query, variable_values=dict(variables), context_value=context
    )
    errors = formatted(result.errors or (), "request")
    told = {"data": result.data, "errors": errors, "extensions": result.extensions}
    return orjson.loads(orjson.dumps(told))


def clear_values(answer: object) -> set[str]:
    text = orjson.dumps(answer).decode() if not isinstance(answer, str) else answer
    return {value for value in CLEAR if value in text}


def of(person: int) -> set[str]:
    row = world.RESIDENTS[person]
    return {str(value) for value in (row["idNumber"], row["phone"]) if value}


EVERYBODY = """{
  residents(first: 100) { nodes { name idNumber phone household { members { phone idNumber } } } }
}"""


async def test_an_opening_shows_its_fields_on_the_rows_of_its_person_alone() -> None:
    graph = graph_over(world.ROWS)

    before = await answered(graph, CLERK, EVERYBODY)
    during = await answered(graph, opened(opening(OWN)), EVERYBODY)
    after = await answered(graph, CLERK, EVERYBODY)

    assert clear_values(before) == set()
    assert clear_values(during) == of(OWN)
    assert after == before
    assert len(during["data"]["residents"]["nodes"]) == len(before["data"]["residents"]["nodes"])


BY_WHAT_IS_MASKED = (
    'residents(where: {phone: {startsWith: "199"}}) { nodes { address } totalCount }',
    "residents(orderBy: [{phone: ASC}]) { nodes { address } totalCount }",
    'residents(where: {not: {idNumber: {eq: "x"}}}) { nodes { address } totalCount }',
)


@pytest.mark.parametrize("asked", BY_WHAT_IS_MASKED)
async def test_what_is_opened_filters_and_sorts_the_rows_of_its_person_alone(asked: str) -> None:
    graph = graph_over(world.ROWS)

    refused = await answered(graph, CLERK, f"{{ {asked} }}")
    data = (await answered(graph, opened(opening(OWN)), f"{{ {asked} }}"))["data"]

    assert [error["extensions"]["code"] for error in refused["errors"]][:1] == ["FORBIDDEN"]
    assert data == {"residents": {"nodes": [{"address": "0号"}], "totalCount": 1}}


async def test_what_is_opened_of_one_person_is_no_filter_over_the_cases_of_others() -> None:
    query = '{ cases(where: {applicant: {phone: {startsWith: "199"}}}) { nodes { number } } }'

    data = (await answered(graph_over(world.ROWS), opened(opening(OWN)), query))["data"]

    assert [node["number"] for node in data["cases"]["nodes"]] == ["C00", "C01", "C02"]


async def test_an_emergency_opens_nobody_outside_the_rows_of_the_role() -> None:
    graph = graph_over(world.ROWS)

    with_it = await answered(graph, opened(opening(AWAY)), EVERYBODY)

    assert with_it == await answered(graph, CLERK, EVERYBODY)


async def test_at_the_window_one_person_of_another_township_is_seen_and_nobody_with_them() -> None:
    graph, principal = graph_over(world.ROWS), opened(opening(AWAY, Purpose.WINDOW))
    query = """query($number: String) {
      resident(idNumber: $number) {
        name phone idNumber household { number } cases { nodes { number } }
        medicalEnrollments { kind }
      }
    }"""

    unseen = await answered(graph, CLERK, query, number=world.id_number(AWAY))
    seen = await answered(graph, principal, query, number=world.id_number(AWAY))
    other = await answered(graph, principal, query, number=world.id_number(5))

    assert unseen["data"] == other["data"] == {"resident": None}
    assert seen["data"]["resident"] == {
        "name": "李四",
        "phone": "19900000004",
        "idNumber": world.id_number(AWAY),
        "household": None,
        "cases": {"nodes": [{"number": "C04"}]},
        "medicalEnrollments": [],
    }


async def test_an_opening_under_one_role_lends_nothing_to_another_one() -> None:
    two = PRINCIPALS["two"]  # a clerk here, a grid worker in a village of another township
    graph = graph_over(world.ROWS)

    seen = [
        clear_values(await answered(graph, opened(opening(7, held=held), principal=two), EVERYBODY))
        for held in (0, 1)
    ]

    assert seen == [set(), of(7)]


# Cases as purposes.


async def case_openings(
    graph: Graph, number: str, account: str = "clerk"
) -> tuple[tuple[Opening, ...] | str, Sequence[tuple[str, str]]]:
    before = len(graph.reads())
    purpose = CasePurpose(graph.gate, policy(), NEEDS)
    try:
        found = await purpose.openings(PRINCIPALS[account], number, [])
    except Forbidden as refusal:
        return refusal.message, graph.reads()[before:]
    return found, graph.reads()[before:]


async def test_a_live_case_opens_what_its_materials_need_of_its_applicant() -> None:
    handled = [{**row, "status": "ACCEPTED"} for row in world.CASES]
    graph = graph_over({**world.ROWS, "Case": handled})
    found, _ = await case_openings(graph, "C04")
    assert not isinstance(found, str)
    query = (
        "{ residents { nodes { name idNumber phone } } cases { nodes { number contactPhone } } }"
    )

    answer = await answered(graph, opened(*found), query)

    shown = [each for each in answer["data"]["residents"]["nodes"] if each["name"] is None]
    phones = {each["number"]: each["contactPhone"] for each in answer["data"]["cases"]["nodes"]}
    assert clear_values(answer) == of(AWAY)  # who is of another township: no name goes with it
    assert shown == [{"name": None, "idNumber": world.id_number(AWAY), "phone": "19900000004"}]
    assert [number for number, phone in phones.items() if phone and "*" not in phone] == ["C04"]


async def test_the_case_itself_is_opened_too_and_no_other_case_of_the_applicant() -> None:
    graph = graph_over(world.ROWS)
    found, _ = await case_openings(graph, "C01")
    assert not isinstance(found, str)

    answer = await answered(graph, opened(*found), "{ cases { nodes { number contactPhone } } }")

    phones = {each["number"]: each["contactPhone"] for each in answer["data"]["cases"]["nodes"]}
    assert [number for number, phone in phones.items() if phone and "*" not in phone] == ["C01"]


CLOSED = [{**row, "status": "CLOSED"} for row in world.CASES]
COMPANIES = [{**row, "applicantType": "COMPANY"} for row in world.CASES]
ENDED = [{**row, "closedAt": row["updatedAt"]} for row in world.CASES]
NAMELESS = [{**row, "applicantIdNumber": None} for row in world.CASES]


async def test_every_case_that_opens_nothing_is_refused_by_the_same_questions() -> None:
    refusals = [
        await case_openings(graph_over({**world.ROWS, "Case": cases}), number)
        for cases, number in (
            (world.CASES, "C99"),
            (world.CASES, "C07"),
            (CLOSED, "C01"),
            (ENDED, "C01"),
            (COMPANIES, "C01"),
            (NAMELESS, "C01"),
        )
    ]

    assert refusals == [(REFUSED, [("service_platform", "Case")])] * 6


async def test_a_case_opens_what_is_needed_and_revealed_under_the_role_that_sees_it() -> None:
    graph = graph_over(world.ROWS)
    asked = FIELDS | {"Resident.name"}
    found = []
    for needs in (asked, FIELDS - {"Resident.phone"}):
        purpose = CasePurpose(graph.gate, policy(), {"320000030003": needs})
        principal = replace(CLERK, roles=CLERK.roles * 2, scopes=(world.BENNIU, world.XIBEI))
        opened_by = await purpose.openings(principal, "C01", [])
        found.append({(each.held, each.fields) for each in opened_by})

    assert found == [{(1, FIELDS)}, {(1, FIELDS - {"Resident.phone"})}]


async def test_a_role_without_cases_or_without_a_ceiling_is_opened_nothing_by_any() -> None:
    graph = graph_over(world.ROWS)

    assert [await case_openings(graph, "C01", account) for account in ("grid", "auditor")] == [
        (REFUSED, [])
    ] * 2


# The property: without a grant no clear value appears anywhere.

ASKERS = ("clerk", "neighbour", "grid", "county", "city", "officer", "auditor", "both", "two")
LISTED = """
query($where: %sWhere, $order: [%sOrder!], $first: Int) {
  list: %s(where: $where, orderBy: $order, first: $first) {
    totalCount pageInfo { endCursor } nodes { id %s _provenance { field conflicts { value } } }
  }
}
"""
SHOWN = {
    "Resident": "name idNumber phone cases { nodes { contactPhone applicantIdNumber } }"
    " household { headIdNumber members { idNumber phone } } medicalEnrollments { idNumber }",
    "Household": "headIdNumber head { idNumber phone } members { phone }",
    "Case": "applicantIdNumber contactPhone applicant { idNumber phone } events { note }",
}
ROOTS = {"Resident": "residents", "Household": "households", "Case": "cases"}
FILTERS: Mapping[str, Sequence[Any]] = {
    "Resident": (
        {},
        {"phone": {"startsWith": "199"}},
        {"idNumber": {"gt": "9"}},
        {"or": [{"sex": {"eq": "MALE"}}, {"phone": {"isNull": False}}]},
        {"cases": {"contactPhone": {"startsWith": "1"}}},
        {"medicalEnrollments": {}},
    ),
    "Household": ({}, {"head": {"phone": {"gt": "1"}}}, {"members": {"idNumber": {"gt": "9"}}}),
    "Case": ({}, {"contactPhone": {"gt": "1"}}, {"applicant": {"idNumber": {"lt": "Z"}}}),
}
ORDERS: Mapping[str, Sequence[Any]] = {
    "Resident": ([], [{"phone": "DESC"}], [{"idNumber": "ASC"}], [{"name": "ASC"}]),
    "Household": ([], [{"headIdNumber": "ASC"}]),
    "Case": ([], [{"contactPhone": "ASC"}], [{"applicant": {"phone": "ASC"}}]),
}


def drawn_question(chance: Random) -> dict[str, Any]:
    entity = chance.choice(sorted(ROOTS))
    return {
        "query": LISTED % (entity, entity, ROOTS[entity], SHOWN[entity]),
        "where": chance.choice(FILTERS[entity]),
        "order": chance.choice(ORDERS[entity]),
        "first": chance.choice((1, 5, 20)),
    }


def in_caches(values: set[str]) -> list[str]:
    """Return what of the values stands in a cache of ours."""
    ours = ("auth.", "resolvers.", "sources.", "schema.", "gateway.", "web.", "execution.")
    caches = [
        each
        for each in gc.get_objects()
        if isinstance(each, _lru_cache_wrapper) and (each.__module__ or "").startswith(ours)
    ]
    held = "".join(repr(gc.get_referents(cache)) for cache in caches)
    return [value for value in values if value in held]


@pytest.mark.parametrize("part", range(2))
async def test_no_clear_value_is_anywhere_but_of_the_person_who_is_opened(
    part: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "")
    seen = 0
    for seed in range(part, 200, 2):
        chance = Random(seed)
        account = chance.choice(ASKERS)
        graph = graph_over(world.ROWS, seed if seed % 3 else None, shared=seed % 4 == 0)
        question = drawn_question(chance)
        if seed % 4 == 0:  # other systems say other numbers of the same person in that world
            question["query"] = question["query"].replace(
                "_provenance { field conflicts { value } }", ""
            )
        principal = PRINCIPALS[account]
        person = chance.randrange(len(world.RESIDENTS))
        purpose = chance.choice((Purpose.EMERGENCY, Purpose.WINDOW))
        given = (
            opened(opening(person, purpose), principal=principal) if principal.roles else principal
        )

        closed = await answered(graph, principal, **question)
        during = await answered(graph, given, **question)
        after = await answered(graph, principal, **question)

        shown = clear_values(during)
        assert clear_values(closed) == set(), (seed, account)
        assert shown <= of(person), (seed, account)
        assert after == closed
        assert "VALIDATION" not in str(closed)
        seen += bool(shown)
    assert seen >= 5
    assert clear_values(caplog.text) == set()
    assert in_caches(set(CLEAR)) == []


def test_an_opening_says_nothing_of_its_person_where_it_is_printed() -> None:
    text = repr(opened(opening(OWN, basis="家属来电")))

    assert clear_values(text) == set()
    assert "家属" not in text


def test_every_field_that_may_be_revealed_is_one_that_a_mask_or_the_policy_hides() -> None:
    graph = graph_over(world.ROWS)
    ceilings: Mapping[str, set[str]] = {
        name: set().union(*role.reveal.values()) for name, role in policy().roles.items()
    }

    for name, fields in ceilings.items():
        for field in fields:
            entity, _, own = field.partition(".")
            assert own in graph.entities[entity].fields
            assert policy().roles[name].fields.get(field, "hidden") != "shown"
    assert ceilings["auditor"] == ceilings["statistician"] == set()
