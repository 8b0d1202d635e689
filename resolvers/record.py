"""A row as one principal may see it: what is shown, and what only joins may use."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Final

from contract.entity import Entity, Relationship
from contract.errors import SourceFailure
from contract.predicate import relates


class _Denied:
    """What stands where a field is hidden; there is one."""

    def __repr__(self) -> str:
        return "DENIED"


DENIED: Final = _Denied()


@dataclass(frozen=True, slots=True)
class Layout:
    """
    Where the fields of an entity's records stand; shared by all records of one read.

    `source` and `title` tell whose values they are, `as_of` of when, where they are a copy.
    """

    entity: Entity
    source: str
    title: str
    shown: Mapping[str, int]
    kept: Mapping[str, int]
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The rows that were found; `failures`: of the systems whose rows are missing."""

    records: Sequence["Record"]
    failures: tuple[SourceFailure, ...] = ()

    def first(self) -> "Record | None":
        """
        Return the first row.

        Raises: SourceFailure where there is none, and a system that may have it did not answer.
        """
        if not self.records and self.failures:
            raise self.failures[0]
        return self.records[0] if self.records else None


class Record:
    """
    One visible row.

    `shown` holds what a client may get, masked; `kept` the clear values that joins, cursors and ids
    need and no client gets. `grants` are the numbers of the principal's roles that admit the row.
    """

    __slots__ = ("grants", "kept", "layout", "shown")

    def __init__(
        self,
        layout: Layout,
        shown: Sequence[object],
        kept: Sequence[object],
        grants: frozenset[int],
    ) -> None:
        self.layout = layout
        self.shown = shown
        self.kept = kept
        self.grants = grants

    @property
    def entity(self) -> str:
        """Return the name of the record's entity."""
        return self.layout.entity.name

    def get(self, field: str) -> object:
        """
        Return a field as shown: DENIED where it is hidden, None where no system holds it.
        """
        place = self.layout.shown.get(field)
        return None if place is None else self.shown[place]

    def key(self) -> tuple[object, ...]:
        """Return the values of the entity's key."""
        return tuple(self.kept[self.layout.kept[field]] for field in self.layout.entity.key)

    def clear(self, field: str) -> object:
        """Return the value itself, for joins and cursors only."""
        return self.kept[self.layout.kept[field]]


def joined(
    records: Sequence[Record], relationship: Relationship
) -> Sequence[tuple[object, ...] | None]:
    """
    Return each record's side of a join; None where it relates to nothing.

    Shape:  records (n) -> keys (n), same order.
    """
    keys = _keys(records, relationship.own_fields)
    if relates(tuple(frozenset(chain.from_iterable(keys)))):
        return keys
    return [key if relates(key) else None for key in keys]


def by_fields(
    records: Sequence[Record], names: tuple[str, ...]
) -> dict[tuple[object, ...], list[Record]]:
    """Return the records by the clear values of these fields."""
    found: dict[tuple[object, ...], list[Record]] = {}
    for record, key in zip(records, _keys(records, names), strict=True):
        if key in found:
            found[key].append(record)
        else:
            found[key] = [record]
    return found


def _keys(records: Sequence[Record], names: tuple[str, ...]) -> Sequence[tuple[object, ...]]:
    if not records:
        return ()
    layout = records[0].layout
    if any(record.layout is not layout for record in records):
        return [tuple([record.clear(name) for name in names]) for record in records]
    if len(names) == 1:
        place = layout.kept[names[0]]
        return [(record.kept[place],) for record in records]
    places = [layout.kept[name] for name in names]
    return [tuple([record.kept[place] for place in places]) for record in records]
