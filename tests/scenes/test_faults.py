"""Scene: a department's system fails; its own fields are lost, by name, and nothing else is."""

import asyncio
import os
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest

from demo import mariadb, scene
from demo.systems import Systems
from gateway.graph import open_graph
from tests.scenes.desk import CLERK, FILES, SECRET, Answer, Desk
from tests.scenes.faults import Fault, file_locked, file_moved, hung, killed, locked, shut

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timed]

EVERYTHING = """
query Everything($idNumber: String!) {
  residents(first: 3) { nodes { name } }
  resident(idNumber: $idNumber) {
    name
    household { number members { name } }
    socialInsurances { kind state }
    medicalEnrollments { kind state }
    assistances { kind state }
    cases(first: 50) { nodes { number } }
  }
  cases(first: 50) { totalCount nodes { number applicantName } }
  enterprises(first: 5) { nodes { name } }
  matter(code: "320000030003") { name materials { name } }
}
"""
SPARE_SECONDS = 0.5

Path = list[str | int]
POPULATION: list[Path] = [["resident"], ["residents"]]
INSURANCE: list[Path] = [["resident", "socialInsurances"]]
REGISTRY: list[Path] = [["enterprises"]]
ASSISTANCE: list[Path] = [["resident", "assistances"]]
ENROLLMENT: list[Path] = [["resident", "medicalEnrollments"]]
COUNT: Path = ["cases", "totalCount"]
KEEPERS = {"service_platform", "civil_affairs", "social_security", "market_regulation"}


@dataclass(frozen=True)
class Case:
    """
    A fault of a system, and what each system that it hits must lose of the answer.

    `lost`: what is null then. Cases are in four systems: without one, their lists are parts of what
    they were, and say so, and their number is not known.
    """

    name: str
    fault: Fault
    state: str
    lost: dict[str, list[Path]] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return f"{self.name}-{self.fault.__name__}"

    @property
    def errors(self) -> list[tuple[str, Path]]:
        paths = [path for paths in self.lost.values() for path in paths]
        count = [COUNT] if KEEPERS & {*self.lost} else []
        return [(f"SOURCE_{self.state}", path) for path in sorted([*paths, *count])]

    @property
    def told(self) -> dict[str, tuple[str, list[Path]]]:
        persons: list[Path] = [] if "population" in self.lost else [["resident", "cases"]]
        parts: list[Path] = [["cases"], *persons, COUNT]
        return {
            name: (self.state, [*parts, *paths] if name in KEEPERS else paths)
            for name, paths in self.lost.items()
        }


RECOVERY_SECONDS = 5
DOWN, LATE = "UNAVAILABLE", "TIMEOUT"
SERVER: dict[str, list[Path]] = {"population": POPULATION, "service_platform": []}
CASES = [
    Case("population", shut, DOWN, {"population": POPULATION}),
    Case("population", locked, LATE, {"population": POPULATION}),
    Case("service_platform", shut, DOWN, {"service_platform": []}),
    Case("service_platform", locked, LATE, {"service_platform": []}),
    Case("population", killed, DOWN, SERVER),
    Case("population", hung, LATE, SERVER),
    Case("social_security", file_moved, DOWN, {"social_security": INSURANCE}),
    Case("social_security", file_locked, LATE, {"social_security": INSURANCE}),
    Case("market_regulation", killed, DOWN, {"market_regulation": REGISTRY}),
    Case("market_regulation", hung, LATE, {"market_regulation": REGISTRY}),
    Case("civil_affairs", killed, DOWN, {"civil_affairs": ASSISTANCE}),
    Case("civil_affairs", hung, LATE, {"civil_affairs": ASSISTANCE}),
    Case("medical_insurance", killed, DOWN, {"medical_insurance": ENROLLMENT}),
    Case("medical_insurance", hung, LATE, {"medical_insurance": ENROLLMENT}),
]
LATE_CASES = [case for case in CASES if case.state == LATE]
KILLED_CASES = [case for case in CASES if case.fault is killed]


def names(case: Case) -> str:
    return case.id


async def everything(desk: Desk) -> Answer:
    return await desk.ask(CLERK, EVERYTHING, idNumber=scene.HEAD.id_number)


async def recovered(desk: Desk, well: Answer) -> None:
    """Wait until the answer is whole again, by itself and soon."""
    async with asyncio.timeout(RECOVERY_SECONDS):
        while (await everything(desk)).bytes != well.bytes:  # noqa: ASYNC110 -- no event to wait for
            await asyncio.sleep(0.1)


def assert_nothing_else_is_lost(well: Answer, ill: Answer) -> None:
    """Compare all but what the answer itself says is null or a part."""
    before, now = well.body["data"], ill.body["data"]
    for _, path in ill.errors:
        assert taken(now, path) is None
        taken(before, path)
    lists: list[Path] = [["cases"], ["resident", "cases"]]
    for path in lists:
        if any(path in paths for _, paths in ill.lost.values()):
            rows = iter(taken(before, [*path, "nodes"]))
            assert all(row in rows for row in taken(now, [*path, "nodes"]))
    assert orjson.dumps(now) == orjson.dumps(before)


def taken(data: Any, path: Path) -> Any:
    """Put null at the path and return what was there."""
    *above, last = path
    for step in above:
        data = data[step]
    found, data[last] = data[last], None
    return found


def need_engine_of(case: Case) -> None:
    if case.name == "civil_affairs" and mariadb.program() is None:
        absent = "mariadbd is not installed: civil affairs has no server of its own to lose"
        if os.environ.get("CI"):
            pytest.fail(absent)
        pytest.skip(absent)


def budget(desk: Desk, case: Case) -> float:
    departments = desk.graph.assembly.departments
    return max(each.budget.seconds for each in departments if each.name in case.lost)


@pytest.mark.parametrize("case", CASES, ids=names)
async def test_a_failed_system_costs_its_own_fields_in_time_and_comes_back_by_itself(
    desk: Desk, province: Systems, case: Case
) -> None:
    need_engine_of(case)
    well = await everything(desk)
    assert well.errors == []

    async with case.fault(province, case.name):
        ill = await everything(desk)
        again = await everything(desk)
        assert not desk.graph.is_complete
    await recovered(desk, well)

    assert_nothing_else_is_lost(well, ill)
    assert ill.errors == case.errors
    assert ill.lost == case.told
    assert orjson.dumps(again.body["data"]) == orjson.dumps(ill.body["data"])
    assert max(ill.seconds, again.seconds) < budget(desk, case) + SPARE_SECONDS
    assert desk.graph.is_complete


@pytest.mark.parametrize("case", LATE_CASES, ids=names)
async def test_a_crowd_before_a_hung_system_leaves_no_place_taken(
    desk: Desk, province: Systems, case: Case
) -> None:
    need_engine_of(case)
    well = await everything(desk)

    async with case.fault(province, case.name):
        crowd = await asyncio.gather(*(everything(desk) for _ in range(40)))
    await recovered(desk, well)
    after = await asyncio.gather(*(everything(desk) for _ in range(5)))

    # After failures in a row a system is left alone, and says so at once.
    codes = {code for answer in crowd for code, _ in answer.errors}
    assert {"SOURCE_TIMEOUT"} <= codes <= {"SOURCE_TIMEOUT", "SOURCE_UNAVAILABLE"}
    assert all(set(case.lost) <= set(answer.lost) for answer in crowd)
    assert {answer.bytes for answer in after} == {well.bytes}


async def test_hung_systems_do_not_keep_a_server_from_closing(province: Systems) -> None:
    leaving = Desk(open_graph(FILES, province.environment, SECRET))
    well = await everything(leaving)

    async with hung(province, "population"):
        async with asyncio.timeout(3):
            await leaving.__aexit__()

    assert well.errors == []


@pytest.mark.parametrize("case", KILLED_CASES, ids=names)
async def test_a_system_that_dies_while_many_ask_costs_no_more_than_its_fields(
    patient: Desk, province: Systems, case: Case
) -> None:
    need_engine_of(case)
    well = await everything(patient)
    asking = [asyncio.create_task(everything(patient)) for _ in range(30)]
    await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)

    async with case.fault(province, case.name):
        answers = await asyncio.gather(*asking)
    await recovered(patient, well)
    after = await asyncio.gather(*(everything(patient) for _ in range(5)))

    for answer in answers:
        assert {code for code, _ in answer.errors} <= {"SOURCE_UNAVAILABLE"}
        assert answer.lost.keys() <= case.lost.keys()
        assert_nothing_else_is_lost(well, answer)
    assert {answer.bytes for answer in after} == {well.bytes}
