"""
Whose values stand in a table of figures: a group of few people, by a name say, speaks of somebody.

Knows nothing of what is seen; the table is one over rows that the principal sees.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from contract.entity import Entity, Sensitivity
from contract.predicate import INVALID, Predicate
from contract.read import Aggregate, Function, Measure
from resolvers.ask import Asker
from resolvers.dimensions import cutter
from resolvers.subjects import Subject
from resolvers.tabulation import Figure, Group, Key, Table, TableAsk, Wanted, rows_of
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
        groups = table.groups or (table.total,)
        small = {group.key for group in groups if 0 < _rows(group) < self.threshold}
        if not small or _rows(table.total) > MOST_NAMED:
            return Behind(groups=[group.key for group in groups if _rows(group)])
        entity = self.subject.entity
        by = tuple(each.field for each in ask.by)
        named = tuple(dict.fromkeys((*by, *self.subject.fields)))
        count = Measure("count", Function.COUNT)
        question = Aggregate(entity.name, (count,), where, named)
        rows = await self.federation.aggregate(question, asker.calls, partial=ask.partial)
        cutters = [cutter(entity.fields[each.field], each.level) for each in ask.by]
        found: dict[object, None] = {}
        for values, _ in rows_of(rows, len(named)):
            at: dict[str, Any] = dict(zip(named, values, strict=True))
            key = tuple(cut(at[name]) for cut, name in zip(cutters, by, strict=True))
            if key in small:
                found[self._person(at[name] for name in self.subject.fields)] = None
        return Behind(list(found), [group.key for group in groups if group.key not in small])

    def _person(self, values: Iterable[object]) -> object:
        said = tuple(values)
        is_told = len(said) == 1 and said[0] is not None and said[0] is not INVALID
        return said[0] if is_told else (self.subject.entity.name, *said)


def _rows(group: Group) -> int:
    return int(str(group.figures[_COUNT]))
