"""
What several systems answer, as one answer.

Rows of different parts are different rows, since each has one home. An ordered list is merged by
sorting runs that are sorted already; partial aggregates are added up.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from contract.errors import SourceFailure
from contract.read import Aggregate, Function, Read, Rows
from sources import rowset

ADDED: Final = frozenset({Function.COUNT, Function.SUM, Function.MIN, Function.MAX})
"""Functions whose partial results can be added up."""


def merged(read: Read, answers: Sequence[Rows], failures: tuple[SourceFailure, ...]) -> Rows:
    """Return the rows of all parts that answered, in order, cut to the limit."""
    everything = rowset.together(answers)
    rows = rowset.limited(rowset.ordered(everything, read.order_by), read.limit, read.for_each)
    kept = rowset.project(rows, read.fields)
    return Rows(kept.fields, kept.rows, everything.as_of, failures)


def added(aggregate: Aggregate, answers: Sequence[Rows]) -> Rows:
    """Return the groups of all parts, each measure added up."""
    width = len(aggregate.group_by)
    groups: dict[tuple[object, ...], list[tuple[object, ...]]] = {}
    for answer in answers:
        for row in answer.rows:
            groups.setdefault(row[:width], []).append(row[width:])
    names = (*aggregate.group_by, *(measure.name for measure in aggregate.measures))
    return Rows(names, [(*key, *_added(aggregate, parts)) for key, parts in groups.items()])


def _added(aggregate: Aggregate, parts: list[tuple[object, ...]]) -> Iterator[object]:
    for place, measure in enumerate(aggregate.measures):
        values = [part[place] for part in parts if part[place] is not None]
        match measure.function:
            case Function.MIN:
                yield min(values, default=None)  # type: ignore[type-var] # one field's values compare
            case Function.MAX:
                yield max(values, default=None)  # type: ignore[type-var] # one field's values compare
            case _:
                yield _sum(values) if values else None


def _sum(values: Sequence[object]) -> object:
    numbers = [value for value in values if isinstance(value, int | Decimal)]
    return sum(numbers[1:], numbers[0])
