"""
A first look at one entity for `check`: rows by a listing, or by keys that are known.

A system over HTTP is looked at page by page, so that what is wrong with its pages is known before
anything else is asked. Knows no principal.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from time import perf_counter

from contract.errors import SourceFailure, SourceRefused
from contract.read import ForEach, Rows
from contract.source import Source
from onboarding.data_claims import doubles_of_all, unique
from onboarding.http_probe import ROWS as WALKED
from onboarding.http_probe import Probe, Walk
from onboarding.natives import Natives, walked
from onboarding.paging_claims import paged
from onboarding.sample import ROWS, Sample, keyed, scanned
from onboarding.sql_columns import absent, missing, unreadable
from onboarding.trial import Allowance, Claim, Exhausted, Trial, Verdict
from sources import rowset
from sources.declaration import Department, MappedEntity
from sources.http_question import Question
from sources.http_source import HttpSource
from sources.sql import SqlSource

NOT_ASKED = "not asked: no key is known"
_WALKS = 4


@dataclass(frozen=True, slots=True)
class Subject:
    """One entity of one system: as it is asked (`source`), and as it is open (`opened`)."""

    department: Department
    mapped: MappedEntity
    source: Source
    opened: Source
    allowance: Allowance = field(default_factory=Allowance)

    @property
    def probe(self) -> Probe | None:
        """Return what asks for single pages, of a system over HTTP."""
        endpoint = self.mapped.endpoint
        if endpoint is None or not isinstance(self.opened, HttpSource):
            return None
        return Probe(self.opened, self.mapped, endpoint, self.allowance)


@dataclass(frozen=True, slots=True)
class Seen:
    """
    What the first look showed.

    `failure`: why there is no sample. `claims`: what it decided already. `natives`, `identities`:
    of the rows as they came, where they came page by page.
    """

    subject: Subject
    sample: Sample | None = None
    failure: str = ""
    claims: tuple[Claim, ...] = ()
    natives: Natives = field(default_factory=dict)
    identities: Counter[tuple[object, ...]] = field(default_factory=Counter)

    @property
    def is_doubted(self) -> bool:
        """Return whether answers are known to be refused."""
        doubled = any(count > 1 for count in self.identities.values())
        return doubled or any(claim.verdict is Verdict.DISPROVED for claim in self.claims)


async def listed(subject: Subject) -> Seen:
    """
    Return the entity as far as it can be listed; nothing where it needs a key.

    Reads:  the entity twice, or 53 pages at most.
    """
    if not subject.source.entities[subject.mapped.entity.name].scan:
        return Seen(subject)
    try:
        probe = subject.probe
        if probe is not None:
            return await _walked(subject, probe, [Question(())], None)
        return await _scanned(subject)
    except SourceFailure as failure:
        return Seen(subject, failure=failure.code)
    except Exhausted:
        return Seen(subject, failure=SourceRefused.code)


async def by_keys(subject: Subject, keys: ForEach) -> Seen:
    """
    Return what the entity has for these keys.

    Reads:  the entity twice, or 60 pages at most.
    """
    try:
        probe = subject.probe
        if probe is None:
            subject.allowance.take()
            sample = await keyed(subject.source, subject.mapped, keys)
            return Seen(subject, sample)
        return await _walked(subject, probe, await probe.by_keys(keys), keys)
    except SourceFailure as failure:
        return Seen(subject, failure=failure.code)
    except Exhausted:
        return Seen(subject, failure=SourceRefused.code)


async def _scanned(subject: Subject) -> Seen:
    most = min(ROWS, subject.department.budget.rows)
    subject.allowance.take()
    subject.allowance.take()
    try:
        return Seen(subject, await scanned(subject.source, subject.mapped, most))
    except SourceRefused:
        if not isinstance(subject.opened, SqlSource):
            raise
        return await _without_missing(subject, most)


async def _without_missing(subject: Subject, most: int) -> Seen:
    """Look again without the fields that the system does not have."""
    source, mapped = subject.source, subject.mapped
    gone = await unreadable(source, mapped, subject.allowance)
    columns = {name: column for name, column in mapped.columns.items() if name not in gone}
    if not columns:
        return Seen(subject, failure=SourceRefused.code, claims=(absent(mapped),))
    claims = tuple(await missing(subject.opened, mapped, gone))
    if not gone:
        claims = await _doubled(subject)
    if not gone or not set(mapped.entity.key) <= columns.keys():
        return Seen(subject, failure=SourceRefused.code, claims=claims)
    fewer = replace(subject, mapped=replace(mapped, columns=columns))
    return Seen(fewer, await scanned(source, fewer.mapped, most), claims=claims)


async def _doubled(subject: Subject) -> tuple[Claim, ...]:
    """Return that keys are not unique, which a source refuses whatever is asked."""
    nothing = Sample(Rows((), ()), whole=False, seconds=0.0)
    trial = Trial(subject.source, subject.mapped, nothing, subject.allowance)
    doubles = await doubles_of_all(trial)
    return (unique(trial, doubles),) if doubles else ()


async def _walked(
    subject: Subject, probe: Probe, questions: Sequence[Question], keys: ForEach | None
) -> Seen:
    if not questions:
        return Seen(subject, failure=NOT_ASKED)
    begun = perf_counter()
    await probe.walk(questions[0], pages=1)
    seconds = perf_counter() - begun
    first, claims = await paged(probe, questions[0])
    others = [await probe.walk(question) for question in questions[1:_WALKS]]
    whole = _joined([first, *others], len(questions) <= _WALKS)
    if not whole.records and whole.fault:
        return Seen(subject, failure=SourceRefused.code, claims=claims)
    rows = probe.rows(whole)
    if keys is not None:
        rows = rowset.of_keys(rows, keys)
    sample = Sample(rows, whole.finished and keys is None, seconds, WALKED, keys)
    return Seen(subject, sample, "", claims, walked(subject.mapped, whole), first.identities)


def _joined(walks: Sequence[Walk], is_every: bool) -> Walk:  # noqa: FBT001 -- called in one place
    return Walk(
        records=list(chain.from_iterable(walk.records for walk in walks)),
        finished=is_every and all(walk.finished for walk in walks),
        fault=next((walk.fault for walk in walks if walk.fault), ""),
    )
