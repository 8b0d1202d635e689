"""The command `serve`, whole: a real server whose files change beneath it."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest

from auth.issuer import EmbeddedIssuer, issuers_file
from gateway.looking import interval
from gateway.settings import Serving
from server import _serve
from tests.accounts import taken_in
from tests.gateway.town import (
    ASKED,
    OTHER_POLICY,
    PRINCIPALS,
    SEEN,
    SEEN_OTHERWISE,
    files_of,
)

DRIFT = "{ sources { operation { drift { state } } } }"


class Visitor:
    """Asks a server and changes its files, and keeps what it saw."""

    def __init__(self, url: str, folder: Path, policy: Path) -> None:
        self._http = httpx.AsyncClient(base_url=url)
        self._issuer = EmbeddedIssuer.opened(folder)
        self._policy = policy
        self.seen: list[Any] = []

    async def visit(self) -> None:
        async with self._http:
            first = await self._ask("clerk", ASKED)
            self._policy.write_text(OTHER_POLICY, "utf-8")
            while (second := await self._ask("clerk", ASKED)) == first:
                pass
            while "UNKNOWN" in str(drift := await self._ask("auditor", DRIFT)):
                pass
            self._policy.write_text("role", "utf-8")
            os.kill(os.getpid(), signal.SIGHUP)
            while (ready := (await self._http.get("/readyz")).json()) == {"status": "ready"}:
                pass
            self.seen = [first, second, drift, ready, await self._ask("clerk", ASKED)]

    async def _ask(self, account: str, query: str) -> Any:
        headers = {"authorization": f"Bearer {self._issuer.token(PRINCIPALS[account])}"}
        answer = await self._http.post("/graphql", json={"query": query}, headers=headers)
        return answer.json()["data"]


async def test_a_server_takes_new_files_over_and_looks_at_its_systems(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files, environment = files_of(tmp_path)
    EmbeddedIssuer.opened(tmp_path)
    await taken_in(tmp_path, PRINCIPALS.values())
    options = Serving(
        listen="127.0.0.1:0",
        departments=files.departments,
        policy=files.policy,
        store=f"sqlite+aiosqlite:///{tmp_path / 'store.db'}",
        issuers=issuers_file(tmp_path),
        key_file=tmp_path / "key",
        reload_every="20ms",
        check_every="20ms",
    )
    visitors: list[Visitor] = []
    visits: list[asyncio.Task[None]] = []

    async def ready(url: str) -> None:
        visitors.append(Visitor(url, tmp_path, files.policy))
        visits.append(asyncio.create_task(visitors[0].visit()))
        visits[0].add_done_callback(lambda _: os.kill(os.getpid(), signal.SIGTERM))

    before = len(asyncio.all_tasks())
    async with asyncio.timeout(30):
        await _serve(options, environment, ready)
        await asyncio.gather(*visits)

    same = {"operation": {"drift": {"state": "OK"}}}
    otherwise = {"residents": {"nodes": [SEEN_OTHERWISE]}}
    assert visitors[0].seen == [
        {"residents": {"nodes": [SEEN]}},
        otherwise,
        {"sources": [same, same]},
        {"status": "degraded", "reasons": ["FILES_REFUSED"]},
        otherwise,
    ]
    assert f"{files.policy}:1: this is not TOML" in caplog.text
    assert len(asyncio.all_tasks()) == before


@pytest.mark.parametrize(
    ("text", "seconds"), [("5s", 5.0), ("200ms", 0.2), ("6h", 21_600.0), ("never", 0.0)]
)
def test_an_interval_is_a_duration_or_never(text: str, seconds: float) -> None:
    assert interval(text) == seconds


@pytest.mark.parametrize("text", ["", "0s", "5", "-5s", "Never"])
def test_any_other_interval_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match="is no interval; write never, or a duration such as"):
        interval(text)
