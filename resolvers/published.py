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
from typing import Any, Final

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
    Groups,
    Key,
    Table,
    TableAsk,
    Wanted,
    figures_of,
    measures_of,
    name_of,
    places_of,
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
    cells: Mapping[tuple[Cell, object], "_Sums"]


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
        measures = measures_of(tuple(wanted))
        names = [measure.name for measure in measures]
        by = tuple(each.field for each in self.frame.by)
        named = tuple(dict.fromkeys((*by, *([self.apart] if self.apart else []))))
        question = Aggregate(self.frame.entity.name, measures, rows, named)
        answer = await self.federation.aggregate(question, self.asker.calls)
        paths: list[dict[Node, Path]] = [{} for _ in by]
        cells: dict[tuple[Cell, object], _Sums] = {}
        path_of, leaves = self.frame.paths(), set[Cell]()
        for values in answer.rows:
            found = [path(value) for path, value in zip(path_of, values, strict=False)]
            cell = tuple(path[-1] for path in found)
            for known, path in zip(paths, found, strict=True):
                known[path[-1]] = path
            leaves.add(cell)
            if len(leaves) > LARGEST_TABLE:
                raise TooComplex
            person = values[named.index(self.apart)] if self.apart else None
            cells.setdefault((cell, person), _Sums()).add(names, values[len(named) :])
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
        keys = list(groups)
        ordered = [keys[place] for (place,) in places_of(list(zip(*keys, strict=True)))]
        return Table(
            self._groups({key: groups[key] for key in ordered}, totals, veil),
            self._groups({(): everything}, totals, veil),
        )

    def _groups(
        self, cells: Mapping[Key, set[Cell]], totals: Mapping[Cell, "_Sums"], veil: frozenset[Cell]
    ) -> Groups:
        sums = [_Sums.of(totals[cell] for cell in each) for each in cells.values()]
        veiled = [not veil.isdisjoint(each) for each in cells.values()]
        measured = {
            measure.name: [each.values.get(measure.name) for each in sums]
            for measure in measures_of(self.ask.wanted)
        }
        figures = {
            each: [None if hides else value for hides, value in zip(veiled, column, strict=True)]
            for each, column in figures_of(self.ask.wanted, measured).items()
        }
        return Groups(list(cells), figures, veiled)

    def _totals(self) -> dict[Cell, "_Sums"]:
        lattice = Lattice(self.counts.paths, {})
        totals: dict[Cell, _Sums] = {}
        for (leaf, _), sums in self.counts.cells.items():
            for cell in lattice.above(leaf):
                totals.setdefault(cell, _Sums()).join(sums)
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

    def _unknown(self, leaf: Cell, person: object, sums: "_Sums", name: str) -> int:
        """Return how many of the rows the principal does not see."""
        seen = self.known.cells.get((leaf, person), _Sums())
        return sums.number(name) - seen.number(name)


class _Sums:
    """Numbers of rows and sums, by the names of their measures; what nobody has is left out."""

    __slots__ = ("values",)

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    @classmethod
    def of(cls, parts: Iterable["_Sums"]) -> "_Sums":
        """Return the sums of all parts together."""
        sums = cls()
        for part in parts:
            sums.join(part)
        return sums

    def add(self, names: Iterable[str], values: Iterable[object]) -> None:
        """Add the measures of another part to these."""
        for name, value in zip(names, values, strict=True):
            if value is not None:
                self.values[name] = self.values[name] + value if name in self.values else value

    def join(self, other: "_Sums") -> None:
        """Add those of another part to these."""
        self.add(other.values, other.values.values())

    def number(self, name: str) -> int:
        """Return a number of rows; 0 where there is none."""
        return int(str(self.values.get(name, 0)))


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
