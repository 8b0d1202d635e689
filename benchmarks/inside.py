"""Our server without HTTP, in the process that measures: what one answer costs, no more."""

import gc
import os
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time
from typing import Any, Final, TypeAlias

import uvloop

from auth.principal import Principal
from benchmarks.stage import Disagreement, Stage, unlimited
from gateway.graph import Files, OpenGraph, open_graph

Variables: TypeAlias = Mapping[str, Any]

_GENERATIONS: Final = (50_000, 20, 100)


@dataclass(frozen=True, slots=True)
class Question:
    """One question in a township, with its variables; it is asked several times."""

    text: str
    variables: Variables
    township: str
    times: int = 5


@dataclass(frozen=True, slots=True)
class Cost:
    """The least of several answers: milliseconds of CPU and by the clock; and objects in it."""

    cpu: float
    clock: float
    objects: int


def costs(stage: Stage, departments: Path, questions: list[Question]) -> list[Cost]:
    """
    Ask the questions one after the other of a server with these mapping files.

    Raises: Disagreement for an answer with errors.
    """
    return uvloop.run(_costs(stage, departments, questions))


def objects_in(value: object) -> int:
    """Return how many objects an answer has, lists of them counted one by one."""
    if isinstance(value, dict):
        return 1 + sum(map(objects_in, value.values()))
    return sum(map(objects_in, value)) if isinstance(value, list) else 0


async def _costs(stage: Stage, departments: Path, questions: list[Question]) -> list[Cost]:
    files = Files(departments, unlimited(stage.directory / "policy.toml"))
    environment = {**os.environ, **stage.environment}
    async with aclosing(open_graph(files, environment, bytes(32))) as graph:
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_GENERATIONS)  # as the server does
        return [await _cost(graph, question) for question in questions]


async def _cost(graph: OpenGraph, question: Question) -> Cost:
    await _answered(graph, question)  # compiled, connected
    taken = []
    data = None
    for _ in range(question.times):
        used, begun = process_time(), perf_counter()
        data = await _answered(graph, question)
        taken.append((process_time() - used, perf_counter() - begun))
    cpu, clock = (1000 * min(each) for each in zip(*taken, strict=True))
    return Cost(cpu, clock, objects_in(data) - 1)


async def _answered(graph: OpenGraph, question: Question) -> Any:
    principal = Principal("clerk", ("township_clerk",), (question.township,))
    context = graph.context(principal, "benchmark")
    result = await graph.schema.execute(
        question.text, variable_values=dict(question.variables), context_value=context
    )
    if result.errors:
        raise Disagreement(f"this server answered: {result.errors[:3]}")
    return result.data
