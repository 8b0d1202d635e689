"""
Whether a predicate can be true of any row for which another one is.

Used to leave out systems that cannot hold what is asked for, and to tell homes apart. It errs on
one side: what it calls impossible is impossible; what it calls possible may still find nothing.
"""

from itertools import product
from typing import Final

from contract.predicate import (
    And,
    Comparison,
    Constant,
    Exists,
    In,
    IsNull,
    Leaf,
    Not,
    Operator,
    Or,
    Predicate,
    Truth,
    Within,
    evaluate,
)

_ANY: Final[frozenset[Truth]] = frozenset((True, False, None))
_KNOWN: Final[frozenset[Truth]] = frozenset((True, False))


def may_hold(where: Predicate, given: Predicate) -> bool:
    """Return whether some row may satisfy `where`, of those that satisfy `given`."""
    return True in _truths(where, given)


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
        case And(parts):
            return frozenset.intersection(*(_of_leaf(leaf, part) for part in parts))
        case Or(parts):
            return frozenset().union(*(_of_leaf(leaf, part) for part in parts))
        case In(field, values) if field == leaf.field:
            return frozenset(evaluate(leaf, {field: value}) for value in values)
        case IsNull(field) if field == leaf.field:
            return frozenset((evaluate(leaf, {field: None}),))
        case Within(field, division) if field == leaf.field:
            return _beneath(leaf, division)
        case Not(In(field, values)) if field == leaf.field:
            return _KNOWN if _asks_beyond(leaf, values) else frozenset((False,))
        case Not(Within(field, division)) if field == leaf.field:
            return _outside(leaf, division)
        case _:
            return _ANY


def _beneath(leaf: Leaf, division: str) -> frozenset[Truth]:
    """Return the truths of a leaf about a division that is at or beneath another one."""
    match leaf:
        case Within(_, wanted):
            if division.startswith(wanted):
                return frozenset((True,))
            return _KNOWN if wanted.startswith(division) else frozenset((False,))
        case IsNull():
            return frozenset((False,))
        case _:
            values = _wanted(leaf)
            if values is None or any(str(value).startswith(division) for value in values):
                return _KNOWN
            return frozenset((False,))


def _outside(leaf: Leaf, division: str) -> frozenset[Truth]:
    if isinstance(leaf, Within):
        return frozenset((False,)) if leaf.division.startswith(division) else _KNOWN
    if isinstance(leaf, IsNull):
        return frozenset((False,))
    values = _wanted(leaf)
    beyond = values is None or not all(str(value).startswith(division) for value in values)
    return _KNOWN if beyond else frozenset((False,))


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
