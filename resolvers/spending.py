"""
What one request spends of its account's quota where rows are asked for: look-ups, and people shown.

Everything is refused before a source is asked. Whether people may be read is decided once, when the
request begins, so that no field of it is refused because another one was quicker.
"""

from collections.abc import Hashable, Iterable, Sequence
from typing import Final

from auth.quota import LOOKUPS, NO_QUOTA, PEOPLE, Quota
from auth.throttle import Throttle
from contract.errors import RateLimited
from contract.predicate import Comparison

_NOTHING: Final[Quota] = {LOOKUPS: {60: 0}, PEOPLE: {60: 0}}


class Spending:
    """One request's account of look-ups and people; what the quota does not limit is free."""

    def __init__(self, throttle: Throttle, account: str, quota: Quota = NO_QUOTA) -> None:
        self._throttle = throttle
        self._account = account
        self._quota = quota
        self._looked_up: list[Comparison] = []
        self._shown: set[Hashable] = set()
        self._people = self._used_up()

    def look_up(self, times: int = 1) -> None:
        """
        Spend look-ups: one for each person who is named whole and found or not.

        Raises: RateLimited, and nothing is spent.
        """
        limits = self._quota.get(LOOKUPS)
        if limits is not None:
            self._throttle.spend(self._account, LOOKUPS, limits, times)

    def look_up_by(self, comparisons: Iterable[Comparison]) -> None:
        """
        Spend a look-up for each comparison; one that the same field asks twice counts once.

        Raises: RateLimited, and nothing is spent.
        """
        # The same object: a list and its number. Another one with the same value is another try.
        known = {id(comparison) for comparison in self._looked_up}
        new = [comparison for comparison in comparisons if id(comparison) not in known]
        if new:
            self.look_up(len(new))
            self._looked_up += new

    def read_people(self) -> None:
        """
        Refuse to read people where as many as allowed were shown before this request.

        Raises: RateLimited.
        """
        if self._people is not None:
            raise RateLimited(self._people.kind, self._people.retry_after_seconds)

    def show(self, people: Sequence[object]) -> None:
        """Spend the people who are shown, each once in a request."""
        limits = self._quota.get(PEOPLE)
        if limits is None or not people:
            return
        before = len(self._shown)
        self._shown.update(people)
        if len(self._shown) > before:
            self._throttle.note(self._account, PEOPLE, limits, len(self._shown) - before)

    def _used_up(self) -> RateLimited | None:
        limits = self._quota.get(PEOPLE)
        if limits is None:
            return None
        try:
            self._throttle.check(self._account, PEOPLE, limits)
        except RateLimited as refusal:
            return refusal
        return None


def refusing() -> Spending:
    """Return one that has nothing to spend, for whoever was given none."""
    return Spending(Throttle(), "", _NOTHING)
