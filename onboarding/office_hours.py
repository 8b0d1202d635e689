"""
Whether times of the day are those of an office, to notice times that are read in a wrong zone.

Offices work by day, in the morning and in the afternoon; a job that runs each night does not.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

OFFICE: Final = "Asia/Shanghai"
ZONES: Final = ("UTC", OFFICE)
"""The zones that systems write their times in."""
_ENOUGH: Final = 20
_NIGHT: Final = frozenset((22, 23, 0, 1, 2, 3, 4, 5))
_DAY: Final = frozenset(range(7, 20))
_MORNING: Final = frozenset(range(8, 12))
_AFTERNOON: Final = frozenset(range(13, 18))
_MIDNIGHT: Final = time()


def is_by_night(values: Iterable[datetime]) -> bool:
    """Return whether most of the times lie at night, for an office."""
    hours = _hours(values)
    return len(hours) >= _ENOUGH and _share(hours, _NIGHT) > 0.5


def is_worked(values: Iterable[datetime]) -> bool:
    """Return whether the times are spread over the working day of an office."""
    hours = _hours(values)
    if len(hours) < _ENOUGH or _share(hours, _DAY) < 0.9:
        return False
    return _share(hours, _MORNING) >= 0.2 and _share(hours, _AFTERNOON) >= 0.2


def reread(values: Iterable[datetime], own: str, zone: str) -> list[datetime]:
    """Return the same hours on the wall of one zone, read as those of another."""
    walls = (_local(value, own).replace(tzinfo=ZoneInfo(zone)) for value in values)
    return [wall.astimezone(UTC) for wall in walls]


def _hours(values: Iterable[datetime]) -> list[int]:
    """Return the hours on the wall of an office; a time at midnight is a date."""
    there = (_local(value, OFFICE) for value in values)
    return [each.hour for each in there if each.time() != _MIDNIGHT]


def _local(value: datetime, zone: str) -> datetime:
    return value.astimezone(ZoneInfo(zone))


def _share(hours: Sequence[int], among: frozenset[int]) -> float:
    return sum(hour in among for hour in hours) / len(hours)
