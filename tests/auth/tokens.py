"""Tokens, good and forged, and the issuer they come from."""

import asyncio
import base64
import hmac
import json
from collections.abc import Callable
from typing import Any

from joserfc.jwk import ECKey, OKPKey, RSAKey

from auth.authenticate import Authenticator
from auth.principal import Principal
from auth.trust import Issuer
from transport.http import Unreachable

NOW = 1_790_000_000


URL = "https://login.example/jwks"


OURS = OKPKey.generate_key("Ed25519", parameters={"kid": "ours"})


FOREIGN = OKPKey.generate_key("Ed25519", parameters={"kid": "ours"})


CURVE = ECKey.generate_key("P-256", parameters={"kid": "curve"})


MODULUS = RSAKey.generate_key(2048, parameters={"kid": "modulus"})


CLERK = Principal("xinglong.clerk", ("township_clerk",), ("320411003",), "便民服务中心", "临时救助")


def claims(**changes: Any) -> dict[str, Any]:
    said: dict[str, Any] = {
        "iss": "https://login.example",
        "aud": "township-graph",
        "sub": "xinglong.clerk",
        "iat": NOW,
        "exp": NOW + 900,
        "roles": ["township_clerk"],
        "scopes": ["320411003"],
        "department": "便民服务中心",
        "purpose": "临时救助",
    }
    return {name: value for name, value in (said | changes).items() if value is not ...}


def encoded(part: object) -> str:
    octets = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def signed(header: object, payload: object, key: OKPKey = OURS) -> str:
    text = f"{encoded(header)}.{encoded(payload)}"
    signature = key.private_key.sign(text.encode())  # type: ignore[union-attr]
    return f"{text}.{encoded(signature)}"


HEADER = {"alg": "Ed25519", "kid": "ours", "typ": "JWT"}


def token(**changes: Any) -> str:
    return signed(HEADER, claims(**changes))


def headed(**changes: Any) -> str:
    header = {name: value for name, value in (HEADER | changes).items() if value is not ...}
    return signed(header, claims())


def shared_secret(algorithm: str, secret: bytes, digest: Callable[..., Any]) -> str:
    text = f"{encoded({'alg': algorithm, 'kid': 'ours'})}.{encoded(claims())}"
    return f"{text}.{encoded(hmac.new(secret, text.encode(), digest).digest())}"


def with_signature(signature: str) -> str:
    return f"{token().rpartition('.')[0]}.{signature}"


def doubled(member: str) -> bytes:
    return b"{" + member.encode() + b"," + json.dumps(claims()).encode()[1:]


class Endpoint:
    """A stand-in for the issuer's address."""

    def __init__(self, *keys: OKPKey | ECKey | RSAKey) -> None:
        self.document = json.dumps({"keys": [key.as_dict(private=False) for key in keys]}).encode()
        self.is_down = False
        self.calls: list[str] = []

    async def __call__(self, url: str) -> bytes:
        self.calls.append(url)
        await asyncio.sleep(0)
        if self.is_down:
            raise Unreachable(url)
        return self.document


class Clock:
    def __init__(self) -> None:
        self.now: float = NOW

    def __call__(self) -> float:
        return self.now


ISSUER = Issuer("login", "https://login.example", "township-graph", ("Ed25519",), URL)


def authenticator(
    endpoint: Endpoint | None = None, clock: Clock | None = None, **changes: Any
) -> Authenticator:
    issuer = Issuer(**{name: changes.get(name, getattr(ISSUER, name)) for name in Issuer.__slots__})
    return Authenticator([issuer], endpoint or Endpoint(OURS, CURVE, MODULUS), clock or Clock())
