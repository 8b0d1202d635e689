"""A document is read, weighed and validated once, by what decides each, and never for another."""

from typing import Any

import pytest
import strawberry
from graphql import GraphQLSyntaxError, OperationType
from strawberry.extensions import AddValidationRules, MaxTokensLimiter, SchemaExtension

from contract.errors import TooComplex
from schema import documents as module
from schema.documents import Documents, Lately, parsed
from schema.graph import GraphSchema
from schema.limits import Limits

LONG = "{ a }" + " " * 20_000


def test_the_same_text_is_the_same_document_unless_it_is_long() -> None:
    documents = Documents(Limits())

    assert documents.read("{ a }") is documents.read("{ a }")
    assert documents.read("{ a }").node is parsed("{ a }")
    assert documents.read(LONG) is not documents.read(LONG)
    assert parsed(LONG) is not parsed(LONG)


def test_so_many_characters_are_remembered_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CHARACTERS_IN_ALL", 100)
    monkeypatch.setattr(module, "_DOCUMENTS", 3)
    found: list[str] = []
    lately = Lately(found.append)

    def asked(*texts: str) -> list[int]:
        before = len(found)
        for text in texts:
            lately(text)
        return [len(text) for text in found[before:]]

    assert asked("a" * 40, "b" * 50, "a" * 40, "b" * 50) == [40, 50]
    assert asked("a" * 40, "c" * 30, "a" * 40, "b" * 50) == [30, 50]
    assert asked("d", "e", "f", "d") == [1, 1, 1]
    assert asked("g" * 101, "g" * 101) == [101, 101]


def test_what_is_refused_under_narrow_limits_is_read_under_wide_ones() -> None:
    text = "{ a { b { c } } }"
    wide, narrow = Documents(Limits()), Documents(Limits(nesting=2))

    wide.read(text)
    for _ in range(2):
        with pytest.raises(TooComplex):
            narrow.read(text)
        with pytest.raises(GraphQLSyntaxError):
            wide.read("{ a")


def test_operations_are_found_by_name_and_know_their_own() -> None:
    two = Documents(Limits()).read("query A { a } mutation B { b }")
    one = Documents(Limits()).read("query A { a }")

    found = [two.operation(name) for name in ("A", "B")]
    assert [(each.name, each.kind) for each in found if each] == [
        ("A", OperationType.QUERY),
        ("B", OperationType.MUTATION),
    ]
    assert [two.operation(None), two.operation("C"), one.operation("")] == [None] * 3
    assert [one.operation(None), two.operation("A")] == [one.operation(None), found[0]]


@pytest.mark.parametrize(
    ("text", "weights"),
    [
        ("query ($n: Int) { a(first: $n) { b } }", [12, 102, 3]),
        ("query ($n: Int = 30) { a(last: $n) { b } }", [12, 102, 32]),
        ("query ($n: Int) { a { ...F } } fragment F on A { b(first: $n) { c } }", [14, 104, 5]),
        ("query ($n: Int) { a(after: $n, first: 7) { b } }", [9, 9, 9]),
    ],
)
def test_a_weight_is_found_anew_where_variables_have_a_say(text: str, weights: list[int]) -> None:
    operation = Documents(Limits()).read(text).operation(None)
    assert operation is not None

    for _ in range(2):
        given: list[dict[str, object]] = [{"n": 10}, {"n": 100}, {}]
        assert [operation.weight(variables).cost for variables in given] == weights


def test_a_question_that_is_too_large_for_some_variables_is_refused_for_these_alone() -> None:
    operation = Documents(Limits(nodes=50)).read("query ($n: Int) { a(first: $n) { b } }")
    chosen = operation.operation(None)
    assert chosen is not None

    for _ in range(2):
        chosen.weight({"n": 50})
        with pytest.raises(TooComplex):
            chosen.weight({"n": 51})


@strawberry.type
class One:
    @strawberry.field
    def one(self) -> int:
        return 1


@strawberry.type
class Two:
    @strawberry.field
    def two(self) -> int:
        return 2


def messages(result: Any) -> list[str]:
    return [error.message for error in result.errors or ()]


async def test_a_document_that_is_valid_in_one_schema_is_not_in_another() -> None:
    first, second = GraphSchema(One), GraphSchema(Two)

    for _ in range(2):
        answers = [await schema.execute("{ one }") for schema in (first, second)]

        assert answers[0].data == {"one": 1}
        assert messages(answers[1]) == ["Cannot query field 'one' on type 'Two'."]


async def test_a_text_that_is_no_document_is_an_error_each_time() -> None:
    schema = GraphSchema(One)

    for _ in range(2):
        answer = await schema.execute("{ one")

        assert [answer.data, messages(answer)] == [
            None,
            ["Syntax Error: Expected Name, found <EOF>."],
        ]


class Refusing(Exception):
    pass


async def test_extensions_that_change_how_documents_are_read_still_do() -> None:
    text = "{ one }"
    plain = GraphSchema(One)
    short = GraphSchema(One, extensions=[lambda: MaxTokensLimiter(max_token_count=1)])
    without = GraphSchema(One, extensions=[lambda: AddValidationRules([])])

    assert (await plain.execute(text)).data == {"one": 1}
    assert messages(await short.execute(text)) == [
        "Syntax Error: Document contains more than 1 tokens. Parsing aborted."
    ]
    assert (await without.execute(text)).data == {"one": 1}


async def test_a_document_that_an_extension_puts_in_place_of_another_is_validated_itself() -> None:
    class Replacing(SchemaExtension):
        def on_parse(self) -> Any:
            self.execution_context.graphql_document = parsed("{ two }")
            yield

    plain, replacing = GraphSchema(One), GraphSchema(One, extensions=[Replacing])

    for _ in range(2):
        assert (await plain.execute("{ one }")).data == {"one": 1}
        assert messages(await replacing.execute("{ one }")) == [
            "Cannot query field 'two' on type 'One'."
        ]


async def test_hooks_surround_what_they_are_named_for_in_their_order() -> None:
    seen: list[str] = []

    def hook(name: str) -> Any:
        def surround(self: SchemaExtension) -> Any:
            seen.append(f"{type(self).__name__} {name}")
            yield
            seen.append(f"{type(self).__name__} {name} ended")

        return surround

    async def asynchronously(self: SchemaExtension) -> Any:
        seen.append("Second execute")
        yield
        seen.append("Second execute ended")

    hooks = {f"on_{name}": hook(name) for name in ("operation", "parse", "validate", "execute")}
    first = type("First", (SchemaExtension,), hooks)
    second = type("Second", (SchemaExtension,), {"on_execute": asynchronously})

    alone = await GraphSchema(One, extensions=[first]).execute("{ one }")
    one_hook, seen[:] = list(seen), []
    both = await GraphSchema(One, extensions=[first, second]).execute("{ one }")

    steps = ["operation", "parse", "parse ended", "validate", "validate ended", "execute"]
    assert [alone.data, both.data] == [{"one": 1}] * 2
    assert one_hook == [f"First {step}" for step in (*steps, "execute ended", "operation ended")]
    assert seen == [
        *(f"First {step}" for step in steps),
        "Second execute",
        "Second execute ended",
        "First execute ended",
        "First operation ended",
    ]


async def test_a_hook_that_fails_fails_the_operation_and_hides_nothing() -> None:
    class Swallowing(SchemaExtension):
        def on_execute(self) -> Any:
            try:
                yield
            finally:
                raise Refusing("hooked")

    answer = await GraphSchema(One, extensions=[Swallowing]).execute("{ one }")

    assert [answer.data, messages(answer)] == [None, ["hooked"]]
