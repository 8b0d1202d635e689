"""A request is a question or gets a clear refusal; never anything else."""

import json
from typing import Any
from urllib.parse import quote, urlencode

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.request import (
    Question,
    RequestRefused,
    question_from_body,
    question_from_url,
    strict_json,
)

JSON = "application/json"
QUERY = b'{"query":"{me}",'


def refused(body: bytes, content_type: str = JSON) -> tuple[int, str, str]:
    with pytest.raises(RequestRefused) as caught:
        question_from_body(body, content_type)
    return caught.value.status, caught.value.code, caught.value.message


def refused_url(query_string: bytes) -> tuple[int, str]:
    with pytest.raises(RequestRefused) as caught:
        question_from_url(query_string)
    return caught.value.status, caught.value.message


def test_a_whole_question_is_read() -> None:
    body = {
        "query": "query A($id: ID!) { resident(id: $id) { name } }",
        "variables": {"id": "甲", "n": [1, 2.5, True, None, {"𠮷": "\u0000"}]},
        "operationName": "A",
        "extensions": {"persisted": {}},
        "unknown": 1,
    }

    assert question_from_body(json.dumps(body).encode(), JSON) == Question(
        body["query"],  # type: ignore[arg-type]
        body["variables"],  # type: ignore[arg-type]
        "A",
        {"persisted": {}},
    )


@pytest.mark.parametrize("absent", ["", ',"variables":null,"operationName":null,"extensions":null'])
def test_what_is_null_is_as_if_absent(absent: str) -> None:
    body = f'{{"query":"{{me}}"{absent}}}'.encode()

    assert question_from_body(body, JSON) == Question("{me}", None, None, None)


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json; charset=utf-8",
        'Application/JSON;charset="UTF-8"',
        "application/json;charset=utf8; boundary=x",
    ],
)
def test_json_in_utf_8_is_taken(content_type: str) -> None:
    assert question_from_body(b'{"query":"{me}"}', content_type) == Question("{me}")


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/graphql", "multipart/form-data; boundary=x", "application/jso"],
)
def test_another_content_type_is_415(content_type: str) -> None:
    assert refused(b'{"query":"{me}"}', content_type) == (
        415,
        "BAD_USER_INPUT",
        "请把 Content-Type 设为 application/json。",
    )


def test_another_charset_is_415() -> None:
    assert refused(b'{"query":"{me}"}', "application/json; charset=gbk") == (
        415,
        "BAD_USER_INPUT",
        "请求正文只支持 UTF-8 编码。",
    )


NOT_A_QUESTION = [
    (b"null", '请求正文应为 JSON 对象,如 {"query": "{ me { account } }"}。'),
    (b'[{"query":"{me}"}]', '请求正文应为 JSON 对象,如 {"query": "{ me { account } }"}。'),
    (b'"{me}"', '请求正文应为 JSON 对象,如 {"query": "{ me { account } }"}。'),
    (b"1", '请求正文应为 JSON 对象,如 {"query": "{ me { account } }"}。'),
    (b"{}", "缺少 query:请以文本写明要查询的内容。"),
    (b'{"query":null}', "缺少 query:请以文本写明要查询的内容。"),
    (b'{"query":""}', "缺少 query:请以文本写明要查询的内容。"),
    (b'{"query":" \\n"}', "缺少 query:请以文本写明要查询的内容。"),
    (b'{"query":{"me":1}}', "缺少 query:请以文本写明要查询的内容。"),
    (QUERY + b'"variables":[]}', "variables 应为 JSON 对象或 null。"),
    (QUERY + b'"variables":"{}"}', "variables 应为 JSON 对象或 null。"),
    (QUERY + b'"variables":0}', "variables 应为 JSON 对象或 null。"),
    (QUERY + b'"operationName":1}', "operationName 应为文本或 null。"),
    (QUERY + b'"extensions":[1]}', "extensions 应为 JSON 对象或 null。"),
    (b"", "请求正文不是合法的 JSON:请检查第 1 行第 1 列附近。"),
    (b"{", "请求正文不是合法的 JSON:请检查第 1 行第 2 列附近。"),
    (b"{'query':'{me}'}", "请求正文不是合法的 JSON:请检查第 1 行第 2 列附近。"),
    (b'{"query":"{me}"}{}', "请求正文不是合法的 JSON:请检查第 1 行第 17 列附近。"),
    (b'\xef\xbb\xbf{"query":"{me}"}', "请求正文不是合法的 JSON:请检查第 1 行第 1 列附近。"),
    (b'{"query":"\xff"}', "请求正文不是 UTF-8 编码的文本。"),
    (b'{"query":"\xed\xa0\x80"}', "请求正文不是 UTF-8 编码的文本。"),
    (b'{"query":"\xc0\xaf"}', "请求正文不是 UTF-8 编码的文本。"),
    ("查询".encode("gbk"), "请求正文不是 UTF-8 编码的文本。"),
    (b"<html>", "请求正文不是合法的 JSON:请检查第 1 行第 1 列附近。"),
    (b'{"query":"{me}"', "请求正文不是合法的 JSON:请检查第 1 行第 16 列附近。"),
]


@pytest.mark.parametrize(("body", "message"), NOT_A_QUESTION)
def test_what_is_no_question_is_400_and_says_why(body: bytes, message: str) -> None:
    assert refused(body) == (400, "BAD_USER_INPUT", message)


@pytest.mark.parametrize(
    "value",
    [
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"01",
        b"+1",
        b".5",
        b"'a'",
        b'"\\ud800"',
        b'"\t"',
        b"undefined",
        b"[1,]",
        b"/**/1",
    ],
)
def test_what_json_does_not_know_is_refused(value: bytes) -> None:
    status, _, message = refused(QUERY + b'"variables":{"x":' + value + b"}}")

    assert [status, message[:14]] == [400, "请求正文不是合法的 JSON"[:14]]


@pytest.mark.parametrize(
    "text",
    [
        b'{"query":"{me}","query":"{you}"}',
        b'{"query":"{me}","qu\\u0065ry":"{you}"}',
        QUERY + b'"variables":{"a":[{"b":1,"b":1}]}}',
        QUERY + b'"variables":{"":1,"":":"}}',
    ],
)
def test_a_name_that_occurs_twice_is_refused(text: bytes) -> None:
    assert refused(text) == (
        400,
        "BAD_USER_INPUT",
        "请求正文的同一层中有重名的项,请每个名称只写一次。",
    )


@pytest.mark.parametrize("depth", [65, 200, 1000, 5000, 40_000])
def test_too_deep_a_body_is_refused(depth: int) -> None:
    body = QUERY + b'"variables":{"x":' + b"[" * (depth - 2) + b"]" * (depth - 2) + b"}}"

    assert refused(body) == (400, "BAD_USER_INPUT", "请求正文嵌套超过 64 层,请减少嵌套。")


def test_depth_is_not_length() -> None:
    deep = QUERY + b'"variables":{"x":' + b"[" * 62 + b"]" * 62 + b"}}"
    wide = QUERY + b'"variables":{"x":[' + b",".join([b"[]"] * 500) + b"]}}"
    text = QUERY + b'"variables":{"x":"' + b"[" * 500 + b'"}}'

    assert [type(question_from_body(body, JSON)) for body in (deep, wide, text)] == [Question] * 3


@pytest.mark.parametrize(
    "number", [b"12345678901234567890", b"-12345678901234567890", b"9" * 300, b"-" + b"9" * 19]
)
def test_an_integer_of_more_digits_than_a_number_holds_is_refused(number: bytes) -> None:
    assert refused(QUERY + b'"variables":{"x":' + number + b"}}") == (
        400,
        "BAD_USER_INPUT",
        "请求正文中的整数最多 19 位;编号等请加引号写成文本。",
    )


@pytest.mark.parametrize("number", [b"1e400", b"-1e400", b"9" * 5000])
def test_a_number_beyond_all_numbers_is_refused(number: bytes) -> None:
    assert refused(QUERY + b'"variables":{"x":' + number + b"}}") == (
        400,
        "BAD_USER_INPUT",
        "请求正文中有过大的数字;编号等请加引号写成文本。",
    )


@pytest.mark.parametrize("number", [9_223_372_036_854_775_807, -(2**63), 9_999_999_999_999_999_999])
def test_integers_of_19_digits_keep_every_digit(number: int) -> None:
    body = QUERY + f'"variables":{{"x":{number}}}}}'.encode()

    assert question_from_body(body, JSON).variables == {"x": number}


def test_digits_in_a_text_are_no_integer() -> None:
    body = QUERY + b'"variables":{"id":"320411199001011234567890"}}'

    assert question_from_body(body, JSON).variables == {"id": "320411199001011234567890"}


def test_a_body_of_more_than_100_kb_is_refused_unread() -> None:
    fits = b'{"query":"{me}"}' + b" " * (100 * 1024 - 16)

    assert question_from_body(fits, JSON) == Question("{me}")
    assert refused(fits + b" ") == (
        400,
        "BAD_USER_INPUT",
        "请求过大,最多 100 KB,请精简查询或变量。",
    )


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=20,
)


@given(VALUES)
def test_strict_json_gives_what_was_written(value: Any) -> None:
    assert strict_json(orjson.dumps(value), "x") == value
    assert strict_json(json.dumps(value).encode(), "x") == value


def read(body: bytes) -> Question | RequestRefused:
    try:
        return question_from_body(body, JSON)
    except RequestRefused as refusal:
        return refusal


@given(st.binary(max_size=60) | st.text('{}[]":,\\u0d8e-1 ', max_size=60).map(str.encode))
def test_any_bytes_are_a_question_or_a_refusal(body: bytes) -> None:
    assert isinstance(read(body), Question | RequestRefused)


def test_a_question_in_the_address_is_read() -> None:
    parameters = {
        "query": "query A($名: String) { me }",
        "variables": '{"名": "张 三+"}',
        "operationName": "A",
        "extensions": "{}",
        "utm": "1",
    }

    assert question_from_url(urlencode(parameters).encode()) == Question(
        "query A($名: String) { me }", {"名": "张 三+"}, "A", {}
    )
    assert question_from_url(b"query=%7Bme%7D&variables=null") == Question("{me}")


@pytest.mark.parametrize(
    ("query_string", "message"),
    [
        (b"", "缺少 query:请以文本写明要查询的内容。"),
        (b"query=", "缺少 query:请以文本写明要查询的内容。"),
        (b"query=%7Bme%7D&query=%7Byou%7D", "网址中的参数重复,请每个参数只写一次。"),
        (b"query=%7Bme%7D&variables=", "参数 variables不是合法的 JSON:请检查第 1 行第 1 列附近。"),
        (b"query=%7Bme%7D&variables=%5B1%5D", "variables 应为 JSON 对象或 null。"),
        (b"query=%7Bme%7D&extensions=1", "extensions 应为 JSON 对象或 null。"),
        (b"query=%ff", "网址中的参数不是 UTF-8 的百分号编码,或参数过多。"),
        (b"query=%zz", "网址中的百分号编码不完整,请重新编码参数。"),
        (b"query=%7", "网址中的百分号编码不完整,请重新编码参数。"),
        ("query=查".encode(), "网址中的参数不是 UTF-8 的百分号编码,或参数过多。"),
        (
            b"&".join(b"a%d=1" % n for n in range(17)),
            "网址中的参数不是 UTF-8 的百分号编码,或参数过多。",
        ),
        (b"query=" + b"a" * 102_400, "请求过大,最多 100 KB,请精简查询或变量。"),
        (
            b"query=%7Bme%7D&variables=" + quote("[" * 2000).encode(),
            "参数 variables嵌套超过 64 层,请减少嵌套。",
        ),
    ],
)
def test_an_address_that_holds_no_question_is_400(query_string: bytes, message: str) -> None:
    assert refused_url(query_string) == (400, message)
