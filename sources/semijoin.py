"""
Exists over related rows that live in another system.

Two directions, chosen by capabilities and by numbers of rows that the caller may see, so that no
other row has a say:

    driving    the related side is listed first, and its keys become an In on this side
    following  the rows found so far ask the related side by key

Up to a thousand keys drive. Where there are more, both sides are counted and the fewer rows move.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from contract.entity import Entity, Relationship
from contract.predicate import (
    FALSE,
    TRUE,
    Exists,
    In,
    Operator,
    Predicate,
    Related,
    Row,
    Test,
    Truth,
    all_of,
    conjuncts,
    fields_of,
    relates,
    relations_of,
)
from contract.read import ForEach, Read, Rows
from contract.source import Source, pushes
from sources.asking import Asking
from sources.explaining import Decision, Direction
from sources.holding import Holding, is_shared

DRIVING_KEYS: Final = 1_000
PIECES: Final = 40  # questions that the keys of one filter may be cut into


@dataclass(frozen=True, slots=True)
class SemiJoin:
    """Answers Exists for the entities of a graph; `held` tells who holds each."""

    entities: Mapping[str, Entity]
    held: Mapping[str, tuple[Holding, ...]]

    def runs(self, source: Source, entity: str, exists: Exists) -> bool:
        """Return whether a source that holds the entity can answer by itself."""
        target = self._relationship(entity, exists).target
        holders = self.held.get(target, ())
        if is_shared(holders) or [holding.source for holding in holders] != [source]:
            return False
        return exists.relationship in source.entities[entity].exists and pushes(
            source.entities[target],
            exists.predicate,
            lambda inner: self.runs(source, target, inner),
        )

    def fields_named(self, entity: str, predicate: Predicate) -> frozenset[str]:
        """Return the entity's fields needed to evaluate the predicate, joins included."""
        joins = (self._relationship(entity, part).own_fields for part in relations_of(predicate))
        return fields_of(predicate).union(*joins)

    async def driven(self, entity: str, where: Predicate, asking: Asking) -> Predicate:
        """
        Return the predicate with each conjunct that can drive replaced by the keys it allows.

        Reads:  the related entity of each such conjunct, at most 1,001 keys; where there are more,
                how many rows there are on either side, and all keys if they are the fewer.
        """
        if not relations_of(where):
            return where
        parts = await asyncio.gather(
            *(self._driving(entity, part, where, asking) for part in conjuncts(where))
        )
        return all_of(*parts)

    async def following(
        self, entity: str, rows: Rows, predicate: Predicate, asking: Asking
    ) -> Related:
        """
        Return the tests of every Exists in the predicate, for these rows.

        Reads:  each related entity once, by the keys of the rows.
        """
        questions = tuple(dict.fromkeys(relations_of(predicate)))
        tests = await asyncio.gather(
            *(self._test(entity, rows, question, asking) for question in questions)
        )
        return dict(zip(questions, tests, strict=True)).__getitem__

    async def _test(self, entity: str, rows: Rows, exists: Exists, asking: Asking) -> Test:
        relationship = self._relationship(entity, exists)
        places = [rows.fields.index(field) for field in relationship.own_fields]
        keys = dict.fromkeys(tuple(row[place] for place in places) for row in rows.rows)
        by_key = ForEach(relationship.target_fields, tuple(filter(relates, keys)))
        found = await asking.rows(
            Read(
                relationship.target,
                relationship.target_fields,
                exists.predicate,
                for_each=by_key,
            )
        )
        there = {tuple(row) for row in found.rows}

        def test(row: Row) -> Truth:
            return tuple(row[place] for place in places) in there

        return test

    async def _driving(
        self, entity: str, part: Predicate, where: Predicate, asking: Asking
    ) -> Predicate:
        if not isinstance(part, Exists) or not self._may_drive(entity, part):
            for exists in relations_of(part):
                self._decided(entity, exists, asking, Direction.BY_KEY, (None, None))
            return part
        relationship = self._relationship(entity, part)
        asked = Read(
            relationship.target,
            relationship.target_fields,
            part.predicate,
            limit=DRIVING_KEYS + 1,
        )
        rows = await asking.rows(asked)
        if len(rows.rows) > DRIVING_KEYS:
            if not await self._is_cheaper(entity, part, where, asking):
                return part
            rows = await asking.rows(replace(asked, limit=None))
        else:
            self._decided(entity, part, asking, Direction.DRIVING, (len(rows.rows), None))
        keys = dict.fromkeys(row[0] for row in rows.rows if relates(row))
        return In(relationship.own_fields[0], tuple(keys)) if keys else FALSE  # type: ignore[arg-type] # values of a field

    async def _is_cheaper(
        self, entity: str, exists: Exists, where: Predicate, asking: Asking
    ) -> bool:
        """Return whether all keys of the related side cost less than the rows on this one."""
        relationship = self._relationship(entity, exists)
        keys = await asking.count(relationship.target, exists.predicate)
        batch = min(held.capabilities.batch for held in self.held[entity])
        if keys is None or keys > min(asking.scan_rows, PIECES * batch):
            self._decided(entity, exists, asking, Direction.FOLLOWING, (keys, None))
            return False
        own = (part for part in conjuncts(where) if not relations_of(part))
        rows = await asking.count(entity, all_of(*own))
        drives = rows is None or keys < rows
        direction = Direction.DRIVING if drives else Direction.FOLLOWING
        self._decided(entity, exists, asking, direction, (keys, rows))
        return drives

    def _decided(
        self,
        entity: str,
        exists: Exists,
        asking: Asking,
        direction: Direction,
        counted: tuple[int | None, int | None],
    ) -> None:
        target = self._relationship(entity, exists).target
        asking.decided(Decision(entity, exists.relationship, target, direction, *counted))

    def _may_drive(self, entity: str, exists: Exists) -> bool:
        relationship = self._relationship(entity, exists)
        if exists.by_key or len(relationship.on) != 1 or exists.predicate == TRUE:
            return False
        if all(self.runs(held.source, entity, exists) for held in self.held[entity]):
            return False
        own = relationship.own_fields
        return all(takes_keys(held, own) for held in self.held[entity]) and all(
            self._lists(held, exists.predicate) for held in self.held[relationship.target]
        )

    def _lists(self, held: Holding, predicate: Predicate) -> bool:
        """Return whether the related rows can be listed for no more than they are."""
        able = held.capabilities
        if not (able.scan and able.limit):
            return False
        return pushes(able, predicate, lambda inner: self.runs(held.source, held.entity, inner))

    def _relationship(self, entity: str, exists: Exists) -> Relationship:
        return self.entities[entity].relationships[exists.relationship]


def takes_keys(held: Holding, fields: tuple[str, ...]) -> bool:
    """Return whether the system that holds the rows can be asked for these keys as a list."""
    operators = held.capabilities.operators
    return len(fields) == 1 and Operator.IN in operators.get(fields[0], frozenset())
