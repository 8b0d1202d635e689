"""
What stands around any source: budget, queue, retry, breaker, and a stale copy where allowed.

A guarded source answers within its budget or fails. Waiting for a place and trying again count
against the budget; a queue that is full, or a circuit that is open, fails at once. Where the
mapping allows a stale copy, the last good answer to the same question stands in for a failed one,
and says of when it is. While maintenance lasts nobody is asked.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

import stamina

from contract.errors import (
    SourceFailure,
    SourceInMaintenance,
    SourceRefused,
    SourceTimeout,
    SourceUnavailable,
)
from contract.read import Aggregate, Read, Rows
from contract.source import Capabilities, Source
from sources.breaker import Breaker, Circuit, Outcome
from sources.deadline import Deadline
from sources.declaration import Budget
from sources.drops import Drops
from sources.maintenance import NO_MAINTENANCE, Maintenance, Window

_GRACE_SECONDS: Final = 0.2
_COPIES: Final = 1_000
_FIRST_WAIT_SECONDS: Final = 0.02
_LONGEST_WAIT_SECONDS: Final = 0.2

Question: TypeAlias = Read | Aggregate
Clock: TypeAlias = Callable[[], datetime]


@dataclass(slots=True)
class Health:
    """What a source last did, and how often it was asked."""

    state: str = "UNASKED"
    answered_at: datetime | None = None
    failed_at: datetime | None = None
    reads: int = 0
    failures: int = 0

    @property
    def is_well(self) -> bool:
        """Return whether it did not fail when it was last asked."""
        return self.state in ("OK", "UNASKED")


def now() -> datetime:
    """Return the time, UTC."""
    return datetime.now(UTC)


class Guard:
    """A source within its budget; itself a source."""

    def __init__(
        self,
        source: Source,
        budget: Budget,
        clock: Clock = now,
        seconds: Callable[[], float] = time.monotonic,
        maintenance: Maintenance = NO_MAINTENANCE,
    ) -> None:
        self._source = source
        self._budget = budget
        self._clock = clock
        self._places = asyncio.Semaphore(budget.concurrency)
        self._maintenance = maintenance
        self._waiting = 0
        self._breaker = Breaker(budget.failures, budget.pause_seconds, seconds)
        self._copies: OrderedDict[Question, tuple[datetime, Rows]] = OrderedDict()
        self._forgotten = 0
        self.health = Health()
        self.drops = Drops(source.name, clock)

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

    @property
    def circuit(self) -> Circuit:
        """Return whether questions pass to the source."""
        return self._breaker.circuit

    @property
    def state(self) -> str:
        """Return MAINTENANCE while that lasts, else what the source did when last asked."""
        return self.health.state if self.maintenance is None else SourceInMaintenance.state

    @property
    def is_well(self) -> bool:
        """Return whether it may be asked and did not fail when it was last asked."""
        return self.maintenance is None and self.health.is_well

    @property
    def maintenance(self) -> Window | None:
        """Return the window of maintenance that lasts now."""
        has_some = self._maintenance.recurrences
        return self._maintenance.current(self._clock()) if has_some else None

    @property
    def next_maintenance(self) -> Window | None:
        """Return the window of maintenance that comes next."""
        return self._maintenance.following(self._clock())

    async def read(self, read: Read) -> Rows:
        """
        Return the source's rows, or the last good ones where that is allowed.

        Raises: SourceTimeout, SourceUnavailable or SourceRefused, and nothing else.
        """
        return await self._answered(read, lambda: self._source.read(read))

    async def aggregate(self, aggregate: Aggregate) -> Rows:
        """
        Return the source's measures, or the last good ones where that is allowed.

        Raises: SourceTimeout, SourceUnavailable or SourceRefused, and nothing else.
        """
        return await self._answered(aggregate, lambda: self._source.aggregate(aggregate))

    def forget(self) -> None:
        """Keep no answer from before: neither those that are kept, nor those still on their way."""
        self._copies.clear()
        self._forgotten += 1

    async def inspect(self, ask: Callable[[], Awaitable[Rows]]) -> Rows:
        """
        Return what the source says when it is asked about itself, within the same budget.

        Raises: SourceTimeout, SourceUnavailable or SourceRefused, and nothing else.
        """
        self._refuse_in_maintenance()
        return await self._noted(ask)

    async def _answered(self, question: Question, ask: Callable[[], Awaitable[Rows]]) -> Rows:
        forgotten = self._forgotten
        try:
            self._refuse_in_maintenance()
            rows = await self._noted(ask)
        except SourceFailure:
            copy = self._copy(question)
            if copy is None:
                raise
            return copy
        if forgotten == self._forgotten:
            self._keep(question, rows)
        return rows

    def _refuse_in_maintenance(self) -> None:
        window = self.maintenance
        if window is not None:
            raise SourceInMaintenance(self.name, self.title, window.ends)

    async def _noted(self, ask: Callable[[], Awaitable[Rows]]) -> Rows:
        self.health.reads += 1
        try:
            rows = await self._passed(ask)
        except SourceFailure as failure:
            self._note_failure(failure)
            raise
        self.health.state, self.health.answered_at = "OK", self._clock()
        return rows

    async def _passed(self, ask: Callable[[], Awaitable[Rows]]) -> Rows:
        """Ask through the breaker; what comes of it is told to the breaker in every case."""
        passage = self._breaker.enter()
        if passage is None:
            raise SourceUnavailable(self.name, self.title, "the circuit is open")
        outcome = Outcome.ABANDONED
        try:
            rows = await self._within_budget(ask)
            outcome = Outcome.ANSWERED
        except (SourceTimeout, SourceUnavailable):
            outcome = Outcome.FAILED
            raise
        except SourceRefused:
            outcome = Outcome.ANSWERED  # it is there, whatever it said
            raise
        finally:
            self._breaker.leave(passage, outcome)
        return rows

    async def _within_budget(self, ask: Callable[[], Awaitable[Rows]]) -> Rows:
        try:
            # Sources keep the budget themselves and clean up; this is for one that does not, and
            # for what waiting and trying again take.
            with Deadline(self._budget.seconds + _GRACE_SECONDS):
                await self._enter()
                try:
                    rows = await self._tried(ask)
                finally:
                    self._places.release()
        except TimeoutError as error:
            raise SourceTimeout(self.name, self.title, "budget") from error
        if len(rows.rows) > self._budget.rows:
            raise SourceRefused(self.name, self.title, f"more than {self._budget.rows} rows")
        return rows

    async def _enter(self) -> None:
        """Wait for a place among the reads at once, in a queue that has an end."""
        if self._places.locked() and self._waiting >= self._budget.queue:
            raise SourceUnavailable(self.name, self.title, "too many questions are waiting")
        self._waiting += 1
        try:
            await self._places.acquire()
        finally:
            self._waiting -= 1

    async def _tried(self, ask: Callable[[], Awaitable[Rows]]) -> Rows:
        try:
            return await ask()
        except (SourceUnavailable, OSError) as failure:
            return await self._tried_again(ask, failure)

    async def _tried_again(self, ask: Callable[[], Awaitable[Rows]], failure: Exception) -> Rows:
        """Ask again where the system could not be reached; reads may be repeated."""
        attempts = stamina.retry_context(
            on=(SourceUnavailable, OSError),
            attempts=1 + self._budget.retries,
            timeout=self._budget.seconds,
            wait_initial=_FIRST_WAIT_SECONDS,
            wait_max=_LONGEST_WAIT_SECONDS,
            wait_jitter=_FIRST_WAIT_SECONDS,
        )
        try:
            async for attempt in attempts:
                with attempt:
                    if attempt.num == 1:
                        raise failure  # it has been made: what comes next is made of it
                    return await ask()
        except OSError as error:
            raise SourceUnavailable(self.name, self.title, type(error).__name__) from error
        raise AssertionError("the last attempt returns or raises")

    def _note_failure(self, failure: SourceFailure) -> None:
        self.health.state = failure.state
        self.health.failures += 1
        self.health.failed_at = self._clock()

    def _keep(self, question: Question, rows: Rows) -> None:
        if self._budget.stale_seconds is None:
            return
        self._copies[question] = (self._clock(), rows)
        self._copies.move_to_end(question)
        if len(self._copies) > _COPIES:
            self._copies.popitem(last=False)

    def _copy(self, question: Question) -> Rows | None:
        """Return the last good answer to the same question, if it is young enough to stand in."""
        if self._budget.stale_seconds is None or question not in self._copies:
            return None
        taken_at, rows = self._copies[question]
        if self._clock() - taken_at > timedelta(seconds=self._budget.stale_seconds):
            return None
        return replace(rows, as_of=taken_at)
