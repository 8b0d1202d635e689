"""Households on assistance: the grants by kind, and what was paid month by month."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Final

from demo.identifiers import phone, scattered
from demo.people import Household, Person
from demo.stored import padded_name, stored_number
from demo.working_days import TODAY, office_hour, working_day

LOW_INCOME_SHARE: Final = 0.02
_NAME_WIDTH: Final = 20
_OUTDATED_IN: Final = 12  # one telephone in so many was never brought up to date
_SHORT_IN: Final = 7  # and one address in so many begins with the township
_OLD_PHONES: Final = 800_000_000
_PAYMENTS_KEPT: Final = 12
_GRANTS_PER_HOUSEHOLD: Final = 4

MONTHLY_YUAN: Final = {
    "URBAN_MINIMUM_ALLOWANCE": (400, 1_200),
    "RURAL_MINIMUM_ALLOWANCE": (350, 1_150),
    "URBAN_DESTITUTE": (1_500, 1_950),
    "RURAL_DESTITUTE": (1_400, 1_900),
    "MARGINAL": (0, 0),
    "RIGID_EXPENDITURE": (0, 300),
    "TEMPORARY": (500, 6_000),
}
"""Kinds of assistance and what is paid: per month, for temporary assistance once."""


@dataclass(frozen=True, slots=True)
class Payment:
    """Money paid for the months from and to, both included."""

    number: str
    first_month: date
    last_month: date
    amount: Decimal
    paid_on: date


@dataclass(frozen=True, slots=True)
class Assistance:
    """One kind of assistance granted to a household, on record under its head."""

    number: str
    head_name: str
    head_id_number: str
    members: int
    address: str
    phone: str | None
    kind: str
    state: str
    division: str
    approved: date
    ended: date | None
    monthly: Decimal
    updated_at: datetime
    payments: tuple[Payment, ...]


class CivilAffairs:
    """Grants assistance to the households of one township."""

    def __init__(self, random: Random, *, urban: bool) -> None:
        self._random = random
        self._prefix = "URBAN" if urban else "RURAL"

    def assistances(self, household: Household) -> Iterator[Assistance]:
        """Yield what the household gets; nothing for 98 in 100."""
        head = household.head
        if head is None or self._random.random() >= LOW_INCOME_SHARE:
            return
        for index, kind in enumerate(self._kinds(household)):
            yield self._assistance(
                household, head, kind, head.serial * _GRANTS_PER_HOUSEHOLD + index
            )

    def _kinds(self, household: Household) -> tuple[str, ...]:
        chance = self._random.random()
        if household.size == 1 and chance < 0.25:
            return (f"{self._prefix}_DESTITUTE",)
        allowance = f"{self._prefix}_MINIMUM_ALLOWANCE"
        regular = (
            allowance if chance < 0.7 else self._random.choice(("MARGINAL", "RIGID_EXPENDITURE"))
        )
        return (regular, "TEMPORARY") if self._random.random() < 0.3 else (regular,)

    def _assistance(self, household: Household, head: Person, kind: str, serial: int) -> Assistance:
        random = self._random
        approved = working_day(TODAY - timedelta(days=random.randrange(30, 1_500)))
        ended = _end(random, approved) if kind != "TEMPORARY" else approved
        monthly = (
            Decimal(random.randint(*MONTHLY_YUAN[kind])) if kind in MONTHLY_YUAN else Decimal(0)
        )
        number = f"A{scattered(serial):09}"
        return Assistance(
            number=number,
            head_name=padded_name(random, head.name, _NAME_WIDTH),
            head_id_number=stored_number(random, head.id_number),
            members=household.size,
            address=_address(household, serial),
            phone=head.phone if scattered(serial) % _OUTDATED_IN else phone(_OLD_PHONES + serial),
            kind=kind if random.randrange(200) else "OTHER",
            state="ENDED" if ended else "ACTIVE",
            division=household.township,
            approved=approved,
            ended=ended,
            monthly=monthly,
            updated_at=office_hour(random, ended or approved),
            payments=payments(number, approved, ended, monthly),
        )


def _address(household: Household, serial: int) -> str:
    if scattered(serial) % _SHORT_IN:
        return household.address
    return household.address.rpartition("区")[2] or household.address


def payments(
    number: str, approved: date, ended: date | None, monthly: Decimal
) -> tuple[Payment, ...]:
    """Return the last year's payments: month by month, or one for what ended as it was approved."""
    if not monthly:
        return ()
    if ended == approved:
        return (Payment(f"{number}-00", _month(approved), _month(approved), monthly, approved),)
    last = _month(ended or TODAY)
    month, found = _next(approved), list[Payment]()
    while month <= last:
        paid_on = working_day(month.replace(day=10))
        found.append(Payment(f"{number}-{month:%y%m}", month, month, monthly, paid_on))
        month = _next(month)
    return tuple(found[-_PAYMENTS_KEPT:])


def _end(random: Random, approved: date) -> date | None:
    days = (TODAY - approved).days
    return approved + timedelta(days=random.randrange(1, days)) if random.random() < 0.2 else None


def _month(day: date) -> date:
    return day.replace(day=1)


def _next(day: date) -> date:
    return _month(_month(day) + timedelta(days=31))
