"""A generated world behind a REST system and behind a GraphQL service."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLFieldResolver,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLString,
    graphql_sync,
)

from contract.entity import Kind
from contract.source import Source
from sources.declaration import Department, Endpoint, Paging
from sources.graphql import GraphqlSource
from sources.rest import RestSource
from tests.generated.systems import Fill, Natives, department, is_number, native, natives_of, table
from tests.generated.worlds import ENTITIES, World
from tests.loopback import Received, Reply, json_reply, serving

BATCH: Final = 5
KEYS: Final = frozenset(
    {
        *(name for entity in ENTITIES.values() for name in entity.key),
        *("idNumber", "headIdNumber", "applicantIdNumber", "householdNumber", "caseNumber"),
    }
)
LONG: Final = GraphQLScalarType("Long")
_PAGED: Final = Paging("offset", "offset", "limit", size=7, first=0)


@dataclass(slots=True)
class Service:
    """What a system holds now; it runs equality and divisions, and pages."""

    natives: Natives = field(default_factory=dict)

    def rest(self, received: Received) -> Reply:
        """Answer as a REST system."""
        asked: dict[str, list[str]] = {}
        for name, value in received.query:
            asked.setdefault(name, []).append(value)
        start, size = int(asked.pop("offset")[0]), int(asked.pop("limit")[0])
        rows = self._kept(received.path.strip("/"), asked)
        return json_reply({"rows": rows[start : start + size], "count": len(rows)})

    def graphql(self, schema: GraphQLSchema, received: Received) -> Reply:
        """Answer as a GraphQL service."""
        asked = json.loads(received.body)
        result = graphql_sync(schema, asked["query"], variable_values=asked["variables"])
        return json_reply(result.formatted, 200 if result.data is not None else 400)

    def listed(self, name: str) -> GraphQLFieldResolver:
        """Return what resolves the root field of a table."""

        def resolve(_: object, __: object, *, offset: int, limit: int, **asked: Any) -> object:
            texts = {
                key: list(map(str, value if isinstance(value, list) else [value]))
                for key, value in asked.items()
                if value is not None
            }
            rows = self._kept(name, texts)
            return {"nodes": rows[offset : offset + limit], "count": len(rows)}

        return resolve

    def _kept(self, name: str, asked: Mapping[str, list[str]]) -> list[dict[str, object]]:
        return [
            row for row in self.natives[name] if all(_holds(row, *each) for each in asked.items())
        ]


def _holds(row: Mapping[str, object], parameter: str, asked: list[str]) -> bool:
    column, _, operator = parameter.rpartition("__")
    value = row[column]
    if value is None:
        return False
    if operator == "within":
        (scope,) = asked
        significant = next(size for size in (2, 4, 6, 9, 12) if not scope[size:].strip("0"))
        return str(value).startswith(scope[:significant])
    return str(value) in asked


def _endpoint(name: str, *, trusted: bool) -> Endpoint:
    fields = ENTITIES[name].fields.values()
    own = [each for each in fields if each.name not in KEYS]
    return Endpoint(
        path=f"/{table(name)}",
        by_key={
            each.name: (f"{native(each.name)}__in", BATCH) for each in fields if each.name in KEYS
        },
        key_separator="",
        parameters={
            **{(e.name, "eq"): f"{native(e.name)}__eq" for e in own if e.kind is not Kind.DIVISION},
            **{
                (e.name, "within"): f"{native(e.name)}__within"
                for e in own
                if e.kind is Kind.DIVISION
            },
        },
        rows="rows",
        total="count",
        paging=_PAGED,
        scan=True,
        trusted=trusted,
    )


def _over_http(there: Department, *, trusted: bool) -> Department:
    entities = {
        name: replace(mapped, native="", endpoint=_endpoint(name, trusted=trusted))
        for name, mapped in there.entities.items()
    }
    return replace(there, entities=entities)


def _asked_in_graphql(there: Department) -> Department:
    entities = {
        name: replace(
            mapped,
            endpoint=replace(
                _endpoint(name, trusted=True),
                method="POST",
                path=table(name),
                rows=f"data.{table(name)}.nodes",
                total=f"data.{table(name)}.count",
                refusal="errors",
            ),
            native="",
        )
        for name, mapped in there.entities.items()
    }
    return replace(there, entities=entities)


def _schema(service: Service) -> GraphQLSchema:
    roots = {}
    for name, entity in ENTITIES.items():
        kinds = {
            each.name: LONG if is_number(each) else GraphQLString for each in entity.fields.values()
        }
        row = GraphQLObjectType(
            f"R{table(name)}", {native(each): GraphQLField(kind) for each, kind in kinds.items()}
        )
        nodes = GraphQLNonNull(GraphQLList(GraphQLNonNull(row)))
        page = GraphQLObjectType(
            f"P{table(name)}", {"nodes": GraphQLField(nodes), "count": GraphQLField(GraphQLInt)}
        )
        arguments = {
            word: GraphQLArgument(GraphQLNonNull(GraphQLInt)) for word in ("offset", "limit")
        }
        for each, kind in kinds.items():
            arguments[f"{native(each)}__in"] = GraphQLArgument(GraphQLList(GraphQLNonNull(kind)))
            arguments |= {
                f"{native(each)}__{word}": GraphQLArgument(kind) for word in ("eq", "within")
            }
        roots[table(name)] = GraphQLField(page, arguments, service.listed(table(name)))
    return GraphQLSchema(GraphQLObjectType("Query", roots))


@asynccontextmanager
async def in_rest(*, trusted: bool = True) -> AsyncIterator[Fill]:
    """Open a REST system that holds one world after the other."""
    service = Service()
    async with serving(service.rest) as loopback:
        source = RestSource(_over_http(department("rest", loopback.url), trusted=trusted))
        yield _filling(service, source)
        await source.aclose()


@asynccontextmanager
async def in_graphql() -> AsyncIterator[Fill]:
    """Open a GraphQL service that holds one world after the other."""
    service = Service()
    schema = _schema(service)
    async with serving(lambda received: service.graphql(schema, received)) as loopback:
        source = GraphqlSource(_asked_in_graphql(department("graphql", loopback.url)))
        yield _filling(service, source)
        await source.aclose()


def _filling(service: Service, source: Source) -> Fill:
    async def fill(world: World) -> Source:
        service.natives = {table(name): rows for name, rows in natives_of(world).items()}
        return source

    return fill
