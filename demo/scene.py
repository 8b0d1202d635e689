"""
The family the documentation speaks of: 锡北镇, on minimum living allowance, the same in every demo.

Its numbers are reserved: no seed and no number of residents changes a value of it.
"""

from datetime import date, datetime, time
from decimal import Decimal
from random import Random
from typing import Final

from demo.assistance import Assistance, payments
from demo.cases import Applicant, Case, Handling, Window
from demo.catalogue import MINIMUM_ALLOWANCE, TEMPORARY_ASSISTANCE, matter_named
from demo.identifiers import NOWHERE, PHONE_MARK, RESERVED, citizen_number
from demo.insurance import Insured, MedicalEnrollment, SocialInsurance
from demo.people import Household, Person

TOWNSHIP: Final = "320205106"
VILLAGE: Final = "320205106204"
_HERE: Final = Window(TOWNSHIP, "锡北镇")
_NEIGHBOUR: Final = Window("320205107", "东港镇")
_ADDRESS: Final = "江苏省无锡市锡山区锡北镇斗山村6组18号"
_FORMER_ADDRESS: Final = "江苏省无锡市锡山区锡北镇斗山村6组16号"
_PLACE: Final = f"32{NOWHERE}00"
_RESERVED_KEY: Final = 999_999_940
_HANDLER: Final = "尤晓敏"


def _person(
    index: int, name: str, relation: str, born: tuple[date, bool], occupation: str
) -> Person:
    birth, female = born
    sequence = RESERVED + 2 * index + (0 if female else 1)
    return Person(
        number=f"R{_RESERVED_KEY + index}",
        id_number=citizen_number(_PLACE, birth, sequence),
        name=name,
        female=female,
        nation="01",
        birth=birth,
        household=f"H{_RESERVED_KEY}",
        relation=relation,
        registered=TOWNSHIP,
        residence=TOWNSHIP,
        village=VILLAGE,
        address=_ADDRESS,
        phone=f"{PHONE_MARK}0000000{index}" if occupation != "STUDENT" else None,
        death=date(2024, 1, 15) if name == "尤根大" else None,
        occupation=occupation,
        serial=index,
    )


HEAD: Final = _person(1, "华桂英", "HEAD", (date(1953, 4, 12), True), "RETIRED")
SPOUSE: Final = _person(2, "尤根大", "SPOUSE", (date(1949, 8, 20), False), "RETIRED")
SON: Final = _person(3, "尤建明", "SON", (date(1976, 6, 3), False), "NONE")
GRANDSON: Final = _person(4, "尤子轩", "GRANDCHILD", (date(2012, 9, 1), False), "STUDENT")
HOUSEHOLD: Final = Household(
    number=HEAD.household,
    kind="FAMILY",
    head=HEAD,
    members=(HEAD, SPOUSE, SON, GRANDSON),
    township=TOWNSHIP,
    village=VILLAGE,
    address=_ADDRESS,
)


def social_insurances() -> tuple[SocialInsurance, ...]:
    """Return the residents' pensions of the head, who draws hers, and of her son, who stopped."""
    return (
        _pension(HEAD, "ACTIVE", date(2010, 1, 1), Decimal("6840.50")),
        _pension(SON, "SUSPENDED", date(2012, 5, 1), Decimal("9120.00")),
    )


def medical_enrollments() -> tuple[MedicalEnrollment, ...]:
    """Return everybody's enrolment in residents' medical insurance."""
    started = {HEAD: date(2010, 1, 1), SON: date(2012, 1, 1), GRANDSON: date(2013, 1, 1)}
    return tuple(
        MedicalEnrollment(
            insured=_insured("8", person),
            kind="RESIDENT",
            state="ACTIVE",
            started=since,
            employer=None,
            balance=None,
            updated_at=_at(date(2026, 1, 5)),
        )
        for person, since in started.items()
    )


def assistances() -> tuple[Assistance, ...]:
    """Return the minimum living allowance and the temporary assistance of the household."""
    allowance, temporary, _ = cases()
    return (
        _assistance(1, "RURAL_MINIMUM_ALLOWANCE", allowance, Decimal(1180)),
        _assistance(2, "TEMPORARY", temporary, Decimal(3000)),
    )


def cases() -> tuple[Case, ...]:
    """Return the head's cases: two closed at home, one open in the township next door."""
    return (
        _case(1, MINIMUM_ALLOWANCE, "CLOSED", date(2026, 3, 2)),
        _case(2, TEMPORARY_ASSISTANCE, "CLOSED", date(2026, 9, 7)),
        _case(3, "社会保障卡申领补换", "ACCEPTED", date(2026, 10, 26)),
    )


def _at(day: date) -> datetime:
    return datetime.combine(day, time(9, 15))


def _insured(system: str, person: Person) -> Insured:
    number = f"{system}{person.number[1:]}"
    return Insured(number, person.id_number, person.name, person.female, TOWNSHIP[:6])


def _pension(person: Person, state: str, started: date, balance: Decimal) -> SocialInsurance:
    insured = _insured("3", person)
    return SocialInsurance(
        number=f"{insured.number}1",
        insured=insured,
        kind="RESIDENT_PENSION",
        state=state,
        retired=person is HEAD,
        employer=None,
        started=started,
        ended=None,
        handled_at=_at(date(2026, 1, 8)),
        base=None,
        balance=balance,
        months=120,
        card=person.serial,
    )


def _assistance(index: int, kind: str, case: Case, amount: Decimal) -> Assistance:
    closed = case.closed_at or case.updated_at
    number, approved = f"A{_RESERVED_KEY + index}", closed.date()
    ended = approved if kind == "TEMPORARY" else None
    return Assistance(
        number=number,
        head_name=HEAD.name,
        head_id_number=HEAD.id_number,
        members=HOUSEHOLD.size,
        address=_ADDRESS if kind != "TEMPORARY" else _FORMER_ADDRESS,
        phone=HEAD.phone,
        kind=kind,
        state="ENDED" if ended else "ACTIVE",
        division=TOWNSHIP,
        approved=approved,
        ended=ended,
        monthly=amount,
        updated_at=closed,
        payments=payments(number, approved, ended, amount),
    )


def _case(index: int, matter: str, status: str, day: date) -> Case:
    window = _NEIGHBOUR if status == "ACCEPTED" else _HERE
    number = f"{day:%Y%m%d}{_RESERVED_KEY + index}"
    applicant = Applicant("PERSON", HEAD.name, HEAD.id_number, None, SON.name, SON.phone)
    handling = Handling(Random(number), number, matter_named(matter), window, _HANDLER)
    return handling.case(applicant, status, day)
