"""The stand-in of the low-income platform: its data, and its service asked over the wire."""

import asyncio
from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest

from contract.errors import SourceUnavailable
from contract.predicate import Comparison, In, Operator, Within, all_of
from contract.read import ForEach, Read
from demo import scene
from demo.low_income import Monitored, monitored
from demo.province import Records, province
from demo.systems import Systems
from demo.working_days import TODAY
from schema.graph import core_entities
from sources.assembly import Assembly, assemble
from sources.mapping import load_departments
from tests.demo.conftest import SEED

NAME = "low_income_platform"
MAPPING = Path(__file__).parents[2] / "departments" / f"{NAME}.toml"
PERSONS = """
query ($filter: PersonFilter, $first: Int, $after: String) {
  monitoredPersons(filter: $filter, first: $first, after: $after) {
    totalCount nodes { certificateNo household { alertLevel } } pageInfo { hasNextPage endCursor }
  }
}
"""


@cache
def made(residents: int = 20_000) -> tuple[tuple[Records, tuple[Monitored, ...]], ...]:
    every = province(residents, SEED)
    return tuple((records, tuple(monitored(records))) for records in every)


def ask(
    systems: Systems, text: str, variables: dict[str, object], token: str | None = None
) -> httpx.Response:
    address, secret = (systems.environment[f"{NAME.upper()}_{part}"] for part in ("URL", "TOKEN"))
    return httpx.post(
        f"{address}/graphql",
        json={"query": text, "variables": variables},
        headers={"Authorization": f"Bearer {secret if token is None else token}"},
        trust_env=False,
    )


def persons(systems: Systems, **variables: object) -> dict[str, Any]:
    answer: dict[str, Any] = ask(systems, PERSONS, variables).json()
    assert set(answer) == {"data"}
    found: dict[str, Any] = answer["data"]["monitoredPersons"]
    return found


def test_it_has_most_households_on_assistance_and_some_that_nobody_applied_for() -> None:
    on_assistance, on_both, found = 0, 0, 0
    for records, households in made():
        heads = {row.head.id_number for row in households}
        assisted = {
            row.head_id_number.upper()
            for row in records.assistances
            if row.state == "ACTIVE" and row.kind not in ("TEMPORARY", "OTHER")
        }
        on_assistance += len(assisted)
        on_both += len(assisted & heads)
        found += len(heads - assisted)

    assert 0.8 < on_both / on_assistance < 0.99
    assert 0.3 < found / on_both < 1.2


def test_what_it_says_makes_sense() -> None:
    every = [row for _, households in made() for row in households]

    assert len({row.archive for row in every}) == len(every)
    assert [row for row in every if (row.warning is None) is not (row.warnings == 0)] == []
    assert [row for row in every if (row.warned is None) is not (row.warning is None)] == []
    assert [row for row in every if (row.verified is None) is not (row.method is None)] == []
    assert [row for row in every if max(row.updated, row.verified or row.updated) > TODAY] == []


def test_it_answers_for_the_head_of_the_scene(running: Systems) -> None:
    assert persons(running, filter={"certificateNoIn": [scene.HEAD.id_number]}) == {
        "totalCount": 1,
        "nodes": [{"certificateNo": scene.HEAD.id_number, "household": {"alertLevel": "ORANGE"}}],
        "pageInfo": {"hasNextPage": False, "endCursor": "TFA5OTk5OTk5NDE="},
    }


def test_pages_together_are_everybody(running: Systems) -> None:
    whole = persons(running, first=500)
    found: list[object] = []
    after: str | None = None
    while True:
        page = persons(running, first=30, after=after)
        found += page["nodes"]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break

    assert found == whole["nodes"]
    assert len(found) == whole["totalCount"] > 30


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"first": 501}, "first为1至500"),
        ({"first": 0}, "first为1至500"),
        ({"after": "张"}, "游标无效"),
        ({"filter": {"certificateNoIn": list(map(str, range(501)))}}, "certificateNoIn不超过500个"),
    ],
)
def test_a_wrong_question_is_refused(
    running: Systems, variables: dict[str, object], message: str
) -> None:
    answer = ask(running, PERSONS, variables)

    assert (answer.status_code, answer.json()["data"]) == (400, None)
    assert [error["message"] for error in answer.json()["errors"]] == [message]


def test_a_wrong_token_gets_nothing(running: Systems) -> None:
    answer = ask(running, PERSONS, {}, "wrong")

    assert (answer.status_code, answer.json()) == (401, {"errors": [{"message": "令牌无效"}]})


@pytest.fixture
async def assembly(running: Systems, tmp_path: Path) -> AsyncIterator[Assembly]:
    (tmp_path / MAPPING.name).write_text(MAPPING.read_text("utf-8"), "utf-8")
    core = core_entities()
    assembled = assemble(core, load_departments(tmp_path, core, running.environment), ())
    yield assembled
    await assembled.aclose()


async def test_its_mapping_file_agrees_with_its_schema(assembly: Assembly) -> None:
    assert await assembly.mistakes() == ()


async def test_the_household_of_the_scene_is_monitored(assembly: Assembly) -> None:
    fields = ("householdNumber", "category", "level", "memberCount", "latestWarning")
    by_number = ForEach(("householdNumber",), ((scene.HOUSEHOLD.number,),))

    rows = await assembly.guards[NAME].read(Read("HouseholdMonitoring", fields, for_each=by_number))

    assert list(rows.rows) == [
        (scene.HOUSEHOLD.number, "MINIMUM_LIVING_ALLOWANCE", "ORANGE", 3, "MEDICAL_EXPENSE")
    ]


async def test_its_filters_keep_what_its_rows_say(assembly: Assembly) -> None:
    source, fields = assembly.guards[NAME], ("number", "level", "division", "verifiedOn")
    day = TODAY.replace(month=6)
    where = all_of(
        In("level", ("YELLOW", "ORANGE")),
        Within("division", "3202"),
        Comparison("verifiedOn", Operator.LT, day),
    )

    everything = await source.read(Read("HouseholdMonitoring", fields))
    found = await source.read(Read("HouseholdMonitoring", fields, where))

    assert list(found.rows) == [
        row
        for row in everything.rows
        if row[1] in ("YELLOW", "ORANGE")
        and str(row[2]).startswith("3202")
        and row[3] is not None
        and row[3] < day  # type: ignore[operator] # it is a date
    ]
    assert 0 < len(found.rows) < len(everything.rows)


async def test_it_is_unavailable_while_it_is_down_and_answers_once_it_is_back(
    running: Systems, assembly: Assembly
) -> None:
    source = assembly.opened[0]
    read = Read("LowIncomeRecord", ("number",))
    service = running._services[NAME]

    await asyncio.to_thread(service.stop)
    with pytest.raises(SourceUnavailable):
        await source.read(read)
    await asyncio.to_thread(running.restart, NAME)
    rows = await source.read(read)

    assert len(rows.rows) > 0
