"""Assembles the HTTP edge: the endpoint, health, version, the page, and what holds for all."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Final, TypeAlias

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from strawberry.schema.base import BaseSchema

from contract.errors import Failure
from schema.errors import outcome
from schema.limits import Limits
from web.endpoint import (
    PURPOSE,
    Accounting,
    Authenticate,
    ContextFactory,
    Endpoint,
    Keep,
    Spend,
    keep_nothing,
    spend_nothing,
)
from web.request_id import HEADER, request_id
from web.sign_in import Doors, sign_in_routes

_ROOM: Final = Path(__file__).parent
_ALLOWED_HEADERS: Final = ["Authorization", "Content-Type", HEADER, PURPOSE]
_CONTENT_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", _CONTENT_POLICY.encode()),
)
_REQUEST_ID: Final = HEADER.lower().encode()
_ENDPOINT: Final = "/graphql"


class Health(Enum):
    """How the server is: degraded, with departments missing, it still answers."""

    READY = "ready"
    DEGRADED = "degraded"
    DOWN = "down"


CheckHealth: TypeAlias = Callable[[], Awaitable[Health]]
Reasons: TypeAlias = Callable[[], Sequence[str]]
Lease: TypeAlias = Callable[[], AbstractContextManager[ASGIApp]]


async def always_ready() -> Health:
    """Say that nothing is missing."""
    return Health.READY


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator may change of the edge."""

    version: str = "0"
    origins: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    health: CheckHealth = always_ready
    reasons: Reasons = tuple
    keep: Keep = keep_nothing
    spend: Spend = spend_nothing
    doors: Doors | None = None


class InForce:
    """Passes each request to the application that is in force when it begins."""

    def __init__(self, lease: Lease) -> None:
        self._lease = lease

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, to its end by the same application."""
        with self._lease() as app:
            await app(scope, receive, send)


class Edge:
    """
    Leads to the endpoint or to one of the other addresses.

    Every request gets an id, every answer has it and the headers that hold for all. What browsers
    of other origins may do is looked at only where one says that it is of another.
    """

    def __init__(self, endpoint: ASGIApp, others: ASGIApp, origins: Sequence[str]) -> None:
        self._endpoint = endpoint
        self._others = others
        self._across_origins = CORSMiddleware(
            self._led,
            allow_origins=origins,
            allow_methods=["GET", "POST"],
            allow_headers=_ALLOWED_HEADERS,
            expose_headers=[HEADER, "Retry-After"],
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        headers = scope["headers"]
        number = request_id(headers)
        is_across = any(name == b"origin" for name, _ in headers)
        scope.setdefault("state", {})["request_id"] = number
        own = [*_HEADERS, (_REQUEST_ID, number.encode())]
        if not is_across:
            own.append((b"vary", b"Origin"))

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *own]
            await send(message)

        await (self._across_origins if is_across else self._led)(scope, receive, send_marked)

    async def _led(self, scope: Scope, receive: Receive, send: Send) -> None:
        led = self._endpoint if scope["path"] == _ENDPOINT else self._others
        await led(scope, receive, send)


def create_app(
    schema: BaseSchema,
    authenticate: Authenticate,
    context_factory: ContextFactory,
    settings: Settings,
) -> ASGIApp:
    """
    Return the application: `/graphql`, `/graphiql/`, `/livez`, `/readyz`, `/version`.

    `/sign-in` is there where there are doors.
    """
    accounting = Accounting(settings.keep, settings.spend)
    endpoint = Endpoint(schema, authenticate, context_factory, settings.limits, accounting)
    others = Starlette(
        routes=[
            *(sign_in_routes(settings.doors) if settings.doors else ()),
            Route(_ENDPOINT, endpoint),  # for who writes a slash behind it: led back by 307
            Route("/", _to_the_page),
            Route("/livez", _alive),
            Route("/readyz", _readiness(settings)),
            Route("/version", _version(settings.version)),
            Mount("/graphiql/vendor", StaticFiles(directory=_ROOM / "vendor")),
            Mount("/graphiql", StaticFiles(directory=_ROOM / "graphiql", html=True)),
        ],
        exception_handlers={HTTPException: _nothing_here},
    )
    return Edge(endpoint, others, settings.origins)


async def _to_the_page(_: Request) -> Response:
    return RedirectResponse("/graphiql/", 303)


async def _alive(_: Request) -> Response:
    return _json({"status": "alive"})


def _readiness(settings: Settings) -> Callable[[Request], Awaitable[Response]]:
    async def ready(request: Request) -> Response:
        found = await outcome(settings.health(), request.state.request_id)
        state = Health.DOWN if isinstance(found, Failure) else found
        reasons = settings.reasons() if state is Health.DEGRADED else ()
        told = {"status": state.value, **({"reasons": list(reasons)} if reasons else {})}
        return _json(told, 503 if state is Health.DOWN else 200)

    return ready


def _version(version: str) -> Callable[[Request], Awaitable[Response]]:
    async def answer(_: Request) -> Response:
        return _json({"version": version})

    return answer


async def _nothing_here(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    message = "此地址只支持其他方法。" if status == 405 else "没有这个地址;查询请用 /graphql。"
    headers = error.headers if isinstance(error, HTTPException) else None
    answer = {"errors": [{"message": message, "extensions": {"code": "BAD_USER_INPUT"}}]}
    return _json(answer, status, headers)


def _json(answer: object, status: int = 200, headers: object = None) -> Response:
    response = Response(orjson.dumps(answer), status, media_type="application/json")
    response.headers["cache-control"] = "no-store"
    if isinstance(headers, dict):
        response.headers.update(headers)
    return response
