import pytest

from contract.read import Read
from tests.graph import build_graph


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("query { residents { nodes { name } } }", {"name"}),
        ("query { residents { edges { node { name } } nodes { sex } } }", {"name", "sex"}),
        (
            "query { residents { nodes { ...A ... on Resident { sex } } } }"
            " fragment A on Resident { name ...B } fragment B on Resident { nation }",
            {"name", "sex", "nation"},
        ),
        (
            "query($y: Boolean! = true, $n: Boolean! = false) { residents { nodes {"
            " name @include(if: $y) sex @include(if: $n) nation @skip(if: $y) village @skip(if: $n)"
            " ... @skip(if: true) { address } } } }",
            {"name", "village"},
        ),
        ("query { residents { nodes { other: name id __typename } } }", {"name"}),
        ("query { residents { nodes { livesIn { name } } } }", {"residenceDivision"}),
    ],
)
async def test_only_what_is_selected_is_read(query: str, fields: set[str]) -> None:
    graph = build_graph()

    await graph.data("clerk", query)

    (read, *_) = graph.sources["population"].reads
    assert isinstance(read, Read)
    assert set(read.fields) == {"number", "idNumber", *fields}


async def test_a_count_alone_reads_no_rows() -> None:
    graph = build_graph()

    data = await graph.data("clerk", "{ residents { totalCount __typename } }")

    assert data == {"residents": {"totalCount": 6, "__typename": "ResidentConnection"}}
    assert [type(read).__name__ for read in graph.sources["population"].reads] == ["Aggregate"]
