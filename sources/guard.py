"""
The budget around any source: time, reads at once, rows.

A guarded source answers within its budget or fails; waiting for a place counts. It keeps the last
state it saw, for `sources { … }` and readiness.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from contract.errors import SourceFailure, SourceRefused, SourceTimeout, SourceUnavailable
from contract.read import Aggregate, Read, Rows
from contract.source import Capabilities, Source
from sources.declaration import Budget

_GRACE_SECONDS = 0.2


@dataclass(slots=True)
class Health:
    """What a source last did; times are the event loop's."""

    state: str = "UNASKED"
    answered_at: float | None = None
    failed_at: float | None = None
    reads: int = 0
    failures: int = 0

    @property
    def is_well(self) -> bool:
        """Return whether it did not fail when it was last asked."""
        return self.state in ("OK", "UNASKED")


class Guard:
    """A source within its budget; itself a source."""

    def __init__(self, source: Source, budget: Budget) -> None:
        self._source = source
        self._budget = budget
        self._places = asyncio.Semaphore(budget.concurrency)
        self.health = Health()

    @property
    def name(self) -> str:
        """Return the guarded source's name."""
        return self._source.name

    @property
    def title(self) -> str:
        """Return the guarded source's title."""
        return self._source.title

    @property
    def entities(self) -> Mapping[str, Capabilities]:
        """Return what the guarded source holds."""
        return self._source.entities

    async def read(self, read: Read) -> Rows:
        """
        Return the source's rows.

        Raises: SourceTimeout, SourceUnavailable or SourceRefused, and nothing else.
        """
        rows = await self._within_budget(lambda: self._source.read(read))
        if len(rows.rows) > self._budget.rows:
            raise SourceRefused(self.name, self.title, f"more than {self._budget.rows} rows")
        return rows

    async def aggregate(self, aggregate: Aggregate) -> Rows:
        """
        Return the source's measures.

        Raises: SourceTimeout, SourceUnavailable or SourceRefused, and nothing else.
        """
        return await self._within_budget(lambda: self._source.aggregate(aggregate))

    async def _within_budget(self, ask: Callable[[], Awaitable[Rows]]) -> Rows:
        self.health.reads += 1
        try:
            # Sources keep the budget themselves and clean up; this is for one that does not.
            async with asyncio.timeout(self._budget.seconds + _GRACE_SECONDS):
                async with self._places:
                    rows = await ask()
        except TimeoutError as error:
            raise self._failed(SourceTimeout(self.name, self.title, "budget")) from error
        except SourceFailure as failure:
            self._failed(failure)
            raise
        except OSError as error:
            raise self._failed(SourceUnavailable(self.name, self.title, repr(error))) from error
        self.health.state = "OK"
        self.health.answered_at = asyncio.get_running_loop().time()
        return rows

    def _failed(self, failure: SourceFailure) -> SourceFailure:
        self.health.state = failure.state
        self.health.failures += 1
        self.health.failed_at = asyncio.get_running_loop().time()
        return failure
