"""The stand-in systems are built once, start, stop, and leave nothing behind."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]
import pytest
from rich.progress import Progress

from demo import systems
from demo.process import ServerFailed, finished, waited
from demo.process import started as started_together
from demo.systems import Running, Systems

ROOT = Path(__file__).parents[2]
STARTER = """
import signal, sys
from pathlib import Path
from demo import systems
started = systems.start(Path(sys.argv[1]))
print(*{running.pid for running in started.processes.values() if running.pid}, flush=True)
signal.pause()
"""


def build(state: Path, residents: int = 2_000, seed: int = 7) -> None:
    with Progress(disable=True) as progress:
        systems.build(state, residents, seed, progress)


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    state = tmp_path_factory.mktemp("state")
    build(state)
    return state


def pids(processes: Iterable[Running]) -> set[int]:
    return {process.pid for process in processes if process.pid is not None}


def is_running(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def residents(started: Systems) -> list[tuple[str, str]]:
    async def read() -> list[tuple[str, str]]:
        url = started.environment["POPULATION_URL"].replace("+asyncpg", "")
        connection = await asyncpg.connect(url)
        try:
            rows = await connection.fetch("SELECT rybh, gmsfhm FROM ck_rk ORDER BY rybh")
        finally:
            await connection.close()
        return [tuple(row) for row in rows]

    return finished(read())


def test_every_name_the_mapping_files_ask_for_is_given(running: Systems) -> None:
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "departments").glob("*.toml")]
    asked = {
        part.split("}", 1)[0] for text in texts for part in text.split("${")[1:] if "}" in part
    }

    assert set(running.environment) == asked


def test_addresses_that_are_told_have_no_password(running: Systems) -> None:
    for process in running.processes.values():
        assert "@" not in process.address


def test_a_second_build_reuses_the_data(state: Path) -> None:
    files = [state / f"{name}.sqlite" for name in ("social_security", "medical_insurance")]
    before = [file.stat().st_mtime_ns for file in files]

    build(state)

    assert [file.stat().st_mtime_ns for file in files] == before


def test_other_residents_and_what_was_built_by_halves_are_built_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr("demo.loading._write", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            build(tmp_path, residents=1_000)
    with pytest.raises(FileNotFoundError):
        systems.start(tmp_path)

    build(tmp_path, residents=1_000)

    started = systems.start(tmp_path)
    try:
        assert len(residents(started)) == 1_000
    finally:
        started.stop()


def test_nothing_runs_after_a_stop(state: Path) -> None:
    started = systems.start(state)
    running = pids(started.processes.values())
    assert all(map(is_running, running))

    started.stop()
    started.stop()

    assert [pid for pid in running if is_running(pid)] == []


@pytest.mark.parametrize("name", ["population", "medical_insurance"])
def test_a_system_that_was_killed_starts_again_at_its_address(state: Path, name: str) -> None:
    started = systems.start(state)
    try:
        before, environment = started.processes[name], started.environment
        assert before.pid is not None
        os.kill(before.pid, signal.SIGKILL)

        started.restart(name)

        after = started.processes[name]
        assert (after.address, started.environment) == (before.address, environment)
        assert after.pid != before.pid
        assert len(residents(started)) == 2_000
    finally:
        started.stop()


def test_nothing_outlives_a_starter_that_is_killed(state: Path) -> None:
    with subprocess.Popen(  # noqa: S603 -- our own text
        [sys.executable, "-c", STARTER, str(state)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as starter:
        assert starter.stdout is not None
        running = [int(word) for word in starter.stdout.readline().split()]
        os.kill(starter.pid, signal.SIGKILL)

    assert running
    assert waited(lambda: not any(map(is_running, running)), 20)


@pytest.mark.parametrize("residents", [999, 5_000_001])
def test_a_wrong_number_of_residents_is_refused_before_anything_starts(
    tmp_path: Path, residents: int
) -> None:
    with pytest.raises(ValueError, match="1000 to 5000000"):
        build(tmp_path, residents=residents)

    assert list(tmp_path.iterdir()) == []


def test_reads_by_key_and_by_person_use_an_index(running: Systems) -> None:
    file = running.processes["social_security"].address
    connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    try:
        plan = connection.execute(
            "EXPLAIN QUERY PLAN SELECT * FROM V_AC02 WHERE AAC002 IN ('1', '2')"
        ).fetchall()
    finally:
        connection.close()

    assert [row[3].split(" USING ")[0].split(" ")[0] for row in plan] == ["SEARCH"] * 3


@pytest.mark.parametrize(
    ("system", "table", "columns"),
    [
        ("social_security", "AZ02", ("AAZ002", "AAC002", "AAA121", "AAE016", "AAE127", "AAE128")),
        ("social_security", "AZ02", ("AAB301",)),
        ("market_regulation", "E_CASEINFO", ("CASENO", "CERNO", "ACCORG", "APPTIME")),
    ],
)
def test_cases_are_found_by_an_index(
    running: Systems, system: str, table: str, columns: tuple[str, ...]
) -> None:
    file = Path(running.processes["social_security"].address).with_name(f"{system}.sqlite")
    connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    try:
        plans = [
            connection.execute(
                f"EXPLAIN QUERY PLAN SELECT * FROM {table} WHERE {column} = ?",  # noqa: S608 -- above
                ("1",),
            ).fetchall()
            for column in columns
        ]
    finally:
        connection.close()

    assert [row[3].split(" ")[0] for plan in plans for row in plan] == ["SEARCH"] * len(columns)


class Bell:
    """Something that notes that it was stopped."""

    def __init__(self, stopped: list[str]) -> None:
        self._stopped = stopped

    def stop(self) -> None:
        self._stopped.append("bell")


def test_what_started_is_stopped_when_another_does_not_start() -> None:
    stopped: list[str] = []

    def fails() -> Bell:
        raise ServerFailed("no")

    with pytest.raises(ServerFailed, match="no"):
        started_together([lambda: Bell(stopped), fails, lambda: Bell(stopped)])

    assert stopped == ["bell", "bell"]
