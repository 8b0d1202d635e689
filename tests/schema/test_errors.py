"""What a client is told: a code and a Chinese sentence, never a value, never an internal text."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLError, GraphQLScalarType, build_schema, execute_sync, parse, validate

from contract.errors import (
    BadInput,
    Failure,
    Forbidden,
    SourceRefused,
    SourceTimeout,
    SourceUnavailable,
    TooComplex,
    Unauthenticated,
)
from schema.errors import formatted, outcome, told

VALUE = "320411199001011234"
INTERNAL = "系统内部出错,请稍后再试;如仍出错,请把请求编号告诉管理员。"

SCHEMA = build_schema("""
    scalar Day
    enum Kind { RESIDENT MIGRANT }
    input Where { age: Int, kind: Kind, and: [Where!] }
    type Query { a(x: Int, kind: Kind, where: Where, day: Day): Int, b(id: ID!): Int, c: Int! }
""")


def refuse_day(value: object, *_: object) -> object:
    raise ValueError(f"no day: {value}")


DAY = SCHEMA.type_map["Day"]
assert isinstance(DAY, GraphQLScalarType)
DAY.coerce_input_value = refuse_day


def answered(source: str, variables: Mapping[str, Any] | None = None, **root: Any) -> list[Any]:
    try:
        document = parse(source)
    except GraphQLError as error:
        return formatted([error], "r1", "Op")
    errors = validate(SCHEMA, document)
    if not errors:
        result = execute_sync(SCHEMA, document, root, variable_values=dict(variables or {}))
        errors = result.errors or []
    return formatted(errors, "r1", "Op")


def said(answers: list[Any]) -> list[tuple[str, str]]:
    return [(answer["extensions"]["code"], answer["message"]) for answer in answers]


PARSE, VALIDATION, INPUT = "GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{a", "Syntax Error: Expected Name, found <EOF>."),
        ("{a(x:$)}", "Syntax Error: Expected Name, found"),
        (f'{{"{VALUE}"}}', "Syntax Error: Expected Name, found String"),
        (f'{{a("""{VALUE}""")}}', "Syntax Error: Expected Name, found BlockString"),
        (f"{{{VALUE}}}", "Syntax Error: Expected Name, found Int"),
        (f'{{a(x:"{VALUE}', "Syntax Error: Unterminated string."),
        (f'{{a(x:"\\u{{{VALUE}}}")}}', "Syntax Error: Invalid Unicode escape sequence"),
    ],
)
def test_a_syntax_error_speaks_of_the_text_and_repeats_no_value(source: str, message: str) -> None:
    assert said(answered(source)) == [(PARSE, f"查询语句有语法错误:{message}")]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{nope}", "查询语句不符合数据结构:Cannot query field 'nope' on type 'Query'."),
        (
            "{b}",
            "查询语句不符合数据结构:Argument 'Query.b(id:)' of type 'ID!' is required, "
            "but it was not provided.",
        ),
        ("{a(zone:1)}", "查询语句不符合数据结构:Unknown argument 'zone' on field 'Query.a'."),
        ("query($x:Int){c}", "查询语句不符合数据结构:Variable '$x' is never used."),
        ("{...F}", "查询语句不符合数据结构:Unknown fragment 'F'."),
        (f'{{a(x:"{VALUE}")}}', "查询语句中的值不符合要求,应为 Int,请检查后重试。"),
        (f"{{a(x:{VALUE})}}", "查询语句中的值不符合要求,应为 Int,请检查后重试。"),
        (f'{{a(kind:"{VALUE}")}}', "查询语句中的值不符合要求,应为 Kind,请检查后重试。"),
        ("{a(kind:NOBODY)}", "查询语句中的值不符合要求,应为 Kind,请检查后重试。"),
        (f'{{a(where:{{age:"{VALUE}"}})}}', "查询语句中的值不符合要求,应为 Int,请检查后重试。"),
        (
            f'{{a(where:{{name:"{VALUE}"}})}}',
            "查询语句中的值:Where 没有 name 这一项,请去掉或更正。",
        ),
        (f'{{a(where:"{VALUE}")}}', "查询语句中的值不符合要求,应为 Where,请检查后重试。"),
        (f'{{a(day:"{VALUE}")}}', "查询语句中的值不符合要求,应为 Day,请检查后重试。"),
        ("{b(id:null)}", "查询语句中的值不符合要求,应为 ID!,请检查后重试。"),
    ],
)
def test_a_document_that_does_not_fit_the_schema_is_told_where_and_repeats_no_value(
    source: str, message: str
) -> None:
    assert said(answered(source)) == [(VALIDATION, message)]


@pytest.mark.parametrize(
    ("source", "variables", "message"),
    [
        ("query($x:Int){a(x:$x)}", {"x": VALUE}, "变量 $x不符合要求,应为 Int,请检查后重试。"),
        ("query($id:ID!){b(id:$id)}", {}, "变量 $id不符合要求,应为 ID!,请检查后重试。"),
        (
            "query($id:ID!){b(id:$id)}",
            {"id": None},
            "变量 $id不符合要求,应为 ID!,请检查后重试。",
        ),
        (
            "query($w:Where){a(where:$w)}",
            {"w": {"kind": VALUE}},
            "变量 $w不符合要求,应为 Kind,请检查后重试。",
        ),
        (
            "query($w:Where){a(where:$w)}",
            {"w": {"name": VALUE}},
            "变量 $w:Where 没有 name 这一项,请去掉或更正。",
        ),
        (
            "query($w:Where){a(where:$w)}",
            {"w": {VALUE: 1}},
            "变量 $w不符合要求,应为 Where,请检查后重试。",
        ),
        ("query($d:Day){a(day:$d)}", {"d": VALUE}, "变量 $d不符合要求,应为 Day,请检查后重试。"),
    ],
)
def test_a_variable_that_does_not_fit_is_named_and_its_value_not_repeated(
    source: str, variables: Mapping[str, Any], message: str
) -> None:
    assert said(answered(source, variables)) == [(INPUT, message)]


def test_too_many_errors_at_once_stay_errors_of_the_document() -> None:
    source = "{" + " ".join(f"n{number}" for number in range(101)) + "}"

    answers = answered(source)

    assert said(answers)[100:] == [
        (
            VALIDATION,
            "查询语句不符合数据结构:"
            "Too many validation errors, error limit reached. Validation aborted.",
        )
    ]


def failing(error: Exception) -> Any:
    def resolve(_: object) -> object:
        raise error

    return resolve


@pytest.mark.parametrize(
    "failure",
    [
        Unauthenticated(),
        Forbidden(),
        BadInput("开始日期应早于结束日期。"),
        TooComplex(),
    ],
)
def test_a_failure_speaks_for_itself_at_its_path(failure: Failure) -> None:
    assert answered("{a}", a=failing(failure)) == [
        {
            "message": failure.message,
            "locations": [{"line": 1, "column": 2}],
            "path": ["a"],
            "extensions": {"code": failure.code},
        }
    ]


@pytest.mark.parametrize("kind", [SourceUnavailable, SourceTimeout, SourceRefused])
def test_a_failed_source_is_named_and_its_detail_stays_in_the_log(
    kind: type[SourceUnavailable | SourceTimeout | SourceRefused],
    caplog: pytest.LogCaptureFixture,
) -> None:
    failure = kind("medical_insurance", "医保信息平台", "HTTP 502 from 10.0.0.7")

    answers = answered("{a}", a=failing(failure))

    assert answers == [
        {
            "message": failure.message,
            "locations": [{"line": 1, "column": 2}],
            "path": ["a"],
            "extensions": {"code": failure.code, "source": "medical_insurance"},
        }
    ]
    assert caplog.messages == ["request r1: medical_insurance: HTTP 502 from 10.0.0.7"]


@pytest.mark.parametrize("error", [ValueError(VALUE), KeyError(VALUE), GraphQLError(VALUE)])
def test_anything_else_is_internal_and_its_text_stays_in_the_log(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    answers = answered("{a}", a=failing(error))

    assert answers == [
        {
            "message": INTERNAL,
            "locations": [{"line": 1, "column": 2}],
            "path": ["a"],
            "extensions": {"code": "INTERNAL"},
        }
    ]
    assert caplog.messages == ["request r1 failed in operation Op at ['a']"]
    assert [record.exc_info is not None for record in caplog.records] == [True]


def test_a_null_where_none_may_be_is_internal() -> None:
    assert said(answered("{c}", c=None)) == [("INTERNAL", INTERNAL)]


def test_an_error_of_nowhere_is_internal() -> None:
    assert formatted([GraphQLError(VALUE)], "r1") == [told(Failure())]


def test_a_failure_is_found_however_deep_it_is_wrapped() -> None:
    inner = GraphQLError("outer", original_error=GraphQLError("inner", original_error=Forbidden()))

    assert formatted([inner], "r1") == [told(Forbidden())]


async def test_an_outcome_is_the_result_the_failure_or_internal(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.ERROR)

    async def work(error: Exception | None) -> int:
        if error:
            raise error
        return 1

    refusal = TooComplex()
    outcomes = [await outcome(work(error), "r1") for error in (None, refusal, KeyError("x"))]

    assert outcomes[:2] == [1, refusal]
    assert told(outcomes[2]) == told(Failure())  # type: ignore[arg-type]
    assert caplog.messages == ["request r1 failed"]


def codes(kind: type[Failure]) -> set[str]:
    return {kind.code}.union(*(codes(inner) for inner in kind.__subclasses__()))


def test_every_code_is_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "errors.md").read_text(encoding="utf-8")

    told_codes = codes(Failure) | {PARSE, VALIDATION}
    assert [code for code in sorted(told_codes) if f"| `{code}` |" not in text] == []
