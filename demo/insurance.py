"""What people are insured for, by age and work: social insurance and medical insurance."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Final

from demo.enterprises import Enterprise
from demo.people import Person
from demo.stored import stored_number
from demo.working_days import TODAY, office_hour, working_day

_UNKNOWN_IN: Final = 300
_EMPLOYEE_KINDS: Final = ("EMPLOYEE_PENSION", "UNEMPLOYMENT", "WORK_INJURY")


@dataclass(frozen=True, slots=True)
class Insured:
    """A person as an insurer knows them: by its own number, with the citizen number as keyed."""

    number: str
    id_number: str
    name: str
    female: bool
    county: str


@dataclass(frozen=True, slots=True)
class SocialInsurance:
    """One person insured against one risk; a kind of OTHER has a native code nobody documented."""

    number: str
    insured: Insured
    kind: str
    state: str
    retired: bool
    employer: Enterprise | None
    started: date
    ended: date | None
    handled_at: datetime
    base: Decimal | None
    balance: Decimal
    months: int
    card: int


@dataclass(frozen=True, slots=True)
class MedicalEnrollment:
    """One person enrolled in one kind of medical insurance."""

    insured: Insured
    kind: str
    state: str
    started: date
    employer: str | None
    balance: Decimal | None
    updated_at: datetime


class Insurers:
    """Insures the residents of one township."""

    def __init__(self, county: str, employers: dict[str, Enterprise], random: Random) -> None:
        self._county = county
        self._employers = employers
        self._random = random

    def social(self, person: Person) -> Iterator[SocialInsurance]:
        """Yield what the social security system has on the person; nothing for most under 16."""
        insured = self._insured("3", person)
        for index, kind in enumerate(_kinds(self._random, person.occupation), 1):
            yield self._social(f"{insured.number}{index}", insured, person, kind)

    def medical(self, person: Person) -> Iterator[MedicalEnrollment]:
        """Yield the person's enrolments; some changed from one kind to the other."""
        if self._random.random() < 0.04:
            return
        insured = self._insured("8", person)
        employed = person.occupation in ("EMPLOYEE", "RETIRED_EMPLOYEE")
        kind = "EMPLOYEE" if employed else "RESIDENT"
        current = kind if self._random.randrange(_UNKNOWN_IN) else "OTHER"
        yield self._medical(insured, person, current, "SUSPENDED" if person.death else "ACTIVE")
        if self._random.random() < 0.05:
            former = "RESIDENT" if employed else "EMPLOYEE"
            yield self._medical(insured, person, former, "ENDED")

    def _insured(self, system: str, person: Person) -> Insured:
        return Insured(
            number=f"{system}{person.number[1:]}",
            id_number=stored_number(self._random, person.id_number),
            name=person.name,
            female=person.female,
            county=self._county,
        )

    def _social(self, number: str, insured: Insured, person: Person, kind: str) -> SocialInsurance:
        random = self._random
        started = _from(random, person)
        state = "ENDED" if person.death else random.choices(("ACTIVE", "SUSPENDED"), (93, 7))[0]
        base = Decimal(random.randrange(4_494, 24_042)) if person.occupation == "EMPLOYEE" else None
        months = (TODAY - started).days // 31
        return SocialInsurance(
            number=number,
            insured=insured,
            kind=kind if random.randrange(_UNKNOWN_IN) else "OTHER",
            state=state if random.randrange(_UNKNOWN_IN) else "OTHER",
            retired=person.occupation.startswith("RETIRED"),
            employer=self._employers.get(person.number),
            started=started,
            ended=person.death,
            handled_at=office_hour(random, working_day(started)),
            base=base,
            balance=Decimal(months * random.randrange(3_000, 60_000)) / 100,
            months=months,
            card=person.serial,
        )

    def _medical(
        self, insured: Insured, person: Person, kind: str, state: str
    ) -> MedicalEnrollment:
        random = self._random
        employer = self._employers.get(person.number)
        employee = kind == "EMPLOYEE"
        changed = TODAY - timedelta(days=random.randrange(0, 600))
        return MedicalEnrollment(
            insured=insured,
            kind=kind,
            state=state,
            started=max(_from(random, person), person.birth),
            employer=employer.name if employer and employee else None,
            balance=Decimal(random.randrange(0, 900_000)) / 100 if employee else None,
            updated_at=office_hour(random, changed),
        )


def _kinds(random: Random, occupation: str) -> tuple[str, ...]:
    if occupation in ("CHILD", "STUDENT"):
        return ()
    if occupation == "EMPLOYEE":
        return _EMPLOYEE_KINDS
    if occupation in ("RETIRED_EMPLOYEE", "FLEXIBLE"):
        return ("EMPLOYEE_PENSION",)
    return ("RESIDENT_PENSION",) if random.random() < 0.85 else ()


def _from(random: Random, person: Person) -> date:
    """Return when an insurance began: as an adult for most, never before birth or after death."""
    last = person.death or TODAY
    earliest = max(person.birth, last - timedelta(days=20 * 365))
    adult = person.birth + timedelta(days=18 * 365)
    first = adult if earliest < adult < last else earliest
    return first + timedelta(days=random.randrange(0, max(1, (last - first).days)))
