"""
Posting lists: which terms are found at which places, in rows that are appended and never changed.

A row has what one bucket of terms got from one block of places, and is made when the block is full.
A term is in one bucket alone, so a search reads a small part of all rows, which lie side by side.
"""

from array import array
from collections.abc import Iterable, Iterator
from sys import byteorder
from typing import Final, NamedTuple

BUCKETS: Final = 32
_BLOCK: Final = 256  # places, so that one is a byte of a row
_TERM: Final = 8  # bytes that terms come with: four are kept, and five bits of the fifth
_KEPT: Final = 4
_PLACE: Final = 5  # where a term has room for its place
_IN_BUCKET: Final = bytes(each % BUCKETS for each in range(256))


class Row(NamedTuple):
    """Terms and places of one bucket, the first of the one with the first of the other."""

    bucket: int
    sequence: int  # the last place of the block
    part: int  # 0, but where it was mended
    terms: bytes
    places: bytes


class Posting(NamedTuple):
    """A term, as far as it is kept, and a place that it is found at."""

    place: int
    bucket: int
    term: bytes


def block_of(place: int) -> range:
    """Return the places of the block that a place is in."""
    first = place // _BLOCK * _BLOCK
    return range(first, first + _BLOCK)


def full_before(last: int) -> int:
    """Return the first place whose block is not full, where this is the last place there is."""
    return block_of(last + 1).start


def rows_of(marks: Iterable[tuple[int, bytes]]) -> Iterator[Row]:
    """Yield the rows of a block: of places and their terms."""
    buckets: list[list[int]] = [[] for _ in range(BUCKETS)]
    last = 0
    for place, terms in marks:
        words = bytearray(terms)
        words[_PLACE::_TERM] = bytes((place % _BLOCK,)) * (len(terms) // _TERM)
        owners = words[_KEPT::_TERM].translate(_IN_BUCKET)
        for bucket, word in zip(owners, memoryview(words).cast("Q"), strict=True):
            buckets[bucket].append(word)
        last = block_of(place)[-1]
    for bucket, found in enumerate(buckets):
        if found:
            words = bytearray(array("Q", found))
            kept = memoryview(words).cast("I")[:: _TERM // _KEPT].tobytes()
            yield Row(bucket, last, 0, kept, bytes(words[_PLACE::_TERM]))


def rows_again(found: Iterable[Posting]) -> Iterator[Row]:
    """Yield the rows of a block that have these."""
    return rows_of((each.place, _whole(each)) for each in sorted(found))


def postings(place: int, terms: bytes) -> list[Posting]:
    """Return what rows have of a place and its terms."""
    return [Posting(place, bucket_of(term), kept_of(term)) for term in each_of(terms)]


def each_of(terms: bytes) -> list[bytes]:
    """Return terms one by one."""
    return [terms[at : at + _TERM] for at in range(0, len(terms), _TERM)]


def postings_of(row: Row) -> Iterator[Posting]:
    """Yield what a row has."""
    first = block_of(row.sequence).start
    terms = (row.terms[at : at + _KEPT] for at in range(0, len(row.terms), _KEPT))
    for place, term in zip(row.places, terms, strict=False):  # what was cut off is lacking
        yield Posting(first + place, row.bucket, term)


def places_of(row: Row, term: bytes) -> list[int]:
    """Return the places of a term in a row of its bucket."""
    first, meant = block_of(row.sequence).start, int.from_bytes(kept_of(term), byteorder)
    whole = len(row.terms) // _KEPT * _KEPT
    words = memoryview(row.terms[:whole]).cast("I")
    return [first + at for at, word in zip(row.places, words, strict=False) if word == meant]


def bucket_of(term: bytes) -> int:
    """Return the bucket of a term."""
    return term[_KEPT] % BUCKETS


def kept_of(term: bytes) -> bytes:
    """Return what rows have of a term, beside its bucket."""
    return term[:_KEPT]


def _whole(posting: Posting) -> bytes:
    return (posting.term + bytes((posting.bucket,))).ljust(_TERM, b"\0")
