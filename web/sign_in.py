"""Sign-in over HTTP: name and password for a token, a token for the next one, a new password."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Protocol, TypeAlias

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from contract.errors import BadInput, Failure
from schema.errors import outcome, told
from web.endpoint import STATUSES

MAXIMUM_BODY_BYTES: Final = 4 * 1024
MAXIMUM_TEXT: Final = 256

_NOT_JSON: Final = "请以 application/json 提交 JSON 对象。"


class Begun(Protocol):
    """A token, and how many seconds it lasts."""

    @property
    def token(self) -> str:
        """Return the token."""

    @property
    def seconds(self) -> int:
        """Return how long it lasts."""


class Doors(Protocol):
    """What sign-in does; every refusal is a Failure."""

    async def sign_in(self, name: str, password: str) -> Begun:
        """Return a token for the account."""

    async def change_password(self, name: str, password: str, new: str) -> Begun:
        """Return a token for the account, whose password is the new one."""

    async def renew(self, authorization: str | None) -> Begun:
        """Return the next token of a session."""

    async def end(self, authorization: str | None) -> None:
        """End the session of a token."""


Answer: TypeAlias = Callable[[Request], Awaitable[Response]]


def sign_in_routes(doors: Doors) -> list[Route]:
    """Return `/sign-in`, `/sign-in/renew`, `/sign-in/password` and `/sign-out`."""

    async def sign_in(request: Request) -> Begun:
        return await doors.sign_in(*await _texts(request, "account", "password"))

    async def change(request: Request) -> Begun:
        texts = await _texts(request, "account", "password", "newPassword")
        return await doors.change_password(*texts)

    async def renew(request: Request) -> Begun:
        return await doors.renew(_credential(request))

    async def end(request: Request) -> None:
        await doors.end(_credential(request))

    return [
        Route("/sign-in", _answering(sign_in), methods=["POST"]),
        Route("/sign-in/password", _answering(change), methods=["POST"]),
        Route("/sign-in/renew", _answering(renew), methods=["POST"]),
        Route("/sign-out", _answering(end), methods=["POST"]),
    ]


def _answering(work: Callable[[Request], Awaitable[Begun | None]]) -> Answer:
    async def answer(request: Request) -> Response:
        found = await outcome(work(request), request.state.request_id)
        if isinstance(found, Failure):
            status = STATUSES.get(found.code, 400)
            return _json({"errors": [told(found)]}, status)
        if found is None:
            return Response(status_code=204, headers={"cache-control": "no-store"})
        return _json({"token": found.token, "expiresIn": found.seconds}, 200)

    return answer


async def _texts(request: Request, *names: str) -> tuple[str, ...]:
    """
    Return the texts of a body that has these names and no others.

    Raises: BadInput.
    """
    given = await _object(request)
    values = tuple(given.get(name) for name in names)
    if given.keys() != set(names):
        raise BadInput(f"请提交 JSON 对象,只含 {'、'.join(names)}。")
    if not all(map(_is_text, values)):
        raise BadInput(f"{'、'.join(names)} 应为 1 至 {MAXIMUM_TEXT} 个字符的文本。")
    return tuple(map(str, values))


def _is_text(value: object) -> bool:
    # PostgreSQL has no text with U+0000: asking for one would look like a store out of reach.
    return isinstance(value, str) and 0 < len(value) <= MAXIMUM_TEXT and "\0" not in value


async def _object(request: Request) -> Mapping[str, object]:
    # A page of another origin cannot send this type without being let in by --origins.
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise BadInput(_NOT_JSON)
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAXIMUM_BODY_BYTES:
                raise BadInput(_NOT_JSON)
        given = orjson.loads(body)
    except (ClientDisconnect, orjson.JSONDecodeError):
        raise BadInput(_NOT_JSON) from None
    if not isinstance(given, dict):
        raise BadInput(_NOT_JSON)
    return given


def _credential(request: Request) -> str | None:
    given = request.headers.getlist("authorization")
    return given[0] if len(given) == 1 else None


def _json(answer: Mapping[str, object], status: int) -> Response:
    headers = {"cache-control": "no-store", "content-type": "application/json; charset=utf-8"}
    return Response(orjson.dumps(answer), status, headers)
