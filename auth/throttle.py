"""
What each account has spent lately, in this process; knows no policy and no question.

Time is cut into slots, a twelfth of a stretch each. What was spent counts until its slot has left
the stretch whole, so that in no stretch more is spent than the limit, wherever it begins. A refusal
rests on account and time alone, and spends nothing.
"""

import logging
import time
from array import array
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from math import ceil
from typing import Final

from auth.quota import Limits
from contract.errors import RateLimited

logger = logging.getLogger(__name__)

MOST_ACCOUNTS: Final = 200_000
_SLOTS: Final = 12
_RING: Final = _SLOTS + 1
_LONGEST: Final = 86_400 * _RING / _SLOTS


class _Window:
    """What was spent of one kind in one stretch of time, by slot."""

    __slots__ = ("_counts", "_slot", "spent")

    def __init__(self) -> None:
        self.spent = 0
        self._slot = 0
        self._counts = array("i", bytes(4 * _RING))

    def advance(self, slot: int) -> None:
        """Forget what has left the stretch."""
        if slot <= self._slot:
            return
        for passed in range(self._slot + 1, self._slot + 1 + min(slot - self._slot, _RING)):
            self.spent -= self._counts[passed % _RING]
            self._counts[passed % _RING] = 0
        self._slot = slot

    def add(self, amount: int) -> None:
        """Spend it now."""
        self.spent += amount
        self._counts[self._slot % _RING] += amount

    def freed(self, amount: int) -> int:
        """Return the slot with whose beginning so much will have been forgotten."""
        for slot in range(self._slot - _SLOTS, self._slot + 1):
            amount -= self._counts[slot % _RING]
            if amount <= 0:
                return slot + _RING
        return self._slot + _RING


@dataclass(slots=True)
class _Account:
    """When an account last asked, and what it has spent by kind and seconds."""

    asked_at: float
    windows: dict[tuple[str, int], _Window] = field(default_factory=dict)


class Throttle:
    """
    Keeps accounts to their limits; `refused` counts by kind what was refused.

    Remembers at most `most` accounts, and none that has spent nothing for a day: beyond that the
    one that has been silent longest is forgotten.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, most: int = MOST_ACCOUNTS
    ) -> None:
        self.refused: Counter[str] = Counter()
        self._clock = clock
        self._most = most
        self._accounts: OrderedDict[str, _Account] = OrderedDict()

    def __len__(self) -> int:
        return len(self._accounts)

    def spend(self, account: str, kind: str, limits: Limits, amount: int = 1) -> None:
        """
        Spend it, where every limit allows that.

        Raises: RateLimited, and nothing is spent.
        """
        now = self._clock()
        windows = self._windows(account, kind, limits, now)
        self._check(windows, kind, limits, (amount, now))
        for window in windows:
            window.add(amount)

    def check(self, account: str, kind: str, limits: Limits) -> None:
        """
        Refuse where nothing is left to spend.

        Raises: RateLimited.
        """
        now = self._clock()
        self._check(self._windows(account, kind, limits, now), kind, limits, (1, now))

    def note(self, account: str, kind: str, limits: Limits, amount: int) -> None:
        """Spend it, whatever the limits say."""
        for window in self._windows(account, kind, limits, self._clock()):
            window.add(amount)

    def _check(
        self, windows: list[_Window], kind: str, limits: Limits, spending: tuple[int, float]
    ) -> None:
        amount, now = spending
        longest = 0.0
        for window, (seconds, limit) in zip(windows, limits.items(), strict=True):
            if window.spent + amount > limit:
                longest = max(longest, _wait(window, seconds, limit - amount, now))
        if longest > 0:
            self._count(kind)
            raise RateLimited(kind, ceil(longest))

    def _count(self, kind: str) -> None:
        self.refused[kind] += 1
        if self.refused[kind].bit_count() == 1:  # the first, the second, the fourth, the eighth …
            logger.warning(
                "refused %d times, since quotas were used up: %s", self.refused[kind], kind
            )

    def _windows(self, account: str, kind: str, limits: Limits, now: float) -> list[_Window]:
        known = self._account(account, now).windows
        found = []
        for seconds in limits:
            key = _key(kind, seconds)
            window = known.get(key)
            if window is None:
                window = known[key] = _Window()
            window.advance(int(now * _SLOTS // seconds))
            found.append(window)
        return found

    def _account(self, name: str, now: float) -> _Account:
        known = self._accounts.get(name)
        if known is None:
            known = self._accounts[name] = _Account(now)
            self._forget(now)
        elif known.asked_at != now:
            known.asked_at = now
            self._accounts.move_to_end(name)
        return known

    def _forget(self, now: float) -> None:
        """Let go of accounts of which nothing is left to count, and of too many."""
        while self._accounts:
            name, longest_silent = next(iter(self._accounts.items()))
            if longest_silent.asked_at > now - _LONGEST and len(self._accounts) <= self._most:
                return
            if len(self._accounts) > self._most:
                logger.warning("more than %d accounts asked within a day", self._most)
            del self._accounts[name]


def _wait(window: _Window, seconds: int, left: int, now: float) -> float:
    """Return how long until the limit allows it; its whole time where it never will."""
    if left < 0:
        return float(seconds)
    return window.freed(window.spent - left) * seconds / _SLOTS - now


@cache
def _key(kind: str, seconds: int) -> tuple[str, int]:
    """Return one and the same object for all accounts."""
    return kind, seconds
