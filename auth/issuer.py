"""The embedded issuer: tokens for the demo and for offices without an issuer of their own."""

import os
import time
from pathlib import Path
from secrets import token_urlsafe
from typing import Final

import orjson
from joserfc import jwt
from joserfc.jwk import OKPKey

from auth.keys import Clock
from auth.principal import Principal

ISSUER: Final = "township-graph"
AUDIENCE: Final = "township-graph"
ALGORITHM: Final = "Ed25519"
_KEY: Final = "issuer-key.json"

_ISSUERS: Final = f"""\
# Written by the embedded issuer; trust another issuer by adding its table.
[[issuer]]
name = "embedded"
issuer = "{ISSUER}"
audience = "{AUDIENCE}"
algorithms = ["{ALGORITHM}"]
jwks = "jwks.json"
"""


class EmbeddedIssuer:
    """Signs tokens with a key that never leaves its directory."""

    def __init__(self, key: OKPKey, clock: Clock = time.time) -> None:
        self._key = key
        self._clock = clock

    @classmethod
    def opened(cls, directory: Path, clock: Clock = time.time) -> "EmbeddedIssuer":
        """Return the issuer of the directory; the first time its key and files are written."""
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = directory / _KEY
        if not path.exists():
            _write_key(path)
        key = OKPKey.import_key(orjson.loads(path.read_bytes()))
        public = {"keys": [key.as_dict(private=False, use="sig", alg=ALGORITHM)]}
        (directory / "jwks.json").write_bytes(orjson.dumps(public))
        issuers = issuers_file(directory)
        if not issuers.exists():
            issuers.write_text(_ISSUERS, encoding="utf-8")
        return cls(key, clock)

    @staticmethod
    def is_in(directory: Path) -> bool:
        """Return whether the issuer of the directory has its key there."""
        return (directory / _KEY).exists()

    def token(
        self,
        principal: Principal,
        ttl_seconds: int = 900,
        session: str = "",
        not_before: int = 0,
    ) -> str:
        """Return a token for the principal, of a session where there is one."""
        now = max(int(self._clock()), not_before)
        claims: dict[str, object] = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": principal.account,
            "iat": now,
            "exp": now + ttl_seconds,
            "jti": token_urlsafe(12),
            "roles": list(principal.roles),
            "scopes": list(principal.scopes),
            "department": principal.department,
            "purpose": principal.purpose,
            **({"sid": session} if session else {}),
            **({"citizen": principal.citizen} if principal.citizen else {}),
        }
        header = {"alg": ALGORITHM, "kid": self._key.kid}
        return jwt.encode(header, claims, self._key, algorithms=[ALGORITHM])


def issuers_file(directory: Path) -> Path:
    """Return where the embedded issuer of a directory declares itself."""
    return directory / "issuers.toml"


def _write_key(path: Path) -> None:
    key = OKPKey.generate_key("Ed25519", auto_kid=True)
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(orjson.dumps(key.as_dict(private=True)))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(beside, path)  # whoever is first wins, also between processes
    except FileExistsError:
        pass
    finally:
        beside.unlink()
