"""
The stand-in of the housing fund centre: pinyin columns, signed requests, offsets.

Bases and monthly payments are texts in yuan, balances whole numbers of fen.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from typing import Final

from demo import scene
from demo.insurance import SocialInsurance
from demo.province import Records
from demo.rest_stand_in import Question, Service
from demo.stored import padded_name, stored_number
from demo.tables import Layout, Row, Table
from demo.working_days import TODAY, office_hour, working_day

_SHARE: Final = 0.75
_SEALED_SHARE: Final = 0.06
_CLOSED_SHARE: Final = 0.02
_UNKNOWN_IN: Final = 400
_NAME_WIDTH: Final = 16
_PERCENTS: Final = (5, 8, 10, 12)
_COLUMNS: Final = (
    *("GRZH", "XINGMING", "ZJHM", "DWMC", "GRJCJS", "GRYJCE", "GRZHYE", "GRZHZT"),
    *("KHRQ", "JZNY", "GXSJ"),
)
_SON: Final = (
    *("3202000099990", scene.SON.name, scene.SON.id_number, "无锡市锡山区华泰纺织有限公司"),
    *("3200.00", "512.00", 2_874_630, "02", "20030901", "201204", "2012-05-08 10:15:00"),
)


def _accounts(records: Records) -> Iterator[Row]:
    random = Random(f"{records.seed} housing fund {records.township.code}")
    if records.township.code == scene.TOWNSHIP:
        yield _SON
    for row in records.social_insurances:
        if row.number.endswith("1") and row.employer and row.base and random.random() < _SHARE:
            yield _account(random, row)


def _account(random: Random, row: SocialInsurance) -> Row:
    state = _state(random)
    last = TODAY if state == "01" else TODAY - timedelta(days=random.randrange(60, 1_500))
    monthly = (row.base or 0) * 2 * random.choice(_PERCENTS) / 100
    months = max(1, (last - row.started).days // 31)
    return (
        f"3202{row.insured.number[1:]}",
        padded_name(random, row.insured.name, _NAME_WIDTH),
        stored_number(random, row.insured.id_number.upper()),
        row.employer and row.employer.name,
        f"{row.base:.2f}",
        f"{monthly:.2f}",
        int(monthly * 100) * months * random.randrange(20, 100) // 100,
        state,
        f"{row.started:%Y%m%d}",
        f"{max(row.started, _month_before(last)):%Y%m}",
        f"{office_hour(random, working_day(last)):%Y-%m-%d %H:%M:%S}",
    )


def _state(random: Random) -> str:
    if not random.randrange(_UNKNOWN_IN):
        return "09"
    chance = random.random()
    if chance < _CLOSED_SHARE:
        return "03"
    return "02" if chance < _CLOSED_SHARE + _SEALED_SHARE else "01"


def _month_before(day: date) -> date:
    return day.replace(day=1) - timedelta(days=1)


LAYOUT: Final = Layout(
    tables=(
        Table(
            "GRZHXX",
            (
                *("GRZH TEXT PRIMARY KEY", "XINGMING TEXT", "ZJHM TEXT", "DWMC TEXT"),
                *("GRJCJS TEXT", "GRYJCE TEXT", "GRZHYE INTEGER", "GRZHZT TEXT"),
                *("KHRQ TEXT", "JZNY TEXT", "GXSJ TEXT"),
            ),
            _accounts,
        ),
    ),
    afterwards=("CREATE INDEX GRZHXX_ZJHM ON GRZHXX (ZJHM)",),
)
SERVICE: Final = Service(
    questions={
        "/gjj/grzh": Question(
            table="GRZHXX",
            columns=_COLUMNS,
            key="GRZH",
            parameters={"ZJHM": ("ZJHM", "in"), "GRZHZT": ("GRZHZT", "in")},
            needs=("ZJHM",),
            paging=("offset", "start", "limit"),
            rows="data.rows",
            total="data.total",
            most_rows=100,
            most_values=50,
            envelope={"success": True, "message": ""},
        )
    },
    style="hmac",
    header="X-GJJ-Sign",
    key="township-graph",
)
