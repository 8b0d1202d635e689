"""`check` finds what is wrong with a system and its data, with few questions and no values."""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from contract.errors import SourceRefused, SourceTimeout, SourceUnavailable
from contract.predicate import INVALID, TRUE
from contract.read import Aggregate, Read, Rows
from contract.source import Capabilities, Source
from onboarding.check import NOT_ASKED, Report, check
from onboarding.sample import Quality
from onboarding.scorecard import render, table
from onboarding.trial import Claim, Verdict
from sources.declaration import Department
from sources.mapping import load_departments
from sources.rest import RestSource
from sources.sql import SqlSource
from tests.loopback import Received, Reply, json_reply, serving
from tests.stand import (
    CORE,
    MEDICAL,
    POPULATION,
    RIGHT,
    WRONG,
    Broken,
    Lie,
    Stand,
    by_key_only,
    enrollments,
    lower_excluded,
    nulls_first,
    people,
    without_filter,
    without_keys,
    without_limit,
    without_order,
)

TODAY = date(2026, 1, 1)


@pytest.fixture
def departments(tmp_path: Path) -> tuple[Department, ...]:
    (tmp_path / "population.toml").write_text(POPULATION, "utf-8")
    (tmp_path / "medical.toml").write_text(MEDICAL, "utf-8")
    medical, population = load_departments(tmp_path, CORE, {})
    return population, medical


async def of_population(
    departments: Sequence[Department], source: Source, known: Callable[[str], bool]
) -> Report:
    (report,) = await check(departments[:1], {"population": source}, known, today=TODAY)
    return report


def anywhere(_: str) -> bool:
    return True


def refuted(report: Report) -> list[str]:
    return sorted(claim.name for claim in report.claims if claim.verdict is Verdict.DISPROVED)


async def test_faults_of_the_data_are_counted_by_field(departments: Sequence[Department]) -> None:
    rows: list[dict[str, object]] = [
        {"number": "1", "idNumber": RIGHT, "sex": "MALE", "division": "320205"},
        {"number": "2", "idNumber": WRONG, "sex": "UNKNOWN", "division": "999999"},
        {"number": "3", "idNumber": None, "sex": "UNKNOWN", "birthDate": date(2026, 1, 2)},
        {"number": "4", "idNumber": RIGHT, "birthDate": INVALID, "division": INVALID},
        {"number": "5", "idNumber": RIGHT, "birthDate": TODAY},
    ]

    report = await of_population(
        departments, Stand(departments[0], {"Resident": rows}), {"320205"}.__contains__
    )

    assert (report.state, report.rows, report.sampled) == ("reachable", 5, 5)
    assert report.quality == Quality(
        unknown_codes={"sex": 2},
        invalid_identifiers={"idNumber": 1},
        invalid_values={"birthDate": 1, "division": 1},
        unknown_divisions={"division": 1},
        future_dates={"birthDate": 1},
    )


@pytest.mark.parametrize("count", [30, 1500])
async def test_an_honest_source_is_refuted_in_nothing(
    departments: Sequence[Department], count: int
) -> None:
    source = Stand(departments[0], {"Resident": people(count)})

    report = await of_population(departments, source, anywhere)
    proved = {claim.name for claim in report.claims if claim.verdict is Verdict.PROVED}

    assert (refuted(report), report.is_sound, report.rows) == ([], True, count)
    assert len(source.reads) <= 70
    assert proved >= {
        "sex.eq",
        "sex.in",
        "sex.isNull",
        "birthDate.lt",
        "birthDate.gte",
        "division.within",
        "idNumber.startsWith",
        "not",
        "or",
        "for each number",
        "order by birthDate",
        "limit",
    }


@pytest.mark.parametrize("count", [30, 1500])
@pytest.mark.parametrize(
    ("lie", "kinds"),
    [
        (without_filter, {"eq", "in", "isNull", "lt", "lte", "gt", "gte", "within", "not", "or"}),
        (without_keys, {"for each number"}),
        (without_limit, {"limit"}),
        (nulls_first, {"order by birthDate"}),
        (lower_excluded, {"lte", "contains"}),
    ],
)
async def test_a_source_that_does_not_do_what_it_claims_is_found_out(
    departments: Sequence[Department], count: int, lie: Lie, kinds: set[str]
) -> None:
    source = Stand(departments[0], {"Resident": people(count)}, lie=lie)

    report = await of_population(departments, source, anywhere)
    found = {name.rpartition(".")[2] for name in refuted(report)}

    assert not report.is_sound
    assert kinds - found == set()
    assert len(source.reads) <= 70


async def test_an_order_that_is_not_kept_is_found_out(departments: Sequence[Department]) -> None:
    rows = list(reversed(people(40)))
    source = Stand(departments[0], {"Resident": rows}, lie=without_order)

    report = await of_population(departments, source, anywhere)

    assert refuted(report) == [
        "order by birthDate",
        "order by birthDate descending",
        "order by division",
        "order by idNumber",
        "order by sex",
        "pages by idNumber",
        "pages by sex",
    ]


async def test_rows_that_are_counted_wrong_are_found_out(departments: Sequence[Department]) -> None:
    class Miscounting(Stand):
        async def aggregate(self, aggregate: Aggregate) -> Rows:
            names = tuple(measure.name for measure in aggregate.measures)
            return Rows(names, [(7,) * len(names)])

    report = await of_population(
        departments, Miscounting(departments[0], {"Resident": people(5)}), anywhere
    )

    assert (report.rows, refuted(report)) == (7, ["count"])


async def test_a_source_that_claims_nothing_is_only_sampled(
    departments: Sequence[Department],
) -> None:
    nothing = {field: getattr(Capabilities(), field) for field in Capabilities.__slots__}
    source = Stand(departments[0], {"Resident": people(2000)}, nothing)

    report = await of_population(departments, source, anywhere)

    claims = (Claim("key is unique", Verdict.PROVED),)
    assert (report.sampled, report.rows, report.claims) == (1000, None, claims)
    assert len(source.reads) == 1


@pytest.mark.parametrize(
    ("failure", "state"),
    [
        (SourceUnavailable("population"), "SOURCE_UNAVAILABLE"),
        (SourceTimeout("population"), "SOURCE_TIMEOUT"),
        (SourceRefused("population", detail=RIGHT), "SOURCE_REFUSED"),
    ],
)
async def test_a_source_that_fails_is_reported_with_its_state(
    departments: Sequence[Department], failure: Exception, state: str
) -> None:
    source = Broken(departments[0], {})
    source.failure = failure

    report = await of_population(departments, source, anywhere)

    assert report == Report("population", "Resident", state)
    assert table([report]) == (("population", "Resident", state, "–", "–", "–", "–", "–"),)


async def test_a_system_without_lists_is_asked_by_keys_sampled_elsewhere(
    departments: Sequence[Department],
) -> None:
    population = Stand(departments[0], {"Resident": people(30)})
    medical = Stand(departments[1], {"Enrollment": enrollments()}, by_key_only())

    _, report = await check(
        departments, {"population": population, "medical": medical}, anywhere, today=TODAY
    )

    assert (report.state, report.rows, report.sampled) == ("reachable", None, 14)
    assert {claim.name: claim.verdict for claim in report.claims} == {
        "key is unique": Verdict.PROVED,
        "kind.eq": Verdict.PROVED,
        "for each idNumber": Verdict.PROVED,
    }
    assert {len(read.for_each.keys) <= 7 if read.for_each else None for read in medical.reads} == {
        True
    }


async def test_a_system_that_ignores_a_parameter_is_found_out(
    departments: Sequence[Department],
) -> None:
    population = Stand(departments[0], {"Resident": people(30)})
    rows = {"Enrollment": enrollments()}
    medical = Stand(departments[1], rows, by_key_only(), without_filter)

    _, report = await check(
        departments, {"population": population, "medical": medical}, anywhere, today=TODAY
    )

    assert refuted(report) == ["kind.eq"]
    assert table([report])[0][-1] == "2 proved\n1 disproved\nnot so: kind.eq"


async def test_a_system_for_which_no_key_is_known_is_not_asked(
    departments: Sequence[Department],
) -> None:
    medical = Stand(departments[1], {"Enrollment": enrollments()}, by_key_only())

    (report,) = await check(departments[1:], {"medical": medical}, anywhere, today=TODAY)

    assert (report, medical.reads) == (Report("medical", "Enrollment", NOT_ASKED), [])
    assert report.is_sound


async def test_a_system_that_fails_by_keys_is_reported_with_its_state(
    departments: Sequence[Department],
) -> None:
    population = Stand(departments[0], {"Resident": people(30)})
    medical = Broken(departments[1], {}, by_key_only())

    _, report = await check(
        departments, {"population": population, "medical": medical}, anywhere, today=TODAY
    )

    assert report == Report("medical", "Enrollment", "SOURCE_UNAVAILABLE")


@pytest.mark.parametrize(
    ("failure", "verdict"),
    [
        (SourceTimeout("population"), Verdict.UNDECIDED),
        (SourceRefused("population"), Verdict.DISPROVED),
    ],
)
async def test_a_question_that_fails_decides_nothing_unless_it_is_refused(
    departments: Sequence[Department], failure: Exception, verdict: Verdict
) -> None:
    def lie(read: Read) -> Read:
        if read.where != TRUE or read.order_by or read.for_each:
            raise failure
        return read

    source = Stand(departments[0], {"Resident": people(9)}, lie=lie)
    report = await of_population(departments, source, anywhere)

    proved = {claim.name for claim in report.claims if claim.verdict is Verdict.PROVED}
    assert proved == {"limit", "count", "key is unique"}
    assert {claim.verdict for claim in report.claims if claim.name not in proved} == {verdict}


async def test_the_table_shows_no_value_of_a_record(departments: Sequence[Department]) -> None:
    rows = people(30)
    rows[3]["sex"] = "UNKNOWN"
    rows[4]["division"] = "999999"
    source = Stand(departments[0], {"Resident": rows}, lie=without_filter)

    report = await of_population(departments, source, lambda code: code != "999999")
    printed = StringIO()
    Console(file=printed, width=200).print(render([report]))
    values = {str(value) for row in rows for value in row.values() if value and len(str(value)) > 6}

    assert table([report])[0][6] == (
        "unknown codes: sex 1\nwrong check digits: idNumber 30\nunknown divisions: division 1"
    )
    assert [value for value in values if value in printed.getvalue()] == []


async def test_a_sample_of_an_empty_entity_has_no_claims(departments: Sequence[Department]) -> None:
    report = await of_population(departments, Stand(departments[0], {}), anywhere)

    assert (report.state, report.rows, report.sampled) == ("reachable", 0, 0)
    assert [claim.name for claim in report.claims] == ["key is unique", "count"]


SEEDED = [
    ("a", RIGHT, "1", "19500101", "320205006"),
    ("b", WRONG, "1", "19500230", "320205006000"),
    ("c", None, "2", "20990101", "999999"),
    ("d", RIGHT, "8", "", ""),
    ("e", RIGHT, None, "00000000", None),
    ("f", RIGHT, "1", "2000-01-01", "32"),
]


async def test_faults_seeded_in_a_database_are_found_and_its_claims_proved(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "people.db") as database:
        database.execute("CREATE TABLE people (n TEXT, i TEXT, s TEXT, b TEXT, d TEXT)")
        database.executemany("INSERT INTO people VALUES (?, ?, ?, ?, ?)", SEEDED)
    database.close()
    text = POPULATION.replace("///x", f"///{tmp_path}/people.db").replace(
        'title = "人口"', 'title = "人口"\nbudget = { rows = 50 }'
    )
    (tmp_path / "population.toml").write_text(text, "utf-8")
    departments = load_departments(tmp_path, CORE, {})
    source = SqlSource(departments[0])

    report = await of_population(departments, source, {"320205006", "32"}.__contains__)
    await source.aclose()

    assert (report.state, report.rows, report.sampled) == ("reachable", 6, 6)
    assert refuted(report) == []
    assert report.quality == Quality(
        unknown_codes={"sex": 2},
        invalid_identifiers={"idNumber": 1},
        invalid_values={"birthDate": 2},
        unknown_divisions={"division": 1},
        future_dates={"birthDate": 1},
    )


@pytest.mark.parametrize(("filters", "disproved"), [(True, []), (False, ["kind.eq"])])
async def test_a_parameter_that_a_rest_system_ignores_is_found_out(
    departments: Sequence[Department],
    filters: bool,
    disproved: list[str],
) -> None:
    def answer(received: Received) -> Reply:
        asked = received.parameters
        rows = [
            {"p": row["number"], "c": row["idNumber"], "k": {"A": "1", "B": "2"}[str(row["kind"])]}
            for row in enrollments()
            if row["idNumber"] in asked["c"].split(",")
        ]
        kept = [row for row in rows if not filters or asked.get("k", row["k"]) == row["k"]]
        return json_reply(kept)

    population = Stand(departments[0], {"Resident": people(30)})
    async with serving(answer) as loopback:
        medical = RestSource(replace(departments[1], url=loopback.url))
        sources: dict[str, Source] = {"population": population, "medical": medical}
        _, report = await check(departments, sources, anywhere, today=TODAY)
        await medical.aclose()

    assert (report.state, report.sampled, refuted(report)) == ("reachable", 40, disproved)
    assert len(loopback.received) <= 120
