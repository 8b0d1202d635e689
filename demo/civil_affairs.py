"""
The stand-in of the civil affairs system: numbered columns, months as yyyymm, payments in fen.

The same statements run on MariaDB and on PostgreSQL.
"""

from collections.abc import Iterator
from typing import Final

from demo.assistance import Assistance
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
        ),
        afterwards=(
            "CREATE INDEX axdf_axdf0004 ON axdf (axdf0004)",
            "CREATE INDEX axdf_abax9999 ON axdf (abax9999, axdf0001)",
            "CREATE INDEX abaf_axdf0001 ON abaf (axdf0001)",
            "CREATE VIEW v_abaf AS SELECT abaf.*, axdf.axdf0004, axdf.abax6002, axdf.abax9999"
            " FROM abaf JOIN axdf ON axdf.axdf0001 = abaf.axdf0001",
        ),
    )
