"""
Strict reading of a question from HTTP, before GraphQL sees it: bytes in, `Question` out.

A good body is read in three passes that run in C: orjson parses it, one substitution takes the
strings away, and what is left is counted. Only where the counts do not settle it is it walked.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

import orjson

from contract.errors import BadInput

MAXIMUM_BODY_BYTES: Final = 100 * 1024
MAXIMUM_JSON_DEPTH: Final = 64
MAXIMUM_DIGITS: Final = 19

_STRING: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"')
_LONG_INTEGER: Final = re.compile(rb"-?[0-9]{19,}")
_SMALLEST: Final = -(2**63)
_PERCENT: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")


class RequestRefused(BadInput):
    """A request that is no question; `status` is the HTTP status, `allow` the methods to use."""

    def __init__(self, message: str, status: int = 400, allow: str = "") -> None:
        self.status = status
        self.allow = allow
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Question:
    """What a client asks, as GraphQL over HTTP names it."""

    query: str
    variables: Mapping[str, object] | None = None
    operation_name: str | None = None
    extensions: Mapping[str, object] | None = None


def question_from_body(body: bytes, content_type: str) -> Question:
    """
    Return the question of a POST.

    Raises: RequestRefused.
    """
    _check_content_type(content_type)
    if len(body) > MAXIMUM_BODY_BYTES:
        raise too_large()
    members = strict_json(body, "请求正文")
    if not isinstance(members, dict):
        raise RequestRefused('请求正文应为 JSON 对象,如 {"query": "{ me { account } }"}。')
    return _question(members)


def question_from_url(query_string: bytes) -> Question:
    """
    Return the question of a GET; variables and extensions are JSON texts.

    Raises: RequestRefused.
    """
    if len(query_string) > MAXIMUM_BODY_BYTES:
        raise too_large()
    members: dict[str, object] = {}
    for name, text in _parameters(query_string):
        if name in members:
            raise RequestRefused("网址中的参数重复,请每个参数只写一次。")
        members[name] = text
    for name in ("variables", "extensions"):
        if name in members:
            members[name] = strict_json(str(members[name]).encode(), f"参数 {name}")
    return _question(members)


def too_large() -> RequestRefused:
    """Return the refusal of a request that is larger than it may be."""
    return RequestRefused(f"请求过大,最多 {MAXIMUM_BODY_BYTES // 1024} KB,请精简查询或变量。")


def strict_json(text: bytes, title: str) -> object:
    """
    Return the JSON value: UTF-8, no name twice, no NaN, bounded depth and digits.

    Raises: RequestRefused, naming the text by its title and repeating nothing of it.
    """
    try:
        value: object = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise _not_json(text, title, error) from None
    skeleton = _STRING.sub(b"", text)
    if _depth(skeleton) > MAXIMUM_JSON_DEPTH:
        raise _too_deep(title)
    _check_integers(skeleton, title)
    if skeleton.count(b":") != _members(value):
        raise RequestRefused(f"{title}的同一层中有重名的项,请每个名称只写一次。")
    return value


def _check_content_type(content_type: str) -> None:
    kind, *parameters = (part.strip().lower() for part in content_type.split(";"))
    if kind != "application/json":
        raise RequestRefused("请把 Content-Type 设为 application/json。", status=415)
    for parameter in parameters:
        name, _, setting = parameter.partition("=")
        if name.strip() == "charset" and setting.strip(' "') not in {"utf-8", "utf8"}:
            raise RequestRefused("请求正文只支持 UTF-8 编码。", status=415)


def _question(members: Mapping[str, object]) -> Question:
    query = members.get("query")
    if not isinstance(query, str) or not query.strip():
        raise RequestRefused("缺少 query:请以文本写明要查询的内容。")
    operation_name = members.get("operationName")
    if not isinstance(operation_name, str | None):
        raise RequestRefused("operationName 应为文本或 null。")
    return Question(
        query, _object(members, "variables"), operation_name, _object(members, "extensions")
    )


def _object(members: Mapping[str, object], name: str) -> Mapping[str, object] | None:
    value = members.get(name)
    if not isinstance(value, dict | None):
        raise RequestRefused(f"{name} 应为 JSON 对象或 null。")
    return value


def _parameters(query_string: bytes) -> list[tuple[str, str]]:
    if _PERCENT.search(query_string):
        raise RequestRefused("网址中的百分号编码不完整,请重新编码参数。")
    try:
        return parse_qsl(
            query_string.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=16,
        )
    except ValueError:
        raise RequestRefused("网址中的参数不是 UTF-8 的百分号编码,或参数过多。") from None


def _not_json(text: bytes, title: str, error: orjson.JSONDecodeError) -> RequestRefused:
    if "depth" in error.msg:
        return _too_deep(title)
    if "infinity" in error.msg:
        return RequestRefused(f"{title}中有过大的数字;编号等请加引号写成文本。")
    try:
        text.decode()
    except UnicodeDecodeError:
        return RequestRefused(f"{title}不是 UTF-8 编码的文本。")
    return RequestRefused(
        f"{title}不是合法的 JSON:请检查第 {error.lineno} 行第 {error.colno} 列附近。"
    )


def _too_deep(title: str) -> RequestRefused:
    return RequestRefused(f"{title}嵌套超过 {MAXIMUM_JSON_DEPTH} 层,请减少嵌套。")


def _depth(skeleton: bytes) -> int:
    opened = skeleton.count(b"{") + skeleton.count(b"[")
    if opened <= MAXIMUM_JSON_DEPTH:
        return opened
    level = deepest = 0
    for octet in skeleton:
        if octet in b"{[":
            level += 1
            deepest = max(deepest, level)
        elif octet in b"}]":
            level -= 1
    return deepest


def _check_integers(skeleton: bytes, title: str) -> None:
    for match in _LONG_INTEGER.finditer(skeleton):
        digits = len(match[0].lstrip(b"-"))
        if digits > MAXIMUM_DIGITS or int(match[0]) < _SMALLEST:
            raise RequestRefused(
                f"{title}中的整数最多 {MAXIMUM_DIGITS} 位;编号等请加引号写成文本。"
            )


def _members(value: object) -> int:
    count = 0
    pending = [value]
    while pending:
        inner = pending.pop()
        if isinstance(inner, dict):
            count += len(inner)
            pending.extend(inner.values())
        elif isinstance(inner, list):
            pending.extend(inner)
    return count
