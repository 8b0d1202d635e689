"""Rounds of load on one server after the other, and what comes out of them."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median, quantiles

from benchmarks.load import LoadFailed, Measured, Shot, Until, load
from benchmarks.stage import Ready


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured: connections at once, seconds of each load, rounds."""

    clients: int
    seconds: float
    rounds: int
    warm_seconds: float = 1.0


@dataclass(frozen=True, slots=True)
class Figure:
    """What one load gave: milliseconds, CPU of the server, share of its core of the generator."""

    requests_per_second: float
    cpu_ms: float
    p50_ms: float
    p99_ms: float
    rss_mb: float
    generator_share: float


Rounds = Mapping[tuple[str, str], Sequence[Figure]]
"""The figures of every round, by question and server."""


def measured(
    servers: Sequence[Ready], questions: Sequence[str], plan: Plan, say: Callable[[str], None]
) -> Rounds:
    """
    Ask each question of each server in turn, again and again; the order turns round each time.

    Raises: LoadFailed, also where one answer of all was not the right one.
    """
    found: dict[tuple[str, str], list[Figure]] = {}
    for number in range(plan.rounds):
        for question in questions:
            for server in servers if number % 2 == 0 else reversed(servers):
                figure = once(server, question, plan, seed=number)
                found.setdefault((question, server.server.name), []).append(figure)
                say(f"round {number + 1} {question} {server.server.name}: {line(figure)}")
    return found


def once(server: Ready, question: str, plan: Plan, seed: int) -> Figure:
    """
    Measure one load of one question.

    Raises: LoadFailed.
    """
    return loaded(server, server.of(question), plan, seed)


def loaded(server: Ready, shots: Sequence[Shot], plan: Plan, seed: int = 1) -> Figure:
    """
    Measure one load, after warming up.

    Raises: LoadFailed.
    """
    address = server.server.address
    if plan.warm_seconds:
        load(address, shots, plan.clients, Until(plan.warm_seconds), seed)
    before = server.server.cpu_seconds()
    result = load(address, shots, plan.clients, Until(plan.seconds), seed)
    used = server.server.cpu_seconds() - before
    _refuse_wrong(server, result)
    return _figure(result, used, server.server.megabytes())


def mixed(servers: Sequence[Ready], clients: int, until: Until) -> dict[str, int]:
    """
    Ask everything of everybody at once, a chance mix of scopes; return how often each was right.

    Raises: LoadFailed where one answer was not the right one.
    """
    right = {}
    for server in servers:
        result = load(server.server.address, list(server.shots.values()), clients, until)
        _refuse_wrong(server, result)
        right[server.server.name] = len(result.times)
    return right


def summary(rounds: Rounds) -> dict[str, dict[str, dict[str, float]]]:
    """Return medians by question and server, with the spread of requests and CPU over rounds."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for (question, name), figures in rounds.items():
        every = [asdict(figure) for figure in figures]
        medians = {key: median(each[key] for each in every) for key in every[0]}
        spread = {
            f"{key}_spread": _spread([each[key] for each in every])
            for key in ("requests_per_second", "cpu_ms")
        }
        shown = {key: round(value, 4) for key, value in {**medians, **spread}.items()}
        found.setdefault(question.lower(), {})[name] = shown
    return found


def ratios(rounds: Rounds, one: str, other: str) -> dict[str, dict[str, float]]:
    """Return by question how one server compares with another, round by round: the medians."""
    return {
        question.lower(): dict(_compared(rounds[question, one], rounds[question, other]))
        for question in dict.fromkeys(question for question, _ in rounds)
    }


def _compared(one: Sequence[Figure], other: Sequence[Figure]) -> Iterator[tuple[str, float]]:
    for key in ("requests_per_second", "cpu_ms"):
        each = [getattr(a, key) / getattr(b, key) for a, b in zip(one, other, strict=True)]
        yield key, round(median(each), 4)
        yield f"{key}_spread", round(_spread(each), 4)


def _spread(values: Sequence[float]) -> float:
    """Return how far values lie apart, as a share of their median."""
    return (max(values) - min(values)) / median(values)


def _refuse_wrong(server: Ready, result: Measured) -> None:
    if result.wrong:
        asked = len(result.times)
        raise LoadFailed(f"{server.server.name}: {result.wrong} of {asked} answers were not right")


def _figure(result: Measured, used: float, megabytes: float) -> Figure:
    times = sorted(result.times)
    hundredths = quantiles(times, n=100) if len(times) > 1 else times * 99
    return Figure(
        len(times) / result.seconds,
        used / len(times) * 1000,
        hundredths[49] * 1000,
        hundredths[98] * 1000,
        megabytes,
        result.busy,
    )


def line(figure: Figure) -> str:
    """Return a figure in one line."""
    return (
        f"{figure.requests_per_second:,.0f}/s, {figure.cpu_ms:.2f} ms CPU,"
        f" p50 {figure.p50_ms:.0f} ms, p99 {figure.p99_ms:.0f} ms"
    )


def pin_generator(core: int | None) -> None:
    """Keep this process, and what it starts from now on, on a core of its own."""
    if core is not None:
        os.sched_setaffinity(0, {core})
