"""Equal questions that are asked at the same time, asked once."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Answer = TypeVar("Answer")


@dataclass(slots=True, eq=False)
class _Flight(Generic[Answer]):
    """A question that is under way, and how many wait for its answer."""

    task: asyncio.Task[Answer]
    waiting: int = 0


class Flights(Generic[Answer]):
    """The questions that are under way; nothing is left of one that has ended."""

    def __init__(self) -> None:
        self._under_way: dict[Hashable, _Flight[Answer]] = {}

    async def ask(
        self, question: Hashable, ask: Callable[[], Coroutine[Any, Any, Answer]]
    ) -> Answer:
        """
        Return the answer, of somebody else's question where an equal one is under way.

        Who goes away leaves the others their answer; when nobody waits any more it is given up.
        Raises: what asking raises, to all who wait.
        """
        flight = self._under_way.get(question) or self._begun(question, ask)
        flight.waiting += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.waiting -= 1
            if not flight.waiting:
                self._over(question, flight)
                flight.task.cancel()

    def is_under_way(self, question: Hashable) -> bool:
        """Return whether an equal question is being asked."""
        return question in self._under_way

    def _begun(
        self, question: Hashable, ask: Callable[[], Coroutine[Any, Any, Answer]]
    ) -> _Flight[Answer]:
        flight = _Flight(asyncio.create_task(ask()))
        self._under_way[question] = flight
        # Before anybody who waits hears of it: who asks after a failure asks anew.
        flight.task.add_done_callback(lambda _: self._over(question, flight))
        return flight

    def _over(self, question: Hashable, flight: _Flight[Answer]) -> None:
        if self._under_way.get(question) is flight:
            del self._under_way[question]
