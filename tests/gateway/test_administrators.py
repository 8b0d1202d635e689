"""Accounts over GraphQL: what an administrator is told, and may do."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from store.accounts import Delegation
from tests.accounts import NOW, PEOPLE, XIBEI, Town, town
from tests.graph import Graph, build_graph

ACCOUNTS = """
query ($where: AccountWhere, $first: Int, $after: String) {
  accounts(where: $where, first: $first, after: $after) {
    name state department lockedUntil mustChangePassword
    roles { role title scope } covers { absent roles { scope } }
  }
}
"""
OUTCOME = (
    "{ change { id kind state account cover askedBy decidedBy roles { role scope } } password }"
)
DISABLE = f'mutation {{ disableAccount(account: "clerk-xibei") {OUTCOME} }}'
CREATE = f"""
mutation {{
  createAccount(account: "new-clerk", roles: [{{role: "township_clerk", scope: "{XIBEI}"}}])
  {OUTCOME}
}}
"""
APPROVE = f"mutation ($id: ID!) {{ approveAccountChange(id: $id) {OUTCOME} }}"
EVERY = {
    "accounts": "{ accounts { name } }",
    "accountChanges": "{ accountChanges { id } }",
    "createAccount": CREATE,
    "moveAccount": f'mutation {{ moveAccount(account: "clerk-xibei", roles: []) {OUTCOME} }}',
    "disableAccount": DISABLE,
    "enableAccount": f'mutation {{ enableAccount(account: "clerk-xibei") {OUTCOME} }}',
    "resetPassword": f'mutation {{ resetPassword(account: "clerk-xibei") {OUTCOME} }}',
    "delegateAccount": (
        'mutation { delegateAccount(account: "clerk-xibei", cover: "clerk-donggang",'
        f' until: "2026-10-01T00:00:00Z") {OUTCOME} }}'
    ),
    "endCover": (
        f'mutation {{ endCover(account: "clerk-xibei", cover: "clerk-donggang") {OUTCOME} }}'
    ),
    "approveAccountChange": f'mutation {{ approveAccountChange(id: "x") {OUTCOME} }}',
    "refuseAccountChange": f'mutation {{ refuseAccountChange(id: "x") {OUTCOME} }}',
}


@pytest.fixture(scope="module")
def graph() -> Graph:
    return build_graph()


async def asked(graph: Graph, place: Town, name: str, query: str, **variables: Any) -> Any:
    context = graph.context("clerk")
    context = replace(context, principal=PEOPLE[name], administration=place.as_(name))
    return await graph.schema.execute(query, variable_values=variables, context_value=context)


async def told(graph: Graph, place: Town, name: str, query: str, **variables: Any) -> Any:
    result = await asked(graph, place, name, query, **variables)
    assert result.errors is None, result.errors
    (answer,) = result.data.values()
    return answer


def reasons(result: Any) -> list[str]:
    return [type(error.original_error).__name__ for error in result.errors or []]


@pytest.mark.parametrize("name", EVERY)
async def test_who_administers_nothing_is_refused_everything(
    graph: Graph, tmp_path: Path, name: str
) -> None:
    async with town(tmp_path) as place:
        clerk = await asked(graph, place, "clerk-xibei", EVERY[name])
        context = graph.context("clerk")
        absent = await graph.schema.execute(EVERY[name], context_value=context)

        assert [reasons(clerk), clerk.data] == [["Forbidden"], {name: None}]
        assert [reasons(absent), absent.data] == [["Forbidden"], {name: None}]
        assert place.records == []


async def test_an_administrator_is_told_of_the_accounts_of_the_county(
    graph: Graph, tmp_path: Path
) -> None:
    async with town(tmp_path) as place:
        async with place.standing.store.changing() as changing:
            roles = (("township_clerk", XIBEI),)
            cover = Delegation("d", "clerk-donggang", "clerk-xibei", roles, NOW + 60)
            await changing.delegate(cover)
        whole = await told(graph, place, "admin-one", ACCOUNTS)
        wheres = (
            {"name": "grid-xibei"},
            {"role": "grid_worker"},
            {"scope": XIBEI},
            {"state": "DISABLED"},
            {"scope": XIBEI, "role": "township_clerk"},
        )
        found = [
            [each["name"] for each in await told(graph, place, "admin-one", ACCOUNTS, where=where)]
            for where in wheres
        ]
        page = await told(graph, place, "admin-one", ACCOUNTS, first=1, after="clerk-donggang")
        large = await asked(graph, place, "admin-one", ACCOUNTS, first=501)

    assert [each["name"] for each in whole] == ["clerk-donggang", "clerk-xibei", "grid-xibei"]
    assert whole[0] == {
        "name": "clerk-donggang",
        "state": "ACTIVE",
        "department": None,
        "lockedUntil": None,
        "mustChangePassword": False,
        "roles": [{"role": "township_clerk", "title": "乡镇(街道)办事员", "scope": "320205107"}],
        "covers": [{"absent": "clerk-xibei", "roles": [{"scope": XIBEI}]}],
    }
    assert found == [
        ["grid-xibei"],
        ["grid-xibei"],
        ["clerk-xibei", "grid-xibei"],
        [],
        ["clerk-xibei"],
    ]
    assert [[each["name"] for each in page], reasons(large)] == [["clerk-xibei"], ["BadInput"]]


async def test_a_change_is_told_with_its_password_to_who_approves_it_alone(
    graph: Graph, tmp_path: Path
) -> None:
    async with town(tmp_path) as place:
        waiting = await told(graph, place, "admin-one", CREATE)
        change = waiting["change"]["id"]
        own = await asked(graph, place, "admin-one", APPROVE, id=change)
        approved = await told(graph, place, "admin-two", APPROVE, id=change)
        disabled = await told(graph, place, "admin-one", DISABLE)

    expected = {
        "kind": "CREATE",
        "state": "PENDING",
        "account": "new-clerk",
        "cover": None,
        "askedBy": "admin-one",
        "decidedBy": None,
        "roles": [{"role": "township_clerk", "scope": XIBEI}],
    }
    assert waiting == {"change": {"id": change, **expected}, "password": None}
    assert [reasons(own), own.data] == [["Forbidden"], {"approveAccountChange": None}]
    assert approved["change"] == {
        "id": change,
        **expected,
        "state": "APPROVED",
        "decidedBy": "admin-two",
    }
    assert len(approved["password"]) == 16
    assert [disabled["change"]["state"], disabled["password"]] == ["APPROVED", None]


async def test_a_time_without_an_offset_is_no_end_of_a_cover(graph: Graph, tmp_path: Path) -> None:
    query = EVERY["delegateAccount"].replace("Z", "")
    async with town(tmp_path) as place:
        result = await asked(graph, place, "admin-one", query)

    assert reasons(result) == ["BadInput"]


async def test_changes_of_one_document_are_made_one_after_the_other(
    graph: Graph, tmp_path: Path
) -> None:
    each = f'disableAccount(account: "clerk-xibei") {OUTCOME}'
    twice = f"mutation {{ a: {each} b: {each} c: {each} }}"
    async with town(tmp_path) as place:
        result = await asked(graph, place, "admin-one", twice)
        steps = place.noted("action", "step")

    assert [result.errors, list(result.data)] == [None, ["a", "b", "c"]]
    assert steps == [("disable", "done")] * 3
