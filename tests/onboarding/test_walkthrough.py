"""From the draft of a system nobody wrote for the graph to an answer of it; docs/adding.md."""

import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.graph import Files, open_graph
from server import main
from tests.accounts import take_in
from tests.scenes.desk import SECRET, Desk

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
POLICY = ROOT / "auth" / "policy.toml"
DEPARTMENTS = HERE / "departments"
DRAFTS = HERE / "drafts"
DRAFT = ["draft", "${CHINOOK_URL}", "--name", "chinook"]
VIEWS = ["--only", "EnterpriseCustomer", "--only", "Purchase"]
SECTION = (ROOT / "docs" / "adding.md").read_text("utf-8").partition("## From draft to answer")[2]
QUESTION = """\
{ enterprises(where: {purchases: {total: {gt: "10"}}}, orderBy: [{name: ASC}]) {
    nodes { name locatedIn { name } purchases(where: {total: {gt: "10"}}) { boughtOn total } }
} }"""
ACCOUNTS = """\
[account.clerk-xibei]
roles = ["township_clerk"]
scopes = ["320205106"]

[account.clerk-benniu]
roles = ["township_clerk"]
scopes = ["320411107"]
"""


def run(file: Path, *scripts: str) -> None:
    with closing(sqlite3.connect(file)) as connection:
        for script in scripts:
            connection.executescript((HERE / script).read_text("utf-8"))


@pytest.fixture
def sitting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    run(tmp_path / "chinook.db", "chinook.sql")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CHINOOK_URL", "sqlite+aiosqlite:///chinook.db")
    return tmp_path


def blocks(language: str) -> list[str]:
    section = SECTION.partition("\n## ")[0]
    return re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)


def test_the_draft_of_the_sample_is_the_one_kept(
    sitting: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(DRAFT)

    assert [status, capsys.readouterr().out] == [0, (DRAFTS / "tables.toml").read_text("utf-8")]


def test_the_draft_of_two_views_is_the_one_kept_and_no_file_is_written_over(
    sitting: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(sitting / "chinook.db", "registration.sql")

    statuses = [main([*DRAFT, *VIEWS, "--out", "chinook.toml"]) for _ in range(2)]

    written = (sitting / "chinook.toml").read_text("utf-8")
    assert [statuses, written] == [[0, 1], (DRAFTS / "views.toml").read_text("utf-8")]
    assert capsys.readouterr().err.splitlines() == [
        "wrote chinook.toml; what is to be decided stands in it",
        "chinook.toml is there already; name another file",
    ]


def test_what_is_left_undecided_is_refused_line_by_line(
    sitting: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draft = (DRAFTS / "views.toml").read_text("utf-8")
    (sitting / "departments").mkdir()
    (sitting / "departments" / "chinook.toml").write_text(draft, "utf-8")
    lines = draft.splitlines()
    wanting = [number for number, line in enumerate(lines, 1) if '"… |' in line]

    status = main(["check", "--departments", "departments", "--policy", str(POLICY)])

    said = " ".join(capsys.readouterr().err.split())
    told = re.findall(r"chinook\.toml:([0-9]+): ", said)
    heads = [number for number, line in enumerate(lines, 1) if line.startswith("[entity.P")]
    keys = [number for number, line in enumerate(lines, 1) if line.startswith("[entity.E")]
    unit = next(number for number, line in enumerate(lines, 1) if 'unit = "…"' in line)
    expected = [*wanting, keys[0], heads[0], heads[0], unit]
    assert [status, sorted(map(int, told))] == [1, sorted(expected)]
    shown = re.findall(r"^# sitting/(chinook.*)$", "".join(blocks("sh")), re.MULTILINE)
    assert shown
    assert [line for line in shown if line not in said] == []


def test_check_finds_nothing_wrong_with_the_decided_file(
    sitting: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(sitting / "chinook.db", "registration.sql")

    status = main(["check", "--departments", str(DEPARTMENTS), "--policy", str(POLICY)])

    assert [status, capsys.readouterr().err] == [0, ""]


@contextmanager
def served(folder: Path) -> Iterator[str]:
    options = ["--departments", DEPARTMENTS, "--policy", POLICY, "--listen", "127.0.0.1:0"]
    command = [sys.executable, str(ROOT / "server.py"), "serve", *map(str, options)]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True) as server:  # noqa: S603 -- ours
        assert server.stderr is not None
        try:
            heard = (re.search(r"serving (http\S+)", line) for line in server.stderr)
            yield next(found[1] for found in heard if found)
        finally:
            server.terminate()
            server.communicate(timeout=20)


def asked(url: str, token: str) -> Any:
    headers = {"authorization": f"Bearer {token}"}
    return httpx.post(url, json={"query": QUESTION}, headers=headers, timeout=20).json()["data"]


def test_a_clerk_is_answered_from_her_own_township_as_the_document_shows(
    sitting: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(sitting / "chinook.db", "registration.sql")
    answers = {}

    (sitting / ".state").mkdir()
    (sitting / ".state" / "accounts.toml").write_text(ACCOUNTS)
    take_in(sitting / ".state")
    with served(sitting) as url:
        for account in ("clerk-xibei", "clerk-benniu"):
            main(["token", "--account", account, "--state", ".state"])
            answers[account] = asked(url, capsys.readouterr().out.strip())

    shown = json.loads(blocks("json")[0])
    assert answers["clerk-xibei"] == shown["data"]
    assert answers["clerk-benniu"] == {
        "enterprises": {
            "nodes": [
                {
                    "name": name,
                    "locatedIn": {"name": "奔牛镇"},
                    "purchases": [{"boughtOn": day, "total": total} for day, total in bought],
                }
                for name, bought in (
                    ("Apple Inc.", [("2007-04-14", "13.86")]),
                    ("Google Inc.", [("2008-09-22", "13.86")]),
                    ("Microsoft Corporation", [("2009-11-30", "13.86"), ("2010-07-31", "10.91")]),
                )
            ]
        }
    }


async def test_who_sees_no_enterprises_is_denied_and_the_system_is_not_asked() -> None:
    graph = open_graph(
        Files(DEPARTMENTS, POLICY), {"CHINOOK_URL": "sqlite+aiosqlite:///none"}, SECRET
    )
    async with Desk(graph) as desk:
        answer = await desk.ask("grid-320205107202", "{ enterprises { nodes { name } } }")

    assert [answer.data, answer.calls] == [{"enterprises": {"nodes": []}}, []]


def test_the_document_shows_the_files_and_the_question_as_they_are() -> None:
    decided = (DEPARTMENTS / "chinook.toml").read_text("utf-8")
    draft = (DRAFTS / "views.toml").read_text("utf-8")
    before, after = blocks("toml")

    assert after in decided
    assert [line for line in before.splitlines() if line not in draft] == []
    assert " ".join(QUESTION.split()).replace('"', '\\"') in " ".join(
        " ".join(blocks("sh")).split()
    )
