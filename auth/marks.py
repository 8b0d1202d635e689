"""
Under what a record of the ledger is found: whom it speaks of, who asked, from which office, when.

A term is a number of 64 bits, so that the index stays small; two that happen to be the same cost a
look at a record that is not meant.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, Final

import orjson

from store.journal import Entry, Mark

_ACCOUNT: Final = "account"
_OFFICE: Final = "office"
_HALF: Final = 16  # hexadecimal digits
_OFFSET: Final = 1 << 63
_LEVELS: Final = (2, 4, 6, 9, 12)
_MICROSECONDS: Final = 1_000_000


def mark_of(entry: Entry) -> Mark:
    """Return under what an entry is found; under its place alone where it is no record."""
    try:
        record = orjson.loads(entry.body)
        return Mark(microseconds(record["time"]), sorted(set(_terms(record))))
    except (ValueError, KeyError, TypeError, AttributeError):
        return Mark(0, ())


def subject_term(subject: str) -> int:
    """
    Return the term of a person, as the ledger calls them: the first half of that hash.

    Raises: ValueError.
    """
    return int(subject[:_HALF], 16) - _OFFSET


def account_term(account: str) -> int:
    """Return the term of an account."""
    return _term(_ACCOUNT, account)


def office_term(division: str) -> int:
    """Return the term of all offices at or beneath a division."""
    return _term(_OFFICE, division)


def microseconds(time: str) -> int:
    """Return the time of a record as microseconds since 1970."""
    return round(datetime.fromisoformat(time).astimezone(UTC).timestamp() * _MICROSECONDS)


def subjects_of_record(record: Mapping[str, Any]) -> Iterator[str]:
    """Yield whom a record speaks of, as the ledger calls them."""
    for reading in record.get("readings", ()):
        yield from reading["subjects"]
    for consulted in record.get("consulted", ()):
        yield from consulted["subjects"]


def offices_of(record: Mapping[str, Any]) -> list[str]:
    """Return the divisions of the offices that asked."""
    return [str(division) for _, division in record.get("office", ())]


def _terms(record: Mapping[str, Any]) -> Iterator[int]:
    yield from map(subject_term, subjects_of_record(record))
    if "account" in record:
        yield account_term(str(record["account"]))
    for division in offices_of(record):
        for level in _LEVELS:
            if len(division) >= level:
                yield office_term(division[:level])


def _term(kind: str, value: str) -> int:
    content = f"{kind}\0{value}".encode(errors="replace")
    return int.from_bytes(blake2b(content, digest_size=8).digest(), signed=True)
