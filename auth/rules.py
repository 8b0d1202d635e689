"""
The few named row rules: from one role in one scope to the rows it opens.

A rule gets what the policy says of the entity (its division fields, its department field) and gives
a predicate. What a rule cannot decide it denies.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from contract.predicate import (
    FALSE,
    TRUE,
    Comparison,
    Operator,
    Predicate,
    Within,
    all_of,
    any_of,
)


@dataclass(frozen=True, slots=True)
class Holder:
    """One role of a principal: where it holds and for which department."""

    scope: str
    department: str
    citizen: str = ""


@dataclass(frozen=True, slots=True)
class Terms:
    """What the policy says of an entity, for its rules."""

    own_division: tuple[str, ...] = ()
    own_village: tuple[str, ...] = ()
    own_department: tuple[str, ...] = ()
    follows: str = ""
    own_record: tuple[str, ...] = ()


def everyone(_: Holder, __: Terms) -> Predicate:
    """Open every row: for what is public."""
    return TRUE


def nobody(_: Holder, __: Terms) -> Predicate:
    """Open no row."""
    return FALSE


def own_division(holder: Holder, terms: Terms) -> Predicate:
    """Open rows one of whose divisions is at or beneath the scope."""
    return _within(holder, terms.own_division)


def own_village(holder: Holder, terms: Terms) -> Predicate:
    """Open rows of the scope's village."""
    return _within(holder, terms.own_village)


def own_department(holder: Holder, terms: Terms) -> Predicate:
    """Open rows of the principal's department at or beneath the scope."""
    if not holder.department:
        return FALSE
    departments = (
        Comparison(field, Operator.EQ, holder.department) for field in terms.own_department
    )
    return all_of(any_of(*departments), _within(holder, terms.own_division))


def own_record(holder: Holder, terms: Terms) -> Predicate:
    """Open rows that are the principal's own; none for whoever has no citizen number."""
    if not holder.citizen:
        return FALSE
    return any_of(*(Comparison(name, Operator.EQ, holder.citizen) for name in terms.own_record))


RULES: Final[Mapping[str, Callable[[Holder, Terms], Predicate]]] = {
    "everyone": everyone,
    "nobody": nobody,
    "own_division": own_division,
    "own_village": own_village,
    "own_department": own_department,
    "own_record": own_record,
}
"""Every rule by the name a policy uses; `follows` is the policy's own, since it needs another's."""


def _within(holder: Holder, fields: tuple[str, ...]) -> Predicate:
    if not holder.scope:
        return FALSE
    return any_of(*(Within(field, holder.scope) for field in fields))
