"""
The stand-in of the health system: records of chronic disease and support for planned families.

Columns are English abbreviations; days are native dates, months `yyyymm`, money whole fen. Places
are in the Statistics Bureau's codes, some of them of zones that no other list knows.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from typing import Final

from demo import scene
from demo.bureau import bureau_township, written
from demo.identifiers import scattered
from demo.people import Person
from demo.province import Records
from demo.stored import padded_name, stored_number
from demo.tables import Layout, Row, Table, padded_division
from demo.working_days import TODAY, working_day

_NAME_WIDTH: Final = 24
_SHARE_OF_OLD: Final = 0.7
_SHARE_OF_OTHERS: Final = 0.12
_OLD: Final = 60
_DISEASES: Final = ("HTN", "DM2", "COPD", "CHD", "STROKE", "NONE")
_BLOOD: Final = ("A", "B", "O", "AB")
_SUPPORT_FROM: Final = 60
_SUPPORT_SHARE: Final = 0.2
_UNKNOWN_IN: Final = 250
_SUPPORTS: Final = {"01": 144_000, "02": 1_062_000, "03": 816_000}
_RESERVED: Final = 999_999_940


def _archives(records: Records) -> Iterator[Row]:
    random = Random(f"{records.seed} health {records.township.code}")
    if records.township.code == scene.TOWNSHIP:
        yield _of_scene(scene.HEAD, "HTN", date(2026, 9, 15))
        yield _of_scene(scene.GRANDSON, "NONE", date(2026, 5, 20))
    for person in records.people:
        likely = _SHARE_OF_OLD if person.age >= _OLD else _SHARE_OF_OTHERS
        if person.household != scene.HOUSEHOLD.number and random.random() < likely:
            # Apart from the other values, which stay as they are.
            chance = Random(f"{records.seed} health {records.township.code} {person.serial}")
            area = written(chance, records.township.code, person.village)
            yield _archive(random, person, area)


def _archive(random: Random, person: Person, area: str) -> Row:
    old = person.age >= _OLD
    weights = (40, 16, 6, 8, 4, 26) if old else (6, 3, 1, 1, 0, 89)
    (disease,) = random.choices(_DISEASES, weights)
    last = person.death or TODAY
    seen = working_day(last - timedelta(days=random.randrange(1, 400)))
    return (
        f"HA{scattered(person.serial):09}",
        padded_name(random, person.name, _NAME_WIDTH),
        stored_number(random, person.id_number),
        random.choice(_BLOOD) if random.randrange(_UNKNOWN_IN) else "U",
        disease if random.randrange(_UNKNOWN_IN) else "OTH",
        max(person.birth, seen - timedelta(days=random.randrange(200, 4_000))),
        max(person.birth, seen),
        max(person.birth, seen) + timedelta(days=90) if disease != "NONE" else None,
        area,
        "C" if person.death else "A",
    )


def _of_scene(person: Person, disease: str, seen: date) -> Row:
    return (
        f"HA{_RESERVED + person.serial}",
        person.name,
        person.id_number,
        "O",
        disease,
        date(2016, 3, 8),
        seen,
        seen + timedelta(days=90) if disease != "NONE" else None,
        padded_division(bureau_township(scene.TOWNSHIP)),
        "A",
    )


def _supports(records: Records) -> Iterator[Row]:
    random = Random(f"{records.seed} family planning {records.township.code}")
    if records.township.code == scene.TOWNSHIP:
        since = "201304"
        yield f"FP{_RESERVED}", scene.HEAD.id_number, "01", since, 144_000, "1", date(2026, 6, 30)
    for person in records.people:
        aged = person.age >= _SUPPORT_FROM and person.occupation == "RETIRED" and not person.death
        if aged and person.household != scene.HOUSEHOLD.number and random.random() < _SUPPORT_SHARE:
            yield _support(random, person)


def _support(random: Random, person: Person) -> Row:
    (kind,) = random.choices(tuple(_SUPPORTS), (92, 4, 4))
    sixty = person.birth.year + _SUPPORT_FROM
    return (
        f"FP{scattered(person.serial):09}",
        stored_number(random, person.id_number),
        kind if random.randrange(_UNKNOWN_IN) else "88",
        f"{min(sixty, TODAY.year)}{random.randint(1, 9):02}",
        _SUPPORTS[kind],
        "1" if random.random() < 0.97 else "0",
        date(TODAY.year, 6, 30),
    )


LAYOUT: Final = Layout(
    tables=(
        Table(
            "ehr_archive",
            (
                *("arc_no varchar(12)", "pat_name varchar(60)", "id_card varchar(18)"),
                *("blood_type varchar(2)", "chr_code varchar(8)", "est_date date"),
                *("fu_date date", "fu_next date", "org_area varchar(12)", "arc_stat varchar(1)"),
            ),
            _archives,
        ),
        Table(
            "fp_support",
            (
                *("sup_no varchar(12)", "id_card varchar(18)", "sup_kind varchar(2)"),
                *("from_ym varchar(6)", "year_amt integer", "sup_stat varchar(1)"),
                "paid_date date",
            ),
            _supports,
        ),
    ),
    afterwards=(
        "ALTER TABLE ehr_archive ADD PRIMARY KEY (arc_no)",
        "CREATE INDEX ehr_archive_id_card ON ehr_archive (id_card)",
        "ALTER TABLE fp_support ADD PRIMARY KEY (sup_no)",
        "CREATE INDEX fp_support_id_card ON fp_support (id_card)",
    ),
)
