"""
Whose values stand in a table of figures: a group of few people, by a name say, speaks of somebody.

Knows nothing of what is seen; the table is one over rows that the principal sees.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import repeat
from typing import Final

from contract.entity import Entity, Sensitivity
from contract.predicate import INVALID, Predicate
from contract.read import Aggregate
from resolvers.ask import Asker
from resolvers.dimensions import cut_column, cutter
from resolvers.subjects import Subject
from resolvers.tabulation import (
    Figure,
    Groups,
    Key,
    Table,
    TableAsk,
    Wanted,
    columns_of,
    measures_of,
)
from sources.federation import Federation

MOST_NAMED: Final = 1_000  # rows of a table of which people are looked for
_COUNT: Final = Wanted(Figure.COUNT)


def told_of(entity: Entity, ask: TableAsk) -> frozenset[str]:
    """Return the fields that are not open of which values stand in the table."""
    return frozenset(
        name
        for name in ask.values()
        if name in entity.fields and entity.fields[name].sensitivity is not Sensitivity.OPEN
    )


def counting(ask: TableAsk) -> TableAsk:
    """Return the question with the number of rows of each group, which is measured anyway."""
    return ask if _COUNT in ask.wanted else replace(ask, wanted=(*ask.wanted, _COUNT))


@dataclass(frozen=True, slots=True)
class Behind:
    """Who stands behind a table: the people of its small groups, and its other groups."""

    people: Sequence[object] = ()
    groups: Sequence[Key] = ()


@dataclass(frozen=True, slots=True)
class Attributing:
    """Finds the people of small groups; `threshold`: of how many people a group is small."""

    federation: Federation
    subject: Subject
    threshold: int

    async def behind(self, asker: Asker, ask: TableAsk, where: Predicate, table: Table) -> Behind:
        """
        Return who is in the small groups, and the other groups.

        Reads:  the entity once more, by group and person, where a small table has small groups.
        Raises: SourceFailure; TooComplex.
        """
        groups = table.groups if table.groups.keys else table.total
        counted = list(zip(groups.keys, _rows(groups), strict=True))
        small = {key for key, rows in counted if 0 < rows < self.threshold}
        if not small or sum(_rows(table.total)) > MOST_NAMED:
            return Behind(groups=[key for key, rows in counted if rows])
        found = await self._found(asker, ask, where)
        people = dict.fromkeys(person for key, person in found if key in small)
        return Behind(list(people), [key for key in groups.keys if key not in small])

    async def _found(
        self, asker: Asker, ask: TableAsk, where: Predicate
    ) -> Iterable[tuple[Key, object]]:
        """Return whom the rows of each group speak of, each with the group's key."""
        entity = self.subject.entity
        named = tuple(dict.fromkeys((*(each.field for each in ask.by), *self.subject.fields)))
        question = Aggregate(entity.name, measures_of(()), where, named)
        rows = await self.federation.aggregate(question, asker.calls, partial=ask.partial)
        columns = columns_of(rows)
        people = map(self._person, *(columns[name] for name in self.subject.fields))
        keys = [
            cut_column(cutter(entity.fields[each.field], each.level), columns[each.field])
            for each in ask.by
        ]
        return zip(zip(*keys, strict=True) if keys else repeat(()), people, strict=False)

    def _person(self, *said: object) -> object:
        is_told = len(said) == 1 and said[0] is not None and said[0] is not INVALID
        return said[0] if is_told else (self.subject.entity.name, *said)


def _rows(groups: Groups) -> list[int]:
    return [int(str(rows)) for rows in groups.figures[_COUNT]]
