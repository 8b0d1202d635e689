"""The executor and graphql-core's own, over schemas, queries and values by chance."""

import asyncio
import gc
from typing import Any

import pytest
from graphql import ExecutionResult, default_field_resolver, execute

from execution.executor import BreadthFirstExecutor
from tests.execution.triples import Mode, Triple, awaited, triple

FAULTS = (0.0, 0.02, 0.08, 0.25)
SEEDS = {"sync": 250, "mixed": 125, "async": 125}
DEEP = {"sync": 10_000, "mixed": 5_000, "async": 5_000}
MODES: tuple[Mode, ...] = ("sync", "mixed", "async")
PARTS = 4
# graphql-core's executor drops coroutines that it has not awaited.
DROPPED = pytest.mark.filterwarnings(
    "ignore:coroutine:RuntimeWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


@DROPPED
@pytest.mark.parametrize("mode", MODES)
async def test_an_answer_is_that_of_graphql_core_with_errors_and_paths(mode: Mode) -> None:
    await _compare(mode, range(SEEDS[mode]))


@pytest.mark.parametrize("mode", MODES)
async def test_nothing_that_was_begun_is_left_behind(mode: Mode) -> None:
    for seed in range(100):
        made = triple(seed, mode, FAULTS[seed % len(FAULTS)])
        _let_some_fields_be_set_resolved(made, seed, mode)
        await _answer(made, BreadthFirstExecutor)


@DROPPED
@pytest.mark.deep
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("mode", MODES)
async def test_many_answers_are_those_of_graphql_core(mode: Mode, part: int) -> None:
    size = DEEP[mode] // PARTS
    await _compare(mode, range(1_000_000 + part * size, 1_000_000 + (part + 1) * size))


async def _compare(mode: Mode, seeds: range) -> None:
    with_errors = 0
    for seed in seeds:
        made = triple(seed, mode, FAULTS[seed % len(FAULTS)])
        stock = await _answer(made, None)
        _let_some_fields_be_set_resolved(made, seed, mode)
        own = await _answer(made, BreadthFirstExecutor)

        assert own.data == stock.data, (mode, seed, made.text)
        if mode == "sync":
            assert _told(own) == _told(stock), (mode, seed, made.text)
        else:
            # Of errors that compete for one place, which is first is a race in either executor.
            assert _nulls(own) == _nulls(stock), (mode, seed, made.text)
            paths = [tuple(error.path or ()) for error in own.errors or ()]
            assert len(set(paths)) == len(paths), (mode, seed, made.text)
        with_errors += bool(stock.errors)
    assert with_errors > len(seeds) * 0.1
    await asyncio.sleep(0)
    gc.collect()  # what was dropped is told here, and not in another test


async def _answer(made: Triple, executor: Any) -> ExecutionResult:
    answer = execute(
        made.schema,
        made.document,
        made.values(),
        variable_values=made.variables,
        executor_class=executor,
    )
    result: ExecutionResult = await awaited(answer)
    return result


def _let_some_fields_be_set_resolved(made: Triple, seed: int, mode: Mode) -> None:
    resolve = _all if mode == "sync" else _all_later
    for name, typed in made.schema.type_map.items():
        if name.startswith("__"):
            continue  # these are every schema's
        for number, field in enumerate(getattr(typed, "fields", {}).values()):
            if (number + seed) % 3 == 0 and hasattr(field, "resolve"):
                field.resolve_set = resolve


async def _all_later(parents: list[Any], info: Any, **arguments: Any) -> list[Any]:
    values = _all(parents, info, **arguments)
    for index, value in enumerate(values):
        try:
            values[index] = await awaited(value)
        except Exception as error:  # noqa: BLE001 -- a value that is an error is the field's
            values[index] = error
    return values


def _all(parents: list[Any], info: Any, **arguments: Any) -> list[Any]:
    values: list[Any] = []
    for index, parent in enumerate(parents):
        try:
            values.append(default_field_resolver(parent, info.at(index), **arguments))
        except Exception as error:  # noqa: BLE001 -- a value that is an error is the field's
            values.append(error)
    return values


def _told(result: ExecutionResult) -> list[Any]:
    return [
        (error.message, tuple(error.path or ()), tuple(error.locations or ()))
        for error in result.errors or ()
    ]


def _nulls(result: ExecutionResult) -> set[Any]:
    """Return the places that are null because of an error."""
    found = set()
    for error in result.errors or ():
        value, passed = result.data, []
        for step in error.path or ():
            if value is None:
                break
            value = value[step]  # type: ignore[index] # a path through the answer
            passed.append(step)
        assert value is None, error
        found.add(tuple(passed))
    return found
