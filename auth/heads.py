"""
Signed heads: now and then the last hash of the ledger, with an Ed25519 signature, in a second file.

Whoever holds the database but not the key cannot take records away or write them anew unseen. The
same file says where old records were removed, and which key signs from there on.
"""

import fcntl
import os
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from io import BufferedWriter
from pathlib import Path
from typing import Final

import orjson
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from store.journal import Entry

HANDOVER: Final = "handover"
CHECKPOINT: Final = "checkpoint"
NOTHING_YET: Final = Entry(0, "", "")


@dataclass(frozen=True, slots=True)
class Heads:
    """
    Where heads are written, with which key, and how often: whichever comes first.

    `key` is asked each time, while no other process writes, so that a new key counts at once.
    """

    path: Path
    key: Callable[[], Ed25519PrivateKey]
    every_records: int = 1_000
    every_seconds: float = 10.0

    def write(self, last: Entry) -> None:
        """
        Append the head of a ledger that ends with this entry; durable when this returns.

        Raises: OSError, ValueError.
        """
        with self.appending() as file:
            _append(file, _signed(_statement(last), self.key()))

    def checkpoint(self, last: Entry, count: int) -> None:
        """
        Append that so many records, to this one, were whole and may be removed.

        Raises: OSError, ValueError.
        """
        told = {"kind": CHECKPOINT, **_statement(last), "count": count}
        with self.appending() as file:
            _append(file, _signed(told, self.key()))

    def told(self, first: int, last: int) -> Mapping[int, str]:
        """
        Return the heads between two places, and the first behind them; no signature is checked.

        It is for whoever writes the file: others believe what a key vouches for alone.
        Raises: OSError, ValueError.
        """
        found: dict[int, str] = {}
        if not self.path.exists():
            return found
        with self.path.open("rb") as file:
            for line in file:
                head = orjson.loads(line)
                if (sequence := int(head["sequence"])) >= first:
                    found.setdefault(sequence, str(head["hash"]))
                if sequence >= last:
                    break
        return found

    @contextmanager
    def appending(self) -> Iterator[BufferedWriter]:
        """Open the file to append to it; nobody else does as long as the block lasts."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self.path.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file


@dataclass(frozen=True, slots=True)
class KeyFiles:
    """Where the signing key lies, its public half, and the next key while it takes over."""

    private: Path
    public: Path

    @property
    def next(self) -> Path:
        """Return where a key waits that is not in use yet."""
        return self.private.with_name(f"{self.private.name}.next")

    def current(self, heads: Path) -> Ed25519PrivateKey:
        """
        Return the key to sign with; a change of keys that was broken off is brought to its end.

        Raises: ValueError, OSError.
        """
        if self.next.exists():
            waiting = private_key(self.next.read_bytes())
            told = f'"to":"{_raw(waiting.public_key())}"'.encode()
            if heads.exists() and told in heads.read_bytes():
                self._take(waiting)
            else:
                self.next.unlink()
        return private_key(self.private.read_bytes())

    def hand_over(self, heads: Heads, last: Entry) -> Mapping[str, str]:
        """
        Sign with a new key from now on; return the names of the old key and the new one.

        Both keys sign the line that says so, and where the ledger ended then.
        Raises: ValueError, OSError.
        """
        with heads.appending() as file:
            old = self.current(heads.path)
            _write_owned(self.next, private_pem())
            new = private_key(self.next.read_bytes())
            keys = {"from": _raw(old.public_key()), "to": _raw(new.public_key())}
            told = {"kind": HANDOVER, **_statement(last), **keys}
            _append(file, {**_signed(told, old), "accepted": _signature(told, new)})
            self._take(new)
        return {"from": key_name(old.public_key()), "to": key_name(new.public_key())}

    def _take(self, key: Ed25519PrivateKey) -> None:
        beside = self.public.with_name(f"{self.public.name}.{os.getpid()}")
        beside.write_bytes(public_pem(key))
        beside.replace(self.public)
        self.next.replace(self.private)


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


def key_name(key: Ed25519PublicKey) -> str:
    """Return what records call a key."""
    return sha256(key.public_bytes_raw()).hexdigest()[:16]


def _raw(key: Ed25519PublicKey) -> str:
    return b64encode(key.public_bytes_raw()).decode()


def _statement(last: Entry) -> dict[str, object]:
    return {
        "sequence": last.sequence,
        "hash": last.hash,
        "time": datetime.now(UTC).isoformat(),
    }


def _signature(told: Mapping[str, object], key: Ed25519PrivateKey) -> str:
    return b64encode(key.sign(orjson.dumps(told))).decode()


def _signed(told: Mapping[str, object], key: Ed25519PrivateKey) -> dict[str, object]:
    return {**told, "signature": _signature(told, key)}


def _append(file: BufferedWriter, line: Mapping[str, object]) -> None:
    file.write(orjson.dumps(line) + b"\n")
    file.flush()
    os.fsync(file.fileno())


def _write_owned(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read; durable when this returns."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
