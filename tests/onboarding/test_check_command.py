"""`check FILE`: one department alone, as a table and as JSON, and where its keys come from."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from contract.document import Mistakes
from gateway.onboarding import Checked, check_files
from onboarding.neighbours import read_keys
from schema.graph import core_entities
from server import main
from sources.mapping import load_files
from tests.onboarding.permits import PEOPLE, REST, SQL, natives
from tests.onboarding.rest_stand_in import FILTERS, Rest, running
from tests.onboarding.stored_stand_in import Sqlite

BY_KEY = REST.replace("scan = true\n", "")
POPULATION = """\
name = "people"
title = "人口"
department = "公安"
kind = "sql"
url = "${PEOPLE_URL}"
[entity.Resident]
native = "people"
[entity.Resident.fields]
number = { native = "n" }
idNumber = { native = "i" }
"""


def written(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text, "utf-8")
    return folder


async def checked(
    folder: Path, system: Rest, *, keys: Path | None = None, **environment: str
) -> Checked:
    async with running(system) as served:
        written(folder, permits=served.text)
        known = {**served.environment, **environment}
        return await check_files([folder / "permits.toml"], folder, known, keys)


def of_command(folder: Path, monkeypatch: pytest.MonkeyPatch, system: Sqlite, *options: str) -> int:
    served = system.made(folder)
    monkeypatch.setenv("URL", served.environment["URL"])
    monkeypatch.chdir(folder)
    written(folder, permits=served.text)
    return main(["check", "permits.toml", *options])


async def test_a_system_that_is_asked_by_key_alone_is_not_asked_without_keys(
    tmp_path: Path,
) -> None:
    (report,) = (await checked(tmp_path, Rest(BY_KEY))).reports

    assert (report.state, report.questions) == ("not asked: no key is known", 0)


async def test_keys_are_taken_from_a_file(tmp_path: Path) -> None:
    keys = tmp_path / "keys.csv"
    keys.write_text("\n".join(["idNumber", *PEOPLE[:12], ""]), "utf-8")

    (report,) = (await checked(tmp_path, Rest(BY_KEY), keys=keys)).reports

    assert (report.state, report.sampled, report.is_sound) == ("reachable", 36, True)
    names = {claim.name for claim in report.claims if claim.verdict == "proved"}
    assert names >= {"paging", "batch of idNumber", "answered", "kind.eq", "for each idNumber"}


@pytest.mark.parametrize(
    ("wrong", "claims"),
    [
        (Rest(BY_KEY, taken=lambda keys: keys[:1]), {"batch of idNumber"}),
        (Rest(BY_KEY, taken=lambda _: None), {"key idNumber"}),
        (
            Rest(BY_KEY, filters={name: FILTERS[name] for name in FILTERS if name != "kind"}),
            {"kind.eq"},
        ),
    ],
)
async def test_faults_are_found_by_keys_too(tmp_path: Path, wrong: Rest, claims: set[str]) -> None:
    keys = tmp_path / "keys.csv"
    keys.write_text("\n".join(["idNumber", *PEOPLE]), "utf-8")

    (report,) = (await checked(tmp_path, wrong, keys=keys)).reports

    assert {claim.name for claim in report.claims if claim.verdict == "disproved"} >= claims
    assert report.questions <= 120


async def test_keys_come_from_the_systems_of_other_files_if_they_answer(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "people.db")) as database, database:
        database.execute("CREATE TABLE people (n TEXT, i TEXT)")
        database.executemany("INSERT INTO people VALUES (?, ?)", enumerate(PEOPLE))
    written(tmp_path, people=POPULATION, broken="name =", absent=POPULATION.replace("PEOPLE", "NO"))

    (report,) = (
        await checked(
            tmp_path, Rest(BY_KEY), PEOPLE_URL=f"sqlite+aiosqlite:///{tmp_path}/people.db"
        )
    ).reports
    (alone,) = (
        await checked(
            tmp_path, Rest(BY_KEY), PEOPLE_URL=f"sqlite+aiosqlite:///{tmp_path}/nobody.db"
        )
    ).reports

    assert (report.state, report.sampled, report.is_sound) == ("reachable", 60, True)
    assert alone.state == "not asked: no key is known"


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("", 1, "the first line names no fields of an entity"),
        ("certno\n1", 1, "the first line names no fields of an entity"),
        ("idNumber\n1,2", 2, "this is no key"),
        ("months\nmany", 2, "this is no key"),
        ("startedOn\n2020-01-01\n1.1.2020", 3, "this is no key"),
    ],
)
def test_a_file_without_keys_is_told_with_its_line(
    tmp_path: Path, text: str, line: int, what: str
) -> None:
    written(tmp_path, permits=REST)
    keys = tmp_path / "keys.csv"
    keys.write_text(text, "utf-8")
    departments = load_files([tmp_path / "permits.toml"], core_entities(), {"URL": "http://x"})

    with pytest.raises(Mistakes) as caught:
        read_keys(keys, departments)

    assert [(each.line, each.what) for each in caught.value.mistakes] == [(line, what)]


def test_a_sound_system_is_printed_with_status_0(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status = of_command(tmp_path, monkeypatch, Sqlite())

    said = capsys.readouterr()
    assert (status, said.err) == (0, "")
    assert "not so:" not in said.out
    assert "what to change" not in said.out


def test_what_is_disproved_is_printed_with_its_line_and_status_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = Sqlite(SQL.replace("{money}", "decimal").replace('unit = "yuan"', 'unit = "fen"'))

    status = of_command(tmp_path, monkeypatch, wrong)

    said = capsys.readouterr()
    line = wrong.text[: wrong.text.index("fee =")].count("\n") + 1
    assert status == 1
    assert f"permits.toml:{line}" in said.out
    assert 'Write unit = "yuan".' in said.out
    assert said.err.startswith("some system does not answer, or is not as its mapping file says")


def test_the_scorecard_is_one_json_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = Sqlite(SQL.replace("{money}", "decimal").replace('unit = "yuan"', 'unit = "fen"'))

    status = of_command(tmp_path, monkeypatch, wrong, "--json")

    card: dict[str, Any] = json.loads(capsys.readouterr().out)
    (entity,) = card.pop("entities")
    claims = entity.pop("claims")
    latency, questions = entity.pop("latencyMs"), entity.pop("questions")
    line = wrong.text[: wrong.text.index("fee =")].count("\n") + 1
    what = "Permit: unit of fee is not so: 45 of 60 amounts have parts of a cent"
    change = {"file": "permits.toml", "line": line, "what": what, "write": 'Write unit = "yuan".'}
    assert (status, card) == (1, {"sound": False, "mistakes": []})
    assert entity == {
        "system": "permits",
        "entity": "Permit",
        "state": "reachable",
        "rows": 60,
        "sampled": 60,
        "sound": False,
        "faults": [{"kind": "brokenCents", "field": "fee", "count": 45}],
        "changes": [change],
    }
    assert (latency >= 0, 0 < questions <= 120) == (True, True)
    assert {claim["verdict"] for claim in claims} <= {"proved", "disproved", "undecided"}
    assert [claim for claim in claims if claim["verdict"] == "disproved"] == [
        {
            "name": "unit of fee",
            "verdict": "disproved",
            "why": "45 of 60 amounts have parts of a cent",
        }
    ]


def test_no_scorecard_shows_a_value_of_a_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{**row, "kind": "SECRET9", "began": "2024-05-01"} for row in natives()]

    status = of_command(tmp_path, monkeypatch, Sqlite(rows=rows), "--json")
    said = capsys.readouterr().out
    status += main(["check", "permits.toml"])
    said += capsys.readouterr().out

    values = {str(value) for row in rows for value in row.values() if len(str(value)) > 3}
    values -= {"备注"}
    assert status == 2
    assert [value for value in values if value in said] == []


def test_a_file_that_is_wrong_is_told_and_nothing_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = Sqlite().text.replace('unit = "yuan"', 'unit = "euro"')

    status = of_command(tmp_path, monkeypatch, Sqlite(text))

    said = capsys.readouterr()
    assert (status, said.out) == (1, "")
    assert "money needs its unit" in said.err.replace("\n", " ")
