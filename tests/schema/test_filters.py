"""How much one filter may ask for."""

import pytest

from tests.graph import build_graph

TOO_DEEP = "筛选条件嵌套超过8层,请简化。"
TOO_MANY = "筛选条件超过200项,请简化。"


def nested(name: str, levels: int) -> str:
    """Return a filter of so many levels."""
    before, behind = (name + ": [{", "}]") if name in ("and", "or") else (name + ": {", "}")
    return "{" + before * (levels - 1) + "sex: {eq: MALE}" + behind * (levels - 1) + "}"


@pytest.mark.parametrize("name", ["not", "and", "or"])
async def test_a_filter_of_more_than_eight_levels_is_refused_and_nobody_is_asked(name: str) -> None:
    graph = build_graph()
    query = "{ residents(where: %s) { totalCount } }"

    deep, deeper = [await graph.ask("clerk", query % nested(name, levels)) for levels in (8, 9)]

    assert deep.errors is None
    assert [str(error.original_error) for error in deeper.errors or ()] == [TOO_DEEP]
    assert len(graph.reads()) == 1


async def test_a_way_through_related_rows_counts_as_levels() -> None:
    graph, way = build_graph(), "cases: {applicant: {"
    where = "{" + way * 4 + "sex: {eq: MALE}" + "}}" * 4 + "}"

    result = await graph.ask("clerk", f"{{ residents(where: {where}) {{ totalCount }} }}")

    assert [str(error.original_error) for error in result.errors or ()] == [TOO_DEEP]
    assert graph.reads() == []


async def test_a_filter_of_more_than_two_hundred_parts_is_refused() -> None:
    graph = build_graph()
    query = "query($w: ResidentWhere) { residents(where: $w) { totalCount } }"
    wide, wider = [
        await graph.ask("clerk", query, w={"or": [{"sex": {"eq": "MALE"}}] * number})
        for number in (100, 101)
    ]

    assert wide.errors is None
    assert [str(error.original_error) for error in wider.errors or ()] == [TOO_MANY]
    assert len(graph.reads()) == 1


async def test_nothing_is_among_nothing_also_where_there_is_no_value() -> None:
    query = "{ residents(where: {%s}) { nodes { deathDate } } }"
    among, others = "deathDate: {in: []}", "not: {deathDate: {in: []}}"

    found = [(await build_graph().ask("clerk", query % where)).data for where in (among, others)]

    dates = [None, None, None, None, None, "2024-02-29"]
    assert found == [
        {"residents": {"nodes": []}},
        {"residents": {"nodes": [{"deathDate": date} for date in dates]}},
    ]
