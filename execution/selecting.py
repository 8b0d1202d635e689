"""Selections: the columns of all fields for all objects, and the objects of the response."""

from asyncio import FIRST_COMPLETED, Task, create_task, gather, wait
from collections.abc import Iterator, Sequence
from typing import Any

from execution.leaves import Column
from execution.plan import PlannedField, Selection
from execution.positions import Positions
from execution.run import NULLED, Answer, Pending, Run


def selected(run: Run, selection: Selection, objects: Column, positions: Positions) -> Answer:
    """
    Return the response's object for each of the objects; NULLED where a required field failed.

    Shape:  objects (n) -> objects (n), same order. Fields that are waited for run side by side.
    """
    columns = [field.resolve(run, field, objects, positions) for field in selection.fields]
    pending = [number for number, column in enumerate(columns) if type(column) is Pending]
    if not pending:
        return built(run, selection, columns, len(objects))
    if run.nulled and _are_nulled(selection, columns, len(objects)):
        for number in pending:
            _abandon(run, columns[number])
        return [NULLED] * len(objects)
    parts = [columns[number] for number in pending]
    return Pending(_awaited(run, selection, columns, len(objects)), parts=parts)


def serially(run: Run, selection: Selection, root: object, positions: Positions) -> Answer:
    """Return the response's one object, each field begun when the one before has ended."""
    columns: list[Column] = []
    fields = iter(selection.fields)
    for field in fields:
        column = field.resolve(run, field, [root], positions)
        if type(column) is Pending:
            rest = _Rest(selection, root, positions, columns, fields)
            return Pending(_serially(run, rest, column), parts=(column,))
        columns.append(column)
        if column[0] is NULLED:
            return [NULLED]
    return built(run, selection, columns, 1)


def built(run: Run, selection: Selection, columns: Sequence[Column], count: int) -> Column:
    """Return the objects of the columns."""
    if not columns:
        return [{} for _ in range(count)]
    rows = selection.build(*columns)
    if run.nulled:
        for number in selection.required:
            for index, value in enumerate(columns[number]):
                if value is NULLED:
                    rows[index] = NULLED
    return rows


class _Rest:
    """What is left of a selection whose fields are begun one after the other."""

    __slots__ = ("columns", "fields", "positions", "root", "selection")

    def __init__(
        self,
        selection: Selection,
        root: object,
        positions: Positions,
        columns: list[Column],
        fields: Iterator[PlannedField],
    ) -> None:
        self.selection = selection
        self.root = root
        self.positions = positions
        self.columns = columns
        self.fields = fields


async def _serially(run: Run, rest: _Rest, pending: Pending) -> Column:
    column = await pending.work
    rest.columns.append(column)
    if column[0] is NULLED:
        return [NULLED]
    for field in rest.fields:
        answer: Any = field.resolve(run, field, [rest.root], rest.positions)
        column = await answer.work if type(answer) is Pending else answer
        rest.columns.append(column)
        if column[0] is NULLED:
            return [NULLED]
    return built(run, rest.selection, rest.columns, 1)


async def _awaited(run: Run, selection: Selection, columns: list[Any], count: int) -> Column:
    pending = [number for number, column in enumerate(columns) if type(column) is Pending]
    if len(pending) == 1 or not any(selection.fields[n].is_required for n in pending):
        await _all_there(columns, pending)
        return built(run, selection, columns, count)
    parts = [columns[number] for number in pending]
    tasks = {create_task(columns[number].work): number for number in pending}
    waiting: set[Task[Column]] = set(tasks)
    try:
        while waiting:
            done, waiting = await wait(waiting, return_when=FIRST_COMPLETED)
            for task in done:
                columns[tasks[task]] = task.result()
            if waiting and run.nulled and _are_nulled(selection, columns, count):
                return [NULLED] * count  # nobody will see what the others bring
    finally:
        if waiting:
            for task in waiting:
                task.cancel()
            await gather(*waiting, return_exceptions=True)
            for part in parts:
                part.drop()  # a task that was cancelled at once has begun nothing
    return built(run, selection, columns, count)


async def _all_there(columns: list[Any], pending: Sequence[int]) -> None:
    """Wait for columns none of which makes another worthless; the first needs no task."""
    first, *others = (columns[number] for number in pending)
    tasks = [create_task(other.work) for other in others]
    try:
        columns[pending[0]] = await first.work
        for number, task in zip(pending[1:], tasks, strict=True):
            columns[number] = await task
    except BaseException:
        for task in tasks:
            task.cancel()
        await gather(*tasks, return_exceptions=True)
        for other in others:
            other.drop()  # a task that was cancelled at once has begun nothing
        raise


def _are_nulled(selection: Selection, columns: Sequence[Any], count: int) -> bool:
    found: set[int] = set()
    for number in selection.required:
        column = columns[number]
        if type(column) is list:
            found.update(index for index, value in enumerate(column) if value is NULLED)
    return len(found) == count


def _abandon(run: Run, pending: Pending) -> None:
    pending.close()
    run.settle(pending.left())
