"""Clerks and their tokens, of an issuer of its own, as a province's login service is."""

import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final, TypeAlias

import orjson
from joserfc import jwt
from joserfc.jwk import OKPKey

TokenOf: TypeAlias = Callable[[str, int], str]
"""Gives the token of a township's clerk by number, the same each time."""

_ALGORITHM: Final = "Ed25519"
_SECONDS: Final = 8 * 3600
_ISSUER: Final = "benchmarks"
_ISSUERS: Final = f"""\
[[issuer]]
name = "{_ISSUER}"
issuer = "{_ISSUER}"
audience = "{_ISSUER}"
algorithms = ["{_ALGORITHM}"]
jwks = "jwks.json"
"""


def issuers_file(directory: Path) -> Path:
    """Return where the issuer is declared."""
    return directory / "issuers.toml"


def issued(directory: Path) -> TokenOf:
    """Write a new issuer's files and return what gives its tokens."""
    key = OKPKey.generate_key(_ALGORITHM, auto_kid=True)
    public = {"keys": [key.as_dict(private=False, use="sig", alg=_ALGORITHM)]}
    (directory / "jwks.json").write_bytes(orjson.dumps(public))
    issuers_file(directory).write_text(_ISSUERS, encoding="utf-8")
    now, header = int(time.time()), {"alg": _ALGORITHM, "kid": key.kid}

    @cache
    def token(township: str, number: int) -> str:
        claims = {
            "iss": _ISSUER,
            "aud": _ISSUER,
            "sub": f"clerk-{township}-{number}",
            "iat": now,
            "exp": now + _SECONDS,
            "roles": ["township_clerk"],
            "scopes": [township],
            "department": "",
            "purpose": "",
        }
        return jwt.encode(header, claims, key, algorithms=[_ALGORITHM])

    return token
