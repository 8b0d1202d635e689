"""What set resolvers get: their arguments, the selections beside them, and the level as a whole."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from itertools import product
from typing import Any, NewType

import pytest
import strawberry
from graphql import (
    ExecutionResult,
    GraphQLField,
    GraphQLList,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLString,
    execute,
    parse,
)
from strawberry.extensions import ParserCache
from strawberry.relay import GlobalID
from strawberry.schema.config import StrawberryConfig

from execution.adapter import BreadthFirstContext, as_given, set_field
from execution.executor import BreadthFirstExecutor
from execution.leaves import bulk_for
from execution.selection import selected

GIVEN: list[Mapping[str, Any]] = []
ASKED: list[tuple[bool, frozenset[str]]] = []
PARSED: list[object] = []


@strawberry.enum
class Sex(Enum):
    MALE = "M"
    FEMALE = "F"


@strawberry.input
class Between:
    low: int = 1
    high: int | None = None
    sexes: list[Sex] | None = None


@strawberry.input
class Raw:
    low: int | None = strawberry.UNSET
    inner: "Raw | None" = strawberry.UNSET


Raw.__strawberry_definition__.from_input = as_given  # type: ignore[attr-defined] # a Strawberry type


def _counted(value: object) -> object:
    PARSED.append(value)
    return value


Word = NewType("Word", str)
SCALARS: Mapping[object, Any] = {
    Word: strawberry.scalar(name="Word", parse_value=_counted, serialize=str)
}
ARGUMENTS: Mapping[str, Any] = {
    "word": Word | None,
    "sex": Sex | None,
    "sexes": list[Sex] | None,
    "between": Between | None,
    "raw": Raw | None,
    "key": GlobalID | None,
    "maybe": strawberry.Maybe[int | None],  # type: ignore[misc] # made for annotations
    "number": int | None,
}


def _told(parents: Sequence[Any], info: Any, **given: Any) -> list[str]:
    GIVEN.append(given)
    return [repr(sorted(given.items()))] * len(parents)


async def _others(parents: Sequence[Any], info: Any, **given: Any) -> list["Thing"]:
    raw = info._raw_info
    ASKED.append((getattr(raw, "are_more", False), selected(raw, (), beside=True)))
    return [THING for _ in parents]


def thing(name: str, resolve: Any, returns: Any, arguments: Mapping[str, Any]) -> None:
    field = set_field(resolve, returns, arguments, name=name)
    field.python_name = name
    Thing.__strawberry_definition__.fields.append(field)  # type: ignore[attr-defined] # a Strawberry type


@strawberry.type
class Thing:
    number: int
    sex: Sex


thing("told", _told, str | None, ARGUMENTS)
thing("other", _others, Thing | None, {"number": int | None})
THING = Thing(number=1, sex=Sex.MALE)


@strawberry.type
class Query:
    @strawberry.field
    def things(self) -> list[Thing]:
        return [THING, THING]


def schema_of(executor: Any) -> strawberry.Schema:
    return strawberry.Schema(
        Query,
        execution_context_class=executor,
        extensions=[lambda: ParserCache(maxsize=9)],
        config=StrawberryConfig(scalar_map=SCALARS),
    )


class Context:
    def __init__(self) -> None:
        self.pools: dict[object, object] = {}


async def told(schema: strawberry.Schema, query: str, **variables: Any) -> Any:
    result = await schema.execute(query, variables, Context())
    return result.data, [(error.message, error.path) for error in result.errors or ()]


KINDS = {
    "word": ("Word", '"a"', "a"),
    "sex": ("Sex", "FEMALE", "FEMALE"),
    "sexes": ("[Sex!]", "[MALE, FEMALE]", ["MALE", "FEMALE"]),
    "between": ("Between", "{high: 3, sexes: [MALE]}", {"high": 3, "sexes": ["MALE"]}),
    "raw": ("Raw", "{inner: {low: 1}}", {"inner": {"low": 1}}),
    "key": ("ID", '"VGhpbmc6MQ=="', "VGhpbmc6MQ=="),
    "maybe": ("Int", "null", None),
    "number": ("Int", "5", 5),
}


@pytest.mark.parametrize("name", KINDS)
async def test_an_argument_is_what_strawberry_makes_of_it(name: str) -> None:
    kind, literal, value = KINDS[name]
    texts = f"{{ things {{ told({name}: {literal}) }} }}", "{ things { told } }"
    variable = f"query($v: {kind}) {{ things {{ told({name}: $v) }} }}"

    answers = [
        [
            *[await told(schema, text) for text in texts],
            await told(schema, variable, v=value),
            await told(schema, variable),
        ]
        for schema in (schema_of(BreadthFirstContext), schema_of(None))
    ]

    assert answers[0] == answers[1]
    assert [errors for _, errors in answers[0]] == [[], [], [], []]


async def test_an_argument_that_is_no_such_thing_is_its_fields_error() -> None:
    query = '{ things { told(key: "x") } }'

    own, stock = [await told(schema_of(each), query) for each in (BreadthFirstContext, None)]

    assert own == stock
    assert own[0] == {"things": [{"told": None}, {"told": None}]}


async def test_arguments_that_stand_in_the_document_are_coerced_once_a_plan() -> None:
    schema = schema_of(BreadthFirstContext)
    query = 'query($n: Int) { things { told(word: "a", number: $n) } }'
    PARSED.clear()
    GIVEN.clear()

    answers = [await told(schema, query, n=number) for number in (1, 2, 3)]

    assert [errors for _, errors in answers] == [[], [], []]
    assert [{"word": "a", "number": number} for number in (1, 2, 3)] == GIVEN
    assert len(PARSED) == len(answers) + 1  # by each validation, and once for all resolvers


async def test_what_is_selected_follows_the_variables_that_steer() -> None:
    schema = schema_of(BreadthFirstContext)
    query = "query($y: Boolean!) { things { other { number sex @include(if: $y) } } }"
    ASKED.clear()

    for steered in (True, False, True):
        await told(schema, query, y=steered)

    both, one = frozenset({"number", "sex"}), frozenset({"number"})
    assert [(False, both), (False, one), (False, both)] == ASKED


async def test_plans_of_few_values_of_what_steers_are_kept() -> None:
    schema, stock = schema_of(BreadthFirstContext), schema_of(None)
    names = "abcd"
    shown = " ".join(f"{name}: number @include(if: ${name})" for name in names)
    query = f"query({' '.join(f'${name}: Boolean!' for name in names)}) {{ things {{ {shown} }} }}"
    steered = [dict(zip(names, each, strict=True)) for each in product((True, False), repeat=4)]

    answers = [await told(schema, query, **each) for each in (*steered, *steered)]
    operations = schema._schema.extensions["breadth-first plans"]._known.values()
    kept = [len(compiled.plans) for _, compiled in operations]

    assert answers == 2 * [await told(stock, query, **each) for each in steered]
    assert len(kept) == 1
    assert 0 < kept[0] <= 8


async def test_fields_that_ask_the_same_are_told_of_all_their_selections() -> None:
    query = (
        "{ things { a: other { number } b: other { sex } c: other(number: 1) { number }"
        " d: other(number: 2) { sex } } }"
    )
    ASKED.clear()

    own, stock = [await told(schema_of(each), query) for each in (BreadthFirstContext, None)]

    both = True, frozenset({"number", "sex"})
    assert own == stock
    assert ASKED[:4] == [
        both,
        both,
        (False, frozenset({"number"})),
        (False, frozenset({"sex"})),
    ]


async def test_fields_of_a_level_run_side_by_side() -> None:
    turn = {name: asyncio.Event() for name in ("a", "b", "c")}

    def waits(own: str, other: str) -> Callable[..., Any]:
        async def resolve(parents: Sequence[Any], _: Any) -> list[str]:
            turn[own].set()
            await asyncio.wait_for(turn[other].wait(), 5)
            return [own for _ in parents]

        return resolve

    ring = {"a": "b", "b": "c", "c": "a"}
    fields = {name: GraphQLField(GraphQLString) for name in ring}
    for name, field in fields.items():
        field.resolve_set = waits(name, ring[name])  # type: ignore[attr-defined] # read by the executor

    answer = await _executed(fields, {}, "{ a b c }")

    assert (answer.data, answer.errors) == ({"a": "a", "b": "b", "c": "c"}, None)


class OfKind:
    """An `is_type_of` that is also asked of a whole level."""

    def __init__(self, *, also_together: bool) -> None:
        self.asked: list[int] = []
        if also_together:
            self.of_all = self._of_all

    def __call__(self, value: Any, _: Any) -> bool:
        self.asked.append(1)
        return bool(value["ok"])

    def _of_all(self, values: list[Any]) -> bool:
        self.asked.append(len(values))
        return all(value["ok"] for value in values)


@pytest.mark.parametrize(("oks", "asked"), [((1, 1, 1), [3]), ((1, 0, 1), [3, 1, 1, 1])])
async def test_a_type_may_tell_its_objects_together(oks: tuple[int, ...], asked: list[int]) -> None:
    answers, kinds = [], [OfKind(also_together=together) for together in (True, False)]
    for kind in kinds:
        item = GraphQLObjectType("Item", {"ok": GraphQLField(GraphQLString)}, is_type_of=kind)
        fields = {"items": GraphQLField(GraphQLList(item))}
        items = [{"ok": ok} for ok in oks]
        answer = await _executed(fields, {"items": items}, "{ items { ok } }")
        errors = [(each.message, each.path, each.locations) for each in answer.errors or ()]
        answers.append((answer.data, errors))

    assert answers[0] == answers[1]
    assert len(answers[0][1]) == oks.count(0)
    assert (kinds[0].asked, kinds[1].asked) == (asked, [1, 1, 1])


async def _executed(fields: Any, root: object, text: str) -> ExecutionResult:
    schema = GraphQLSchema(GraphQLObjectType("Query", fields))
    answer: Any = execute(schema, parse(text), root, executor_class=BreadthFirstExecutor)
    result: ExecutionResult = await answer if asyncio.iscoroutine(answer) else answer
    return result


def test_an_enum_is_told_by_its_members_and_by_their_values() -> None:
    leaf = schema_of(None)._schema.type_map["Sex"]
    bulk = bulk_for(leaf)  # type: ignore[arg-type] # an enum
    columns: list[list[Any]] = [
        [Sex.MALE, Sex.FEMALE],
        [Sex.MALE, None],
        ["F", "M"],
        [None, "F"],
        [None, None],
        ["X"],
        [Sex.MALE, "F"],
        [1],
    ]

    assert [bulk(values, set(map(type, values))) for values in columns] == [
        ["MALE", "FEMALE"],
        ["MALE", None],
        ["FEMALE", "MALE"],
        [None, "FEMALE"],
        [None, None],
        None,
        None,
        None,
    ]
