"""
One question over HTTP: who asks, what they ask, what it may cost, and the answer as bytes.

The body of an answer depends on data, question and principal alone.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Protocol, TypeAlias

import orjson
from graphql import GraphQLError, GraphQLSyntaxError, OperationType
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope, Send
from strawberry.schema.base import BaseSchema
from strawberry.types import ExecutionResult

from auth.principal import Principal
from auth.quota import COST, QUESTIONS
from contract.errors import BadInput, Failure, RateLimited, Unauthenticated
from schema.documents import Document, Documents, Operation
from schema.errors import Told, formatted, outcome, told
from schema.limits import Limits
from schema.request import (
    MAXIMUM_BODY_BYTES,
    Question,
    RequestRefused,
    question_from_body,
    question_from_url,
    too_large,
)
from web.media import GRAPHQL, JSON, negotiated

STATUSES: Final[Mapping[str, int]] = {
    "UNAUTHENTICATED": 401,
    "PASSWORD_EXPIRED": 401,
    "TOO_MANY_REQUESTS": 429,
    "RATE_LIMITED": 429,
    "ACCOUNTS_UNAVAILABLE": 503,
    "FORBIDDEN": 403,
    "AUDIT_UNAVAILABLE": 503,
    "SOURCE_UNAVAILABLE": 503,
    "SOURCE_TIMEOUT": 504,
    "SOURCE_REFUSED": 502,
    "INTERNAL": 500,
}

PURPOSE: Final = "X-Purpose"


@dataclass(frozen=True, slots=True)
class Asking:
    """What a request's context is made of."""

    principal: Principal
    request_id: str
    headers: Mapping[str, str]
    provenance: bool = False  # whether extensions.provenance is wanted
    explain: bool = False  # whether extensions.explain is wanted
    purpose: str | None = None  # as the header X-Purpose gives it, nothing of it believed yet


Authenticate: TypeAlias = Callable[[str | None], Awaitable[Principal]]
ContextFactory: TypeAlias = Callable[[Asking], Awaitable[object]]


class Keep(Protocol):
    """Keeps for good who asked what, before the answer leaves."""

    def __call__(
        self, context: Any, document: str, operation: str | None, answer: Told
    ) -> Awaitable[None]:
        """
        Return when it is kept.

        Raises: AuditUnavailable; the answer must not leave.
        """


async def keep_nothing(*_: object, **__: object) -> None:
    """Keep nothing, where answers are about nobody."""


Spend: TypeAlias = Callable[[Principal, str, int], None]
"""Spends so much of an account's quota of a kind, or raises RateLimited."""


def spend_nothing(_: Principal, __: str, ___: int) -> None:
    """Spend nothing, where no account has a quota."""


@dataclass(frozen=True, slots=True)
class Accounting:
    """What every answer costs its account beforehand, and who keeps that it was given."""

    keep: Keep = keep_nothing
    spend: Spend = spend_nothing


@dataclass(frozen=True, slots=True)
class Reply:
    """JSON, with its status and headers."""

    body: bytes
    status: int
    headers: Sequence[tuple[bytes, bytes]]

    async def __call__(self, _: Scope, __: Receive, send: Send) -> None:
        """Send it."""
        length = (b"content-length", str(len(self.body)).encode())
        headers = [*self.headers, length]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


class Endpoint:
    """Answers questions; no principal, no answer."""

    def __init__(
        self,
        schema: BaseSchema,
        authenticate: Authenticate,
        context_factory: ContextFactory,
        limits: Limits,
        accounting: Accounting = Accounting(),
    ) -> None:
        self._schema = schema
        logging.getLogger("strawberry.execution").disabled = True  # it repeats values
        self._authenticate = authenticate
        self._context_factory = context_factory
        self._documents = Documents(limits)
        self._keep = accounting.keep
        self._spend = accounting.spend

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        request = Request(scope, receive)
        response = _to_the_page(request) or await self._respond(request)
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Reply:
        accepted = negotiated(request.headers.get("accept"))
        work = self._answered(request, accepted)
        answer = await outcome(work, request.state.request_id)
        return _refusal(answer, accepted or JSON) if isinstance(answer, Failure) else answer

    async def _answered(self, request: Request, accepted: str | None) -> Reply:
        principal = await self._authenticate(_credential(request))
        if accepted is None:
            raise RequestRefused(f"请在 Accept 中写明 {GRAPHQL} 或 {JSON}。", status=406)
        answer = await self._answer(request, principal)
        is_well = "data" in answer or accepted == JSON
        return _reply(answer, 200 if is_well else 400, accepted)

    async def _answer(self, request: Request, principal: Principal) -> Told:
        self._spend(principal, QUESTIONS, 1)
        question = await _question(request)
        request_id = request.state.request_id
        try:
            document = self._documents.read(question.query)
        except GraphQLSyntaxError as error:
            return {"errors": formatted([error], request_id)}
        operation = _checked_operation(document, question, request.method)
        weight = operation.weight(question.variables)
        self._spend(principal, COST, weight.cost)
        wanted = (question.extensions or {}).get("provenance") is True
        purpose = _purpose(request)
        plan = _wants_plan(request, question)
        asking = Asking(principal, request_id, request.headers, wanted, plan, purpose)
        context = await self._context_factory(asking)
        result = await self._executed(question, context)
        answer = _as_told(result, request_id, operation.name)
        await self._keep(context, question.query, operation.name, answer)
        return answer

    async def _executed(self, question: Question, context: object) -> ExecutionResult:
        return await self._schema.execute(
            question.query,
            variable_values=dict(question.variables or {}),
            context_value=context,
            operation_name=question.operation_name,
        )


def _refusal(failure: Failure, kind: str) -> Reply:
    status = STATUSES.get(failure.code, 200 if kind == JSON else 400)
    headers = {}
    if isinstance(failure, RequestRefused):
        status = failure.status
        headers = {"allow": failure.allow} if failure.allow else {}
    if isinstance(failure, Unauthenticated):
        headers["www-authenticate"] = "Bearer"
    if isinstance(failure, RateLimited):
        headers["retry-after"] = str(failure.retry_after_seconds)
    return _reply({"errors": [told(failure)]}, status, kind, headers)


def _reply(
    answer: Told, status: int, kind: str, headers: Mapping[str, str] = MappingProxyType({})
) -> Reply:
    named = (
        (b"cache-control", b"no-store"),
        (b"content-type", b"%b; charset=utf-8" % kind.encode()),
        *((name.encode(), text.encode()) for name, text in headers.items()),
    )
    return Reply(orjson.dumps(answer), status, named)


def _as_told(result: ExecutionResult, request_id: str, operation_name: str | None) -> Told:
    errors: list[GraphQLError] = result.errors or []
    is_answered = result.data is not None or any(error.path is not None for error in errors)
    return {
        **({"data": result.data} if is_answered else {}),
        **({"errors": formatted(errors, request_id, operation_name)} if errors else {}),
        **({"extensions": result.extensions} if is_answered and result.extensions else {}),
    }


def _wants_plan(request: Request, question: Question) -> bool:
    asked = (question.extensions or {}).get("explain")
    return asked is True or request.headers.get("x-explain", "").lower() == "plan"


def _credential(request: Request) -> str | None:
    given = request.headers.getlist("authorization")
    return given[0] if len(given) == 1 else None


def _purpose(request: Request) -> str | None:
    """Return the header X-Purpose; several of them are one, which no purpose is."""
    given = request.headers.getlist(PURPOSE)
    return ", ".join(given) if given else None


def _to_the_page(request: Request) -> Response | None:
    """Return the way to the page for a person with a browser who asks nothing yet."""
    is_page = request.method == "GET" and "text/html" in request.headers.get("accept", "")
    return RedirectResponse("/graphiql/", 303) if is_page and not request.url.query else None


async def _question(request: Request) -> Question:
    match request.method:
        case "GET":
            return question_from_url(request.scope["query_string"])
        case "POST":
            return question_from_body(await _body(request), request.headers.get("content-type", ""))
        case _:
            raise RequestRefused("请用 POST 或 GET 提交查询。", status=405, allow="GET, POST")


async def _body(request: Request) -> bytes:
    body, is_whole = bytearray(), False
    while not is_whole:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise RequestRefused("请求没有传完,请重试。")
        body += message.get("body", b"")
        is_whole = not message.get("more_body", False)
        if len(body) > MAXIMUM_BODY_BYTES:
            raise too_large()
    return bytes(body)


def _checked_operation(document: Document, question: Question, method: str) -> Operation:
    operation = document.operation(question.operation_name)
    if operation is None:
        raise BadInput("请用 operationName 写明要执行查询语句中的哪一个操作。")
    if operation.kind is OperationType.SUBSCRIPTION:
        raise BadInput("这里不支持订阅(subscription),请改用查询。")
    if method == "GET" and operation.kind is not OperationType.QUERY:
        raise RequestRefused("GET 只能用于查询,修改请用 POST。", status=405, allow="POST")
    return operation
