"""
Pages by keyset, with sealed cursors.

A cursor is the order values of its row, sealed for one principal scope, filter and order. Rows are
asked for with one more than the page holds; `last` reads the list from its other end.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from contract.entity import Entity, Kind
from contract.errors import BadInput
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


def paged(ask: Ask, part: Slice, entity: Entity) -> Ask:
    """Return the question for the list's first page, with one row more than it holds."""
    order_by = total_order(entity, ask.order_by)
    if part.backwards:
        order_by = reversed_order(order_by)
    return Ask(ask.selection, ask.where, order_by, part.size + 1, beyond=1, through=ask.through)


class Pages:
    """
    The pages of one list, for each parent one: how they are cut from what was found.

    Its cursors are made where one is read or told; most pages need none.
    """

    __slots__ = ("_cursors", "_make", "part")

    def __init__(self, part: Slice, make: Callable[[], Cursors]) -> None:
        self.part = part
        self._make = make
        self._cursors: Cursors | None = None

    @property
    def cursors(self) -> Cursors:
        """Return the maker of the list's cursors."""
        if self._cursors is None:
            self._cursors = self._make()
        return self._cursors

    def behind(self, question: Ask) -> Ask:
        """
        Return the question that `paged` made, behind the cursor where there is one.

        Raises: BadInput for a cursor of another list.
        """
        if self.part.cursor is None:
            return question
        behind = self.cursors.behind(self.part.cursor, question.order_by)
        return replace(question, where=all_of(question.where, behind))

    def records(self, found: Sequence[Found]) -> list[Sequence[Record]]:
        """
        Return the rows of each page, in the order of the list.

        Shape:  found (n) -> pages (n), same order.
        """
        size = self.part.size
        if self.part.backwards:
            return [each.records[:size][::-1] for each in found]
        return [each.records[:size] for each in found]

    def has_more(self, found: Found) -> bool:
        """Return whether the list goes on behind the page, seen in its own direction."""
        return len(found.records) > self.part.size

    def is_whole(self, found: Found) -> bool:
        """Return whether the page is all of the list."""
        return not (self.has_more(found) or found.failures or self.part.cursor is not None)
