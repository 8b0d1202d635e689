"""
Searches the ledger for those whom the policy lets see it.

The index finds, the records decide: what a record does not say itself is not believed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

import orjson

from auth.chain import algorithm
from auth.marks import (
    account_term,
    microseconds,
    office_term,
    offices_of,
    subject_term,
    subjects_of_record,
)
from auth.policy import LedgerView
from auth.reading import PERSON, Registrar
from auth.subject_keys import SubjectKeys
from contract.errors import TooComplex
from store.journal import Journal, Span

_PAGE: Final = 500
_LOOKED_AT: Final = 20_000
_TOO_MANY: Final = "符合条件的记录过于分散,请用时间范围、账号或公民身份号码缩小范围。"

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which records are meant; what is empty is not asked for. `person` is a citizen number."""

    since: datetime | None = None
    until: datetime | None = None
    account: str = ""
    office: str = ""
    purpose: str = ""
    entity: str = ""
    outcome: str = ""
    person: str = ""

    def named(self) -> dict[str, str]:
        """Return by what records are asked for, without the person."""
        times = {"since": self.since, "until": self.until}
        told = {name: time.astimezone(UTC).isoformat() for name, time in times.items() if time}
        for name in ("account", "office", "purpose", "entity", "outcome"):
            told |= {name: value} if (value := getattr(self, name)) else {}
        return told


@dataclass(frozen=True, slots=True)
class AccessLog:
    """The records of one store, and the keys that people are named with."""

    journal: Journal
    keys: SubjectKeys

    def names_of(self, person: str) -> frozenset[str]:
        """Return how a person is called in the ledger, under every key that is held."""
        used = algorithm()
        registrars = (Registrar(key, used) for key in self.keys.held())
        return frozenset(registrar.subject(PERSON, person) for registrar in registrars)

    async def latest(
        self, view: LedgerView, wanted: Wanted, below: int | None, limit: int
    ) -> Sequence[Record]:
        """
        Return the last records that are meant and may be seen, the last one first.

        Reads:  at most 20,000 records.
        Raises: TooComplex where so many were not enough to tell.
        """
        names = self.names_of(wanted.person) if wanted.person else frozenset[str]()
        test = _Test(view, wanted, names)
        after, below = await self._bounds(wanted, below)
        found: dict[int, Record] = {}
        # Where too much is to be looked at, that rests on records that may be seen alone.
        among = () if test.sees_all else tuple(map(office_term, sorted(view.divisions)))
        for term in _terms(view, wanted, names):
            async for record in self._of(Span(term, after, below, among), test, limit):
                found[record["sequence"]] = record
        return [found[place] for place in sorted(found, reverse=True)[:limit]]

    async def _of(self, span: Span, test: "_Test", limit: int) -> Any:
        """Yield the last records of a span that pass."""
        looked = given = 0
        while given < limit:
            page = await self.journal.latest(span, _PAGE)
            records = (orjson.loads(entry.body) for entry in page)
            for record in islice(filter(test.passes, records), limit - given):
                given += 1
                yield record
            looked += len(page)
            if len(page) < _PAGE:
                return
            if looked >= _LOOKED_AT and given < limit:
                raise TooComplex(_TOO_MANY)
            span = span._replace(below=page[-1].sequence)

    async def _bounds(self, wanted: Wanted, below: int | None) -> tuple[int, int | None]:
        after = 0
        if wanted.since is not None:
            first = await self.journal.first_since(_moment(wanted.since))
            if first is None:
                return 0, 1
            after = first - 1
        if wanted.until is not None:
            first = await self.journal.first_since(_moment(wanted.until))
            if first is not None:
                below = first if below is None else min(below, first)
        return after, below


@dataclass(frozen=True, slots=True)
class _Test:
    """Whether a record is meant and may be seen, by what it says itself."""

    view: LedgerView
    wanted: Wanted
    names: frozenset[str]

    def passes(self, record: Record) -> bool:
        """Return whether it is."""
        wanted = self.wanted
        return (
            self._is_seen(record)
            and self._is_in_time(record)
            and (not wanted.account or record.get("account") == wanted.account)
            and (not wanted.office or _is_within(record, frozenset((wanted.office,))))
            and (not wanted.purpose or record.get("purpose") == wanted.purpose)
            and (not wanted.outcome or wanted.outcome in record.get("outcome", ()))
            and (not wanted.entity or wanted.entity in _entities(record))
            and (not wanted.person or not self.names.isdisjoint(subjects_of_record(record)))
        )

    @property
    def sees_all(self) -> bool:
        """Return whether all that are meant may be seen."""
        view = self.view
        return view.everyone or (bool(view.citizen) and view.citizen == self.wanted.person)

    def _is_seen(self, record: Record) -> bool:
        return self.sees_all or _is_within(record, self.view.divisions)

    def _is_in_time(self, record: Record) -> bool:
        time, wanted = microseconds(record["time"]), self.wanted
        return (wanted.since is None or time >= _moment(wanted.since)) and (
            wanted.until is None or time < _moment(wanted.until)
        )


def _terms(view: LedgerView, wanted: Wanted, names: frozenset[str]) -> Sequence[bytes | None]:
    """Return the terms to look under: of the fewest records that include all that are meant."""
    if wanted.person:
        return [subject_term(name) for name in sorted(names)]
    if wanted.account:
        return [account_term(wanted.account)]
    if wanted.office:
        return [office_term(wanted.office)]
    if view.everyone:
        return [None]
    return [office_term(division) for division in sorted(view.divisions)]


def _is_within(record: Record, divisions: frozenset[str]) -> bool:
    return any(
        office.startswith(division) for office in offices_of(record) for division in divisions
    )


def _entities(record: Record) -> Iterator[str]:
    for reading in record.get("readings", ()):
        yield reading["entity"]


def _moment(time: datetime) -> int:
    return microseconds(time.isoformat())
