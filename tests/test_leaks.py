from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from auth.policy_file import load_policy
from auth.principal import Principal
from auth.throttle import Throttle
from contract.predicate import INVALID, Operator
from resolvers.context import RequestContext
from resolvers.gate import Gate
from resolvers.scoping import unasked_scopes
from resolvers.seal import Seal
from resolvers.spending import Spending
from sources.federation import Federation
from sources.memory import MemorySource
from tests import drawn, world
from tests.graph import ROOT, SECRET, Graph, Recording
from tests.oracle import CLEAR
from tests.twins import answered, changed_beneath_masks, changed_outside, graph_over, policy

TWINS = 90
ASKERS = ("clerk", "neighbour", "grid", "county", "city", "officer", "auditor", "both", "two")
DEEP = {
    "Resident": """
        idNumber phone household { number headIdNumber head { name } members { name phone } }
        cases { totalCount nodes { number contactPhone applicant { name } events { note } } }
        _provenance { field source conflicts { value } }
        medicalEnrollments { kind } livesIn { residents { totalCount } }
    """,
    "Household": "headIdNumber head { name idNumber } members { name cases { totalCount } }",
    "Case": """
        _provenance { field source asOf conflicts { source value } }
        applicantIdNumber contactPhone events { note } matter { cases { totalCount } }
        applicant { name idNumber medicalEnrollments { kind } household { number } }
    """,
    "Enterprise": "locatedIn { enterprises { nodes { name } } residents { totalCount } }",
}
LISTED = """
query($where: %sWhere, $order: [%sOrder!], $first: Int, $after: String, $number: String) {
  list: %s(where: $where, orderBy: $order, first: $first, after: $after) {
    %s pageInfo { hasNextPage endCursor } edges { cursor node { id %s } }
  }
  resident(idNumber: $number) @include(if: %s) { name cases { totalCount } }
}
"""
POLICY = """
[role.registrar]
title = "户籍"
levels = ["county"]
facets = "nobody"
sensitivity = { personal = "shown", restricted = "hidden" }

[role.registrar.rows]
Resident = "own_division"
"""


@pytest.mark.parametrize("part", range(3))
async def test_what_a_principal_may_not_see_changes_no_byte_of_an_answer(part: int) -> None:
    filled = seen = 0
    for seed in range(part * TWINS // 3, (part + 1) * TWINS // 3):
        chance = Random(seed)
        account = chance.choice(ASKERS)
        limited = seed if seed % 2 else None
        changed = changed_outside(chance, account)
        shared = seed % 3 == 0
        twins = [graph_over(rows, limited, shared=shared) for rows in (world.ROWS, changed)]
        question = await _question(twins[0], chance, account)
        one, other = [await answered(twin, account, **question) for twin in twins]
        control = [
            await answered(twin, "province", **{**question, "after": None}) for twin in twins
        ]

        assert one == other, (seed, account, question)
        assert b"GRAPHQL_VALIDATION_FAILED" not in one
        filled += b'"edges":[{' in one
        seen += control[0] != control[1]
    assert filled > 0.3 * TWINS / 3
    assert seen > 0.3 * TWINS / 3


async def test_what_a_mask_hides_changes_no_byte_of_an_answer() -> None:
    filled = 0
    for seed in range(60):
        chance = Random(seed)
        account = chance.choice(("clerk", "county", "officer", "province", "both", "two"))
        limited = seed if seed % 2 else None
        twins = graph_over(world.ROWS, limited), graph_over(changed_beneath_masks(chance), limited)
        question = await _question(twins[0], chance, account, depths=(1,))
        question["number"] = None  # a look-up is what the whole number is for
        one, other = [await answered(twin, account, **question) for twin in twins]

        assert one == other, (seed, account, question)
        filled += b"***********" in one
    assert filled > 8


async def _question(
    graph: Graph, chance: Random, account: str, depths: Sequence[int] = (0, 1)
) -> dict[str, Any]:
    entity = chance.choice(sorted(drawn.ROOTS))
    names = [name for name in CLEAR[entity] if chance.random() < 0.4]
    count = chance.choice(("", "totalCount"))
    shown = " ".join((*names, DEEP[entity] * chance.choice(depths)))
    single = chance.choice(("true", "false"))
    where = drawn.where(chance, entity, 2) if chance.random() < 0.7 else {}
    if entity == "Resident" and chance.random() < 0.3:
        where["medicalEnrollments"] = {"personNumber": {"eq": f"P{chance.randrange(11)}"}}
    question: dict[str, Any] = {
        "query": LISTED % (entity, entity, drawn.ROOTS[entity], count, shown, single),
        "where": where,
        "order": drawn.order(chance, entity),
        "first": chance.choice((1, 2, 20)),
        "number": world.id_number(chance.randrange(12)),
        "after": None,
    }
    if chance.random() < 0.2:
        first = await graph.ask(account, **{**question, "first": 1})
        listed = first.data and first.data["list"]
        question["after"] = listed and listed["pageInfo"]["endCursor"]
    return question


PROBES = (
    ("residents", '{medicalEnrollments: {personNumber: {eq: "P4"}}}'),
    ("residents", '{medicalEnrollments: {personNumber: {eq: "P4"}, kind: {eq: RESIDENT}}}'),
    ("residents", '{household: {members: {medicalEnrollments: {personNumber: {eq: "P4"}}}}}'),
    ("cases", '{events: {note: {eq: "秘密"}}}'),
    ("cases", '{applicant: {medicalEnrollments: {personNumber: {eq: "P4"}}}}'),
)


@pytest.mark.parametrize(("root", "where"), PROBES)
async def test_a_filter_over_records_that_follow_does_not_ask_whether_they_exist_elsewhere(
    root: str, where: str
) -> None:
    query = f"{{ {root}(where: {where}) {{ nodes {{ id }} }} }}"
    events = [{**row, "note": "秘密"} for row in world.EVENTS if row["caseNumber"] == "C07"]
    others = [row for row in world.ENROLLMENTS if row["personNumber"] != "P4"]
    there = graph_over({**world.ROWS, "CaseEvent": events})
    nowhere = graph_over({**world.ROWS, "CaseEvent": (), "MedicalEnrollment": others})

    answers = [await answered(graph, "clerk", query) for graph in (there, nowhere)]

    assert answers[0] == answers[1]
    assert there.reads() == nowhere.reads()


FACETS = (
    "{ residents(orderBy: [{address: ASC}]) { nodes { address medicalEnrollments { kind } } } }"
)
WITH_FACETS = "{ residents(where: {medicalEnrollments: {}}) { nodes { address } totalCount } }"


async def test_facets_are_shown_of_no_resident_whom_a_role_without_facets_opens(
    tmp_path: Path,
) -> None:
    data = await _asked_by_registrar(tmp_path, FACETS)

    shown = [node["address"] for node in data["residents"]["nodes"] if node["medicalEnrollments"]]
    listed = [node["address"] for node in data["residents"]["nodes"]]
    assert (listed, shown) == (
        ["0号", "11号", "1号", "2号", "3号", "4号", "5号", "6号"],
        ["0号", "1号", "2号"],
    )


async def test_facets_cannot_be_asked_for_of_a_resident_whom_a_role_without_facets_opens(
    tmp_path: Path,
) -> None:
    data = await _asked_by_registrar(tmp_path, WITH_FACETS)

    found = sorted(node["address"] for node in data["residents"]["nodes"])
    assert (found, data["residents"]["totalCount"]) == (["0号", "1号", "2号"], 3)


async def test_numbers_that_nobody_can_read_join_no_records() -> None:
    residents = [{**world.RESIDENTS[0], "idNumber": INVALID}]
    enrollments = [{**world.ENROLLMENTS[4], "idNumber": INVALID}]
    cases = [{**world.CASES[0], "applicantIdNumber": INVALID}]
    rows = {"Resident": residents, "MedicalEnrollment": enrollments, "Case": cases}
    graph = graph_over({**world.ROWS, **rows})

    data = await graph.data(
        "clerk",
        """{
          residents { nodes { name medicalEnrollments { kind } cases { totalCount } } }
          joined: residents(where: {or: [{medicalEnrollments: {}}, {cases: {}}]}) { totalCount }
        }""",
    )

    alone = {"name": "张一", "medicalEnrollments": [], "cases": {"totalCount": 0}}
    assert data == {"residents": {"nodes": [alone]}, "joined": {"totalCount": 0}}


async def _asked_by_registrar(tmp_path: Path, query: str) -> Any:
    """Ask as one who keeps the register of a county and is a clerk in one township of it."""
    file = tmp_path / "policy.toml"
    file.write_text((ROOT / "auth" / "policy.toml").read_text("utf-8") + POLICY, "utf-8")
    graph = graph_over(world.ROWS)
    extended = load_policy(file, graph.entities, frozenset({"MedicalEnrollment"}))
    gate = Gate(extended, Federation(graph.entities, graph.sources.values()))
    roles, scopes = ("registrar", "township_clerk"), ("320205", world.XIBEI)
    context = RequestContext(
        Principal("registrar", roles, scopes),
        gate,
        graph.identity,
        Seal(SECRET, "cursor"),
        roles,
        spending=Spending(Throttle(), "registrar"),
    )
    result = await graph.schema.execute(query, context_value=context)
    assert result.errors is None, result.errors
    return result.data


WRONG = (
    '{ residents(where: {birthDate: {eq: "320205198001010011"}}) { totalCount } }',
    '{ residents(where: {birthDate: {in: ["320205198001010011"]}}) { totalCount } }',
    '{ cases(where: {appliedAt: {eq: "320205198001010011"}}) { totalCount } }',
    'query($d: Date = "320205198001010011") { residents(where: {birthDate: {eq: $d}}) { id } }',
    '{ residents(where: {medicalEnrollments: {balance: {gt: "x320205198001010011"}}}) { id } }',
    "{ residents(where: {sex: {eq: X320205198001010011}}) { totalCount } }",
    "{ residents(where: {name: {eq: 320205198001010011}}) { totalCount } }",
    "{ resident(idNumber: 320205198001010011) { name } }",
    '{ resident(idNumber: {x: "320205198001010011"}) { name } }',
    '{ residents(first: "320205198001010011") { totalCount } }',
    '{ residents(after: "320205198001010011") { nodes { name } } }',
)


@pytest.mark.parametrize("query", WRONG)
async def test_a_wrong_value_stands_neither_in_the_error_nor_in_the_log(
    query: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await answered(graph_over(world.ROWS), "clerk", query)

    assert b"320205198001010011" not in answer
    assert b"INTERNAL" not in answer
    assert "320205198001010011" not in caplog.text


async def test_counting_related_rows_by_what_is_masked_is_refused_as_listing_them_is() -> None:
    graph = graph_over(world.ROWS)

    answer = await graph.ask(
        "clerk", "{ residents { nodes { cases(orderBy: [{contactPhone: ASC}]) { totalCount } } } }"
    )

    codes = {error.original_error.code for error in answer.errors}
    assert codes == {"FORBIDDEN"}
    assert graph.reads() == [("population", "Resident")]


async def test_rows_out_of_scope_are_no_reason_to_ask_another_system() -> None:
    query = "{ residents(where: {medicalEnrollments: {kind: {eq: EMPLOYEE}}}) { nodes { name } } }"
    outside = [world.person(serial, "外", world.BENNIU) for serial in range(20, 30)]
    crowded, empty = _without_within(outside), _without_within(())

    answers = [await answered(graph, "clerk", query) for graph in (crowded, empty)]

    assert answers[0] == answers[1]
    assert crowded.reads() == empty.reads()


def test_a_system_that_cannot_be_asked_for_the_rows_of_a_scope_is_found_at_start_up() -> None:
    # Else rows out of scope would decide, by their number, whether a question is too wide.
    able, unable = graph_over(world.ROWS), _without_within([])

    found = [
        set(unasked_scopes(policy(), Federation(graph.entities, graph.sources.values())))
        for graph in (able, unable)
    ]

    assert found[0] == set()
    assert found[1] == {
        (role, "Resident", "population")
        for role in (
            "township_clerk",
            "county_officer",
            "city_officer",
            "province_officer",
            "grid_worker",
            "statistician",
        )
    }


def _without_within(residents: Sequence[world.Row], scan_rows: int = 20_000) -> Graph:
    """Return a graph whose population system cannot be asked for a division."""
    graph = graph_over({**world.ROWS, "Resident": residents})
    able = graph.sources["population"].entities["Resident"]
    operators = {name: found - {Operator.WITHIN} for name, found in able.operators.items()}
    population = MemorySource(
        "population",
        "population",
        {name: graph.entities[name] for name in ("Resident", "Household")},
        {"Resident": residents, "Household": ()},
    )
    population.entities["Resident"] = replace(able, operators=operators)
    systems = {**graph.sources, "population": Recording(population)}
    gate = Gate(policy(), Federation(graph.entities, systems.values(), scan_rows))
    return replace(graph, gate=gate, sources=systems)
