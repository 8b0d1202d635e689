"""How often systems are asked for what one answer says."""

import asyncio

import pytest

from contract.read import Read, Rows
from contract.source import Source
from sources.memory import MemorySource
from tests.graph import Graph, build_graph
from tests.limited import DownSource

RESIDENTS, CASES = ("population", "Resident"), ("service_platform", "Case")
HOUSEHOLDS = ("population", "Household")
PEOPLE = "residents(first: 3, orderBy: [{name: ASC}]) { nodes { %s } }"


def fields_of(graph: Graph, system: str, entity: str) -> list[set[str]]:
    reads = graph.sources[system].reads
    return [set(read.fields) for read in reads if isinstance(read, Read) and read.entity == entity]


async def test_fields_that_ask_the_same_of_the_same_rows_share_one_read() -> None:
    graph, apart = build_graph(), build_graph()
    part = "a: household { number } b: household { address } c: cases { nodes { number } }"
    alike = "d: cases { totalCount edges { node { status } cursor } }"

    shared = await graph.data("province", f"{{ {PEOPLE % f'{part} {alike}'} }}")
    whole = [
        (await apart.data("province", f"{{ {PEOPLE % each} }}"))["residents"]["nodes"]
        for each in (
            "household { number }",
            "household { address }",
            "cases { nodes { number } }",
            "cases { totalCount edges { node { status } cursor } }",
        )
    ]

    told = [list(node.values()) for node in shared["residents"]["nodes"]]
    assert told == [[next(iter(one.values())) for one in each] for each in zip(*whole, strict=True)]
    assert sorted(graph.reads()) == sorted([RESIDENTS, HOUSEHOLDS, CASES])
    apiece = fields_of(apart, "population", "Household")
    assert fields_of(graph, "population", "Household") == [apiece[0] | apiece[1]]


async def test_each_place_gets_the_rows_of_its_own_parents() -> None:
    graph, apart = build_graph(), build_graph()
    ends = "first: 1", "last: 1"
    people = "residents(%s, orderBy: [{name: ASC}]) { nodes { %s } }"
    part = "a: household { number } b: household { address }"

    query = " ".join(f"e{number}: {people % (end, part)}" for number, end in enumerate(ends))
    data = await graph.data("province", f"{{ {query} }}")
    alone = [
        (await apart.data("province", f"{{ {people % (end, 'household { number address }')} }}"))
        for end in ends
    ]

    numbers = [each["residents"]["nodes"][0]["household"]["number"] for each in alone]
    assert len(set(numbers)) == len(ends)
    assert [data[name]["nodes"][0]["a"]["number"] for name in ("e0", "e1")] == numbers
    assert sorted(graph.reads()) == sorted([RESIDENTS, RESIDENTS, HOUSEHOLDS, HOUSEHOLDS])


async def test_fields_that_ask_otherwise_are_read_apart() -> None:
    graph = build_graph()
    part = "a: cases(first: 1) { nodes { number } } b: cases(first: 2) { nodes { status } }"

    await graph.data("province", f"{{ {PEOPLE % part} }}")

    assert graph.reads() == [RESIDENTS, CASES, CASES]


@pytest.mark.parametrize("first", [1, 100])
async def test_provenance_tells_of_the_fields_of_its_own_place(first: int) -> None:
    cases = f"cases(first: {first})"
    query = (
        f"{{ a: {cases} {{ totalCount }} b: {cases} {{ nodes {{ status }} }}"
        f" c: {cases} {{ nodes {{ number _provenance {{ field }} }} }} }}"
    )

    data = await build_graph().data("province", query)

    told = {each["field"] for node in data["c"]["nodes"] for each in node["_provenance"]}
    assert told == {"number"}
    assert data["a"]["totalCount"] >= len(data["b"]["nodes"]) == len(data["c"]["nodes"])


async def test_what_a_system_does_not_give_fails_at_each_place_that_asked() -> None:
    systems = dict(build_graph().sources)
    graph = build_graph({**systems, "service_platform": DownSource(systems["service_platform"])})
    part = "a: cases { nodes { number } } b: cases { totalCount nodes { status } }"

    answer = await graph.ask("province", f"{{ residents(first: 1) {{ nodes {{ {part} }} }} }}")

    paths = [["residents", "nodes", 0, name] for name in ("a", "b")]
    assert answer.data == {"residents": {"nodes": [{"a": None, "b": None}]}}
    assert [error.path for error in answer.errors] == paths
    told = {each["source"]: each["paths"] for each in answer.extensions["completeness"]}
    assert told == {"population": [], "service_platform": paths}


class Waiting(MemorySource):
    """A system that takes its time."""

    def __init__(self, source: Source) -> None:
        super().__init__(source.name, source.title, {}, {})
        self.source = source
        self.entities = dict(source.entities)
        self.asked, self.is_given_up = asyncio.Event(), asyncio.Event()

    async def read(self, read: Read) -> Rows:
        self.asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.is_given_up.set()
        raise AssertionError("nobody waits for it")


async def test_a_read_that_is_shared_is_given_up_with_the_request() -> None:
    service = Waiting(build_graph().sources["service_platform"])
    graph = build_graph({service.name: service})
    part = "a: cases { nodes { number } } b: cases { nodes { status } }"
    asked = asyncio.create_task(graph.ask("province", f"{{ {PEOPLE % part} }}"))

    await service.asked.wait()
    asked.cancel()

    async with asyncio.timeout(5):
        await service.is_given_up.wait()


@pytest.mark.parametrize(
    ("query", "reads"),
    [
        ("{ residents(first: 50) { totalCount nodes { name } } }", 1),
        ("{ residents(last: 50) { totalCount nodes { name } } }", 1),
        ("{ residents(first: 1) { totalCount nodes { name } } }", 2),
        ("{ residents(first: 0) { totalCount nodes { name } } }", 2),
        ("{ residents { totalCount } }", 1),
        ('{ residents(where: {name: {eq: "nobody"}}) { totalCount nodes { name } } }', 1),
        (
            "{ residents(first: 2) { nodes { cases(first: 9) { totalCount nodes { number } } } } }",
            2,
        ),
        (
            "{ residents(first: 2) { nodes { cases(first: 1) { totalCount nodes { number } } } } }",
            3,
        ),
        ("{ residents(first: 2) { nodes { cases { totalCount } } } }", 2),
    ],
)
async def test_rows_are_counted_by_the_page_where_it_holds_all(query: str, reads: int) -> None:
    graph, counted = build_graph(), build_graph()

    data = await graph.data("province", query)
    alone = query.replace("nodes { name }", "").replace(" nodes { number }", "")
    numbers = await counted.data("province", alone)

    assert len(graph.reads()) == reads
    assert _counts(data) == _counts(numbers)


async def test_a_page_behind_a_cursor_does_not_count_the_list() -> None:
    graph = build_graph()
    first = await graph.data("province", "{ residents(first: 1) { pageInfo { endCursor } } }")
    cursor = first["residents"]["pageInfo"]["endCursor"]
    query = f'{{ residents(first: 50, after: "{cursor}") {{ totalCount nodes {{ name }} }} }}'

    page = (await graph.data("province", query))["residents"]

    assert page["totalCount"] == len(page["nodes"]) + 1
    assert len(graph.reads()) == 3


def _counts(data: object) -> list[object]:
    if isinstance(data, list):
        return [count for each in data for count in _counts(each)]
    if not isinstance(data, dict):
        return []
    inner = [count for value in data.values() for count in _counts(value)]
    return [data["totalCount"], *inner] if "totalCount" in data else inner
