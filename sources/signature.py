"""
How a request proves to a REST system who sends it.

style "header"   one fixed header, `header: value`.
style "hmac"     four headers named after `header` (default X-Signature):

    <header>-Key          the configured key, which names the sender
    <header>-Timestamp    milliseconds since 1970 UTC
    <header>-Nonce        32 hexadecimal digits, never used twice
    <header>              HMAC of the canonical text with the secret, lower-case hexadecimal

The canonical text is six lines joined by a line feed, in UTF-8: the method in capitals; the path as
sent; the query as sent, its `name=value` pairs sorted; the timestamp; the nonce; the digest of the
body in lower-case hexadecimal. HMAC and digest use SHA-256 or SM3 (GB/T 32905).
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from cryptography.hazmat.primitives import hashes, hmac

from sources.declaration import Signature

Headers: TypeAlias = tuple[tuple[str, str], ...]

_DEFAULT_HEADER: Final = "X-Signature"


def _milliseconds() -> int:
    return time.time_ns() // 1_000_000


def _nonce() -> str:
    return secrets.token_hex(16)


@dataclass(frozen=True, slots=True)
class Signer:
    """A signature with its clock (milliseconds since 1970) and its source of nonces."""

    signature: Signature
    clock: Callable[[], int] = _milliseconds
    nonce: Callable[[], str] = _nonce

    def headers(self, method: str, path: str, query: str, body: bytes) -> Headers:
        """Return the headers that sign a request; `path` and `query` as they are sent."""
        style = self.signature.style
        if style == "none":
            return ()
        if style == "header":
            return ((self.signature.header, self.signature.value),)
        return self._signed((method, path, query), body)

    def _signed(self, target: tuple[str, str, str], body: bytes) -> Headers:
        timestamp, nonce = str(self.clock()), self.nonce()
        algorithm = hashes.SM3() if self.signature.digest == "sm3" else hashes.SHA256()
        text = "\n".join((*target, timestamp, nonce, _digest(algorithm, body)))
        mac = hmac.HMAC(self.signature.secret.encode(), algorithm)
        mac.update(text.encode())
        header = self.signature.header or _DEFAULT_HEADER
        return (
            (f"{header}-Key", self.signature.key),
            (f"{header}-Timestamp", timestamp),
            (f"{header}-Nonce", nonce),
            (header, mac.finalize().hex()),
        )


def _digest(algorithm: hashes.HashAlgorithm, body: bytes) -> str:
    digest = hashes.Hash(algorithm)
    digest.update(body)
    return digest.finalize().hex()
