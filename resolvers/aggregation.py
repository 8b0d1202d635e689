"""
Numbers over rows: over those that the principal sees, or over those they may only count.

Of rows that are seen everything may be computed, by fields that are shown. Of others only the table
that the policy names is known, with what is suppressed in it; see `resolvers.published`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from auth.difference import implies
from contract.errors import TooComplex
from contract.predicate import Predicate, any_of
from contract.read import Aggregate, Function, Measure
from resolvers.admission import Admission
from resolvers.ask import Asker
from resolvers.attributing import Attributing, Behind
from resolvers.dimensions import cutter
from resolvers.published import Publishing
from resolvers.subjects import Subject
from resolvers.tabulation import (
    NO_GROUPS,
    Groups,
    Table,
    TableAsk,
    columns_of,
    figures_of,
    measures_of,
    name_of,
    tabulated,
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

    async def seen(self, asker: Asker, ask: TableAsk, where: Predicate) -> Table:
        """
        Return the figures over rows that the principal sees; `where`: filter and policy as one.

        Reads:  the entity once, by group; by each value that is told apart, where distinct values
                are counted by group.
        Raises: BadInput; SourceFailure; TooComplex.
        """
        entity = self.admission.entities[ask.entity]
        cut = {each: cutter(entity.fields[each.field], each.level) for each in ask.by}
        apart = ask.told_apart()
        if apart and not ask.by and not self.federation.is_shared(entity.name):
            return await self._whole(asker, ask, where)
        named = tuple(dict.fromkeys((*(each.field for each in ask.by), *apart)))
        question = Aggregate(entity.name, measures_of(ask.wanted), where, named)
        rows = await self.federation.aggregate(question, asker.calls, partial=ask.partial)
        return _bounded(tabulated(ask, cut, rows))

    async def behind(self, asker: Asker, ask: TableAsk, where: Predicate, table: Table) -> Behind:
        """
        Return whose values stand in a table of rows that are seen, for the ledger and the quota.

        Raises: SourceFailure; TooComplex.
        """
        subject = self.subjects.get(ask.entity)
        if subject is None:
            return Behind()
        threshold = self.admission.policy.threshold
        attributing = Attributing(self.federation, subject, threshold)
        return await attributing.behind(asker, ask, where, table)

    async def _whole(self, asker: Asker, ask: TableAsk, where: Predicate) -> Table:
        """Return the figures of all rows, distinct values counted by the one system itself."""
        distinct = (
            Measure(name_of(Function.COUNT_DISTINCT, field), Function.COUNT_DISTINCT, field)
            for field in ask.told_apart()
        )
        question = Aggregate(ask.entity, (*measures_of(ask.wanted), *distinct), where)
        measured = columns_of(await self.federation.aggregate(question, asker.calls))
        total = Groups([()], figures_of(ask.wanted, measured), [False])
        return Table(NO_GROUPS, total)


def _bounded(table: Table) -> Table:
    if len(table.groups.keys) > LARGEST_TABLE:
        raise TooComplex(_TOO_MANY)
    return table
