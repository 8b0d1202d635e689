"""Scene: the bureau of statistics counts what it may not list, and nobody is found out by it."""

from typing import Any

import pytest

from tests.scenes.desk import Desk

pytestmark = pytest.mark.asyncio(loop_scope="session")

STATISTICIAN, OFFICER = "statistician-3202", "city-3202"
TABLES = (
    'residents(groupBy: [{field: SEX}], where: {residenceDivision: {within: "3202"}})',
    "residents(groupBy: [{field: RESIDENCE_DIVISION, level: TOWNSHIP}, {field: SEX}],"
    ' where: {residenceDivision: {within: "3202"}})',
    "households(groupBy: [{field: DIVISION, level: COUNTY}, {field: KIND}])",
    "cases(groupBy: [{field: DEPARTMENT}])",
    "cases(groupBy: [{field: ACCEPTING_DIVISION, level: COUNTY}])",
    "cases(groupBy: [{field: ACCEPTING_DIVISION, level: COUNTY}, {field: DEPARTMENT}])",
    'cases(groupBy: [{field: DEPARTMENT}], where: {department: {in: ["民政", "市监"]}})',
)
FIGURES = "{ groups { keys { value label } count suppressed } total { count suppressed } }"


@pytest.mark.parametrize("table", TABLES)
async def test_what_is_published_is_what_an_officer_counts_but_for_what_is_suppressed(
    desk: Desk, table: str
) -> None:
    query = f"{{ aggregate {{ table: {table} {FIGURES} }} }}"

    published = (await desk.ask(STATISTICIAN, query)).data["aggregate"]["table"]
    counted = (await desk.ask(OFFICER, query)).data["aggregate"]["table"]

    numbers = {_key(group): group["count"] for group in counted["groups"]}
    assert [_key(group) for group in published["groups"]] == list(numbers)
    for group in published["groups"]:
        assert group["count"] in (None, numbers[_key(group)])
        assert group["suppressed"] is (group["count"] is None)
        assert group["suppressed"] or group["count"] >= 5
    assert published["total"]["count"] in (None, counted["total"]["count"])


async def test_in_a_city_with_few_people_most_cells_are_published_of_a_coarse_table(
    desk: Desk,
) -> None:
    query = f"{{ aggregate {{ table: {TABLES[0]} {FIGURES} }} }}"

    table = (await desk.ask(STATISTICIAN, query)).data["aggregate"]["table"]

    assert [group["suppressed"] for group in table["groups"]] == [False, False]
    assert table["total"]["suppressed"] is False


async def test_who_counts_lists_nobody(desk: Desk) -> None:
    answer = await desk.ask(
        STATISTICIAN, "{ residents { totalCount nodes { name } } cases { totalCount } }"
    )

    assert answer.data == {
        "residents": {"totalCount": 0, "nodes": []},
        "cases": {"totalCount": 0},
    }
    assert answer.calls == []


def _key(group: Any) -> tuple[tuple[str | None, str | None], ...]:
    return tuple((key["value"], key["label"]) for key in group["keys"])
