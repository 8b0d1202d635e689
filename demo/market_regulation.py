"""
The stand-in of the market regulation registry: upper-case columns, cursors, all enterprises.

It knows every company of the social security system, and the shops that employ nobody. Dates of
establishment are `yyyymmdd`, validity of licences is ISO text. Cases have times of three kinds, and
an empty text for a time that has not come.
"""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from random import Random
from typing import Final

from demo.case_keeping import kept
from demo.cases import Case
from demo.enterprises import Enterprise
from demo.identifiers import NOWHERE, scattered
from demo.province import Records
from demo.rest_stand_in import Question, Service
from demo.service_platform import milliseconds
from demo.tables import Layout, Row, Table, padded_division
from demo.working_days import TODAY

_FOOD: Final = ("食品", "餐饮", "农业", "面馆", "小吃", "超市")
_STATES: Final = {"ACTIVE": "1", "REVOKED": "2", "CANCELLED": "4"}
_CASE_STATES: Final = {
    "DRAFT": ("DRAFT",),
    "SUBMITTED": ("SUBMIT",),
    "PRECHECK_RETURNED": ("RETURN",),
    "RECEIVED": ("RECEIVE",),
    "CORRECTION": ("SUPPLEMENT",),
    "ACCEPTED": ("ACCEPT",),
    "SUSPENDED": ("SUSPEND",),
    "APPROVED": ("APPROVE",),
    "REJECTED": ("REFUSE",),
    "CLOSED": ("FINISH", "ARCHIVE"),
    "NOT_ACCEPTED": ("NOACCEPT",),
    "WITHDRAWN": ("WITHDRAW",),
    "TERMINATED": ("STOP",),
    "OTHER": ("TRANSFER",),
}
_CHANNELS: Final = {"WINDOW": "WINDOW", "ONLINE": "NET", "COURIER": "POST"}
_APPLICANTS: Final = {"PERSON": "P", "COMPANY": "E"}
_UNKNOWN_IN: Final = 250
_VALID_DAYS: Final = 5 * 365
_SCOPES: Final = {
    "有限责任公司": "技术服务；货物进出口；普通货物仓储服务",
    "股份有限公司": "生产、销售；技术研发；货物进出口",
    "个人独资企业": "加工、制造、销售",
    "农民专业合作社": "农产品的生产、销售、加工、运输、贮藏",
    "个体工商户": "零售；餐饮服务",
}


def _enterprises(records: Records) -> Iterator[Row]:
    random = Random(f"{records.seed} registry {records.township.code}")
    for company in (*records.enterprises, *records.shops):
        yield (
            company.credit_code,
            registration(company),
            company.name,
            company.kind,
            f"{company.established:%Y%m%d}",
            padded_division(company.division),
            company.address,
            _scope(company),
            _state(random),
        )


def _licences(records: Records) -> Iterator[Row]:
    random = Random(f"{records.seed} licences {records.township.code}")
    for company in (*records.enterprises, *records.shops):
        if not any(word in company.name for word in _FOOD):
            continue
        granted = max(company.established, TODAY - timedelta(days=random.randrange(2_200)))
        until = granted + timedelta(days=_VALID_DAYS)
        yield (
            f"JY132{NOWHERE}{company.number[1:]}",
            company.credit_code,
            company.name,
            "1,2" if random.random() < 0.6 else "1",
            granted.isoformat(),
            until.isoformat(),
            "1" if until >= TODAY else "3",
            padded_division(company.division[:6]),
        )


def _cases(records: Records) -> Iterator[Row]:
    return map(_case, kept(records, "market_regulation"))


def _case(case: Case) -> Row:
    applicant, states = case.applicant, _CASE_STATES[case.status]
    return (
        case.number,
        case.matter.code,
        _APPLICANTS[applicant.kind],
        applicant.name,
        applicant.id_number,
        applicant.contact_name,
        applicant.contact_phone,
        _CHANNELS[case.channel],
        states[int(case.number[-5:]) % len(states)],
        case.applied_at.isoformat(" ") if case.applied_at else "",
        f"{case.accepted_at.isoformat()}+08:00" if case.accepted_at else "",
        case.promised_on.isoformat() if case.promised_on else "",
        case.closed_at and milliseconds(case.closed_at),
        padded_division(case.division),
        case.organisation,
        case.handler,
        case.updated_at.isoformat(" "),
    )


def registration(company: Enterprise) -> str:
    """Return the 15 digits under which a company is registered."""
    return f"32{NOWHERE}{company.number[1:]}{scattered(int(company.number[1:])) % 100:02}"


def _scope(company: Enterprise) -> str:
    food = "食品经营；" if any(word in company.name for word in _FOOD) else ""
    return food + _SCOPES[company.kind]


def _state(random: Random) -> str:
    if not random.randrange(_UNKNOWN_IN):
        return "7"
    return _STATES[random.choices(tuple(_STATES), (94, 2, 4))[0]]


LAYOUT: Final = Layout(
    tables=(
        Table(
            "E_BASEINFO",
            (
                *("UNISCID TEXT", "REGNO TEXT PRIMARY KEY", "ENTNAME TEXT", "ENTTYPE TEXT"),
                *("ESTDATE TEXT", "REGORG TEXT", "DOM TEXT", "OPSCOPE TEXT", "REGSTATE TEXT"),
            ),
            _enterprises,
        ),
        Table(
            "E_FOODLIC",
            (
                *("LICNO TEXT PRIMARY KEY", "UNISCID TEXT", "ENTNAME TEXT", "LICITEM TEXT"),
                *("VALFROM TEXT", "VALTO TEXT", "LICSTATE TEXT", "LICANTH TEXT"),
            ),
            _licences,
        ),
        Table(
            "E_CASEINFO",
            (
                *("CASENO TEXT PRIMARY KEY", "ITEMCODE TEXT", "APPTYPE TEXT", "APPNAME TEXT"),
                *("CERNO TEXT", "LINKMAN TEXT", "TEL TEXT", "APPWAY TEXT", "CASESTATE TEXT"),
                *("APPTIME TEXT", "ACCTIME TEXT", "PROMDATE TEXT", "ENDTIME INTEGER"),
                *("ACCORG TEXT", "ACCORGNAME TEXT", "HANDLER TEXT", "LASTTIME TEXT"),
            ),
            _cases,
        ),
    ),
    afterwards=(
        "CREATE UNIQUE INDEX E_BASEINFO_UNISCID ON E_BASEINFO (UNISCID)",
        "CREATE INDEX E_BASEINFO_REGORG ON E_BASEINFO (REGORG, REGNO)",
        "CREATE INDEX E_FOODLIC_UNISCID ON E_FOODLIC (UNISCID)",
        "CREATE INDEX E_CASEINFO_ACCORG ON E_CASEINFO (ACCORG, CASENO)",
        "CREATE INDEX E_CASEINFO_CERNO ON E_CASEINFO (CERNO, CASENO)",
        "CREATE INDEX E_CASEINFO_ITEMCODE ON E_CASEINFO (ITEMCODE, CASENO)",
        "CREATE INDEX E_CASEINFO_CASESTATE ON E_CASEINFO (CASESTATE, CASENO)",
        "CREATE INDEX E_CASEINFO_APPTIME ON E_CASEINFO (APPTIME, CASENO)",
    ),
)
_QUESTION: Final = partial(
    Question,
    paging=("cursor", "CURSOR", "PAGESIZE"),
    rows="DATA.LIST",
    total="DATA.TOTAL",
    following="DATA.NEXT",
    most_rows=500,
    envelope={"CODE": "200"},
)
SERVICE: Final = Service(
    questions={
        "/ent/baseinfo": _QUESTION(
            table="E_BASEINFO",
            columns=LAYOUT.tables[0].names,
            key="REGNO",
            parameters={
                "REGNO": ("REGNO", "in"),
                "UNISCID": ("UNISCID", "in"),
                "REGORG": ("REGORG", "in"),
                "REGORGUNDER": ("REGORG", "under"),
                "ENTTYPE": ("ENTTYPE", "in"),
                "ENTNAME": ("ENTNAME", "contains"),
            },
        ),
        "/ent/foodlic": _QUESTION(
            table="E_FOODLIC",
            columns=LAYOUT.tables[1].names,
            key="LICNO",
            parameters={"UNISCID": ("UNISCID", "in"), "LICSTATE": ("LICSTATE", "in")},
            needs=("UNISCID",),
        ),
        "/ent/caseinfo": _QUESTION(
            table="E_CASEINFO",
            columns=LAYOUT.tables[2].names,
            key="CASENO",
            parameters={
                "CASENO": ("CASENO", "in"),
                "CERNO": ("CERNO", "in"),
                "ITEMCODE": ("ITEMCODE", "in"),
                "ACCORG": ("ACCORG", "in"),
                "ACCORGUNDER": ("ACCORG", "under"),
                "CASESTATE": ("CASESTATE", "in"),
                "APPTIMEFROM": ("APPTIME", "from"),
                "APPTIMETO": ("APPTIME", "to"),
            },
        ),
    },
    style="header",
    header="X-App-Token",
)
