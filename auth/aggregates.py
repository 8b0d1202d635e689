"""
What a role may count of rows that it may never list: a grant of its own kind.

Such a grant names one table: the fields by which rows are told apart, each as fine as it may get,
and the numbers that may be summed. Nothing but counting ever asks for it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from contract.document import Document, Mistake, Place
from contract.entity import Entity, Field, Kind, Sensitivity
from contract.predicate import FALSE, Exists, Predicate, Within

DIGITS: Final[Mapping[str, int]] = {
    "province": 2,
    "city": 4,
    "county": 6,
    "township": 9,
    "village": 12,
}
"""The levels of divisions, widest first, by the digits of a code."""
TIMES: Final = ("year", "month", "day")
THRESHOLD: Final = 5
"""People below whom a cell is not published, where the policy does not say."""

_LARGEST_TABLE: Final = 4  # fields; more would leave hardly a cell that can be published
_NUMBERS: Final = (Kind.INTEGER, Kind.DECIMAL)
_SINGLE: Final = (Kind.CODE, Kind.BOOLEAN, Kind.STRING, Kind.INTEGER)


@dataclass(frozen=True, slots=True)
class AggregateTerms:
    """
    What policy.toml says of one entity that a role may count.

    `within`: the division field that must be in the scope, `relationship.field` for a related
    row's. `by`: the fields of the table, each with its finest level, "" for the value itself.
    """

    within: str
    by: Mapping[str, str]
    sums: frozenset[str] = frozenset()

    def rows(self, scope: str) -> Predicate:
        """Return the rows that are counted in a scope."""
        if not scope:
            return FALSE
        relationship, _, field = self.within.rpartition(".")
        inner = Within(field, scope)
        return Exists(relationship, inner) if relationship else inner


@dataclass(frozen=True, slots=True)
class AggregateGrant:
    """What one role in one scope may count of one entity; it opens no row."""

    number: int
    rows: Predicate
    by: Mapping[str, str]
    sums: frozenset[str]

    def words(self) -> str:
        """Return the table in words, without the rows."""
        by = (f"{name}.{level}" if level else name for name, level in sorted(self.by.items()))
        sums = f"; sums {', '.join(sorted(self.sums))}" if self.sums else ""
        return f"by {', '.join(by) or 'nothing'}{sums}"

    def is_within(self, other: "AggregateGrant") -> bool:
        """Return whether the other table says all that this one says of the same rows."""
        finer = all(
            name in other.by and (level == other.by[name] or _is_wider(level, other.by[name]))
            for name, level in self.by.items()
        )
        return finer and self.sums <= other.sums


def _is_wider(level: str, other: str) -> bool:
    order = (*DIGITS, *TIMES)
    return level in order and other in order and order.index(level) < order.index(other)


def table_of(lines: list[str]) -> dict[str, str]:
    """Return the fields of `by`, written as `field` or `field.level`, with their levels."""
    return {name: level for name, _, level in (line.partition(".") for line in lines)}


def levels_of(field: Field) -> tuple[str, ...]:
    """Return the levels to which a field's values may be cut, widest first; none for most."""
    if field.kind is Kind.DIVISION:
        return tuple(DIGITS)
    return TIMES if field.kind in (Kind.DATE, Kind.DATETIME) else ()


def wrong_terms(
    document: Document,
    place: Place,
    entity: str,
    terms: AggregateTerms,
    known: Mapping[str, Entity],
) -> Iterator[Mistake]:
    """Yield what is wrong with one entity's table; nothing where no system holds the entity."""
    fields = known[entity].fields
    if not fields:
        return
    counted = _within(known[entity], terms.within, known)
    if counted is None or counted.kind is not Kind.DIVISION:
        what = f"{entity}.{terms.within} is no division"
        yield document.mistake((*place, "within"), what, "Name a field of division codes.")
    for name, level in terms.by.items():
        if name not in fields or not _groups(fields[name], level):
            said = f"{name}.{level}" if level else name
            what = f'rows of {entity} cannot be told apart by "{said}"'
            write = "Name a code, or a division or time with its level; nothing restricted."
            yield document.mistake((*place, "by"), what, write)
    for name in sorted(terms.sums):
        if name not in fields or fields[name].kind not in _NUMBERS:
            what = f"{entity}.{name} is no number"
            yield document.mistake((*place, "sums"), what, "Name fields that can be summed.")
    if len(terms.by) > _LARGEST_TABLE:
        what = f"the table of {entity} has more than {_LARGEST_TABLE} fields"
        yield document.mistake((*place, "by"), what, "Leave out the finest ones.")


def _within(entity: Entity, path: str, known: Mapping[str, Entity]) -> Field | None:
    relationship, _, field = path.rpartition(".")
    if relationship:
        related = entity.relationships.get(relationship)
        if related is None:
            return None
        entity = known[related.target]
    return entity.fields.get(field)


def _groups(field: Field, level: str) -> bool:
    if field.sensitivity is Sensitivity.RESTRICTED:
        return False
    return level in levels_of(field) if level else field.kind in _SINGLE
