"""
The stand-in of the social security system: letter codes, six-digit divisions, account money in fen.

A person has a number of the system's own; a view joins insurance with person and employer. Cases
are in a table of business handled, with times as text and as milliseconds.
"""

from collections.abc import Iterator
from typing import Final

from demo.case_keeping import kept
from demo.cases import Case
from demo.identifiers import card
from demo.insurance import SocialInsurance
from demo.province import Records
from demo.service_platform import milliseconds
from demo.tables import Layout, Row, Table, padded_division

_KIND: Final = {
    "EMPLOYEE_PENSION": "110",
    "RESIDENT_PENSION": "170",
    "UNEMPLOYMENT": "210",
    "WORK_INJURY": "410",
    "OTHER": "199",
}
_STATE: Final = {"ACTIVE": "1", "SUSPENDED": "2", "ENDED": "4", "OTHER": "9"}
_CASE_STATE: Final = {
    "DRAFT": 0,
    "SUBMITTED": 1,
    "PRECHECK_RETURNED": 2,
    "RECEIVED": 3,
    "CORRECTION": 4,
    "ACCEPTED": 5,
    "SUSPENDED": 6,
    "APPROVED": 7,
    "REJECTED": 8,
    "CLOSED": 9,
    "NOT_ACCEPTED": -1,
    "WITHDRAWN": -2,
    "TERMINATED": -3,
    "OTHER": 99,
}
_CHANNEL: Final = {"WINDOW": "11", "ONLINE": "12", "COURIER": "19"}


def _people(records: Records) -> Iterator[Row]:
    insured = {row.insured.number: row.insured for row in records.social_insurances}
    for person in insured.values():
        sex = "2" if person.female else "1"
        yield person.number, person.id_number, person.name, sex, person.county


def _insurances(records: Records) -> Iterator[Row]:
    return map(_insurance, records.social_insurances)


def _insurance(row: SocialInsurance) -> Row:
    return (
        row.number,
        row.insured.number,
        _KIND[row.kind],
        _STATE[row.state],
        row.employer and row.employer.number,
        int(f"{row.started:%Y%m%d}"),
        row.ended and f"{row.ended:%Y%m}",
        row.handled_at.isoformat(" "),
        card(row.card),
        None if row.base is None else float(row.base),
        int(row.balance * 100),
        row.months,
        "1" if row.retired else "0",
        row.insured.county,
    )


def _enterprises(records: Records) -> Iterator[Row]:
    for company in records.enterprises:
        yield (
            company.number,
            company.credit_code,
            company.name,
            company.kind,
            padded_division(company.division),
            company.established.isoformat(),
            company.address,
            company.headcount,
        )


def _cases(records: Records) -> Iterator[Row]:
    return map(_case, kept(records, "social_security"))


def _case(case: Case) -> Row:
    applicant = case.applicant
    return (
        case.number,
        case.matter.code,
        applicant.id_number,
        applicant.name,
        "2" if applicant.kind == "COMPANY" else "1",
        applicant.contact_phone,
        _CHANNEL[case.channel],
        _CASE_STATE[case.status],
        case.applied_at and case.applied_at.isoformat(" "),
        case.accepted_at and milliseconds(case.accepted_at),
        int(f"{case.promised_on:%Y%m%d}") if case.promised_on else 0,
        case.closed_at and case.closed_at.isoformat(" "),
        padded_division(case.division),
        case.organisation,
        case.handler,
        case.updated_at.isoformat(" "),
    )


LAYOUT: Final = Layout(
    tables=(
        Table(
            "AC01",
            ("AAC001 TEXT PRIMARY KEY", "AAC002 TEXT", "AAC003 TEXT", "AAC004 TEXT", "AAA027 TEXT"),
            _people,
        ),
        Table(
            "AC02",
            (
                *("AAZ159 TEXT PRIMARY KEY", "AAC001 TEXT", "AAE140 TEXT", "AAC008 TEXT"),
                *("AAB001 TEXT", "AAC030 INTEGER", "AAE042 TEXT", "AAE036 TEXT", "AAE010 TEXT"),
                *("AAC040 REAL", "AAE240 INTEGER", "AAE201 INTEGER", "AAC084 TEXT", "AAA027 TEXT"),
            ),
            _insurances,
        ),
        Table(
            "AB01",
            (
                *("AAB001 TEXT PRIMARY KEY", "AAB998 TEXT", "AAB004 TEXT", "AAB019 TEXT"),
                *("AAB301 TEXT", "AAE047 TEXT", "AAE006 TEXT", "AAB083 INTEGER"),
            ),
            _enterprises,
        ),
        Table(
            "AZ02",
            (
                *("AAZ002 TEXT PRIMARY KEY", "AAA121 TEXT", "AAC002 TEXT", "AAC003 TEXT"),
                *("AAC058 TEXT", "AAE005 TEXT", "AAA131 TEXT", "AAE016 INTEGER", "AAE127 TEXT"),
                *("AAE128 INTEGER", "AAE031 INTEGER", "AAE129 TEXT", "AAB301 TEXT"),
                *("AAE017 TEXT", "AAE011 TEXT", "AAE036 TEXT"),
            ),
            _cases,
        ),
    ),
    afterwards=(
        "CREATE INDEX AC01_AAC002 ON AC01 (AAC002)",
        "CREATE INDEX AC02_AAC001 ON AC02 (AAC001)",
        "CREATE INDEX AB01_AAB301 ON AB01 (AAB301, AAB001)",
        "CREATE INDEX AB01_AAB998 ON AB01 (AAB998)",
        "CREATE INDEX AZ02_AAB301 ON AZ02 (AAB301, AAZ002)",
        "CREATE INDEX AZ02_AAC002 ON AZ02 (AAC002, AAZ002)",
        "CREATE INDEX AZ02_AAA121 ON AZ02 (AAA121, AAZ002)",
        "CREATE INDEX AZ02_AAE016 ON AZ02 (AAE016, AAZ002)",
        "CREATE INDEX AZ02_AAE127 ON AZ02 (AAE127, AAZ002)",
        "CREATE INDEX AZ02_AAE128 ON AZ02 (AAE128, AAZ002)",
        "CREATE VIEW V_AC02 AS SELECT AC02.*, AC01.AAC002, AC01.AAC003, AB01.AAB004 FROM AC02"
        " JOIN AC01 ON AC01.AAC001 = AC02.AAC001 LEFT JOIN AB01 ON AB01.AAB001 = AC02.AAB001",
    ),
)
