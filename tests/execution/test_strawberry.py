"""What Strawberry offers, under its own executor and under ours."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import date
from enum import Enum
from typing import Any

import pytest
import strawberry
from strawberry.extensions import FieldExtension, SchemaExtension
from strawberry.permission import BasePermission
from strawberry.types import Info

from execution.adapter import BreadthFirstContext, column_reader, field_hooks, set_field

CALLS: list[int] = []


class Context(dict[str, Any]):
    def __init__(self) -> None:
        super().__init__(who="clerk")
        self.pools: dict[object, object] = {}


@strawberry.enum
class Sex(Enum):
    MALE = "M"
    FEMALE = "F"


class Denies(BasePermission):
    message = "not for you"

    def has_permission(self, source: Any, info: Any, **kwargs: Any) -> bool:
        return bool(source.number != 2)


class Louder(FieldExtension):
    def resolve(self, next_: Any, source: Any, info: Any, **kwargs: Any) -> Any:
        return next_(source, info, **kwargs).upper()


@strawberry.interface
class Node:
    number: int


async def _friends(parents: Sequence["Person"], info: Any, limit: int = 9) -> list[Any]:
    CALLS.append(len(parents))
    await asyncio.sleep(0)
    return [
        ValueError("no friends") if each.number == 3 else PEOPLE[: min(limit, each.number)]
        for each in parents
    ]


@strawberry.type
class Person(Node):
    name: str
    born: date | None = None
    sex: Sex = Sex.FEMALE

    @strawberry.field
    def label(self, info: Info, mark: str = "-") -> str:
        return f"{info.context['who']}{mark}{self.name} {info.path.key}"

    @strawberry.field
    async def slow(self) -> str:
        await asyncio.sleep(0)
        if self.number == 2:
            raise ValueError("too slow")
        return self.name

    @strawberry.field(permission_classes=[Denies])  # type: ignore[untyped-decorator]
    def secret(self) -> str | None:
        return f"secret of {self.name}"

    @strawberry.field(extensions=[Louder()])  # type: ignore[untyped-decorator]
    def loud(self) -> str:
        return self.name


FRIENDS = set_field(_friends, list[Person] | None, {"limit": int | None}, name="friends")
FRIENDS.python_name = "friends"
Person.__strawberry_definition__.fields.append(FRIENDS)  # type: ignore[attr-defined] # a Strawberry type


@strawberry.type
class Pet(Node):
    sound: str


PEOPLE = [Person(number=1, name="a", born=date(2000, 1, 2)), Person(number=2, name="b")]
PEOPLE.append(Person(number=3, name="c", sex=Sex.MALE))
Either = Person | Pet


@strawberry.type
class Query:
    @strawberry.field
    def people(self) -> list[Person]:
        return PEOPLE

    @strawberry.field
    async def nodes(self) -> list[Node]:
        return [PEOPLE[0], Pet(number=7, sound="wau")]

    @strawberry.field
    def eithers(self) -> list[Either | None]:
        return [Pet(number=7, sound="wau"), None, PEOPLE[1]]


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def add(self, info: Info, to: int) -> int:
        known = info.context.setdefault("sum", 0)
        await asyncio.sleep(0.001 if to == 1 else 0)
        info.context["sum"] = known + to
        return int(info.context["sum"])


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def ticks(self) -> AsyncIterator[Person]:
        for person in PEOPLE:
            yield person


class Traced(SchemaExtension):
    def resolve(self, _next: Any, root: Any, info: Any, *args: Any, **kwargs: Any) -> Any:
        return _next(root, info, *args, **kwargs)


QUERIES = [
    '{ people { __typename number name born sex label(mark: "!") other: label } }',
    "{ people { slow } }",
    "{ people { secret } }",
    "{ people { loud } }",
    "{ people { friends(limit: 2) { name friends { number } } } }",
    "{ nodes { number ... on Person { name friends { name } } ... on Pet { sound } } }",
    "{ eithers { __typename ... on Pet { sound } ... on Node { number } } }",
    "query($y: Boolean!) { people { name @include(if: $y) born @skip(if: $y) ...F } }"
    " fragment F on Person { sex @skip(if: $y) }",
    "mutation { one: add(to: 1) two: add(to: 2) three: add(to: 3) }",
    "{ __schema { types { name fields { name type { name kind ofType { name } } } } } }",
]


def _schema(executor: Any, *extensions: Any) -> strawberry.Schema:
    return strawberry.Schema(
        Query,
        Mutation,
        Subscription,
        types=[Person, Pet],
        execution_context_class=executor,
        extensions=extensions,
    )


async def _told(schema: strawberry.Schema, query: str) -> Any:
    variables = {"y": True} if "$y" in query else None
    result = await schema.execute(query, variables, Context())
    return result.data, sorted((e.message, e.path) for e in result.errors or ())


@pytest.mark.parametrize("hooks", [(), (Traced,)], ids=["plain", "every field hooked"])
@pytest.mark.parametrize("query", QUERIES)
async def test_an_answer_is_that_of_strawberry(query: str, hooks: Any) -> None:
    own, stock = _schema(BreadthFirstContext, *hooks), _schema(None, *hooks)

    told = await _told(own, query)
    assert told[0] or "slow" in query, told
    assert told == await _told(stock, query)


@pytest.mark.parametrize(
    "schema",
    [_schema(BreadthFirstContext), _schema(BreadthFirstContext, Traced), _schema(None)],
    ids=["own", "hooked", "stock"],
)
async def test_a_set_resolver_is_called_once_a_level(schema: strawberry.Schema) -> None:
    CALLS.clear()
    await _told(schema, "{ people { friends(limit: 2) { friends { number } } } }")

    assert CALLS == [3, 3]


async def test_events_of_a_subscription_are_answered() -> None:
    schema = _schema(BreadthFirstContext)
    events: Any = await schema.subscribe(
        "subscription { ticks { name friends { name } } }", context_value=Context()
    )

    told = [event.data["ticks"]["name"] async for event in events]

    assert told == ["a", "b", "c"]


async def test_a_default_resolver_may_read_a_column() -> None:
    read: list[int] = []

    def column(objects: list[Any], name: str) -> list[Any]:
        read.append(len(objects))
        return [getattr(each, name) for each in objects]

    @column_reader(column)
    def one(source: Any, name: str) -> Any:
        return getattr(source, name)

    config = strawberry.schema.config.StrawberryConfig(default_resolver=one)
    schema = strawberry.Schema(Query, execution_context_class=BreadthFirstContext, config=config)
    result = await schema.execute("{ people { name } }")

    assert result.data == {"people": [{"name": "a"}, {"name": "b"}, {"name": "c"}]}
    assert read == [3]


def test_extensions_that_hook_every_field_are_named() -> None:
    assert field_hooks([Traced, SchemaExtension, lambda: Traced()]) == ["Traced"]
