"""
Whom the rows of each entity speak of, and what is noted of a reading for the ledger.

Only entities with a personal or restricted field are noted; others speak of nobody.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from auth.policy import Grant
from auth.reading import PERSON, Reading
from contract.entity import Entity, Relationship, Sensitivity
from contract.predicate import INVALID, Exists, IsNull, Predicate, fields_of, relations_of
from resolvers.ask import Ask
from resolvers.record import Record

_RESIDENT: Final = "Resident"
_NUMBER: Final = "idNumber"


@dataclass(frozen=True, slots=True)
class Subject:
    """Which fields tell whom an entity's rows speak of, and what their values are."""

    entity: Entity
    kind: str
    fields: tuple[str, ...]

    @property
    def is_itself(self) -> bool:
        """Return whether each row is one person."""
        return self.entity.name == _RESIDENT

    @property
    def is_told(self) -> bool:
        """Return whether one field of the rows tells whom they speak of."""
        return len(self.fields) == 1 and self.kind != self.entity.name

    def values(self, records: Sequence[Record]) -> list[object]:
        """Return whom each row speaks of; by the row's own key where the row does not say."""
        if not records:
            return []
        kept = records[0].layout.kept
        if len(self.fields) != 1 or self.fields[0] not in kept:
            return [(self.entity.name, *record.key()) for record in records]
        place = kept[self.fields[0]]
        values = [record.kept[place] for record in records]
        if None in values or INVALID in values:
            return [_said(value, record) for value, record in zip(values, records, strict=True)]
        return values


def subjects_of(entities: Mapping[str, Entity]) -> Mapping[str, Subject]:
    """Return whom the rows speak of, for every entity with fields that are not open."""
    return {
        name: _subject(entity)
        for name, entity in entities.items()
        if any(field.sensitivity is not Sensitivity.OPEN for field in entity.fields.values())
    }


def speaks_of_people(entity: Entity, subjects: Mapping[str, Subject]) -> bool:
    """Return whether rows speak of somebody, themselves or by a row that they belong to."""
    owners = (each.target for each in entity.relationships.values() if not each.many)
    return entity.name in subjects or any(owner in subjects for owner in owners)


def reading_of(
    subject: Subject,
    entities: Mapping[str, Entity],
    ask: Ask,
    grants: tuple[Grant, ...] = (),
    records: Sequence[Record] = (),
) -> Reading:
    """Return what is noted of rows that were read as asked for, and are shown."""
    return Reading(
        subject.entity,
        ask.selection.fields,
        _held(grants, records),
        partial(named_in, entities, subject.entity, ask),
        subject.kind,
        subject.values(records),
        len(records),
    )


def named_in(entities: Mapping[str, Entity], entity: Entity, ask: Ask) -> set[str]:
    """Return the fields that are not open among those a filter or an order names."""
    found = _named(entities, entity, ask.where)
    for order in ask.order_by:
        if order.extreme is None:
            found |= _closed(entity, {order.field})
        else:
            related = Exists(order.extreme.relationship, IsNull(order.extreme.field))
            found |= _named(entities, entity, related)
    return found


def _named(entities: Mapping[str, Entity], entity: Entity, predicate: Predicate) -> set[str]:
    found = _closed(entity, fields_of(predicate))
    for exists in relations_of(predicate):
        target = entities[entity.relationships[exists.relationship].target]
        found |= _named(entities, target, exists.predicate)
    return found


def _closed(entity: Entity, names: set[str] | frozenset[str]) -> set[str]:
    return {
        f"{entity.name}.{name}"
        for name in names & entity.fields.keys()
        if entity.fields[name].sensitivity is not Sensitivity.OPEN
    }


def _held(grants: tuple[Grant, ...], records: Sequence[Record]) -> tuple[Grant, ...]:
    """Return the grants that admit some of the rows."""
    if len(grants) < 2 or not records:
        return grants
    numbers = frozenset[int]().union(*{record.grants for record in records})
    return tuple(grant for grant in grants if grant.number in numbers)


def _subject(entity: Entity) -> Subject:
    if entity.name == _RESIDENT:
        return Subject(entity, PERSON, (_NUMBER,))
    declared = entity.relationships.get(entity.subject or "")
    if declared is not None:
        kind = PERSON if _is_person(declared) else declared.target
        return Subject(entity, kind, declared.own_fields)
    for relationship in entity.relationships.values():
        if not relationship.many and _is_person(relationship):
            return Subject(entity, PERSON, relationship.own_fields)
    return Subject(entity, entity.name, entity.key)


def _is_person(relationship: Relationship) -> bool:
    return relationship.target == _RESIDENT and relationship.target_fields == (_NUMBER,)


def _said(value: object, record: Record) -> object:
    return (record.entity, *record.key()) if value is None or value is INVALID else value
