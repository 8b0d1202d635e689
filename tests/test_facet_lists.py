"""Lists of records by what they are seen through, against everything fetched and filtered."""

from collections.abc import Mapping
from itertools import chain, product
from random import Random
from typing import Any

import pytest

from tests import oracle, world
from tests.graph import PRINCIPALS, Graph
from tests.twins import answered, changed_outside, graph_over

LISTED = """
query($where: MedicalEnrollmentWhere, $order: [MedicalEnrollmentOrder!], $first: Int,
      $after: String, $last: Int, $before: String) {
  medicalEnrollments(
    where: $where, orderBy: $order, first: $first, after: $after, last: $last, before: $before
  ) {
    nodes { personNumber kind } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}
"""
FOLLOWING = ("clerk", "neighbour", "grid", "county", "city", "province", "both", "two", "nobody")
WHERES: tuple[Mapping[str, Any], ...] = (
    {},
    {"kind": {"eq": "RESIDENT"}},
    {"personNumber": {"ne": "P1"}},
    {"subject": {"name": {"eq": "张一"}}},
    {"subject": {"cases": {"channel": {"eq": "ONLINE"}}}},
    {"not": {"subject": {"name": {"eq": "张一"}}}},
    {"or": [{"kind": {"eq": "EMPLOYEE"}}, {"subject": {"sex": {"eq": "MALE"}}}]},
)
ORDERS: tuple[tuple[Mapping[str, Any], ...], ...] = (
    (),
    ({"personNumber": "DESC"},),
    ({"subject": {"birthDate": "DESC"}},),
)


def expected(account: str, where: Mapping[str, Any], order: Any) -> list[str]:
    seen = oracle.visible(account)
    rows = [
        row
        for row in seen["MedicalEnrollment"]
        if oracle.matches("MedicalEnrollment", row, where, seen) is True
    ]
    if not order:
        people = {row["idNumber"]: row["number"] for row in seen["Resident"]}
        return [
            str(r["personNumber"]) for r in sorted(rows, key=lambda r: str(people[r["idNumber"]]))
        ]
    known = {**oracle.KEYS, "MedicalEnrollment": "personNumber"}
    rows.sort(key=lambda row: str(row[known["MedicalEnrollment"]]))
    return [str(row["personNumber"]) for row in _sorted(rows, order, seen)]


def _sorted(rows: Any, order: Any, seen: Any) -> Any:
    ((name, wanted),) = order[0].items()
    if name == "personNumber":
        return rows[::-1] if wanted == "DESC" else rows
    born = {row["idNumber"]: row["birthDate"] for row in seen["Resident"]}
    known = [row for row in rows if born[row["idNumber"]] is not None]
    known.sort(key=lambda row: born[row["idNumber"]], reverse=True)
    return known + [row for row in rows if born[row["idNumber"]] is None]


async def pages(graph: Graph, account: str, size: int, **asked: Any) -> list[list[str]]:
    found, end = [], None
    while True:
        data = await graph.data(account, LISTED, first=size, after=end, **asked)
        page = data["medicalEnrollments"]
        found.append([node["personNumber"] for node in page["nodes"]])
        assert page["pageInfo"]["hasPreviousPage"] is (end is not None)
        end = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return found


async def pages_from_the_end(graph: Graph, account: str, size: int, **asked: Any) -> list[str]:
    found: list[str] = []
    start = None
    while True:
        data = await graph.data(account, LISTED, last=size, before=start, **asked)
        page = data["medicalEnrollments"]
        found = [*(node["personNumber"] for node in page["nodes"]), *found]
        start = page["pageInfo"]["startCursor"]
        if not page["pageInfo"]["hasPreviousPage"]:
            return found


@pytest.mark.parametrize("shared", [False, True], ids=["one home each", "several homes"])
@pytest.mark.parametrize("limited", [None, 3, 8], ids=["able", "limited", "more limited"])
async def test_pages_from_either_end_are_what_everything_filtered_is(
    limited: int | None, shared: bool
) -> None:
    graph = graph_over(world.ROWS, limited, shared=shared)
    chance = Random(f"{limited} {shared}")
    answers = 0
    for account, where, order in chance.sample(list(product(FOLLOWING, WHERES, ORDERS)), 45):
        if account == "grid" and "cases" in where.get("subject", {}):
            continue  # refused: they see no cases
        right = expected(account, where, order)
        asked = {"where": where, "order": list(order)}
        size = chance.choice((1, 2, 3, 20))
        got = await pages(graph, account, size, **asked)
        back = await pages_from_the_end(graph, account, size, **asked)
        assert [list(chain.from_iterable(got)), back] == [right, right], (
            account,
            where,
            order,
            size,
        )
        assert all(len(page) == size for page in got[:-1])
        answers += bool(right)
    assert answers > 20


async def test_counts_are_of_the_rows_that_are_listed() -> None:
    graph = graph_over(world.ROWS)
    for account in FOLLOWING:
        for where in WHERES:
            if account == "grid" and "cases" in where.get("subject", {}):
                continue  # refused: they see no cases
            query = (
                "query($where: MedicalEnrollmentWhere) "
                "{ medicalEnrollments(where: $where) { totalCount } }"
            )
            data = await graph.data(account, query, where=where)
            assert data["medicalEnrollments"]["totalCount"] == len(expected(account, where, ()))


async def test_people_on_record_twice_have_their_records_once_and_where_they_first_stand() -> None:
    twice = world.person(20, "张一", world.XIBEI, idNumber=world.id_number(0))
    also = world.person(21, "张一", world.BENNIU, idNumber=world.id_number(2))
    graph = graph_over({**world.ROWS, "Resident": [twice, also, *world.RESIDENTS]})

    got = await pages(graph, "clerk", 1)
    back = await pages_from_the_end(graph, "clerk", 1)

    assert got == [["P0"], ["P1"], ["P2"]]
    assert back == ["P0", "P1", "P2"]


async def test_the_records_are_asked_for_by_keys_of_people_whom_the_caller_sees() -> None:
    graph = graph_over(world.ROWS)

    await graph.data("clerk", LISTED, first=20)

    asked = list(graph.sources["medical_insurance"].reads)
    seen = {row["idNumber"] for row in oracle.visible("clerk")["Resident"]}
    keys = [key for read in asked for (key,) in read.for_each.keys]  # type: ignore[union-attr] # reads by key
    assert set(keys) == seen
    assert len(keys) == len(seen)


@pytest.mark.parametrize("account", ["clerk", "county", "two", "grid"])
async def test_lists_know_nothing_of_people_and_records_out_of_scope(account: str) -> None:
    nonempty = 0
    for seed in range(12):
        chance = Random(f"{account} {seed}")
        changed = changed_outside(chance, account)
        asked = {"where": dict(chance.choice(WHERES)), "order": list(chance.choice(ORDERS))}
        twins = [graph_over(world.ROWS), graph_over(changed)]
        one, other = [await answered(twin, account, LISTED, first=2, **asked) for twin in twins]
        assert one == other
        assert (
            twins[0].sources["medical_insurance"].reads
            == twins[1].sources["medical_insurance"].reads
        )
        nonempty += b'"nodes":[{' in one
    assert nonempty > 4


@pytest.mark.parametrize("account", ["officer", "auditor", "nobody", "misplaced"])
async def test_who_sees_no_records_asks_no_system(account: str) -> None:
    assert account in PRINCIPALS
    graph = graph_over(world.ROWS)

    data = await graph.data(account, LISTED, first=2)

    assert data["medicalEnrollments"]["nodes"] == []
    assert graph.reads() == []


async def test_a_hidden_field_of_a_record_is_neither_filtered_nor_sorted_by() -> None:
    for asked in ({"where": {"balance": {"gt": "1"}}}, {"order": [{"balance": "DESC"}]}):
        graph = graph_over(world.ROWS)
        result = await graph.ask("clerk", LISTED, first=2, **asked)
        assert [error.original_error.code for error in result.errors] == ["FORBIDDEN"]
        assert graph.reads() == []


async def test_a_cursor_of_a_list_is_worth_nothing_to_somebody_else() -> None:
    graph = graph_over(world.ROWS)
    data = await graph.data("clerk", LISTED, first=1)
    end = data["medicalEnrollments"]["pageInfo"]["endCursor"]

    result = await graph.ask("county", LISTED, first=1, after=end)

    assert [error.original_error.code for error in result.errors] == ["BAD_USER_INPUT"]
