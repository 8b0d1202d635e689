"""
What is asked of rows as numbers, and what becomes of the groups that systems answer.

Systems group by whole values. Where a value is cut to a level, as a day to its month, their groups
are put together here, which counts, sums and extremes allow; distinct values are told apart here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final, TypeAlias

from contract.errors import SourceFailure
from contract.predicate import INVALID, TRUE, Predicate
from contract.read import Function, Measure, Order, Rows
from resolvers.ask import Ask, Selection
from resolvers.dimensions import Dimension

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

    def values(self) -> frozenset[str]:
        """Return the fields of which values of rows stand in the answer, as keys or extremes."""
        extremes = (each.field for each in self.wanted if each.figure in (Figure.MIN, Figure.MAX))
        return frozenset((*(each.field for each in self.by), *extremes))


@dataclass(frozen=True, slots=True)
class Group:
    """The figures of one group; those that are not published are null, and `suppressed` is set."""

    key: Key
    figures: Mapping[Wanted, object]
    suppressed: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """
    Groups in the order of their keys, nulls last, and all of them together.

    `failures`: of the systems whose rows are not counted; numbers of rows are lower bounds then.
    """

    groups: tuple[Group, ...]
    total: Group
    failures: tuple[SourceFailure, ...] = ()


_PARTS: Final[Mapping[Figure, tuple[Function, ...]]] = {
    Figure.COUNT: (Function.COUNT,),
    Figure.COUNT_DISTINCT: (),
    Figure.SUM: (Function.SUM,),
    Figure.AVERAGE: (Function.SUM, Function.COUNT),
    Figure.MIN: (Function.MIN,),
    Figure.MAX: (Function.MAX,),
}


def measures_of(wanted: Iterable[Wanted]) -> tuple[Measure, ...]:
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


class Sums:
    """The measures of a group, put together from its parts, and the values told apart in it."""

    __slots__ = ("distinct", "values")

    def __init__(self) -> None:
        self.values: dict[str, object] = {}
        self.distinct: dict[str, set[object]] = {}

    def add(self, measures: Sequence[Measure], values: Sequence[object]) -> None:
        """Put the measures of another part to these."""
        for measure, value in zip(measures, values, strict=True):
            if value is not None:
                known = self.values.get(measure.name)
                joined = value if known is None else _JOINED[measure.function](known, value)
                self.values[measure.name] = joined

    def join(self, other: "Sums") -> None:
        """Put numbers and sums of another group to these."""
        for name, value in other.values.items():
            known = self.values.get(name)
            self.values[name] = value if known is None else _sum(known, value)

    def number(self, name: str) -> int:
        """Return a number of rows; 0 where there is none."""
        return int(str(self.values.get(name, 0)))

    def note(self, field: str, value: object) -> None:
        """Note a value of a field whose values are told apart."""
        seen = self.distinct.setdefault(field, set())
        if value is not None and value is not INVALID:
            seen.add(value)

    def figure(self, wanted: Wanted) -> object:
        """Return one figure; null where no row has a value, 0 where rows are counted."""
        match wanted.figure:
            case Figure.COUNT_DISTINCT:
                return len(self.distinct.get(wanted.field, ()))
            case Figure.AVERAGE:
                total = self.values.get(name_of(Function.SUM, wanted.field))
                counted = self.values.get(name_of(Function.COUNT, wanted.field))
                return average(total, counted)
            case _:
                (function,) = _PARTS[wanted.figure]
                nothing = 0 if wanted.figure is Figure.COUNT else None
                return self.values.get(name_of(function, wanted.field), nothing)

    def group(self, key: Key, wanted: Iterable[Wanted]) -> Group:
        """Return all figures that are wanted."""
        return Group(key, {each: self.figure(each) for each in wanted})


def average(total: object, counted: object) -> Decimal | None:
    """Return sum by count; null where there is nothing to divide."""
    if not isinstance(total, int | Decimal) or not isinstance(counted, int) or not counted:
        return None
    return Decimal(total) / counted


def in_order(groups: Iterable[Group]) -> tuple[Group, ...]:
    """Return the groups by their keys, nulls last."""
    return tuple(sorted(groups, key=lambda group: [(v is None, _sortable(v)) for v in group.key]))


def rows_of(rows: Rows, width: int) -> Iterable[tuple[Key, Key]]:
    """Yield each group's values of the fields it was asked by, and its measures."""
    return ((row[:width], row[width:]) for row in rows.rows)


def _sortable(value: object) -> object:
    return value if isinstance(value, int) else str(value)


def _sum(known: object, value: object) -> object:
    return known + value  # type: ignore[operator] # numbers of one field


def _least(known: object, value: object) -> object:
    return min([known, value])  # type: ignore[type-var] # values of one field


def _greatest(known: object, value: object) -> object:
    return max([known, value])  # type: ignore[type-var] # values of one field


_JOINED: Final = {
    Function.COUNT: _sum,
    Function.SUM: _sum,
    Function.MIN: _least,
    Function.MAX: _greatest,
}
