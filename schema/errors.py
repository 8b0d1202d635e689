"""
What a client is told when something goes wrong: a code, a Chinese sentence, and no value.

A Failure speaks for itself. What GraphQL says of the document is passed on, unless it could repeat
a value. Everything else is INTERNAL; its text goes to the log with the request's id.
"""

import logging
import re
from collections.abc import Awaitable, Iterable
from typing import Final, TypeAlias, TypeVar

from graphql import (
    GraphQLError,
    GraphQLSyntaxError,
    Node,
    ObjectFieldNode,
    ValueNode,
    VariableDefinitionNode,
)
from strawberry.exceptions import StrawberryInputCoercionError

from contract.errors import BadInput, Failure, RateLimited, SourceFailure

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")
Told: TypeAlias = dict[str, object]

PARSE_FAILED: Final = "GRAPHQL_PARSE_FAILED"
VALIDATION_FAILED: Final = "GRAPHQL_VALIDATION_FAILED"

_SYNTAX_VALUE: Final = re.compile(r" '.*|(?<=sequence): .*", re.DOTALL)
_UNKNOWN_FIELD: Final = re.compile(r"type '(\w+)' not to include unknown field '([A-Za-z_]\w*)'")
_WANTED: Final = re.compile(
    r"type '([\w\[\]!]+)'|exist in '(\w+)' enum|Enum '(\w+)'"
    r"|\b(?!Value\b)([A-Z]\w*) cannot represent |Value cannot represent an? (\w+)"
)
_TOO_MANY: Final = "Too many "


def formatted(
    errors: Iterable[GraphQLError], request_id: str, operation_name: str | None = None
) -> list[Told]:
    """Return the errors as clients see them; what only the log may know is logged here."""
    return [_formatted(error, request_id, operation_name) for error in in_order(errors)]


def in_order(errors: Iterable[GraphQLError]) -> list[GraphQLError]:
    """Return the errors by path, whatever order they came in; those without one are first."""
    return sorted(errors, key=lambda error: tuple(error.path or ()))


def told(failure: Failure) -> Told:
    """Return a failure that belongs to no place in the document."""
    extensions: dict[str, object] = {"code": failure.code}
    if isinstance(failure, SourceFailure):
        extensions["source"] = failure.source
    if isinstance(failure, RateLimited):
        extensions["retryAfterSeconds"] = failure.retry_after_seconds
    return {"message": failure.message, "extensions": extensions}


async def outcome(work: Awaitable[Answer], request_id: str) -> Answer | Failure:
    """Return what the work returns, or the failure to tell; nothing else ever comes out."""
    try:
        return await work
    except Failure as failure:
        return failure
    except Exception:
        logger.exception("request %s failed", request_id)
        return Failure()


def _formatted(error: GraphQLError, request_id: str, operation_name: str | None) -> Told:
    failure = _failure(error)
    if isinstance(failure, SourceFailure):
        logger.warning("request %s: %s: %s", request_id, failure.source, failure.detail)
    answer = told(failure) if failure else _of_the_document(error)
    if answer is None:
        logger.error(
            "request %s failed in operation %s at %s",
            request_id,
            operation_name or "-",
            error.path or "-",
            exc_info=error.original_error or error,
        )
        answer = told(Failure())
    return _placed(answer, error)


def _placed(answer: Told, error: GraphQLError) -> Told:
    places = [{"line": place.line, "column": place.column} for place in error.locations or ()]
    return {
        "message": answer["message"],
        **({"locations": places} if places else {}),
        **({"path": error.path} if error.path is not None else {}),
        "extensions": answer["extensions"],
    }


def _failure(error: GraphQLError) -> Failure | None:
    cause: BaseException | None = error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    return cause if isinstance(cause, Failure) else None


def _of_the_document(error: GraphQLError) -> Told | None:
    """Return what GraphQL itself found wrong; None where it did not speak of the document."""
    first = next(iter(error.nodes or ()), None)
    if isinstance(error, GraphQLSyntaxError):
        return _said(f"查询语句有语法错误:{_SYNTAX_VALUE.sub('', error.message)}", PARSE_FAILED)
    is_value = isinstance(error, StrawberryInputCoercionError) or _is_value(first)
    if error.path is not None:
        return _said(BadInput.message, BadInput.code) if is_value else None
    if isinstance(first, VariableDefinitionNode) and " has invalid " in error.message:
        place = f"变量 ${first.variable.name.value}"
        return _said(_about_value(place, error.message), BadInput.code)
    if is_value:
        return _said(_about_value("查询语句中的值", error.message), VALIDATION_FAILED)
    if first or error.message.startswith(_TOO_MANY):
        return _said(f"查询语句不符合数据结构:{error.message}", VALIDATION_FAILED)
    return None


def _about_value(title: str, message: str) -> str:
    unknown = _UNKNOWN_FIELD.search(message)
    if unknown:
        return f"{title}:{unknown[1]} 没有 {unknown[2]} 这一项,请去掉或更正。"
    wanted = _WANTED.search(message)
    expected = f",应为 {next(filter(None, wanted.groups()))}" if wanted else ""
    return f"{title}不符合要求{expected},请检查后重试。"


def _is_value(node: Node | None) -> bool:
    return isinstance(node, ValueNode | ObjectFieldNode)


def _said(message: str, code: str) -> Told:
    return {"message": message, "extensions": {"code": code}}
