"""
Lists in the order of something that another system knows: residents by the date of their last case.

Two directions, as of a filter. Few rows: each asks for its related rows. Many rows and fewer
related ones: these are grouped by key in the order wanted, and rows are fetched for as many keys as
the page needs; rows that are related to nothing have null and are read in their own order.
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from contract.entity import Relationship
from contract.errors import TooComplex
from contract.keyset import rows_after, total_order
from contract.predicate import (
    In,
    Predicate,
    Value,
    all_of,
    conjuncts,
    fields_of,
    relates,
)
from contract.read import Aggregate, Extreme, ForEach, Function, Measure, Order, Read, Rows
from sources import rowset
from sources.asking import Asking
from sources.constants import decided
from sources.pruning import may_hold

FEW: Final = 1_000
_PAGE: Final = 500
_TOO_WIDE: Final = (
    "按关联信息排序涉及的数据过多,请先用区划、日期或状态等条件缩小范围,或改按本身字段排序。"
)

Key: TypeAlias = tuple[object, ...]
Run: TypeAlias = tuple[Value, tuple[Value, ...]]
"""A value and the related keys that have it."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """One read whose first order is an extreme of related rows."""

    read: Read
    extreme: Extreme
    asking: Asking

    async def ranked(self) -> Rows:
        """
        Return the rows in order.

        Reads:  at most 1,001 rows and what they are related to; else the related rows' keys and
                values, and the rows of a page.
        Raises: SourceFailure; TooComplex where neither side is small enough.
        """
        few = await self._fetched(self._own, FEW + 1)
        if self.read.for_each is not None or len(few.rows) <= FEW:
            return await self._followed(few)
        own, related = await self._sizes()
        if related is not None and related <= min(own or related, self.asking.scan_rows):
            return await self._driven()
        most = self.asking.scan_rows
        if own is not None and own > most:
            raise TooComplex(_TOO_WIDE)
        return await self._followed(await self._fetched(self._own, most + 1))

    @property
    def _relationship(self) -> Relationship:
        return self.asking.entities[self.read.entity].relationships[self.extreme.relationship]

    @property
    def _own(self) -> Predicate:
        """Return what is asked of the rows themselves."""
        return all_of(*(part for part in self._parts if not self._names_extreme(part)))

    @property
    def _beyond(self) -> Predicate:
        """Return what is asked of the extreme, which is where the last page ended."""
        return all_of(*(part for part in self._parts if self._names_extreme(part)))

    @property
    def _parts(self) -> tuple[Predicate, ...]:
        return conjuncts(self.read.where)

    def _names_extreme(self, part: Predicate) -> bool:
        return self.extreme.name in fields_of(part)

    @property
    def _fields(self) -> tuple[str, ...]:
        named = {
            *self.read.fields,
            *self._relationship.own_fields,
            *(order.field for order in self.read.order_by),
            *fields_of(self._beyond),
            *self.asking.entities[self.read.entity].key,
        } - {self.extreme.name}
        return tuple(sorted(named))

    async def _fetched(self, where: Predicate, limit: int | None, *order: Order) -> Rows:
        limit = None if self.read.for_each else limit
        return await self.asking.rows(
            Read(self.read.entity, self._fields, where, order, limit, self.read.for_each)
        )

    async def _sizes(self) -> tuple[int | None, int | None]:
        if len(self._relationship.on) != 1:
            return await self.asking.count(self.read.entity, self._own), None
        return (
            await self.asking.count(self.read.entity, self._own),
            await self.asking.count(self._relationship.target, self.extreme.where),
        )

    async def _followed(self, rows: Rows) -> Rows:
        """Ask for what these rows are related to, by key."""
        if len(rows.rows) > self.asking.scan_rows:
            raise TooComplex(_TOO_WIDE)
        pick = rowset.picker(rows.fields, self._relationship.own_fields)
        keys = [key for row in rows.rows if relates(key := pick(row))]
        values = await self._values(tuple(dict.fromkeys(keys)))
        return self._finished(self._with(rows, [values.get(pick(row)) for row in rows.rows]))

    async def _values(self, keys: tuple[Key, ...]) -> dict[Key, Value]:
        joined, field = self._relationship.target_fields, self.extreme.field
        fields = tuple(dict.fromkeys((*joined, field)))
        wanted = Read(
            self._relationship.target, fields, self.extreme.where, for_each=ForEach(joined, keys)
        )
        rows = await self.asking.rows(wanted)
        pick, place = rowset.picker(fields, joined), fields.index(field)
        found: dict[Key, list[Value]] = {}
        for row in rows.rows:
            if relates((row[place],)):
                found.setdefault(pick(row), []).append(row[place])  # type: ignore[arg-type] # a field's value
        least = self.extreme.function is Function.MIN
        return {key: (min if least else max)(values) for key, values in found.items()}

    async def _driven(self) -> Rows:
        """Fetch rows for the related side's keys, best first, until the page is full."""
        kept: list[tuple[object, ...]] = []
        wanted = self.read.limit
        async for rows in self._runs():
            kept += rows.rows
            if wanted is not None and len(kept) >= wanted:
                break
        name = self.extreme.name
        return rowset.project(Rows((*self._fields, name), kept[:wanted]), self.read.fields)

    async def _runs(self) -> AsyncIterator[Rows]:
        """Yield the rows in order, run by run."""
        runs = await self._valued()
        if self._order.nulls_first:
            async for rows in self._without_value(runs):
                yield rows
        async for rows in self._with_value(runs):
            yield rows
        if not self._order.nulls_first:
            async for rows in self._without_value(runs):
                yield rows

    @property
    def _order(self) -> Order:
        return self.read.order_by[0]

    async def _valued(self) -> list[Run]:
        """Return the related keys of each value, in order."""
        (key,) = self._relationship.target_fields
        measure = Measure("value", self.extreme.function, self.extreme.field)
        grouped = await self.asking.measures(
            Aggregate(self._relationship.target, (measure,), self.extreme.where, (key,))
        )
        keys: dict[Any, list[Any]] = {}
        for related, value in filter(relates, grouped.rows):
            keys.setdefault(value, []).append(related)
        values = sorted(keys, reverse=self._order.descending)
        return [(value, tuple(keys[value])) for value in values]

    async def _with_value(self, runs: Sequence[Run]) -> AsyncIterator[Rows]:
        (own,) = self._relationship.own_fields
        for piece in _pieces(run for run in runs if self._is_behind(run)):
            values = {key: value for value, keys in piece for key in keys}
            rows = await self._fetched(all_of(self._own, In(own, tuple(values))), None)
            place = rows.fields.index(own)
            whole = self._with(rows, [values[row[place]] for row in rows.rows])  # type: ignore[index] # one of the keys
            yield rowset.ordered(rowset.keep(whole, self._beyond), self.read.order_by)

    def _is_behind(self, run: Run) -> bool:
        """Return whether rows with the value may lie behind the last page."""
        return may_hold(self._beyond, In(self.extreme.name, (run[0],)))

    async def _without_value(self, runs: Sequence[Run]) -> AsyncIterator[Rows]:
        """Yield the rows that are related to nothing, in the rest of the order."""
        (own,) = self._relationship.own_fields
        beyond = decided(self._beyond, {self.extreme.name: None})
        where = all_of(self._own, beyond)
        related = {key for _, keys in runs for key in keys}
        entity = self.asking.entities[self.read.entity]
        order = total_order(entity, self.read.order_by[1:])
        while True:
            rows = await self._fetched(where, _PAGE, *order)
            place = rows.fields.index(own)
            kept = Rows(rows.fields, [row for row in rows.rows if row[place] not in related])
            yield self._with(kept, [None] * len(kept.rows))
            if len(rows.rows) < _PAGE:
                return
            last = [rows.rows[-1][rows.fields.index(part.field)] for part in order]
            where = all_of(self._own, beyond, rows_after(order, last, entity.required))

    def _with(self, rows: Rows, values: Sequence[object]) -> Rows:
        found = [(*row, value) for row, value in zip(rows.rows, values, strict=True)]
        return replace(rows, fields=(*rows.fields, self.extreme.name), rows=found)

    def _finished(self, rows: Rows) -> Rows:
        kept = rowset.ordered(rowset.keep(rows, self._beyond), self.read.order_by)
        cut = rowset.limited(kept, self.read.limit, self.read.for_each)
        return replace(rowset.project(cut, self.read.fields), as_of=rows.as_of)


def _pieces(runs: Iterable[Run]) -> Iterator[list[Run]]:
    """Yield runs together until they are keys enough for one question."""
    piece: list[Run] = []
    size = 0
    for run in runs:
        piece.append(run)
        size += len(run[1])
        if size >= _PAGE:
            yield piece
            piece, size = [], 0
    if piece:
        yield piece
