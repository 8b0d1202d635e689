"""The demo's calendar: it ends on a fixed day, and offices work Monday to Friday, nine to five."""

from datetime import date, datetime, time, timedelta
from random import Random
from typing import Final

TODAY: Final = date(2026, 10, 30)
"""The last day anything happened in the demo; fixed, so that a seed always gives the same data."""

_SATURDAY: Final = 5


def working_day(day: date) -> date:
    """Return the day itself, or the Monday after it."""
    return day + timedelta(days=7 - day.weekday() if day.weekday() >= _SATURDAY else 0)


def after(day: date, working_days: int) -> date:
    """Return the day so many working days later."""
    day = working_day(day)
    weeks, rest = divmod(working_days, _SATURDAY)
    day += timedelta(weeks=weeks)
    return day + timedelta(days=rest + (2 if day.weekday() + rest >= _SATURDAY else 0))


def office_hour(random: Random, day: date) -> datetime:
    """Return a moment of the day at which an office is open; China's time, without a zone."""
    seconds = random.randrange(9 * 3600, 17 * 3600)
    return datetime.combine(day, time()) + timedelta(seconds=seconds)
