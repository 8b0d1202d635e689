"""Worlds by chance: few people in few places, so that everything meets; nulls and broken values."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from random import Random
from typing import Final, TypeAlias

from contract.entity import Entity, Field, Kind
from contract.predicate import INVALID
from tests.graph import graph_entities
from tests.world import BENNIU, DONGHU, XIBEI, id_number

Row: TypeAlias = dict[str, object]
World: TypeAlias = Mapping[str, Sequence[Row]]

NAMES: Final = ("Resident", "Household", "Case", "CaseEvent", "Enterprise", "MedicalEnrollment")
ENTITIES: Final[Mapping[str, Entity]] = {
    name: entity for name, entity in graph_entities().items() if name in NAMES
}
KEYS: Final[Mapping[str, str]] = {name: entity.key[0] for name, entity in ENTITIES.items()}
PLACES: Final = (
    *(f"{township}{village}" for township in (XIBEI, DONGHU, BENNIU) for village in ("001", "002")),
    XIBEI,
    BENNIU,
    "320205",
    "3202",
    "3401",
)
DEPARTMENTS: Final = ("民政", "医保", "人社")
TEXTS: Final = ("张一", "欧阳二", "a", "A ", "", "𠮷三", "x1")
VALUES: Final[Mapping[Kind, tuple[object, ...]]] = {
    Kind.STRING: TEXTS,
    Kind.INTEGER: (1, 2, 3),
    Kind.DECIMAL: (Decimal("0.00"), Decimal("20.50"), Decimal("100.00")),
    Kind.DATE: (date(1950, 1, 1), date(1980, 2, 29), date(2024, 2, 29)),
    Kind.DATETIME: (
        datetime(2026, 1, 3, 1, 30, tzinfo=UTC),
        datetime(2026, 1, 5, tzinfo=UTC),
        datetime(2026, 1, 20, 8, tzinfo=UTC),
    ),
}
OWN_VALUES: Final[Mapping[str, tuple[object, ...]]] = {
    "matterCode": ("320000030001", "320000030003"),
    "department": DEPARTMENTS,
    "idNumber": tuple(map(id_number, range(16))),
    "headIdNumber": tuple(map(id_number, range(16))),
    "applicantIdNumber": tuple(map(id_number, range(16))),
    "phone": tuple(f"1990000{serial:04d}" for serial in range(6)),
    "contactPhone": tuple(f"1990000{serial:04d}" for serial in range(6)),
    "householdNumber": tuple(f"H{serial:02}" for serial in range(7)),
    "caseNumber": tuple(f"C{serial:02}" for serial in range(9)),
    "village": PLACES[:6],
}
COUNTS: Final = {
    "Resident": 14,
    "Household": 6,
    "Case": 9,
    "CaseEvent": 9,
    "Enterprise": 4,
    "MedicalEnrollment": 9,
}
_BROKEN: Final = frozenset({Kind.DATE, Kind.DATETIME})
"""Kinds whose values may be broken in every kind of source."""


def values_of(field: Field) -> tuple[object, ...]:
    """Return the values that a field may have, beside none."""
    if field.kind is Kind.DIVISION:
        return OWN_VALUES.get(field.name, PLACES)
    if field.kind is Kind.CODE:
        return (*field.codes[:3], "UNKNOWN")
    return OWN_VALUES.get(field.name) or VALUES[field.kind]


def drawn_world(chance: Random) -> World:
    """Return a world; rows keep no order."""
    return {name: _rows(chance, entity) for name, entity in ENTITIES.items()}


def drawn_row(chance: Random, entity: Entity, serial: int) -> Row:
    """Return a row by chance; nobody shares a citizen number."""
    row = {field.name: _value(chance, field) for field in entity.fields.values()}
    row[KEYS[entity.name]] = f"{entity.name[0]}{serial:02}"
    if entity.name == "Resident" and row["idNumber"] is not None:
        row["idNumber"] = id_number(serial)
    if entity.name == "Case":
        row["applicantIdNumber"] = row["applicantIdNumber"] or id_number(serial)
    return row


def _rows(chance: Random, entity: Entity) -> list[Row]:
    count = chance.randrange(COUNTS[entity.name] // 2, COUNTS[entity.name] + 1)
    rows = [drawn_row(chance, entity, serial) for serial in range(count)]
    chance.shuffle(rows)
    return rows


def _value(chance: Random, field: Field) -> object:
    luck = chance.random()
    if field.nullable and luck < 0.08:
        return None
    if field.kind in _BROKEN and luck < 0.12:
        return INVALID
    return chance.choice(values_of(field))
