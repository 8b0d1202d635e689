"""
The algebra over rows at hand: what a source leaves over is run here, with the contract's meaning.

Pure functions from rows to rows. Knows no system and no principal.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from decimal import Decimal
from itertools import islice
from operator import itemgetter
from typing import TypeAlias

from contract.predicate import INVALID, TRUE, Predicate, Related, Truth, evaluator
from contract.read import Aggregate, ForEach, Function, Measure, Order, Rows

Picked: TypeAlias = tuple[object, ...]


def keep(rows: Rows, where: Predicate, related: Related | None = None) -> Rows:
    """Return the rows for which the predicate is true."""
    if where == TRUE:
        return rows
    test = evaluator(where, rows.fields, related)
    return Rows(rows.fields, [row for row in rows.rows if test(row)])


def truths(rows: Rows, predicate: Predicate, related: Related | None = None) -> list[Truth]:
    """Return the predicate's truth for each row, in the rows' order."""
    test = evaluator(predicate, rows.fields, related)
    return [test(row) for row in rows.rows]


def ordered(rows: Rows, order_by: tuple[Order, ...]) -> Rows:
    """Return the rows in order; rows that are equal stay as they came."""
    # Each pass keeps equal rows as they are, so the last field to sort by is sorted first.
    rest = list(rows.rows)
    for order in reversed(order_by):
        rest = _sorted(rest, rows.fields.index(order.field), order)
    return Rows(rows.fields, rest)


def limited(rows: Rows, limit: int | None, for_each: ForEach | None = None) -> Rows:
    """Return the first rows, of each key where there is `for_each`."""
    if limit is None:
        return rows
    if for_each is None:
        return rows if len(rows.rows) <= limit else Rows(rows.fields, rows.rows[:limit])
    if _is_within(rows, limit, for_each.fields):
        return rows
    return Rows(rows.fields, list(_first_of_each(rows, limit, for_each.fields)))


def together(answers: Sequence[Rows]) -> Rows:
    """Return the rows of several answers to one question, as old as the oldest copy among them."""
    copies = [answer.as_of for answer in answers if answer.as_of is not None]
    rows = [row for answer in answers for row in answer.rows]
    return Rows(answers[0].fields, rows, min(copies, default=None))


def project(rows: Rows, fields: tuple[str, ...]) -> Rows:
    """Return the rows with these fields alone."""
    if fields == rows.fields:
        return rows
    pick = picker(rows.fields, fields)
    return Rows(fields, [pick(row) for row in rows.rows], rows.as_of)


def aggregated(rows: Rows, aggregate: Aggregate) -> Rows:
    """
    Return the measures over the rows, which the aggregate's predicate has kept already, by group.

    Without groups there is one row, also over no rows; INVALID values are left out as nulls are.
    """
    pick = picker(rows.fields, aggregate.group_by)
    groups: dict[Picked, list[Picked]] = {} if aggregate.group_by else {(): []}
    for row in rows.rows:
        groups.setdefault(pick(row), []).append(row)
    names = (*aggregate.group_by, *(measure.name for measure in aggregate.measures))
    measures = [_measured(rows.fields, measure) for measure in aggregate.measures]
    return Rows(
        names,
        [(*key, *(measure(group) for measure in measures)) for key, group in groups.items()],
    )


def of_keys(rows: Rows, for_each: ForEach) -> Rows:
    """Return the rows whose key is one of the keys asked for."""
    pick = picker(rows.fields, for_each.fields)
    wanted = frozenset(for_each.keys)
    return Rows(rows.fields, [row for row in rows.rows if pick(row) in wanted])


def indexed(rows: Rows, fields: tuple[str, ...]) -> dict[Picked, list[Picked]]:
    """Return the rows by the values of these fields."""
    pick = picker(rows.fields, fields)
    index: dict[Picked, list[Picked]] = {}
    for row in rows.rows:
        index.setdefault(pick(row), []).append(row)
    return index


def picker(fields: tuple[str, ...], wanted: tuple[str, ...]) -> Callable[[Picked], Picked]:
    """Return a function that gives these fields of a row."""
    places = [fields.index(name) for name in wanted]
    if len(places) == 1:
        place = places[0]
        return lambda row: (row[place],)
    return itemgetter(*places) if places else lambda row: ()


def _sorted(rows: list[Picked], place: int, order: Order) -> list[Picked]:
    column = [row[place] for row in rows]
    known, missing = rows, list[Picked]()
    if None in column or INVALID in column:
        known = [row for row in rows if not _missing(row[place])]
        missing = [row for row in rows if _missing(row[place])]
    known.sort(key=itemgetter(place), reverse=order.descending)
    return [*missing, *known] if order.nulls_first else [*known, *missing]


def _missing(value: object) -> bool:
    return value is None or value is INVALID


def _is_within(rows: Rows, limit: int, fields: tuple[str, ...]) -> bool:
    """Return whether no key has more rows; quicker than taking the first of each."""
    counted = Counter(map(itemgetter(*map(rows.fields.index, fields)), rows.rows))
    return max(counted.values(), default=0) <= limit


def _first_of_each(rows: Rows, limit: int, fields: tuple[str, ...]) -> Iterable[Picked]:
    pick = picker(rows.fields, fields)
    seen: dict[Hashable, int] = {}
    for row in rows.rows:
        key = pick(row)
        seen[key] = seen.get(key, 0) + 1
        if seen[key] <= limit:
            yield row


def _measured(fields: tuple[str, ...], measure: Measure) -> Callable[[list[Picked]], object]:
    if measure.field is None:
        return len
    place = fields.index(measure.field)
    compute = _FUNCTIONS[measure.function]
    return lambda rows: compute([row[place] for row in rows if not _missing(row[place])])


def _sum(values: list[object]) -> object:
    numbers = [value for value in values if isinstance(value, int | Decimal)]
    return sum(islice(numbers, 1, None), numbers[0]) if numbers else None


def _least(values: list[object]) -> object:
    return min(values, default=None)  # type: ignore[type-var] # one field's values compare


def _greatest(values: list[object]) -> object:
    return max(values, default=None)  # type: ignore[type-var] # one field's values compare


_FUNCTIONS: dict[Function, Callable[[list[object]], object]] = {
    Function.COUNT: len,
    Function.COUNT_DISTINCT: lambda values: len(set(values)),
    Function.SUM: _sum,
    Function.MIN: _least,
    Function.MAX: _greatest,
}
