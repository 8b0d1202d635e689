"""What a source is asked and what it answers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from contract.errors import SourceFailure
from contract.predicate import TRUE, Predicate


class Function(StrEnum):
    """What a measure computes; COUNT without a field counts rows, nulls are left out otherwise."""

    COUNT = "count"
    COUNT_DISTINCT = "countDistinct"
    SUM = "sum"
    MIN = "min"
    MAX = "max"


@dataclass(frozen=True, slots=True)
class Extreme:
    """
    The least (MIN) or greatest (MAX) value of a field among the related rows that satisfy `where`.

    Null where there is none. `name` is its column in the rows of a read that is ordered by it.
    """

    relationship: str
    field: str
    function: Function
    where: Predicate = TRUE

    @property
    def name(self) -> str:
        """Return the column's name, which no field of an entity has."""
        return f"{self.relationship}.{self.field}.{self.function}"


@dataclass(frozen=True, slots=True)
class Order:
    """
    Sort by a field; text by code point; nulls last unless said otherwise, in both directions.

    With an `extreme`, the rows are sorted by it, and `field` is its name.
    """

    field: str
    descending: bool = False
    nulls_first: bool = False
    extreme: Extreme | None = None


@dataclass(frozen=True, slots=True)
class ForEach:
    """Ask once for many keys: rows whose `fields` equal one of the `keys` (none of them null)."""

    fields: tuple[str, ...]
    keys: tuple[tuple[object, ...], ...]


@dataclass(frozen=True, slots=True)
class Read:
    """
    Rows of one entity.

    With `for_each`, `limit` counts per key, `order_by` sorts within each key, rows of different
    keys may come in any order, and `fields` contains the fields of the key. `recurs`: whether
    its `where` names nobody and will be asked again, so that how it is asked may be remembered.
    """

    entity: str
    fields: tuple[str, ...]
    where: Predicate = TRUE
    order_by: tuple[Order, ...] = ()
    limit: int | None = None
    for_each: ForEach | None = None
    recurs: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Rows:
    """
    Tuples in the order of `fields`; `as_of`, UTC, where they are a copy taken then.

    `failures`: of the systems whose rows are missing, where several hold the entity. `cached`: the
    copy is one that its mapping keeps, of `as_of` or later, and stands in for no failed answer.
    """

    fields: tuple[str, ...]
    rows: Sequence[tuple[object, ...]]
    as_of: datetime | None = None
    failures: tuple[SourceFailure, ...] = ()
    cached: bool = False


@dataclass(frozen=True, slots=True)
class Measure:
    """One computed column."""

    name: str
    function: Function
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Aggregate:
    """
    Measures over the rows of one entity, by group.

    The answer's fields are `group_by`, then the measures' names; without `group_by` it is one row.
    """

    entity: str
    measures: tuple[Measure, ...]
    where: Predicate = TRUE
    group_by: tuple[str, ...] = ()
