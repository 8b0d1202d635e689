"""
Leaf values of a whole column at once.

A bulk coercion gets a column and the set of its values' types, and returns the coerced column, or
None where the values have to be looked at one by one, with graphql-core's own messages.
"""

import datetime
import decimal
import enum
import uuid
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from math import isfinite
from typing import Any, Final

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLLeafType,
    GraphQLString,
)
from graphql.pyutils import Undefined

Column = list[Any]
Types = AbstractSet[type]
Bulk = Callable[[Column, Types], Column | None]

NOTHING: Final = type(None)
UNDEFINED: Final = type(Undefined)
_LARGEST: Final = 2_147_483_647
_SMALLEST: Final = -2_147_483_648
_DATES: Final = frozenset({datetime.date, datetime.datetime, datetime.time})
_TEXTS: Final = frozenset({uuid.UUID, decimal.Decimal})
_TEXT: Final = frozenset({str})


def bulk_for(leaf: GraphQLLeafType) -> Bulk:
    """Return how a column of the leaf type is coerced."""
    known = _BUILT_IN.get(leaf.name)
    if known is not None and leaf is known[0]:
        return known[1]
    if isinstance(leaf, GraphQLEnumType):
        return _enum(leaf)
    coerce = leaf.coerce_output_value
    if type(coerce).__name__ == "methodcaller":
        return _converted(coerce, _DATES)
    return _converted(coerce, _TEXTS) if coerce is str else _each(coerce)


def _texts(values: Column, types: Types) -> Column | None:
    return values if types <= {str, NOTHING} else None


def _ids(values: Column, types: Types) -> Column | None:
    if types <= {str, NOTHING}:
        return values
    return list(map(str, values)) if types == {int} else None


def _truths(values: Column, types: Types) -> Column | None:
    return values if types <= {bool, NOTHING} else None


def _integers(values: Column, types: Types) -> Column | None:
    there = _present(values, types, int)
    if not there:
        return values if there is not None else None
    return values if max(there) <= _LARGEST and min(there) >= _SMALLEST else None


def _floats(values: Column, types: Types) -> Column | None:
    there = _present(values, types, float)
    return values if there is not None and all(map(isfinite, there)) else None


def _present(values: Column, types: Types, wanted: type) -> Sequence[Any] | None:
    """Return the values that are not null; None where some are of another type."""
    if types == {wanted}:
        return values
    if types <= {wanted, NOTHING}:
        return [value for value in values if value is not None]
    return None


def _converted(convert: Callable[[Any], Any], exact: AbstractSet[type]) -> Bulk:
    """Return a coercion that cannot fail for values of exactly these types."""
    nullable = exact | {NOTHING}
    otherwise = _each(convert)

    def bulk(values: Column, types: Types) -> Column | None:
        if types <= exact:
            return list(map(convert, values))
        if types <= nullable:
            return [None if value is None else convert(value) for value in values]
        return otherwise(values, types)

    return bulk


def _enum(leaf: GraphQLEnumType) -> Bulk:
    plain = [each.value for each in leaf.values.values()]
    members = _named(leaf, list(getattr(leaf, "wrapped_cls", None) or plain), enum.Enum)
    if not members:
        return _each(leaf.coerce_output_value)
    texts = _named(leaf, plain, str) if all(type(each) is str for each in plain) else {}
    exact = frozenset(map(type, members))

    def bulk(values: Column, types: Types) -> Column | None:
        there = types - {NOTHING}
        names = texts if there == _TEXT else members if there <= exact else {}
        try:
            if NOTHING not in types:
                return [names[value] for value in values]
            return [None if value is None else names[value] for value in values]
        except KeyError:
            return None

    return bulk


def _named(leaf: GraphQLEnumType, values: Sequence[Any], kind: type) -> dict[Any, str]:
    """Return what values of the kind become; by kind, since one may equal one of another."""
    found: dict[Any, str] = {}
    for value in values:
        if isinstance(value, kind):
            try:
                found[value] = leaf.coerce_output_value(value)
            except Exception:  # noqa: BLE001, S112 -- such a value has its say when it is asked for
                continue
    return found


def _each(coerce: Callable[[Any], Any]) -> Bulk:
    """Return a coercion by a function that has to be pure: where it fails, it is called again."""

    def bulk(values: Column, types: Types) -> Column | None:
        try:
            if NOTHING in types:
                coerced = [None if value is None else coerce(value) for value in values]
            else:
                coerced = list(map(coerce, values))
        except Exception:  # noqa: BLE001 -- looked at one by one, each with its own error
            return None
        found = set(map(type, coerced))
        if UNDEFINED in found:
            return None
        if NOTHING in found and coerced.count(None) != values.count(None):
            return None
        return coerced

    return bulk


_BUILT_IN: Final[dict[str, tuple[GraphQLLeafType, Bulk]]] = {
    "String": (GraphQLString, _texts),
    "ID": (GraphQLID, _ids),
    "Int": (GraphQLInt, _integers),
    "Float": (GraphQLFloat, _floats),
    "Boolean": (GraphQLBoolean, _truths),
}
