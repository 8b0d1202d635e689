"""
The one road to data: who may see which rows and fields of what is asked.

    1  the principal's grants for the entity; without one nobody is asked and the answer is empty
    2  every field the question names (filter, order) must be clear in a grant, or be looked up
       whole where the grant allows; else it is refused, whatever the rows are
    3  where = filter and any of the rows of the grants that remain
    4  the federation answers exactly that
    5  rows are tagged with the grants that admit them; each field is shown, masked or denied by
       the tags of its own row
    6  what was read of whom, and what was refused, is noted for the ledger

Everything is decided by principal, entity and question before the first row is read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from auth.policy import Grant, Policy
from contract.entity import Entity, Relationship
from contract.errors import Forbidden, RateLimited, SourceFailure
from contract.read import Aggregate, ForEach, Function, Measure, Read, Rows
from resolvers.admission import Admission, opened
from resolvers.aggregation import Aggregation
from resolvers.ask import Ask, Asker, Reached, Selection, reached_from
from resolvers.attributing import Behind, counting, told_of
from resolvers.deciding import NOTHING, Decided, Deciding
from resolvers.explaining import Explaining, Explanation, Question, ask_of
from resolvers.record import Found, Layout, Record, by_fields, joined
from resolvers.showing import places, shown_rows, shows
from resolvers.subjects import reading_of, subjects_of
from resolvers.tabulation import Table, TableAsk
from sources.federation import ORIGIN, Explained, Federation
from sources.rowset import picker


class Gate:
    """Policy on one side, sources on the other; they meet here and nowhere else."""

    def __init__(self, policy: Policy, federation: Federation) -> None:
        self._federation = federation
        self._admission = Admission(policy, federation.entities)
        self._subjects = subjects_of(federation.entities)
        self._deciding = Deciding(self._admission, federation, self._subjects)
        self._aggregation = Aggregation(self._admission, federation, self._subjects)
        self._explaining = Explaining(self._admission, federation, self._subjects)

    @property
    def entities(self) -> Mapping[str, Entity]:
        """Return every entity of the graph."""
        return self._federation.entities

    async def read(self, asker: Asker, ask: Ask) -> Found:
        """
        Return the rows of an entity that the principal sees, in order.

        Reads:  the entity once, and what policies and filters name beyond it.
        Raises: Forbidden, decided before any source is asked; SourceFailure; TooComplex.
        """
        decided = self._decided(asker, ask)
        rows = await self._rows(asker, ask, decided)
        records = await self._records(asker, ask, decided, rows)
        self._note(asker, ask, decided.grants, _within(ask, records))
        return Found(records, rows.failures)

    def listed(self, asker: Asker, ask: Ask) -> Ask:
        """Return the question for a list of records, by what they are seen through."""
        return self._admission.listed(asker.principal, ask)

    async def related(
        self, asker: Asker, ask: Ask, relationship: Relationship, parents: Sequence[Record]
    ) -> list[Found]:
        """
        Return, for each parent, the related rows that the principal sees.

        Shape:  parents (n) -> records found (n), same order; the limit counts per parent.
        Reads:  the related entity once for all parents.
        Raises: Forbidden, decided before any source is asked; SourceFailure; TooComplex.
        """
        keys = joined(parents, relationship)
        reached = reached_from(relationship, parents, keys)
        decided = self._decided(asker, ask, reached)
        rows = await self._rows(asker, ask, decided, reached)
        records = await self._records(asker, ask, decided, rows, reached)
        found = by_fields(records, relationship.target_fields)
        shown = records
        if ask.beyond:
            shown = [record for each in found.values() for record in _within(ask, each)]
        self._note(asker, ask, decided.grants, shown)
        nothing, missing = Found(()), Found((), rows.failures)
        there = {key: Found(kept, rows.failures) for key, kept in found.items()}
        return [nothing if key is None else there.get(key, missing) for key in keys]

    async def count(self, asker: Asker, ask: Ask) -> int:
        """
        Return how many rows the principal sees.

        Reads:  the entity once.
        Raises: Forbidden; SourceFailure; TooComplex.
        """
        decided = self._decided(asker, ask)
        where = decided.where
        if ask.through and decided.grants:
            name, calls = ask.selection.entity, asker.calls
            where = await self._federation.keyed(name, where, ask.through, calls)
        count = Measure("count", Function.COUNT)
        rows = await self._federation.aggregate(
            Aggregate(ask.selection.entity, (count,), where), asker.calls
        )
        self._note(asker, ask, decided.grants)
        return int(str(rows.rows[0][0]))

    async def aggregate(self, asker: Asker, ask: TableAsk) -> Table:
        """
        Return figures over the rows the principal sees, or may count, by group.

        Reads:  the entity once or twice, by group.
        Raises: Forbidden, decided before any source is asked; BadInput; SourceFailure; TooComplex.
        """
        naming = ask.naming()
        if self._aggregation.counts_unseen(asker, ask):
            try:
                return await self._aggregation.published(asker, ask)
            finally:
                self._note(asker, naming)
        told = told_of(self.entities[ask.entity], ask)
        shown = replace(naming, selection=Selection(ask.entity, told))
        decided = self._decided(asker, shown)
        table = await self._aggregation.seen(asker, counting(ask), decided.where)
        if told:
            behind = await self._aggregation.behind(asker, ask, decided.where, table)
            self._note(asker, shown, decided.grants, behind=behind)
        else:
            self._note(asker, naming, decided.grants)
        return table

    async def explain(self, asker: Asker, question: Question) -> Explanation:
        """
        Return why a row is seen or not, as far as the principal is told.

        Reads:  the row that decides, by its key: as the principal sees it, and before that, for
                roles that are told clauses, within their divisions without the policy of rows.
        Raises: Forbidden, BadInput, RateLimited; all decided before any source is asked.
        """
        case = self._explaining.case(asker, question)
        try:
            told = await self._explaining.within(asker, case) if case.is_deep else None
            if told is not None:
                return told
            found = await self.read(asker, ask_of(case))
            record = found.first()
        except SourceFailure as failure:
            return self._explaining.undecided(asker, case, failure)
        return self._explaining.own(asker, case, record.grants if record else None)

    async def count_related(
        self, asker: Asker, ask: Ask, relationship: Relationship, parents: Sequence[Record]
    ) -> list[int]:
        """
        Return, for each parent, how many related rows the principal sees.

        Shape:  parents (n) -> counts (n), same order.
        Reads:  the related entity once for all parents.
        Raises: Forbidden; SourceFailure; TooComplex.
        """
        # Counting the keys keeps one way to rows reached from a parent: the same read, no columns.
        bare = Ask(Selection(ask.selection.entity), ask.where, ask.order_by)
        counted = await self.related(asker, bare, relationship, parents)
        for found in counted:
            if found.failures:
                raise found.failures[0]  # a number of which a part is missing is no number
        return [len(found.records) for found in counted]

    async def copies(
        self, asker: Asker, fields: frozenset[str], parents: Sequence[Record]
    ) -> list[list[Record]]:
        """
        Return, for each parent, the same row as other systems than its home know it.

        What is shown of a copy is what is shown of the parent.
        Shape:  parents (n), of one entity -> lists of records (n), same order.
        Reads:  each system of the entity once, by the parents' keys.
        Raises: SourceFailure.
        """
        if not self._federation.is_shared(parents[0].entity):
            return [[] for _ in parents]
        homes: dict[str, list[Record]] = {}
        for parent in parents:
            homes.setdefault(parent.layout.source, []).append(parent)
        found: dict[tuple[object, ...], list[Record]] = {}
        for home, own in homes.items():
            for record in await self._copies_of(asker, fields, home, own):
                found.setdefault((home, *record.key()), []).append(record)
        return [found.get((parent.layout.source, *parent.key()), []) for parent in parents]

    async def _copies_of(
        self, asker: Asker, fields: frozenset[str], home: str, parents: Sequence[Record]
    ) -> list[Record]:
        entity, tags = parents[0].layout.entity, dict[tuple[object, ...], frozenset[int]]()
        for parent in parents:
            tags[parent.key()] = tags.get(parent.key(), parent.grants) & parent.grants
        held = frozenset[int]().union(*tags.values())
        every = self._admission.policy.grants(asker.principal, entity.name)
        grants = tuple(grant for grant in every if grant.number in held)
        seen = (name for name in fields if any(shows(grant, name) for grant in grants))
        names = tuple(sorted({*seen, *entity.key}))
        by_key = ForEach(entity.key, tuple(tags))
        read = Read(entity.name, (*names, ORIGIN), for_each=by_key)
        rows = await self._federation.copies(read, home, asker.calls)
        self._note(asker, Ask(Selection(entity.name, fields)), grants, parents)
        keys = map(picker(rows.fields, entity.key), rows.rows)
        return self._made(entity, fields, rows, grants, [tags[key] for key in keys])

    def _decided(self, asker: Asker, ask: Ask, reached: Reached | None = None) -> Decided:
        if not self._federation.holders(ask.selection.entity):
            return NOTHING
        try:
            decided = self._deciding.decided(asker.principal, ask, reached)
            self._spend(asker, ask, decided)
        except (Forbidden, RateLimited):
            self._note(asker, ask)
            raise
        return decided

    def _spend(self, asker: Asker, ask: Ask, decided: Decided) -> None:
        """Spend look-ups, found or not; refuse to show more people than the quota has."""
        if ask.selection.fields and ask.selection.entity in self._subjects:
            asker.spending.read_people()
        asker.spending.look_up_by(decided.look_ups(ask))

    def _note(
        self,
        asker: Asker,
        ask: Ask,
        grants: tuple[Grant, ...] = (),
        records: Sequence[Record] = (),
        behind: Behind | None = None,
    ) -> None:
        if isinstance(asker.calls, Explained):
            returned, name = asker.calls.returned, ask.selection.entity
            returned[name] = returned.get(name, 0) + len(records)
        subject = self._subjects.get(ask.selection.entity)
        if subject is not None:
            reading = reading_of(subject, self.entities, ask, grants, records)
            if behind is not None:
                rows = len(behind.people) + len(behind.groups)
                reading = replace(reading, subjects=behind.people, rows=rows)
                asker.spending.show(behind.groups)
            asker.readings.append(reading)
            if ask.selection.fields:
                asker.spending.show(reading.subjects)

    async def _rows(
        self, asker: Asker, ask: Ask, decided: Decided, reached: Reached | None = None
    ) -> Rows:
        for_each = None
        if reached is not None:
            for_each = ForEach(reached.relationship.target_fields, tuple(reached.parents))
        entity = ask.selection.entity
        read = Read(
            entity,
            decided.fields,
            decided.where,
            decided.order_by,
            ask.limit,
            for_each,
            decided.recurs,
        )
        if ask.through and decided.grants:
            return await self._federation.listed(read, ask.through, asker.calls)
        return await self._federation.read(read, asker.calls)

    async def _records(
        self,
        asker: Asker,
        ask: Ask,
        decided: Decided,
        rows: Rows,
        reached: Reached | None = None,
    ) -> list[Record]:
        if not rows.rows:
            return []
        entity = self.entities[ask.selection.entity]
        tags = await self._tags(asker, entity, decided.grants, rows, reached)
        return self._made(entity, ask.selection.fields, rows, decided.grants, tags)

    def _made(
        self,
        entity: Entity,
        fields: frozenset[str],
        rows: Rows,
        grants: tuple[Grant, ...],
        tags: Sequence[frozenset[int]],
    ) -> list[Record]:
        """Return the rows that some grant admits, each shown as its own grants show it."""
        if not rows.rows:
            return []
        shown = shown_rows(fields, rows, grants, tags)
        layouts = self._layouts(entity, shown.names, rows)
        return [
            Record(layout, seen, row, tag)
            for layout, seen, row, tag in zip(layouts, shown.rows, rows.rows, tags, strict=True)
            if tag
        ]

    def _layouts(self, entity: Entity, shown: tuple[str, ...], rows: Rows) -> list[Layout]:
        """Return each row's layout, one and the same object for all rows of a system."""
        at, kept = places(shown), places(rows.fields)
        by_source = {
            held.source.name: Layout(
                entity, held.source.name, held.source.title, at, kept, rows.as_of
            )
            for held in self._federation.holders(entity.name)
        }
        if ORIGIN not in kept:
            return list(by_source.values()) * len(rows.rows)
        return [by_source[str(row[kept[ORIGIN]])] for row in rows.rows]

    async def _tags(
        self,
        asker: Asker,
        entity: Entity,
        grants: tuple[Grant, ...],
        rows: Rows,
        reached: Reached | None,
    ) -> list[frozenset[int]]:
        """Return, for each row, the numbers of the grants that admit it."""
        if len(grants) == 1:
            return [frozenset((grants[0].number,))] * len(rows.rows)
        rules = [opened(grant, entity, reached) for grant in grants]
        truths = await self._federation.truths(entity.name, rows, rules, asker.calls)
        return [
            frozenset(
                grant.number for grant, truth in zip(grants, admits, strict=True) if truth is True
            )
            for admits in zip(*truths, strict=True)
        ]


def _within(ask: Ask, records: Sequence[Record]) -> Sequence[Record]:
    """Return the rows that are shown, without those that only tell whether there are more."""
    return records if not ask.beyond or ask.limit is None else records[: ask.limit - ask.beyond]
