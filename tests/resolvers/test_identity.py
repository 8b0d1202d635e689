import pytest

from tests import world
from tests.graph import build_graph

NODE = """
query($id: ID!) {
  node(id: $id) {
    __typename id
    ... on Resident { name } ... on Case { number } ... on MatterElement { title }
  }
}
"""


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("{ residents(first: 1) { nodes { id } } }", {"__typename": "Resident", "name": "张一"}),
        ("{ cases(first: 1) { nodes { id } } }", {"__typename": "Case", "number": "C00"}),
    ],
)
async def test_an_id_finds_its_row_again(query: str, told: dict[str, str]) -> None:
    graph = build_graph()
    ((_, listed),) = (await graph.data("clerk", query)).items()
    identity = listed["nodes"][0]["id"]

    data = await graph.data("clerk", NODE, id=identity)

    assert data == {"node": {**told, "id": identity}}


async def test_an_id_of_two_keys_finds_its_row_again() -> None:
    graph = build_graph()
    matter = await graph.data("nobody", '{ matter(code: "320000030003") { id } }')
    listed = await graph.data(
        "auditor", '{ matter(code: "320000030003") { elements(first: 1) { id title } } }'
    )
    element = listed["matter"]["elements"][0]

    data = await graph.data("auditor", NODE, id=element["id"])

    assert matter == {"matter": None}
    assert data["node"] == {"__typename": "MatterElement", **element}


async def test_an_id_of_a_row_out_of_scope_and_no_id_are_the_same_null() -> None:
    graph = build_graph()
    listed = await graph.data("clerk", "{ residents(first: 1) { nodes { id } } }")
    identity = listed["residents"]["nodes"][0]["id"]

    answers = [
        await graph.data("neighbour", NODE, id=given)
        for given in (identity, identity[:-1] + "x", "", "x", "é", "A" * 500)
    ]

    assert answers == [{"node": None}] * 6


async def test_an_id_tells_nothing_of_the_number_behind_it_and_stays_the_same() -> None:
    query = "query($n: String!) { resident(idNumber: $n) { id } }"

    first = await build_graph().data("clerk", query, n=world.id_number(0))
    second = await build_graph().data("clerk", query, n=world.id_number(0))

    assert first == second
    assert "R00" not in first["resident"]["id"]


async def test_an_id_of_another_entity_is_no_id_here() -> None:
    graph = build_graph()
    listed = await graph.data("clerk", "{ cases(first: 1) { nodes { id } } }")

    data = await graph.data(
        "clerk",
        "query($id: ID!) { resident(id: $id) { name } }",
        id=listed["cases"]["nodes"][0]["id"],
    )

    assert data == {"resident": None}
