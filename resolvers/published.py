"""
The table of a role that may count rows and never list them, as far as it may be published.

Whatever is asked, the whole table that the policy names is counted, and what is suppressed in it
depends on nothing else. A question only picks cells of it, so that no two questions together tell
more than the one table does. Rows that the principal sees under other roles protect nobody from
this principal: what is suppressed is told by the rows beyond them. Openings are no such rows: who
could choose what is suppressed by opening people would compare the tables before and after.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from auth.aggregates import AggregateGrant
from contract.entity import Entity
from contract.errors import Forbidden, TooComplex
from contract.predicate import INVALID, Predicate, all_of, any_of
from contract.read import Aggregate, Function
from resolvers.admission import Admission
from resolvers.ask import Asker
from resolvers.dimensions import Cell, Node, Path
from resolvers.frame import Frame, Picked
from resolvers.subjects import Subject, speaks_of_people
from resolvers.suppression import Lattice, hidden
from resolvers.tabulation import (
    Figure,
    Group,
    Key,
    Sums,
    Table,
    TableAsk,
    Wanted,
    in_order,
    measures_of,
    name_of,
    rows_of,
)
from sources.federation import Federation

LARGEST_TABLE: Final = 4_000  # leaf cells; what is suppressed in them takes seconds at worst


@dataclass(frozen=True, slots=True)
class Publishing:
    """Counts a table and publishes what may be published of it."""

    admission: Admission
    federation: Federation
    subjects: Mapping[str, Subject]

    async def table(self, asker: Asker, ask: TableAsk, grants: Sequence[AggregateGrant]) -> Table:
        """
        Return the cells that are asked for.

        Reads:  the entity by the fields of the table, and by whom its rows speak of where one may
                have several; once more where the principal sees some of the rows.
        Raises: Forbidden, decided before any source is asked; SourceFailure; TooComplex.
        """
        entity = self.admission.entities[ask.entity]
        frame = Frame.of(entity, grants)
        picked = frame.picked(ask)
        apart = self._apart(entity)
        counting = _Counting(self.federation, asker, frame, apart, tuple(sorted(frame.sums)))
        rows = any_of(*(grant.rows for grant in grants))
        seen = self.admission.policy.grants(replace(asker.principal, openings=()), entity.name)
        counts = await counting.counts(rows)
        known = await counting.counts(all_of(rows, any_of(*(grant.rows for grant in seen))))
        threshold = 0 if apart is None else self.admission.policy.threshold
        publication = _Publication(ask, counting.sums, picked, threshold, counts, known)
        return await asyncio.to_thread(publication.table)

    def _apart(self, entity: Entity) -> str | None:
        """
        Return the field that tells people apart, "" where each row is somebody; None for nobody.

        Raises: Forbidden where the rows are about people, and it cannot be told how many.
        """
        if not speaks_of_people(entity, self.subjects):
            return None
        subject = self.subjects.get(entity.name)
        if subject is None or not subject.is_told:
            raise Forbidden
        return "" if subject.is_itself else subject.fields[0]


@dataclass(frozen=True, slots=True)
class _Counts:
    """The table as counted: measures by leaf cell and whom they speak of; paths by field."""

    paths: Sequence[Mapping[Node, Path]]
    cells: Mapping[tuple[Cell, object], Sums]


@dataclass(frozen=True, slots=True)
class _Counting:
    """Counts the rows of a predicate by the table's fields and, where `apart` says, by person."""

    federation: Federation
    asker: Asker
    frame: Frame
    apart: str | None
    sums: tuple[str, ...]

    async def counts(self, rows: Predicate) -> _Counts:
        """
        Return the table over the rows.

        Raises: SourceFailure where a system fails, since a part of a table is no table.
        """
        wanted = (Wanted(figure, name) for name in self.sums for figure in (_SUM, _AVERAGE))
        measures = measures_of(wanted)
        by = tuple(each.field for each in self.frame.by)
        named = tuple(dict.fromkeys((*by, *([self.apart] if self.apart else []))))
        question = Aggregate(self.frame.entity.name, measures, rows, named)
        answer = await self.federation.aggregate(question, self.asker.calls)
        paths: list[dict[Node, Path]] = [{} for _ in by]
        cells: dict[tuple[Cell, object], Sums] = {}
        path_of, leaves = self.frame.paths(), set[Cell]()
        for values, measured in rows_of(answer, len(named)):
            found = [path(value) for path, value in zip(path_of, values, strict=False)]
            cell = tuple(path[-1] for path in found)
            for known, path in zip(paths, found, strict=True):
                known[path[-1]] = path
            leaves.add(cell)
            if len(leaves) > LARGEST_TABLE:
                raise TooComplex
            person = values[named.index(self.apart)] if self.apart else None
            cells.setdefault((cell, person), Sums()).add(measures, measured)
        return _Counts(paths, cells)


_SUM, _AVERAGE = Figure.SUM, Figure.AVERAGE


@dataclass(frozen=True, slots=True)
class _Publication:
    """
    One question's cells; `known` are the rows among the counted that the principal sees.

    `sums`: all fields that may be summed, whatever is asked for.
    """

    ask: TableAsk
    sums: Sequence[str]
    picked: Picked
    threshold: int
    counts: _Counts
    known: _Counts

    def table(self) -> Table:
        """Return the groups that are picked, and all of them together."""
        totals, leaves = self._totals(), dict.fromkeys(cell for cell, _ in self.counts.cells)
        # One for all figures: an average in a cell of which the number is hidden tells that number.
        veil = frozenset[Cell]().union(*(self._veil(name) for name in ("", *self.sums)))
        groups: dict[Key, set[Cell]] = {}
        everything: set[Cell] = set()
        for leaf in leaves:
            paths = [known[node] for known, node in zip(self.counts.paths, leaf, strict=True)]
            if self.picked.holds(paths):
                everything.add(self.picked.cell(paths, grouped=False))
                if self.ask.by:
                    cell = self.picked.cell(paths, grouped=True)
                    groups.setdefault(self.picked.key(paths), set()).add(cell)
        made = (self._group(key, cells, totals, veil) for key, cells in groups.items())
        return Table(in_order(made), self._group((), everything, totals, veil))

    def _group(
        self,
        key: Key,
        cells: Iterable[Cell],
        totals: Mapping[Cell, Sums],
        veil: frozenset[Cell],
    ) -> Group:
        sums = Sums()
        for cell in cells:
            sums.join(totals[cell])
        veiled = not veil.isdisjoint(cells)
        figures = {each: None if veiled else sums.figure(each) for each in self.ask.wanted}
        return Group(key, figures, veiled)

    def _totals(self) -> dict[Cell, Sums]:
        lattice = Lattice(self.counts.paths, {})
        totals: dict[Cell, Sums] = {}
        for (leaf, _), sums in self.counts.cells.items():
            for cell in lattice.above(leaf):
                totals.setdefault(cell, Sums()).join(sums)
        return totals

    def _veil(self, field: str) -> frozenset[Cell]:
        """Return the cells in which a figure is hidden, by the people whose rows have a value."""
        if not self.threshold:
            return frozenset()
        rows: dict[Cell, int] = {}
        people: dict[Cell, _People] = {}
        lattice = Lattice(self.counts.paths, rows)
        for (leaf, person), sums in self.counts.cells.items():
            unknown = self._unknown(leaf, person, sums, name_of(Function.COUNT, field))
            if unknown > 0:
                rows[leaf] = rows.get(leaf, 0) + unknown
                for cell in lattice.above(leaf):
                    people.setdefault(cell, _People()).add(person, unknown, self.threshold)
        small = {cell for cell, found in people.items() if found.number < self.threshold}
        return hidden(lattice, small, self.threshold)

    def _unknown(self, leaf: Cell, person: object, sums: Sums, name: str) -> int:
        """Return how many of the rows the principal does not see."""
        seen = self.known.cells.get((leaf, person), Sums())
        return sums.number(name) - seen.number(name)


class _People:
    """How many people there are in a cell; a row that names nobody is somebody."""

    __slots__ = ("nameless", "persons")

    def __init__(self) -> None:
        self.nameless = 0
        self.persons: set[object] = set()

    @property
    def number(self) -> int:
        """Return how many there are, at least."""
        return self.nameless + len(self.persons)

    def add(self, person: object, rows: int, enough: int) -> None:
        """Count the person of some rows, as long as there are not enough."""
        if person is None or person is INVALID:
            self.nameless += rows
        elif self.number < enough:
            self.persons.add(person)
