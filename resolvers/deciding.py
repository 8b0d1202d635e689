"""
What a question comes to for a principal, decided once for all who hold the same roles.

Nothing of it depends on a row. It is remembered by all that decides it: roles with their scopes,
department, what is asked, and from what it is reached. Never kept is what openings grant, what
rests on somebody's own citizen number or on which parents a grant opens, and what names a value
that may be somebody's.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, TypeAlias

from auth.policy import Grant
from auth.principal import Principal, is_division
from contract.entity import Field, Kind
from contract.predicate import (
    FALSE,
    Comparison,
    Contains,
    Exists,
    In,
    IsNull,
    Leaf,
    Predicate,
    StartsWith,
    Value,
    Within,
    conjuncts,
    walk,
)
from contract.read import Order
from resolvers.admission import Admission, opened
from resolvers.ask import Ask, Reached
from resolvers.showing import shows
from resolvers.subjects import Subject
from sources.federation import ORIGIN, Federation

_KEPT: Final = 16_384

_FEW_VALUES: Final = frozenset({Kind.CODE, Kind.DIVISION, Kind.BOOLEAN})

_FEW_COMPARED: Final = 100  # conditions and values; what is longer hardly recurs, and takes room

Held: TypeAlias = tuple[tuple[str, ...], tuple[str, ...], str]
"""Roles, scopes and department: all that decides, of whoever has no openings and no own record."""


@dataclass(frozen=True, slots=True)
class Decided:
    """
    The grants that admit a question, and what is asked of sources.

    `where`: filter and policy as one. `fields`: what showing, joining, paging and tagging need, and
    no other. `looked_up`: places of the filter's conditions by which somebody is looked up.
    `recurs`: whether others will ask the same, and no value in it is anybody's.
    """

    grants: tuple[Grant, ...]
    where: Predicate
    order_by: tuple[Order, ...]
    fields: tuple[str, ...]
    looked_up: tuple[int, ...]
    recurs: bool = False

    def look_ups(self, ask: Ask) -> list[Comparison]:
        """Return the question's own conditions by which somebody is looked up."""
        if not self.looked_up:
            return []
        parts = conjuncts(ask.where)
        found = (parts[place] for place in self.looked_up)
        return [part for part in found if isinstance(part, Comparison)]


NOTHING: Final = Decided((), FALSE, (), (), ())
"""What a question about rows comes to that no system holds."""


class Deciding:
    """The policy's decisions over a federation."""

    def __init__(
        self, admission: Admission, federation: Federation, subjects: Mapping[str, Subject]
    ) -> None:
        self._admission = admission
        self._federation = federation
        self._subjects = subjects
        self._remembered = lru_cache(maxsize=_KEPT)(self._decide)

    def decided(self, principal: Principal, ask: Ask, reached: Reached | None = None) -> Decided:
        """
        Return what the question comes to; no grants where the principal sees no row.

        Raises: Forbidden where there are grants and none of them admits it.
        """
        asked = Ask(ask.selection, ask.where, ask.order_by, through=ask.through)
        alike = reached is None or reached.is_alike
        if principal.openings or principal.citizen or not alike or not self._recurs(asked):
            return self._come_to(principal, asked, reached)
        held = (principal.roles, principal.scopes, principal.department)
        return self._remembered(held, asked, reached and reached.without_keys())

    def _decide(self, held: Held, ask: Ask, reached: Reached | None) -> Decided:
        roles, scopes, department = held
        principal = Principal("", roles, scopes, department)  # nothing else has a say
        return replace(self._come_to(principal, ask, reached), recurs=True)

    def _recurs(self, ask: Ask) -> bool:
        """Return whether the filter compares with few codes, divisions, yes and no alone."""
        room = _FEW_COMPARED
        for field, leaf in self._compared(ask.selection.entity, ask.where):
            values = _values(leaf)
            room -= 1 + len(values)
            if room < 0 or field is None or not _are_nobodys(field.kind, values):
                return False
        return True

    def _compared(self, entity: str, where: Predicate) -> Iterator[tuple[Field | None, Leaf]]:
        """Yield the conditions of the filter, those of related rows among them, by field."""
        known = self._federation.entities[entity]
        for part in walk(where):
            if isinstance(part, Exists):
                target = known.relationships[part.relationship].target
                yield from self._compared(target, part.predicate)
            elif isinstance(part, Leaf):
                yield known.fields.get(part.field), part

    def _come_to(self, principal: Principal, ask: Ask, reached: Reached | None) -> Decided:
        admission = self._admission
        grants = admission.grants(principal, ask, reached)
        return Decided(
            grants,
            admission.where(principal, ask, grants, reached),
            admission.order(principal, ask),
            self._fetched(ask, grants, reached),
            admission.look_ups(ask, grants),
        )

    def _fetched(
        self, ask: Ask, grants: tuple[Grant, ...], reached: Reached | None
    ) -> tuple[str, ...]:
        federation = self._federation
        entity = federation.entities[ask.selection.entity]
        seen = {
            name for name in ask.selection.fields if any(shows(grant, name) for grant in grants)
        }
        joins = {
            own
            for name in ask.selection.relationships
            for own in entity.relationships[name].own_fields
        }
        names = {*entity.key, *seen, *joins, *(order.field for order in ask.order_by)}
        if entity.name in self._subjects:
            names.update(self._subjects[entity.name].fields)
        if reached is not None:
            names.update(reached.relationship.target_fields)
        if len(grants) > 1:
            for grant in grants:
                names |= federation.fields_named(entity.name, opened(grant, entity, reached))
        extremes = (order.extreme.name for order in ask.order_by if order.extreme)
        origin = (ORIGIN,) if federation.is_shared(entity.name) else ()
        return (*(name for name in entity.fields if name in names), *extremes, *origin)


def _values(leaf: Leaf) -> tuple[Value, ...]:
    """Return what is compared with."""
    match leaf:
        case In(_, operands):
            return operands
        case Comparison(_, _, operand):
            return (operand,)
        case IsNull():
            return ()
        case StartsWith(_, text) | Contains(_, text) | Within(_, text):
            return (text,)


def _are_nobodys(kind: Kind, values: tuple[Value, ...]) -> bool:
    """Return whether these are codes, divisions, yes or no: another number may be somebody's."""
    if kind is not Kind.DIVISION:
        return kind in _FEW_VALUES
    return all(isinstance(value, str) and is_division(value) for value in values)
