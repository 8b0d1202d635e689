"""Cases live in four systems: each has a home, and the platform has copies of most."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import chain
from zoneinfo import ZoneInfo

import pytest

from contract.entity import UNKNOWN
from contract.predicate import Comparison, In, Leaf, Operator, Within, evaluate
from contract.read import Order, Read
from contract.source import pushes
from demo import scene
from demo.case_keeping import PLATFORM, copy, home, is_shared
from demo.cases import Case
from demo.land import CORE
from demo.province import province
from demo.working_days import TODAY
from onboarding.check import check
from sources import rowset
from sources.assembly import Assembly
from sources.declaration import Department
from sources.divisions import division_tree
from tests.demo.conftest import RESIDENTS, SEED

OWN = ("civil_affairs", "social_security", "market_regulation")
HOMES = (*OWN, PLATFORM)
KEYS = ("number", "applicantIdNumber", "acceptingDivision")
OLDER = ("status", "acceptedAt", "promisedOn")
CHINA = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 10, 9, 12, tzinfo=CHINA).astimezone(UTC)
FILTERS: dict[str, Leaf] = {
    "one status with several codes": Comparison("status", Operator.EQ, "CLOSED"),
    "several statuses": In("status", ("ACCEPTED", "RECEIVED", "WITHDRAWN")),
    "a city": Within("acceptingDivision", "3202"),
    "some townships": In("acceptingDivision", CORE[:9]),
    "applied since": Comparison("appliedAt", Operator.GTE, NOON),
    "applied until": Comparison("appliedAt", Operator.LTE, NOON),
}


@cache
def cases(residents: int = RESIDENTS) -> tuple[Case, ...]:
    return tuple(chain.from_iterable(each.cases for each in province(residents, SEED)))


def of_home(system: str) -> Iterator[Case]:
    return (case for case in cases() if home(case) == system)


def of_others(residents: int = RESIDENTS) -> tuple[Case, ...]:
    return tuple(case for case in cases(residents) if home(case) != PLATFORM)


def read_as(case: Case) -> dict[str, object]:
    applicant = case.applicant
    return {
        "number": case.number,
        "matterCode": case.matter.code,
        "department": case.matter.department,
        "applicantType": applicant.kind,
        "applicantName": applicant.name,
        "applicantIdNumber": applicant.id_number and applicant.id_number.upper(),
        "contactName": applicant.contact_name,
        "contactPhone": applicant.contact_phone,
        "channel": case.channel,
        "status": UNKNOWN if case.status == "OTHER" else case.status,
        "appliedAt": moment(case.applied_at),
        "acceptedAt": moment(case.accepted_at),
        "promisedOn": case.promised_on,
        "closedAt": moment(case.closed_at),
        "acceptingDivision": case.division,
        "acceptingOrganisation": case.organisation,
        "handler": case.handler,
        "updatedAt": moment(case.updated_at),
    }


def moment(there: datetime | None) -> datetime | None:
    return there and there.replace(tzinfo=CHINA)


async def rows_of(assembly: Assembly, system: str) -> dict[object, dict[str, object]]:
    fields = tuple(departments(assembly)[system].entities["Case"].columns)
    rows = await assembly.guards[system].read(Read("Case", fields))
    return {row[0]: dict(zip(fields, row, strict=True)) for row in rows.rows}


def departments(assembly: Assembly) -> dict[str, Department]:
    return {department.name: department for department in assembly.departments}


@pytest.mark.parametrize("system", OWN)
async def test_a_department_s_own_system_has_every_case_of_its_matters(
    assembly: Assembly, system: str
) -> None:
    rows = await rows_of(assembly, system)

    left_out = {"department"} | ({"contactName"} if system == "social_security" else set())
    assert rows == {
        case.number: {
            field: value for field, value in read_as(case).items() if field not in left_out
        }
        for case in of_home(system)
    }
    assert rows


async def test_the_platform_has_its_own_cases_and_its_copies_of_others(assembly: Assembly) -> None:
    rows = await rows_of(assembly, PLATFORM)

    copies = (copy(case) for case in of_others() if is_shared(case))
    assert rows == {case.number: read_as(case) for case in chain(of_home(PLATFORM), copies)}


async def test_all_systems_together_have_each_case_once_as_its_home_has_it(
    assembly: Assembly,
) -> None:
    fields = tuple(assembly.entities["Case"].fields)
    rows = await assembly.federation.read(
        Read("Case", fields, order_by=(Order("number"),), limit=5_000), []
    )

    everything = sorted(cases(), key=lambda case: case.number)
    wanted = [read_as(case) for case in everything]
    for case, row in zip(everything, wanted, strict=True):
        if home(case) == "social_security":
            row["contactName"] = None
    assert [dict(zip(fields, row, strict=True)) for row in rows.rows] == wanted
    assert {home(case) for case in everything} == set(HOMES)


@pytest.mark.parametrize("system", HOMES)
async def test_every_system_is_asked_for_what_it_can_find_itself(
    assembly: Assembly, system: str
) -> None:
    source, whole = assembly.guards[system], await rows_of(assembly, system)

    answers = {
        title: await source.read(Read("Case", ("number",), where))
        for title, where in FILTERS.items()
    }

    wanted = {
        title: {number for number, row in whole.items() if evaluate(where, row)}
        for title, where in FILTERS.items()
    }
    assert {t: {number for (number,) in rows.rows} for t, rows in answers.items()} == wanted
    assert all(pushes(source.entities["Case"], where) for where in FILTERS.values())
    assert all(0 < len(numbers) < len(whole) for numbers in wanted.values())


@pytest.mark.parametrize("system", ["civil_affairs", "social_security", PLATFORM])
async def test_a_database_sorts_by_time_whatever_it_keeps_times_as(
    assembly: Assembly, system: str
) -> None:
    for field in ("appliedAt", "acceptedAt", "closedAt", "promisedOn"):
        order = (Order(field, descending=True), Order("number"))
        rows = await assembly.guards[system].read(
            Read("Case", ("number", field), order_by=order, limit=5_000)
        )
        assert list(rows.rows) == list(rowset.ordered(rows, order).rows)
        assert None in {when for _, when in rows.rows}


def test_about_one_case_in_seven_of_the_departments_is_unknown_to_the_platform() -> None:
    unknown = [case for case in of_others(12_000) if not is_shared(case)]

    assert 0.12 < len(unknown) / len(of_others(12_000)) < 0.18
    assert {case.channel for case in unknown} == {"WINDOW"}
    assert {home(case) for case in unknown} == set(OWN)


def test_about_one_copy_in_ten_is_older_or_written_differently() -> None:
    shared = [case for case in of_others(12_000) if is_shared(case)]
    pairs = [(case, copy(case)) for case in shared if copy(case) != case]
    kinds = Counter(tuple(differing(*pair)) for pair in pairs)

    assert 0.07 < len(pairs) / len(shared) < 0.13
    assert kinds.keys() - {(*OLDER, "closedAt", "updatedAt")} == {
        ("handler",),
        ("contactPhone",),
        ("status", "closedAt", "updatedAt"),
        (*OLDER, "updatedAt"),
    }


def differing(case: Case, other: Case) -> list[str]:
    mine, theirs = read_as(case), read_as(other)
    return [field for field, value in mine.items() if theirs[field] != value]


def test_a_copy_is_never_newer_than_its_case_and_runs_forward_in_time() -> None:
    for case in of_others(12_000):
        other = copy(case)
        known = [each for each in (other.applied_at, other.accepted_at, other.closed_at) if each]
        assert [*known, other.updated_at] == sorted([*known, other.updated_at])
        assert (other.status == case.status) == (other.updated_at == case.updated_at)
        assert other.updated_at <= case.updated_at


def test_the_platform_copies_its_own_cases_as_they_are() -> None:
    assert [case for case in cases() if home(case) == PLATFORM and copy(case) != case] == []


def test_the_scene_s_cases_are_in_two_homes_and_the_same_on_the_platform() -> None:
    assert [(home(case), is_shared(case), copy(case) == case) for case in scene.cases()] == [
        ("civil_affairs", True, True),
        ("civil_affairs", True, True),
        ("social_security", True, True),
    ]


@pytest.mark.parametrize("entity", ["CaseEvent", "CaseMaterial", "CaseResult"])
async def test_a_case_that_the_platform_does_not_know_has_no_parts_there(
    assembly: Assembly, entity: str
) -> None:
    rows = await assembly.guards[PLATFORM].read(Read(entity, ("caseNumber",)))

    unknown = {case.number for case in of_others() if not is_shared(case)}
    found = {number for (number,) in rows.rows}
    assert unknown
    assert found
    assert found & unknown == set()


@pytest.mark.parametrize("system", HOMES)
async def test_nothing_that_is_said_of_a_system_s_cases_is_disproved(
    assembly: Assembly, system: str
) -> None:
    known = division_tree()
    reports = await check(
        [departments(assembly)[system]],
        assembly.guards,
        lambda code: known.get(code) is not None,
        today=TODAY + timedelta(days=1),
    )

    (report,) = (report for report in reports if report.entity == "Case")
    refuted = [claim.name for claim in report.claims if claim.verdict == "disproved"]
    proved = [claim.name for claim in report.claims if claim.verdict == "proved"]
    assert (report.state, refuted) == ("reachable", [])
    assert {f"for each {field}" for field in KEYS} <= {*proved}
    assert report.quality is not None
    assert report.quality.invalid_values == {}
    assert report.quality.unknown_divisions == {}
