"""
Credentials to a principal: signed tokens of configured issuers, and nothing else.

Every refusal is the same `Unauthenticated`; why goes to the log, without a part of the token.
"""

import logging
import re
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, Protocol

from joserfc import jws
from joserfc.errors import JoseError, UnsupportedAlgorithmError
from joserfc.jwk import Key

from auth.claims import Claims, InvalidClaims, claims_of, json_object
from auth.keys import Clock, Fetch, Keys
from auth.principal import Principal
from auth.trust import Issuer
from contract.errors import Unauthenticated

logger = logging.getLogger(__name__)

MAXIMUM_TOKEN_BYTES: Final = 8 * 1024
MAXIMUM_REMEMBERED: Final = 4096

_BEARER: Final = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] ([\w-]+)\.([\w-]+)\.([\w-]+)", re.ASCII)
_HEADER_NAMES: Final = frozenset({"alg", "kid", "typ"})
_TYPES: Final = frozenset({"JWT", "at+jwt"})


@dataclass(frozen=True, slots=True)
class TokenLimits:
    """How far a token's times may go, in seconds."""

    skew_seconds: int = 60
    maximum_age_seconds: int = 12 * 3600
    refresh_pause_seconds: float = 30
    keys_fresh_seconds: float = 600


class Accepting(Protocol):
    """Says who asks with a good token, as far as the account may still be used."""

    def principal(self, claims: Claims) -> Principal:
        """
        Return the principal.

        Raises: InvalidClaims; AccountsUnavailable where nobody can tell.
        """


class FromToken:
    """Believes the token, where no accounts are kept."""

    def principal(self, claims: Claims) -> Principal:
        """Return whom the token speaks of."""
        return claims.principal()


class _Pinned(jws.JWSRegistry):
    """The algorithms of one issuer, each named by it."""

    def get_alg(self, name: str) -> Any:
        if not self.allowed or name not in self.allowed:
            raise UnsupportedAlgorithmError
        return self.algorithms[name]


@dataclass(frozen=True, slots=True)
class _Parts:
    """A token taken apart, nothing of it believed yet."""

    text: str
    kid: str
    issuer: str
    payload: dict[str, object]


@dataclass(frozen=True, slots=True)
class _Verified:
    """A token whose signature and shape were good; it counts while its key is the same object."""

    claims: Claims
    kid: str
    key: Key


class Authenticator:
    """
    Checks tokens against the configured issuers.

    A signature is checked once, times are checked each time; tokens are remembered by digest.
    """

    def __init__(
        self,
        issuers: Sequence[Issuer],
        fetch: Fetch,
        clock: Clock = time.time,
        limits: TokenLimits | None = None,
        standing: Accepting | None = None,
    ) -> None:
        self._clock = clock
        self._standing = standing or FromToken()
        self._limits = limits or TokenLimits()
        self._verified: dict[bytes, _Verified] = {}
        self._issuers = {issuer.issuer: issuer for issuer in issuers}
        self._keys = {
            issuer.issuer: Keys(
                issuer.jwks,
                fetch,
                clock,
                self._limits.refresh_pause_seconds,
                self._limits.keys_fresh_seconds,
            )
            for issuer in issuers
        }

    async def authenticate(self, authorization: str | None) -> Principal:
        """
        Return who the value of an Authorization header speaks of.

        Raises: Unauthenticated, without a reason; AccountsUnavailable.
        """
        return (await self.verified(authorization))[0]

    async def verified(self, authorization: str | None) -> tuple[Principal, Claims]:
        """
        Return who the value of an Authorization header speaks of, and all that its token says.

        Raises: Unauthenticated, without a reason; AccountsUnavailable.
        """
        try:
            claims = await self._claims(authorization)
            return self._standing.principal(claims), claims
        except (ValueError, JoseError) as reason:
            logger.info("token refused: %s", _said(reason))
        raise Unauthenticated

    async def _claims(self, authorization: str | None) -> Claims:
        digest = sha256((authorization or "").encode()).digest()
        verified = self._verified.get(digest)
        if verified is None or not await self._is_current(verified):
            verified = await self._checked(authorization)
            self._remember(digest, verified)
        self._check_times(verified.claims)
        return verified.claims

    async def _is_current(self, verified: _Verified) -> bool:
        return await self._keys[verified.claims.iss].find(verified.kid) is verified.key

    def _remember(self, digest: bytes, verified: _Verified) -> None:
        if len(self._verified) >= MAXIMUM_REMEMBERED:
            self._verified.clear()
        self._verified[digest] = verified

    async def _checked(self, authorization: str | None) -> _Verified:
        parts = _taken_apart(authorization)
        issuer = self._issuers.get(parts.issuer)
        if issuer is None:
            raise InvalidClaims("issuer not configured")
        key = await self._keys[issuer.issuer].find(parts.kid)
        if key is None:
            raise InvalidClaims("key unknown")
        _check_signature(parts.text, key, issuer.algorithms)
        claims = claims_of(parts.payload)
        if not claims.is_for(issuer.audience):
            raise InvalidClaims("meant for another audience")
        return _Verified(claims, parts.kid, key)

    def _check_times(self, claims: Claims) -> None:
        now, skew, age = self._clock(), self._limits.skew_seconds, self._limits.maximum_age_seconds
        if claims.exp + skew <= now:
            raise InvalidClaims("expired")
        if claims.iat - skew > now or (claims.nbf or 0) - skew > now:
            raise InvalidClaims("not valid yet")
        if claims.exp <= claims.iat or claims.exp - claims.iat > age:
            raise InvalidClaims("lives too long or not at all")


def _taken_apart(authorization: str | None) -> _Parts:
    if not authorization or len(authorization) > MAXIMUM_TOKEN_BYTES:
        raise InvalidClaims("no token, or a token too large")
    match = _BEARER.fullmatch(authorization)
    if match is None:
        raise InvalidClaims("not a bearer token of three parts")
    header, payload, _ = (_decoded(part) for part in match.groups())
    kid = _key_id(json_object(header))
    claims = json_object(payload)
    issuer = claims.get("iss")
    if not isinstance(issuer, str):
        raise InvalidClaims("no issuer")
    return _Parts(".".join(match.groups()), kid, issuer, claims)


def _decoded(part: str) -> bytes:
    octets = urlsafe_b64decode(part + "=" * (-len(part) % 4))
    if urlsafe_b64encode(octets).decode().rstrip("=") != part:
        raise InvalidClaims("base64 not canonical")
    return octets


def _key_id(header: dict[str, object]) -> str:
    kid = header.get("kid")
    if not header.keys() <= _HEADER_NAMES or not isinstance(kid, str):
        raise InvalidClaims("header names something else than alg, kid, typ")
    if header.get("typ", "JWT") not in _TYPES or not isinstance(header.get("alg"), str):
        raise InvalidClaims("type or algorithm of another kind")
    return kid


def _check_signature(text: str, key: Key, algorithms: tuple[str, ...]) -> None:
    registry = _Pinned(algorithms=algorithms)
    signed = jws.extract_compact(text.encode(), registry=registry)
    if not jws.validate_compact(signed, key, registry=registry):
        raise InvalidClaims("signature does not match")


def _said(reason: Exception) -> str:
    return str(reason) if isinstance(reason, InvalidClaims) else type(reason).__name__
