"""Says in words which rows a grant opens, for people who read or compare policies."""

from collections.abc import Callable
from typing import TypeAlias

from contract.predicate import And, Comparison, Constant, Exists, Or, Predicate, Within

Said: TypeAlias = Callable[[str], str]
"""What to call a division or a department."""


def words(rows: Predicate, said: Said) -> str:
    """Return the rows in words."""
    match rows:
        case Constant(truth):
            return "every row" if truth else "no row"
        case Within(field, division):
            return f"{field} within {said(division)}"
        case Comparison(field, _, operand):
            return f"{field} is {said(str(operand))}"
        case Or(parts):
            return _either(parts, said)
        case And(parts):
            return " and ".join(_bracketed(part, said) for part in parts)
        case Exists(relationship, inner):
            return f"whose {relationship} has {words(inner, said)}"
        case _:
            return str(rows)


def _either(parts: tuple[Predicate, ...], said: Said) -> str:
    """Name a division once where several fields are compared with it."""
    fields: dict[str, list[str]] = {}
    for part in parts:
        if isinstance(part, Within):
            fields.setdefault(part.division, []).append(part.field)
    within = (f"{' or '.join(names)} within {said(code)}" for code, names in fields.items())
    others = (_bracketed(part, said) for part in parts if not isinstance(part, Within))
    return " or ".join((*within, *others))


def _bracketed(rows: Predicate, said: Said) -> str:
    text = words(rows, said)
    return f"({text})" if isinstance(rows, And | Or) else text
