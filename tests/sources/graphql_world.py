"""The conformance world as a GraphQL service that runs a few filters."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLString,
    graphql_sync,
)

from contract.source import Source
from sources.declaration import Budget, Column, Department, Endpoint, MappedEntity, Paging
from sources.graphql import GraphqlSource
from tests.loopback import Received, Reply, json_reply, serving
from tests.sources import rest_world, world

LONG = GraphQLScalarType("Long")
AMOUNT = GraphQLScalarType("Amount")
SCALARS: Mapping[str, GraphQLScalarType] = {
    "serial": LONG,
    "age": GraphQLInt,
    "balance": LONG,
    "price": AMOUNT,
    "active": GraphQLBoolean,
    "level": GraphQLInt,
    "countedOn": GraphQLInt,
    "stampedAt": LONG,
}
WITHIN = {"name": "identity", "letter": "identity", "place": "home"}
"""Fields that the service keeps in an object of their own."""


def scalar(field: str) -> GraphQLScalarType:
    return SCALARS.get(field, GraphQLString)


def native(field: str) -> str:
    return f"{WITHIN[field]}.{field}" if field in WITHIN else field


def answered(
    schema: GraphQLSchema, received: Received, token: str = "", root: object = None
) -> Reply:
    """Answer as a GraphQL service does, over HTTP."""
    if received.headers.get("authorization", "") != token:
        return json_reply({"errors": [{"message": "who"}]}, 401)
    asked = json.loads(received.body)
    result = graphql_sync(schema, asked["query"], root, variable_values=asked["variables"])
    return json_reply(result.formatted, 200 if result.data is not None else 400)


def _people(_: object, __: object, **asked: Any) -> dict[str, object]:
    wanted = {name: _told(asked[name]) for name, _ in rest_world.KEYS.values() if name in asked}
    wanted |= {
        f"{field}.{operator}": _told(value)
        for field, operators in asked.get("filter", {}).items()
        for operator, value in operators.items()
    }
    rows = [row for row in world.NATIVE["Person"] if rest_world.matches(row, wanted)]
    page = rows[asked["offset"] : asked["offset"] + asked["limit"]]
    return {"nodes": [_nested(rest_world.sent(row)) for row in page], "totalCount": len(rows)}


def _told(value: object) -> str:
    if isinstance(value, list):
        return rest_world.SEPARATOR.join(map(_told, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _nested(row: Mapping[str, object]) -> dict[str, object]:
    return {**row, "identity": row, "home": row}


def _fields(within: str | None) -> dict[str, GraphQLField]:
    return {
        field: GraphQLField(scalar(field)) for field in world.PERSON if WITHIN.get(field) == within
    }


def _operand(field: str, operator: str) -> GraphQLInputType:
    if operator == "isNull":
        return GraphQLBoolean
    kind = scalar(field)
    return GraphQLList(GraphQLNonNull(kind)) if operator == "in" else kind


def _filter() -> GraphQLInputObjectType:
    parts: dict[str, dict[str, GraphQLInputField]] = {}
    for field, operator in (*rest_world.FILTERS, *((name, "isNull") for name in rest_world.NULLS)):
        parts.setdefault(field, {})[operator] = GraphQLInputField(_operand(field, operator))
    return GraphQLInputObjectType(
        "PersonFilter",
        {
            field: GraphQLInputField(GraphQLInputObjectType(f"{field.title()}Filter", operators))
            for field, operators in parts.items()
        },
    )


def _schema() -> GraphQLSchema:
    objects = {
        name: GraphQLField(GraphQLObjectType(name.title(), _fields(name)))
        for name in ("identity", "home")
    }
    person = GraphQLObjectType("Person", {**_fields(None), **objects})
    rows = GraphQLNonNull(GraphQLList(GraphQLNonNull(person)))
    people = GraphQLObjectType(
        "People", {"nodes": GraphQLField(rows), "totalCount": GraphQLField(GraphQLInt)}
    )
    arguments: dict[str, GraphQLArgument] = {
        parameter: GraphQLArgument(GraphQLList(GraphQLNonNull(scalar(field))))
        for field, (parameter, _) in rest_world.KEYS.items()
    }
    arguments["filter"] = GraphQLArgument(_filter())
    arguments |= {name: GraphQLArgument(GraphQLNonNull(GraphQLInt)) for name in ("offset", "limit")}
    return GraphQLSchema(
        GraphQLObjectType("Query", {"people": GraphQLField(people, arguments, _people)})
    )


SCHEMA = _schema()


def department(url: str) -> Department:
    """Return the mapping of the world behind this address."""
    there = world.entity("Person")
    columns = {
        field: Column(there.fields[field], native(field), column.codec)
        for field, column in world.PERSON.items()
    }
    nulls = {(field, "isNull"): f"filter.{field}.isNull" for field in rest_world.NULLS}
    endpoint = Endpoint(
        method="POST",
        path="people",
        by_key=rest_world.KEYS,
        key_separator="",
        parameters={**{key: f"filter.{'.'.join(key)}" for key in rest_world.FILTERS}, **nulls},
        rows="data.people.nodes",
        total="data.people.totalCount",
        refusal="errors",
        paging=Paging("offset", "offset", "limit", size=10, first=0),
        scan=True,
        trusted=True,
    )
    entities = {"Person": MappedEntity(there, "", columns, endpoint=endpoint)}
    budget = Budget(seconds=20.0, concurrency=4)
    return Department("world", "世界", "测试", "graphql", url, entities, budget)


@asynccontextmanager
async def system() -> AsyncIterator[Source]:
    """Open the world behind a GraphQL service that runs as long as the block."""
    async with serving(lambda received: answered(SCHEMA, received)) as loopback:
        source = GraphqlSource(department(loopback.url))
        yield rest_world.Completed(source)
        await source.aclose()
