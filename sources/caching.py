"""
Answers that are kept where a mapping file lets them be; stands around a guard, itself a source.

An answer is kept under its question and nothing else: entity, fields, keys, order, limit, and a
predicate that the policy is part of. Who asked is not known here. Another question gets it only
where it is the same, or where it asks for rows that are all in there, which are filtered anew.

Time is cut into periods as long as the entity's freshness, and no answer outlives the one that it
was asked for in. Every answer of a period says that it is of its beginning or later, whether it was
kept or not: so an answer does not tell whether somebody else has asked before.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from contract.entity import Entity
from contract.predicate import relations_of
from contract.read import Aggregate, Read, Rows
from contract.source import Capabilities, Source
from sources.containment import Question
from sources.declaration import Cache, MappedEntity
from sources.guard import Clock, now
from sources.memory import able_to_all
from sources.period import Answers, Period, Tally, Whole, asked_of


class Caching:
    """A source with what is kept of its answers; itself a source."""

    def __init__(
        self, source: Source, entities: Mapping[str, MappedEntity], clock: Clock = now
    ) -> None:
        self._source = source
        self._caches = {
            name: (mapped.entity, mapped.cache)
            for name, mapped in entities.items()
            if mapped.cache is not None
        }
        self._clock = clock
        self._kept: dict[str, Answers | Whole] = {}
        self.entities: Mapping[str, Capabilities] = _able(source, entities)
        self.tally = Tally()

    @property
    def name(self) -> str:
        """Return the source's name."""
        return self._source.name

    @property
    def title(self) -> str:
        """Return the source's title."""
        return self._source.title

    async def read(self, read: Read) -> Rows:
        """
        Return the rows asked for, from what is kept or from the source.

        Raises: SourceFailure, and nothing else, where the source is asked and fails.
        """
        return await self._answered(read)

    async def aggregate(self, aggregate: Aggregate) -> Rows:
        """
        Return the measures asked for, from what is kept or from the source.

        Raises: SourceFailure, and nothing else, where the source is asked and fails.
        """
        return await self._answered(aggregate)

    def forget(self) -> None:
        """Keep no answer from before: neither those that are kept, nor those still on their way."""
        self._kept.clear()

    async def _answered(self, question: Question) -> Rows:
        cached = self._caches.get(question.entity)
        # Which rows have related rows can tell of people, so that is never kept.
        if cached is None or relations_of(question.where):
            return await asked_of(self._source, question)
        return await self._current(*cached).answer(question)

    def _current(self, entity: Entity, cache: Cache) -> Answers | Whole:
        """Return what is kept in this period; an answer that lands later goes with its own."""
        number = int(self._clock().timestamp() // cache.seconds)
        kept = self._kept.get(entity.name)
        if kept is None or kept.period.number != number:
            since = datetime.fromtimestamp(number * cache.seconds, UTC)
            period = Period(number, since, self._source, self.tally)
            kept = Whole(period, entity) if cache.whole else Answers(period)
            self._kept[entity.name] = kept
        return kept


def _able(source: Source, entities: Mapping[str, MappedEntity]) -> dict[str, Capabilities]:
    """
    Return what can be asked: everything of what is kept whole.

    The system itself is asked nothing about such rows, so it answers no Exists about them.
    """
    whole = {name for name, each in entities.items() if each.cache and each.cache.whole}
    able: dict[str, Capabilities] = {}
    for name, capabilities in source.entities.items():
        relationships = entities[name].entity.relationships.values()
        absent = {each.name for each in relationships if each.target in whole}
        able[name] = replace(capabilities, exists=capabilities.exists - absent)
        if name in whole:
            able[name] = able_to_all(entities[name].entity)
    return able
