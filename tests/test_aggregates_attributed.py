"""Figures that show values of people are told to the ledger, and count as people who were read."""

from dataclasses import replace
from typing import Any

import pytest

from auth.quota import PEOPLE
from auth.reading import Reading
from auth.throttle import Throttle
from resolvers.spending import Spending
from schema.errors import formatted
from tests import oracle, world
from tests.graph import Graph
from tests.twins import graph_over

CLERK = "clerk"
NAMES = "residents(groupBy: [{field: NAME}, {field: ADDRESS}]) { groups { keys { value } } }"
BY_SEX = "residents(groupBy: [{field: SEX}]) { groups { keys { value } } }"
BY_PLACE = "residents(groupBy: [{field: RESIDENCE_DIVISION}]) { groups { count } }"
ONE = 'residents(where: {name: {eq: "%s"}, address: {eq: "0号"}}) { total { max(field: ADDRESS) } }'


async def read(graph: Graph, asked: str, spending: Spending | None = None) -> Any:
    context = graph.context(CLERK)
    context = replace(context, spending=spending) if spending else context
    query = f"{{ aggregate {{ answer: {asked} }} }}"
    result = await graph.schema.execute(query, context_value=context)
    errors: list[Any] = formatted(result.errors or (), "request")
    codes = [each["extensions"]["code"] for each in errors]
    return result.data, codes, context.readings


def told(reading: Reading) -> tuple[set[str], set[object]]:
    return set(reading.fields), set(reading.subjects)


async def test_a_table_by_names_is_on_record_with_the_people_whose_names_it_shows() -> None:
    _, codes, readings = await read(graph_over(world.ROWS), NAMES)

    people: set[object] = {row["idNumber"] for row in oracle.visible(CLERK)["Resident"]}
    assert codes == []
    assert [told(each) for each in readings] == [({"name", "address"}, people)]


async def test_an_extreme_of_one_row_is_on_record_with_whose_it_is() -> None:
    row = world.RESIDENTS[0]

    data, _, readings = await read(graph_over(world.ROWS), ONE % row["name"])

    assert data == {"aggregate": {"answer": {"total": {"max": "0号"}}}}
    assert [told(each) for each in readings] == [({"address"}, {row["idNumber"]})]


@pytest.mark.parametrize(("asked", "fields"), [(BY_SEX, {"sex"}), (BY_PLACE, set())])
async def test_groups_of_many_people_and_of_what_is_open_name_nobody(
    asked: str, fields: set[str]
) -> None:
    people = [world.person(serial, "某", world.XIBEI) for serial in range(20)]
    graph = graph_over({**world.ROWS, "Resident": people})

    _, codes, readings = await read(graph, asked)

    assert codes == []
    assert [told(each) for each in readings] == [(fields, set())]
    assert len(graph.reads()) == 1


async def test_tables_of_names_end_with_the_quota_of_people_and_nobody_is_asked() -> None:
    throttle, quota = Throttle(), {PEOPLE: {60: 1}}
    first, second = graph_over(world.ROWS), graph_over(world.ROWS)

    _, before, _ = await read(first, NAMES, Spending(throttle, CLERK, quota))
    _, after, _ = await read(second, NAMES, Spending(throttle, CLERK, quota))
    _, open_, _ = await read(second, BY_PLACE, Spending(throttle, CLERK, quota))

    assert (before, after, open_) == ([], ["RATE_LIMITED"], [])
    assert len(second.reads()) == 1
