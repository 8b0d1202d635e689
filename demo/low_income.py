"""
What the cities' low-income monitoring platform holds: households, their members, risk warnings.

Most households on assistance are on it, and some that nobody has applied for; the platform itself
is a process apart.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Final

from demo import scene
from demo.people import Household, Person
from demo.province import Records
from demo.stored import stored_number
from demo.tables import Layout, Row, Table
from demo.working_days import TODAY, office_hour, working_day

_KNOWN_SHARE: Final = 0.9
"""Of the households on assistance: the rest is not there yet, as the exchange is monthly."""
_FOUND_SHARE: Final = 0.008
"""Of all other households: found through medical expenses or unemployment, never applied."""
_LIFTED_SHARE: Final = 0.08
_UNDOCUMENTED_IN: Final = 150
_CATEGORY: Final = {
    "URBAN_MINIMUM_ALLOWANCE": "MINIMUM_LIVING",
    "RURAL_MINIMUM_ALLOWANCE": "MINIMUM_LIVING",
    "URBAN_DESTITUTE": "SPECIAL_HARDSHIP",
    "RURAL_DESTITUTE": "SPECIAL_HARDSHIP",
    "MARGINAL": "MARGINAL",
    "RIGID_EXPENDITURE": "RIGID_EXPENDITURE",
}
_LEVELS: Final = ("RED", "ORANGE", "YELLOW", "GREEN")
_METHODS: Final = ("DOOR_VISIT", "ECONOMIC_CHECK", "VIDEO_CALL")
_WARNINGS: Final = {
    "MEDICAL_EXPENSE": "近三个月个人负担医疗费用较高",
    "UNEMPLOYMENT": "家庭主要劳动力停保超过三个月",
    "INCOME_DROP": "申报收入较上次核查明显下降",
    "DISASTER": "住房或生产因灾受损",
    "UNREPORTED_ASSETS": "核对发现未申报的车辆或存款",
}


@dataclass(frozen=True, slots=True)
class Monitored:
    """A household on the platform, as it was last verified."""

    household: Household
    head: Person
    certificate: str
    category: str
    level: str
    state: str
    income: float | None
    verified: date | None
    method: str | None
    warnings: int
    warning: str | None
    warned: date | None
    updated: date

    @property
    def archive(self) -> str:
        """Return the platform's own number of the household."""
        return f"LI{self.household.number[1:]}"


def monitored(records: Records) -> Iterator[Monitored]:
    """Yield the township's households on the platform."""
    random = Random(f"{records.seed} low income {records.township.code}")
    on_record = {
        row.head_id_number.upper(): _CATEGORY[row.kind]
        for row in records.assistances
        if row.state == "ACTIVE" and row.kind in _CATEGORY
    }
    for household in records.households:
        if household.number == scene.HOUSEHOLD.number:
            yield _of_the_scene()
        elif household.head is not None:
            category = _category(random, on_record.get(household.head.id_number))
            if category:
                yield _monitored(random, household, household.head, category)


def _category(random: Random, on_record: str | None) -> str | None:
    chance = random.random()
    if on_record is None:
        found = random.choice(("POVERTY_RISK", "LOW_INCOME"))
        return found if chance < _FOUND_SHARE else None
    if chance >= _KNOWN_SHARE:
        return None
    return on_record if random.randrange(_UNDOCUMENTED_IN) else "OTHER_HARDSHIP"


def _monitored(random: Random, household: Household, head: Person, category: str) -> Monitored:
    level = random.choices(_LEVELS, (4, 12, 34, 50))[0]
    verified = working_day(TODAY - timedelta(days=random.randrange(3, 400)))
    warnings = 0 if level == "GREEN" else random.randint(1, 3)
    warned = working_day(TODAY - timedelta(days=random.randrange(2, 90))) if warnings else None
    is_verified = random.random() < 0.95
    return Monitored(
        household=household,
        head=head,
        certificate=stored_number(random, head.id_number),
        category=category,
        level=level,
        state="LIFTED" if random.random() < _LIFTED_SHARE else "MONITORED",
        income=_income(random, category),
        verified=verified if is_verified else None,
        method=random.choice(_METHODS) if is_verified else None,
        warnings=warnings,
        warning=random.choice(tuple(_WARNINGS)) if warnings else None,
        warned=warned,
        updated=max(verified, warned or verified),
    )


def _income(random: Random, category: str) -> float | None:
    if random.random() < 0.06:
        return None
    most = {"SPECIAL_HARDSHIP": 60_000, "MINIMUM_LIVING": 240_000}.get(category, 480_000)
    return random.randrange(most) / 100


def _of_the_scene() -> Monitored:
    day = date(2026, 10, 12)
    return Monitored(
        household=scene.HOUSEHOLD,
        head=scene.HEAD,
        certificate=scene.HEAD.id_number,
        category="MINIMUM_LIVING",
        level="ORANGE",
        state="MONITORED",
        income=1860.5,
        verified=day,
        method="DOOR_VISIT",
        warnings=2,
        warning="MEDICAL_EXPENSE",
        warned=date(2026, 10, 19),
        updated=date(2026, 10, 19),
    )


def _households(records: Records) -> Iterator[Row]:
    for row in monitored(records):
        random = Random(row.archive)
        yield (
            row.archive,
            row.household.number,
            row.head.name,
            row.certificate,
            f"{records.township.code[:4]}00",
            records.township.code,
            row.category,
            row.level,
            row.state,
            row.household.size,
            row.income,
            row.verified and row.verified.isoformat(),
            row.method,
            row.warnings,
            row.warning,
            row.warned and _moment(random, row.warned),
            row.warning and _WARNINGS[row.warning],
            _moment(random, row.updated),
        )


def _persons(records: Records) -> Iterator[Row]:
    for row in monitored(records):
        random = Random(f"{row.archive} persons")
        alive = [person for person in row.household.members if person.death is None]
        for person in alive:
            is_head = person is row.head
            yield (
                f"LP{person.number[1:]}",
                row.archive,
                row.certificate if is_head else stored_number(random, person.id_number),
                person.name,
                int(is_head),
                _capacity(random, person),
                None if row.income is None else round(row.income / len(alive), 2),
            )


def _capacity(random: Random, person: Person) -> str:
    if not 16 <= person.age < 60:
        return "NONE"
    return random.choices(("FULL", "WEAK", "NONE"), (60, 28, 12))[0]


def _moment(random: Random, day: date) -> str:
    return f"{office_hour(random, day).isoformat()}+08:00"


LAYOUT: Final = Layout(
    tables=(
        Table(
            "household",
            (
                *("archive_no TEXT PRIMARY KEY", "register_no TEXT", "head_name TEXT"),
                *("head_certificate_no TEXT", "city_code TEXT", "area_code TEXT"),
                *("category TEXT", "alert_level TEXT", "state TEXT", "member_count INTEGER"),
                *("declared_monthly_income REAL", "verified_on TEXT", "verification_method TEXT"),
                *("open_warnings INTEGER", "warning_type TEXT", "warned_at TEXT"),
                *("warning_message TEXT", "updated_at TEXT"),
            ),
            _households,
        ),
        Table(
            "person",
            (
                *("person_no TEXT PRIMARY KEY", "archive_no TEXT", "certificate_no TEXT"),
                *("name TEXT", "is_head INTEGER", "labor_capacity TEXT", "monthly_income REAL"),
            ),
            _persons,
        ),
    ),
    afterwards=(
        "CREATE INDEX household_head ON household (head_certificate_no)",
        "CREATE UNIQUE INDEX household_register ON household (register_no)",
        "CREATE INDEX person_certificate ON person (certificate_no)",
        "CREATE INDEX person_archive ON person (archive_no)",
    ),
)
