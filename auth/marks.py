"""
Under what a record of the ledger is found: whom it speaks of, who asked, from which office, when.

A term has eight bytes, of which the index keeps some; two that happen to be the same cost a look at
a record that is not meant.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b
from itertools import chain
from typing import Any, Final

import orjson

from store.journal import Entry, Mark

_ACCOUNT: Final = "account"
_OFFICE: Final = "office"
_NAME: Final = 16  # bytes that a person is called by
_TERM: Final = 8
_LEVELS: Final = (2, 4, 6, 9, 12)
_MICROSECONDS: Final = 1_000_000


def mark_of(entry: Entry) -> Mark:
    """Return under what an entry is found; under its place alone where it is no record."""
    try:
        record = orjson.loads(entry.body)
        terms = _persons(record) + b"".join(_asker(record))
        return Mark(microseconds(record["time"]), terms)
    except (ValueError, KeyError, TypeError, AttributeError):
        return Mark(0, b"")


def subject_term(subject: str) -> bytes:
    """Return the term of a person, as the ledger calls them: the beginning of that hash."""
    return bytes.fromhex(subject)[:_TERM]


def account_term(account: str) -> bytes:
    """Return the term of an account."""
    return _term(_ACCOUNT, account)


def office_term(division: str) -> bytes:
    """Return the term of all offices at or beneath a division."""
    return _term(_OFFICE, division)


def microseconds(time: str) -> int:
    """Return the time of a record as microseconds since 1970."""
    return round(datetime.fromisoformat(time).astimezone(UTC).timestamp() * _MICROSECONDS)


def subjects_of_record(record: Mapping[str, Any]) -> list[str]:
    """Return whom a record speaks of, as the ledger calls them; some more than once."""
    said = chain(record.get("readings", ()), record.get("consulted", ()))
    return list(chain.from_iterable(each["subjects"] for each in said))


def offices_of(record: Mapping[str, Any]) -> list[str]:
    """Return the divisions of the offices that asked."""
    return [str(division) for _, division in record.get("office", ())]


def _persons(record: Mapping[str, Any]) -> bytes:
    """
    Return the terms of whom a record speaks of, all cut from their names at once.

    Raises: ValueError where these are no names.
    """
    persons = set(subjects_of_record(record))
    names = bytes.fromhex("".join(persons))
    if len(names) != _NAME * len(persons):
        raise ValueError("people are called by half a hash")
    return memoryview(names).cast("Q")[:: _NAME // _TERM].tobytes()


def _asker(record: Mapping[str, Any]) -> set[bytes]:
    """Return the terms of who asked, and from which offices."""
    terms = {account_term(str(record["account"]))} if "account" in record else set[bytes]()
    for division in offices_of(record):
        terms.update(office_term(division[:each]) for each in _LEVELS if len(division) >= each)
    return terms


@lru_cache(maxsize=4_096)
def _term(kind: str, value: str) -> bytes:
    return blake2b(f"{kind}\0{value}".encode(errors="replace"), digest_size=_TERM).digest()
