"""
What the peers do for permission: the township of the token, as a range of codes, and the mask.

They believe every token; the server that is measured checks it.
"""

from base64 import urlsafe_b64decode
from functools import lru_cache

import orjson


@lru_cache(maxsize=4096)
def scope_of(authorization: str) -> tuple[str, str]:
    """Return the half-open range of the division codes that the token opens."""
    payload = authorization.split(".")[1]
    claims = orjson.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return span(str(claims["scopes"][0]))


def span(code: str) -> tuple[str, str]:
    """Return the half-open range of a division and all beneath it."""
    return code, str(int(code) + 1)


def masked(number: str) -> str:
    """Return a citizen number as a township's clerk sees it."""
    return f"{number[:3]}***********{number[-4:]}"
