"""
Which systems hold an entity, and which of its rows are whose.

A row has one home. Where several systems know it, the home alone supplies it; what another one
says of it is no row.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from contract.predicate import (
    TRUE,
    And,
    In,
    IsNull,
    Or,
    Predicate,
    Value,
    all_of,
    any_of,
    fields_of,
    negation,
)
from contract.source import Capabilities, Source

Homes: TypeAlias = Mapping[tuple[str, str], Predicate]
"""The rows that a source is the home of, by source and entity, where it says so."""


@dataclass(frozen=True, slots=True)
class Holding:
    """One entity in one source; `own`: the rows that the source is the home of."""

    source: Source
    entity: str
    own: Predicate

    @property
    def capabilities(self) -> Capabilities:
        """Return what the source can do with the entity."""
        return self.source.entities[self.entity]


def holdings(sources: Iterable[Source], homes: Homes) -> dict[str, tuple[Holding, ...]]:
    """
    Return every entity's holdings, in the order of the sources.

    A source that does not say has the rows that are no other's; all of them where it is alone.
    """
    held: dict[str, list[Source]] = {}
    for source in sources:
        for entity in source.entities:
            held.setdefault(entity, []).append(source)
    return {
        entity: tuple(_holding(source, entity, holders, homes) for source in holders)
        for entity, holders in held.items()
    }


def _holding(source: Source, entity: str, holders: list[Source], homes: Homes) -> Holding:
    own = homes.get((source.name, entity))
    if own is None:
        others = (homes.get((other.name, entity)) for other in holders if other is not source)
        own = all_of(*map(outside, _together(other for other in others if other is not None)))
    return Holding(source, entity, own)


def _together(homes: Iterable[Predicate]) -> Iterator[Predicate]:
    """Yield the homes, those that list values of one field as one list."""
    listed: dict[str, tuple[Value, ...]] = {}
    for home in homes:
        if isinstance(home, In):
            listed[home.field] = (*listed.get(home.field, ()), *home.operands)
        else:
            yield home
    yield from (In(field, values) for field, values in listed.items())


def outside(own: Predicate) -> Predicate:
    """Return what is true of every row for which `own` is not true, null or unreadable included."""
    match own:
        case And(parts):
            return any_of(*(outside(part) for part in parts))
        case Or(parts):
            return all_of(*(outside(part) for part in parts))
        case _:
            return any_of(negation(own), *(IsNull(field) for field in sorted(fields_of(own))))


def is_shared(held: tuple[Holding, ...]) -> bool:
    """Return whether rows have different homes."""
    return len(held) > 1 or any(holding.own != TRUE for holding in held)
