"""The conformance world as a REST system that runs a few filters, and a caller for the rest."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from operator import eq, ge, gt, le, lt
from typing import Any

from contract.entity import UNKNOWN
from contract.predicate import (
    Comparison,
    Contains,
    In,
    IsNull,
    Leaf,
    Operator,
    StartsWith,
    Within,
)
from contract.read import Aggregate, Function, Read, Rows
from contract.source import Capabilities, Source
from sources import rowset
from sources.declaration import Budget, Column, Department, Endpoint, MappedEntity, Paging
from sources.http_source import HttpSource
from sources.rest import RestSource
from tests.loopback import Received, Reply, json_reply, serving
from tests.predicates import VALUES
from tests.sources import world

SEPARATOR = "|"
KEYS = {"number": ("numbers", 4), "name": ("names", 3), "level": ("levels", 2)}


def _within(native: str, asked: str) -> bool:
    significant = next(size for size in (2, 4, 6, 9, 12) if not asked[size:].strip("0"))
    return native.startswith(asked[:significant])


# What the system does with a parameter: how it reads it, and how it compares it to what it holds.
FILTERS: Mapping[tuple[str, str], tuple[Callable[[str], Any], Callable[[Any, Any], bool]]] = {
    ("name", "startsWith"): (str, str.startswith),
    ("name", "contains"): (str, lambda native, asked: asked in native),
    ("letter", "eq"): (str, eq),
    ("serial", "eq"): (int, eq),
    ("age", "eq"): (int, eq),
    ("age", "in"): (lambda asked: list(map(int, asked.split(SEPARATOR))), lambda n, a: n in a),
    ("age", "lt"): (int, lt),
    ("age", "gte"): (int, ge),
    ("balance", "lt"): (int, lt),
    ("balance", "gte"): (int, ge),
    ("balance", "gt"): (int, gt),
    ("price", "eq"): (Decimal, eq),
    ("price", "lte"): (Decimal, le),
    ("active", "eq"): (lambda asked: asked == "true", eq),
    ("flag", "eq"): (str, eq),
    ("kind", "eq"): (str, eq),
    ("kind", "in"): (lambda asked: asked.split(SEPARATOR), lambda native, asked: native in asked),
    ("bornOn", "eq"): (str, eq),
    ("bornOn", "gte"): (str, ge),
    ("bornOn", "lt"): (str, lt),
    ("month", "lte"): (str, le),
    ("countedOn", "gt"): (int, gt),
    ("diedOn", "lt"): (date.fromisoformat, lt),
    ("seenAt", "gt"): (datetime.fromisoformat, gt),
    ("seenAt", "eq"): (datetime.fromisoformat, eq),
    ("loggedAt", "gte"): (str, ge),
    ("loggedAt", "lt"): (str, lt),
    ("stampedAt", "lte"): (int, le),
    ("place", "eq"): (str, eq),
    ("place", "within"): (str, _within),
    ("office", "eq"): (str, eq),
    ("office", "within"): (str, _within),
}
NULLS = ("name", "age", "active")


def leaves(field: str, operator: Operator) -> Iterator[Leaf]:
    """Yield the operator of the field with every value of its kind."""
    column = world.PERSON[field]
    values = (*column.codes, UNKNOWN) if column.codes else VALUES[column.kind]
    match operator:
        case Operator.IS_NULL:
            yield IsNull(field)
        case Operator.IN:
            yield from (In(field, values[:size]) for size in range(len(values) + 1))
        case Operator.STARTS_WITH:
            yield from (StartsWith(field, str(value)) for value in values)
        case Operator.CONTAINS:
            yield from (Contains(field, str(value)) for value in values)
        case Operator.WITHIN:
            yield from (Within(field, str(value)) for value in values)
        case _:
            yield from (Comparison(field, operator, value) for value in values)


def answer(received: Received) -> Reply:
    """Answer as a plain system does: filter the natives, give one page."""
    asked = received.parameters
    rows = [row for row in world.NATIVE["Person"] if matches(row, asked)]
    start = int(asked["offset"])
    page = [sent(row) for row in rows[start : start + int(asked["limit"])]]
    return json_reply({"data": {"list": page, "count": len(rows)}})


def matches(row: Mapping[str, object], asked: Mapping[str, str]) -> bool:
    for field, (parameter, _) in KEYS.items():
        if parameter in asked and str(row[field]) not in asked[parameter].split(SEPARATOR):
            return False
    if any(f"{field}.isNull" in asked and row[field] is not None for field in NULLS):
        return False
    return all(
        row[field] is not None and compare(row[field], read(asked[f"{field}.{operator}"]))
        for (field, operator), (read, compare) in FILTERS.items()
        if f"{field}.{operator}" in asked
    )


def sent(row: Mapping[str, object]) -> dict[str, object]:
    return {
        field: float(native)
        if isinstance(native, Decimal)
        else native.isoformat()
        if isinstance(native, date)
        else native
        for field, native in row.items()
    }


def department(url: str) -> Department:
    """Return the mapping of the world behind this address."""
    there = world.entity("Person")
    columns = {
        field: Column(there.fields[field], field, column.codec)
        for field, column in world.PERSON.items()
    }
    endpoint = Endpoint(
        path="/people",
        by_key=KEYS,
        key_separator=SEPARATOR,
        parameters={
            **{key: ".".join(key) for key in FILTERS},
            **{(field, "isNull"): f"{field}.isNull" for field in NULLS},
        },
        rows="data.list",
        total="data.count",
        paging=Paging("offset", "offset", "limit", size=10, first=0),
        scan=True,
        trusted=True,
    )
    entities = {"Person": MappedEntity(there, "", columns, endpoint=endpoint)}
    budget = Budget(seconds=20.0, concurrency=4)
    return Department("world", "世界", "测试", "rest", url, entities, budget, time_zone=world.ZONE)


@dataclass(frozen=True, slots=True)
class Completed:
    """A source whose caller sorts, cuts and counts, as the gate does for what is not claimed."""

    source: HttpSource

    @property
    def name(self) -> str:
        return self.source.name

    @property
    def title(self) -> str:
        return self.source.title

    @property
    def entities(self) -> Mapping[str, Capabilities]:
        fields = frozenset(world.PERSON)
        return {
            name: replace(
                claimed,
                order_by=fields,
                limit=True,
                for_each_limit=True,
                functions=frozenset(Function),
                group_by=fields,
            )
            for name, claimed in self.source.entities.items()
        }

    async def read(self, read: Read) -> Rows:
        named = (part.field for part in read.order_by)
        fields = tuple(dict.fromkeys((*read.fields, *named)))
        rows = await self.source.read(Read(read.entity, fields, read.where, for_each=read.for_each))
        limited = rowset.limited(rowset.ordered(rows, read.order_by), read.limit, read.for_each)
        return rowset.project(limited, read.fields)

    async def aggregate(self, aggregate: Aggregate) -> Rows:
        read = Read(aggregate.entity, tuple(world.PERSON), aggregate.where)
        return rowset.aggregated(await self.source.read(read), aggregate)


@asynccontextmanager
async def system() -> AsyncIterator[Source]:
    """Open the world behind a REST system that runs as long as the block."""
    async with serving(answer) as loopback:
        source = RestSource(department(loopback.url))
        yield Completed(source)
        await source.aclose()
