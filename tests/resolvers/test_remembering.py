"""What is remembered of questions, by decision, by system and by plan, is nobody's and is short."""

import gc
from collections.abc import Iterator

import pytest

from tests import world
from tests.graph import PRINCIPALS, Graph, build_graph

LISTS = (
    "residents(first: 3{}) {{ totalCount nodes {{ name household {{ number }} }} }}",
    "cases(first: 3{}) {{ totalCount nodes {{ number applicant {{ name }} }} }}",
    "medicalEnrollments(first: 3{}) {{ totalCount nodes {{ kind }} }}",
)
NUMBER = world.id_number(0)
NUMBERS = [str(row["idNumber"]) for row in world.RESIDENTS if row["idNumber"]]
ASKED = (
    "",
    ", orderBy: [{number: DESC}]",
    ", orderBy: [{personNumber: ASC}]",
    ", orderBy: [{name: ASC}]",
    ", orderBy: [{cases: {appliedAt: DESC}}]",
    ", where: {status: {eq: CLOSED}}",
    ", where: {applicant: {sex: {eq: MALE}}}",
    ", where: {cases: {status: {eq: CLOSED}}}",
    ", where: {medicalEnrollments: {kind: {eq: RESIDENT}}}",
    f', where: {{idNumber: {{eq: "{NUMBER}"}}}}',
    f', where: {{residenceDivision: {{eq: "{NUMBER}"}}}}',
    f', where: {{residenceDivision: {{in: ["320205", "{NUMBER}"]}}}}',
    f', where: {{residenceDivision: {{within: "{NUMBER}"}}}}',
    f', where: {{applicant: {{residenceDivision: {{eq: "{NUMBER}"}}}}}}',
)


def tables(graph: Graph) -> Iterator[object]:
    """Yield every table of what is remembered of questions."""
    yield graph.gate._deciding._remembered
    federation = graph.gate._federation
    yield federation._recurring
    for parts in federation._parts.values():
        yield from (part._planned for part in parts)


def remembered(graph: Graph) -> str:
    return "".join(repr(gc.get_referents(table)) for table in tables(graph))


@pytest.mark.parametrize("account", ["clerk", "two", "province", "officer"])
async def test_nothing_of_anybody_is_remembered_whatever_is_asked(account: str) -> None:
    graph, answers = build_graph(), 0
    for fields in LISTS:
        for asked in ASKED:
            answer = await graph.ask(account, f"{{ {fields.format(asked)} }}")
            answers += answer.errors is None

    known = remembered(graph)

    assert answers >= len(LISTS)
    assert PRINCIPALS[account].scopes[0] in known
    assert [number for number in NUMBERS if number in known] == []


async def test_a_filter_with_many_values_is_not_remembered() -> None:
    graph = build_graph()
    codes = [f"320205{village:06}" for village in range(1, 100)]
    query = "query ($where: ResidentWhere) { residents(first: 1, where: $where) { totalCount } }"

    for several in (codes[:5], [*codes, "320206"]):
        await graph.data("clerk", query, where={"residenceDivision": {"in": several}})
    nested = {"or": [{"residenceDivision": {"in": codes[:50]}} for _ in range(2)]}
    await graph.data("clerk", query, where=nested)

    assert [
        code for code in ("320205000005", "320205000006", "320206'") if code in remembered(graph)
    ] == ["320205000005"]
