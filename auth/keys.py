"""Public keys of an issuer: fetched when needed, kept while the issuer is silent."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Protocol, TypeAlias

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey, import_key

from auth.claims import InvalidClaims, json_object
from auth.trust import is_url
from transport.http import HttpClient, HttpRequest, TransportFailure

logger = logging.getLogger(__name__)

Clock: TypeAlias = Callable[[], float]
KeySet: TypeAlias = Mapping[str, Key]

MAXIMUM_KEY_SET_BYTES: Final = 256 * 1024
MAXIMUM_KEYS: Final = 64
MINIMUM_RSA_BITS: Final = 2048

_KINDS: Final = frozenset({"OKP", "EC", "RSA"})


class Fetch(Protocol):
    """Reads a document from an address."""

    async def __call__(self, url: str) -> bytes:
        """
        Return the body.

        Raises: TransportFailure.
        """


def fetch_over(client: HttpClient) -> Fetch:
    """Return how documents are fetched with the client."""

    async def fetch(url: str) -> bytes:
        return await client.send(HttpRequest("GET", url, max_bytes=MAXIMUM_KEY_SET_BYTES))

    return fetch


class Keys:
    """
    The keys of one issuer by their id.

    They are read again for an unknown id, and when they are old, at most once in `pause_seconds`;
    when that fails the old ones stay.
    """

    def __init__(
        self, jwks: str, fetch: Fetch, clock: Clock, pause_seconds: float, fresh_seconds: float
    ) -> None:
        self._jwks = jwks
        self._fetch = fetch
        self._clock = clock
        self._pause_seconds = pause_seconds
        self._fresh_seconds = fresh_seconds
        self._keys: KeySet = {}
        self._tried_at = float("-inf")
        self._read_at = float("-inf")
        self._lock = asyncio.Lock()

    async def find(self, kid: str) -> Key | None:
        """Return the public key with the id; None where the issuer has none."""
        is_unknown = kid not in self._keys
        if self._is_due(kid) or (is_unknown and self._lock.locked()):
            async with self._lock:
                if self._is_due(kid):
                    await self._refresh()
        return self._keys.get(kid)

    def _is_due(self, kid: str) -> bool:
        now = self._clock()
        if now - self._tried_at < self._pause_seconds:
            return False
        return kid not in self._keys or now - self._read_at >= self._fresh_seconds

    async def _refresh(self) -> None:
        self._tried_at = self._clock()
        try:
            self._keys = public_keys(await self._document())
        except (OSError, ValueError, TransportFailure) as error:
            logger.warning("keys of an issuer could not be read: %s", type(error).__name__)
        else:
            self._read_at = self._tried_at

    async def _document(self) -> bytes:
        if is_url(self._jwks):
            return await self._fetch(self._jwks)
        return await asyncio.to_thread(Path(self._jwks).read_bytes)


def public_keys(document: bytes) -> KeySet:
    """
    Return the usable keys of a JWKS by id; symmetric, private, weak and unnamed ones are left out.

    Raises: ValueError when it is no JWKS.
    """
    if len(document) > MAXIMUM_KEY_SET_BYTES:
        raise InvalidClaims("key set too large")
    entries = json_object(document).get("keys")
    if not isinstance(entries, list) or len(entries) > MAXIMUM_KEYS:
        raise InvalidClaims("no list of keys")
    keys: dict[str, Key] = {}
    for entry in entries:
        key = _usable(entry)
        if key is not None and key.kid:
            keys.setdefault(key.kid, key)
    return keys


def _usable(entry: object) -> Key | None:
    if not isinstance(entry, dict) or entry.get("kty") not in _KINDS or _is_weak(entry.get("n")):
        return None
    try:
        key = import_key(entry)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return key if _is_usable(key) and key.get("use", "sig") == "sig" else None


def _is_weak(modulus: object) -> bool:
    return isinstance(modulus, str) and len(modulus) * 6 < MINIMUM_RSA_BITS


def _is_usable(key: Key) -> bool:
    if key.is_private:
        return False
    match key:
        case OKPKey():
            return key.curve_name == "Ed25519"
        case ECKey():
            return key.curve_name == "P-256"
        case RSAKey():
            return key.public_key.key_size >= MINIMUM_RSA_BITS
        case _:
            return False
