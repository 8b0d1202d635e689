"""
The stand-in of the tax service's record of residents' contributions: pages, dates in epoch ms.

What a resident paid is a text in yuan, what the state added a whole number of fen. Places are in
the codes of the Statistics Bureau.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Final

from demo import scene
from demo.bureau import bureau_township, written
from demo.identifiers import scattered
from demo.insurance import Insured
from demo.province import Records
from demo.rest_stand_in import Question, Service
from demo.stored import stored_number
from demo.tables import Layout, Row, Table
from demo.working_days import TODAY, working_day

_YEARS: Final = (TODAY.year - 1, TODAY.year)
_MEDICAL_YUAN: Final = {2025: 400, 2026: 430}
_MEDICAL_SUBSIDY_FEN: Final = 70_000
_PENSION_YUAN: Final = (100, 300, 500, 1_000, 2_000, 3_000)
_PER_PERSON: Final = 8
_RESERVED: Final = 999_999_940
_UNKNOWN_IN: Final = 300
_CHANNELS: Final = ("01", "02", "03")
_EXEMPT_SHARE: Final = 0.03
_COLUMNS: Final = (
    *("SPUUID", "SFZJHM", "XM", "ZSPM", "SKND", "SJJE", "ZFBT", "JFSJ", "JFQD", "SWJG", "SSXZ"),
)


@dataclass(frozen=True, slots=True)
class _Payment:
    number: str
    id_number: str
    name: str
    kind: str
    year: int
    yuan: int
    subsidy: int
    paid: date


def _payments(records: Records) -> Iterator[Row]:
    seed, township = records.seed, records.township.code
    for payment in _made(records):
        # Apart from the other values, which stay as they are.
        chance = Random(f"{seed} tax {township} {payment.number}")
        zoned = payment.number[2:] < str(_RESERVED)
        place = written(chance, township, None) if zoned else bureau_township(township)
        yield _row(payment, bureau_township(township)[:6], place[:9])


def _made(records: Records) -> Iterator[_Payment]:
    random = Random(f"{records.seed} tax {records.township.code}")
    if records.township.code == scene.TOWNSHIP:
        yield from _of_scene()
    family = frozenset(member.number[1:] for member in scene.HOUSEHOLD.members)
    serials = {person.number[1:]: person.serial for person in records.people}
    for row in records.medical_enrollments:
        number = row.insured.number[1:]
        if row.kind == "RESIDENT" and row.state == "ACTIVE" and number not in family:
            yield from _medical(random, serials[number], row.insured)
    for social in records.social_insurances:
        number = social.insured.number[1:]
        pays = social.kind == "RESIDENT_PENSION" and not social.retired
        if pays and number not in family:
            yield _pension(random, serials[number], social.insured)


def _medical(random: Random, serial: int, insured: Insured) -> Iterator[_Payment]:
    exempt = random.random() < _EXEMPT_SHARE
    for index, year in enumerate(_YEARS):
        full = _MEDICAL_YUAN[year]
        yield _Payment(
            f"SP{scattered(serial * _PER_PERSON + index):09}",
            stored_number(random, insured.id_number.upper()),
            insured.name,
            "10212",
            year,
            0 if exempt else full,
            _MEDICAL_SUBSIDY_FEN + (full * 100 if exempt else 0),
            working_day(date(year - 1, 10, 8) + timedelta(days=random.randrange(70))),
        )


def _pension(random: Random, serial: int, insured: Insured) -> _Payment:
    return _Payment(
        f"SP{scattered(serial * _PER_PERSON + len(_YEARS)):09}",
        stored_number(random, insured.id_number.upper()),
        insured.name,
        "10210" if random.randrange(_UNKNOWN_IN) else "10299",
        TODAY.year,
        random.choice(_PENSION_YUAN),
        random.choice((3_000, 6_000, 9_000)),
        working_day(date(TODAY.year, 3, 1) + timedelta(days=random.randrange(200))),
    )


def _of_scene() -> Iterator[_Payment]:
    """Yield what the scene's family paid for medical insurance; the head is exempt since 2026."""
    for place, person in enumerate((scene.HEAD, scene.SON, scene.GRANDSON)):
        for index, year in enumerate(_YEARS):
            exempt = person is scene.HEAD and year == TODAY.year
            yield _Payment(
                f"SP{_RESERVED + len(_YEARS) * place + index}",
                person.id_number,
                person.name,
                "10212",
                year,
                0 if exempt else _MEDICAL_YUAN[year],
                _MEDICAL_SUBSIDY_FEN + (_MEDICAL_YUAN[year] * 100 if exempt else 0),
                date(year - 1, 11, 12),
            )


def _row(payment: _Payment, county: str, township: str) -> Row:
    moment = datetime.combine(payment.paid, time(2, 30), UTC)
    return (
        payment.number,
        payment.id_number,
        payment.name,
        payment.kind,
        str(payment.year),
        f"{payment.yuan:.2f}",
        payment.subsidy,
        int(moment.timestamp()) * 1000,
        _CHANNELS[int(payment.number[-1]) % len(_CHANNELS)],
        county,
        township,
    )


LAYOUT: Final = Layout(
    tables=(
        Table(
            "SBF_JFXX",
            (
                *("SPUUID TEXT PRIMARY KEY", "SFZJHM TEXT", "XM TEXT", "ZSPM TEXT", "SKND TEXT"),
                *("SJJE TEXT", "ZFBT INTEGER", "JFSJ INTEGER", "JFQD TEXT", "SWJG TEXT"),
                "SSXZ TEXT",
            ),
            _payments,
        ),
    ),
    afterwards=("CREATE INDEX SBF_JFXX_SFZJHM ON SBF_JFXX (SFZJHM)",),
)
SERVICE: Final = Service(
    questions={
        "/sbf/jfxx": Question(
            table="SBF_JFXX",
            columns=_COLUMNS,
            key="SPUUID",
            parameters={
                "sfzjhm": ("SFZJHM", "in"),
                "zspm": ("ZSPM", "in"),
                "sknd": ("SKND", "in"),
            },
            needs=("sfzjhm",),
            paging=("page", "pageNo", "pageSize"),
            rows="result.list",
            total="result.totalCount",
            most_rows=200,
            most_values=100,
            envelope={"returnCode": "00"},
        )
    },
    style="header",
    header="X-Tax-Token",
)
