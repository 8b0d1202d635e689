"""
From mapping files to the federation: one source per department, each within its budget.

The entities of the graph are the core ones as far as some system holds them, plus the facets; a
relationship whose join fields no system holds is left out.
"""

from asyncio import gather
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Protocol

from contract.document import Mistake
from contract.entity import Entity, Relationship
from contract.errors import SourceFailure
from contract.source import Source
from sources.declaration import Department
from sources.federation import Federation
from sources.file import FileSource
from sources.graphql import GraphqlSource
from sources.guard import Guard
from sources.mapping import attached
from sources.rest import RestSource
from sources.sql import SqlSource


@dataclass(frozen=True, slots=True)
class Assembly:
    """Everything that answers, and the words it answers in."""

    entities: Mapping[str, Entity]
    facets: frozenset[str]
    departments: tuple[Department, ...]
    guards: Mapping[str, Guard]
    federation: Federation
    opened: tuple["OpenedSource", ...]

    async def mistakes(self) -> tuple[Mistake, ...]:
        """
        Return what mapping files say that the services' own schemas do not.

        Reads:  the schema of each GraphQL service; one that does not answer is checked later.
        """
        services = [source for source in self.opened if isinstance(source, GraphqlSource)]
        found = await gather(*(_mistakes(service) for service in services))
        return tuple(mistake for mistakes in found for mistake in mistakes)

    async def aclose(self) -> None:
        """Close every connection."""
        await gather(*(source.aclose() for source in self.opened))


class OpenedSource(Source, Protocol):
    """A source with connections, which somebody closes."""

    async def aclose(self) -> None:
        """Close every connection."""


async def _mistakes(service: GraphqlSource) -> tuple[Mistake, ...]:
    try:
        return await service.mistakes()
    except SourceFailure:
        return ()


def open_source(department: Department) -> OpenedSource:
    """Return the source of a department, by its kind."""
    kinds: Mapping[str, Callable[[Department], OpenedSource]] = {
        "sql": SqlSource,
        "rest": RestSource,
        "graphql": GraphqlSource,
        "file": FileSource,
    }
    return kinds[department.kind](department)


def assemble(
    core: Mapping[str, Entity],
    departments: tuple[Department, ...],
    reference: Iterable[Source],
) -> Assembly:
    """Return the federation over all departments and the reference sources of core entities."""
    opened = tuple(open_source(department) for department in departments)
    guards = {
        department.name: Guard(source, department.budget)
        for department, source in zip(departments, opened, strict=True)
    }
    sources: tuple[Source, ...] = (*guards.values(), *reference)
    entities = graph_entities(core, departments, reference)
    return Assembly(
        entities,
        frozenset(entities.keys() - core.keys()),
        departments,
        guards,
        Federation(entities, sources),
        opened,
    )


def graph_entities(
    core: Mapping[str, Entity],
    departments: tuple[Department, ...],
    reference: Iterable[Source],
) -> dict[str, Entity]:
    """
    Return every entity of the graph, with the relationships that can be followed in both ends.

    A core entity that no system holds has no fields: the schema has it, and it has no rows.
    """
    held = {name: replace(entity, fields={}) for name, entity in core.items()}
    held |= {name: core[name] for source in reference for name in source.entities}
    for department in departments:
        held |= {name: mapped.entity for name, mapped in department.entities.items()}
    added = attached(departments)
    return {
        name: replace(
            entity,
            relationships=MappingProxyType(
                {
                    relationship.name: relationship
                    for relationship in (
                        *entity.relationships.values(),
                        *(relationship for relationship, _ in added.get(name, ())),
                    )
                    if _joins(relationship, entity, held)
                }
            ),
        )
        for name, entity in held.items()
    }


def _joins(relationship: Relationship, entity: Entity, held: Mapping[str, Entity]) -> bool:
    target = held.get(relationship.target)
    return (
        target is not None
        and set(relationship.own_fields) <= entity.fields.keys()
        and set(relationship.target_fields) <= target.fields.keys()
    )
