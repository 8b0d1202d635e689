"""What departments expose: entities, their fields and how they hang together."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

UNKNOWN: Final = "UNKNOWN"
"""The canonical code of a native code that no mapping knows."""


class Kind(StrEnum):
    """The type of a field's values; every source gives exactly these Python types."""

    STRING = "string"  # str
    INTEGER = "integer"  # int
    DECIMAL = "decimal"  # Decimal; money is in yuan with two places
    BOOLEAN = "boolean"  # bool
    DATE = "date"  # datetime.date
    DATETIME = "datetime"  # datetime.datetime, UTC
    CODE = "code"  # str, one of Field.codes or UNKNOWN
    DIVISION = "division"  # str, the significant digits of a division code


class Sensitivity(StrEnum):
    """How far a field may go without a policy line of its own."""

    OPEN = "open"
    PERSONAL = "personal"
    RESTRICTED = "restricted"


@dataclass(frozen=True, slots=True)
class Field:
    """One value of an entity's rows."""

    name: str
    kind: Kind
    description: str = ""
    nullable: bool = True
    sensitivity: Sensitivity = Sensitivity.OPEN
    unit: str = ""
    codes: tuple[str, ...] = ()
    code_labels: tuple[str, ...] = ()  # what people call each code; as many as codes, or none
    restates: tuple[str, ...] = ()  # fields it says the same as: "Entity.field"

    @property
    def labels(self) -> Mapping[str, str]:
        """Return what people call each code; the code itself where nobody said."""
        return dict(zip(self.codes, self.code_labels or self.codes, strict=True))


@dataclass(frozen=True, slots=True)
class Relationship:
    """Rows of another entity whose fields equal this row's; null relates to nothing."""

    name: str
    target: str
    on: tuple[tuple[str, str], ...]  # (own field, field of the target)
    many: bool = False
    description: str = ""
    own_fields: tuple[str, ...] = field(init=False, repr=False, compare=False)
    target_fields: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "own_fields", tuple(own for own, _ in self.on))
        object.__setattr__(self, "target_fields", tuple(other for _, other in self.on))


@dataclass(frozen=True, slots=True)
class Entity:
    """
    A kind of row.

    `key` is the owner's own surrogate and gives identity and the default order. `subject` names the
    relationship to the person the row speaks of: a facet's permission follows it. `as_of` names the
    field that says when the row was last changed.
    """

    name: str
    fields: Mapping[str, Field]
    key: tuple[str, ...]
    relationships: Mapping[str, Relationship] = field(default_factory=lambda: MappingProxyType({}))
    subject: str | None = None
    description: str = ""
    as_of: str = ""

    @property
    def required(self) -> frozenset[str]:
        """Return the fields that are never null."""
        return frozenset(field.name for field in self.fields.values() if not field.nullable)
