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
from itertools import islice
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
class _Plan:
    split: Split
    order_pushed: bool
    limit_pushed: bool


@dataclass(frozen=True, slots=True)
class Part:
    """One holding as part of an answer; `runs`: the questions about related rows that run there."""

    holding: Holding
    entity: Entity
    others: Others
    runs: RunsExists
    calls: Calls

    @property
    def capabilities(self) -> Capabilities:
        """Return what the source can do with the entity."""
        return self.holding.capabilities

    async def read(self, read: Read) -> Rows:
        """
        Return exactly the rows asked for, of those the source is the home of.

        Raises: SourceFailure; TooComplex when too much would have to be fetched.
        """
        if ORIGIN in read.fields:
            fields = tuple(field for field in read.fields if field != ORIGIN)
            rows = await self.read(replace(read, fields=fields))
            return filled(rows, read.fields, {ORIGIN: self.holding.source.name})
        read = replace(read, where=all_of(read.where, self.holding.own))
        for_each = read.for_each
        if for_each is not None and for_each.fields not in self.capabilities.for_each:
            return await self._by_predicate(read, for_each)
        plan = self._plan(read)
        if self._believed(read, plan):
            first = await self._first_of(read, plan)
            if first is not None:
                return first
        order = self._total_order(read, plan)
        if read.limit is None or plan.limit_pushed or order is None:
            return await self._whole(read, plan)
        return await self._paged(replace(read, order_by=order), plan)

    async def aggregate(self, aggregate: Aggregate) -> Rows:
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
            return await _noted(
                source, entity, lambda: source.aggregate(aggregate), self.calls, asked
            )
        most = self.others.scan_rows
        fields = measured_fields(aggregate) or self.entity.key
        rows = await self.read(Read(aggregate.entity, fields, aggregate.where, limit=most + 1))
        if len(rows.rows) > most:
            raise TooComplex
        return rowset.aggregated(rows, replace(aggregate, where=TRUE))

    async def count(self, where: Predicate) -> int | None:
        """
        Return how many rows the source has; None where it cannot tell and they are too many.

        Raises: SourceFailure.
        """
        where = all_of(where, self.holding.own)
        counted = Aggregate(self.entity.name, (Measure("rows", Function.COUNT),), where)
        if self.aggregates(counted):
            return int(str((await self.aggregate(counted)).rows[0][0]))
        able = self.capabilities
        if not (able.scan and able.limit and pushes(able, where, self.runs)):
            return None
        wanted = Read(self.entity.name, self.entity.key, where, limit=_LISTED + 1)
        found = len((await self.read(wanted)).rows)
        return found if found <= _LISTED else None

    async def _by_predicate(self, read: Read, for_each: ForEach) -> Rows:
        """Ask for keys that the source does not take, as any other filter."""
        fields = _joined(read.fields, tuple(order.field for order in read.order_by))
        where = all_of(read.where, one_of(for_each.fields, for_each.keys))
        rows = await self.read(Read(read.entity, fields, where))
        ordered = rowset.ordered(rows, read.order_by)
        return rowset.project(rowset.limited(ordered, read.limit, for_each), read.fields)

    def _plan(self, read: Read) -> _Plan:
        capabilities = self.capabilities
        parts = split(capabilities, read.where, self.runs)
        if not (capabilities.scan or read.for_each or _by_key(capabilities, parts.pushed)):
            raise TooComplex(_BY_KEY)
        if not capabilities.trusted:
            # What such a source was asked is asked again of what it answers.
            parts = Split(parts.pushed, read.where)
        ordered = all(order.field in capabilities.order_by for order in read.order_by)
        limits = capabilities.for_each_limit if read.for_each else capabilities.limit
        return _Plan(parts, ordered, parts.residual == TRUE and ordered and limits)

    def _total_order(self, read: Read, plan: _Plan) -> tuple[Order, ...] | None:
        """Return the order with the key behind it, if pages can be asked for in it."""
        capabilities = self.capabilities
        if read.for_each or not (plan.order_pushed and capabilities.limit):
            return None
        order = total_order(self.entity, read.order_by)
        compares = {Operator.EQ, Operator.LT, Operator.GT, Operator.IS_NULL}
        able = capabilities.disjunction and all(
            part.field in capabilities.order_by
            and compares <= capabilities.operators.get(part.field, frozenset())
            for part in order
        )
        return order if able else None

    async def _whole(self, read: Read, plan: _Plan) -> Rows:
        """Fetch all that the source keeps, in one question a batch, and run the rest here."""
        asked = replace(
            read,
            fields=self._fetched(read, plan),
            where=plan.split.pushed,
            order_by=read.order_by if plan.order_pushed else (),
            limit=read.limit if plan.limit_pushed else None,
        )
        answer = await self._batches(asked, plan.split.residual)
        rows = await self._kept(answer, plan.split)
        if not plan.order_pushed:
            rows = rowset.ordered(rows, read.order_by)
        rows = rowset.project(rowset.limited(rows, read.limit, read.for_each), read.fields)
        return replace(rows, as_of=answer.as_of)

    def _believed(self, read: Read, plan: _Plan) -> bool:
        """Return whether a source that is not trusted is asked for all of this, and for no more."""
        able = self.capabilities
        whole = split(able, read.where, self.runs).residual == TRUE
        bare = read.limit is not None and not read.order_by and read.for_each is None
        return bare and whole and able.limit and not able.trusted

    async def _first_of(self, read: Read, plan: _Plan) -> Rows | None:
        """Return so many rows of a source that is checked again; None where it did not filter."""
        fields = self._fetched(read, plan)
        asked = replace(read, fields=fields, where=plan.split.pushed)
        answer = await self._asked(asked, plan.split.residual)
        rows = await self._kept(answer, plan.split)
        if len(rows.rows) < len(answer.rows):
            return None
        cut = rowset.limited(rowset.project(rows, read.fields), read.limit)
        return replace(cut, as_of=answer.as_of)

    async def _paged(self, read: Read, plan: _Plan) -> Rows:
        """Fetch page after page until enough rows pass the residual; the order is total."""
        wanted = read.limit or 0
        size = max(_FIRST_PAGE, wanted)
        fields = _joined(self._fetched(read, plan), tuple(o.field for o in read.order_by))
        asked = Read(read.entity, fields, plan.split.pushed, read.order_by, size)
        kept: list[tuple[object, ...]] = []
        fetched = 0
        while True:
            page = await self._asked(asked, plan.split.residual)
            fetched += len(page.rows)
            kept += (await self._kept(page, plan.split)).rows
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

    async def _batches(self, read: Read, residual: Predicate) -> Rows:
        if read.for_each is None:
            return await self._asked(read, residual)
        keys = iter(dict.fromkeys(read.for_each.keys))
        batches: list[Read] = []
        while batch := tuple(islice(keys, self.capabilities.batch)):
            batches.append(replace(read, for_each=ForEach(read.for_each.fields, batch)))
        answers = await asyncio.gather(*(self._asked(part, residual) for part in batches))
        return rowset.together(answers)

    async def _asked(self, read: Read, residual: Predicate) -> Rows:
        source, asked = self.holding.source, None
        if isinstance(self.calls, Explained):
            asked = Asked(read.where, residual, read.order_by, read.limit, read.for_each)
        return await _noted(source, read.entity, lambda: source.read(read), self.calls, asked)

    async def _kept(self, rows: Rows, parts: Split) -> Rows:
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
        related = await self.others.related(self.entity.name, rows, residual, self.calls)
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

    def _fetched(self, read: Read, plan: _Plan) -> tuple[str, ...]:
        order = () if plan.order_pushed else tuple(order.field for order in read.order_by)
        residual = self.others.fields_named(read.entity, plan.split.residual)
        return _joined(read.fields, order, tuple(sorted(residual)))


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
    state, told = "OK" if rows.as_of is None else "STALE", _told(asked, calls, began)
    calls.append(Call(source.name, source.title, entity, state, len(rows.rows), rows.as_of, told))
    return rows


def _told(asked: Asked | None, calls: Calls, began: float) -> Asked | None:
    """Return what was asked and how long it took, where the plan is wanted."""
    if asked is None or not isinstance(calls, Explained):
        return None
    return replace(asked, milliseconds=round(1_000 * (monotonic() - began), 3))
