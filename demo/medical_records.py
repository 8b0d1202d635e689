"""What the stand-in of the medical insurance service holds; the service is a process apart."""

from collections.abc import Iterator
from typing import Final

from demo.insurance import MedicalEnrollment
from demo.province import Records
from demo.service_platform import milliseconds
from demo.tables import Layout, Row, Table

_KIND: Final = {"EMPLOYEE": "310", "RESIDENT": "390", "OTHER": "391"}
_STATE: Final = {"ACTIVE": "1", "SUSPENDED": "2", "ENDED": "4"}


def _enrollments(records: Records) -> Iterator[Row]:
    return map(_enrollment, records.medical_enrollments)


def _enrollment(row: MedicalEnrollment) -> Row:
    return (
        row.insured.number,
        row.insured.id_number,
        row.insured.name,
        "2" if row.insured.female else "1",
        _KIND[row.kind],
        _STATE[row.state],
        f"{row.started:%Y%m%d}",
        row.employer,
        None if row.balance is None else f"{row.balance:.2f}",
        row.insured.county,
        milliseconds(row.updated_at),
    )


LAYOUT: Final = Layout(
    tables=(
        Table(
            "psn_insu",
            (
                *("psn_no TEXT", "certno TEXT", "psn_name TEXT", "gend TEXT", "insutype TEXT"),
                *("psn_insu_stas TEXT", "psn_insu_date TEXT", "emp_name TEXT", "balc TEXT"),
                *("insuplc_admdvs TEXT", "updt_time INTEGER"),
            ),
            _enrollments,
        ),
    ),
    afterwards=(
        "CREATE UNIQUE INDEX psn_insu_key ON psn_insu (psn_no, insutype)",
        "CREATE INDEX psn_insu_certno ON psn_insu (certno)",
    ),
)
