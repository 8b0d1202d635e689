"""
A circuit breaker: after failures in a row a system is left alone, then asked one question.

    CLOSED      every question passes; failures in a row open the circuit
    OPEN        no question passes until the pause is over
    HALF_OPEN   exactly one question passes; its outcome closes the circuit or opens it again

A question that began before the circuit opened has no say in it afterwards.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Circuit(StrEnum):
    """What a breaker lets pass."""

    CLOSED = "CLOSED"
    OPEN = "OPEN"
    HALF_OPEN = "HALF_OPEN"


class Outcome(StrEnum):
    """How a question that passed ended; ABANDONED says nothing of the system."""

    ANSWERED = "ANSWERED"
    FAILED = "FAILED"
    ABANDONED = "ABANDONED"


@dataclass(frozen=True, slots=True)
class Passage:
    """One question's way through, in the round of the circuit it began in."""

    round: int
    is_probe: bool


@dataclass(slots=True)
class Breaker:
    """One source's circuit; `clock` gives seconds that only go forward."""

    failures_allowed: int
    pause_seconds: float
    clock: Callable[[], float]
    _failures: int = 0
    _round: int = 0
    _opened_at: float | None = None
    _probing: bool = False

    @property
    def circuit(self) -> Circuit:
        """Return the state of the circuit."""
        if self._opened_at is None:
            return Circuit.CLOSED
        over = self.clock() - self._opened_at >= self.pause_seconds
        return Circuit.HALF_OPEN if over else Circuit.OPEN

    def enter(self) -> Passage | None:
        """Return a question's passage, to be ended by `leave`; None where it may not pass."""
        circuit = self.circuit
        if circuit is Circuit.CLOSED:
            return Passage(self._round, is_probe=False)
        if circuit is Circuit.OPEN or self._probing:
            return None
        self._probing = True
        return Passage(self._round, is_probe=True)

    def leave(self, passage: Passage, outcome: Outcome) -> None:
        """Note how the question ended."""
        if passage.round != self._round:
            return
        if passage.is_probe:
            self._probing = False
        match outcome:
            case Outcome.ANSWERED if passage.is_probe:
                self._turn(None)
            case Outcome.ANSWERED:
                self._failures = 0
            case Outcome.FAILED:
                self._failures += 1
                if passage.is_probe or self._failures >= self.failures_allowed:
                    self._turn(self.clock())
            case Outcome.ABANDONED:
                pass

    def _turn(self, opened_at: float | None) -> None:
        self._opened_at = opened_at
        self._failures, self._probing = 0, False
        self._round += 1
