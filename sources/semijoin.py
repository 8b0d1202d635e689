"""
Exists over related rows that live in another system.

Two directions, chosen from capabilities alone, so that no row the caller may not see has a say:

    driving    the related side is listed first, and its keys become an In on this side
    following  the rows found so far ask the related side by key
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from contract.entity import Entity, Relationship
from contract.predicate import (
    FALSE,
    INVALID,
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
    relations_of,
)
from contract.read import ForEach, Read, Rows
from contract.source import Source, pushes

DRIVING_KEYS: Final = 1_000

Reading: TypeAlias = Callable[[Read], Awaitable[Rows]]


@dataclass(frozen=True, slots=True)
class SemiJoin:
    """Answers Exists for the entities of a graph; `home` tells who holds each."""

    entities: Mapping[str, Entity]
    home: Mapping[str, Source]

    def runs(self, entity: str, exists: Exists) -> bool:
        """Return whether the entity's own source can answer by itself."""
        source = self.home[entity]
        target = self._relationship(entity, exists).target
        if self.home.get(target) is not source:
            return False
        return exists.relationship in source.entities[entity].exists and pushes(
            source.entities[target], exists.predicate, lambda inner: self.runs(target, inner)
        )

    def fields_named(self, entity: str, predicate: Predicate) -> frozenset[str]:
        """Return the entity's fields needed to evaluate the predicate, joins included."""
        joins = (self._relationship(entity, part).own_fields for part in relations_of(predicate))
        return fields_of(predicate).union(*joins)

    async def driven(self, entity: str, where: Predicate, reading: Reading) -> Predicate:
        """
        Return the predicate with each conjunct that can drive replaced by the keys it allows.

        Reads:  the related entity of each such conjunct, at most 1,001 keys.
        """
        if not relations_of(where):
            return where
        parts = await asyncio.gather(
            *(self._driving(entity, part, reading) for part in conjuncts(where))
        )
        return all_of(*parts)

    async def following(
        self, entity: str, rows: Rows, predicate: Predicate, reading: Reading
    ) -> Related:
        """
        Return the tests of every Exists in the predicate, for these rows.

        Reads:  each related entity once, by the keys of the rows.
        """
        questions = tuple(dict.fromkeys(relations_of(predicate)))
        tests = await asyncio.gather(
            *(self._test(entity, rows, question, reading) for question in questions)
        )
        return dict(zip(questions, tests, strict=True)).__getitem__

    async def _test(self, entity: str, rows: Rows, exists: Exists, reading: Reading) -> Test:
        relationship = self._relationship(entity, exists)
        places = [rows.fields.index(field) for field in relationship.own_fields]
        keys = dict.fromkeys(tuple(row[place] for place in places) for row in rows.rows)
        by_key = ForEach(relationship.target_fields, tuple(filter(_relates, keys)))
        found = await reading(
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

    async def _driving(self, entity: str, part: Predicate, reading: Reading) -> Predicate:
        if not isinstance(part, Exists) or not self._may_drive(entity, part):
            return part
        relationship = self._relationship(entity, part)
        asked = Read(
            relationship.target,
            relationship.target_fields,
            part.predicate,
            limit=DRIVING_KEYS + 1,
        )
        rows = await reading(asked)
        if len(rows.rows) > DRIVING_KEYS:
            return part
        keys = dict.fromkeys(row[0] for row in rows.rows if _relates(row))
        return In(relationship.own_fields[0], tuple(keys)) if keys else FALSE  # type: ignore[arg-type] # values of a field

    def _may_drive(self, entity: str, exists: Exists) -> bool:
        relationship = self._relationship(entity, exists)
        own = self.home[entity].entities[entity]
        target = self.home[relationship.target].entities[relationship.target]
        if self.runs(entity, exists) or len(relationship.on) != 1 or exists.predicate == TRUE:
            return False
        takes_keys = Operator.IN in own.operators.get(relationship.own_fields[0], frozenset())
        lists = target.scan and target.limit and target.trusted
        return (
            takes_keys
            and lists
            and pushes(
                target, exists.predicate, lambda inner: self.runs(relationship.target, inner)
            )
        )

    def _relationship(self, entity: str, exists: Exists) -> Relationship:
        return self.entities[entity].relationships[exists.relationship]


def _relates(key: tuple[object, ...]) -> bool:
    return None not in key and INVALID not in key
