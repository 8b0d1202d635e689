"""
Which systems know a case: the acting department's own, if it has one, and mostly the platform too.

What follows is told from the case's number, so that every system comes to the same answer.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from demo.cases import Case
from demo.identifiers import phone
from demo.province import Records

PLATFORM: Final = "service_platform"
_HOMES: Final = {"民政": "civil_affairs", "人社": "social_security", "市监": "market_regulation"}
_OWN_COUNTER_PERCENT: Final = 23
"""Of what was applied for at a window; two thirds are, so the platform lacks about 15 in 100."""
_DIFFERENT_IN: Final = 10
_PHONES_OF_OLD: Final = 800_000_000


def home(case: Case) -> str:
    """Return the system that keeps the case, and whose word counts."""
    return _HOMES.get(case.matter.department, PLATFORM)


def kept(records: Records, system: str) -> Iterator[Case]:
    """Yield the cases whose home the system is."""
    return (case for case in records.cases if home(case) == system)


def known_to_the_platform(records: Records) -> Iterator[Case]:
    """Yield the platform's own cases and most of the others, all as their homes have them."""
    return (case for case in records.cases if home(case) == PLATFORM or is_shared(case))


def is_shared(case: Case) -> bool:
    """Return whether the platform knows a case of another home; some are handed in there alone."""
    return case.channel != "WINDOW" or _serial(case) // 7 % 100 >= _OWN_COUNTER_PERCENT


def copy(case: Case) -> Case:
    """Return the case as the platform has it: one in ten of others is older or written anew."""
    chance, same = divmod(_serial(case) // 11, _DIFFERENT_IN)
    if same or home(case) == PLATFORM:
        return case
    match chance % 4:
        case 0:
            return replace(case, handler=f"{case.handler[:1]} {case.handler[1:]}")
        case 1:
            number = phone(_PHONES_OF_OLD + _serial(case) % 1_000_000)
            return replace(case, applicant=replace(case.applicant, contact_phone=number))
        case _:
            return _before(case)


def _before(case: Case) -> Case:
    """Return the case one step earlier; as it is where there was none."""
    applied, accepted = case.applied_at, case.accepted_at
    if accepted and accepted < case.updated_at:
        return replace(case, status="ACCEPTED", closed_at=None, updated_at=accepted)
    if applied and applied < case.updated_at:
        case = replace(case, accepted_at=None, promised_on=None, closed_at=None)
        return replace(case, status="RECEIVED", updated_at=applied)
    return case


def _serial(case: Case) -> int:
    return int(case.number[-9:])
