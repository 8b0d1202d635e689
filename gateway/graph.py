"""
A graph that can be served: departments, policy and schema, checked against each other.

Everything wrong with the files is found here, before the first question.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from strawberry.extensions import ParserCache, ValidationCache

from auth.policy import Policy
from auth.policy_file import load_policy
from auth.principal import Principal
from contract.document import Mistake, Mistakes
from contract.entity import Entity
from contract.source import Source
from resolvers.context import RequestContext, SourceState
from resolvers.gate import Gate
from resolvers.identity import Identity
from resolvers.scoping import unasked_scopes
from resolvers.seal import Seal
from schema.graph import GraphSchema, build_schema, core_entities
from sources.assembly import Assembly, assemble, graph_entities
from sources.check import Report, check
from sources.divisions import division_tree
from sources.mapping import load_departments
from sources.reference import divisions_source, matters_source


@dataclass(frozen=True, slots=True)
class Files:
    """Where an operator's declarations are; matters lie beside the mapping files."""

    departments: Path
    policy: Path

    @property
    def matters(self) -> Path:
        """Return the folder of the catalogue of matters."""
        return self.departments / "matters"


@dataclass(frozen=True, slots=True)
class OpenGraph:
    """Everything a server needs to answer questions."""

    schema: GraphSchema
    policy: Policy
    gate: Gate
    identity: Identity
    cursors: Seal
    assembly: Assembly

    def context(self, principal: Principal, request_id: str) -> RequestContext:
        """Return what one request carries."""
        roles = self.policy.roles
        titles = tuple(roles[role].title if role in roles else role for role in principal.roles)
        return RequestContext(
            principal,
            self.gate,
            self.identity,
            self.cursors,
            titles,
            self.source_states,
            request_id,
        )

    def source_states(self) -> list[SourceState]:
        """Return every department's system with its last known state."""
        guards = self.assembly.guards
        return [
            SourceState(
                department.name,
                department.title,
                department.department,
                department.kind,
                guards[department.name].health.state,
                tuple(sorted(department.entities)),
            )
            for department in self.assembly.departments
        ]

    @property
    def is_complete(self) -> bool:
        """Return whether no system failed when it was last asked."""
        return all(guard.health.is_well for guard in self.assembly.guards.values())

    async def check(self) -> tuple[Report, ...]:
        """
        Return a report on every department's system.

        Reads:  each entity, at most 40 times.
        """
        tree = division_tree()
        sources: Mapping[str, Source] = self.assembly.guards
        return await check(
            self.assembly.departments, sources, lambda code: tree.get(code) is not None
        )

    async def mistakes(self) -> tuple[Mistake, ...]:
        """Return what mapping files say that the live services' own schemas do not."""
        return await self.assembly.mistakes()

    async def aclose(self) -> None:
        """Close every connection."""
        await self.assembly.aclose()


def open_graph(files: Files, environment: Mapping[str, str], secret: bytes) -> OpenGraph:
    """
    Return the graph of the files; systems are contacted when they are first asked.

    Raises: Mistakes, with everything that is wrong with the files.
    """
    core = core_entities()
    departments = load_departments(files.departments, core, environment)
    assembly = assemble(core, departments, _reference(core, files))
    policy = load_policy(files.policy, assembly.entities, assembly.facets)
    _refuse_unasked_scopes(policy, assembly)
    return OpenGraph(
        build_schema(
            assembly.entities,
            [partial(ParserCache, maxsize=256), partial(ValidationCache, maxsize=256)],
        ),
        policy,
        Gate(policy, assembly.federation),
        Identity(secret, assembly.entities),
        Seal(secret, "cursor"),
        assembly,
    )


def _refuse_unasked_scopes(policy: Policy, assembly: Assembly) -> None:
    """
    Refuse a mapping by which a system cannot be asked for the rows of a scope alone.

    Raises: Mistakes.
    """
    write = "Declare the filters its rule in the policy needs, such as within on its divisions."
    mistakes = tuple(
        Mistake(department.file, department.entities[entity].line, what, write)
        for role, entity in unasked_scopes(policy, assembly.federation)
        for department in assembly.departments
        if entity in department.entities
        for what in (f"{entity} cannot be asked for the rows that {role} may see",)
    )
    if mistakes:
        raise Mistakes(mistakes)


def printed_schema(files: Files) -> str:
    """
    Return the graph in SDL; the systems' addresses need not be known.

    Raises: Mistakes, with everything that is wrong with the files.
    """
    core = core_entities()
    departments = load_departments(files.departments, core, None)
    return build_schema(graph_entities(core, departments, _reference(core, files))).as_str()


def _reference(core: Mapping[str, Entity], files: Files) -> tuple[Source, ...]:
    return divisions_source(core, division_tree()), matters_source(core, files.matters)
