"""Completion of objects: their type is found and checked, then their selection is resolved."""

from asyncio import gather
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from graphql import GraphQLError, GraphQLObjectType
from graphql.pyutils import inspect

from execution.leaves import Column
from execution.plan import Completion, Kind, PlannedField, Selection
from execution.positions import Among, Positions
from execution.run import NULLED, Answer, Pending, Raised, Run, arrived, then, there
from execution.selecting import selected


class Objects:
    """Values of one field that are to become objects, none of them null, and where they stand."""

    __slots__ = ("completion", "field", "positions", "run", "values")

    def __init__(
        self,
        run: Run,
        field: PlannedField,
        completion: Completion,
        values: Column,
        positions: Positions,
    ) -> None:
        self.run = run
        self.field = field
        self.completion = completion
        self.values = values
        self.positions = positions

    def among(self, chosen: Sequence[int]) -> "Objects":
        """Return some of them."""
        if len(chosen) == len(self.values):
            return self
        values = [self.values[index] for index in chosen]
        positions = Among(self.positions, chosen)
        return Objects(self.run, self.field, self.completion, values, positions)

    def fail(self, error: Exception, index: int) -> Any:
        """Note an error at one of them; return what stands there."""
        return self.run.fail(error, self.field, self.completion, (self.positions, index))

    def each(self, function: Callable[..., Any], *more: Any) -> Column:
        """Return what the function gives for each value and its info, Raised where it raises."""
        column: Column = []
        for index, value in enumerate(self.values):
            info = self.run.info(self.field, self.positions, index)
            try:
                column.append(function(value, info, *more))
            except Exception as error:  # noqa: BLE001 -- its error is the field's
                column.append(Raised(error))
        return column


def completed_objects(
    run: Run, field: PlannedField, completion: Completion, values: Column, positions: Positions
) -> Answer:
    """
    Return the response's objects; none of the values is null.

    Shape:  values (n) -> objects of the response (n), same order.
    """
    objects = Objects(run, field, completion, values, positions)
    if completion.kind is Kind.OBJECT:
        return _checked(objects, completion.type)
    resolve_type = completion.type.resolve_type or run.executor.type_resolver
    return _known(objects, objects.each(resolve_type, completion.type), _by_type)


def _known(objects: Objects, told: Column, finish: Callable[[Objects, Column], Answer]) -> Answer:
    """Return the answer that follows from what was told of each object, awaited where need be."""
    run = objects.run
    if not run.is_sync and any(map(run.is_awaitable, told)):
        return Pending(_known_later(objects, told, finish), told)
    return finish(objects, told)


async def _known_later(
    objects: Objects, told: Column, finish: Callable[[Objects, Column], Answer]
) -> Column:
    return await there(finish(objects, await arrived(objects.run, told)))


def _by_type(objects: Objects, names: Column) -> Answer:
    column: Column = [None] * len(names)
    found: dict[GraphQLObjectType, list[int]] = {}
    known: dict[str, GraphQLObjectType] = {}
    for index, name in enumerate(names):
        try:
            runtime = _runtime_type(objects, known, name, index)
        except Exception as error:  # noqa: BLE001 -- a type resolver's error is its field's
            column[index] = objects.fail(error, index)
        else:
            found.setdefault(runtime, []).append(index)
    answers = [
        (chosen, _checked(objects.among(chosen), runtime)) for runtime, chosen in found.items()
    ]
    return gathered(column, answers)


def _runtime_type(
    objects: Objects, known: dict[str, GraphQLObjectType], name: Any, index: int
) -> GraphQLObjectType:
    if type(name) is Raised:
        raise name.error
    runtime = known.get(name) if type(name) is str else None
    if runtime is not None:
        return runtime
    run, field = objects.run, objects.field
    info, value = run.shared_info(field), objects.values[index]
    runtime = run.executor.ensure_valid_runtime_type(
        name, objects.completion.type, field.details, info, value
    )
    if type(name) is str:
        known[name] = runtime
    return runtime


def gathered(column: Column, answers: Sequence[tuple[list[int], Answer]]) -> Answer:
    """Return the column with each answer's values at its places."""
    later: list[tuple[list[int], Pending]] = []
    for chosen, answer in answers:
        if type(answer) is Pending:
            later.append((chosen, answer))
        else:
            put(column, chosen, answer)  # type: ignore[arg-type] # the union's other half
    if not later:
        return column
    return Pending(_gathered_later(column, later), parts=[pending for _, pending in later])


async def _gathered_later(column: Column, later: Sequence[tuple[list[int], Pending]]) -> Column:
    if len(later) == 1:
        ((chosen, pending),) = later
        return put(column, chosen, await pending.work)  # without a task
    try:
        done = await gather(*(pending.work for _, pending in later))
    finally:
        for _, pending in later:
            pending.drop()  # what was cancelled at once has begun nothing
    for (chosen, _), values in zip(later, done, strict=True):
        put(column, chosen, values)
    return column


def put(column: Column, chosen: Sequence[int], values: Column) -> Column:
    """Return the column with the values at the chosen places."""
    for index, value in zip(chosen, values, strict=True):
        column[index] = value
    return column


def _checked(objects: Objects, runtime: GraphQLObjectType) -> Answer:
    """Complete objects of one type, those that say that they are not of it left out."""
    check = runtime.is_type_of
    if check is None:
        return _resolved(objects, runtime)
    of_all = getattr(check, "of_all", None)
    if of_all is not None and of_all(objects.values):
        return _resolved(objects, runtime)
    return _known(objects, objects.each(check), partial(_confirmed, runtime))


def _confirmed(runtime: GraphQLObjectType, objects: Objects, told: Column) -> Answer:
    column: Column = [None] * len(told)
    chosen: list[int] = []
    for index, answer in enumerate(told):
        if type(answer) is Raised:
            column[index] = objects.fail(answer.error, index)
        elif answer:
            chosen.append(index)
        else:
            value = inspect(objects.values[index])
            what = f"Expected value of type '{runtime}' but got: {value}."
            column[index] = objects.fail(GraphQLError(what, objects.field.nodes), index)
    if not chosen:
        return column
    return gathered(column, [(chosen, _resolved(objects.among(chosen), runtime))])


def _resolved(objects: Objects, runtime: GraphQLObjectType) -> Answer:
    run = objects.run
    try:
        selection = _selection(objects, runtime)
        answer = selected(run, selection, objects.values, objects.positions)
    except (GraphQLError, RecursionError) as error:
        return [objects.fail(error, index) for index in range(len(objects.values))]
    if objects.completion.is_required and run.is_propagating:
        return answer
    return then(answer, partial(_settled, run))


def _selection(objects: Objects, runtime: GraphQLObjectType) -> Selection:
    selections = objects.completion.selections
    if runtime not in selections:
        executor: Any = objects.run.executor
        selections[runtime] = executor.planned_beneath(runtime, objects.field)
    return selections[runtime]


def _settled(run: Run, column: Column) -> Column:
    """Return the column with null where something required beneath failed."""
    if not run.nulled:
        return column
    return [None if value is NULLED else value for value in column]
