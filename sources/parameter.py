"""The parameters of a question to a system over HTTP, before anything decides how they travel."""

from datetime import date
from decimal import Decimal
from typing import TypeAlias

Parameter: TypeAlias = tuple[str, object]
"""A name or dotted path and a native value, or a tuple of native values that go together."""

Selection: TypeAlias = tuple[str, ...]
"""The natives that are wanted of each row, for systems that send no others."""


def spelled(native: object) -> str:
    """Return a native value as a text."""
    if isinstance(native, bool):
        return "true" if native else "false"
    if isinstance(native, Decimal):
        return format(native, "f")
    return native.isoformat() if isinstance(native, date) else str(native)
