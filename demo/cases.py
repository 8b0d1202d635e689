"""Cases of a township: who asked for what where, and how far it went."""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from random import Random
from typing import Final

from demo.catalogue import Matter, matters
from demo.enterprises import Enterprise
from demo.identifiers import phone, scattered
from demo.land import Township
from demo.names import full_name, surname
from demo.people import PER_TOWNSHIP_AT_MOST, Person
from demo.stored import stored_number
from demo.working_days import TODAY, after, office_hour, working_day

PER_RESIDENT: Final = 1 / 6
_DAYS: Final = 540
_ELSEWHERE_SHARE: Final = 0.08
_COMPANY_SHARE: Final = 0.06
_UNKNOWN_IN: Final = 300
_PHONES_OF_COMPANIES: Final = 700_000_000

STATUS_WEIGHTS: Final = {
    "CLOSED": 58,
    "APPROVED": 12,
    "REJECTED": 3,
    "ACCEPTED": 9,
    "SUSPENDED": 1,
    "CORRECTION": 3,
    "RECEIVED": 4,
    "SUBMITTED": 3,
    "PRECHECK_RETURNED": 2,
    "DRAFT": 2,
    "NOT_ACCEPTED": 1,
    "WITHDRAWN": 1,
    "TERMINATED": 1,
}
_ACCEPTED: Final = frozenset(
    {"CLOSED", "APPROVED", "REJECTED", "ACCEPTED", "SUSPENDED", "TERMINATED"}
)
_ENDED: Final = frozenset(
    {"CLOSED", "APPROVED", "REJECTED", "NOT_ACCEPTED", "WITHDRAWN", "TERMINATED"}
)
_RESULTS: Final = {
    "CLOSED": "GRANTED",
    "APPROVED": "GRANTED",
    "REJECTED": "REFUSED",
    "NOT_ACCEPTED": "NOT_ACCEPTED",
    "TERMINATED": "VOID",
}
_EXPLANATIONS: Final = {
    "GRANTED": "符合规定条件，准予办理。",
    "REFUSED": "经核对不符合规定条件，不予办理。",
    "NOT_ACCEPTED": "不属于本机关受理范围。",
    "VOID": "申请人未在规定期限内补正材料，终止办理。",
    "FORWARDED": "已转户籍地办理。",
}


@dataclass(frozen=True, slots=True)
class Event:
    """A step of a case."""

    number: str
    process: str
    name: str
    started_at: datetime
    ended_at: datetime | None
    handler: str
    note: str | None


@dataclass(frozen=True, slots=True)
class Submitted:
    """A material that was handed in."""

    number: str
    name: str
    form: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Result:
    """What was decided."""

    number: str
    kind: str
    decided_on: date
    explanation: str
    certificate_name: str | None
    certificate_number: str | None
    satisfaction: int | None


@dataclass(frozen=True, slots=True)
class Applicant:
    """Who asks: a person, or a company through its agent; `id_number` is the citizen's or null."""

    kind: str
    name: str
    id_number: str | None
    company_code: str | None
    contact_name: str
    contact_phone: str | None


@dataclass(frozen=True, slots=True)
class Case:
    """A matter somebody asked a township to handle."""

    number: str
    matter: Matter
    applicant: Applicant
    channel: str
    status: str
    applied_at: datetime | None
    accepted_at: datetime | None
    promised_on: date | None
    closed_at: datetime | None
    division: str
    organisation: str
    handler: str
    updated_at: datetime
    events: tuple[Event, ...] = ()
    materials: tuple[Submitted, ...] = ()
    results: tuple[Result, ...] = ()


@dataclass(frozen=True, slots=True)
class Window:
    """Where cases are accepted, and who sits there."""

    code: str
    name: str

    @property
    def organisation(self) -> str:
        """Return the service centre's name."""
        return f"{self.name}便民服务中心"


class Docket:
    """Makes the cases that the residents and companies of one township started."""

    def __init__(self, township: Township, others: tuple[Township, ...], seed: int) -> None:
        self._random = Random(f"{seed} cases {township.code}")
        self._here = Window(township.code, township.name)
        self._others = tuple(Window(other.code, other.name) for other in others)
        self._first = township.rank * PER_TOWNSHIP_AT_MOST
        self._clerks = tuple(_clerk(Random(f"{township.code} clerk {i}")) for i in range(6))
        self._of_people = tuple(matter for matter in matters() if matter.for_people)
        self._weights = tuple(matter.weight for matter in self._of_people)
        self._of_companies = tuple(matter for matter in matters() if matter.for_companies)

    def cases(
        self, people: tuple[Person, ...], enterprises: tuple[Enterprise, ...]
    ) -> tuple[Case, ...]:
        """Return one case for about every sixth resident."""
        ages = Ages(people)
        return tuple(
            self._case(index, ages, enterprises)
            for index in range(round(len(people) * PER_RESIDENT))
        )

    def _case(self, index: int, ages: "Ages", enterprises: tuple[Enterprise, ...]) -> Case:
        random = self._random
        if random.random() < _COMPANY_SHARE:
            matter = random.choice(self._of_companies)
            applicant = _company(random, random.choice(enterprises), self._first + index)
        else:
            (matter,) = random.choices(self._of_people, self._weights)
            applicant = _citizen(random, ages.someone(random, *matter.ages))
        (status,) = random.choices(tuple(STATUS_WEIGHTS), tuple(STATUS_WEIGHTS.values()))
        elsewhere = self._others and random.random() < _ELSEWHERE_SHARE
        window = random.choice(self._others) if elsewhere else self._here
        day = working_day(TODAY - timedelta(days=_ago(random, status)))
        number = f"{day:%Y%m%d}{scattered(self._first + index):09}"
        handling = Handling(random, number, matter, window, random.choice(self._clerks))
        return handling.case(applicant, status, min(day, TODAY))


class Ages:
    """Living people by age."""

    def __init__(self, people: tuple[Person, ...]) -> None:
        living = sorted((p.age, p.number, p) for p in people if p.death is None)
        self._ages = [age for age, _, _ in living]
        self._people = [person for _, _, person in living]

    def someone(self, random: Random, youngest: int, oldest: int) -> Person:
        """Return somebody of that age; anybody where there is nobody."""
        first, last = bisect_left(self._ages, youngest), bisect_right(self._ages, oldest)
        return random.choice(self._people[first:last] or self._people)


class Handling:
    """How one case went: from its status back to the steps that led there."""

    def __init__(
        self, random: Random, number: str, matter: Matter, window: Window, handler: str
    ) -> None:
        self._random = random
        self._number = number
        self._matter = matter
        self._window = window
        self._handler = handler

    def case(self, applicant: Applicant, status: str, day: date) -> Case:
        """Return the case with its events, materials and results."""
        bare = self._bare(applicant, status, day)
        return replace(
            bare,
            events=self._events(bare),
            materials=self._materials(),
            results=self._results(bare),
        )

    def _bare(self, applicant: Applicant, status: str, day: date) -> Case:
        random, applied = self._random, office_hour(self._random, day)
        accepted = (
            applied + timedelta(minutes=random.randrange(5, 50)) if status in _ACCEPTED else None
        )
        days = 0 if self._matter.is_immediate else self._matter.promised_working_days
        # One in eight takes longer than was promised.
        taken = random.randint(0, days) if random.random() < 0.875 else days + random.randint(1, 5)
        last = min(after(day, taken), TODAY)
        closed = max(accepted or applied, office_hour(random, last)) if status in _ENDED else None
        return Case(
            number=self._number,
            matter=self._matter,
            applicant=applicant,
            channel=random.choices(("WINDOW", "ONLINE", "COURIER"), (66, 31, 3))[0],
            status=status if random.randrange(_UNKNOWN_IN) else "OTHER",
            applied_at=None if status == "DRAFT" else applied,
            accepted_at=accepted,
            promised_on=after(day, days) if accepted else None,
            closed_at=closed,
            division=self._window.code,
            organisation=self._window.organisation,
            handler=self._handler,
            updated_at=closed or accepted or applied,
        )

    def _events(self, case: Case) -> tuple[Event, ...]:
        steps: list[tuple[str, str, datetime | None, datetime | None]] = [
            ("申请", "提交申请", case.applied_at, case.applied_at),
            ("受理", "受理", case.accepted_at and case.applied_at, case.accepted_at),
            ("审查", "审核", case.accepted_at, case.closed_at),
            ("办结", "办结", case.closed_at, case.closed_at),
        ]
        begun = [(process, name, start, end) for process, name, start, end in steps if start]
        return tuple(
            Event(
                f"{case.number}-{index}", process, name, start, end, case.handler, _note(name, case)
            )
            for index, (process, name, start, end) in enumerate(begun, 1)
        )

    def _materials(self) -> tuple[Submitted, ...]:
        forms = ("ORIGINAL", "COPY", "ELECTRONIC")
        return tuple(
            Submitted(f"{self._number}-{index}", name, self._random.choices(forms, (4, 3, 3))[0], 1)
            for index, name in enumerate(self._matter.materials, 1)
        )

    def _results(self, case: Case) -> tuple[Result, ...]:
        random = self._random
        kind = _RESULTS.get(case.status)
        if kind is None or case.closed_at is None:
            return ()
        if not random.randrange(60):
            kind = "FORWARDED"
        granted = kind == "GRANTED"
        return (
            Result(
                number=f"{case.number}-1",
                kind=kind if random.randrange(_UNKNOWN_IN) else "OTHER",
                decided_on=case.closed_at.date(),
                explanation=_EXPLANATIONS[kind],
                certificate_name=f"{case.matter.name}办理结果通知书" if granted else None,
                certificate_number=f"苏办{case.number}" if granted else None,
                satisfaction=random.choices((5, 4, 3, 1), (80, 14, 4, 2))[0]
                if random.random() < 0.6
                else None,
            ),
        )


def _ago(random: Random, status: str) -> int:
    """Return how many days ago a case began; one still open began lately."""
    return random.randrange(3, _DAYS) if status in _ENDED else random.randrange(0, 28)


def _citizen(random: Random, person: Person) -> Applicant:
    id_number = stored_number(random, person.id_number) if random.random() < 0.99 else None
    return Applicant("PERSON", person.name, id_number, None, person.name, person.phone)


def _company(random: Random, company: Enterprise, serial: int) -> Applicant:
    contact = _clerk(random)
    telephone = phone(_PHONES_OF_COMPANIES + serial)
    return Applicant("COMPANY", company.name, None, company.credit_code, contact, telephone)


def _clerk(random: Random) -> str:
    return full_name(random, surname(random), 1990, female=random.random() < 0.6)


def _note(name: str, case: Case) -> str | None:
    if name == "受理":
        return f"{case.applicant.contact_name}已提交材料，予以受理。"
    return "已告知申请人办理结果。" if name == "办结" else None
