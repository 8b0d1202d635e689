"""
How much was asked of each system, for what and by which roles; never by whom.

Kept in memory from the start of the process on, in a bounded number of sums: when there are too
many, the oldest are forgotten. Knows no policy.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from auth.principal import Principal
from sources.federation import Call

_SUMS: Final = 10_000
_TOWNSHIP: Final = 9
_ANSWERED: Final = frozenset({"OK", "STALE"})


@dataclass(frozen=True, slots=True)
class Asking:
    """
    What is summed up: one hour, one entity of one system, one role in one division.

    A division below the township is counted as its township: a village may have one officer.
    """

    hour: datetime
    source: str
    entity: str
    role: str
    scope: str
    purpose: str


@dataclass(frozen=True, slots=True)
class Sum:
    """Questions put to a system, the rows it gave, and how many of them it did not answer."""

    questions: int = 0
    rows: int = 0
    failures: int = 0

    def __add__(self, other: "Sum") -> "Sum":
        """Return both together."""
        return Sum(
            self.questions + other.questions,
            self.rows + other.rows,
            self.failures + other.failures,
        )


def now() -> datetime:
    """Return the time, UTC."""
    return datetime.now(UTC)


def _hour(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


class Usage:
    """The sums of one process, the oldest first."""

    def __init__(self, most: int = _SUMS, clock: Callable[[], datetime] = now) -> None:
        self._most = most
        self._clock = clock
        self._sums: OrderedDict[Asking, Sum] = OrderedDict()

    def note(self, principal: Principal, calls: Iterable[Call]) -> None:
        """Count what was asked of systems; under each role where there are several."""
        hour = _hour(self._clock())
        held = zip(principal.roles, principal.scopes, strict=True)
        roles = sorted({(role, scope[:_TOWNSHIP]) for role, scope in held})
        for call in calls:
            failed = call.state not in _ANSWERED
            for role, scope in roles:
                asking = Asking(hour, call.source, call.entity, role, scope, principal.purpose)
                self._add(asking, Sum(1, call.rows, int(failed)))

    def since(self, moment: datetime | None) -> Iterator[tuple[Asking, Sum]]:
        """Yield the sums of every hour that had not ended at the moment; all without one."""
        begun = _hour(moment) if moment else None
        for asking, counted in self._sums.items():
            if begun is None or asking.hour >= begun:
                yield asking, counted

    def _add(self, asking: Asking, counted: Sum) -> None:
        self._sums[asking] = self._sums.get(asking, Sum()) + counted
        if len(self._sums) > self._most:
            self._sums.popitem(last=False)
