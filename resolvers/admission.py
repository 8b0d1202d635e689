"""
What is decided before any row is read, by principal, entity and question alone.

A grant admits a question if every field the question names (filter, order, and what its filter asks
of related rows) is clear in it. The rows asked for are those that some admitting grant opens.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from auth.policy import Grant, Policy
from auth.principal import Principal
from contract.entity import Entity, Relationship
from contract.errors import Forbidden
from contract.predicate import (
    FALSE,
    TRUE,
    Comparison,
    Exists,
    In,
    IsNull,
    Operator,
    Predicate,
    all_of,
    any_of,
    conjuncts,
    fields_of,
    relations_of,
    rewritten,
)
from contract.read import Extreme, Order
from resolvers.ask import Ask, Reached
from sources.walking import natural_order


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
            tags = frozenset[int]().union(*reached.tags)
            grants = tuple(g for g in grants if not g.follows or g.number in tags)
        admitted = tuple(
            grant
            for grant in grants
            if self._admits(principal, ask.selection.entity, grant, _Named.of(ask, grant))
        )
        if grants and not admitted:
            raise Forbidden
        return admitted

    def look_ups(self, ask: Ask, grants: Sequence[Grant]) -> tuple[int, ...]:
        """Return which conditions of the filter look somebody up rather than filter."""
        return tuple(
            place
            for place, part in enumerate(conjuncts(ask.where))
            if isinstance(part, Comparison)
            if any(_looks_up(part, grant) and not grant.clear(part.field) for grant in grants)
        )

    def where(
        self,
        principal: Principal,
        ask: Ask,
        grants: Sequence[Grant],
        reached: Reached | None = None,
    ) -> Predicate:
        """Return filter and policy as one predicate; FALSE without a grant."""
        entity = self.entities[ask.selection.entity]
        asked = rewritten(ask.where, self._guard(principal, entity, tuple(grants)))
        rows = (opened(grant, entity, reached) for grant in _apart(grants, reached))
        if ask.through:
            rows = (_followed(each, entity.relationships[ask.through]) for each in rows)
        return all_of(asked, any_of(*rows))

    def listed(self, principal: Principal, ask: Ask) -> Ask:
        """
        Return the question for a list of rows that are seen through another row, by that row.

        Where no order is asked for they stand in the order of what they are seen through.
        """
        entity = self.entities[ask.selection.entity]
        names = {grant.follows for grant in self.policy.grants(principal, entity.name)} - {""}
        if len(names) != 1:
            return ask
        relationship = entity.relationships[names.pop()]
        natural = natural_order(relationship, self.entities[relationship.target])
        return replace(ask, through=relationship.name, order_by=ask.order_by or natural)

    def order(self, principal: Principal, ask: Ask) -> tuple[Order, ...]:
        """Return the order, with the related entity's own policy in what is sorted by."""
        return tuple(
            self._ordered(principal, ask.selection.entity, order) for order in ask.order_by
        )

    def _ordered(self, principal: Principal, entity: str, order: Order) -> Order:
        if order.extreme is None:
            return order
        named = _naming(order.extreme)
        target = self._target(entity, named)
        grants = self._inner_grants(principal, target, named.predicate)
        rows = (grant.rows for grant in _apart(grants))
        return replace(order, extreme=replace(order.extreme, where=any_of(*rows)))

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

    def _guard(
        self, principal: Principal, entity: Entity, grants: Sequence[Grant]
    ) -> Callable[[Predicate], Predicate]:
        """Return a change that puts the related entity's own policy into every Exists."""

        def guard(part: Predicate) -> Predicate:
            if isinstance(part, In) and not part.operands:
                return FALSE  # also where the field is null: nothing is among nothing
            if not isinstance(part, Exists):
                return part
            target = self.entities[self._target(entity.name, part)]
            opened_by = self._inner_grants(principal, target.name, part.predicate)
            inner = rewritten(part.predicate, self._guard(principal, target, opened_by))
            relationship = entity.relationships[part.relationship]
            if _follow(grants, opened_by, target, entity.name, relationship):
                return Exists(part.relationship, inner, by_key=True)
            # Whole rows of the grant, also where they follow the row asked about: another grant may
            # have opened that one, and a source may be asked for these first.
            rows = any_of(*(grant.rows for grant in _apart(opened_by)))
            return Exists(part.relationship, all_of(inner, rows))

        return guard


def _followed(rows: Predicate, relationship: Relationship) -> Predicate:
    """Return the rows of one person as those whose person it is."""
    match rows:
        case Comparison(name, Operator.EQ, value) if (name,) == relationship.own_fields:
            inner = Comparison(relationship.target_fields[0], Operator.EQ, value)
            return Exists(relationship.name, inner)
        case _:
            return rows


def _apart(grants: Sequence[Grant], reached: Reached | None = None) -> list[Grant]:
    """Return the grants whose rows are not among another one's: systems are asked no more."""
    numbers = {grant.number for grant in grants}
    return [
        grant
        for grant in grants
        if grant.within not in numbers or (reached is not None and grant.follows)
    ]


def _follow(
    grants: Sequence[Grant],
    related: Sequence[Grant],
    target: Entity,
    parent: str,
    relationship: Relationship,
) -> bool:
    """Return whether the one grant that opens the row asked about opens its related rows too."""
    grants, related = _apart(grants), _apart(related)
    if [grant.number for grant in grants] != [grant.number for grant in related]:
        return False
    one = len(related) == 1 and bool(related[0].follows)
    return one and related[0].rows_reached(target, parent, relationship) == TRUE


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
        extremes = tuple(order.extreme for order in ask.order_by if order.extreme)
        ordered = (order.field for order in ask.order_by)
        compared = (fields_of(part) for part in conjuncts(ask.where) if not _looks_up(part, grant))
        fields = frozenset(ordered).union(*compared)
        return cls(
            fields.difference(extreme.name for extreme in extremes),
            (*relations_of(ask.where), *map(_naming, extremes)),
        )


def opened(grant: Grant, entity: Entity, reached: Reached | None) -> Predicate:
    """Return the rows that the grant opens, in general or from parents the principal sees."""
    if reached is None:
        return grant.rows
    rows = grant.rows_reached(entity, reached.parent, reached.relationship)
    # TRUE for a grant that follows holds beneath the parents that this very grant opens.
    return reached.beneath(grant.number) if grant.follows and rows == TRUE else rows


def _naming(extreme: Extreme) -> Exists:
    """Return a question about related rows that names what an extreme does."""
    return Exists(extreme.relationship, IsNull(extreme.field))


def _looks_up(part: Predicate, grant: Grant) -> bool:
    if not isinstance(part, Comparison):
        return False
    return part.operator is Operator.EQ and part.field in grant.lookup
