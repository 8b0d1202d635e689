"""Scene: the demo as one process: it answers over HTTP, is checked, and stops all it started."""

import asyncio
import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.audit.test_graphql_over_http import audited
from tests.scenes.desk import CLERK, ELSEWHERE, RESIDENTS, ROOT
from tests.web.clients import UNAUTHENTICATED

pytestmark = pytest.mark.asyncio(loop_scope="session")

SERVER = (sys.executable, "server.py")
NAME = {"query": '{ resident(idNumber: "329900195304129028") { name } }'}
STARTED = {
    *("population", "service_platform", "social_security", "civil_affairs", "medical_insurance"),
    *("housing_fund", "market_regulation", "low_income_platform", "grid_visits", "health", "tax"),
    *("water", "electricity", "gas"),
}


@dataclass(frozen=True)
class Demo:
    """A running demo, and what it wrote of itself."""

    process: asyncio.subprocess.Process
    ready: Mapping[str, Any]

    async def post(self, token: str | None) -> tuple[int, Any]:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        async with httpx.AsyncClient() as http:
            answer = await http.post(self.ready["url"], json=NAME, headers=headers)
        return answer.status_code, answer.json()

    def pids(self) -> set[int]:
        told = {source["pid"] for source in self.ready["sources"].values() if source["pid"]}
        return told | set(descendants(self.process.pid))

    async def stop(self) -> tuple[int, str]:
        self.process.send_signal(signal.SIGTERM)
        said, _ = await asyncio.wait_for(self.process.communicate(), 30)
        assert self.process.returncode is not None
        return self.process.returncode, said.decode()


async def start(folder: Path) -> Demo:
    ready = folder / "ready.json"
    ready.unlink(missing_ok=True)
    began = time.monotonic()
    options = ("--listen", "127.0.0.1:0", "--state", str(folder / "state"))
    more = ("--residents", str(RESIDENTS), "--ready-file", str(ready))
    process = await asyncio.create_subprocess_exec(
        *SERVER,
        "demo",
        *options,
        *more,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    while not ready.exists():
        if process.returncode is not None or time.monotonic() - began > 90:
            process.kill()
            said, _ = await process.communicate()
            pytest.fail(f"the demo does not start: {said.decode()}")
        await asyncio.sleep(0.05)
    told = json.loads(ready.read_text(encoding="utf-8"))
    return Demo(process, told)


def descendants(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [each for child in children for each in (int(child), *descendants(int(child)))]


def running(pids: set[int]) -> list[int]:
    return [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def built(folder: Path) -> int:
    return (folder / "state" / "built.json").stat().st_mtime_ns


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@dataclass(frozen=True)
class Stopped:
    """What became of a demo that was told to stop."""

    status: int
    said: str
    pids: set[int]
    left: list[int]
    built: int  # when its data was made


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def before(folder: Path) -> Stopped:
    first = await start(folder)
    pids = first.pids()
    status, said = await first.stop()
    return Stopped(status, said, pids, running(pids), built(folder))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def demo(folder: Path, before: Stopped) -> AsyncIterator[Demo]:
    assert before.status == 0, before.said
    second = await start(folder)
    yield second
    await second.stop()


async def test_a_stop_leaves_nothing_running_and_the_second_start_builds_nothing(
    before: Stopped, demo: Demo, folder: Path
) -> None:
    assert len(before.pids) >= len(STARTED)
    assert before.left == []
    assert demo.process.returncode is None
    assert built(folder) == before.built


async def test_a_clerk_is_answered_another_sees_nothing_and_a_stranger_is_refused(
    demo: Demo,
) -> None:
    tokens = demo.ready["tokens"]
    ok = [{"source": "population", "title": "公安人口信息系统", "state": "OK", "paths": []}]
    extensions = {"completeness": ok}

    answers = [await demo.post(token) for token in (tokens[CLERK], tokens[ELSEWHERE], None)]

    assert answers == [
        (200, {"data": {"resident": {"name": "华桂英"}}, "extensions": extensions}),
        (200, {"data": {"resident": None}, "extensions": extensions}),
        (401, UNAUTHENTICATED),
    ]
    assert set(demo.ready["sources"]) == STARTED


async def test_every_claim_of_the_mapping_files_is_proved_by_check(
    demo: Demo, folder: Path
) -> None:
    addresses = (folder / "state" / "addresses.env").read_text(encoding="utf-8")
    pairs = [line.split("=", 1) for line in addresses.splitlines()]
    environment = {name: value.strip("'") for name, value in pairs}
    process = await asyncio.create_subprocess_exec(
        *SERVER,
        "check",
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )

    said = (await process.communicate())[0].decode()

    assert (process.returncode, said.count("not so:")) == (0, 0), said
    states = [line.split("│")[3].strip() for line in said.splitlines() if line.count("│") > 4]
    assert Counter(state for state in states if state) == {"reachable": 26}, said


async def test_the_audits_of_graphql_over_http_hold_for_the_demo(demo: Demo) -> None:
    audits = await audited(demo.ready["url"].removesuffix("/graphql"), demo.ready["tokens"][CLERK])

    kinds = Counter(audit["name"].split()[0] for audit in audits)
    failed = [audit for audit in audits if audit["status"] != "ok"]
    assert [kinds["MUST"], kinds["SHOULD"], failed] == [13, 23, []]
