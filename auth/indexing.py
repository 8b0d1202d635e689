"""Whether the index beside the ledger has what the records say: two sums that must be the same."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from auth.marks import mark_of
from store.journal import Entry


@dataclass(slots=True)
class IndexCheck:
    """
    Adds up what should be in the index and what is in it, in any order.

    The key of the sums is made for this check, so that nobody could prepare other rows for it.
    """

    _key: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    _wanted: int = 0
    _found: int = 0

    @property
    def agrees(self) -> bool:
        """Return whether the index is what the records say."""
        return self._wanted == self._found

    def should(self, entries: Sequence[Entry]) -> None:
        """Add what the index should have of the entries."""
        for entry in entries:
            mark = mark_of(entry)
            rows = ((value, entry.sequence) for value in (mark.time, *mark.terms))
            self._wanted += self._sum(rows)

    def has(self, rows: Iterable[tuple[int, int]]) -> None:
        """Add what the index has."""
        self._found += self._sum(rows)

    def _sum(self, rows: Iterable[tuple[int, int]]) -> int:
        return sum(
            int.from_bytes(blake2b(b"%d %d" % row, digest_size=16, key=self._key).digest())
            for row in rows
        )
