import asyncio
from collections.abc import Awaitable, Callable, Mapping

import pytest

from contract.errors import SourceFailure, SourceRefused, SourceTimeout, SourceUnavailable
from contract.read import Aggregate, Function, Measure, Read, Rows
from contract.source import Capabilities
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
    answers = iter((broken, two_rows))
    guard = Guard(Answering(lambda: next(answers)()), Budget())

    with pytest.raises(SourceUnavailable):
        await guard.read(READ)
    await guard.read(READ)

    assert guard.health.is_well
