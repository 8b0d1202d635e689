"""Whether the index beside the ledger has what the records say: two sums that must be the same."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from auth.marks import mark_of
from store.journal import Entry
from store.postings import Posting, full_before, postings


@dataclass(slots=True)
class IndexCheck:
    """
    Adds up what should be in the index and what is in it, in any order.

    The key of the sums is made for this check, so that nobody could prepare other rows for it.
    """

    _key: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    _places: range = range(0)
    _rest: list[Entry] = field(default_factory=list)  # of a block that is not full yet
    _wanted: int = 0
    _found: int = 0

    @property
    def agrees(self) -> bool:
        """Return whether the index is what the records say."""
        return self._wanted == self._found

    def should(self, entries: Sequence[Entry]) -> None:
        """Add what the index should have of the next entries."""
        self._rest += entries
        first, full = self._places.start or entries[0].sequence, full_before(entries[-1].sequence)
        self._places = range(first, full)
        for entry in self._rest:
            if entry.sequence < full:
                self._wanted += self._sum(postings(entry.sequence, mark_of(entry).terms))
        self._rest = [entry for entry in self._rest if entry.sequence >= full]

    def has(self, found: Iterable[Posting]) -> None:
        """Add what the index has, but of records that were removed before or written since."""
        self._found += self._sum(each for each in found if each.place in self._places)

    def _sum(self, found: Iterable[Posting]) -> int:
        digests = (
            blake2b(b"%d %d " % each[:2] + each.term, digest_size=16, key=self._key).digest()
            for each in found
        )
        return sum(map(int.from_bytes, digests))
