"""Lists that arrive item by item: graphql-core's own executor completes them."""

from asyncio import gather
from collections.abc import Callable
from typing import Any

from execution.leaves import Column
from execution.objects import put
from execution.plan import Completion, PlannedField
from execution.positions import Among, Positions
from execution.run import Answer, Pending, Run, there

Complete = Callable[[Run, PlannedField, Completion, Column, Positions], Answer]


def completed_streams(
    run: Run,
    field: PlannedField,
    completion: Completion,
    values: Column,
    around: tuple[Positions, Complete],
) -> Pending:
    """Complete values some of which are async iterables; the others by what is `around`."""
    positions, complete = around
    streams = [index for index, value in enumerate(values) if run.executor.is_async_iterable(value)]
    others = [index for index in range(len(values)) if index not in set(streams)]

    async def finished() -> Column:
        rest = [values[index] for index in others]
        answer = complete(run, field, completion, rest, Among(positions, others)) if rest else []
        found = await gather(
            there(answer),
            *(_streamed(run, field, completion, values[i], (positions, i)) for i in streams),
        )
        column = put([None] * len(values), others, found[0])
        return put(column, streams, found[1:])

    return Pending(finished())


async def _streamed(
    run: Run,
    field: PlannedField,
    completion: Completion,
    value: Any,
    place: tuple[Positions, int],
) -> Any:
    positions, index = place
    executor: Any = run.executor
    info = run.info(field, positions, index)
    try:
        answer = executor.complete_value(
            completion.whole, field.details, info, positions.path(index), value, None
        )
        return await answer if run.is_awaitable(answer) else answer
    except Exception as error:  # noqa: BLE001 -- a stream's error is its field's
        return run.fail(error, field, completion, place)
