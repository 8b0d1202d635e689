"""
One execution: its errors, arguments and infos, and what stands in columns besides values.

A failed value is a `Raised` until it is completed; a position that a required value beneath it
makes null is NULLED until somebody above it may be null.
"""

from asyncio import FIRST_EXCEPTION, Future, ensure_future, gather, isfuture, wait
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Sequence
from inspect import CORO_CREATED, getcoroutinestate, iscoroutine
from types import CoroutineType, GeneratorType
from typing import Any, Final

from graphql import FieldNode, GraphQLError, GraphQLResolveInfo
from graphql.error import located_error
from graphql.execution import Executor
from graphql.execution.values import get_argument_values

from execution.leaves import NOTHING, UNDEFINED, Column
from execution.plan import Completion, PlannedField
from execution.positions import Place, Positions, path_of_field


class Raised:
    """A value that could not be had."""

    __slots__ = ("error",)

    def __init__(self, error: Exception) -> None:
        self.error = error


class _Nulled:
    """What stands where a required value failed; there is one."""

    __slots__ = ()


NULLED: Final = _Nulled()


class Pending:
    """A column that is waited for: the work, of which parts, and what resolvers gave it."""

    __slots__ = ("parts", "waited", "work")

    def __init__(
        self,
        work: Coroutine[Any, Any, Column],
        waited: Sequence[Any] = (),
        parts: Sequence["Pending"] = (),
    ) -> None:
        self.work = work
        self.waited = waited
        self.parts = parts

    def close(self) -> None:
        """End the work where it has not begun, or has ended."""
        self.work.close()
        for part in self.parts:
            part.close()

    def drop(self) -> None:
        """End the work, and what it would have waited for, where these have not begun."""
        self.close()
        for value in self.left():
            if iscoroutine(value) and getcoroutinestate(value) == CORO_CREATED:
                value.close()

    def left(self) -> Iterator[Any]:
        """Yield all that resolvers gave."""
        yield from self.waited
        for part in self.parts:
            yield from part.left()


Answer = Column | Pending

NULL: Final = 1
FAILED: Final = 2
AWAITED: Final = 4
STREAMED: Final = 8
CALLED: Final = 16
_FEATURES: dict[type, int] = {}
_MOST_TYPES: Final = 20_000


def features_of(types: Iterable[type]) -> int:
    """Return what values of the types may need, as flags."""
    found = 0
    for each in types:
        known = _FEATURES.get(each)
        found |= _features(each) if known is None else known
    return found


def _features(each: type) -> int:
    found = NULL if each in (NOTHING, UNDEFINED) else 0
    if each is Raised or issubclass(each, Exception):
        found |= FAILED
    if issubclass(each, (CoroutineType, GeneratorType)) or hasattr(each, "__await__"):
        found |= AWAITED
    if hasattr(each, "__aiter__"):
        found |= STREAMED
    if any("__call__" in vars(base) for base in each.__mro__):
        found |= CALLED
    if len(_FEATURES) >= _MOST_TYPES:
        _FEATURES.clear()
    _FEATURES[each] = found
    return found


class Info:
    """graphql-core's info of one field and parent; what it has is made when it is read."""

    __slots__ = ("_field", "_index", "_positions", "_run")

    def __init__(self, run: "Run", field: PlannedField, positions: Positions, index: int) -> None:
        self._run = run
        self._field = field
        self._positions = positions
        self._index = index

    @property
    def path(self) -> Any:
        """Return where the field stands for this parent."""
        return self._positions.field_path(self._index)

    @property
    def context(self) -> Any:
        """Return what the request carries."""
        return self._run.executor.context_value

    def __getattr__(self, name: str) -> Any:
        """Return what is the same for all parents."""
        return getattr(self._run.shared_info(self._field), name)

    def _replace(self, **changes: Any) -> GraphQLResolveInfo[Any]:
        shared = self._run.shared_info(self._field)
        return shared._replace(**{"path": self.path, **changes})


class SetInfo(Info):
    """The info of a set resolver: its path names no list items; `at` is that of one parent."""

    __slots__ = ()

    @property
    def known(self) -> dict[Any, Any]:
        """Return a place for what follows from the field's selection, kept with the plan."""
        return self._field.known

    @property
    def asked(self) -> list[FieldNode]:
        """Return the nodes of the field, and of those beside it that ask the same."""
        return self._field.asked

    @property
    def are_more(self) -> bool:
        """Return whether others ask the same, so that one answer may serve all."""
        return self._field.are_more

    @property
    def are_fixed(self) -> bool:
        """Return whether what follows from the arguments may be kept there too."""
        return not self._field.varying

    @property
    def path(self) -> Any:
        """Return where the field stands in the operation."""
        return path_of_field(self._positions)

    def at(self, index: int) -> Info:
        """Return the info of one of the parents."""
        return Info(self._run, self._field, self._positions, index)


class Run:
    """
    What one execution shares.

    `by_type`: whether a value is awaited is told by its type; `is_sync`: nothing is.
    """

    __slots__ = (
        "_errors",
        "_infos",
        "by_type",
        "executor",
        "is_awaitable",
        "is_propagating",
        "is_sync",
        "nulled",
    )

    def __init__(self, executor: Executor[Any], *, by_type: bool, is_sync: bool) -> None:
        self.executor = executor
        self.is_awaitable: Callable[[Any], bool] = executor.is_awaitable
        self.by_type = by_type
        self.is_sync = is_sync
        self.is_propagating = executor.error_propagation
        self.nulled = 0
        self._errors: list[tuple[PlannedField, Positions, int, Exception]] = []
        self._infos: dict[PlannedField, GraphQLResolveInfo[Any]] = {}

    def fail(
        self,
        error: Exception,
        field: PlannedField,
        completion: Completion,
        place: tuple[Positions, int],
    ) -> _Nulled | None:
        """Note an error; return what stands at its place."""
        self._errors.append((field, *place, error))
        if completion.is_required and self.is_propagating:
            self.nulled += 1
            return NULLED
        return None

    def shared_info(self, field: PlannedField) -> GraphQLResolveInfo[Any]:
        """Return the info that is the same for all parents of the field, without a path."""
        info = self._infos.get(field)
        if info is None:
            path: Any = None
            info = self._infos[field] = self.executor.build_resolve_info(
                field.definition, field.nodes, field.parent_type, path
            )
        return info

    def info(self, field: PlannedField, positions: Positions, index: int) -> Info:
        """Return the info for one parent."""
        return Info(self, field, positions, index)

    def arguments(self, field: PlannedField) -> dict[str, Any]:
        """
        Return the field's arguments, the same for all parents.

        Raises: GraphQLError.
        """
        if not field.has_arguments:
            return {}
        detail, executor = field.details[0], self.executor
        return get_argument_values(
            field.definition,
            detail.node,
            executor.variable_values,
            detail.fragment_variable_values,
            executor.hide_suggestions,
        )

    def awaits(self, values: Column, features: int) -> bool:
        """Return whether some of the values have to be waited for."""
        if self.is_sync or (self.by_type and not features & AWAITED):
            return False
        return any(map(self.is_awaitable, values))

    def settle(self, values: Iterable[Any]) -> None:
        """Let what is not needed any more come to its end unseen."""
        left = [value for value in values if self.is_awaitable(value)]
        if left:
            self.executor.settle_in_background(left)

    @property
    def has_errors(self) -> bool:
        """Return whether something failed."""
        return bool(self._errors)

    def report(self) -> list[GraphQLError]:
        """Return the errors in the order of the response, one for each place that became null."""
        located = sorted(
            (positions.place(index), number)
            for number, (_, positions, index, _) in self._numbered()
        )
        nulled: set[Place] = set()
        found: list[GraphQLError] = []
        for _, number in located:
            field, positions, index, error = self._errors[number]
            place = positions.nulled(index) if self.is_propagating else positions.place(index)
            if not any(place[:length] in nulled for length in range(len(place) + 1)):
                nulled.add(place)
                path: Any = positions.path(index)
                found.append(located_error(error, field.nodes, path.as_list()))
        return found

    def _numbered(self) -> Iterable[tuple[int, tuple[PlannedField, Positions, int, Exception]]]:
        return enumerate(self._errors)


def is_error(value: object) -> bool:
    """Return whether a value stands for one that could not be had."""
    return isinstance(value, (Raised, Exception))


def error_of(value: Any) -> Exception:
    """Return why a value could not be had."""
    error: Exception = value.error if type(value) is Raised else value
    return error


def called(function: Callable[[Any], Any], values: Iterable[Any]) -> Column:
    """Return what the function gives for each value, Raised where it raises; once for each."""
    results: Column = []
    rest = iter(values)
    while True:
        try:
            results.extend(map(function, rest))  # keeps what came before an exception
        except Exception as error:  # noqa: BLE001 -- every resolver's error is its field's
            results.append(Raised(error))
        else:
            return results


def all_raised(error: Exception, count: int) -> Column:
    """Return a column in which every value failed in the same way."""
    return [Raised(error)] * count


def then(answer: Answer, finish: Callable[[Column], Column]) -> Answer:
    """Return what `finish` makes of the column, now or when it is there."""
    if type(answer) is Pending:
        return Pending(_then(answer, finish), parts=(answer,))
    return finish(answer)  # type: ignore[arg-type] # the union's other half


async def _then(pending: Pending, finish: Callable[[Column], Column]) -> Column:
    return finish(await pending.work)


async def there(answer: Answer) -> Column:
    """Return the column, waited for where necessary."""
    return await answer.work if type(answer) is Pending else answer  # type: ignore[return-value] # the union's other half


class FirstFailure(Exception):
    """Of values that fail together, the one that failed first."""

    def __init__(self, index: int, error: BaseException) -> None:
        self.index = index
        self.error = error if isinstance(error, Exception) else RuntimeError(str(error))
        super().__init__(index)


async def arrived(run: Run, values: Sequence[Any], *, together: bool = False) -> Column:
    """
    Return the values with everything awaited; Raised for what failed.

    Raises: FirstFailure, with the others cancelled, where they fail `together`.
    """
    column = list(values)
    indices = [index for index, value in enumerate(column) if run.is_awaitable(value)]
    if len(indices) == 1:
        column[indices[0]] = await _outcome(column[indices[0]])
        return column
    own: list[Future[Any]] = []
    futures = [_future(column[index], own) for index in indices]
    try:
        if together:
            await _unless_one_fails(indices, futures)
        for index, future in zip(indices, futures, strict=True):
            column[index] = await _outcome(future)
    except BaseException:
        for future in own:
            future.cancel()
        raise
    return column


def _future(value: Any, own: list[Future[Any]]) -> Future[Any]:
    if isfuture(value):
        return value
    future: Future[Any] = ensure_future(value)
    own.append(future)
    return future


async def _outcome(value: Awaitable[Any]) -> Any:
    try:
        return await value
    except Exception as error:  # noqa: BLE001 -- every resolver's error is its field's
        return Raised(error)


async def _unless_one_fails(indices: Sequence[int], futures: Sequence[Future[Any]]) -> None:
    done, waiting = await wait(set(futures), return_when=FIRST_EXCEPTION)
    if not waiting or not any(not each.cancelled() and each.exception() for each in done):
        return
    for each in waiting:
        each.cancel()
    await gather(*waiting, return_exceptions=True)
    for index, future in zip(indices, futures, strict=True):
        error = None if future.cancelled() else future.exception()
        if error is not None:
            raise FirstFailure(index, error)
