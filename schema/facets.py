"""Types of the facets: department records that a mapping file alone declares."""

from collections.abc import Mapping
from typing import Any, Optional

import strawberry
from strawberry.utils.str_converters import to_snake_case

from contract.entity import Entity, Field, Kind
from schema.codes import made_code_set
from schema.scalars import VALUES


def facet_type(entity: Entity, enums: Mapping[tuple[str, str], Any]) -> Any:
    """Return the type of a facet, every field of it nullable: a system may always leave one out."""
    cls: Any = type(entity.name, (), {"__annotations__": {}})
    for field in entity.fields.values():
        attribute = to_snake_case(field.name)
        value = enums[entity.name, field.name] if field.kind is Kind.CODE else VALUES[field.kind]
        cls.__annotations__[attribute] = Optional[value]
        setattr(cls, attribute, strawberry.field(name=field.name, description=_described(field)))
    return strawberry.type(cls, description=entity.description)


def facet_enums(entity: Entity) -> dict[tuple[str, str], Any]:
    """Return an enum for each code field of a facet."""
    return {
        (entity.name, field.name): made_code_set(
            f"{entity.name}{field.name[0].upper()}{field.name[1:]}",
            field.description,
            field.labels,
        )
        for field in entity.fields.values()
        if field.kind is Kind.CODE
    }


def _described(field: Field) -> str:
    return f"{field.description} ({field.unit})" if field.unit else field.description
