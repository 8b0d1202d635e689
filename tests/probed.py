"""Graphs to be probed: the worlds of the twins, with roles and records of more kinds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any, Final

import orjson
import strawberry

from auth.policy import Policy
from auth.policy_file import load_policy
from auth.principal import Principal
from auth.throttle import Throttle
from contract.entity import Entity, Relationship
from contract.errors import SourceUnavailable
from contract.read import Aggregate, Read, Rows
from contract.source import Source
from resolvers.context import RequestContext
from resolvers.gate import Gate
from resolvers.identity import Identity
from resolvers.seal import Seal
from resolvers.spending import Spending
from schema.errors import formatted
from schema.graph import build_schema
from sources.federation import Calls, Federation
from sources.memory import MemorySource
from tests import world
from tests.divided import HOMES
from tests.graph import PRINCIPALS, ROOT, SECRET, Graph, Recording, graph_entities
from tests.twins import World, graph_over

ROLES: Final = """
[role.registrar]
title = "户籍"
levels = ["county"]
facets = "nobody"
sensitivity = { personal = "shown", restricted = "hidden" }

[role.registrar.rows]
Resident = "own_division"

[role.dialler]
title = "热线"
levels = ["township"]
facets = "nobody"
sensitivity = { personal = "shown", restricted = "hidden" }

[role.dialler.rows]
Resident = "own_division"
Case = "own_division"

[role.dialler.fields]
"Resident.phone" = "shown"
"""
ALSO: Final[Mapping[str, Principal]] = {
    **PRINCIPALS,
    "registrar": Principal("registrar", ("registrar",), ("320205",)),
    "registers": Principal("r", ("registrar", "township_clerk"), ("320205", world.XIBEI)),
    "dials": Principal("d", ("township_clerk", "dialler"), (world.XIBEI, world.BENNIU)),
}


@cache
def entities() -> Mapping[str, Entity]:
    """Return the graph's entities: the facet hangs on households too, and restates a name."""
    known = graph_entities()
    household, facet = known["Household"], known["MedicalEnrollment"]
    aids = Relationship(
        "aids",
        "MedicalEnrollment",
        (("headIdNumber", "idNumber"),),
        many=True,
        description="户主 | Of the head",
    )
    told = replace(facet.fields["personNumber"], restates=("Resident.name",))
    return {
        **known,
        "Household": replace(
            household,
            relationships=MappingProxyType({**household.relationships, aids.name: aids}),
        ),
        "MedicalEnrollment": replace(
            facet, fields=MappingProxyType({**facet.fields, told.name: told})
        ),
    }


@cache
def schema() -> strawberry.Schema:
    return build_schema(entities())


@cache
def policy() -> Policy:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "policy.toml"
        file.write_text((ROOT / "auth" / "policy.toml").read_text("utf-8") + ROLES, "utf-8")
        return load_policy(file, entities(), frozenset({"MedicalEnrollment"}))


def probed(rows: World, *, shared: bool = False, **systems: Source) -> Graph:
    """Return the graph over the rows; `systems` replace those of the same name."""
    graph = graph_over(rows, shared=shared)
    recorded = {**graph.sources, **{name: Recording(each) for name, each in systems.items()}}
    federation = Federation(entities(), recorded.values(), homes=HOMES if shared else {})
    return replace(
        graph,
        schema=schema(),
        gate=Gate(policy(), federation),
        identity=Identity(SECRET, entities()),
        sources=recorded,
        entities=entities(),
    )


@dataclass(frozen=True)
class Told:
    """The bytes of an answer, and what was asked of systems for it."""

    body: bytes
    calls: Calls

    @property
    def data(self) -> Any:
        answer = orjson.loads(self.body)
        assert answer["errors"] == []
        return answer["data"]

    @property
    def codes(self) -> list[str]:
        return [error["extensions"]["code"] for error in orjson.loads(self.body)["errors"]]


async def told(graph: Graph, account: str, query: str, **variables: object) -> Told:
    principal = ALSO[account]
    context = RequestContext(
        principal,
        graph.gate,
        graph.identity,
        Seal(SECRET, "cursor"),
        principal.roles,
        shown=[],
        spending=Spending(Throttle(), account),
    )
    result = await graph.schema.execute(query, variable_values=variables, context_value=context)
    errors = formatted(result.errors or (), "request")
    answer = {"data": result.data, "errors": errors, "extensions": result.extensions}
    return Told(orjson.dumps(answer), context.calls)


def memory(name: str, entity: str, rows: Sequence[world.Row]) -> Source:
    return MemorySource(name, name, {entity: entities()[entity]}, {entity: rows})


class Failing:
    """A system that stops answering when it is told to."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.name, self.title, self.entities = source.name, source.title, source.entities
        self.down = False

    async def read(self, read: Read) -> Rows:
        if self.down:
            raise SourceUnavailable(self.name, self.title)
        return await self._source.read(read)

    async def aggregate(self, aggregate: Aggregate) -> Rows:
        if self.down:
            raise SourceUnavailable(self.name, self.title)
        return await self._source.aggregate(aggregate)


FILTERED = """query($where: %sWhere) { %s(where: $where) { totalCount nodes { id } } }"""
LISTS = {"Resident": "residents", "Case": "cases", "Household": "households"}
PROVENANCE = """{
  cases { nodes {
    number applicantIdNumber contactPhone
    _provenance { field source asOf conflicts { source value asOf } }
  } }
  residents { nodes {
    idNumber phone _provenance { field source asOf conflicts { source value asOf } }
  } }
}"""
