"""Scalars of the graph beyond GraphQL's own."""

from typing import Final, NewType

import strawberry
from strawberry.types.scalar import ScalarDefinition

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
    )
}
"""Which scalar a Python type is in the graph."""
