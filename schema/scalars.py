"""Scalars of the graph beyond GraphQL's own."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final, NewType

import strawberry
from strawberry.schema.types.base_scalars import (
    DateDefinition,
    DateTimeDefinition,
    DecimalDefinition,
)
from strawberry.types.scalar import ScalarDefinition

from contract.entity import Kind

DivisionCode = NewType("DivisionCode", str)

SCALARS: Final[dict[object, ScalarDefinition]] = {
    DivisionCode: strawberry.scalar(
        name="DivisionCode",
        description=(
            "区划代码的有效位:省2位、市4位、县6位、乡镇9位、村12位。"
            " | Significant digits of a division code: province 2, city 4, county 6, township 9,"
            " village 12."
        ),
        serialize=str,
        parse_value=str,
    ),
    date: replace(DateDefinition, description="日期,如 2026-05-01 | A date, as 2026-05-01"),
    datetime: replace(
        DateTimeDefinition,
        description=(
            "时间,一律为世界时,如 2026-05-01T00:30:00+00:00;提交时须带时区"
            " | A time, always UTC in answers; send it with an offset"
        ),
    ),
    Decimal: replace(
        DecimalDefinition,
        description="十进制数,写作文本,不丢精度 | A decimal number, as text to lose no digit",
    ),
}
"""Which scalar a Python type is in the graph."""

VALUES: Final[Mapping[Kind, Any]] = MappingProxyType(
    {
        Kind.STRING: str,
        Kind.INTEGER: int,
        Kind.DECIMAL: Decimal,
        Kind.BOOLEAN: bool,
        Kind.DATE: date,
        Kind.DATETIME: datetime,
        Kind.DIVISION: DivisionCode,
    }
)
"""Which Python type a field's values have in the graph; codes have an enum of their own."""
