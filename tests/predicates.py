"""Hypothesis strategies for the algebra; values are few and small, so that they meet."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import product

from hypothesis import strategies as st

from contract.entity import UNKNOWN, Field, Kind
from contract.predicate import (
    Comparison,
    Constant,
    Contains,
    In,
    IsNull,
    Leaf,
    Operator,
    Predicate,
    StartsWith,
    Value,
    Within,
    all_of,
    any_of,
    negation,
)

TEXTS = ("", "a", "A", "b", "ab", "a ", "你", "𠮷", "\uffee")
RANGES = (Operator.LT, Operator.LTE, Operator.GT, Operator.GTE)
VALUES: Mapping[Kind, tuple[Value, ...]] = {
    Kind.STRING: TEXTS,
    Kind.INTEGER: (-2, -1, 0, 1, 2, 2**40, 2**70, -(2**70)),
    Kind.DECIMAL: tuple(map(Decimal, ("-0.01", "0", "0.10", "0.1", "0.105", "2", "10"))),
    Kind.BOOLEAN: (True, False),
    Kind.DATE: (date(1999, 12, 31), date(2000, 2, 29), date(2001, 2, 1), date(2001, 2, 15)),
    Kind.DATETIME: (
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
        datetime(1999, 12, 31, 16, tzinfo=UTC),
        datetime(2000, 2, 29, 1, 2, 3, tzinfo=UTC),
        datetime(2000, 2, 29, 1, 2, 3, 500_000, tzinfo=UTC),
        datetime(2001, 2, 1, tzinfo=UTC),
    ),
    Kind.DIVISION: ("", "3", "32", "3202", "320205", "320200", "320205100", "32020510000", "33"),
}


def values(field: Field) -> st.SearchStrategy[Value]:
    """Return values of the field's kind."""
    if field.kind is Kind.CODE:
        return st.sampled_from((*field.codes, UNKNOWN))
    return st.sampled_from(VALUES[field.kind])


def leaves(field: Field) -> st.SearchStrategy[Leaf]:
    """Return every operator that has a meaning for the field."""
    name = st.just(field.name)
    operand = values(field)
    kinds: list[st.SearchStrategy[Leaf]] = [
        st.builds(Comparison, name, st.just(Operator.EQ), operand),
        st.builds(In, name, st.lists(operand, max_size=3).map(tuple)),
        st.builds(IsNull, name),
    ]
    if field.kind is not Kind.BOOLEAN:
        kinds.append(st.builds(Comparison, name, st.sampled_from(RANGES), operand))
    if field.kind is Kind.STRING:
        texts = st.sampled_from(TEXTS)
        kinds += [st.builds(StartsWith, name, texts), st.builds(Contains, name, texts)]
    if field.kind is Kind.DIVISION:
        kinds.append(st.builds(Within, name, st.sampled_from(VALUES[Kind.DIVISION]).map(str)))
    return st.one_of(kinds)


def every_leaf(field: Field) -> Iterator[Leaf]:
    """Yield every operator with every small operand, where chance would take too long."""
    operands = (*field.codes, UNKNOWN) if field.kind is Kind.CODE else VALUES[field.kind]
    ranges = () if field.kind is Kind.BOOLEAN else RANGES
    yield IsNull(field.name)
    yield In(field.name, ())
    yield In(field.name, operands[:3])
    for operator, operand in product((Operator.EQ, *ranges), operands):
        yield Comparison(field.name, operator, operand)
    if field.kind is Kind.STRING:
        yield from (StartsWith(field.name, text) for text in TEXTS)
        yield from (Contains(field.name, text) for text in TEXTS)
    if field.kind is Kind.DIVISION:
        yield from (Within(field.name, str(division)) for division in operands)


def predicates(
    fields: Iterable[Field], *others: st.SearchStrategy[Predicate]
) -> st.SearchStrategy[Predicate]:
    """Return predicates over the fields, constants and unknown and `others` among them."""
    constants = st.sampled_from((True, False, None)).map(Constant)
    own = (leaves(field) for field in fields)
    leaf: st.SearchStrategy[Predicate] = st.one_of(*own, constants, *others)
    return st.recursive(leaf, _joined, max_leaves=5)


def _joined(inner: st.SearchStrategy[Predicate]) -> st.SearchStrategy[Predicate]:
    several = st.lists(inner, max_size=3)
    return st.one_of(
        inner.map(negation),
        several.map(lambda parts: all_of(*parts)),
        several.map(lambda parts: any_of(*parts)),
    )
