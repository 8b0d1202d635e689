"""
What several systems answer, as one answer.

Rows of different parts are different rows, since each has one home. An ordered list is merged by
sorting runs that are sorted already; partial aggregates are added up, column by column.
"""

from collections.abc import Callable, Sequence
from operator import add
from typing import Any, Final, TypeAlias

from contract.errors import SourceFailure
from contract.read import Aggregate, Function, Read, Rows
from sources import rowset

ADDED: Final = frozenset({Function.COUNT, Function.SUM, Function.MIN, Function.MAX})
"""Functions whose partial results can be added up."""

Row: TypeAlias = tuple[object, ...]
Column: TypeAlias = Sequence[object]


def merged(read: Read, answers: Sequence[Rows], failures: tuple[SourceFailure, ...]) -> Rows:
    """Return the rows of all parts that answered, in order, cut to the limit."""
    everything = rowset.together(answers)
    rows = rowset.limited(rowset.ordered(everything, read.order_by), read.limit, read.for_each)
    kept = rowset.project(rows, read.fields)
    return Rows(kept.fields, kept.rows, everything.as_of, failures)


def added(aggregate: Aggregate, answers: Sequence[Rows]) -> Rows:
    """Return the groups of all parts, each measure added up."""
    width, measures = len(aggregate.group_by), aggregate.measures
    names = (*aggregate.group_by, *(measure.name for measure in measures))
    rows = [row for answer in answers for row in answer.rows]
    measured = [[row[place] for row in rows] for place in range(width, len(names))]
    functions = [measure.function for measure in measures]
    return Rows(names, grouped([row[:width] for row in rows], functions, measured))


def grouped(
    keys: Sequence[Row], functions: Sequence[Function], measured: Sequence[Column]
) -> list[Row]:
    """
    Return one row for each key: the key, then its measures put together.

    Shape:  keys (n), a column (n) for each function -> rows (m), in the order in which keys come.
    """
    if len(set(keys)) == len(keys):
        return list(map(add, keys, zip(*measured, strict=True)))
    found: dict[Row, list[int]] = {}
    for place, key in enumerate(keys):
        found.setdefault(key, []).append(place)
    runs = list(found.values())
    columns = [
        joined(function, column, runs) for function, column in zip(functions, measured, strict=True)
    ]
    return list(map(add, found, zip(*columns, strict=True)))


def joined(function: Function, column: Column, runs: Sequence[Sequence[int]]) -> list[object]:
    """
    Return a measure of groups, put together from that of their parts; null where none has one.

    Shape:  measures of parts (n), the places of each group's parts (m) -> measures (m).
    """
    if len(runs) == len(column) and all(runs):
        return [column[run[0]] for run in runs]
    join = _JOINS.get(function, _sum)
    known = ([column[place] for place in run if column[place] is not None] for run in runs)
    return [join(parts) if parts else None for parts in known]


def _sum(parts: list[Any]) -> Any:
    return sum(parts[1:], parts[0])


_JOINS: Final[dict[Function, Callable[[list[Any]], Any]]] = {
    Function.MIN: min,
    Function.MAX: max,
}
