"""Medical enrolments at a REST system: five odd rows, how they are mapped and asked for."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from contract.entity import Entity, Field, Kind
from contract.errors import SourceFailure
from contract.predicate import (
    INVALID,
    TRUE,
    Predicate,
)
from contract.read import ForEach, Read
from sources.codec import calendar, code, division, money, text
from sources.declaration import (
    Budget,
    Codec,
    Column,
    Department,
    Endpoint,
    MappedEntity,
    Paging,
)
from sources.rest import RestSource
from tests.loopback import Loopback, serving
from tests.servers import Department as Stub
from tests.servers import Fault

ENROLMENTS: tuple[dict[str, object], ...] = (
    {"psn_no": "P1", "certno": "A", "insutype": "310", "balc": "12.30", "day": "20240229"},
    {"psn_no": "P2", "certno": "B", "insutype": "390", "balc": None, "day": ""},
    {"psn_no": "P3", "certno": "B", "insutype": "311", "balc": "0", "day": "20240230"},
    {"psn_no": "P4", "certno": "C", "insutype": "999", "balc": "-1", "day": None},
    {"psn_no": "P5", "certno": "D", "insutype": "310", "balc": "7", "day": "00000000"},
)
CODES: Mapping[object, str] = {"310": "EMPLOYEE", "311": "EMPLOYEE", "390": "RESIDENT"}
FIELDS = ("number", "idNumber", "kind", "balance", "startedOn")
ROWS = (
    ("P1", "A", "EMPLOYEE", Decimal("12.30"), date(2024, 2, 29)),
    ("P2", "B", "RESIDENT", None, None),
    ("P3", "B", "EMPLOYEE", Decimal("0.00"), INVALID),
    ("P4", "C", "UNKNOWN", Decimal("-1.00"), None),
    ("P5", "D", "EMPLOYEE", Decimal("7.00"), None),
)
ENDPOINT = Endpoint(
    path="/psn/insu",
    by_key={"idNumber": ("certno", 2)},
    rows="output.rows",
    total="output.total",
    answered="output.answered",
    success=(("infcode", 0),),
    scan=True,
)
PAGES: dict[str, Paging] = {
    "page": Paging("page", "pageNum", "pageSize", size=2),
    "offset": Paging("offset", "offset", "limit", size=2, first=0),
    "cursor": Paging("cursor", "cursor", "limit", size=2, next="output.next"),
}


def column(
    name: str, native: str, codec: Codec, kind: Kind = Kind.STRING, *, nullable: bool = True
) -> Column:
    return Column(Field(name, kind, nullable=nullable), native, codec)


COLUMNS = {
    "number": column("number", "psn_no", text(), nullable=False),
    "idNumber": column("idNumber", "certno", text(), nullable=False),
    "kind": column("kind", "insutype", code(CODES), Kind.CODE),
    "balance": column("balance", "balc", money("yuan"), Kind.DECIMAL),
    "startedOn": column("startedOn", "day", calendar("yyyymmdd"), Kind.DATE),
}


def mapped(endpoint: Endpoint | None, columns: Mapping[str, Column] = COLUMNS) -> MappedEntity:
    fields = {name: column.field for name, column in columns.items()}
    return MappedEntity(Entity("Enrolment", fields, ("number",)), "", columns, endpoint=endpoint)


@asynccontextmanager
async def asking(
    loopback: Loopback,
    endpoint: Endpoint = ENDPOINT,
    columns: Mapping[str, Column] = COLUMNS,
    **options: Any,
) -> AsyncIterator[RestSource]:
    department = Department(
        name="medical_insurance",
        title="医保信息平台",
        department="医保",
        kind="rest",
        url=loopback.url,
        entities={"Enrolment": mapped(endpoint, columns)},
        **{"budget": Budget(seconds=5.0, bytes=1_000_000), **options},
    )
    source = RestSource(department)
    try:
        yield source
    finally:
        await source.aclose()


async def answered(
    stub: Stub, read: Read, endpoint: Endpoint = ENDPOINT, **options: Any
) -> list[tuple[object, ...]]:
    async with serving(stub) as loopback, asking(loopback, endpoint, **options) as source:
        rows = await source.read(read)
    assert rows.fields == read.fields
    return list(rows.rows)


async def failed(
    stub: Stub, read: Read, endpoint: Endpoint = ENDPOINT, **options: Any
) -> SourceFailure:
    async with serving(stub) as loopback, asking(loopback, endpoint, **options) as source:
        with pytest.raises(SourceFailure) as caught:
            await source.read(read)
    return caught.value


def by_key(*keys: str, fields: tuple[str, ...] = FIELDS, where: Predicate = TRUE) -> Read:
    return Read(
        "Enrolment", fields, where, for_each=ForEach(("idNumber",), tuple((k,) for k in keys))
    )


def scan(where: Predicate = TRUE, fields: tuple[str, ...] = FIELDS) -> Read:
    return Read("Enrolment", fields, where)


def stub(fault: Fault = Fault.NONE) -> Stub:
    return Stub(ENROLMENTS, fault)


PARAMETERS = {
    ("kind", "eq"): "insutype",
    ("kind", "in"): "insutypes",
    ("balance", "gte"): "least",
    ("startedOn", "lt"): "before",
    ("number", "startsWith"): "prefix",
    ("number", "contains"): "part",
    ("balance", "isNull"): "unpaid",
    ("area", "within"): "area",
}
AREA = {"area": column("area", "area", division(6), Kind.DIVISION)}
