"""What a source is asked and what it answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contract.predicate import TRUE, Predicate


@dataclass(frozen=True, slots=True)
class Order:
    """Sort by a field; text by code point; nulls last unless said otherwise, in both directions."""

    field: str
    descending: bool = False
    nulls_first: bool = False


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
    keys may come in any order, and `fields` contains the fields of the key.
    """

    entity: str
    fields: tuple[str, ...]
    where: Predicate = TRUE
    order_by: tuple[Order, ...] = ()
    limit: int | None = None
    for_each: ForEach | None = None


@dataclass(frozen=True, slots=True)
class Rows:
    """Tuples in the order of `fields`; `as_of`, UTC, where they are a copy taken then."""

    fields: tuple[str, ...]
    rows: Sequence[tuple[object, ...]]
    as_of: datetime | None = None


class Function(StrEnum):
    """What a measure computes; COUNT without a field counts rows, nulls are left out otherwise."""

    COUNT = "count"
    COUNT_DISTINCT = "countDistinct"
    SUM = "sum"
    MIN = "min"
    MAX = "max"


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
