from typing import Any

import pytest

from auth.principal import Principal
from auth.throttle import Throttle
from resolvers.context import RequestContext
from resolvers.seal import Seal
from resolvers.spending import Spending
from tests.graph import SECRET, Graph, build_graph

LIST = """
query(
  $where: ResidentWhere, $order: [ResidentOrder!],
  $first: Int, $after: String, $last: Int, $before: String
) {
  residents(
    where: $where, orderBy: $order, first: $first, after: $after, last: $last, before: $before
  ) {
    nodes { name } edges { cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}
"""
ORDERS: list[list[dict[str, str]]] = [
    [],
    [{"name": "ASC"}],
    [{"name": "DESC"}],
    [{"birthDate": "ASC"}, {"name": "DESC"}],
    [{"deathDate": "DESC"}],
    [{"registeredDivision": "ASC"}],
]


async def walk(
    graph: Graph, order: list[dict[str, str]], size: int, *, backwards: bool
) -> list[str]:
    names: list[str] = []
    cursor = None
    while True:
        ends = {"last": size, "before": cursor} if backwards else {"first": size, "after": cursor}
        page = (await graph.data("county", LIST, order=order, **ends))["residents"]
        found = [node["name"] for node in page["nodes"]]
        names = found + names if backwards else names + found
        if not page["pageInfo"]["hasPreviousPage" if backwards else "hasNextPage"]:
            return names
        cursor = page["pageInfo"]["startCursor" if backwards else "endCursor"]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("size", [1, 3, 7])
async def test_pages_forwards_and_backwards_make_up_the_whole_list(
    order: list[dict[str, str]], size: int
) -> None:
    graph = build_graph()
    whole = await graph.data("county", LIST, order=order, first=100)
    names = [node["name"] for node in whole["residents"]["nodes"]]

    forwards = await walk(graph, order, size, backwards=False)
    backwards = await walk(graph, order, size, backwards=True)

    assert len(names) == 8
    assert forwards == names
    assert backwards == names


async def test_a_nested_page_counts_per_parent_in_one_read() -> None:
    graph = build_graph()

    data = await graph.data(
        "province",
        "{ residents(first: 3) { nodes { cases(first: 2, orderBy: [{appliedAt: DESC}])"
        " { totalCount pageInfo { hasNextPage } nodes { number } } } } }",
    )

    assert [node["cases"] for node in data["residents"]["nodes"]] == [
        {
            "totalCount": 4,
            "pageInfo": {"hasNextPage": True},
            "nodes": [{"number": "C08"}, {"number": "C02"}],
        },
        {"totalCount": 0, "pageInfo": {"hasNextPage": False}, "nodes": []},
        {"totalCount": 1, "pageInfo": {"hasNextPage": False}, "nodes": [{"number": "C03"}]},
    ]
    assert graph.reads() == [
        ("population", "Resident"),
        ("service_platform", "Case"),
        ("service_platform", "Case"),
    ]


async def cursor_of(graph: Graph, account: str = "clerk", **variables: object) -> str:
    page = await graph.data(account, LIST, first=1, **variables)
    cursor: str = page["residents"]["pageInfo"]["endCursor"]
    return cursor


@pytest.mark.parametrize(
    ("account", "variables"),
    [
        ("county", {}),
        ("neighbour", {}),
        ("clerk", {"where": {"name": {"eq": "张一"}}}),
        ("clerk", {"order": [{"name": "ASC"}]}),
    ],
)
async def test_a_cursor_is_worth_nothing_for_another_scope_filter_or_order(
    account: str, variables: dict[str, object]
) -> None:
    graph = build_graph()
    cursor = await cursor_of(graph)

    answer = await graph.ask(account, LIST, first=1, after=cursor, **variables)

    assert answer.data == {"residents": None}
    assert [error.original_error.code for error in answer.errors] == ["BAD_USER_INPUT"]


async def test_a_cursor_of_one_department_is_worth_nothing_in_another() -> None:
    graph = build_graph()
    query = "query($c: String) { cases(first: 1, after: $c) { pageInfo { endCursor } } }"
    cursors = Seal(SECRET, "cursor")
    one, other = (
        Principal("officer", ("department_officer",), ("32",), department)
        for department in ("民政", "医保")
    )

    async def asked(principal: Principal, after: str | None) -> Any:
        spending = Spending(Throttle(), "a")
        context = RequestContext(principal, graph.gate, graph.identity, cursors, spending=spending)
        return await graph.schema.execute(
            query, variable_values={"c": after}, context_value=context
        )

    first = await asked(one, None)
    cursor = first.data["cases"]["pageInfo"]["endCursor"]
    again, elsewhere = await asked(one, cursor), await asked(other, cursor)

    assert (cursor is not None, again.errors, elsewhere.data) == (True, None, {"cases": None})


@pytest.mark.parametrize("length", range(1, 7))
def test_no_other_spelling_of_a_sealed_text_opens(length: int) -> None:
    seal = Seal(SECRET, "cursor")
    text = seal.close(["a" * length], "use")

    opened = [
        seal.open(text[:place] + other + text[place + 1 :], "use")
        for place in range(len(text))
        for other in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        if other != text[place]
    ]

    assert seal.open(text, "use") == ["a" * length]
    assert set(map(str, opened)) == {"None"}


def test_what_is_sealed_for_one_purpose_opens_for_no_other() -> None:
    text = Seal(SECRET, "id").close(["Resident", "R01"])

    assert Seal(SECRET, "id").open(text) == ["Resident", "R01"]
    assert Seal(SECRET, "cursor").open(text) is None


async def test_every_changed_character_of_a_cursor_is_refused_alike() -> None:
    graph = build_graph()
    cursor = await cursor_of(graph)
    refusals = set()

    for place in range(len(cursor)):
        other = "A" if cursor[place] != "A" else "B"
        changed = cursor[:place] + other + cursor[place + 1 :]
        answer = await graph.ask("clerk", LIST, first=1, after=changed)
        refusals.add((answer.errors[0].message, str(answer.data)))

    assert refusals == {
        ("游标无效或已不适用于当前查询,请从第一页重新查询。", "{'residents': None}")
    }


@pytest.mark.parametrize("cursor", ["", "A", "AQ", "!!", "é", "A" * 5000, "AcjTJ7v7rZe9"])
async def test_what_is_no_cursor_is_refused_with_the_same_words(cursor: str) -> None:
    graph = build_graph()

    answer = await graph.ask("clerk", LIST, first=1, after=cursor)

    assert [error.message for error in answer.errors] == [
        "游标无效或已不适用于当前查询,请从第一页重新查询。"
    ]


@pytest.mark.parametrize(
    "ends",
    [
        {"first": -1},
        {"first": 101},
        {"last": 101},
        {"first": 1, "last": 1},
        {"last": 1, "after": "x"},
        {"first": 1, "before": "x"},
    ],
)
async def test_ends_that_make_no_page_are_refused(ends: dict[str, object]) -> None:
    graph = build_graph()

    answer = await graph.ask("clerk", LIST, **ends)

    assert [error.original_error.code for error in answer.errors] == ["BAD_USER_INPUT"]
    assert graph.reads() == []


async def test_the_first_nothing_asks_nobody() -> None:
    graph = build_graph()

    data = await graph.data("clerk", "{ residents(first: 0) { nodes { name } } }")

    assert data == {"residents": {"nodes": []}}
