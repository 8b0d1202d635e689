"""
Many sources behind one: who holds an entity, what each is asked, how the answers become one.

A read is cut into parts, one for each system that can hold what is asked for; no row is in two of
them. Parts are asked at once and merged in order. A part that fails leaves the others' rows, and
the answer says so; what is decided by rows (a filter, a permission, a number) never rests on an
answer with a part missing.
"""

import asyncio
from collections.abc import Awaitable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, TypeAlias

from contract.entity import Entity
from contract.errors import SourceFailure, TooComplex
from contract.predicate import (
    FALSE,
    TRUE,
    Exists,
    In,
    Operator,
    Predicate,
    Related,
    Truth,
    all_of,
    conjuncts,
    relations_of,
)
from contract.read import Aggregate, ForEach, Read, Rows
from contract.source import Source, runs_no_exists
from sources import rowset
from sources.drops import Noticed, notice_nothing
from sources.explaining import Decision
from sources.holding import Holding, Homes, holdings, is_shared, outside
from sources.merging import ADDED, added, merged
from sources.part import ORIGIN, Call, Calls, Explained, Part, measured_fields
from sources.pruning import may_hold
from sources.ranking import Ranking
from sources.semijoin import PIECES, SemiJoin, takes_keys
from sources.walking import Walk

__all__ = ["ORIGIN", "Call", "Calls", "Explained", "Federation"]

SCAN_ROWS: Final = 100_000  # more than a township has people
WALKED_KEYS: Final = 10_000  # asked of one system for one list of what is seen through others
_QUESTIONS: Final = 8_192
_NO_HOMES: Final[Homes] = {}


class Federation:
    """
    Every entity of the graph, wherever it lives.

    `entities` carry all relationships, facets' included. `scan_rows` bounds what one part may
    fetch for a residual before it is refused as too wide. `homes` tell whose rows are whose.
    `dropped` is told of rows that a source sent although it promised to leave them out.
    """

    def __init__(
        self,
        entities: Mapping[str, Entity],
        sources: Iterable[Source],
        scan_rows: int = SCAN_ROWS,
        homes: Homes = _NO_HOMES,
        dropped: Noticed = notice_nothing,
    ) -> None:
        self.entities = entities
        self.sources = tuple(sources)
        self.scan_rows = scan_rows
        self.homes = homes
        self.dropped = dropped
        self._held = holdings(self.sources, homes)
        self._semijoin = SemiJoin(entities, self._held)
        self._parts = {
            name: tuple(
                Part(held, entities[name], self, _Runs(self._semijoin, held)) for held in holders
            )
            for name, holders in self._held.items()
        }
        self._recurring = lru_cache(maxsize=_QUESTIONS)(self._question)

    def holders(self, entity: str) -> tuple[Holding, ...]:
        """Return the systems that hold the entity, each with the rows that are its own."""
        return self._held.get(entity, ())

    def is_shared(self, entity: str) -> bool:
        """Return whether the entity's rows have different homes."""
        return is_shared(self.holders(entity))

    def fields_named(self, entity: str, predicate: Predicate) -> frozenset[str]:
        """Return the entity's fields needed to evaluate the predicate, joins included."""
        return self._semijoin.fields_named(entity, predicate)

    async def read(self, read: Read, calls: Calls) -> Rows:
        """
        Return exactly the rows asked for, whatever the sources can do.

        Where some of several systems fail, the others' rows and the failures.
        Reads:  each home that can hold such rows; the entities that Exists names, by key or as
                the driving side.
        Raises: SourceFailure where every home failed; TooComplex when too much would be fetched.
        """
        no_keys = read.for_each is not None and not read.for_each.keys
        if read.where == FALSE or read.limit == 0 or no_keys:
            return Rows(read.fields, ())
        extreme = next((order.extreme for order in read.order_by if order.extreme), None)
        if extreme is not None:
            return await Ranking(read, extreme, _Asking(self, calls)).ranked()
        question = (self._recurring if read.recurs else self._question)(read.entity, read.where)
        asked = question.asked
        if question.asks_others:
            read = await self._prepared(read, calls)
            asked = self._asked(read.entity, read.where)
        if not asked or (read.for_each is not None and not read.for_each.keys):
            return Rows(read.fields, ())
        if len(asked) == 1:
            part, where = asked[0]
            return await part.read(_narrowed(read, where), calls)
        return await self._scattered(read, asked, calls)

    def _question(self, entity: str, where: Predicate) -> "_Question":
        asks_others = bool(relations_of(where))
        return _Question(asks_others, () if asks_others else self._asked(entity, where))

    async def _prepared(self, read: Read, calls: Calls) -> Read:
        """
        Return the question with what other systems say of it.

        Rows by key are few: they ask, and are not asked for. What a key alone decides is asked
        before there are rows, so that nobody can tell from what is asked whether there are any.
        """
        asking = _Asking(self, calls)
        if read.for_each is None:
            return _narrowed(read, await self._semijoin.driven(read.entity, read.where, asking))
        keys = Rows(read.for_each.fields, read.for_each.keys)
        alone = all_of(*(p for p in conjuncts(read.where) if self._told_by(keys, read, p)))
        if alone == TRUE:
            return read
        related = await self._semijoin.following(read.entity, keys, alone, asking)
        kept = tuple(rowset.keep(keys, alone, related).rows)
        rest = all_of(*(part for part in conjuncts(read.where) if part not in conjuncts(alone)))
        return replace(read, where=rest, for_each=ForEach(read.for_each.fields, kept), recurs=False)

    def _told_by(self, keys: Rows, read: Read, part: Predicate) -> bool:
        """Return whether a condition about related rows depends on the keys alone."""
        named = self._semijoin.fields_named(read.entity, part)
        asked = relations_of(part)
        if not asked or not named <= set(keys.fields) or any(exists.by_key for exists in asked):
            return False
        return not all(
            self._semijoin.runs(held.source, read.entity, exists)
            for held in self.holders(read.entity)
            for exists in asked
        )

    async def listed(self, read: Read, by: str, calls: Calls) -> Rows:
        """
        Return the rows asked for, of an entity whose rows are seen through those of a relationship.

        Reads:  the rows followed, and this entity by their keys alone.
        Raises: SourceFailure; TooComplex where too many keys would have to be asked.
        """
        if read.where == FALSE or read.limit == 0:
            return Rows(read.fields, ())
        return await self._walk(read, by, calls).rows()

    async def keyed(self, entity: str, where: Predicate, by: str, calls: Calls) -> Predicate:
        """
        Return the condition with all keys of the rows followed in place of what is true of them.

        Raises: SourceFailure; TooComplex where they are too many.
        """
        if where == FALSE:
            return FALSE
        return await self._walk(Read(entity, (), where), by, calls).keyed()

    def _walk(self, read: Read, by: str, calls: Calls) -> Walk:
        relationship, held = self.entities[read.entity].relationships[by], self.holders(read.entity)
        own = relationship.own_fields
        asked = all(own in each.capabilities.for_each or takes_keys(each, own) for each in held)
        if not asked:
            raise TooComplex
        batch = min((each.capabilities.batch for each in held), default=1)
        most = min(PIECES * batch, WALKED_KEYS, self.scan_rows)
        return Walk.of(read, relationship, _Asking(self, calls), most)

    async def copies(self, read: Read, home: str, calls: Calls) -> Rows:
        """
        Return what other systems say of rows, by key, whose home is the source of that name.

        Raises: SourceFailure where one of them failed.
        """
        entity, holders = self.entities[read.entity], self.holders(read.entity)
        own = next(holding.own for holding in holders if holding.source.name == home)
        read = replace(read, where=own)  # a row that says it is another one's is no copy of this
        others = (
            Part(replace(holding, own=outside(holding.own)), entity, self, runs_no_exists)
            for holding in holders
            if holding.source.name != home and may_hold(own, outside(holding.own))
        )
        answers = await _all_of(part.read(read, calls) for part in others)
        return merged(read, answers, ()) if answers else Rows(read.fields, ())

    async def aggregate(self, aggregate: Aggregate, calls: Calls, *, partial: bool = False) -> Rows:
        """
        Return the measures, computed by the sources where they can and here where they cannot.

        `partial`: where some of several systems fail, the others' measures and the failures; not
        where values have to be told apart across systems.
        Reads:  each home that can hold such rows once, or all rows the predicate keeps.
        Raises: SourceFailure where a home failed; TooComplex when too much would be fetched.
        """
        if aggregate.where == FALSE:
            return _of_nothing(aggregate)
        where = await self._semijoin.driven(aggregate.entity, aggregate.where, _Asking(self, calls))
        asked = self._asked(aggregate.entity, where)
        if len(asked) == 1:
            part, where = asked[0]
            return await part.aggregate(replace(aggregate, where=where), calls)
        if not {measure.function for measure in aggregate.measures} <= ADDED:
            return await self._from_rows(replace(aggregate, where=where), calls)
        questions = (part.aggregate(replace(aggregate, where=kept), calls) for part, kept in asked)
        if not partial:
            answers = await _all_of(questions)
            return added(aggregate, answers) if answers else _of_nothing(aggregate)
        answers, failures = await _those_that_answer(questions)
        return replace(added(aggregate, answers), failures=failures)

    async def truths(
        self, entity: str, rows: Rows, predicates: Sequence[Predicate], calls: Calls
    ) -> list[list[Truth]]:
        """
        Return the truth of each predicate for each row.

        Shape:  rows (n), predicates (m) -> m lists of n; the rows have every field that is named.
        """
        related = await self.related(entity, rows, all_of(*predicates), calls)
        return [rowset.truths(rows, predicate, related) for predicate in predicates]

    async def related(self, entity: str, rows: Rows, predicate: Predicate, calls: Calls) -> Related:
        """Return the tests of every Exists in the predicate, for these rows."""
        return await self._semijoin.following(entity, rows, predicate, _Asking(self, calls))

    async def count(self, entity: str, where: Predicate, calls: Calls) -> int | None:
        """
        Return how many rows there are; None where that cannot be told for little.

        Reads:  each home that can hold such rows once.
        Raises: SourceFailure.
        """
        asked = self._asked(entity, where)
        counts = await asyncio.gather(*(part.count(kept, calls) for part, kept in asked))
        known = [count for count in counts if count is not None]
        return sum(known) if len(known) == len(counts) else None

    def _asked(self, entity: str, where: Predicate) -> "_Asked":
        """Return the parts that can hold such rows, each with its condition; all are disjoint."""
        if where == FALSE:
            return ()
        return tuple(
            (part, kept)
            for part in self._parts.get(entity, ())
            if may_hold(where, part.holding.own)
            for kept in _batched(part.holding, where)
        )

    async def _scattered(self, read: Read, asked: "_Asked", calls: Calls) -> Rows:
        order = tuple(order.field for order in read.order_by)
        fields = tuple(dict.fromkeys((*read.fields, *order)))
        whole = replace(read, fields=fields)
        questions = (part.read(_narrowed(whole, where), calls) for part, where in asked)
        return merged(read, *await _those_that_answer(questions))

    async def _from_rows(self, aggregate: Aggregate, calls: Calls) -> Rows:
        fields = measured_fields(aggregate) or self.entities[aggregate.entity].key
        rows = await _Asking(self, calls).rows(Read(aggregate.entity, fields, aggregate.where))
        return rowset.aggregated(rows, replace(aggregate, where=TRUE))


_Asked: TypeAlias = tuple[tuple[Part, Predicate], ...]
"""The parts that are asked, each with its condition."""


@dataclass(frozen=True, slots=True)
class _Question:
    """What is known of a condition before anybody is asked; parts only where no others are."""

    asks_others: bool
    asked: _Asked


@dataclass(frozen=True, slots=True)
class _Asking:
    """The federation, to be asked for what decides other rows: with nothing missing."""

    federation: Federation
    calls: Calls

    @property
    def entities(self) -> Mapping[str, Entity]:
        return self.federation.entities

    @property
    def scan_rows(self) -> int:
        return self.federation.scan_rows

    async def rows(self, read: Read) -> Rows:
        rows = await self.federation.read(read, self.calls)
        if rows.failures:
            raise rows.failures[0]
        return rows

    async def measures(self, aggregate: Aggregate) -> Rows:
        return await self.federation.aggregate(aggregate, self.calls)

    async def count(self, entity: str, where: Predicate) -> int | None:
        return await self.federation.count(entity, where, self.calls)

    def decided(self, decision: Decision) -> None:
        if isinstance(self.calls, Explained):
            self.calls.decisions.append(decision)


@dataclass(frozen=True, slots=True)
class _Runs:
    """Which questions about related rows a holding's own source can answer."""

    semijoin: SemiJoin
    holding: Holding

    def __call__(self, exists: Exists) -> bool:
        return self.semijoin.runs(self.holding.source, self.holding.entity, exists)


def _batched(holding: Holding, where: Predicate) -> Iterator[Predicate]:
    """Yield the predicate, in pieces where it names more keys than the source takes at once."""
    batch, operators = holding.capabilities.batch, holding.capabilities.operators
    parts = conjuncts(where)
    for place, part in enumerate(parts):
        if not isinstance(part, In) or len(part.operands) <= batch:
            continue
        if Operator.IN in operators.get(part.field, frozenset()):
            others = (*parts[:place], *parts[place + 1 :])
            keys = tuple(dict.fromkeys(part.operands))
            for start in range(0, len(keys), batch):
                yield all_of(In(part.field, keys[start : start + batch]), *others)
            return
    yield where


def _narrowed(read: Read, where: Predicate) -> Read:
    return read if read.where is where else replace(read, where=where, recurs=False)


def _of_nothing(aggregate: Aggregate) -> Rows:
    return rowset.aggregated(Rows(measured_fields(aggregate), ()), replace(aggregate, where=TRUE))


async def _all_of(questions: Iterable[Awaitable[Rows]]) -> list[Rows]:
    """Return every answer, after all questions have ended; the first failure, if there is one."""
    answers = await asyncio.gather(*questions, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return [answer for answer in answers if isinstance(answer, Rows)]


async def _those_that_answer(
    questions: Iterable[Awaitable[Rows]],
) -> tuple[list[Rows], tuple[SourceFailure, ...]]:
    """Return the answers, and one failure of each source that failed; raise where all did."""
    answers = await asyncio.gather(*questions, return_exceptions=True)
    failures = [answer for answer in answers if isinstance(answer, SourceFailure)]
    for answer in answers:
        if isinstance(answer, BaseException) and not isinstance(answer, SourceFailure):
            raise answer
    found = [answer for answer in answers if isinstance(answer, Rows)]
    if failures and not found:
        raise failures[0]
    by_source = {failure.source: failure for failure in failures}
    return found, tuple(by_source[name] for name in sorted(by_source))
