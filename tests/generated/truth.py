"""Three-valued truth and masks, written out again: shares no code with the product."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, TypeAlias

from contract.predicate import INVALID

Truth: TypeAlias = bool | None


def beneath(value: object, scope: str) -> bool:
    """Return whether a division is the scope or lies beneath it."""
    return known(value) is not None and str(value).startswith(scope)


def known(value: object) -> Any:
    """Return the value; None for what nobody can read."""
    return None if value is INVALID else value


def all_of(parts: Iterable[Truth]) -> Truth:
    """Return the truth of a conjunction."""
    truths = list(parts)
    return False if False in truths else None if None in truths else True


def any_of(parts: Iterable[Truth]) -> Truth:
    """Return the truth of a disjunction."""
    truths = list(parts)
    return True if True in truths else None if None in truths else False


def compared(value: Any, operator: str, given: Any) -> Truth:
    """Return the truth of one comparison."""
    value = known(value)
    if operator == "isNull":
        return (value is None) is given
    if operator in ("in", "notIn") and not given:
        return operator == "notIn"
    return None if value is None else _COMPARE[operator](value, _revived(value, given))


def _revived(value: object, given: Any) -> Any:
    if isinstance(given, list):
        return [_revived(value, part) for part in given]
    if isinstance(value, datetime):
        return datetime.fromisoformat(given)
    if isinstance(value, Decimal):
        return Decimal(given)
    return date.fromisoformat(given) if isinstance(value, date) else given


_COMPARE: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "eq": lambda value, given: value == given,
    "ne": lambda value, given: value != given,
    "lt": lambda value, given: value < given,
    "lte": lambda value, given: value <= given,
    "gt": lambda value, given: value > given,
    "gte": lambda value, given: value >= given,
    "in": lambda value, given: value in given,
    "notIn": lambda value, given: value not in given,
    "startsWith": lambda value, given: value.startswith(given),
    "within": lambda value, given: value.startswith(given),
    "contains": lambda value, given: given in value,
}


def masked(mask: str, value: str) -> str:
    """Return what a mask leaves of a text."""
    match mask:
        case "citizen_number" | "mobile":
            return _kept(value, 3, 4)
        case "bank_card":
            return _kept(value, 0, 4)
        case "name":
            first = 2 if value.startswith("欧阳") and len(value) > 2 else 1
            return value[:first] + "*" * max(1, len(value) - first)
        case _:
            return "***" if value else value


def _kept(value: str, first: int, last: int) -> str:
    if len(value) - first - last < 4:
        return "*" * len(value)
    return value[:first] + "*" * (len(value) - first - last) + value[-last:]
