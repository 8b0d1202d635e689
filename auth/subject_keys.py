"""
The keys behind the names of people in the ledger: the last one names, all that are held find.

The first key is derived from the gateway's secret; the file of the others, where there is one,
says all of them.
"""

import hmac
import os
import re
import secrets
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

_BYTES: Final = 32
_ID: Final = re.compile(r"[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class SubjectKey:
    """A key and what records call it."""

    id: str
    key: bytes

    @classmethod
    def of(cls, key: bytes) -> "SubjectKey":
        """Return the key with its name."""
        return cls(sha256(b"ledger: key id\0" + key).hexdigest()[:8], key)


def derived(secret: bytes) -> SubjectKey:
    """Return the first key, which the gateway's secret gives."""
    return SubjectKey.of(hmac.digest(secret, b"ledger: subjects", "sha256"))


class SubjectKeys:
    """The keys that are held; a newer file counts from the next look on."""

    def __init__(self, secret: bytes, path: Path | None = None) -> None:
        self._first = (derived(secret),)
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._held: Sequence[SubjectKey] = self._first

    def held(self) -> Sequence[SubjectKey]:
        """
        Return the keys, the one for new records last.

        Raises: ValueError, OSError for a file that cannot be used.
        """
        seen = self._stamp()
        if seen != self._seen:
            self._held = self._first if seen is None or self._path is None else _read(self._path)
            self._seen = seen
        return self._held

    def current(self) -> SubjectKey:
        """
        Return the key for new records.

        Raises: ValueError, OSError for a file that cannot be used.
        """
        return self.held()[-1]

    def rotate(self) -> SubjectKey:
        """
        Add a key, for all records from now on, and return it.

        Raises: ValueError, OSError; the keys are then as they were.
        """
        if self._path is None:
            raise ValueError("there is no file to keep keys of people in")
        added = SubjectKey.of(secrets.token_bytes(_BYTES))
        _write(self._path, [*self.held(), added])
        return added

    def _stamp(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat() if self._path is not None else None
        except FileNotFoundError:
            return None
        return (found.st_mtime_ns, found.st_ino) if found is not None else None


def _read(path: Path) -> Sequence[SubjectKey]:
    keys: list[SubjectKey] = []
    for number, line in enumerate(path.read_text("ascii").splitlines(), 1):
        name, _, text = line.partition(" ")
        try:
            key = SubjectKey.of(b64decode(text, validate=True))
        except ValueError:
            key = SubjectKey("", b"")
        if _ID.fullmatch(name) is None or key.id != name or len(key.key) != _BYTES:
            raise ValueError(f"{path}:{number}: this is no key of people")
        keys.append(key)
    if not keys:
        raise ValueError(f"{path}: there is no key in it; remove it to use that of the key file")
    return keys


def _write(path: Path, keys: Sequence[SubjectKey]) -> None:
    lines = "".join(f"{each.id} {b64encode(each.key).decode()}\n" for each in keys)
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(lines.encode())
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
