"""A deadline is what `asyncio.timeout` is."""

import asyncio

import pytest

from sources.deadline import Deadline

LONG = 5.0
SHORT = 0.01


async def test_what_is_done_in_time_is_left_alone() -> None:
    with Deadline(SHORT):
        await asyncio.sleep(0)
    await asyncio.sleep(2 * SHORT)


async def test_what_takes_longer_ends_there() -> None:
    task = asyncio.current_task()
    with pytest.raises(TimeoutError), Deadline(SHORT):
        await asyncio.sleep(LONG)

    assert task is not None
    assert task.cancelling() == 0


async def test_the_deadline_around_is_not_taken_for_the_one_within() -> None:
    async def patient() -> None:
        try:
            with Deadline(LONG):
                await asyncio.sleep(LONG)
        except TimeoutError:
            pytest.fail("the one within was not over")

    with pytest.raises(TimeoutError), Deadline(SHORT):
        await patient()


async def test_who_is_cancelled_stays_cancelled() -> None:
    async def late() -> None:
        with Deadline(LONG):
            await asyncio.sleep(LONG)

    task = asyncio.create_task(late())
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_who_is_cancelled_when_it_is_over_stays_cancelled() -> None:
    async def late() -> None:
        with Deadline(SHORT):
            try:
                await asyncio.sleep(LONG)
            finally:
                task.cancel()

    task = asyncio.create_task(late())

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_what_goes_wrong_in_time_is_told_as_it_is() -> None:
    with pytest.raises(ValueError, match="wrong"), Deadline(LONG):
        raise ValueError("wrong")
