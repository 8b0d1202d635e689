"""Durations and sizes as people write them: "800ms", "24h", "4MiB"."""

import re
from collections.abc import Mapping
from typing import Final

_QUANTITY: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([A-Za-z]+)")
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES: Final = {"B": 1.0, "KiB": 1024.0, "MiB": 1024.0**2, "GiB": 1024.0**3}


def seconds(text: object) -> float:
    """
    Return a duration such as "800ms" in seconds.

    Raises: ValueError, with what to write, for anything else.
    """
    return _scaled(text, _SECONDS, 'a duration such as "800ms", "2s", "15m", "24h" or "7d"')


def size_bytes(text: object) -> int:
    """
    Return a size such as "4MiB" in bytes.

    Raises: ValueError, with what to write, for anything else.
    """
    return int(_scaled(text, _BYTES, 'a size such as "512KiB" or "4MiB"'))


def _scaled(text: object, units: Mapping[str, float], example: str) -> float:
    parts = _QUANTITY.fullmatch(text) if isinstance(text, str) else None
    if parts is None or parts[2] not in units or float(parts[1]) == 0:
        raise ValueError(example)
    return float(parts[1]) * units[parts[2]]
