"""The plan of an answer: what it says, and what it does not tell of rows that are not seen."""

import json
from random import Random
from typing import Any

import httpx
import pytest

from auth.throttle import Throttle
from resolvers.context import RequestContext
from resolvers.planning import Planning
from resolvers.seal import Seal
from resolvers.spending import Spending
from sources.federation import Explained
from tests import world
from tests.gateway.town import ASKED, POLICY, town
from tests.graph import PRINCIPALS, SECRET, Graph
from tests.test_leaks import _without_within
from tests.twins import World, changed_outside, graph_over, policy

QUESTIONS = (
    "{ residents(first: 2) { nodes { name medicalEnrollments { kind } } } }",
    "{ residents(where: {medicalEnrollments: {kind: {eq: RESIDENT}}}) { nodes { name } } }",
    '{ residents(where: {cases: {events: {name: {eq: "收件"}}}}) { nodes { name } } }',
    "{ medicalEnrollments(first: 2) { nodes { kind } } }",
    "{ medicalEnrollments(orderBy: [{personNumber: DESC}]) { totalCount nodes { kind } } }",
    "{ cases { nodes { number events { name } applicant { name } } } }",
    "{ households(orderBy: [{members: {birthDate: ASC}}]) { nodes { number } } }",
    "{ aggregate { residents { groups { count } } } }",
)


async def plan(graph: Graph, account: str, query: str) -> Any:
    principal = PRINCIPALS[account]
    context = RequestContext(
        principal,
        graph.gate,
        graph.identity,
        Seal(SECRET, "cursor"),
        calls=Explained(),
        spending=Spending(Throttle(), account),
        planning=Planning(policy(), principal),
    )
    result = await graph.schema.execute(query, context_value=context)
    assert result.extensions is not None
    told = result.extensions["explain"]
    for call in told["calls"]:
        call.pop("milliseconds", None)
    told["calls"].sort(key=json.dumps)
    told["joins"].sort(key=json.dumps)
    return told


@pytest.mark.parametrize("query", QUESTIONS)
async def test_a_plan_knows_nothing_of_rows_that_are_not_seen(query: str) -> None:
    asked = 0
    for account in ("clerk", "county", "two"):
        for seed in range(3):
            changed: World = changed_outside(Random(f"{account} {seed}"), account)
            limited, shared = (None, 4, 9)[seed], seed == 1
            one = await plan(graph_over(world.ROWS, limited, shared=shared), account, query)
            other = await plan(graph_over(changed, limited, shared=shared), account, query)
            assert one == other
            asked += bool(one["calls"])
    assert asked > 0 or "aggregate" in query


async def test_how_often_a_system_that_cannot_filter_was_asked_is_not_told() -> None:
    query = "{ residents(first: 2) { nodes { name } } }"
    own = [world.person(serial, "本", world.XIBEI) for serial in (900, 901)]
    hidden = [world.person(serial, "外", world.BENNIU) for serial in range(100, 400)]
    crowded, empty = _without_within([*hidden, *own]), _without_within(own)

    plans = [await plan(graph, "clerk", query) for graph in (crowded, empty)]

    assert [len(graph.reads()) for graph in (crowded, empty)] == [2, 1]
    assert plans[0] == plans[1]
    assert [call["asked"] for call in plans[0]["calls"]] == [None]


async def test_which_side_was_asked_first_is_not_told_where_hidden_rows_decide_it() -> None:
    query = "{ aggregate { medicalEnrollments(groupBy: [{field: KIND}]) { groups { count } } } }"
    own = [world.person(serial, "本", world.XIBEI) for serial in range(1_100)]
    plans, asked = [], []
    for enrolled in (range(1_000), [*range(1_000), *range(1_100, 1_400)]):
        enrollments = [
            {**world.ENROLLMENTS[0], "personNumber": f"P{each}", "idNumber": world.id_number(each)}
            for each in enrolled
        ]
        graph = graph_over({**world.ROWS, "Resident": own, "MedicalEnrollment": enrollments})
        plans.append(await plan(graph, "clerk", query))
        asked.append(graph.reads())

    assert asked[0] != asked[1]
    assert plans[0] == plans[1]
    assert [join["direction"] for join in plans[0]["joins"]] == ["compared"]


async def test_rows_are_counted_of_entities_of_which_every_row_is_seen_and_of_no_other() -> None:
    query = "{ matters(first: 3) { nodes { code } } residents(first: 2) { nodes { name } } }"

    told = await plan(graph_over(world.ROWS), "clerk", query)

    assert [each["entity"] for each in told["rows"]] == ["Matter"]
    assert told["rows"][0]["returned"] == 3
    assert {call["entity"] for call in told["calls"] if "rows" in call} == {"Matter"}


async def test_a_plan_says_what_was_asked_and_no_value_of_it() -> None:
    query = '{ residents(where: {name: {eq: "张一"}}, first: 2) { nodes { name } } }'

    told = await plan(graph_over(world.ROWS), "clerk", query)

    (call,) = told["calls"]
    within = "(residenceDivision within ? or registeredDivision within ?)"
    assert call["asked"] == f"name eq ? and {within}"
    assert [call["residual"], call["orderBy"], call["limit"]] == ["every row", ["number"], 3]
    assert told["policy"] == [
        {
            "entity": "Resident",
            "role": "township_clerk",
            "rule": "own_division",
            "rows": within.strip("()"),
        }
    ]
    assert "张一" not in json.dumps(told, ensure_ascii=False)
    assert world.XIBEI not in json.dumps(told)


async def test_a_plan_is_given_by_header_to_roles_that_may_and_to_no_other(tmp_path: Any) -> None:
    allowed = POLICY.replace('title = "办事员"', 'title = "办事员"\nplan = "own_questions"')
    async with town(tmp_path) as there:
        untold = await _extensions(there.http, {"x-explain": "plan"}, {})
    (tmp_path / "allowed").mkdir()
    folder = tmp_path / "allowed"
    async with town(folder) as there:
        (folder / "policy.toml").write_text(allowed, "utf-8")
        await there.living.reload()
        by_header = await _extensions(there.http, {"x-explain": "plan"}, {})
        by_body = await _extensions(there.http, {}, {"extensions": {"explain": True}})
        unasked = await _extensions(there.http, {}, {})

    assert "explain" not in untold
    assert "explain" not in unasked
    assert [call["entity"] for call in by_header["explain"]["calls"]] == ["Resident"]
    assert [call["entity"] for call in by_body["explain"]["calls"]] == ["Resident"]


async def _extensions(http: httpx.AsyncClient, headers: dict[str, str], more: Any) -> Any:
    answer = await http.post(
        "/graphql", json={"query": ASKED, **more}, headers={"authorization": "clerk", **headers}
    )
    return answer.json()["extensions"]
