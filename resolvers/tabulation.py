"""
What is asked of rows as numbers, and what becomes of the groups that systems answer.

Systems group by whole values. Where a value is cut to a level, as a day to its month, their groups
are put together here, which counts, sums and extremes allow; distinct values are told apart here.
Values are handled by column: of what a thousand groups have in common, nothing is done twice.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from itertools import repeat
from typing import Any, Final, TypeAlias

from contract.errors import SourceFailure
from contract.predicate import INVALID, TRUE, Predicate
from contract.read import Function, Measure, Order, Rows
from resolvers.ask import Ask, Selection
from resolvers.dimensions import Cut, Dimension, cut_column
from sources.merging import Column, joined

Key: TypeAlias = tuple[object, ...]


class Figure(StrEnum):
    """What is computed over the rows of a group."""

    COUNT = "count"
    COUNT_DISTINCT = "countDistinct"
    SUM = "sum"
    AVERAGE = "avg"
    MIN = "min"
    MAX = "max"


@dataclass(frozen=True, slots=True)
class Wanted:
    """One figure; `field` "" for the number of rows."""

    figure: Figure
    field: str = ""


@dataclass(frozen=True, slots=True)
class TableAsk:
    """
    One question for numbers: of which rows, told apart by what.

    `partial`: where one of several systems fails, the others' rows are counted all the same.
    """

    entity: str
    wanted: tuple[Wanted, ...] = (Wanted(Figure.COUNT),)
    where: Predicate = TRUE
    by: tuple[Dimension, ...] = ()
    partial: bool = False

    def naming(self) -> Ask:
        """Return a question for rows that names the same fields: what is grouped by is named."""
        named = (*(each.field for each in self.by), *(each.field for each in self.wanted))
        orders = tuple(Order(name) for name in dict.fromkeys(named) if name)
        return Ask(Selection(self.entity), self.where, orders)

    def told_apart(self) -> tuple[str, ...]:
        """Return the fields of which different values are counted."""
        fields = (each.field for each in self.wanted if each.figure is Figure.COUNT_DISTINCT)
        return tuple(dict.fromkeys(fields))

    def values(self) -> frozenset[str]:
        """Return the fields of which values of rows stand in the answer, as keys or extremes."""
        extremes = (each.field for each in self.wanted if each.figure in (Figure.MIN, Figure.MAX))
        return frozenset((*(each.field for each in self.by), *extremes))


@dataclass(frozen=True, slots=True)
class Groups:
    """
    Groups side by side: their keys, and of each figure a column with one for each group.

    A figure that is not published is null, and `suppressed` is set for its group.
    """

    keys: Sequence[Key]
    figures: Mapping[Wanted, Column]
    suppressed: Sequence[bool]


NO_GROUPS: Final = Groups((), {}, ())


@dataclass(frozen=True, slots=True)
class Table:
    """
    Groups in the order of their keys, nulls last, and all of them together as one, without a key.

    `failures`: of the systems whose rows are not counted; numbers of rows are lower bounds then.
    """

    groups: Groups
    total: Groups
    failures: tuple[SourceFailure, ...] = ()


_MISSING: Final[AbstractSet[object]] = frozenset({None, INVALID})
_PARTS: Final[Mapping[Figure, tuple[Function, ...]]] = {
    Figure.COUNT: (Function.COUNT,),
    Figure.COUNT_DISTINCT: (),  # added up it tells nothing
    Figure.SUM: (Function.SUM,),
    Figure.AVERAGE: (Function.SUM, Function.COUNT),
    Figure.MIN: (Function.MIN,),
    Figure.MAX: (Function.MAX,),
}


@lru_cache(maxsize=256)  # by figures and names of fields alone
def measures_of(wanted: tuple[Wanted, ...]) -> tuple[Measure, ...]:
    """Return what is asked of systems: measures of which those of parts give those of the whole."""
    measures = {
        name_of(function, each.field): Measure(
            name_of(function, each.field), function, each.field or None
        )
        for each in (Wanted(Figure.COUNT), *wanted)
        for function in _PARTS[each.figure]
    }
    return tuple(measures.values())


def name_of(function: Function, field: str = "") -> str:
    """Return a measure's name, which no field has."""
    return f"#{function}:{field}"


def figures_of(wanted: Sequence[Wanted], measured: Mapping[str, Column]) -> dict[Wanted, Column]:
    """Return the figures by group; null where no row has a value, 0 where rows are counted."""
    return {each: _figure(each, measured) for each in wanted}


def _figure(wanted: Wanted, measured: Mapping[str, Column]) -> Column:
    match wanted.figure:
        case Figure.COUNT_DISTINCT:
            return measured[name_of(Function.COUNT_DISTINCT, wanted.field)]
        case Figure.COUNT:
            return [rows or 0 for rows in measured[name_of(Function.COUNT)]]
        case Figure.AVERAGE:
            totals = measured[name_of(Function.SUM, wanted.field)]
            return list(map(average, totals, measured[name_of(Function.COUNT, wanted.field)]))
        case _:
            (function,) = _PARTS[wanted.figure]
            return measured[name_of(function, wanted.field)]


def average(total: object, counted: object) -> Decimal | None:
    """Return sum by count; null where there is nothing to divide."""
    if not isinstance(total, int | Decimal) or not isinstance(counted, int) or not counted:
        return None
    return Decimal(total) / counted


def tabulated(ask: TableAsk, cut: Mapping[Dimension, Cut], rows: Rows) -> Table:
    """Return the table of groups by whole values, of which `rows` has fields and measures."""
    columns = columns_of(rows)
    keys = [cut_column(cut[each], columns[each.field]) for each in ask.by]
    places = places_of(keys)
    whole = list(zip(*keys, strict=True))
    groups = _groups(ask, [whole[each[0]] for each in places], columns, places)
    total = _groups(ask, [()], columns, [range(len(rows.rows))])
    return Table(groups, total, rows.failures)


def columns_of(rows: Rows) -> dict[str, Column]:
    """Return the rows' columns by their names."""
    columns = zip(*rows.rows, strict=True) if rows.rows else [()] * len(rows.fields)
    return dict(zip(rows.fields, columns, strict=True))


def _groups(
    ask: TableAsk,
    keys: Sequence[Key],
    columns: Mapping[str, Column],
    places: Sequence[Sequence[int]],
) -> Groups:
    measured: dict[str, Column] = {
        measure.name: joined(measure.function, columns[measure.name], places)
        for measure in measures_of(ask.wanted)
    }
    for field in ask.told_apart():
        values = columns[field]
        apart = [len({values[place] for place in each} - _MISSING) for each in places]
        measured[name_of(Function.COUNT_DISTINCT, field)] = apart
    return Groups(keys, figures_of(ask.wanted, measured), [False] * len(keys))


def places_of(keys: Sequence[Column]) -> list[list[int]]:
    """
    Return where the rows of each group stand, groups in the order of their keys, nulls last.

    Shape:  a column (n) for each part of the key -> places (m).
    """
    codes: list[int] = []
    for column in keys:
        ranks = _ranks(column)
        width, own = len(ranks), map(ranks.__getitem__, column)
        codes = [code * width + rank for code, rank in zip(codes or repeat(0), own, strict=False)]
    places: dict[int, list[int]] = {}
    for place, code in enumerate(codes):
        places.setdefault(code, []).append(place)
    return [places[code] for code in sorted(places)]


def _ranks(column: Column) -> dict[object, int]:
    known = dict.fromkeys(column)
    nulls = [None] if None in known else []
    known.pop(None, None)
    return {value: rank for rank, value in enumerate([*sorted(known, key=_sortable), *nulls])}


def _sortable(value: object) -> Any:
    return value if isinstance(value, int) else str(value)
