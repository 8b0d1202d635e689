"""
What makes the rows of a database unbelievable: they are not what was asked for, as we compare.

A database is asked what it runs with our meaning. Where somebody has changed a type or a collation
there, or put a view in the place of a table, it does not; rows that were left out or taken in by
that cannot be told one by one, so all of them are doubted.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self, TypeAlias

from contract.predicate import (
    INVALID,
    And,
    Leaf,
    Predicate,
    Test,
    conjuncts,
    evaluator,
    fields_of,
    relations_of,
)

Row: TypeAlias = tuple[object, ...]
Values: TypeAlias = Sequence[Sequence[object]]
"""A column of our values for each field that was asked for."""
Places: TypeAlias = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Doubt:
    """What is looked at in the rows of one question, whatever the keys it is asked for."""

    needed: Mapping[str, int]  # those fields of the key that were asked for
    key: Places  # none where a part of it was not asked for
    asked: Places  # what `for_each` asks by
    test: Test | None  # what a row tells of itself

    @classmethod
    def of(
        cls,
        fields: tuple[str, ...],
        where: Predicate,
        key: tuple[str, ...],
        key_fields: tuple[str, ...],
    ) -> Self:
        """Return what is to be looked at, of an entity with this key that is asked by those."""
        needed = {name: fields.index(name) for name in key if name in fields}
        return cls(needed, _places(key, fields), _places(key_fields, fields), _test(where, fields))

    def why(self, columns: Values, rows: Sequence[Row], keys: Iterable[Row]) -> str:
        """Return why the rows are not the answer; empty where nothing speaks of it."""
        values = {place: set(columns[place]) for place in {*self.needed.values(), *self.asked}}
        for name, place in self.needed.items():
            if None in values[place] or INVALID in values[place]:
                return f".{name}: a key cannot be read"
        if self.key and len(_distinct(values, columns, self.key)) < len(rows):
            return ": two rows with one key"
        known = _known(keys, self.asked)
        if self.asked and not _distinct(values, columns, self.asked) <= known:
            return ": a row of a key that nobody asked for"
        test = self.test
        if test is not None and any(test(row) is not True for row in rows):
            return ": a row that is not as it was asked for"
        return ""


def _places(names: Sequence[str], fields: tuple[str, ...]) -> Places:
    return tuple(map(fields.index, names)) if {*names} <= {*fields} else ()


def _distinct(values: Mapping[int, set[object]], columns: Values, places: Places) -> set[object]:
    if len(places) == 1:
        return values[places[0]]
    return set(zip(*(columns[place] for place in places), strict=True))


def _known(keys: Iterable[Row], places: Places) -> set[object]:
    return {key for (key,) in keys} if len(places) == 1 else set(keys)


def _test(where: Predicate, fields: tuple[str, ...]) -> Test | None:
    there = {*fields}
    told = tuple(part for part in conjuncts(where) if _is_told(part, there))
    if not told:
        return None
    return evaluator(told[0] if len(told) == 1 else And(told), fields)


def _is_told(part: Predicate, there: set[str]) -> bool:
    """Return whether rows with these fields tell of themselves whether they are so."""
    if isinstance(part, Leaf):
        return part.field in there
    return fields_of(part) <= there and not relations_of(part)
