"""A clerk's desk: questions asked of a graph as a client posts them, answered as bytes."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

import httpx
import orjson

from auth.principal import Principal
from auth.throttle import Throttle
from contract.errors import Unauthenticated
from demo import scene
from demo.accounts import accounts
from gateway.graph import Files, OpenGraph
from resolvers.context import RequestContext
from resolvers.spending import Spending
from sources.federation import Calls
from web.application import Settings, create_app
from web.endpoint import Asking

ROOT = Path(__file__).parents[2]
FILES = Files(ROOT / "departments", ROOT / "auth" / "policy.toml")
RESIDENTS = 2_000
SEED = 7
SECRET = b"a secret of the tests, 32 bytes."
CLERK = f"clerk-{scene.TOWNSHIP}"
COUNTY = f"county-{scene.TOWNSHIP[:6]}"
NEIGHBOUR = "clerk-320205107"
ELSEWHERE = "clerk-320411107"

PRINCIPALS: Mapping[str, Principal] = MappingProxyType(
    {
        account.name: Principal(account.name, account.roles, account.scopes, account.department)
        for account in accounts(RESIDENTS).values()
    }
)


@dataclass(frozen=True, slots=True)
class Answer:
    """The bytes of an answer, what was asked of sources for it, and how long it took."""

    bytes: bytes
    calls: Calls
    seconds: float

    @property
    def body(self) -> dict[str, Any]:
        found: dict[str, Any] = orjson.loads(self.bytes)
        return found

    @property
    def data(self) -> Any:
        assert "errors" not in self.body, self.body["errors"]
        return self.body["data"]

    @property
    def errors(self) -> list[tuple[str, list[str | int]]]:
        return [(e["extensions"]["code"], e["path"]) for e in self.body.get("errors", ())]

    @property
    def lost(self) -> dict[str, tuple[str, list[list[str | int]]]]:
        entries = self.body["extensions"]["completeness"]
        return {e["source"]: (e["state"], e["paths"]) for e in entries if e["state"] != "OK"}


class Desk:
    """Asks one graph through the server's own endpoint; accounts are the demo's."""

    def __init__(self, graph: OpenGraph) -> None:
        self.graph = graph
        self._contexts: dict[str, RequestContext] = {}
        app = create_app(graph.schema, _principal, self._context, Settings(version="0"))
        self._http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://desk", timeout=30
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()
        await self.graph.aclose()

    async def ask(self, account: str, query: str, **variables: object) -> Answer:
        return await self.post(account, {"query": query, "variables": variables})

    async def post(self, account: str, question: Mapping[str, object]) -> Answer:
        began = time.monotonic()
        answer = await self._http.post(
            "/graphql", json=question, headers={"authorization": f"Bearer {account}"}
        )
        seconds = time.monotonic() - began
        context = self._contexts.pop(answer.headers["x-request-id"])
        return Answer(answer.content, context.calls, seconds)

    async def _context(self, asking: Asking) -> RequestContext:
        context = self.graph.context(
            asking.principal, asking.request_id, provenance=asking.provenance
        )
        # A whole crowd asks as one clerk: nobody here is to wait for a quota.
        free = Spending(Throttle(), asking.principal.account)
        context = replace(context, spending=free)
        self._contexts[asking.request_id] = context
        return context


async def _principal(header: str | None) -> Principal:
    found = PRINCIPALS.get((header or "").removeprefix("Bearer "))
    if found is None:
        raise Unauthenticated
    return found
