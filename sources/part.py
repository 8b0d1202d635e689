"""
One read against one of the systems that hold an entity: what goes along and what is run here.

A read goes to the source as far as its capabilities reach; the residual, the order and the limit
that could not go along are run on what comes back, page by page where a limit is wanted and the
order allows, until enough rows are kept.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from time import monotonic
from typing import Final, Protocol, TypeAlias

from contract.entity import Entity
from contract.errors import SourceFailure, SourceTimeout, TooComplex
from contract.keyset import rows_after, total_order
from contract.predicate import (
    TRUE,
    Comparison,
    In,
    Operator,
    Predicate,
    Related,
    all_of,
    conjuncts,
    one_of,
    relations_of,
)
from contract.read import Aggregate, ForEach, Function, Measure, Order, Read, Rows
from contract.source import Capabilities, RunsExists, Source, Split, pushes, split
from sources import rowset
from sources.constants import filled
from sources.explaining import Asked, Decision
from sources.holding import Holding

ORIGIN: Final = "#source"
"""Asked for among the fields of a read, the name of the system that a row is from."""
_FIRST_PAGE: Final = 200
_LARGEST_PAGE: Final = 4_000
_LISTED: Final = 2_000  # rows that may be listed to know how many there are
_PLANS: Final = 2_048
_BY_KEY: Final = "该系统只能按证件号码等编号查询,请先限定人员或编号。"


@dataclass(frozen=True, slots=True)
class Call:
    """One question to one source, for completeness and for tests that count."""

    source: str
    title: str
    entity: str
    state: str
    rows: int = 0
    as_of: datetime | None = None
    asked: Asked | None = None  # where somebody wants to know the plan


Calls: TypeAlias = list[Call]


class Explained(list[Call]):
    """The calls of an answer whose plan is wanted, and how it was decided."""

    def __init__(self) -> None:
        super().__init__()
        self.decisions: list[Decision] = []
        self.returned: dict[str, int] = {}  # rows that stand in the answer, by entity


class Others(Protocol):
    """What a part needs to know of the rest of the graph, to answer Exists."""

    @property
    def scan_rows(self) -> int:
        """Return how many rows may be fetched for a residual."""

    def fields_named(self, entity: str, predicate: Predicate) -> frozenset[str]:
        """Return the entity's fields needed to evaluate the predicate, joins included."""

    def dropped(self, source: str, entity: str, rows: int) -> None:
        """Count rows that a source sent although it promised to leave them out."""

    async def related(self, entity: str, rows: Rows, predicate: Predicate, calls: Calls) -> Related:
        """Return the tests of every Exists in the predicate, for these rows."""


@dataclass(frozen=True, slots=True)
class _Shape:
    """All of a read that decides how it is asked: everything but its keys and how many rows."""

    fields: tuple[str, ...]
    where: Predicate
    order_by: tuple[Order, ...]
    has_limit: bool
    key_fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Plan:
    """
    How a read is asked of the source; `fields` are fetched.

    `order`: the total order that pages can be asked for in, if there is one. `believed`: whether a
    source that is not trusted is asked for all of it, and for no more.
    """

    split: Split
    order_pushed: bool
    limit_pushed: bool
    fields: tuple[str, ...]
    order: tuple[Order, ...] | None
    believed: bool


class Part:
    """
    One holding as part of answers; `runs`: the questions about related rows that run there.

    How a read is asked depends on its shape alone, and is remembered where it recurs.
    """

    def __init__(self, holding: Holding, entity: Entity, others: Others, runs: RunsExists) -> None:
        self.holding = holding
        self.entity = entity
        self.others = others
        self.runs = runs
        self._planned = lru_cache(maxsize=_PLANS)(self._plan)

    @property
    def capabilities(self) -> Capabilities:
        """Return what the source can do with the entity."""
        return self.holding.capabilities

    async def read(self, read: Read, calls: Calls) -> Rows:
        """
        Return exactly the rows asked for, of those the source is the home of.

        Raises: SourceFailure; TooComplex when too much would have to be fetched.
        """
        if ORIGIN in read.fields:
            fields = tuple(field for field in read.fields if field != ORIGIN)
            rows = await self.read(replace(read, fields=fields), calls)
            return filled(rows, read.fields, {ORIGIN: self.holding.source.name})
        for_each = read.for_each
        if for_each is not None and for_each.fields not in self.capabilities.for_each:
            return await self._by_predicate(read, for_each, calls)
        keys = for_each.fields if for_each else ()
        shape = _Shape(read.fields, read.where, read.order_by, read.limit is not None, keys)
        plan = (self._planned if read.recurs else self._plan)(shape)
        if plan.believed:
            first = await self._first_of(read, plan, calls)
            if first is not None:
                return first
        if read.limit is None or plan.limit_pushed or plan.order is None:
            return await self._whole(read, plan, calls)
        return await self._paged(replace(read, order_by=plan.order), plan, calls)

    async def aggregate(self, aggregate: Aggregate, calls: Calls) -> Rows:
        """
        Return the measures over the rows the source is the home of.

        Reads:  the source once, or all rows the predicate keeps.
        Raises: SourceFailure; TooComplex when too much would have to be fetched.
        """
        aggregate = replace(aggregate, where=all_of(aggregate.where, self.holding.own))
        if self.aggregates(aggregate):
            source = self.holding.source
            asked = Asked(aggregate.where, aggregated=True)
            entity = aggregate.entity
            return await _noted(source, entity, lambda: source.aggregate(aggregate), calls, asked)
        most = self.others.scan_rows
        fields = measured_fields(aggregate) or self.entity.key
        read = Read(aggregate.entity, fields, aggregate.where, limit=most + 1)
        rows = await self.read(read, calls)
        if len(rows.rows) > most:
            raise TooComplex
        return rowset.aggregated(rows, replace(aggregate, where=TRUE))

    async def count(self, where: Predicate, calls: Calls) -> int | None:
        """
        Return how many rows the source has; None where it cannot tell and they are too many.

        Raises: SourceFailure.
        """
        where = all_of(where, self.holding.own)
        counted = Aggregate(self.entity.name, (Measure("rows", Function.COUNT),), where)
        if self.aggregates(counted):
            return int(str((await self.aggregate(counted, calls)).rows[0][0]))
        able = self.capabilities
        if not (able.scan and able.limit and pushes(able, where, self.runs)):
            return None
        wanted = Read(self.entity.name, self.entity.key, where, limit=_LISTED + 1)
        found = len((await self.read(wanted, calls)).rows)
        return found if found <= _LISTED else None

    async def _by_predicate(self, read: Read, for_each: ForEach, calls: Calls) -> Rows:
        """Ask for keys that the source does not take, as any other filter."""
        fields = _joined(read.fields, tuple(order.field for order in read.order_by))
        where = all_of(read.where, one_of(for_each.fields, for_each.keys))
        rows = await self.read(Read(read.entity, fields, where), calls)
        ordered = rowset.ordered(rows, read.order_by)
        return rowset.project(rowset.limited(ordered, read.limit, for_each), read.fields)

    def _plan(self, shape: _Shape) -> _Plan:
        able, where = self.capabilities, all_of(shape.where, self.holding.own)
        parts = split(able, where, self.runs)
        if not (able.scan or shape.key_fields or _by_key(able, parts.pushed)):
            raise TooComplex(_BY_KEY)
        bare = shape.has_limit and not shape.order_by and not shape.key_fields
        believed = bare and parts.residual == TRUE and able.limit and not able.trusted
        if not able.trusted:
            # What such a source was asked is asked again of what it answers.
            parts = Split(parts.pushed, where)
        ordered = all(order.field in able.order_by for order in shape.order_by)
        limits = able.for_each_limit if shape.key_fields else able.limit
        limited = parts.residual == TRUE and ordered and limits
        order = self._total_order(shape) if ordered else None
        fields = self._fetched(shape, parts.residual, ordered=ordered)
        return _Plan(parts, ordered, limited, fields, order, believed)

    def _total_order(self, shape: _Shape) -> tuple[Order, ...] | None:
        """Return the order with the key behind it, if pages can be asked for in it."""
        capabilities = self.capabilities
        if shape.key_fields or not capabilities.limit:
            return None
        order = total_order(self.entity, shape.order_by)
        compares = {Operator.EQ, Operator.LT, Operator.GT, Operator.IS_NULL}
        able = capabilities.disjunction and all(
            part.field in capabilities.order_by
            and compares <= capabilities.operators.get(part.field, frozenset())
            for part in order
        )
        return order if able else None

    def _fetched(self, shape: _Shape, residual: Predicate, *, ordered: bool) -> tuple[str, ...]:
        order = () if ordered else tuple(order.field for order in shape.order_by)
        return _joined(
            shape.fields, order, tuple(sorted(self.others.fields_named(self.entity.name, residual)))
        )

    async def _whole(self, read: Read, plan: _Plan, calls: Calls) -> Rows:
        """Fetch all that the source keeps, in one question a batch, and run the rest here."""
        asked = Read(
            read.entity,
            plan.fields,
            plan.split.pushed,
            read.order_by if plan.order_pushed else (),
            read.limit if plan.limit_pushed else None,
            read.for_each,
            read.recurs,
        )
        answer = await self._batches(asked, plan.split.residual, calls)
        rows = await self._kept(answer, plan.split, calls)
        if not plan.order_pushed:
            rows = rowset.ordered(rows, read.order_by)
        rows = rowset.project(rowset.limited(rows, read.limit, read.for_each), read.fields)
        return rows if rows.as_of == answer.as_of else replace(rows, as_of=answer.as_of)

    async def _first_of(self, read: Read, plan: _Plan, calls: Calls) -> Rows | None:
        """Return so many rows of a source that is checked again; None where it did not filter."""
        asked = replace(read, fields=plan.fields, where=plan.split.pushed)
        answer = await self._asked(asked, plan.split.residual, calls)
        rows = await self._kept(answer, plan.split, calls)
        if len(rows.rows) < len(answer.rows):
            return None
        cut = rowset.limited(rowset.project(rows, read.fields), read.limit)
        return replace(cut, as_of=answer.as_of)

    async def _paged(self, read: Read, plan: _Plan, calls: Calls) -> Rows:
        """Fetch page after page until enough rows pass the residual; the order is total."""
        wanted = read.limit or 0
        size = max(_FIRST_PAGE, wanted)
        fields = _joined(plan.fields, tuple(o.field for o in read.order_by))
        asked = Read(read.entity, fields, plan.split.pushed, read.order_by, size)
        kept: list[tuple[object, ...]] = []
        fetched = 0
        while True:
            page = await self._asked(asked, plan.split.residual, calls)
            fetched += len(page.rows)
            kept += (await self._kept(page, plan.split, calls)).rows
            if len(kept) >= wanted or len(page.rows) < size:
                return rowset.project(Rows(fields, kept[:wanted], page.as_of), read.fields)
            if fetched >= self.others.scan_rows:
                raise TooComplex
            size = min(2 * size, _LARGEST_PAGE)
            behind = all_of(plan.split.pushed, self._behind(read, page))
            asked = replace(asked, where=behind, limit=size)

    def _behind(self, read: Read, page: Rows) -> Predicate:
        last = [page.rows[-1][page.fields.index(part.field)] for part in read.order_by]
        return rows_after(read.order_by, last, self.entity.required)

    async def _batches(self, read: Read, residual: Predicate, calls: Calls) -> Rows:
        if read.for_each is None:
            return await self._asked(read, residual, calls)
        keys, size = tuple(dict.fromkeys(read.for_each.keys)), self.capabilities.batch
        if len(keys) == len(read.for_each.keys) <= size:
            return await self._asked(read, residual, calls)
        batches = [
            replace(read, for_each=ForEach(read.for_each.fields, keys[start : start + size]))
            for start in range(0, len(keys), size)
        ]
        answers = await asyncio.gather(*(self._asked(part, residual, calls) for part in batches))
        return rowset.together(answers)

    async def _asked(self, read: Read, residual: Predicate, calls: Calls) -> Rows:
        source, asked = self.holding.source, None
        if isinstance(calls, Explained):
            asked = Asked(read.where, residual, read.order_by, read.limit, read.for_each)
        return await _noted(source, read.entity, lambda: source.read(read), calls, asked)

    async def _kept(self, rows: Rows, parts: Split, calls: Calls) -> Rows:
        residual = parts.residual
        if residual == TRUE or not rows.rows:
            return rows
        promised = frozenset[Predicate]()
        if not self.capabilities.trusted:
            promised = frozenset(p for p in conjuncts(parts.pushed) if not relations_of(p))
            rows = self._promised(rows, all_of(*promised))
        # What a row says of itself is asked first: rows out of scope are no reason to ask others.
        own = (p for p in conjuncts(residual) if not relations_of(p) and p not in promised)
        rows = rowset.keep(rows, all_of(*own))
        if not rows.rows:
            return rows
        related = await self.others.related(self.entity.name, rows, residual, calls)
        return rowset.keep(rows, residual, related)

    def _promised(self, rows: Rows, promised: Predicate) -> Rows:
        """Return the rows that are as the source was asked for them; count those that are not."""
        if promised == TRUE:
            return rows
        truths = rowset.truths(rows, promised)
        # What cannot be read is unknown: it may have been what the system compared.
        self.others.dropped(self.holding.source.name, self.entity.name, truths.count(False))
        kept = [row for row, truth in zip(rows.rows, truths, strict=True) if truth is True]
        return replace(rows, rows=kept)

    def aggregates(self, aggregate: Aggregate) -> bool:
        """Return whether the source itself can compute the measures."""
        capabilities = self.capabilities
        functions = {measure.function for measure in aggregate.measures}
        return (
            capabilities.trusted
            and capabilities.scan
            and functions <= capabilities.functions
            and set(aggregate.group_by) <= capabilities.group_by
            and pushes(capabilities, aggregate.where, self.runs)
        )


def measured_fields(aggregate: Aggregate) -> tuple[str, ...]:
    """Return the fields that an aggregate groups by or measures."""
    measured = tuple(measure.field for measure in aggregate.measures if measure.field)
    return _joined(aggregate.group_by, measured)


def _by_key(capabilities: Capabilities, pushed: Predicate) -> bool:
    keys = {fields[0] for fields in capabilities.for_each if len(fields) == 1}
    return any(
        part.field in keys
        for part in conjuncts(pushed)
        if isinstance(part, In) or (isinstance(part, Comparison) and part.operator is Operator.EQ)
    )


def _joined(*fields: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(field for part in fields for field in part))


async def _noted(
    source: Source,
    entity: str,
    ask: Callable[[], Awaitable[Rows]],
    calls: Calls,
    asked: Asked | None,
) -> Rows:
    if any(call.source == source.name and call.state == SourceTimeout.state for call in calls):
        # One answer waits for a silent system once, however often it needs it.
        raise SourceTimeout(source.name, source.title, "it has not answered this request before")
    began = monotonic()
    try:
        rows = await ask()
    except SourceFailure as failure:
        told = _told(asked, calls, began)
        calls.append(Call(source.name, source.title, entity, failure.state, asked=told))
        raise
    state, told = "OK" if rows.as_of is None or rows.cached else "STALE", _told(asked, calls, began)
    calls.append(Call(source.name, source.title, entity, state, len(rows.rows), rows.as_of, told))
    return rows


def _told(asked: Asked | None, calls: Calls, began: float) -> Asked | None:
    """Return what was asked and how long it took, where the plan is wanted."""
    if asked is None or not isinstance(calls, Explained):
        return None
    return replace(asked, milliseconds=round(1_000 * (monotonic() - began), 3))
