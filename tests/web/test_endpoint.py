"""A question over HTTP: its answer, or a refusal with its status and media type."""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from tests.web.clients import INTERNAL, TOKEN, UNAUTHENTICATED, ask, client, refused
from web.media import GRAPHQL, JSON, negotiated


async def test_a_question_is_answered_in_chinese_as_chinese() -> None:
    async with client() as http:
        answer = await http.post("/graphql", json={"query": "{ me greeting }"})

    assert answer.status_code == 200
    assert answer.content == '{"data":{"me":"clerk","greeting":"你好,世界"}}'.encode()


async def test_a_question_in_the_address_is_answered() -> None:
    async with client() as http:
        answer = await http.get(
            "/graphql",
            params={
                "query": "query($n: String!) { greeting(name: $n) }",
                "variables": '{"n":"𠮷"}',
            },
        )

    assert answer.json() == {"data": {"greeting": "你好,𠮷"}}


@pytest.mark.parametrize("accept", [JSON, GRAPHQL, "text/html, */*;q=0.1", "image/png"])
@pytest.mark.parametrize(
    "body", [b'{"query":"{__typename}"}', b'{"query":"{me"}', b"{", b"", b"{" * 200_000]
)
@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer bad"}])
async def test_no_token_gets_401_whatever_is_asked(
    accept: str, body: bytes, headers: Mapping[str, str]
) -> None:
    async with client(headers=headers) as http:
        answer = await http.post(
            "/graphql", content=body, headers={"content-type": JSON, "accept": accept}
        )

    assert [answer.status_code, answer.headers["www-authenticate"], answer.json()] == [
        401,
        "Bearer",
        UNAUTHENTICATED,
    ]


async def test_two_tokens_are_no_token() -> None:
    async with client(headers={}) as http:
        answer = await http.post(
            "/graphql",
            json={"query": "{me}"},
            headers=[("authorization", "Bearer good"), ("authorization", "Bearer good")],
        )

    assert [answer.status_code, answer.json()] == [401, UNAUTHENTICATED]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"null", '请求正文应为 JSON 对象,如 {"query": "{ me { account } }"}。'),
        (b"[" * 1000 + b"]" * 1000, "请求正文嵌套超过 64 层,请减少嵌套。"),
        (b'{"query":"\xff"}', "请求正文不是 UTF-8 编码的文本。"),
        (b'{"a":' + b"9" * 5000 + b"}", "请求正文中有过大的数字;编号等请加引号写成文本。"),
        (b'{"query":"{me}","query":"{me}"}', "请求正文的同一层中有重名的项,请每个名称只写一次。"),
        (b" " * 200_000, "请求过大,最多 100 KB,请精简查询或变量。"),
        (b"", "请求正文不是合法的 JSON:请检查第 1 行第 1 列附近。"),
        (b"{}", "缺少 query:请以文本写明要查询的内容。"),
    ],
)
@pytest.mark.parametrize("accept", [JSON, GRAPHQL])
async def test_a_bad_body_is_400_and_says_why(body: bytes, message: str, accept: str) -> None:
    async with client() as http:
        answer = await http.post(
            "/graphql", content=body, headers={**TOKEN, "content-type": JSON, "accept": accept}
        )

    assert [answer.status_code, answer.headers["content-type"], answer.json()] == [
        400,
        f"{accept}; charset=utf-8",
        refused("BAD_USER_INPUT", message),
    ]


async def test_a_body_that_does_not_end_is_not_read_to_its_end() -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while read < 1_000:
            read += 1
            yield b" " * 1024

    async with client() as http:
        answer = await http.post(
            "/graphql", content=endless(), headers={**TOKEN, "content-type": JSON}
        )

    assert (answer.status_code, read) == (400, 101)


PARSE = {
    "errors": [
        {
            "message": "查询语句有语法错误:Syntax Error: Expected Name, found <EOF>.",
            "locations": [{"line": 1, "column": 4}],
            "extensions": {"code": "GRAPHQL_PARSE_FAILED"},
        }
    ]
}


VALIDATION = {
    "errors": [
        {
            "message": "查询语句不符合数据结构:Cannot query field 'nobody' on type 'Query'.",
            "locations": [{"line": 1, "column": 2}],
            "extensions": {"code": "GRAPHQL_VALIDATION_FAILED"},
        }
    ]
}


COERCION = {
    "errors": [
        {
            "message": "变量 $n不符合要求,应为 Int!,请检查后重试。",
            "locations": [{"line": 1, "column": 7}],
            "extensions": {"code": "BAD_USER_INPUT"},
        }
    ]
}


WIDE = refused(
    "QUERY_TOO_COMPLEX",
    "查询可能返回超过 100 条记录,请减小 first 或 last、去掉内层列表或缩小区划范围。",
)


DEEP = refused("QUERY_TOO_COMPLEX", "查询语句括号嵌套超过 64 层,请减少嵌套。")


WHICH = refused("BAD_USER_INPUT", "请用 operationName 写明要执行查询语句中的哪一个操作。")


SUBSCRIPTION = refused("BAD_USER_INPUT", "这里不支持订阅(subscription),请改用查询。")


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ("{me", PARSE),
        ("{nobody}", VALIDATION),
        ("query($n:Int!){people(first:$n){nodes{name}}}", COERCION),
        ("{people(first:101){nodes{name}}}", WIDE),
        ("{me" * 20_000, DEEP),
        ("query A{me} query B{me}", WHICH),
        ("fragment F on Query{me}", WHICH),
        ("subscription{me}", SUBSCRIPTION),
    ],
)
@pytest.mark.parametrize(("accept", "status"), [(GRAPHQL, 400), (JSON, 200)])
async def test_a_question_that_cannot_be_run_has_no_data_and_the_status_of_its_media_type(
    query: str, answer: Any, accept: str, status: int
) -> None:
    assert await ask(query, accept) == (status, answer)


@pytest.mark.parametrize("accept", [JSON, GRAPHQL])
async def test_a_question_that_ran_is_200_whatever_failed_in_it(accept: str) -> None:
    assert await ask("{ me hidden }", accept) == (
        200,
        {
            "data": {"me": "clerk", "hidden": None},
            "errors": [
                {
                    "message": "您的岗位无权使用该信息;如工作需要,请向本单位管理员申请。",
                    "locations": [{"line": 1, "column": 6}],
                    "path": ["hidden"],
                    "extensions": {"code": "FORBIDDEN"},
                }
            ],
        },
    )
    assert await ask("{ me absent }", accept) == (
        200,
        {
            "data": None,
            "errors": [
                {
                    "message": "“民政系统”暂时无法访问,其余内容不受影响,请稍后重试。",
                    "locations": [{"line": 1, "column": 6}],
                    "path": ["absent"],
                    "extensions": {"code": "SOURCE_UNAVAILABLE", "source": "civil_affairs"},
                }
            ],
        },
    )


async def test_what_nobody_foresaw_shows_nothing_and_is_logged_with_the_request(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with client(headers={**TOKEN, "x-request-id": "r-7"}) as http:
        inside = await http.post("/graphql", json={"query": "query Q { broken }"})
        encoding = await http.post("/graphql", json={"query": "{ huge }"})
        before = await http.post("/graphql", json={"query": "{me}"}, headers={"x-break": "1"})

    assert inside.json() == {
        "data": {"broken": None},
        "errors": [{**INTERNAL, "locations": [{"line": 1, "column": 11}], "path": ["broken"]}],
    }
    assert [(answer.status_code, answer.json()) for answer in (encoding, before)] == [
        (500, {"errors": [INTERNAL]}),
        (500, {"errors": [INTERNAL]}),
    ]
    assert caplog.messages == [
        "request r-7 failed in operation Q at ['broken']",
        "request r-7 failed",
        "request r-7 failed",
    ]


async def test_another_method_or_type_is_told_what_to_use() -> None:
    async with client() as http:
        answers = [
            await http.get("/graphql", params={"query": "mutation{note(text:1)}"}),
            await http.put("/graphql", json={"query": "{me}"}),
            await http.post("/graphql", content=b"{me}", headers={"content-type": "text/plain"}),
            await http.post("/graphql", json={"query": "{me}"}, headers={"accept": "image/png"}),
            await http.post("/graphql", json={"query": 'mutation{note(text:"a")}'}),
        ]

    assert [(answer.status_code, answer.headers.get("allow")) for answer in answers] == [
        (405, "POST"),
        (405, "GET, POST"),
        (415, None),
        (406, None),
        (200, None),
    ]


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (GRAPHQL, GRAPHQL),
        (f"{GRAPHQL}, {JSON};q=0.9", GRAPHQL),
        (f"{GRAPHQL}, {JSON}", GRAPHQL),
        (f"{GRAPHQL};q=0.5, {JSON}", JSON),
        (f"{GRAPHQL};q=0.5, */*;q=0.1", GRAPHQL),
        (f"{JSON};q=0, */*", GRAPHQL),
        (f"{JSON.upper()}; charset=utf-8", JSON),
        (f"{JSON};q=x", None),
        ("text/html", None),
        ("*/*;q=0", None),
    ],
)
def test_the_media_type_is_what_the_client_likes_best(accept: str | None, kind: str | None) -> None:
    assert negotiated(accept) == kind


async def test_the_body_does_not_depend_on_the_request_id_or_the_time() -> None:
    async with client() as http:
        answers = [
            await http.post("/graphql", json={"query": "{me broken absent}"}) for _ in range(3)
        ]

    assert len({answer.content for answer in answers}) == 1


@pytest.mark.parametrize("value", [json.dumps({"a": 1})])
async def test_extensions_of_a_request_are_taken_and_ignored(value: str) -> None:
    assert await ask("{me}", extensions=json.loads(value)) == (200, {"data": {"me": "clerk"}})
