"""A number for every request, on every answer: what a clerk tells the administrator."""

import re
from collections.abc import Iterable
from random import Random
from typing import Final

HEADER: Final = "X-Request-Id"

_NAME: Final = HEADER.lower().encode()
_WELL_FORMED: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_CHANCE: Final = Random()  # noqa: S311 -- ids need to differ, not to be kept secret


def request_id(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """Return the client's id where it is well formed, a new one otherwise."""
    given = next((value for name, value in headers if name == _NAME), b"").decode("latin-1")
    return given if _WELL_FORMED.fullmatch(given) else f"{_CHANCE.getrandbits(128):032x}"
