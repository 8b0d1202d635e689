"""
Whose values a record's are, of when, and what other systems say of the same thing.

Other systems are asked through the gate like any field, and values are compared as the principal
sees them: what a mask hides makes no difference between two systems.
"""

from asyncio import gather
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from contract.entity import Entity, Relationship
from contract.predicate import INVALID
from resolvers.ask import Ask, Asker, Selection
from resolvers.gate import Gate
from resolvers.record import DENIED, Record


@dataclass(frozen=True, slots=True)
class Statement:
    """What another system says of the same field, otherwise than the home."""

    source: str
    title: str
    value: str
    as_of: str | None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where one field of one record is from; `as_of`: an ISO 8601 date or time."""

    field: str
    source: str
    title: str
    as_of: str | None
    conflicts: tuple[Statement, ...]


Said: TypeAlias = tuple[str, Record, str]
"""A field, the record that says something of it, and the field it says it in."""


async def origins(gate: Gate, asker: Asker, parents: Sequence[Record]) -> list[list[Origin]]:
    """
    Return, for each parent, where each of the fields is from that it shows.

    Shape:  parents (n), of one entity -> lists of origins (n), same order.
    Reads:  each facet that restates one of these fields once; each other system of the entity once.
    Raises: SourceFailure where one of these does not answer.
    """
    entity, fields = parents[0].layout.entity, frozenset(parents[0].layout.shown)
    restated = list(restating(gate.entities, entity, fields))
    told, copies = await gather(
        gather(*(_told(gate, asker, parents, *each) for each in restated)),
        gate.copies(asker, fields, parents),
    )
    said: list[list[Said]] = [[] for _ in parents]
    for place, records in enumerate(copies):
        said[place] += [(field, record, field) for record in records for field in fields]
    for (_, pairs), found in zip(restated, told, strict=True):
        for place, several in enumerate(found):
            said[place] += [(own, record, name) for record in several for own, name in pairs]
    return [list(_origins(parent, others)) for parent, others in zip(parents, said, strict=True)]


def as_of(record: Record) -> str | None:
    """Return when the record was last changed, as far as that may be seen."""
    name = record.layout.entity.as_of
    value = record.get(name) if name else None
    if isinstance(value, date):
        return value.isoformat()
    copied = record.layout.as_of
    return copied.isoformat() if copied else None


def restating(
    entities: Mapping[str, Entity], entity: Entity, fields: frozenset[str]
) -> Iterator[tuple[Relationship, list[tuple[str, str]]]]:
    """Yield the relationships to facets that restate fields, with pairs of own and restating."""
    for relationship in entity.relationships.values():
        pairs = [
            (told.partition(".")[2], field.name)
            for field in entities[relationship.target].fields.values()
            for told in field.restates
            if told.partition(".")[0] == entity.name and told.partition(".")[2] in fields
        ]
        if pairs:
            yield relationship, pairs


async def _told(
    gate: Gate,
    asker: Asker,
    parents: Sequence[Record],
    relationship: Relationship,
    pairs: list[tuple[str, str]],
) -> list[Sequence[Record]]:
    target = gate.entities[relationship.target]
    wanted = {told for _, told in pairs} | ({target.as_of} if target.as_of else set())
    ask = Ask(Selection(target.name, frozenset(wanted)))
    return [found.records for found in await gate.related(asker, ask, relationship, parents)]


def _origins(record: Record, said: list[Said]) -> Iterator[Origin]:
    layout = record.layout
    for field in sorted(layout.shown):
        mine = record.get(field)
        if mine is not DENIED:
            statements = (_statement(other, told) for own, other, told in said if own == field)
            others = {each for each in statements if each and each.value != _text(mine)}
            ranked = sorted(others, key=lambda each: (each.source, each.value, each.as_of or ""))
            yield Origin(field, layout.source, layout.title, as_of(record), tuple(ranked))


def _statement(record: Record, field: str) -> Statement | None:
    value = record.get(field)
    if value is None or value is DENIED or value is INVALID:
        return None
    return Statement(record.layout.source, record.layout.title, _text(value), as_of(record))


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)
