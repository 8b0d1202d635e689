"""
The stand-in of the civil affairs system: numbered columns, months as yyyymm, payments in fen.

Cases have days as yyyymmdd, zeros for none, and names filled up with blanks.

The same statements run on MariaDB and on PostgreSQL.
"""

from collections.abc import Iterator
from typing import Final

from demo.assistance import Assistance
from demo.case_keeping import kept
from demo.cases import Case
from demo.province import Records
from demo.tables import Layout, Row, Table

SCHEMA: Final = "civil"
_KIND: Final = {
    "URBAN_MINIMUM_ALLOWANCE": "110",
    "RURAL_MINIMUM_ALLOWANCE": "120",
    "URBAN_DESTITUTE": "131",
    "RURAL_DESTITUTE": "132",
    "TEMPORARY": "500",
    "MARGINAL": "600",
    "RIGID_EXPENDITURE": "650",
    "OTHER": "999",
}
_STATE: Final = {"ACTIVE": "1", "ENDED": "3"}
_CASE_STATE: Final = {
    "DRAFT": ("00",),
    "SUBMITTED": ("10",),
    "PRECHECK_RETURNED": ("11",),
    "RECEIVED": ("12",),
    "CORRECTION": ("13",),
    "ACCEPTED": ("20", "21", "22"),
    "SUSPENDED": ("29",),
    "APPROVED": ("30",),
    "REJECTED": ("31",),
    "CLOSED": ("40", "41"),
    "NOT_ACCEPTED": ("51",),
    "WITHDRAWN": ("52",),
    "TERMINATED": ("53",),
    "OTHER": ("77",),
}
_CHANNEL: Final = {"WINDOW": "A", "ONLINE": "B", "COURIER": "C"}
_APPLICANT: Final = {"PERSON": "1", "COMPANY": "2"}
_NAME_WIDTH: Final = 20
_PADDED_IN: Final = 12
_NEVER: Final = "00000000"


def _grants(records: Records) -> Iterator[Row]:
    return map(_grant, records.assistances)


def _grant(row: Assistance) -> Row:
    return (
        row.number,
        row.head_name,
        row.head_id_number,
        row.members,
        row.address,
        row.phone,
        _KIND[row.kind],
        _STATE[row.state],
        row.division,
        row.approved,
        row.ended,
        row.monthly,
        row.updated_at,
    )


def _payments(records: Records) -> Iterator[Row]:
    for row in records.assistances:
        for payment in row.payments:
            yield (
                payment.number,
                row.number,
                f"{payment.first_month:%Y%m}",
                f"{payment.last_month:%Y%m}",
                int(payment.amount * 100),
                payment.paid_on.isoformat(),
            )


def _cases(records: Records) -> Iterator[Row]:
    return map(_case, kept(records, "civil_affairs"))


def _case(case: Case) -> Row:
    chance, applicant = int(case.number[-5:]), case.applicant
    states = _CASE_STATE[case.status]
    name = applicant.name.ljust(_NAME_WIDTH) if not chance % _PADDED_IN else applicant.name
    return (
        case.number,
        name,
        _APPLICANT[applicant.kind],
        applicant.id_number,
        case.matter.code,
        applicant.contact_name,
        applicant.contact_phone,
        _CHANNEL[case.channel],
        states[chance % len(states)],
        case.applied_at,
        case.accepted_at,
        f"{case.promised_on:%Y%m%d}" if case.promised_on else _NEVER,
        case.closed_at and case.closed_at.isoformat(" "),
        case.division,
        case.organisation,
        case.handler,
        case.updated_at,
    )


_AFTERWARDS: Final = (
    "CREATE INDEX axdf_axdf0004 ON axdf (axdf0004)",
    "CREATE INDEX axdf_abax9999 ON axdf (abax9999, axdf0001)",
    "CREATE INDEX abaf_axdf0001 ON abaf (axdf0001)",
    "CREATE INDEX axbj_abax9999 ON axbj (abax9999, axbj0001)",
    "CREATE INDEX axbj_axbj0004 ON axbj (axbj0004, axbj0001)",
    "CREATE INDEX axbj_axbj0005 ON axbj (axbj0005, axbj0001)",
    "CREATE INDEX axbj_axbj0013 ON axbj (axbj0013, axbj0001)",
    "CREATE INDEX axbj_axbj0021 ON axbj (axbj0021, axbj0001)",
    "CREATE INDEX axbj_axbj0022 ON axbj (axbj0022, axbj0001)",
    "CREATE VIEW v_abaf AS SELECT abaf.*, axdf.axdf0004, axdf.abax6002, axdf.abax9999"
    " FROM abaf JOIN axdf ON axdf.axdf0001 = abaf.axdf0001",
)


def layout(moment: str) -> Layout:
    """Return the system's tables; `moment` is the engine's type for a time without a zone."""
    return Layout(
        tables=(
            Table(
                "axdf",
                (
                    *("axdf0001 varchar(20) PRIMARY KEY", "axdf0002 varchar(60)"),
                    *("axdf0004 varchar(18)", "axdf0005 integer", "axdf0008 varchar(200)"),
                    *("axdf0011 varchar(20)", "abax6002 varchar(3)", "axdf0040 varchar(1)"),
                    *("abax9999 varchar(12)", "axdf0021 date", "axdf0022 date"),
                    *("axdf0030 decimal(12,2)", f"azzx0014 {moment}"),
                ),
                _grants,
            ),
            Table(
                "abaf",
                (
                    *("abaf0001 varchar(24) PRIMARY KEY", "axdf0001 varchar(20)"),
                    *("abaf0028 varchar(6)", "abaf0029 varchar(6)", "abaf0030 bigint"),
                    "abaf0031 varchar(10)",
                ),
                _payments,
            ),
            Table(
                "axbj",
                (
                    *("axbj0001 varchar(20) PRIMARY KEY", "axbj0002 varchar(60)"),
                    *("axbj0003 varchar(1)", "axbj0004 varchar(18)", "axbj0005 varchar(12)"),
                    *("axbj0010 varchar(60)", "axbj0011 varchar(20)", "axbj0012 varchar(1)"),
                    *("axbj0013 varchar(2)", f"axbj0021 {moment}", f"axbj0022 {moment}"),
                    *("axbj0023 varchar(8)", "axbj0024 varchar(19)", "abax9999 varchar(12)"),
                    *("axbj0031 varchar(100)", "axbj0032 varchar(60)", f"azzx0014 {moment}"),
                ),
                _cases,
            ),
        ),
        afterwards=_AFTERWARDS,
    )
