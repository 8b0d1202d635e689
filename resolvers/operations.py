"""How the departments' systems are and how much they are asked, as a request may tell of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from resolvers.usage import Asking, Sum
from sources.breaker import Circuit
from sources.drift import Drift
from sources.drops import Dropped
from sources.maintenance import Window
from sources.period import Tally


@dataclass(frozen=True, slots=True)
class Operation:
    """
    How a system runs, for those the policy lets see it.

    `reads`, `failures`: since the process started or the mapping changed. `stale`: why newer files
    of a drop do not count. `refused`: newer mapping files or a newer policy have mistakes.
    `dropped`: rows of each entity that it sent although it promised to leave them out. `kept`: how
    many questions about entities whose answers are kept needed it, and how many did not.
    """

    circuit: Circuit
    answered_at: datetime | None
    failed_at: datetime | None
    reads: int
    failures: int
    stale: str
    drift: Drift
    refused: bool
    dropped: Mapping[str, Dropped] = field(default_factory=dict)
    kept: Tally = field(default_factory=Tally)


@dataclass(frozen=True, slots=True)
class Freshness:
    """How old a system's data may be, of when they are, and whether the promise is kept."""

    promised_seconds: float | None = None
    as_of: datetime | None = None
    kept: bool | None = None


@dataclass(frozen=True, slots=True)
class SourceState:
    """A department's system as clients may know it; `operation` where the policy lets them."""

    name: str
    title: str
    department: str
    kind: str
    state: str
    entities: tuple[str, ...]
    freshness: Freshness = Freshness()
    maintenance: Window | None = None
    next_maintenance: Window | None = None
    operation: Operation | None = None


@dataclass(frozen=True, slots=True)
class Used:
    """What was asked of one system, with the names that people know."""

    asking: Asking
    source_title: str
    role_title: str
    sum: Sum


@dataclass(frozen=True, slots=True)
class Operations:
    """
    What one principal may know; each is told when it is asked for.

    `usage`: from a moment on, by day or by hour.
    Raises: Forbidden from `usage` where the policy opens no system's.
    """

    states: Callable[[], Sequence[SourceState]]
    usage: Callable[[datetime | None, bool], Sequence[Used]]


def _no_usage(_: datetime | None, __: bool) -> Sequence[Used]:  # noqa: FBT001 -- called by place
    return ()


NO_OPERATIONS = Operations(tuple, _no_usage)
