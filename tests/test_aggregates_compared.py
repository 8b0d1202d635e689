"""Tables about people that one account can compare with one another: they hide the same cells."""

from dataclasses import replace
from math import inf

import pytest

from auth.openings import Opening, Purpose
from auth.principal import Principal
from tests import world
from tests.test_aggregates_published import STATISTICIANS, TOWNSHIPS, graph_of, told
from tests.twins import graph_over


@pytest.mark.parametrize("purpose", [Purpose.WINDOW, Purpose.CASE])
async def test_what_somebody_opens_changes_no_byte_of_what_is_published(purpose: Purpose) -> None:
    # With the person of the second township out of it, the third one would be published and the
    # second one not; both tables together give the first one away.
    numbers = {(TOWNSHIPS[0], "MALE"): 4, (TOWNSHIPS[1], "MALE"): 6, (TOWNSHIPS[2], "MALE"): 7}
    query = """{ aggregate { residents(groupBy: [{field: RESIDENCE_DIVISION, level: TOWNSHIP}]) {
      groups { keys { value } count } total { count }
    } } }"""
    roles, scopes = ("statistician", "township_clerk"), ("3202", TOWNSHIPS[3])
    who = Principal("s", roles, scopes)
    fields = frozenset({"Resident.idNumber"})
    people = [Opening(world.id_number(each), purpose, 1, fields, inf) for each in (4, 5, 10)]
    graphs = [graph_of(numbers) for _ in range(4)]

    plain = await told(graphs[0], who, query)
    opened = [
        await told(graph, replace(who, openings=(person,)), query)
        for graph, person in zip(graphs[1:], people, strict=True)
    ]

    assert opened == [plain] * 3
    assert [graph.reads() for graph in graphs[1:]] == [graphs[0].reads()] * 3
    counts = [group["count"] for group in plain["data"]["aggregate"]["residents"]["groups"]]
    assert sorted(map(str, counts)) == ["7", "None", "None"]


async def test_numbers_and_sums_are_suppressed_in_the_same_cells_whatever_is_asked_for() -> None:
    # Households without a size: by their number the second township would hide the first one, by
    # sizes the third; numbers and averages together would give the first one away.
    sizes: dict[str, list[int | None]] = {
        TOWNSHIPS[0]: [3] * 4,
        TOWNSHIPS[1]: [2] * 9,
        TOWNSHIPS[2]: [*[4] * 6, *[None] * 4],
    }
    households = [
        {
            **world.HOUSEHOLDS[0],
            "number": f"{place}{at}",
            "division": place,
            "size": size,
            "headIdNumber": f"{place}{at}",
        }
        for place, several in sizes.items()
        for at, size in enumerate(several)
    ]
    found = []
    for figures in ("count", "sum(field: SIZE)", "avg(field: SIZE)", "count avg(field: SIZE)"):
        graph = graph_over({**world.ROWS, "Household": households})
        query = f"""{{ aggregate {{ households(groupBy: [{{field: DIVISION, level: TOWNSHIP}}]) {{
          groups {{ keys {{ value }} {figures} suppressed }}
        }} }} }}"""
        answer = await told(graph, STATISTICIANS["city"], query)
        groups = answer["data"]["aggregate"]["households"]["groups"]
        nulls = {group["keys"][0]["value"] for group in groups if None in group.values()}
        assert nulls == {group["keys"][0]["value"] for group in groups if group["suppressed"]}
        found.append((nulls, graph.sources["population"].reads))

    assert found == [found[0]] * 4
    assert found[0][0] == {*TOWNSHIPS[:3]}
