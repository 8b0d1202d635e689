"""
How a core type is written: a Strawberry class whose columns and relations also give its entity.

A column's kind follows from its annotation; its description is Chinese, a bar, then English.
"""

import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, TypeVar, get_type_hints

import strawberry
from strawberry.utils.str_converters import to_camel_case

from contract.entity import UNKNOWN, Entity, Field, Kind, Relationship, Sensitivity
from resolvers.record import Record
from schema.scalars import VALUES

Declared = TypeVar("Declared", bound=type)

_ROWS: Final = {Record}
_KINDS: Final[Mapping[object, Kind]] = {value: kind for kind, value in VALUES.items()}


@dataclass(frozen=True, slots=True)
class Relation:
    """A relationship as a core type declares it; `listed`: a plain list, not a connection."""

    target: str
    description: str
    on: tuple[tuple[str, str], ...]
    many: bool
    listed: bool = False


@dataclass(frozen=True, slots=True)
class Core:
    """What a core type is made of."""

    type: type
    entity: Entity
    relations: Mapping[str, Relation]


def column(
    description: str,
    sensitivity: Sensitivity = Sensitivity.OPEN,
    *,
    unit: str = "",
    name: str | None = None,
) -> Any:
    """Declare a column of a core type."""
    metadata = {"sensitivity": sensitivity, "unit": unit}
    return strawberry.field(name=name, description=description, metadata=metadata)


def to_one(target: str, description: str, **on: str) -> Relation:
    """Declare the one row of `target` whose fields equal this row's: own_field="targetField"."""
    return Relation(target, description, _pairs(on), many=False)


def to_many(target: str, description: str, *, listed: bool = False, **on: str) -> Relation:
    """Declare the rows of `target` whose fields equal this row's: own_field="targetField"."""
    return Relation(target, description, _pairs(on), many=True, listed=listed)


def core(
    description: str, *, key: tuple[str, ...], hidden: tuple[Field, ...] = ()
) -> Callable[[Declared], Declared]:
    """Make a class a core type; `hidden` fields belong to the entity but not to the graph."""

    def declare(cls: Declared) -> Declared:
        relations = {
            to_camel_case(name): value
            for name, value in vars(cls).items()
            if isinstance(value, Relation)
        }
        for name in [name for name, value in vars(cls).items() if isinstance(value, Relation)]:
            delattr(cls, name)
        cls.is_type_of = _RowsOf(cls.__name__)  # type: ignore[attr-defined] # Strawberry looks for it
        declared: Any = strawberry.type(cls, description=description)
        fields = {field.name: field for field in (*hidden, *_fields(declared))}
        entity = Entity(
            cls.__name__,
            types.MappingProxyType(fields),
            key,
            types.MappingProxyType(
                {
                    name: Relationship(
                        name, relation.target, relation.on, relation.many, relation.description
                    )
                    for name, relation in relations.items()
                }
            ),
            description=description,
        )
        declared.__core__ = Core(declared, entity, relations)
        return typing.cast("Declared", declared)

    return declare


def core_of(cls: type) -> Core:
    """Return what a core type was declared with."""
    declared: Core = cls.__core__  # type: ignore[attr-defined] # set by `core`
    return declared


def _pairs(on: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((to_camel_case(own), other) for own, other in on.items())


class _RowsOf:
    """Tells the rows of an entity, which stand for objects of its type, from everything else."""

    def __init__(self, entity: str) -> None:
        self._entity = entity

    def __call__(self, value: object, _: object) -> bool:
        return isinstance(value, Record) and value.entity == self._entity

    def of_all(self, values: list[Any]) -> bool:
        """Return whether all values of a level are such rows."""
        if set(map(type, values)) != _ROWS:
            return False
        first = values[0].layout
        others = [value for value in values if value.layout is not first]
        return first.entity.name == self._entity and all(
            value.entity == self._entity for value in others
        )


def _fields(cls: Any) -> list[Field]:
    hints = get_type_hints(cls)
    return [
        _field(field.python_name, hints[field.python_name], field)
        for field in cls.__strawberry_definition__.fields
        if "sensitivity" in field.metadata
    ]


def _field(name: str, hint: object, declared: Any) -> Field:
    members = [part for part in typing.get_args(hint) if part is not types.NoneType] or [hint]
    value = members[0]
    is_code = isinstance(value, type) and issubclass(value, Enum)
    codes = tuple(member.name for member in value if member.name != UNKNOWN) if is_code else ()
    return Field(
        to_camel_case(name.rstrip("_")),
        Kind.CODE if is_code else _KINDS[value],
        declared.description or "",
        nullable=types.NoneType in typing.get_args(hint),
        sensitivity=declared.metadata["sensitivity"],
        unit=declared.metadata["unit"],
        codes=codes,
    )
