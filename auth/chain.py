"""
The chain of the ledger: every record carries the hash of the one before, and has a hash itself.

A record is JSON in one line; its hash is that of exactly these bytes. An export is the same line
with the hash behind it. Knows no database.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import orjson

from store.journal import Entry

ALGORITHMS: Final = ("sm3", "sha256")
_HASH: Final = ',"hash":"'
_DIGITS: Final = 64  # of either algorithm
_STARTED: Final = {
    name: hashlib.new(name) for name in ALGORITHMS if name in hashlib.algorithms_available
}


def algorithm() -> str:
    """Return the algorithm for new records: SM3, or SHA-256 where OpenSSL was built without."""
    return next(name for name in ALGORITHMS if name in hashlib.algorithms_available)


def digest(name: str, content: bytes) -> str:
    """Return the hash of the content."""
    started = _STARTED[name].copy()  # looking an algorithm up takes as long as a short record
    started.update(content)
    return started.hexdigest()


def linked(name: str, records: Iterable[Mapping[str, object]], last: Entry | None) -> list[Entry]:
    """Return the records as they follow the last entry there is."""
    sequence, previous = (last.sequence, last.hash) if last else (0, "")
    entries: list[Entry] = []
    for record in records:
        sequence += 1
        head = {"sequence": sequence, "algorithm": name}
        body = orjson.dumps({**head, **record, "previous": previous})
        previous = digest(name, body)
        entries.append(Entry(sequence, body.decode(), previous))
    return entries


def line_of(entry: Entry) -> str:
    """Return an entry as a line of an export."""
    return f'{entry.body[:-1]}{_HASH}{entry.hash}"}}'


def entries_of(lines: Iterable[str]) -> Iterator[Entry]:
    """Yield the entries of an export; a line that is none has the hash of nothing."""
    for number, line in enumerate(lines, 1):
        text = line.rstrip("\n")
        body, ends, rest = text[: -_DIGITS - len(_HASH) - 2], text[-2:], text[-_DIGITS - 2 : -2]
        is_line = ends == '"}' and text[len(body) : len(body) + len(_HASH)] == _HASH
        yield Entry(number, f"{body}}}" if is_line else text, rest if is_line else "")


class Broken(Exception):
    """A ledger that is not as it was written; `sequence` is its first bad record."""

    def __init__(self, sequence: int, what: str) -> None:
        self.sequence = sequence
        super().__init__(f"record {sequence}: {what}")


@dataclass(slots=True)
class Walk:
    """
    Follows the chain from its beginning; `heads` are the hashes that were signed, by sequence.

    Raises: Broken, from `steps` and `end`, at the first record that is not as it was written.
    """

    heads: Mapping[int, str]
    sequence: int = 0
    hash: str = ""
    agreed: int = 0  # the last record that a head confirmed

    def steps(self, entries: Iterable[Entry]) -> None:
        """Check the next records."""
        for entry in entries:
            self._step(entry)

    def _step(self, entry: Entry) -> None:
        self.sequence += 1
        name = _named(self.sequence, entry)
        if name is None:
            raise Broken(self.sequence, "it is missing, or not in its place")
        if not entry.body.endswith(f',"previous":"{self.hash}"}}'):
            raise Broken(self.sequence, "it does not follow the record before it")
        if digest(name, entry.body.encode()) != entry.hash:
            raise Broken(self.sequence, "it is not what was written")
        self.hash = entry.hash
        if self.sequence in self.heads:
            self._agree(self.heads[self.sequence])

    def end(self) -> None:
        """Check that nothing is missing behind the last record."""
        last = max(self.heads, default=0)
        if last > self.sequence:
            raise Broken(self.sequence + 1, f"it is missing, with all others to {last} at least")

    def _agree(self, signed: str) -> None:
        if signed != self.hash:
            since = self.agreed + 1
            what = f"it is not what was signed: records from {since} on have been written anew"
            raise Broken(self.sequence, what)
        self.agreed = self.sequence


def _named(sequence: int, entry: Entry) -> str | None:
    """Return the algorithm of an entry in this place; None where it belongs elsewhere."""
    if entry.sequence == sequence:
        for name in ALGORITHMS:
            if entry.body.startswith(f'{{"sequence":{sequence},"algorithm":"{name}",'):
                return name
    return None
