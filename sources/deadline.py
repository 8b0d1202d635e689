"""A deadline around what is awaited, for the road that every question takes."""

import asyncio
from types import TracebackType
from typing import Self


class Deadline:
    """
    What `asyncio.timeout` does, without its coroutines and for a third of its time.

    Raises: TimeoutError, where what is within was cancelled because the seconds were over.
    """

    __slots__ = ("_before", "_handle", "_is_over", "_seconds", "_task")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._is_over = False

    def __enter__(self) -> Self:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a deadline needs a task that can be cancelled")
        self._task, self._before = task, task.cancelling()
        self._handle = task.get_loop().call_later(self._seconds, self._end)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._handle.cancel()
        # Whoever else cancelled the task still wants it cancelled.
        alone = self._is_over and self._task.uncancel() <= self._before
        if alone and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def _end(self) -> None:
        self._is_over = True
        self._task.cancel()
