"""
Where a page ends and the next one begins, as a predicate over the order.

For an order (a, b) the rows after (x, y) are those with a after x, or a equal x and b after y. A
range over the leading field alone is added as a conjunct of its own, since indexes can use it.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Any

from contract.entity import Entity
from contract.predicate import (
    FALSE,
    INVALID,
    TRUE,
    Comparison,
    IsNull,
    Not,
    Operator,
    Predicate,
    Value,
    all_of,
    any_of,
)
from contract.read import Order


def rows_after(
    order_by: Sequence[Order],
    values: Sequence[object],
    required: AbstractSet[str] = frozenset(),
) -> Predicate:
    """
    Return what is true of every row that sorts behind the row with these values.

    Shape:  one value per order, None for null; fields in `required` are never null. A value that
            cannot be read sorts as null does.
    """
    if not order_by:
        return FALSE
    answer: Predicate = FALSE
    known: list[Any] = [None if value is INVALID else value for value in values]
    for order, value in reversed(list(zip(order_by, known, strict=True))):
        answer = any_of(_behind(order, value, required), all_of(_equal(order, value), answer))
    return all_of(_from(order_by[0], known[0], required), answer)


def total_order(entity: Entity, order_by: tuple[Order, ...]) -> tuple[Order, ...]:
    """Return the order with the key behind it, so that no two rows are equal in it."""
    named = {order.field for order in order_by}
    return (*order_by, *(Order(field) for field in entity.key if field not in named))


def reversed_order(order_by: Sequence[Order]) -> tuple[Order, ...]:
    """Return the order that lists the same rows from the other end."""
    return tuple(
        replace(order, descending=not order.descending, nulls_first=not order.nulls_first)
        for order in order_by
    )


def _equal(order: Order, value: Value | None) -> Predicate:
    if value is None:
        return IsNull(order.field)
    return Comparison(order.field, Operator.EQ, value)


def _behind(order: Order, value: Value | None, required: AbstractSet[str]) -> Predicate:
    if value is None:
        return Not(IsNull(order.field)) if order.nulls_first else FALSE
    operator = Operator.LT if order.descending else Operator.GT
    nulls_behind = not order.nulls_first and order.field not in required
    return any_of(
        Comparison(order.field, operator, value), IsNull(order.field) if nulls_behind else FALSE
    )


def _from(order: Order, value: Value | None, required: AbstractSet[str]) -> Predicate:
    if value is None or not (order.nulls_first or order.field in required):
        return TRUE  # nulls sort behind the value, and no range over the field would keep them
    operator = Operator.LTE if order.descending else Operator.GTE
    return Comparison(order.field, operator, value)
