import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime

import pytest

from contract.errors import SourceFailure, SourceRefused, SourceTimeout, SourceUnavailable
from contract.read import Aggregate, Function, Measure, Read, Rows
from contract.source import Capabilities
from sources.breaker import Circuit
from sources.declaration import Budget
from sources.guard import Guard

READ = Read("Resident", ("name",))
Answer = Callable[[], Awaitable[Rows]]


class Answering:
    """A system that answers as it is told to."""

    name = "population"
    title = "人口"

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.entities: Mapping[str, Capabilities] = {"Resident": Capabilities()}

    async def read(self, read: Read) -> Rows:
        return await self._answer()

    async def aggregate(self, aggregate: Aggregate) -> Rows:
        return await self._answer()


async def two_rows() -> Rows:
    return Rows(("name",), [("甲",), ("乙",)])


async def never() -> Rows:
    await asyncio.Event().wait()
    raise AssertionError


async def broken() -> Rows:
    raise ConnectionResetError


async def refused() -> Rows:
    raise SourceRefused("population", "人口", "not JSON")


async def test_a_source_within_its_budget_answers_as_it_is() -> None:
    guard = Guard(Answering(two_rows), Budget())

    rows = await guard.read(READ)
    counted = await guard.aggregate(Aggregate("Resident", (Measure("n", Function.COUNT),)))

    assert rows == counted == await two_rows()
    assert (guard.name, guard.title, guard.health.state) == ("population", "人口", "OK")


@pytest.mark.parametrize(
    ("answer", "kind", "state"),
    [
        (never, SourceTimeout, "TIMEOUT"),
        (broken, SourceUnavailable, "UNAVAILABLE"),
        (refused, SourceRefused, "REFUSED"),
    ],
)
async def test_a_source_that_fails_is_named_and_remembered(
    answer: Answer, kind: type[SourceFailure], state: str
) -> None:
    guard = Guard(Answering(answer), Budget(seconds=0.01))

    with pytest.raises(kind) as caught:
        await guard.read(READ)

    assert caught.value.source == "population"
    assert (guard.health.state, guard.health.is_well) == (state, False)


async def test_more_rows_than_the_budget_are_refused() -> None:
    guard = Guard(Answering(two_rows), Budget(rows=1))

    with pytest.raises(SourceRefused):
        await guard.read(READ)


async def test_waiting_for_a_place_counts_against_the_budget() -> None:
    guard = Guard(Answering(never), Budget(seconds=0.01, concurrency=1))

    outcomes = await asyncio.gather(guard.read(READ), guard.read(READ), return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [SourceTimeout, SourceTimeout]


async def test_a_source_that_answers_again_is_well_again() -> None:
    guard = Guard(Answering(turns(broken, two_rows)), Budget(retries=0))

    with pytest.raises(SourceUnavailable):
        await guard.read(READ)
    await guard.read(READ)

    assert guard.health.is_well


async def test_a_question_that_did_not_reach_the_system_is_asked_again() -> None:
    guard = Guard(Answering(turns(broken, two_rows)), Budget(retries=1))

    assert await guard.read(READ) == await two_rows()


async def test_an_answer_that_is_refused_is_not_asked_for_again() -> None:
    guard = Guard(Answering(turns(refused, two_rows)), Budget(retries=3))

    with pytest.raises(SourceRefused):
        await guard.read(READ)


async def test_beyond_the_queue_questions_fail_at_once() -> None:
    guard = Guard(Answering(never), Budget(seconds=0.05, concurrency=1, queue=1, retries=0))

    outcomes = await asyncio.gather(*(guard.read(READ) for _ in range(4)), return_exceptions=True)

    assert sorted(type(outcome).__name__ for outcome in outcomes) == [
        "SourceTimeout",
        "SourceTimeout",
        "SourceUnavailable",
        "SourceUnavailable",
    ]


async def test_after_failures_in_a_row_the_system_is_left_alone_and_then_asked_once() -> None:
    asked = 0

    async def counting() -> Rows:
        nonlocal asked
        asked += 1
        raise ConnectionResetError

    time = [0.0]
    budget = Budget(retries=0, failures=2, pause_seconds=1)
    guard = Guard(Answering(counting), budget, seconds=lambda: time[0])

    async def ask(times: int) -> None:
        await asyncio.gather(*(guard.read(READ) for _ in range(times)), return_exceptions=True)

    await ask(1)
    await ask(1)
    while_open = asked
    await ask(5)
    left_alone = asked
    time[0] = 1.0
    await ask(5)

    assert (while_open, left_alone, asked, guard.circuit) == (2, 2, 3, Circuit.OPEN)


async def test_a_stale_copy_stands_in_only_where_and_as_long_as_allowed() -> None:
    clock = iter(datetime(2026, 5, 1, hour, tzinfo=UTC) for hour in range(24))
    budget = Budget(retries=0, stale_seconds=3 * 3600)
    guard = Guard(Answering(turns(two_rows, broken, broken)), budget, lambda: next(clock))
    other = Read("Resident", ("number",))

    await guard.read(READ)
    copy = await guard.read(READ)
    with pytest.raises(SourceUnavailable):
        await guard.read(other)
    with pytest.raises(SourceUnavailable):
        await guard.read(READ)

    taken = datetime(2026, 5, 1, 1, tzinfo=UTC)
    assert copy == Rows(("name",), [("甲",), ("乙",)], as_of=taken)


async def test_what_was_forgotten_stands_in_no_more_nor_does_an_answer_still_on_its_way() -> None:
    begun, held = asyncio.Event(), asyncio.Event()

    async def late() -> Rows:
        begun.set()
        await held.wait()
        return await two_rows()

    guard = Guard(Answering(turns(two_rows, late, broken)), Budget(retries=0, stale_seconds=3600))
    await guard.read(READ)
    on_its_way = asyncio.create_task(guard.read(READ))
    await begun.wait()
    guard.forget()
    held.set()
    await on_its_way

    with pytest.raises(SourceUnavailable):
        await guard.read(READ)


async def test_without_leave_no_copy_stands_in() -> None:
    guard = Guard(Answering(turns(two_rows, broken)), Budget(retries=0))

    await guard.read(READ)

    with pytest.raises(SourceUnavailable):
        await guard.read(READ)


def turns(*answers: Answer) -> Answer:
    """Return an answer that is another each time, the last one for ever."""
    rest = list(answers)

    async def answer() -> Rows:
        return await (rest.pop(0) if len(rest) > 1 else rest[0])()

    return answer
