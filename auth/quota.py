"""
How much an account may ask in a stretch of time: what the policy file says, and how it adds up.

A quota has limits by kind and by stretch of time. What a role does not say it has from the role it
is like, then from the table for all roles, then from here: nobody asks without an end because a
line was forgotten.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

from contract.document import Document, Mistake, Place

QUESTIONS: Final = "questions"
COST: Final = "cost"
LOOKUPS: Final = "lookups"
PEOPLE: Final = "people"

Limits: TypeAlias = Mapping[int, int]
"""The most that may be spent of a kind, by the seconds in which."""
Quota: TypeAlias = Mapping[str, Limits]
Written: TypeAlias = Mapping[str, str | list[str]]

PERIODS: Final[Mapping[str, int]] = MappingProxyType({"minute": 60, "hour": 3_600, "day": 86_400})
_NAMES: Final[Mapping[int, str]] = {seconds: name for name, seconds in PERIODS.items()}
_LIMIT: Final = re.compile(r"([1-9][0-9]{0,8})/(minute|hour|day)", re.ASCII)

NO_QUOTA: Final[Quota] = MappingProxyType({})
BUILT_IN: Final[Quota] = MappingProxyType(
    {
        QUESTIONS: {60: 1_200, 86_400: 200_000},
        COST: {60: 600_000, 86_400: 20_000_000},
        LOOKUPS: {60: 60, 86_400: 600},
        PEOPLE: {86_400: 50_000},
    }
)
"""What holds where the policy file says nothing."""


def limits_of(written: str | list[str]) -> Limits:
    """
    Return the limits of one kind, as `60/minute` or a list of such.

    Raises: ValueError.
    """
    found: dict[int, int] = {}
    for text in [written] if isinstance(written, str) else written:
        match = _LIMIT.fullmatch(text)
        if match is None:
            raise ValueError(f'"{text}" is no limit')
        seconds = PERIODS[match[2]]
        if seconds in found:
            raise ValueError(f"there are two limits for a {match[2]}")
        found[seconds] = int(match[1])
    if not found:
        raise ValueError("there is no limit in it")
    return found


def overlaid(base: Quota, written: Written) -> Quota:
    """Return the quota with what is written in place of limits of the same kind and time."""
    changed = {kind: {**base[kind], **limits_of(given)} for kind, given in written.items()}
    return MappingProxyType({**base, **changed})


def widest(quotas: Iterable[Quota]) -> Quota:
    """
    Return the quota of who has all of these: roles add up, so of each limit the largest.

    What one of them does not limit is not limited.
    """
    several = tuple(quotas)
    kinds = set.intersection(*(set(quota) for quota in several))
    return {kind: _widest([quota[kind] for quota in several]) for kind in sorted(kinds)}


def narrowest(quotas: Iterable[Quota]) -> Quota:
    """Return of each limit the smallest; what holds without a policy where there is none."""
    several = tuple(quotas) or (BUILT_IN,)
    kinds = set[str]().union(*several)
    return {kind: _narrowest([quota.get(kind, {}) for quota in several]) for kind in sorted(kinds)}


def worded(limits: Limits) -> str:
    """Return the limits of one kind as a policy file has them."""
    return ", ".join(f"{limits[seconds]}/{_NAMES[seconds]}" for seconds in sorted(limits))


def wrong_quota(document: Document, place: Place, written: Written) -> Iterator[Mistake]:
    """Yield what in a quota table of a policy file is no limit."""
    for kind, given in written.items():
        try:
            limits_of(given)
        except ValueError as error:
            write = 'Write "60/minute", or a list: minute, hour and day, each once.'
            yield document.mistake((*place, kind), f"{kind}: {error}", write)


def _widest(several: list[Limits]) -> Limits:
    times = set.intersection(*(set(limits) for limits in several))
    return {seconds: max(limits[seconds] for limits in several) for seconds in sorted(times)}


def _narrowest(several: list[Limits]) -> Limits:
    times = set[int]().union(*several)
    return {
        seconds: min(limits[seconds] for limits in several if seconds in limits)
        for seconds in sorted(times)
    }
