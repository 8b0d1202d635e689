"""What a mapping file may keep of a system's answers: nothing that speaks of people."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from contract.entity import Entity, Sensitivity
from sources.declaration import Cache, Department, MappedEntity
from sources.finding import Findings
from sources.mapping_model import EntityShape


@dataclass(frozen=True, slots=True)
class Kept:
    """An entity that a file wants kept; `freshness`: how old all of the system's data may be."""

    findings: Findings
    mapped: MappedEntity
    cache: Cache
    freshness: float | None

    def wrong(self, what: str, write: str, *place: str) -> None:
        """Note a mistake of the entity's `cache`."""
        self.findings.add(("entity", self.mapped.entity.name, "cache", *place), what, write)


def cache(shape: EntityShape) -> Cache | None:
    """Return how answers about the entity are kept, if they are."""
    return Cache(shape.cache.freshness, whole=shape.cache.whole) if shape.cache else None


def check_caches(files: Sequence[tuple[Findings, Department]], core: Mapping[str, Entity]) -> None:
    """Note every entity that may not be kept, or not so long, or that cannot be kept whole."""
    personal = _personal(files, core)
    for kept in _kept(files):
        name, endpoint = kept.mapped.entity.name, kept.mapped.endpoint
        if name in personal:
            kept.wrong(f"{name} speaks of people, so it is never kept", "Leave cache out.")
        if kept.freshness is not None and kept.cache.seconds > kept.freshness:
            what = "answers are kept longer than the file's freshness lets them be old"
            kept.wrong(what, "Write a shorter one, or raise freshness.", "freshness")
        if kept.cache.whole and endpoint is not None and not endpoint.scan:
            what = f"{name} cannot be kept whole, since it cannot be listed"
            kept.wrong(what, "Write scan = true if it can, or leave whole out.", "whole")


def _kept(files: Sequence[tuple[Findings, Department]]) -> Iterator[Kept]:
    for findings, department in files:
        for mapped in department.entities.values():
            if mapped.cache is not None:
                yield Kept(findings, mapped, mapped.cache, department.freshness_seconds)


def _personal(
    files: Sequence[tuple[Findings, Department]], core: Mapping[str, Entity]
) -> frozenset[str]:
    """
    Return the entities that speak of people: themselves, or by a row that they belong to.

    It is enough that one file says so of a field, as it may raise what the schema says.
    """
    held = [mapped for _, department in files for mapped in department.entities.values()]
    entities = [*core.values(), *(mapped.entity for mapped in held)]
    found = {entity.name for entity in entities if not _is_open(entity)}
    found |= {mapped.entity.name for mapped in held if _has_citizens(mapped)}
    while more := set(_belonging(entities, found)):
        found |= more
    return frozenset(found)


def _is_open(entity: Entity) -> bool:
    return all(field.sensitivity is Sensitivity.OPEN for field in entity.fields.values())


def _has_citizens(mapped: MappedEntity) -> bool:
    columns = mapped.columns.values()
    return any(column.identifier == "citizen_number" for column in columns)


def _belonging(entities: Iterable[Entity], found: set[str]) -> Iterator[str]:
    for entity in entities:
        owners = {each.target for each in entity.relationships.values() if not each.many}
        if entity.name not in found and owners & found:
            yield entity.name
