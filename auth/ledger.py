"""
The access ledger: no answer with personal data leaves before its record is durable.

Answers that wait at the same time share one commit. Where nothing can be written they are refused,
and the first record after that tells how many were.
"""

import asyncio
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from time import monotonic, thread_time
from typing import Final

from auth.chain import algorithm, linked
from auth.heads import Heads
from auth.reading import PERSON, Answer, Reading, Registrar
from auth.subject_keys import SubjectKeys
from contract.errors import AuditUnavailable
from store.journal import Entry, Journal

logger = logging.getLogger(__name__)

UNWRITTEN: Final = "AUDIT_UNAVAILABLE"
INTENT: Final = "intent"
DELIVERY: Final = "delivery"
CLOSE: Final = "close"
UNSIGNED: Final = "AUDIT_HEADS_UNWRITTEN"
_WAITING: Final = 10_000
_BATCH: Final = 1_000
_GATHER_SECONDS: Final = 0.01  # of the loop's processor time
_IDLE_SECONDS: Final = 0.000_1  # a turn of the loop that nobody else used
_WRITE_SECONDS: Final = 10.0
_RETRY_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class _Told:
    """An answer of which there is more to say than what was read, or of another kind."""

    answer: Answer
    kind: str
    more: Mapping[str, object]


_What = Answer | _Told | Mapping[str, object]


@dataclass(slots=True)
class _Waiting:
    record: Mapping[str, object]
    written: asyncio.Future[int]


@dataclass(slots=True)
class _Gap:
    """A time in which nothing could be written."""

    since: str
    refused: int = 0


class Ledger:
    """One writer for all answers of the process; `run` is its work."""

    def __init__(self, journal: Journal, keys: SubjectKeys, heads: Heads) -> None:
        self.commits = 0
        self._journal = journal
        self._heads = heads
        self._algorithm = algorithm()
        self._keys = keys
        self._waiting: list[_Waiting] = []
        self._woken = asyncio.Event()
        self._is_closing = False
        self._gap: _Gap | None = None
        self._unsigned: Entry | None = None
        self._signed_sequence = 0
        self._signed_at = monotonic()
        self._signing_failed = False

    @property
    def reasons(self) -> tuple[str, ...]:
        """Return what of the ledger does not work."""
        unsigned = (UNSIGNED,) if self._signing_failed else ()
        return (UNWRITTEN, *unsigned) if self._gap else unsigned

    def name_of(self, person: str) -> str:
        """Return how new records call a person."""
        return Registrar(self._keys.current(), self._algorithm).subject(PERSON, person)

    async def record(self, answer: Answer) -> int:
        """
        Return the place of the answer's record when it is durable.

        Raises: AuditUnavailable where it could not be written.
        """
        return await self._written(answer)

    async def note(self, record: Mapping[str, object]) -> int:
        """
        Return the place of a record of something else than an answer; its kind says of what.

        Raises: AuditUnavailable where it could not be written.
        """
        return await self._written(record)

    async def intent(self, answer: Answer) -> "Intent":
        """
        Return when it is durable that an answer of many parts begins; its end is to be told too.

        Raises: AuditUnavailable where it could not be written.
        """
        return Intent(self, answer, await self._written(_Told(answer, INTENT, {})))

    async def _told(self, answer: Answer, kind: str, more: Mapping[str, object]) -> int:
        return await self._written(_Told(answer, kind, more))

    async def _written(self, what: _What) -> int:
        if self._is_closing or len(self._waiting) >= _WAITING:
            raise AuditUnavailable
        waiting = _Waiting(self._made(what), asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._woken.set()
        return await waiting.written

    def _made(self, what: _What) -> Mapping[str, object]:
        # Made here, one by one, while the batch before is being written.
        try:
            registrar = Registrar(self._keys.current(), self._algorithm)
            return {"time": _now(), **_record(registrar, what)}
        except Exception as error:  # noqa: BLE001 -- whatever it is, nothing leaves unrecorded
            self._refused(1, error)
            self._woken.set()
            raise AuditUnavailable from None

    def close(self) -> None:
        """Let `run` end when everything that waits is written, and the last head is signed."""
        self._is_closing = True
        self._woken.set()

    async def run(self) -> None:
        """Write what waits, again and again, until the ledger is closed."""
        while not self._is_closing or self._waiting:
            await self._wait()
            await self._gather()
            batch, self._waiting = self._waiting[:_BATCH], self._waiting[_BATCH:]
            if batch or self._gap:
                await self._write(batch)
            await self._sign()
        await self._sign()

    async def _wait(self) -> None:
        if not self._waiting and not self._is_closing:
            try:
                async with asyncio.timeout(self._patience()):
                    await self._woken.wait()
            except TimeoutError:
                pass
        self._woken.clear()

    async def _gather(self) -> None:
        """Let the loop do what else it has to, for a moment: what comes of it shares the commit."""
        turned = thread_time()
        ends, idle = turned + _GATHER_SECONDS, False
        while not idle and turned < ends and len(self._waiting) < _BATCH:
            began = turned
            await asyncio.sleep(0)
            turned = thread_time()
            idle = turned - began < _IDLE_SECONDS

    def _patience(self) -> float | None:
        """Return after how many seconds there is something to do although nothing waits."""
        if self._gap is not None or self._signing_failed:
            return _RETRY_SECONDS
        if self._unsigned is None:
            return None
        return max(0.0, self._signed_at + self._heads.every_seconds - monotonic())

    async def _write(self, batch: Sequence[_Waiting]) -> None:
        told = self._gap.refused if self._gap is not None else 0
        try:
            async with asyncio.timeout(_WRITE_SECONDS):
                self._keys.current()  # without it nobody can be named, and the gap lasts
                records = [*self._gap_record(), *(each.record for each in batch)]
                link = partial(linked, self._algorithm, records)
                entries = await self._journal.append(link)
        except Exception as error:  # noqa: BLE001 -- whatever it is, nothing leaves unrecorded
            self._refused(len(batch), error)
            for each in batch:
                if not each.written.done():
                    each.written.set_exception(AuditUnavailable())
            return
        self.commits += 1
        self._told_of_gap(told)
        self._unsigned = entries[-1]
        for each, entry in zip(batch, entries[-len(batch) :] if batch else (), strict=True):
            if not each.written.done():
                each.written.set_result(entry.sequence)

    def _gap_record(self) -> Iterator[Mapping[str, object]]:
        if (gap := self._gap) is not None:
            yield {"time": _now(), "kind": "gap", "since": gap.since, "refused": gap.refused}

    def _told_of_gap(self, refused: int) -> None:
        """End the gap, unless more was refused while the record of it was written."""
        if self._gap is not None:
            self._gap.refused -= refused
            if self._gap.refused == 0:
                self._gap = None
                logger.info("the ledger is written again")

    def _refused(self, count: int, error: Exception) -> None:
        if self._gap is None:
            self._gap = _Gap(_now())
            why = getattr(error, "orig", None) or type(error).__name__
            logger.error("the ledger cannot be written: %s", why)
        self._gap.refused += count

    async def _sign(self) -> None:
        last = self._unsigned
        if last is None or not (self._is_closing or self._is_due(last)):
            return
        try:
            await asyncio.to_thread(self._heads.write, last)
        except Exception as error:  # noqa: BLE001 -- records are written on, whatever it is
            if not self._signing_failed:
                what = type(error).__name__
                logger.error("the heads of the ledger cannot be written: %s", what)  # noqa: TRY400 -- no path, no trace
            self._signing_failed = True
            return
        self._signing_failed, self._unsigned = False, None
        self._signed_sequence, self._signed_at = last.sequence, monotonic()

    def _is_due(self, last: Entry) -> bool:
        late = monotonic() - self._signed_at >= self._heads.every_seconds
        return late or last.sequence - self._signed_sequence >= self._heads.every_records


class Intent:
    """A stream, an export or a subscription whose beginning is on record."""

    def __init__(self, ledger: Ledger, answer: Answer, place: int) -> None:
        self.place = place
        self._ledger = ledger
        self._answer = answer

    async def delivered(self, readings: Sequence[Reading]) -> None:
        """
        Return when the record of one batch is durable; it may be delivered then.

        Raises: AuditUnavailable where it could not be written.
        """
        batch = replace(self._answer, readings=readings)
        await self._ledger._told(batch, DELIVERY, {"intent": self.place})  # noqa: SLF001 -- its own

    async def close(self, count: int, outcome: str = "OK") -> None:
        """
        Return when it is durable how many rows left in all, and how it ended.

        Raises: AuditUnavailable where it could not be written.
        """
        ended = replace(self._answer, readings=(), codes=frozenset())
        more = {"intent": self.place, "rows": count, "outcome": [outcome]}
        await self._ledger._told(ended, CLOSE, more)  # noqa: SLF001 -- its own


def _record(registrar: Registrar, what: _What) -> Mapping[str, object]:
    if isinstance(what, Answer):
        return registrar.record(what)
    if isinstance(what, _Told):
        return {**registrar.record(what.answer, what.kind), **what.more}
    return what


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
