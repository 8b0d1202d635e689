"""Windows of maintenance, as a mapping file writes them and as moments. Contacts no system."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final, Protocol
from zoneinfo import ZoneInfo

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_WEEKLY: Final = re.compile(
    r"(daily|Mon|Tue|Wed|Thu|Fri|Sat|Sun) (\d\d):(\d\d)-(\d\d):(\d\d)", re.ASCII
)
_ONCE: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d)/(\d{4}-\d\d-\d\dT\d\d:\d\d)", re.ASCII)
_WRITE: Final = (
    'a window such as "Sat 22:00-24:00", "daily 02:00-03:30" or "2026-12-01T00:00/2026-12-01T06:00"'
)
_DAY_MINUTES: Final = 24 * 60
_ADJOINING: Final = 16


@dataclass(frozen=True, slots=True)
class Window:
    """One stretch of time in which a system is not asked."""

    begins: datetime
    ends: datetime


class Recurrence(Protocol):
    """One line of the option `maintenance`."""

    def windows(self, at: datetime) -> Iterator[Window]:
        """Yield the windows around a moment, past and coming, in its zone."""


@dataclass(frozen=True, slots=True)
class Weekly:
    """Each week on one day (0 is Monday), or each day; may last beyond midnight."""

    weekday: int | None
    begins: time
    minutes: int

    def windows(self, at: datetime) -> Iterator[Window]:
        """Yield the windows of the days from a week before to a week after."""
        for offset in range(-7, 8):
            day = at.date() + timedelta(days=offset)
            if self.weekday in (None, day.weekday()):
                yield self._on(day, at)

    def _on(self, day: date, at: datetime) -> Window:
        begins = datetime.combine(day, self.begins, at.tzinfo)
        return Window(begins, begins + timedelta(minutes=self.minutes))


@dataclass(frozen=True, slots=True)
class Once:
    """From one time of the system's clock to another."""

    begins: datetime
    ends: datetime

    def windows(self, at: datetime) -> Iterator[Window]:
        """Yield the window."""
        yield Window(self.begins.replace(tzinfo=at.tzinfo), self.ends.replace(tzinfo=at.tzinfo))


@dataclass(frozen=True, slots=True)
class Maintenance:
    """When a system is not asked, by the clock of its own zone."""

    recurrences: tuple[Recurrence, ...] = ()
    zone: str = "Asia/Shanghai"

    def current(self, at: datetime) -> Window | None:
        """Return the window that a moment lies in, those that adjoin it included."""
        found = self._around(at)
        for _ in range(_ADJOINING if found else 0):
            further = self._around(found.ends) if found else None
            if found is None or further is None:
                break
            found = Window(found.begins, further.ends)
        return found

    def following(self, at: datetime) -> Window | None:
        """Return the first window that begins after a moment; none later than all that is known."""
        coming = (window for window in self._windows(at) if window.begins > at)
        return min(coming, key=lambda window: window.begins, default=None)

    def _around(self, at: datetime) -> Window | None:
        lasting = (window for window in self._windows(at) if window.begins <= at < window.ends)
        return max(lasting, key=lambda window: window.ends, default=None)

    def _windows(self, at: datetime) -> Iterator[Window]:
        local = at.astimezone(ZoneInfo(self.zone))
        for recurrence in self.recurrences:
            yield from recurrence.windows(local)


NO_MAINTENANCE: Final = Maintenance()


def recurrence(text: object) -> Recurrence:
    """
    Return what one text of the option `maintenance` says.

    Raises: ValueError, with what to write, for anything else.
    """
    if isinstance(text, str):
        found = _weekly(text) or _once(text)
        if found is not None:
            return found
    raise ValueError(_WRITE)


def _weekly(text: str) -> Weekly | None:
    parts = _WEEKLY.fullmatch(text)
    if parts is None:
        return None
    day, *clock = parts.groups()
    begins, ends = _minutes(*clock[:2]), _minutes(*clock[2:])
    if begins is None or ends is None or begins in (ends, _DAY_MINUTES):
        return None
    weekday = None if day == "daily" else _DAYS.index(day)
    lasts = (ends - begins) % _DAY_MINUTES or _DAY_MINUTES
    return Weekly(weekday, time(begins // 60, begins % 60), lasts)


def _minutes(hour: str, minute: str) -> int | None:
    """Return the minutes of the day; 24:00 is its end."""
    found = int(hour) * 60 + int(minute)
    return found if int(minute) < 60 and found <= _DAY_MINUTES else None


def _once(text: str) -> Once | None:
    parts = _ONCE.fullmatch(text)
    if parts is None:
        return None
    try:
        begins, ends = (datetime.fromisoformat(part) for part in parts.groups())
    except ValueError:
        return None
    return Once(begins, ends) if begins < ends else None
