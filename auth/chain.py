"""
The chain of the ledger: every record carries the hash of the one before, and has a hash itself.

A record is JSON in one line; its hash is that of exactly these bytes. An export is the same line
with the hash behind it. Knows no database.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final

import orjson

from store.journal import Entry

ALGORITHMS: Final = ("sm3", "sha256")
_HASH: Final = ',"hash":"'
_DIGITS: Final = 64  # of either algorithm
# Bytes hashed at once. For more than 2,047 a thread lets others run, and waits for milliseconds
# until a busy loop lets it go on: a commit would wait for every record.
_PIECE: Final = 2_000
_STARTED: Final[Mapping[str, Any]] = {
    name: hashlib.new(name) for name in ALGORITHMS if name in hashlib.algorithms_available
}
_FIRST: Final = next(iter(_STARTED))
_BEGINS: Final = {
    name: b'{"sequence":%d,"algorithm":"' + name.encode() + b'",' for name in ALGORITHMS
}
_FOLLOWS: Final = b',"previous":"%b"}'
_ANSWER: Final = b'"kind":"answer"'
_TIME_WIDTH: Final = len('"time":"2026-01-01T00:00:00.000000+00:00",')
_TIME: Final = re.compile(r'\{"sequence":\d+,"algorithm":"\w+","time":"([^"]*)"')
_SEQUENCE: Final = re.compile(r'\{"sequence":([1-9]\d{0,17}),')


def algorithm() -> str:
    """Return the algorithm for new records: SM3, or SHA-256 where OpenSSL was built without."""
    return next(name for name in ALGORITHMS if name in hashlib.algorithms_available)


def digest(name: str, content: bytes) -> str:
    """Return the hash of the content."""
    started = _STARTED[name].copy()  # looking an algorithm up takes as long as a short record
    for at in range(0, len(content), _PIECE):
        started.update(content[at : at + _PIECE])
    return str(started.hexdigest())


def linked(name: str, records: Iterable[Mapping[str, object]], last: Entry | None) -> list[Entry]:
    """Return the records as they follow the last entry there is; no time is before its own."""
    sequence, previous = (last.sequence, last.hash) if last else (0, "")
    time = time_of(last.body) if last else ""
    entries: list[Entry] = []
    for record in records:
        sequence += 1
        head = {"sequence": sequence, "algorithm": name}
        told = {**head, **record, "previous": previous}
        if "time" in told:
            told["time"] = time = max(time, str(told["time"]))
        body = orjson.dumps(told)
        previous = digest(name, body)
        entries.append(Entry(sequence, body.decode(), previous))
    return entries


def time_of(body: str) -> str:
    """Return the time of a record without reading all of it; nothing where it has none."""
    found = _TIME.match(body)
    return found.group(1) if found else ""


def line_of(entry: Entry) -> str:
    """Return an entry as a line of an export."""
    return f'{entry.body[:-1]}{_HASH}{entry.hash}"}}'


def entries_of(lines: Iterable[str]) -> Iterator[Entry]:
    """Yield the entries of an export; a line that is none has the hash of nothing."""
    behind: int | None = None
    for number, line in enumerate(lines, 1):
        text = line.rstrip("\n")
        body, ends, rest = text[: -_DIGITS - len(_HASH) - 2], text[-2:], text[-_DIGITS - 2 : -2]
        is_line = ends == '"}' and text[len(body) : len(body) + len(_HASH)] == _HASH
        if behind is None:
            behind = _records_before(text)
        yield Entry(behind + number, f"{body}}}" if is_line else text, rest if is_line else "")


def _records_before(text: str) -> int:
    """Return how many records were removed before the one that an export begins with."""
    found = _SEQUENCE.match(text)
    return int(found.group(1)) - 1 if found else 0


class Broken(Exception):
    """A ledger that is not as it was written; `sequence` is its first bad record."""

    def __init__(self, sequence: int, what: str) -> None:
        self.sequence = sequence
        super().__init__(f"record {sequence}: {what}")


@dataclass(slots=True)
class Walk:
    """
    Follows the chain from its beginning; `heads` are the hashes that were signed, by sequence.

    `removed` are those up to which records were removed: it may begin behind one of them.
    Raises: Broken, from `steps`, `raw` and `end`, at the first record that is not as it was
            written.
    """

    heads: Mapping[int, str]
    removed: Mapping[int, str] = field(default_factory=dict)
    sequence: int = 0
    hash: str = ""
    agreed: int = 0  # the last record that a head confirmed
    began: int = -1  # how many records are not there any more; below 0: not begun
    others: list[bytes] = field(default_factory=list)  # records of something else than answers

    @property
    def records(self) -> int:
        """Return how many records were checked."""
        return self.sequence - max(0, self.began)

    def steps(self, entries: Iterable[Entry]) -> None:
        """Check the next records."""
        self.raw((entry.sequence, entry.body.encode(), entry.hash.encode()) for entry in entries)

    def raw(self, rows: Iterable[tuple[int, bytes, bytes]]) -> None:
        """Check the next records, as place, body and hash."""
        remaining = iter(rows)
        if self.began < 0:
            first = next(remaining, None)
            if first is None:
                return
            self._begin(first[0])
            remaining = chain((first,), remaining)
        self._follow(remaining)

    def _follow(self, rows: Iterable[tuple[int, bytes, bytes]]) -> None:
        # One loop with nothing looked up twice: this is what the time of a check is spent in.
        sequence, previous, heads = self.sequence, self.hash.encode(), self.heads
        started, begins = _STARTED[_FIRST], _BEGINS[_FIRST]
        for place, body, hashed in rows:
            sequence += 1
            begin = begins % sequence
            if place != sequence or not body.startswith(begin):
                started, begins = self._other(sequence, place, body)
                begin = begins % sequence
            if not body.endswith(_FOLLOWS % previous):
                raise Broken(sequence, "it does not follow the record before it")
            digester = started.copy()  # looking an algorithm up takes as long as a short record
            digester.update(body)
            if digester.hexdigest().encode() != hashed:
                raise Broken(sequence, "it is not what was written")
            previous = hashed
            if not body.startswith(_ANSWER, len(begin) + _TIME_WIDTH):
                self.others.append(body)
            if sequence in heads:
                self._agree(sequence, hashed.decode())
        self.sequence, self.hash = sequence, previous.decode()

    def end(self) -> None:
        """Check that nothing is missing behind the last record."""
        last = max(self.heads, default=0)
        if last > self.sequence:
            raise Broken(self.sequence + 1, f"it is missing, with all others to {last} at least")

    def _begin(self, first: int) -> None:
        """Take up the chain before its first record."""
        if first != 1 and first - 1 not in self.removed:
            latest = max(self.removed, default=0)
            known = [each for each in self.removed if each < first] if first <= latest else [latest]
            raise Broken(max(known, default=0) + 1, "it is missing, or not in its place")
        self.began = self.sequence = first - 1
        self.hash = self.removed.get(first - 1, "")
        self.agreed = self.began

    def _other(self, sequence: int, place: int, body: bytes) -> tuple[Any, bytes]:
        """Return what another algorithm than the usual one begins with."""
        for name, begins in _BEGINS.items():
            if place == sequence and name in _STARTED and body.startswith(begins % sequence):
                return _STARTED[name], begins
        raise Broken(sequence, "it is missing, or not in its place")

    def _agree(self, sequence: int, hashed: str) -> None:
        if self.heads[sequence] != hashed:
            since = self.agreed + 1
            what = f"it is not what was signed: records from {since} on have been written anew"
            raise Broken(sequence, what)
        self.agreed = sequence
