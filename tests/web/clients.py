"""A client of the edge over the tiny graph, and the refusals it meets."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx

from contract.errors import Failure
from schema.limits import Limits
from tests.tiny import SCHEMA, authenticate, context_for
from web.application import Settings, create_app
from web.media import GRAPHQL

TOKEN = {"authorization": "Bearer good"}


INTERNAL = {"message": Failure.message, "extensions": {"code": "INTERNAL"}}


@asynccontextmanager
async def client(
    settings: Settings | None = None, headers: Mapping[str, str] = TOKEN
) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(SCHEMA, authenticate, context_for, settings or Settings(version="1.2"))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://graph", headers=headers
    ) as opened:
        yield opened


async def ask(query: str, accept: str = GRAPHQL, **members: Any) -> tuple[int, Any]:
    async with client(Settings(limits=Limits(nodes=100))) as http:
        answer = await http.post(
            "/graphql", json={"query": query, **members}, headers={"accept": accept}
        )
        return answer.status_code, answer.json()


def refused(code: str, message: str) -> dict[str, Any]:
    return {"errors": [{"message": message, "extensions": {"code": code}}]}


UNAUTHENTICATED = refused("UNAUTHENTICATED", "请先登录,或重新登录后再试。")
