"""
What the heads of a ledger say, as far as one trusted key vouches for it.

A key hands over to the next in a line that both sign: so whoever trusts any one of the keys can
follow to all others, and a key that was lost since cannot write another past.
"""

from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from auth.heads import CHECKPOINT, HANDOVER, key_name

_SIGNATURES: Final = frozenset({"signature", "accepted"})


@dataclass(frozen=True, slots=True)
class Signed:
    """
    What was signed: hashes by sequence, among them those that records were removed up to.

    `keys` are the names of the keys, in the order in which they signed.
    """

    hashes: Mapping[int, str] = field(default_factory=dict)
    removed: Mapping[int, str] = field(default_factory=dict)
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Line:
    """One line of the file, of which nothing has been believed yet."""

    told: Mapping[str, Any]
    signature: bytes
    accepted: bytes

    @classmethod
    def of(cls, text: bytes) -> "_Line":
        line = orjson.loads(text)
        told = {name: value for name, value in line.items() if name not in _SIGNATURES}
        accepted = line.get("accepted", "")
        return cls(told, _decoded(line["signature"]), _decoded(accepted))

    @property
    def is_handover(self) -> bool:
        return self.told.get("kind") == HANDOVER

    def key(self, name: str) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(_decoded(self.told[name]))

    def check(self, key: Ed25519PublicKey) -> Ed25519PublicKey:
        """Return the key that signs from here on, after checking that this line was signed."""
        content = orjson.dumps(self.told)
        key.verify(self.signature, content)
        if not self.is_handover:
            return key
        if self.key("from") != key:
            raise InvalidSignature
        following = self.key("to")
        following.verify(self.accepted, content)
        return following


def signed_heads(path: Path, trusted: Ed25519PublicKey) -> Signed:
    """
    Return what was signed with the trusted key, those before it and those after it.

    Raises: OSError; ValueError for a line that none of them signed.
    """
    lines = list(_lines(path))
    handovers = (line for _, line in lines if line.is_handover)
    first = next(handovers, None)
    key = trusted if first is None else _first_key(path, first)
    keys, hashes, removed = [key], dict[int, str](), dict[int, str]()
    for number, line in lines:
        try:
            following = line.check(key)
            sequence, signed = int(line.told["sequence"]), str(line.told["hash"])
        except (ValueError, KeyError, TypeError, InvalidSignature):
            raise _refused(path, number) from None
        if following != key:
            keys.append(following)
            key = following
        if sequence and hashes.setdefault(sequence, signed) != signed:
            raise ValueError(f"{path}:{number}: another head of record {sequence} was signed too")
        if line.told.get("kind") == CHECKPOINT:
            removed[sequence] = signed
    if trusted not in keys:
        raise ValueError(f"{path}: these heads were not signed with the key that is trusted")
    return Signed(hashes, removed, tuple(map(key_name, keys)))


def _lines(path: Path) -> Iterator[tuple[int, _Line]]:
    for number, text in enumerate(path.read_bytes().splitlines(), 1):
        try:
            yield number, _Line.of(text)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise _refused(path, number) from None


def _first_key(path: Path, handover: _Line) -> Ed25519PublicKey:
    try:
        return handover.key("from")
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"{path}: a handover names no key") from None


def _decoded(text: object) -> bytes:
    return b64decode(str(text), validate=True)


def _refused(path: Path, number: int) -> ValueError:
    return ValueError(f"{path}:{number}: this head was not signed with the key")
