"""
Numbers over rows: over those that the principal sees, or over those they may only count.

Of rows that are seen everything may be computed, by fields that are shown. Of others only the table
that the policy names is known, with what is suppressed in it; see `resolvers.published`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from auth.difference import implies
from auth.policy import Grant
from contract.errors import TooComplex
from contract.predicate import Predicate, any_of
from contract.read import Aggregate, Function, Measure, Rows
from resolvers.admission import Admission
from resolvers.ask import Asker
from resolvers.attributing import Attributing, Behind
from resolvers.dimensions import cutter
from resolvers.published import Publishing
from resolvers.subjects import Subject
from resolvers.tabulation import (
    Figure,
    Group,
    Key,
    Sums,
    Table,
    TableAsk,
    in_order,
    measures_of,
    name_of,
    rows_of,
)
from sources.federation import Federation

LARGEST_TABLE: Final = 1_000
_TOO_MANY: Final = f"分组超过{LARGEST_TABLE}个,请减少分组字段,或把区划、时间分得粗一些。"


@dataclass(frozen=True, slots=True)
class Aggregation:
    """Admission on one side, sources on the other, for questions that want numbers."""

    admission: Admission
    federation: Federation
    subjects: Mapping[str, Subject]

    def counts_unseen(self, asker: Asker, ask: TableAsk) -> bool:
        """Return whether the principal may count such rows, and some may be rows they never see."""
        policy = self.admission.policy
        if not policy.aggregate_grants(asker.principal, ask.entity):
            return False
        seen = policy.grants(asker.principal, ask.entity)
        return not (seen and implies(ask.where, any_of(*(grant.rows for grant in seen))))

    async def published(self, asker: Asker, ask: TableAsk) -> Table:
        """
        Return what may be published of the rows that the principal may count.

        Reads:  the entity by the fields of its table; once more where some of the rows are seen.
        Raises: Forbidden, decided before any source is asked; SourceFailure; TooComplex.
        """
        counted = self.admission.policy.aggregate_grants(asker.principal, ask.entity)
        publishing = Publishing(self.admission, self.federation, self.subjects)
        return _bounded(await publishing.table(asker, ask, counted))

    async def seen(self, asker: Asker, ask: TableAsk, grants: Sequence[Grant]) -> Table:
        """
        Return the figures over rows that the principal sees, under grants that admit the question.

        Reads:  the entity once, by group; by each value that is told apart, where distinct values
                are counted by group.
        Raises: BadInput; SourceFailure; TooComplex.
        """
        entity = self.admission.entities[ask.entity]
        cutters = [cutter(entity.fields[each.field], each.level) for each in ask.by]
        where = self.admission.where(asker.principal, ask.naming(), grants)
        told_apart = _told_apart(ask)
        if told_apart and not ask.by and not self.federation.is_shared(entity.name):
            return await self._whole(asker, ask, where)
        named = tuple(dict.fromkeys((*(each.field for each in ask.by), *told_apart)))
        measures = measures_of(ask.wanted)
        question = Aggregate(entity.name, measures, where, named)
        rows = await self.federation.aggregate(question, asker.calls, partial=ask.partial)
        total, groups = Sums(), dict[Key, Sums]()
        places = [named.index(each.field) for each in ask.by]
        for values, measured in rows_of(rows, len(named)):
            key = tuple(cut(values[at]) for cut, at in zip(cutters, places, strict=True))
            for sums in (total, groups.setdefault(key, Sums())):
                sums.add(measures, measured)
                for field in told_apart:
                    sums.note(field, values[named.index(field)])
        return _bounded(_made(ask, total, groups if ask.by else {}, rows))

    async def behind(
        self, asker: Asker, ask: TableAsk, grants: Sequence[Grant], table: Table
    ) -> Behind:
        """
        Return whose values stand in a table of rows that are seen, for the ledger and the quota.

        Raises: SourceFailure; TooComplex.
        """
        subject = self.subjects.get(ask.entity)
        if subject is None or not grants:
            return Behind()
        where = self.admission.where(asker.principal, ask.naming(), grants)
        threshold = self.admission.policy.threshold
        attributing = Attributing(self.federation, subject, threshold)
        return await attributing.behind(asker, ask, where, table)

    async def _whole(self, asker: Asker, ask: TableAsk, where: Predicate) -> Table:
        """Return the figures of all rows, distinct values counted by the one system itself."""
        measures = measures_of(ask.wanted)
        distinct = tuple(
            Measure(name_of(Function.COUNT_DISTINCT, field), Function.COUNT_DISTINCT, field)
            for field in _told_apart(ask)
        )
        question = Aggregate(ask.entity, (*measures, *distinct), where)
        rows = await self.federation.aggregate(question, asker.calls)
        total = Sums()
        total.add(measures, rows.rows[0][: len(measures)])
        numbers = dict(zip(_told_apart(ask), rows.rows[0][len(measures) :], strict=True))
        figures = {
            each: numbers[each.field]
            if each.figure is Figure.COUNT_DISTINCT
            else total.figure(each)
            for each in ask.wanted
        }
        return Table((), Group((), figures))


def _told_apart(ask: TableAsk) -> tuple[str, ...]:
    distinct = (each.field for each in ask.wanted if each.figure is Figure.COUNT_DISTINCT)
    return tuple(dict.fromkeys(distinct))


def _bounded(table: Table) -> Table:
    if len(table.groups) > LARGEST_TABLE:
        raise TooComplex(_TOO_MANY)
    return table


def _made(ask: TableAsk, total: Sums, groups: Mapping[Key, Sums], rows: Rows) -> Table:
    made = (sums.group(key, ask.wanted) for key, sums in groups.items())
    return Table(in_order(made), total.group((), ask.wanted), rows.failures)
