"""
Many sources behind one: finds who holds an entity, asks what it can run, runs the rest here.

A read goes to the source as far as its capabilities reach; the residual, the order and the limit
that could not go along are run on what comes back, page by page where a limit is wanted and the
order allows, until enough rows are kept. Exists over another source is a semi-join.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Final

from contract.entity import Entity
from contract.errors import SourceFailure, TooComplex
from contract.keyset import rows_after
from contract.predicate import (
    FALSE,
    TRUE,
    Comparison,
    In,
    Operator,
    Predicate,
    Truth,
    all_of,
    conjuncts,
    relations_of,
)
from contract.read import Aggregate, ForEach, Order, Read, Rows
from contract.source import Capabilities, Source, Split, pushes, split
from sources import rowset
from sources.semijoin import Reading, SemiJoin

_FIRST_PAGE: Final = 200
_LARGEST_PAGE: Final = 4_000
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


Calls = list[Call]


@dataclass(frozen=True, slots=True)
class _Plan:
    """One read against its source: what goes along and what is left."""

    source: Source
    capabilities: Capabilities
    split: Split
    order_pushed: bool
    limit_pushed: bool


class Federation:
    """
    Every entity of the graph, wherever it lives.

    `entities` carry all relationships, facets' included. `scan_rows` bounds what one read may
    fetch for a residual before it is refused as too wide.
    """

    def __init__(
        self, entities: Mapping[str, Entity], sources: Iterable[Source], scan_rows: int = 20_000
    ) -> None:
        self.entities = entities
        self.sources = tuple(sources)
        self._scan_rows = scan_rows
        self._home = {entity: source for source in self.sources for entity in source.entities}
        self._semijoin = SemiJoin(entities, self._home)

    def home(self, entity: str) -> Source:
        """Return the source that holds the entity."""
        return self._home[entity]

    def holds(self, entity: str) -> bool:
        """Return whether some source holds the entity."""
        return entity in self._home

    def fields_named(self, entity: str, predicate: Predicate) -> frozenset[str]:
        """Return the entity's fields needed to evaluate the predicate, joins included."""
        return self._semijoin.fields_named(entity, predicate)

    async def read(self, read: Read, calls: Calls) -> Rows:
        """
        Return exactly the rows asked for, whatever the source can do.

        Reads:  the entity's home; the entities that Exists names, by key or as the driving side.
        Raises: SourceFailure; TooComplex when too much would have to be fetched.
        """
        if _asks_nothing(read):
            return Rows(read.fields, ())
        where = await self._semijoin.driven(read.entity, read.where, self._reading(calls))
        if where == FALSE:
            return Rows(read.fields, ())
        read = replace(read, where=where)
        plan = self._plan(read)
        order = self._total_order(read, plan)
        if read.limit is None or plan.limit_pushed or order is None:
            return await self._whole(read, plan, calls)
        return await self._paged(replace(read, order_by=order), plan, calls)

    async def aggregate(self, aggregate: Aggregate, calls: Calls) -> Rows:
        """
        Return the measures, computed by the source where it can and here where it cannot.

        Reads:  the entity's home once, or all rows the predicate keeps.
        Raises: SourceFailure; TooComplex when too much would have to be fetched.
        """
        fields = _measured_fields(aggregate) or self.entities[aggregate.entity].key
        if aggregate.where == FALSE:
            return rowset.aggregated(Rows(fields, ()), replace(aggregate, where=TRUE))
        where = await self._semijoin.driven(aggregate.entity, aggregate.where, self._reading(calls))
        aggregate = replace(aggregate, where=where)
        source = self.home(aggregate.entity)
        if self._aggregates(source.entities[aggregate.entity], aggregate):
            return await _noted(
                source, aggregate.entity, lambda: source.aggregate(aggregate), calls
            )
        wanted = Read(aggregate.entity, fields, aggregate.where, limit=self._scan_rows + 1)
        rows = await self.read(wanted, calls)
        if len(rows.rows) > self._scan_rows:
            raise TooComplex
        return rowset.aggregated(rows, replace(aggregate, where=TRUE))

    async def truths(
        self, entity: str, rows: Rows, predicates: Sequence[Predicate], calls: Calls
    ) -> list[list[Truth]]:
        """
        Return the truth of each predicate for each row.

        Shape:  rows (n), predicates (m) -> m lists of n; the rows have every field that is named.
        """
        related = await self._semijoin.following(
            entity, rows, all_of(*predicates), self._reading(calls)
        )
        return [rowset.truths(rows, predicate, related) for predicate in predicates]

    def _reading(self, calls: Calls) -> Reading:
        return lambda read: self.read(read, calls)

    def _plan(self, read: Read) -> _Plan:
        source = self.home(read.entity)
        capabilities = source.entities[read.entity]
        parts = split(
            capabilities, read.where, lambda exists: self._semijoin.runs(read.entity, exists)
        )
        if not (capabilities.scan or read.for_each or _by_key(capabilities, parts.pushed)):
            raise TooComplex(_BY_KEY)
        if not capabilities.trusted:
            # What such a source was asked is asked again of what it answers.
            parts = Split(parts.pushed, read.where)
        ordered = all(order.field in capabilities.order_by for order in read.order_by)
        limits = capabilities.for_each_limit if read.for_each else capabilities.limit
        return _Plan(
            source, capabilities, parts, ordered, parts.residual == TRUE and ordered and limits
        )

    def _total_order(self, read: Read, plan: _Plan) -> tuple[Order, ...] | None:
        """Return the order with the key behind it, if pages can be asked for in it."""
        capabilities = plan.capabilities
        if read.for_each or not (plan.order_pushed and capabilities.limit):
            return None
        named = {order.field for order in read.order_by}
        key = self.entities[read.entity].key
        order = (*read.order_by, *(Order(field) for field in key if field not in named))
        compares = {Operator.EQ, Operator.LT, Operator.GT, Operator.IS_NULL}
        able = capabilities.disjunction and all(
            part.field in capabilities.order_by
            and compares <= capabilities.operators.get(part.field, frozenset())
            for part in order
        )
        return order if able else None

    async def _whole(self, read: Read, plan: _Plan, calls: Calls) -> Rows:
        """Fetch all that the source keeps, in one question a batch, and run the rest here."""
        asked = replace(
            read,
            fields=self._fetched(read, plan),
            where=plan.split.pushed,
            order_by=read.order_by if plan.order_pushed else (),
            limit=read.limit if plan.limit_pushed else None,
        )
        rows = await self._batches(asked, plan, calls)
        rows = await self._kept(read.entity, rows, plan.split.residual, calls)
        if not plan.order_pushed:
            rows = rowset.ordered(rows, read.order_by)
        return rowset.project(rowset.limited(rows, read.limit, read.for_each), read.fields)

    async def _paged(self, read: Read, plan: _Plan, calls: Calls) -> Rows:
        """Fetch page after page until enough rows pass the residual; the order is total."""
        wanted = read.limit or 0
        size = max(_FIRST_PAGE, wanted)
        fields = _joined(self._fetched(read, plan), tuple(o.field for o in read.order_by))
        asked = Read(read.entity, fields, plan.split.pushed, read.order_by, size)
        kept: list[tuple[object, ...]] = []
        fetched = 0
        while True:
            page = await _asked(plan.source, asked, calls)
            fetched += len(page.rows)
            kept += (await self._kept(read.entity, page, plan.split.residual, calls)).rows
            if len(kept) >= wanted or len(page.rows) < size:
                return rowset.project(Rows(fields, kept[:wanted]), read.fields)
            if fetched >= self._scan_rows:
                raise TooComplex
            size = min(2 * size, _LARGEST_PAGE)
            behind = all_of(plan.split.pushed, self._behind(read, page))
            asked = replace(asked, where=behind, limit=size)

    def _behind(self, read: Read, page: Rows) -> Predicate:
        fields = self.entities[read.entity].fields.values()
        required = {field.name for field in fields if not field.nullable}
        last = [page.rows[-1][page.fields.index(part.field)] for part in read.order_by]
        return rows_after(read.order_by, last, required)

    async def _batches(self, read: Read, plan: _Plan, calls: Calls) -> Rows:
        if read.for_each is None:
            return await _asked(plan.source, read, calls)
        keys = iter(dict.fromkeys(read.for_each.keys))
        batches: list[Read] = []
        while batch := tuple(islice(keys, plan.capabilities.batch)):
            batches.append(replace(read, for_each=ForEach(read.for_each.fields, batch)))
        answers = await asyncio.gather(*(_asked(plan.source, part, calls) for part in batches))
        return Rows(read.fields, [row for answer in answers for row in answer.rows])

    async def _kept(self, entity: str, rows: Rows, residual: Predicate, calls: Calls) -> Rows:
        if residual == TRUE or not rows.rows:
            return rows
        # What a row says of itself is asked first: rows out of scope are no reason to ask others.
        own = tuple(part for part in conjuncts(residual) if not relations_of(part))
        rows = rowset.keep(rows, all_of(*own))
        if not rows.rows:
            return rows
        related = await self._semijoin.following(entity, rows, residual, self._reading(calls))
        return rowset.keep(rows, residual, related)

    def _aggregates(self, capabilities: Capabilities, aggregate: Aggregate) -> bool:
        functions = {measure.function for measure in aggregate.measures}
        return (
            capabilities.trusted
            and capabilities.scan
            and functions <= capabilities.functions
            and set(aggregate.group_by) <= capabilities.group_by
            and pushes(
                capabilities,
                aggregate.where,
                lambda exists: self._semijoin.runs(aggregate.entity, exists),
            )
        )

    def _fetched(self, read: Read, plan: _Plan) -> tuple[str, ...]:
        order = () if plan.order_pushed else tuple(order.field for order in read.order_by)
        residual = self.fields_named(read.entity, plan.split.residual)
        return _joined(read.fields, order, tuple(sorted(residual)))


def _asks_nothing(read: Read) -> bool:
    no_keys = read.for_each is not None and not read.for_each.keys
    return read.where == FALSE or read.limit == 0 or no_keys


def _by_key(capabilities: Capabilities, pushed: Predicate) -> bool:
    keys = {fields[0] for fields in capabilities.for_each if len(fields) == 1}
    return any(
        part.field in keys
        for part in conjuncts(pushed)
        if isinstance(part, In) or (isinstance(part, Comparison) and part.operator is Operator.EQ)
    )


def _measured_fields(aggregate: Aggregate) -> tuple[str, ...]:
    measured = tuple(measure.field for measure in aggregate.measures if measure.field)
    return _joined(aggregate.group_by, measured)


def _joined(*fields: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(field for part in fields for field in part))


async def _asked(source: Source, read: Read, calls: Calls) -> Rows:
    return await _noted(source, read.entity, lambda: source.read(read), calls)


async def _noted(
    source: Source, entity: str, ask: Callable[[], Awaitable[Rows]], calls: Calls
) -> Rows:
    try:
        rows = await ask()
    except SourceFailure as failure:
        calls.append(Call(source.name, source.title, entity, failure.state))
        raise
    state = "OK" if rows.as_of is None else "STALE"
    calls.append(Call(source.name, source.title, entity, state, len(rows.rows), rows.as_of))
    return rows
