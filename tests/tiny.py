"""The smallest graph that answers in every way there is, and a process that serves it."""

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import dataclass

import strawberry
import uvloop
from strawberry.scalars import JSON
from strawberry.types import Info

from auth.principal import Principal
from contract.errors import Forbidden, SourceUnavailable, Unauthenticated
from web.application import Settings, create_app
from web.endpoint import Asking
from web.serving import Listen, serve

TOKEN = "good"  # noqa: S105 -- no secret
CLERK = Principal("clerk", ("township_clerk",), ("320411003",))


@dataclass(frozen=True, slots=True)
class Context:
    account: str
    request_id: str


@strawberry.type
class Person:
    name: str

    @strawberry.field
    def friend(self) -> "Person":
        return Person(name=self.name)


@strawberry.type
class People:
    nodes: list[Person]


@strawberry.type
class Query:
    @strawberry.field
    def me(self, info: Info[Context, None]) -> str:
        return info.context.account

    @strawberry.field
    def greeting(self, name: str = "世界") -> str:
        return f"你好,{name}"

    @strawberry.field
    def person(self) -> Person:
        return Person(name="甲")

    @strawberry.field
    def people(self, first: int = 20) -> People:
        return People(nodes=[Person(name="甲")] * first)

    @strawberry.field
    def hidden(self) -> str | None:
        raise Forbidden

    @strawberry.field
    def broken(self) -> str | None:
        raise ValueError("320411199001011234")

    @strawberry.field
    def absent(self) -> str:
        raise SourceUnavailable("civil_affairs", "民政系统")

    @strawberry.field
    def huge(self) -> JSON:
        return JSON(10**30)

    @strawberry.field
    async def slow(self, seconds: float) -> str:
        print("begun", flush=True)  # noqa: T201 -- who started it reads it
        await asyncio.sleep(seconds)
        return "done"


@strawberry.type
class Mutation:
    @strawberry.mutation
    def note(self, text: str) -> str:
        return text


SCHEMA = strawberry.Schema(Query, Mutation)


async def authenticate(authorization: str | None) -> Principal:
    if authorization != f"Bearer {TOKEN}":
        raise Unauthenticated
    return CLERK


async def context_for(asking: Asking) -> object:
    headers: Mapping[str, str] = asking.headers
    if headers.get("x-break"):
        raise KeyError("320411199001011234")
    return Context(asking.principal.account, asking.request_id)


async def announce(url: str) -> None:
    print(url, flush=True)  # noqa: T201 -- who started it reads it


if __name__ == "__main__":
    app = create_app(SCHEMA, authenticate, context_for, Settings())
    uvloop.run(serve(app, Listen(port=0, receive_seconds=float(sys.argv[1])), announce))
