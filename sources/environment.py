"""Addresses and secrets from the environment: ${NAME}, or the file named by NAME_FILE."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class Absent:
    """A variable that gives no value, and why; it carries no value."""

    name: str
    reason: str


def is_variable(text: str) -> bool:
    """Return whether some ${NAME} stands in the text."""
    return _VARIABLE.search(text) is not None


def filled(text: str, environment: Mapping[str, str]) -> str | tuple[Absent, ...]:
    """Return the text with every ${NAME} replaced, or all variables that give no value."""
    values = {name: _value(name, environment) for name in _VARIABLE.findall(text)}
    absent = tuple(value for value in values.values() if isinstance(value, Absent))
    return absent or _VARIABLE.sub(lambda match: str(values[match[1]]), text)


def _value(name: str, environment: Mapping[str, str]) -> str | Absent:
    if name in environment:
        return environment[name]
    if f"{name}_FILE" not in environment:
        return Absent(name, "is not set")
    try:
        return Path(environment[f"{name}_FILE"]).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return Absent(name, f"cannot be read from the file named by {name}_FILE")
