"""
What is kept of a system's answers about one entity, all of it asked for in one period.

Either the answers to single questions, or all rows at once. Equal questions at the same time are
one; failures, and old copies that a guard gives in place of one, are never kept.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Final

from contract.entity import Entity
from contract.predicate import In, walk
from contract.read import Read, Rows
from contract.source import Source
from sources.containment import Question, contained, is_complete
from sources.flights import Flights
from sources.memory import MemorySource

_MOST_ANSWERS: Final = 1_000
_MOST_VALUES: Final = 200_000  # rows of answers, keys and operands of questions
_LOOKED_AT: Final = 32  # answers in which another one is looked for


@dataclass(slots=True)
class Tally:
    """How many questions the system was not asked for, and how many it was."""

    hits: int = 0
    misses: int = 0


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time: its number, when it begins, who is asked in it, and what is counted."""

    number: int
    since: datetime
    source: Source
    tally: Tally

    def marked(self, rows: Rows) -> Rows:
        """Return rows that may be kept, as old as anything may be in this period."""
        return replace(rows, rows=tuple(rows.rows), as_of=self.since, cached=True)


class Answers:
    """The answers of a period, the least used ones forgotten first."""

    def __init__(self, period: Period) -> None:
        self.period = period
        self._flights = Flights[Rows]()
        self._kept: OrderedDict[Question, Rows] = OrderedDict()
        self._values = 0

    async def answer(self, question: Question) -> Rows:
        """
        Return the answer, from those that are kept or from the source.

        Raises: SourceFailure.
        """
        rows = self._found(question)
        if rows is not None or self._flights.is_under_way(question):
            self.period.tally.hits += 1
        else:
            self.period.tally.misses += 1
        if rows is not None:
            return rows
        return await self._flights.ask(question, lambda: self._asked(question))

    async def _asked(self, question: Question) -> Rows:
        rows = await asked_of(self.period.source, question)
        return rows if rows.as_of is not None else self._keep(question, self.period.marked(rows))

    def _found(self, question: Question) -> Rows | None:
        rows = self._kept.get(question)
        if rows is not None:
            self._kept.move_to_end(question)
            return rows
        trusted = self.period.source.entities[question.entity].trusted
        for asked, whole in list(islice(self._complete(), _LOOKED_AT)):
            part = contained(question, asked, whole, trusted=trusted)
            if part is not None:
                self._kept.move_to_end(asked)
                return self._keep(question, self.period.marked(part))
        return None

    def _complete(self) -> Iterator[tuple[Read, Rows]]:
        """Yield the answers that have all rows of their predicate, those used last first."""
        for asked, rows in reversed(self._kept.items()):
            if isinstance(asked, Read) and is_complete(asked, rows):
                yield asked, rows

    def _keep(self, question: Question, rows: Rows) -> Rows:
        values = _values(question, rows)
        # Another answer that has this one in it may have landed meanwhile.
        if question not in self._kept and values <= _MOST_VALUES:
            self._kept[question] = rows
            self._values += values
        while len(self._kept) > _MOST_ANSWERS or self._values > _MOST_VALUES:
            self._values -= _values(*self._kept.popitem(last=False))
        return rows


class Whole:
    """All rows of an entity, read once in a period; whatever is asked is answered from them."""

    def __init__(self, period: Period, entity: Entity) -> None:
        self.period = period
        self._entity = entity
        self._read = Read(entity.name, tuple(entity.fields))
        self._flights = Flights["_AtHand"]()
        self._at_hand: _AtHand | None = None

    async def answer(self, question: Question) -> Rows:
        """
        Return the answer, from the rows at hand or after reading them.

        Raises: SourceFailure.
        """
        if self._at_hand is not None or self._flights.is_under_way(self._read):
            self.period.tally.hits += 1
        else:
            self.period.tally.misses += 1
        there = self._at_hand or await self._flights.ask(self._read, self._fetched)
        rows = await asked_of(there.memory, question)
        return replace(rows, as_of=there.rows.as_of, cached=there.rows.cached)

    async def _fetched(self) -> "_AtHand":
        rows = await self.period.source.read(self._read)
        if rows.as_of is not None:
            return self._held(rows)
        self._at_hand = self._held(self.period.marked(rows))
        return self._at_hand

    def _held(self, rows: Rows) -> "_AtHand":
        source = self.period.source
        return _AtHand(MemorySource.of(source.name, source.title, self._entity, rows), rows)


@dataclass(frozen=True, slots=True)
class _AtHand:
    memory: MemorySource
    rows: Rows


async def asked_of(source: Source, question: Question) -> Rows:
    """Return what a source answers to either kind of question."""
    if isinstance(question, Read):
        return await source.read(question)
    return await source.aggregate(question)


def _values(question: Question, rows: Rows) -> int:
    """Return how much a question and its answer count against what may be kept."""
    keys = question.for_each.keys if isinstance(question, Read) and question.for_each else ()
    operands = (len(part.operands) for part in walk(question.where) if isinstance(part, In))
    return 1 + len(rows.rows) + len(keys) + sum(operands)
