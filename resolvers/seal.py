"""
Opaque texts that only this gateway can make and read: ids and cursors.

AES-SIV (RFC 5297) is deterministic and authenticated: the same content gives the same text, any
change is refused, nothing inside can be read, and a text made for one use is worth nothing in
another, since its use is part of what is authenticated.
"""

import base64
import binascii
import hashlib
from datetime import date, datetime
from decimal import Decimal
from typing import Final

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from contract.entity import Kind
from contract.predicate import Value

_VERSION: Final = b"\x01"


class Seal:
    """Seals lists of plain values for a use, under a key derived from the gateway's secret."""

    def __init__(self, secret: bytes, purpose: str) -> None:
        key = hashlib.scrypt(secret, salt=purpose.encode(), n=2, r=8, p=1, dklen=64)
        self._cipher = AESSIV(key)

    def close(self, values: list[object], *uses: str) -> str:
        """Return the sealed text."""
        plain = orjson.dumps(values, default=str)
        sealed = _VERSION + self._cipher.encrypt(plain, [use.encode() for use in uses])
        return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def open(self, text: str, *uses: str) -> list[object] | None:
        """Return what was sealed for these uses; None for any text that was not."""
        try:
            sealed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            if sealed[:1] != _VERSION or self._recoded(sealed) != text:
                return None
            plain = self._cipher.decrypt(sealed[1:], [use.encode() for use in uses])
        except (InvalidTag, ValueError, binascii.Error):
            return None
        values = orjson.loads(plain)
        return values if isinstance(values, list) else None

    @staticmethod
    def _recoded(sealed: bytes) -> str:
        return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


def revived(kind: Kind, plain: object) -> Value | None:
    """Return a field's value from the plain form it was sealed in."""
    if plain is None or not isinstance(plain, str):
        return plain  # type: ignore[return-value] # integers and booleans are plain already
    match kind:
        case Kind.DATE:
            return date.fromisoformat(plain)
        case Kind.DATETIME:
            return datetime.fromisoformat(plain)
        case Kind.DECIMAL:
            return Decimal(plain)
        case _:
            return plain
