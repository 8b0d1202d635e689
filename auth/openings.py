"""
What is opened of one person for a purpose and a time, behind the masks of a role.

An opening never adds a role: it is given under one, shows what the policy lets that role reveal for
the purpose, and nothing of anybody else. The person's number is clear in memory alone.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from contract.entity import Entity

RESIDENT: Final = "Resident"
CASE: Final = "Case"
NUMBER: Final = "idNumber"
CASE_NUMBER: Final = "number"

CITIZEN_NUMBER: Final = re.compile(r"[0-9]{17}[0-9X]")


class Purpose(StrEnum):
    """What fields may be revealed for."""

    CASE = "case"
    EMERGENCY = "emergency"
    WINDOW = "window"


BEYOND: Final = (Purpose.CASE, Purpose.WINDOW)
"""The purposes for which a person may be opened who is outside the rows of the role."""


@dataclass(frozen=True, slots=True)
class Opening:
    """
    One person's record, opened under the role at place `held` of the principal.

    `fields` are written `Entity.field`. `inside`: only where the rows of the role are, and all the
    role shows goes with it; else the person's rows wherever they are. `until`: seconds since 1970.
    """

    subject: str = field(repr=False)
    purpose: Purpose
    held: int
    fields: frozenset[str]
    until: float
    inside: bool = False
    basis: str = field(default="", repr=False)
    case: str = ""
    id: str = ""

    @property
    def is_narrow(self) -> bool:
        """Return whether nothing of what the role shows goes with it, but for what is open."""
        return self.purpose is Purpose.CASE and not self.inside

    def names(self, entity: Entity) -> frozenset[str]:
        """Return the fields that are opened of the entity."""
        return frozenset(name for name in entity.fields if f"{entity.name}.{name}" in self.fields)

    def speaks_of(self, entity: Entity) -> bool:
        """Return whether rows of the entity are opened; the person's own always are."""
        is_case = entity.name == CASE and self.case != "" and self.inside
        is_way = entity.name == RESIDENT or is_case
        return is_way or (entity.name != CASE and bool(self.names(entity)))


def person_field(entity: Entity) -> str | None:
    """Return the field with the number of the person whose rows these are, where they are one's."""
    if entity.name == RESIDENT:
        return NUMBER if NUMBER in entity.fields else None
    subject = entity.relationships.get(entity.subject or "")
    if subject is None or subject.target != RESIDENT or subject.target_fields != (NUMBER,):
        return None
    return subject.own_fields[0]
