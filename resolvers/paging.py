"""
Pages by keyset, with sealed cursors.

A cursor is the order values of its row, sealed for one principal scope, filter and order. Rows are
asked for with one more than the page holds; `last` reads the list from its other end.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from contract.entity import Entity, Kind
from contract.errors import BadInput, SourceFailure
from contract.keyset import reversed_order, rows_after, total_order
from contract.predicate import INVALID, Predicate, Value, all_of
from contract.read import Order
from resolvers.ask import Ask, Asker
from resolvers.record import Found, Record
from resolvers.seal import Seal, revived

_CURSOR = "游标无效或已不适用于当前查询,请从第一页重新查询。"


@dataclass(frozen=True, slots=True)
class Slice:
    """The part of a list that is wanted: `first` after a cursor, or `last` before one."""

    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None

    @property
    def backwards(self) -> bool:
        """Return whether the list is read from its end."""
        return self.last is not None

    @property
    def size(self) -> int:
        """Return how many rows the page holds."""
        return (self.last if self.last is not None else self.first) or 0

    @property
    def cursor(self) -> str | None:
        """Return the cursor the page starts behind, seen in its own direction."""
        return self.before if self.backwards else self.after


@dataclass(frozen=True, slots=True)
class Page:
    """
    One page of records, and what of the list lies around it.

    `failures`: of the systems whose rows are missing.
    """

    records: Sequence[Record]
    has_next: bool
    has_previous: bool
    cursors: "Cursors"
    failures: tuple[SourceFailure, ...] = ()


@dataclass(frozen=True, slots=True)
class Cursors:
    """Makes and reads the cursors of one list: of one entity, scope, filter and order."""

    seal: Seal
    entity: Entity
    order_by: tuple[Order, ...]
    kinds: tuple[Kind, ...]  # of the values sorted by
    use: str

    def of(self, record: Record) -> str:
        """Return the record's cursor."""
        clear = (record.clear(order.field) for order in self.order_by)
        values = [None if value is INVALID else value for value in clear]
        return self.seal.close(values, self.use)

    def behind(self, cursor: str, order_by: tuple[Order, ...]) -> Predicate:
        """
        Return what is true of the rows behind the cursor.

        Raises: BadInput, one and the same for every cursor that is not of this list.
        """
        values = self.seal.open(cursor, self.use)
        if values is None or len(values) != len(order_by):
            raise BadInput(_CURSOR)
        alive: list[Value | None] = [
            revived(kind, value) for kind, value in zip(self.kinds, values, strict=True)
        ]
        return rows_after(order_by, alive, self.entity.required)


def cursors_for(
    seal: Seal, asker: Asker, entities: Mapping[str, Entity], ask: Ask, name: str
) -> Cursors:
    """Return the maker of cursors for one list; `name` tells lists of one entity apart."""
    entity = entities[ask.selection.entity]
    order_by = total_order(entity, ask.order_by)
    kinds = tuple(_kind(entities, entity, order) for order in order_by)
    principal = asker.principal
    held = principal.roles, principal.scopes, principal.department, principal.citizen
    told = repr((*held, name, ask.where))
    use = hashlib.sha256(f"{told}{order_by!r}".encode()).hexdigest()
    return Cursors(seal, entity, order_by, kinds, use)


def _kind(entities: Mapping[str, Entity], entity: Entity, order: Order) -> Kind:
    if order.extreme is None:
        return entity.fields[order.field].kind
    target = entity.relationships[order.extreme.relationship].target
    return entities[target].fields[order.extreme.field].kind


def paged(ask: Ask, part: Slice, cursors: Cursors) -> Ask:
    """
    Return the question for one page, with one row more than it holds.

    Raises: BadInput for a cursor of another list.
    """
    order_by = reversed_order(cursors.order_by) if part.backwards else cursors.order_by
    where = ask.where
    if part.cursor is not None:
        where = all_of(where, cursors.behind(part.cursor, order_by))
    return replace(ask, where=where, order_by=order_by, limit=part.size + 1, beyond=1)


def page_of(found: Found, part: Slice, cursors: Cursors) -> Page:
    """Return the page from the rows that `paged` asked for."""
    more = len(found.records) > part.size
    kept = list(found.records[: part.size])
    if part.backwards:
        return Page(kept[::-1], part.before is not None, more, cursors, found.failures)
    return Page(kept, more, part.after is not None, cursors, found.failures)
