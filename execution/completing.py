"""Completion: from a column of values to what the response has of them, level by level."""

from collections.abc import Sequence
from functools import partial
from itertools import chain, islice
from typing import Any

from graphql import GraphQLError
from graphql.execution.executor import collect_iterator_awaitables
from graphql.pyutils import Undefined, inspect, is_iterable

from execution.leaves import UNDEFINED, Column
from execution.objects import completed_objects, gathered
from execution.plan import Completion, Kind, PlannedField
from execution.positions import Among, OfItems, Positions
from execution.run import (
    AWAITED,
    FAILED,
    NULL,
    NULLED,
    STREAMED,
    Answer,
    FirstFailure,
    Pending,
    Raised,
    Run,
    arrived,
    error_of,
    features_of,
    is_error,
    then,
    there,
)
from execution.streaming import completed_streams

_LISTS = frozenset({list, tuple})


def completed(
    run: Run, field: PlannedField, completion: Completion, values: Column, positions: Positions
) -> Answer:
    """
    Return what the response has at the places of the values.

    Shape:  values (n) -> values of the response (n), same order.
    """
    types = set(map(type, values))
    features = features_of(types)
    if (features & AWAITED or not run.by_type) and run.awaits(values, features):
        return _when_arrived(run, field, completion, values, positions)
    if completion.kind is Kind.LEAF:
        if not features & FAILED and (
            not features & NULL or not (completion.is_required or UNDEFINED in types)
        ):
            column = completion.bulk(values, types)
            if column is not None:
                return column
        return [
            _leaf(run, field, completion, value, (positions, index))
            for index, value in enumerate(values)
        ]
    if completion.kind is Kind.LIST and not types <= _LISTS:
        return _mixed_lists(run, field, completion, values, positions)
    if features & (NULL | FAILED):
        return _those_there(run, field, completion, values, positions)
    return _composite(run, field, completion, values, positions)


def _composite(
    run: Run, field: PlannedField, completion: Completion, values: Column, positions: Positions
) -> Answer:
    if not values:
        return []
    if completion.kind is Kind.LIST:
        return _lists(run, field, completion, values, positions)
    return completed_objects(run, field, completion, values, positions)


def _those_there(
    run: Run, field: PlannedField, completion: Completion, values: Column, positions: Positions
) -> Answer:
    """Complete the values that are neither null nor failed."""
    column: Column = [None] * len(values)
    chosen: list[int] = []
    for index, value in enumerate(values):
        if value is None or value is Undefined:
            if completion.is_required:
                column[index] = run.fail(null_error(field), field, completion, (positions, index))
        elif is_error(value):
            column[index] = run.fail(error_of(value), field, completion, (positions, index))
        else:
            chosen.append(index)
    if not chosen:
        return column
    among = [values[index] for index in chosen]
    answer = _composite(run, field, completion, among, Among(positions, chosen))
    return gathered(column, [(chosen, answer)])


def null_error(field: PlannedField) -> TypeError:
    """Return the error of a required value that is null."""
    where = f"{field.parent_type}.{field.name}"
    return TypeError(f"Cannot return null for non-nullable field {where}.")


def _leaf(
    run: Run,
    field: PlannedField,
    completion: Completion,
    value: Any,
    place: tuple[Positions, int],
) -> object:
    if value is None or value is Undefined:
        missing = null_error(field) if completion.is_required else None
        return missing and run.fail(missing, field, completion, place)
    if is_error(value):
        return run.fail(error_of(value), field, completion, place)
    try:
        coerced = completion.type.coerce_output_value(value)
    except Exception as error:  # noqa: BLE001 -- a scalar's error is its field's
        return run.fail(error, field, completion, place)
    if coerced is None or coerced is Undefined:
        called = f"{inspect(completion.type)}.coerce_output_value({inspect(value)})"
        what = f"Expected `{called}` to return non-nullable value, returned: {inspect(coerced)}"
        return run.fail(TypeError(what), field, completion, place)
    return coerced


def _when_arrived(
    run: Run, field: PlannedField, completion: Completion, values: Column, positions: Positions
) -> Answer:
    is_one_list = type(positions) is OfItems and len(positions.lengths) == 1
    together = completion.is_required and run.is_propagating and is_one_list
    if together:
        # One item that is null makes the only list null: the others need not be waited for.
        for index, value in enumerate(values):
            if value is None or value is Undefined or is_error(value):
                run.settle(values)
                error = error_of(value) if is_error(value) else null_error(field)
                return _only(run, field, completion, (positions, index, error), len(values))
    work = _completed_later(run, field, completion, values, positions, together=together)
    return Pending(work, values)


def _only(
    run: Run,
    field: PlannedField,
    completion: Completion,
    failed: tuple[Positions, int, Exception],
    count: int,
) -> Column:
    positions, index, error = failed
    column: Column = [None] * count
    column[index] = run.fail(error, field, completion, (positions, index))
    return column


async def _completed_later(  # noqa: PLR0913 -- what `completed` gets, and how to wait
    run: Run,
    field: PlannedField,
    completion: Completion,
    values: Column,
    positions: Positions,
    *,
    together: bool,
) -> Column:
    try:
        column = await arrived(run, values, together=together)
    except FirstFailure as first:
        failed = (positions, first.index, first.error)
        return _only(run, field, completion, failed, len(values))
    return await there(completed(run, field, completion, column, positions))


def _mixed_lists(
    run: Run, field: PlannedField, completion: Completion, values: Column, positions: Positions
) -> Answer:
    """Complete values of a list type that are not all lists."""
    streams = run.executor.is_async_iterable
    if (
        not run.is_sync
        and features_of(set(map(type, values))) & STREAMED
        and any(map(streams, values))
    ):
        return completed_streams(run, field, completion, values, (positions, completed))
    lists = [_listed(run, field, value) for value in values]
    return _those_there(run, field, completion, lists, positions)


def _listed(run: Run, field: PlannedField, value: Any) -> Any:
    if value is None or value is Undefined or is_error(value) or type(value) in _LISTS:
        return value
    if not is_iterable(value):
        where = f"{field.parent_type}.{field.name}"
        return GraphQLError(f"Expected Iterable, but did not find one for field '{where}'.")
    items: list[Any] = []
    iterator: Any = None
    try:
        iterator = iter(value)
        items.extend(iterator)
    except Exception as error:  # noqa: BLE001 -- an iterator's error is its field's
        awaitable = run.is_awaitable
        run.settle(items)
        run.settle(collect_iterator_awaitables(iterator, awaitable) if iterator else ())
        return Raised(error)
    return items


def _lists(
    run: Run, field: PlannedField, completion: Completion, values: Column, positions: Positions
) -> Answer:
    lengths = list(map(len, values))
    items = list(chain.from_iterable(values))
    inner: Any = completion.item
    around = OfItems(positions, lengths, is_required=inner.is_required and run.is_propagating)
    answer = completed(run, field, inner, items, around) if items else []
    return then(answer, partial(_divided, run, completion, lengths))


def _divided(run: Run, completion: Completion, lengths: Sequence[int], items: Column) -> Column:
    """Return the completed items in their lists again."""
    rest = iter(items)
    lists: Column = [items] if len(lengths) == 1 else [list(islice(rest, n)) for n in lengths]
    inner: Any = completion.item
    if run.nulled and inner.is_required:
        instead = NULLED if completion.is_required else None
        for index, each in enumerate(lists):
            if any(item is NULLED for item in each):
                lists[index] = instead
    return lists
