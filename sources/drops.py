"""
Rows that a system sent although it had been asked, and had promised, to leave them out.

They are in no answer. That they came is a reason to distrust the system, and their number is one of
rows that whoever asked may not see: it is told to operators alone.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

logger = logging.getLogger(__name__)

Noticed: TypeAlias = Callable[[str, str, int], None]
"""Told of a source and an entity of which so many rows were dropped."""

_SILENT: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Dropped:
    """How many rows of an entity were dropped, and when last."""

    rows: int
    last_at: datetime


def notice_nothing(_: str, __: str, ___: int) -> None:
    """Count nothing, where nobody looks after the sources."""


def now() -> datetime:
    """Return the time, UTC."""
    return datetime.now(UTC)


class Drops:
    """Counts for one system, by entity, since the process started or the mapping changed."""

    def __init__(self, source: str, clock: Callable[[], datetime] = now) -> None:
        self._source = source
        self._clock = clock
        self._dropped: dict[str, Dropped] = {}
        self._told: dict[str, datetime] = {}

    @property
    def by_entity(self) -> Mapping[str, Dropped]:
        """Return what was dropped."""
        return self._dropped

    @property
    def rows(self) -> int:
        """Return how many rows were dropped of all entities."""
        return sum(dropped.rows for dropped in self._dropped.values())

    def note(self, entity: str, rows: int) -> None:
        """Count the rows; the log has it once an hour for each entity, with no value of a row."""
        if not rows:
            return
        at = self._clock()
        known = self._dropped.get(entity)
        self._dropped[entity] = Dropped(rows + (known.rows if known else 0), at)
        told = self._told.get(entity)
        if told is None or at - told >= _SILENT:
            self._told[entity] = at
            said = "%s: it sent %d rows of %s that it was asked to leave out; they were dropped"
            logger.warning(said, self._source, rows, entity)


def together(*several: Drops) -> Mapping[str, Dropped]:
    """Return the counts of several places for one system as one."""
    found: dict[str, Dropped] = {}
    for drops in several:
        for entity, dropped in drops.by_entity.items():
            known = found.get(entity, dropped)
            rows = dropped.rows + (known.rows if entity in found else 0)
            found[entity] = Dropped(rows, max(known.last_at, dropped.last_at))
    return dict(sorted(found.items()))
