"""
What is decided before any row is read, by principal, entity and question alone.

A grant admits a question if every field the question names (filter, order, and what its filter asks
of related rows) is clear in it. The rows asked for are those that some admitting grant opens.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from auth.policy import Grant, Policy
from auth.principal import Principal
from contract.entity import Entity
from contract.errors import Forbidden
from contract.predicate import (
    FALSE,
    TRUE,
    Comparison,
    Exists,
    In,
    Operator,
    Predicate,
    all_of,
    any_of,
    conjuncts,
    fields_of,
    relations_of,
    rewritten,
)
from resolvers.ask import Ask, Reached


@dataclass(frozen=True, slots=True)
class Admission:
    """The policy's answer to a question, over the entities of the graph."""

    policy: Policy
    entities: Mapping[str, Entity]

    def grants(
        self, principal: Principal, ask: Ask, reached: Reached | None = None
    ) -> tuple[Grant, ...]:
        """
        Return the grants that admit the question; none where the principal sees no row.

        Raises: Forbidden where there are grants and none of them admits it.
        """
        grants = self.policy.grants(principal, ask.selection.entity)
        if reached is not None:
            tags = frozenset[int]().union(*reached.parents.values())
            grants = tuple(g for g in grants if not g.follows or g.number in tags)
        admitted = tuple(
            grant
            for grant in grants
            if self._admits(principal, ask.selection.entity, grant, _Named.of(ask, grant))
        )
        if grants and not admitted:
            raise Forbidden
        return admitted

    def where(
        self,
        principal: Principal,
        ask: Ask,
        grants: Iterable[Grant],
        reached: Reached | None = None,
    ) -> Predicate:
        """Return filter and policy as one predicate; FALSE without a grant."""
        entity = self.entities[ask.selection.entity]
        asked = rewritten(ask.where, self._guard(principal, entity))
        return all_of(asked, any_of(*(opened(grant, entity, reached) for grant in grants)))

    def _admits(self, principal: Principal, entity: str, grant: Grant, named: "_Named") -> bool:
        return all(grant.clear(name) for name in named.fields) and all(
            self._inner_grants(principal, self._target(entity, exists), exists.predicate)
            for exists in named.related
        )

    def _inner_grants(
        self, principal: Principal, target: str, predicate: Predicate
    ) -> tuple[Grant, ...]:
        """Return the grants under which related rows may be asked this; no look-up among it."""
        named = _Named(fields_of(predicate), relations_of(predicate))
        return tuple(
            grant
            for grant in self.policy.grants(principal, target)
            if self._admits(principal, target, grant, named)
        )

    def _target(self, entity: str, exists: Exists) -> str:
        return self.entities[entity].relationships[exists.relationship].target

    def _guard(self, principal: Principal, entity: Entity) -> Callable[[Predicate], Predicate]:
        """Return a change that puts the related entity's own policy into every Exists."""

        def guard(part: Predicate) -> Predicate:
            if isinstance(part, In) and not part.operands:
                return FALSE  # also where the field is null: nothing is among nothing
            if not isinstance(part, Exists):
                return part
            target = self.entities[self._target(entity.name, part)]
            inner = rewritten(part.predicate, self._guard(principal, target))
            # Whole rows of the grant, also where they follow the row asked about: another grant may
            # have opened that one, and a source may be asked for these first.
            rows = (
                all_of(inner, grant.rows)
                for grant in self._inner_grants(principal, target.name, part.predicate)
            )
            return Exists(part.relationship, any_of(*rows))

        return guard


@dataclass(frozen=True, slots=True)
class _Named:
    """What a question names: fields of its own rows, and questions about related rows."""

    fields: frozenset[str]
    related: tuple[Exists, ...]

    @classmethod
    def of(cls, ask: Ask, grant: Grant) -> "_Named":
        """
        Return what is named, but for the fields that are only looked up.

        A look-up is equality with a whole value, in the outermost conjunction alone.
        """
        ordered = (order.field for order in ask.order_by)
        compared = (fields_of(part) for part in conjuncts(ask.where) if not _looks_up(part, grant))
        return cls(frozenset(ordered).union(*compared), relations_of(ask.where))


def opened(grant: Grant, entity: Entity, reached: Reached | None) -> Predicate:
    """Return the rows that the grant opens, in general or from parents the principal sees."""
    if reached is None:
        return grant.rows
    rows = grant.rows_reached(entity, reached.parent, reached.relationship)
    # TRUE for a grant that follows holds beneath the parents that this very grant opens.
    return reached.beneath(grant.number) if grant.follows and rows == TRUE else rows


def _looks_up(part: Predicate, grant: Grant) -> bool:
    if not isinstance(part, Comparison):
        return False
    return part.operator is Operator.EQ and part.field in grant.lookup
