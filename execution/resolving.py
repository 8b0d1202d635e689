"""
How the column of a field is got from its parents: four ways, the fastest that keeps the meaning.

typename   the name of the type, for every parent
attribute  one function over all parents
default    graphql-core's own default: an item of a mapping, an attribute, or what one gives
each       any resolver, called for each parent
together   a set resolver, called once with all parents
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from execution.arguments import bound
from execution.completing import completed
from execution.leaves import Column
from execution.plan import PlannedField
from execution.positions import OfField, Positions
from execution.run import (
    CALLED,
    Answer,
    Pending,
    Raised,
    Run,
    SetInfo,
    all_raised,
    called,
    features_of,
    there,
)


def typename(_: Run, field: PlannedField, objects: Column, __: Positions) -> Answer:
    """Return the name of the parents' type."""
    return [field.parent_name] * len(objects)


def attribute(run: Run, field: PlannedField, objects: Column, around: Positions) -> Answer:
    """Return what `call` gives for the whole column, or Raised for parents it fails for."""
    return _finished(run, field, field.call(objects), OfField(around, field))


def default(run: Run, field: PlannedField, objects: Column, around: Positions) -> Answer:
    """Return what graphql-core's default resolver gives."""
    positions = OfField(around, field)
    values = _items(field.name, objects)
    is_called = features_of(set(map(type, values))) & CALLED
    if is_called or field.has_arguments:
        try:
            arguments = run.arguments(field)
        except Exception as error:  # noqa: BLE001 -- wrong arguments are the field's error
            return _finished(run, field, all_raised(error, len(objects)), positions)
        if is_called:
            for index, value in enumerate(values):
                if callable(value):
                    info = run.info(field, positions, index)
                    values[index] = _tried(value, (info,), arguments)
    return _finished(run, field, values, positions)


def each(run: Run, field: PlannedField, objects: Column, around: Positions) -> Answer:
    """Return what the field's resolver gives for one parent after the other."""
    positions = OfField(around, field)
    resolve = field.call if field.call is not None else run.executor.field_resolver
    middleware = run.executor.middleware_manager
    if middleware is not None and middleware.middlewares:
        resolve = middleware.get_field_resolver(resolve)
    try:
        arguments = run.arguments(field)
    except Exception as error:  # noqa: BLE001 -- wrong arguments are the field's error
        return _finished(run, field, all_raised(error, len(objects)), positions)
    values = [
        _tried(resolve, (value, run.info(field, positions, index)), arguments)
        for index, value in enumerate(objects)
    ]
    return _finished(run, field, values, positions)


def together(run: Run, field: PlannedField, objects: Column, around: Positions) -> Answer:
    """Return what a set resolver gives for all parents: `call(parents, info, **arguments)`."""
    positions = OfField(around, field)
    info = SetInfo(run, field, positions, 0)
    try:
        values = field.call(objects, info, **bound(run, field))
    except Exception as error:  # noqa: BLE001 -- every resolver's error is its field's
        return _finished(run, field, all_raised(error, len(objects)), positions)
    if type(values) is not list and run.is_awaitable(values):
        return Pending(_when_there(run, field, values, len(objects), positions), [values])
    return _finished(run, field, _counted(field, values, len(objects)), positions)


def _finished(run: Run, field: PlannedField, values: Column, positions: Positions) -> Answer:
    return completed(run, field, field.completion, values, positions)


def _items(name: str, objects: Column) -> Column:
    if set(map(type, objects)) == {dict}:
        return [each.get(name) for each in objects]

    def item(value: Any) -> Any:
        return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)

    return called(item, objects)


def _tried(
    function: Callable[..., Any], given: tuple[Any, ...], arguments: Mapping[str, Any]
) -> Any:
    try:
        return function(*given, **arguments)
    except Exception as error:  # noqa: BLE001 -- every resolver's error is its field's
        return Raised(error)


async def _when_there(
    run: Run, field: PlannedField, values: Awaitable[Any], count: int, positions: Positions
) -> Column:
    try:
        column = _counted(field, await values, count)
    except Exception as error:  # noqa: BLE001 -- every resolver's error is its field's
        column = all_raised(error, count)
    return await there(_finished(run, field, column, positions))


def _counted(field: PlannedField, values: Any, count: int) -> Column:
    """Return the values of a set resolver, if there is one for each parent."""
    column = values if type(values) is list else list(values)
    if len(column) == count:
        return column
    where = f"{field.parent_name}.{field.name}"
    what = f"the set resolver of {where} gave {len(column)} values for {count} parents"
    return all_raised(TypeError(what), count)
