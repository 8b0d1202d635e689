"""The demo as a command: builds the province, starts its systems, has it served, and shows it."""

import json
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import uvloop
from rich.console import Console
from rich.progress import Progress

from auth.accounts import take_in
from auth.issuer import EmbeddedIssuer
from auth.principal import Principal
from demo import systems, tour
from demo.accounts import accounts
from store.accounts import Accounts
from store.database import open_store
from transport.http import HttpClient, HttpRequest

_TOKEN_SECONDS: Final = 12 * 3600

WhenReady: TypeAlias = Callable[[str], Awaitable[None]]
Serve: TypeAlias = Callable[[Mapping[str, str], WhenReady], Coroutine[object, object, None]]
"""Serves with these addresses until it is told to stop, and says where once it answers."""


class DemoFailed(Exception):
    """The province does not answer its example question; the text says what came instead."""


@dataclass(frozen=True, slots=True)
class Province:
    """What is built: where, for how many residents, by which seed."""

    state: Path
    residents: int
    seed: int
    ready_file: Path | None = None


def run(province: Province, serve: Serve) -> None:
    """
    Build the province, start its systems and serve it; they stop when serving does.

    Raises: ServerFailed, DemoFailed, and what `serve` raises.
    """
    with Progress(console=Console(stderr=True)) as progress:
        systems.build(province.state, province.residents, province.seed, progress)
    running = systems.start(province.state)
    try:
        uvloop.run(_served(province, running, serve))
    finally:
        running.stop()


async def _served(province: Province, running: systems.Systems, serve: Serve) -> None:
    issuer = EmbeddedIssuer.opened(province.state)
    principals = [
        Principal(
            account.name,
            account.roles,
            account.scopes,
            account.department,
            citizen=account.citizen,
        )
        for account in accounts(province.residents).values()
    ]
    await _kept(province.state, principals)
    tour.write_environment(province.state / "addresses.env", running.environment)
    tokens = {who.account: issuer.token(who, _TOKEN_SECONDS) for who in principals}

    async def show(url: str) -> None:
        answer = await _asked(url, tokens[tour.CLERK])
        if province.ready_file is not None:
            tour.write_ready_file(province.ready_file, url, running.processes, tokens)
        tour.show(Console(), url, answer, tokens)

    await serve(running.environment, show)


async def _kept(state: Path, principals: Iterable[Principal]) -> None:
    store = await open_store(f"sqlite+aiosqlite:///{(state / 'store.db').absolute()}")
    try:
        accounts = Accounts(store)
        await accounts.create()
        await take_in(accounts, principals, time.time())
    finally:
        await store.dispose()


async def _asked(url: str, token: str) -> Mapping[str, object]:
    headers = (("authorization", f"Bearer {token}"), ("content-type", "application/json"))
    request = HttpRequest("POST", f"{url}/graphql", headers, tour.request_body(), seconds=30)
    async with HttpClient() as client:
        answer: Mapping[str, object] = json.loads(await client.send(request))
    if "errors" in answer:
        raise DemoFailed(f"the province does not answer as it should: {answer['errors']}")
    return answer
