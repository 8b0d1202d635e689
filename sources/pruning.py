"""
Whether a predicate can, or must, be true of the rows for which another one is.

Used to leave out systems that cannot hold what is asked for, to tell homes apart, and to find what
is asked for in an answer that is kept. It errs on one side: what it calls impossible is impossible,
and what it calls certain is certain; of all else it says that it may be.
"""

from collections.abc import Sequence
from itertools import product
from typing import Final

from contract.predicate import (
    And,
    Comparison,
    Constant,
    Contains,
    Exists,
    In,
    IsNull,
    Leaf,
    Not,
    Operator,
    Or,
    Predicate,
    StartsWith,
    Truth,
    Value,
    Within,
    conjuncts,
    evaluator,
)

_ANY: Final[frozenset[Truth]] = frozenset((True, False, None))
_KNOWN: Final[frozenset[Truth]] = frozenset((True, False))
_TRUE: Final[frozenset[Truth]] = frozenset((True,))
_FALSE: Final[frozenset[Truth]] = frozenset((False,))
_UPWARDS: Final = (Operator.GT, Operator.GTE)
_DOWNWARDS: Final = (Operator.LT, Operator.LTE)


def may_hold(where: Predicate, given: Predicate) -> bool:
    """Return whether some row may satisfy `where`, of those that satisfy `given`."""
    return True in _truths(where, given)


def must_hold(where: Predicate, given: Predicate) -> bool:
    """Return whether every row that satisfies `given` is known to satisfy `where`."""
    known = conjuncts(given)
    return all(part in known or _certain(part, given) for part in conjuncts(where))


def _certain(where: Predicate, given: Predicate) -> bool:
    if _truths(where, given) == _TRUE:
        return True
    choices = (part.predicates for part in conjuncts(given) if isinstance(part, Or))
    return any(all(must_hold(where, case) for case in cases) for cases in choices)


def _truths(where: Predicate, given: Predicate) -> frozenset[Truth]:
    """Return every truth that the predicate may have."""
    match where:
        case Constant(truth):
            return frozenset((truth,))
        case Not(inner):
            truths = _truths(inner, given)
            return frozenset(None if truth is None else not truth for truth in truths)
        case And(parts):
            return _joined(parts, given, last=False)
        case Or(parts):
            return _joined(parts, given, last=True)
        case Exists():
            return _KNOWN
        case _:
            return _of_leaf(where, given)


def _joined(parts: tuple[Predicate, ...], given: Predicate, *, last: bool) -> frozenset[Truth]:
    """Return the truths of a conjunction (`last` false) or a disjunction of the parts."""
    found: set[Truth] = {not last}
    for part in parts:
        pairs = product(found, _truths(part, given))
        found = {last if last in pair else None if None in pair else not last for pair in pairs}
    return frozenset(found)


def _of_leaf(leaf: Leaf, given: Predicate) -> frozenset[Truth]:
    match given:
        case Constant():
            return _ANY
        case And(parts):
            return frozenset.intersection(*(_of_leaf(leaf, part) for part in parts))
        case Or(parts):
            return frozenset().union(*(_of_leaf(leaf, part) for part in parts))
        case Not(inner):
            return _of_another(leaf, inner) if _is_about(leaf, inner) else _ANY
        case _:
            return _of_same(leaf, given) if _is_about(leaf, given) else _ANY


def _is_about(leaf: Leaf, given: Predicate) -> bool:
    return isinstance(given, Leaf) and given.field == leaf.field


def _of_same(leaf: Leaf, given: Predicate) -> frozenset[Truth]:
    """Return the truths of a leaf of which another one, of the same field, is true."""
    match given:
        case IsNull():
            return _of_values(leaf, (None,))
        case In(_, values):
            return _of_values(leaf, values)
        case Comparison(_, Operator.EQ, value):
            return _of_values(leaf, (value,))
        case Comparison():
            return _in_range(leaf, given)
        case Within(_, prefix) | StartsWith(_, prefix):
            return _beneath(leaf, prefix)
        case Contains(_, text) if isinstance(leaf, Contains) and leaf.text in text:
            return _TRUE
        case _:
            return _of_some_value(leaf)


def _of_another(leaf: Leaf, given: Predicate) -> frozenset[Truth]:
    """Return the truths of a leaf of which another one, of the same field, is false."""
    match given:
        case IsNull():
            return _of_some_value(leaf)
        case In(_, values):
            return _KNOWN if _asks_beyond(leaf, values) else _FALSE
        case Comparison(_, Operator.EQ, value):
            return _KNOWN if _asks_beyond(leaf, (value,)) else _FALSE
        case Within(_, division):
            return _outside(leaf, division)
        case _:
            return _of_some_value(leaf)


def _of_values(leaf: Leaf, values: Sequence[Value | None]) -> frozenset[Truth]:
    test = evaluator(leaf, (leaf.field,))
    return frozenset(test((value,)) for value in values)


def _of_some_value(leaf: Leaf) -> frozenset[Truth]:
    return _FALSE if isinstance(leaf, IsNull) else _KNOWN


def _in_range(leaf: Leaf, given: Comparison) -> frozenset[Truth]:
    """Return the truths of a leaf about what lies on one side of a value."""
    if not isinstance(leaf, Comparison):
        return _of_some_value(leaf)
    same = next(side for side in (_UPWARDS, _DOWNWARDS) if given.operator in side)
    if leaf.operator not in same:
        return _KNOWN
    # What lies beyond the end lies beyond every end before it; at the end itself it has to be told.
    open_ended = given.operator in (Operator.GT, Operator.LT)
    closed = same[1] if open_ended else leaf.operator
    holds = _of_values(Comparison(leaf.field, closed, leaf.operand), (given.operand,))
    return _TRUE if holds == _TRUE else _KNOWN


def _beneath(leaf: Leaf, prefix: str) -> frozenset[Truth]:
    """Return the truths of a leaf about a text, or a division, that begins with another one."""
    match leaf:
        case Within(_, wanted) | StartsWith(_, wanted):
            if prefix.startswith(wanted):
                return _TRUE
            return _KNOWN if wanted.startswith(prefix) else _FALSE
        case Contains(_, text) if text in prefix:
            return _TRUE
        case _:
            values = _wanted(leaf)
            if values is None or any(str(value).startswith(prefix) for value in values):
                return _of_some_value(leaf)
            return _FALSE


def _outside(leaf: Leaf, division: str) -> frozenset[Truth]:
    if isinstance(leaf, Within):
        return _FALSE if leaf.division.startswith(division) else _KNOWN
    values = _wanted(leaf)
    if values is None or not all(str(value).startswith(division) for value in values):
        return _of_some_value(leaf)
    return _FALSE


def _asks_beyond(leaf: Leaf, values: tuple[object, ...]) -> bool:
    """Return whether the leaf may be true of a value that is none of these, and not null."""
    if isinstance(leaf, IsNull):
        return False
    wanted = _wanted(leaf)
    return wanted is None or not set(wanted) <= set(values)


def _wanted(leaf: Leaf) -> tuple[object, ...] | None:
    """Return the only values that the leaf is true of; None where they cannot be listed."""
    if isinstance(leaf, In):
        return leaf.operands
    if isinstance(leaf, Comparison) and leaf.operator is Operator.EQ:
        return (leaf.operand,)
    return None
