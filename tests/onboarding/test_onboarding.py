"""Every fault that a system may have against its mapping file is found, and none is invented."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from demo.postgres import Postgres
from onboarding.check import Report, check
from onboarding.scorecard import document
from onboarding.trial import Verdict
from schema.graph import core_entities
from sources.assembly import open_source
from sources.divisions import division_tree
from sources.mapping import load_files
from tests.onboarding import graphql_stand_in, rest_stand_in
from tests.onboarding.asked_stand_ins import ASKED
from tests.onboarding.graphql_stand_in import Graphql
from tests.onboarding.permits import NOW, PEOPLE, Served
from tests.onboarding.rest_stand_in import Rest
from tests.onboarding.stand_in import StandIn, System, every, stored
from tests.onboarding.stored_stand_in import Dropped, InPostgres, Sqlite
from tests.onboarding.stored_stand_ins import STORED

SOUND = {
    "REST": Rest(),
    "REST that refuses numbers nobody has": Rest(fails=lambda keys: not {*keys} <= {*PEOPLE}),
    "GraphQL": Graphql(),
    "SQLite": Sqlite(),
    "PostgreSQL": InPostgres(),
    "a file": Dropped(),
    "changed by a job that runs each night": Sqlite(
        rows=every(stored(changed="2025-11-20 02:30:00"))
    ),
}


@asynccontextmanager
async def running(system: System, folder: Path, server: Postgres) -> AsyncIterator[Served]:
    match system:
        case Rest():
            async with rest_stand_in.running(system) as served:
                yield served
        case Graphql():
            async with graphql_stand_in.running(system) as served:
                yield served
        case InPostgres():
            yield await system.made(server)
        case _:
            yield system.made(folder)


async def report_of(system: System, folder: Path, server: Postgres) -> Report:
    async with running(system, folder, server) as served:
        file = folder / "permits.toml"
        file.write_text(served.text, "utf-8")
        (department,) = load_files([file], core_entities(), served.environment)
        source = open_source(department)
        tree = division_tree()
        try:
            (report,) = await check(
                [department],
                {"permits": source},
                lambda code: tree.get(code) is not None,
                today=NOW,
            )
        finally:
            await source.aclose()
    return report


def disproved(report: Report) -> list[str]:
    return sorted(claim.name for claim in report.claims if claim.verdict is Verdict.DISPROVED)


def faults(report: Report) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for fault in document([report])["entities"][0]["faults"]:
        found.setdefault(fault["kind"], {})[fault["field"]] = fault["count"]
    return found


@pytest.mark.parametrize("stand_in", [*ASKED, *STORED], ids=lambda each: each.name)
async def test_the_fault_of_a_stand_in_is_found_and_no_other(
    stand_in: StandIn, tmp_path: Path, postgres: Postgres
) -> None:
    report = await report_of(stand_in.system, tmp_path, postgres)

    found = (report.state, disproved(report), faults(report))
    assert found == (stand_in.state, sorted(stand_in.disproved), dict(stand_in.faults))
    assert stand_in.write in "\n".join(change.write for change in report.changes)
    assert report.questions <= 120


@pytest.mark.parametrize("system", SOUND.values(), ids=SOUND)
async def test_a_sound_system_shows_no_fault(
    system: System, tmp_path: Path, postgres: Postgres
) -> None:
    report = await report_of(system, tmp_path, postgres)

    assert (report.state, disproved(report), faults(report)) == ("reachable", [], {})
    assert (report.changes, report.is_sound) == ((), True)
