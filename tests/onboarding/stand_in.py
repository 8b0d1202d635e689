"""
Wrong stand-ins: real systems, each with exactly one fault, and what the scorecard must say.

A line says what is wrong, the system, the claims that are disproved, the faults of the data by
field, and part of what to change.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from tests.onboarding.graphql_stand_in import Graphql
from tests.onboarding.permits import Native, natives
from tests.onboarding.rest_stand_in import Rest
from tests.onboarding.stored_stand_in import Dropped, InPostgres, Sqlite

System: TypeAlias = Rest | Graphql | Sqlite | InPostgres | Dropped
Faults: TypeAlias = Mapping[str, Mapping[str, int]]
SOME = (5, 17, 29)


@dataclass(frozen=True, slots=True)
class StandIn:
    """One wrong system; `write`: in what is to be changed first."""

    name: str
    system: System
    disproved: tuple[str, ...] = ()
    faults: Faults = field(default_factory=dict)
    write: str = ""
    state: str = "reachable"


def changed(places: Sequence[int], change: Callable[[Native], Native]) -> list[Native]:
    return [change(row) if at in places else row for at, row in enumerate(natives())]


def every(change: Callable[[Native], Native]) -> list[Native]:
    return [change(row) for row in natives()]


def stored(**row: object) -> Callable[[Native], Native]:
    return lambda native: {**native, **row}
