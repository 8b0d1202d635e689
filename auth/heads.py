"""
Signed heads: now and then the last hash of the ledger, with an Ed25519 signature, in a second file.

Whoever holds the database but not the key cannot take records away or write them anew unseen.
"""

import os
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from store.journal import Entry


@dataclass(frozen=True, slots=True)
class Heads:
    """Where heads are written, with which key, and how often: whichever comes first."""

    path: Path
    key: Ed25519PrivateKey
    every_records: int = 1_000
    every_seconds: float = 10.0

    def write(self, last: Entry) -> None:
        """
        Append the head of a ledger that ends with this entry; durable when this returns.

        Raises: OSError.
        """
        signed = _signed(last.sequence, last.hash, datetime.now(UTC).isoformat())
        signature = b64encode(self.key.sign(signed)).decode()
        line = orjson.dumps({**orjson.loads(signed), "signature": signature})
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self.path.open("ab") as file:
            file.write(line + b"\n")
            file.flush()
            os.fsync(file.fileno())


def private_pem() -> bytes:
    """Return a new key to sign heads with."""
    return Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def public_pem(key: Ed25519PrivateKey) -> bytes:
    """Return what the signatures are checked with."""
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def private_key(pem: bytes) -> Ed25519PrivateKey:
    """
    Return the key to sign heads with.

    Raises: ValueError.
    """
    key = serialization.load_pem_private_key(pem, None)
    if isinstance(key, Ed25519PrivateKey):
        return key
    raise ValueError("the key of the ledger is no Ed25519 key")


def public_key(pem: bytes) -> Ed25519PublicKey:
    """
    Return the key to check heads with.

    Raises: ValueError.
    """
    key = serialization.load_pem_public_key(pem)
    if isinstance(key, Ed25519PublicKey):
        return key
    raise ValueError("the public key of the ledger is no Ed25519 key")


def signed_heads(path: Path, key: Ed25519PublicKey) -> Mapping[int, str]:
    """
    Return the hashes that were signed, by sequence.

    Raises: OSError; ValueError for a line that was not signed with the key.
    """
    found: dict[int, str] = {}
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            head = orjson.loads(line)
            sequence, signed = int(head["sequence"]), str(head["hash"])
            content = _signed(sequence, signed, str(head["time"]))
            key.verify(b64decode(head["signature"], validate=True), content)
        except (ValueError, KeyError, TypeError, InvalidSignature):
            raise ValueError(f"{path}:{number}: this head was not signed with the key") from None
        if found.setdefault(sequence, signed) != signed:
            raise ValueError(f"{path}:{number}: another head of record {sequence} was signed too")
    return found


def _signed(sequence: int, last: str, time: str) -> bytes:
    return orjson.dumps({"sequence": sequence, "hash": last, "time": time})
