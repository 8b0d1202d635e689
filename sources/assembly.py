"""
From mapping files to the federation: one source per department, each within its budget.

The entities of the graph are the core ones as far as some system holds them, plus the facets; a
relationship whose join fields no system holds is left out.
"""

from asyncio import gather
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Protocol

from contract.document import Mistake
from contract.entity import Entity, Field, Relationship, Sensitivity
from contract.errors import SourceFailure
from contract.source import Source
from sources.caching import Caching
from sources.constants import Completed, Constants
from sources.declaration import Department, MappedEntity
from sources.federation import Federation
from sources.file import FileSource
from sources.graphql import GraphqlSource
from sources.guard import Guard
from sources.mapping import attached
from sources.rest import RestSource
from sources.sql import SqlSource


@dataclass(frozen=True, slots=True)
class Assembly:
    """Everything that answers, and the words it answers in; `systems` by department's name."""

    entities: Mapping[str, Entity]
    facets: frozenset[str]
    departments: tuple[Department, ...]
    systems: Mapping[str, "Guarded"]
    federation: Federation

    @property
    def guards(self) -> Mapping[str, Guard]:
        """Return what keeps every department's system within its budget, by name."""
        return {name: each.guard for name, each in self.systems.items()}

    @property
    def opened(self) -> tuple["OpenedSource", ...]:
        """Return every department's system itself."""
        return tuple(each.source for each in self.systems.values())

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


@dataclass(frozen=True, slots=True)
class Guarded:
    """A department's system that is open, what stands around it, and what is kept around that."""

    source: OpenedSource
    guard: Guard
    cache: Caching | None = None

    @property
    def asked(self) -> Source:
        """Return what is asked for answers."""
        return self.cache or self.guard

    async def forget(self) -> None:
        """Answer from nothing any more that the system said before."""
        if isinstance(self.source, FileSource):
            await self.source.forget()
        # Last, so that what was answered meanwhile is forgotten too.
        self.guard.forget()
        if self.cache is not None:
            self.cache.forget()


def _guarded(department: Department) -> Guarded:
    source, entities = open_source(department), department.entities
    guard = Guard(source, department.budget, maintenance=department.maintenance)
    keeps = any(mapped.cache for mapped in entities.values())
    return Guarded(source, guard, Caching(guard, entities) if keeps else None)


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
    kept: Mapping[str, "Guarded"] = MappingProxyType({}),
) -> Assembly:
    """
    Return the federation over all departments and the reference sources of core entities.

    `kept`: systems that are open already and whose mapping is the same as it was.
    """
    guarded = {each.name: kept.get(each.name) or _guarded(each) for each in departments}
    entities = graph_entities(core, departments, reference)
    completed = (
        _completed(guarded[department.name].asked, department, entities)
        for department in departments
    )
    homes = {
        (department.name, name): mapped.home
        for department in departments
        for name, mapped in department.entities.items()
        if mapped.home is not None
    }

    def dropped(source: str, entity: str, rows: int) -> None:
        if source in guarded:
            guarded[source].guard.drops.note(entity, rows)

    return Assembly(
        entities,
        frozenset(entities.keys() - core.keys()),
        departments,
        guarded,
        Federation(entities, (*completed, *reference), homes=homes, dropped=dropped),
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
    held |= _mapped(core, departments)
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


def _mapped(
    core: Mapping[str, Entity], departments: tuple[Department, ...]
) -> Iterator[tuple[str, Entity]]:
    """Yield every entity of the mapping files, with the fields that some system has."""
    found: dict[str, list[MappedEntity]] = {}
    for department in departments:
        for name, mapped in department.entities.items():
            found.setdefault(name, []).append(mapped)
    for name, several in found.items():
        fields: dict[str, Field] = {}
        for mapped in several:
            constants = {field: core[name].fields[field] for field in mapped.constants}
            for field in (*mapped.entity.fields.values(), *constants.values()):
                fields[field.name] = _stricter(fields.get(field.name), field)
        expected = core.get(name, several[0].entity)
        ordered = {field: fields[field] for field in expected.fields if field in fields}
        as_of = next((mapped.entity.as_of for mapped in several if mapped.entity.as_of), "")
        yield name, replace(several[0].entity, fields=ordered, as_of=as_of)


def _stricter(one: Field | None, other: Field) -> Field:
    """Return the field with the higher sensitivity that one of the systems declares."""
    if one is None:
        return other
    ranks = list(Sensitivity)
    return max(one, other, key=lambda field: ranks.index(field.sensitivity))


def _completed(source: Source, department: Department, entities: Mapping[str, Entity]) -> Source:
    """Return the source with the fields that it does not keep and the graph has."""
    constants: dict[str, Constants] = {}
    for name, mapped in department.entities.items():
        absent = entities[name].fields.keys() - mapped.columns.keys()
        if absent:
            constants[name] = {field: mapped.constants.get(field) for field in sorted(absent)}
    return Completed(source, constants) if constants else source


def _joins(relationship: Relationship, entity: Entity, held: Mapping[str, Entity]) -> bool:
    target = held.get(relationship.target)
    return (
        target is not None
        and set(relationship.own_fields) <= entity.fields.keys()
        and set(relationship.target_fields) <= target.fields.keys()
    )
