"""A GraphQL service of permits, and what it may do otherwise than its mapping file says."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from graphql import build_schema

from tests.loopback import Received, Reply, serving
from tests.onboarding.permits import GRAPHQL, Native, Served, natives
from tests.sources.graphql_world import answered

SDL = """
input Filter { kindIn: [String!], least: Int }
type Query { permits(certnos: [String!], filter: Filter, first: Int, after: String): Permits! }
type Permits { nodes: [Permit!]!, totalCount: Int!, certnos: [String!]!, pageInfo: PageInfo! }
type PageInfo { hasNextPage: Boolean!, endCursor: String }
type Permit {
  no: ID!, certno: String!, shop: String, kind: String, began: String, changed: String, fee: Float
  area: String, months: Int, note: String
}
"""


SCHEMA = build_schema(SDL)


@dataclass(frozen=True, slots=True)
class Graphql:
    """The service; each part may be another one."""

    text: str = GRAPHQL
    rows: Sequence[Native] = field(default_factory=natives)
    operands: int = 1000
    listed: Callable[[list[str], Sequence[Native]], list[str]] = lambda asked, _: asked
    ends: bool = True

    def __call__(self, received: Received) -> Reply:
        root = {"permits": self._permits}
        return answered(SCHEMA, received, "", root)

    def _permits(self, _: object, **asked: Any) -> dict[str, object]:
        kept = [row for row in self.rows if self._keeps(row, asked)]
        start, size = int(asked.get("after") or 0), asked.get("first") or 20
        page = [{**row, "fee": float(row["fee"])} for row in kept[start : start + size]]
        return {
            "nodes": page,
            "totalCount": len(kept),
            "certnos": self.listed(asked.get("certnos", []), kept),
            "pageInfo": {
                "hasNextPage": not self.ends or start + size < len(kept),
                "endCursor": str(start + size),
            },
        }

    def _keeps(self, row: Native, asked: dict[str, Any]) -> bool:
        wanted = asked.get("filter") or {}
        kinds = wanted.get("kindIn", [row["kind"]])[: self.operands]
        least = wanted.get("least")
        return (
            row["certno"] in asked.get("certnos", [row["certno"]])
            and row["kind"] in kinds
            and (least is None or (row["months"] is not None and row["months"] >= least))
        )


@asynccontextmanager
async def running(system: Graphql) -> AsyncIterator[Served]:
    async with serving(system) as loopback:
        yield Served(system.text, {"URL": loopback.url})
