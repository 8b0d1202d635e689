"""A small GraphQL service of medical enrolments, its mapping file, and what it may do wrong."""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from graphql import GraphQLSchema, build_schema

from schema.graph import core_entities
from sources.declaration import Department
from sources.graphql import GraphqlSource
from sources.mapping import load_departments
from tests.loopback import Received, Reply, serving
from tests.sources.graphql_world import answered

TOKEN = "secret"  # noqa: S105 -- a test's
SDL = """
scalar Amount
enum Kind { EMPLOYEE RESIDENT RETIRED }
input KindFilter { eq: Kind, in: [Kind!] }
input Filter { kind: KindFilter, least: Float, months: Int, unpaid: Boolean }
type Query {
  enrolments(
    certNos: [String!], filter: Filter, year: Int, first: Int, after: ID, offset: Int, limit: Int
  ): Enrolments!
  medical: Medical!
}
type Medical { enrolment(number: ID!): Enrolment, list(certNos: [String!]): [Enrolment!]! }
type Enrolments {
  nodes: [Enrolment!]!
  edges: [Edge!]!
  totalCount: Int!
  certNos: [String!]!
  pageInfo: PageInfo!
}
type Edge { node: Enrolment! }
type PageInfo { hasNextPage: Boolean!, endCursor: String }
type Person { certNo: String!, names: [String!]! }
type Enrolment {
  number: ID!, person: Person!, kind: Kind, balance: Amount, months: Int
  note(language: String!): String
}
"""
ROWS: tuple[Mapping[str, object], ...] = (
    {"number": "P1", "certNo": "A", "kind": "EMPLOYEE", "balance": "12.30", "months": 3},
    {"number": "P2", "certNo": "B", "kind": "RESIDENT", "balance": None, "months": 0},
    {"number": "P3", "certNo": "B", "kind": "EMPLOYEE", "balance": "0", "months": None},
    {"number": "P4", "certNo": "C", "kind": "RETIRED", "balance": "-1", "months": -1},
    {"number": "P5", "certNo": "D", "kind": None, "balance": "7", "months": 12},
)
FILE = """
name = "enrolments"
title = "医保信息平台"
department = "医保"
kind = "graphql"
url = "${URL}"
budget = { timeout = "5s", concurrency = 4, bytes = "64KiB" }
signature = { style = "header", header = "Authorization", value = "secret" }

[entity.Enrolment]
description = "参保 | Enrolment"
attach = { to = "Resident", field = "enrolments", by = { idNumber = "idNumber" } }
native = "enrolments"
key = ["number"]
subject = "idNumber"
fields.number = { native = "number", description = "编号 | Number" }
fields.idNumber = { native = "person.certNo", description = "身份证号 | Citizen number" }
fields.kind = { native = "kind", codes = { EMPLOYEE = "WORK", RESIDENT = "HOME" }, \
  description = "险种 | Kind" }
fields.balance = { native = "balance", type = "money", unit = "yuan", \
  description = "余额 | Balance" }
fields.months = { native = "months", type = "integer", description = "月数 | Months" }

[entity.Enrolment.graphql]
rows = "nodes"
total = "totalCount"
answered = "certNos"
paging = { style = "offset", parameter = "offset", size_parameter = "limit", size = 1000 }
fixed = { year = 2026 }
scan = true

[entity.Enrolment.pushdown]
by_key = { field = "idNumber", parameter = "certNos" }

[entity.Enrolment.pushdown.filters]
"kind.eq" = "filter.kind.eq"
"kind.in" = "filter.kind.in"
"balance.gte" = "filter.least"
"balance.isNull" = "filter.unpaid"
"months.eq" = "filter.months"
"""
RELAY = """
rows = "edges"
paging = { style = "cursor", parameter = "after", size_parameter = "first", size = 2, \
  next = "pageInfo.endCursor", more = "pageInfo.hasNextPage" }
"""


@dataclass(slots=True)
class Service:
    """The service; `spoil` changes what it answers, `operations` are all but introspections."""

    spoil: Callable[[Reply], Reply] = lambda reply: reply
    schema: GraphQLSchema = field(default_factory=lambda: build_schema(SDL))
    operations: list[dict[str, Any]] = field(default_factory=list)
    introspections: int = 0

    def __call__(self, received: Received) -> Reply:
        asked = json.loads(received.body)
        if "__schema" in asked["query"]:
            self.introspections += 1
            return answered(self.schema, received, TOKEN)
        self.operations.append(asked)
        return self.spoil(answered(self.schema, received, TOKEN, {"enrolments": _enrolments}))

    @property
    def texts(self) -> set[str]:
        return {asked["query"] for asked in self.operations}


def _enrolments(_: object, **asked: Any) -> dict[str, object]:
    rows = [row for row in ROWS if _matches(row, asked)]
    size = asked.get("first") or asked.get("limit") or len(rows)
    start = int(asked.get("after") or asked.get("offset") or 0)
    page = [{**row, "person": row} for row in rows[start : start + size]]
    more = start + size < len(rows)
    return {
        "nodes": page,
        "edges": [{"node": row} for row in page],
        "totalCount": len(rows),
        "certNos": asked.get("certNos", []),
        "pageInfo": {"hasNextPage": more, "endCursor": str(start + len(page))},
    }


def _matches(row: Mapping[str, object], asked: Mapping[str, Any]) -> bool:
    wanted = asked.get("filter", {})
    kinds = wanted.get("kind", {})
    balance = row["balance"]
    return (
        row["certNo"] in asked.get("certNos", [row["certNo"]])
        and row["kind"] == kinds.get("eq", row["kind"])
        and row["kind"] in kinds.get("in", [row["kind"]])
        and row["months"] == wanted.get("months", row["months"])
        and ("least" not in wanted or float(str(balance or "-inf")) >= wanted["least"])
        and ("unpaid" not in wanted or balance is None)
    )


def department(folder: Path, url: str, text: str = FILE) -> Department:
    """Return the department of a mapping file with this text."""
    (folder / "enrolments.toml").write_text(text.strip(), "utf-8")
    (loaded,) = load_departments(folder, core_entities(), {"URL": url})
    return loaded


@asynccontextmanager
async def asking(
    folder: Path, service: Service, text: str = FILE, again_seconds: float = 30.0
) -> AsyncIterator[GraphqlSource]:
    """Open the service as a source, for as long as the block."""
    async with serving(service) as loopback:
        source = GraphqlSource(department(folder, loopback.url, text), None, again_seconds)
        try:
            yield source
        finally:
            await source.aclose()
