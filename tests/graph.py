"""The graph over the world of `tests.world`, each system in memory, its reads on record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import strawberry

from auth.policy import Policy
from auth.policy_file import load_policy
from auth.principal import Principal
from auth.throttle import Throttle
from contract.entity import Entity, Relationship
from contract.read import Aggregate, Read, Rows
from contract.source import Capabilities, Source
from resolvers.context import RequestContext
from resolvers.gate import Gate
from resolvers.identity import Identity
from resolvers.seal import Seal
from resolvers.spending import Spending
from schema.graph import build_schema, core_entities
from sources.divisions import division_tree
from sources.federation import Federation
from sources.holding import Homes
from sources.memory import MemorySource
from sources.reference import divisions_source, matters_source
from tests import world

ROOT = Path(__file__).parents[1]
SECRET = b"a secret of the tests, 32 bytes."

PRINCIPALS: Mapping[str, Principal] = {
    "clerk": Principal("clerk", ("township_clerk",), (world.XIBEI,)),
    "neighbour": Principal("neighbour", ("township_clerk",), (world.BENNIU,)),
    "grid": Principal("grid", ("grid_worker",), (f"{world.XIBEI}001",)),
    "county": Principal("county", ("county_officer",), ("320205",)),
    "city": Principal("city", ("city_officer",), ("3204",)),
    "province": Principal("province", ("province_officer",), ("32",)),
    "officer": Principal("officer", ("department_officer",), ("3202",), "民政"),
    "auditor": Principal("auditor", ("auditor",), ("32",)),
    "nobody": Principal("nobody", (), ()),
    "misplaced": Principal("misplaced", ("township_clerk",), ("3202",)),
    "both": Principal("both", ("township_clerk", "auditor"), (world.XIBEI, "32")),
    "two": Principal("two", ("township_clerk", "grid_worker"), (world.XIBEI, f"{world.BENNIU}001")),
}


class Recording:
    """A source that keeps what it was asked."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.name = source.name
        self.title = source.title
        self.reads: list[Read | Aggregate] = []

    @property
    def entities(self) -> Mapping[str, Capabilities]:
        return self._source.entities

    async def read(self, read: Read) -> Rows:
        self.reads.append(read)
        return await self._source.read(read)

    async def aggregate(self, aggregate: Aggregate) -> Rows:
        self.reads.append(aggregate)
        return await self._source.aggregate(aggregate)


@dataclass(frozen=True)
class Graph:
    """A schema, the gate behind it, and the sources behind that."""

    schema: strawberry.Schema
    gate: Gate
    identity: Identity
    sources: Mapping[str, Recording]
    entities: Mapping[str, Entity]

    def context(self, account: str) -> RequestContext:
        principal = PRINCIPALS[account]
        titles = tuple(f"岗位{role}" for role in principal.roles)
        return RequestContext(
            principal,
            self.gate,
            self.identity,
            Seal(SECRET, "cursor"),
            titles,
            spending=Spending(Throttle(), account),
        )

    async def ask(self, account: str, query: str, **variables: object) -> Any:
        return await self.schema.execute(
            query, variable_values=dict(variables), context_value=self.context(account)
        )

    async def data(self, account: str, query: str, **variables: object) -> Any:
        result = await self.ask(account, query, **variables)
        assert result.errors is None, result.errors
        return result.data

    def reads(self) -> Sequence[tuple[str, str]]:
        return [
            (name, read.entity) for name, source in self.sources.items() for read in source.reads
        ]


def graph_entities() -> dict[str, Entity]:
    core = core_entities()
    resident = core["Resident"]
    facet = Relationship(
        "medicalEnrollments",
        "MedicalEnrollment",
        (("idNumber", "idNumber"),),
        many=True,
        description="医保参保 | Medical enrolments",
    )
    relationships = {**resident.relationships, facet.name: facet}
    return {
        **core,
        "Resident": replace(resident, relationships=MappingProxyType(relationships)),
        "MedicalEnrollment": world.ENROLLMENT,
    }


SYSTEMS: Mapping[str, tuple[str, ...]] = {
    "population": ("Resident", "Household"),
    "service_platform": ("Case", "CaseEvent", "CaseMaterial", "CaseResult"),
    "social_security": ("Enterprise",),
    "medical_insurance": ("MedicalEnrollment",),
}


def build_graph(
    sources: Mapping[str, Source] | None = None, homes: Homes = MappingProxyType({})
) -> Graph:
    """Return the graph; `sources` replace the systems of the same name, or are new ones."""
    entities = graph_entities()
    systems: dict[str, Source] = {
        name: MemorySource(
            name,
            name,
            {entity: entities[entity] for entity in held},
            {entity: world.ROWS[entity] for entity in held},
        )
        for name, held in SYSTEMS.items()
    }
    systems |= {**reference(), **(sources or {})}
    recorded = {name: Recording(source) for name, source in systems.items()}
    gate = Gate(policy(), Federation(entities, recorded.values(), homes=homes))
    return Graph(schema(), gate, Identity(SECRET, entities), recorded, entities)


@cache
def schema() -> strawberry.Schema:
    """Return the schema of the graph, which knows no rows; made once, since that takes long."""
    return build_schema(graph_entities())


@cache
def policy() -> Policy:
    """Return the policy of the product."""
    path = ROOT / "auth" / "policy.toml"
    return load_policy(path, graph_entities(), frozenset({"MedicalEnrollment"}))


@cache
def reference() -> Mapping[str, Source]:
    """Return the systems of the product's own data, read once."""
    core = core_entities()
    return {
        "divisions": divisions_source(core, division_tree()),
        "matters": matters_source(core, ROOT / "departments" / "matters"),
    }
