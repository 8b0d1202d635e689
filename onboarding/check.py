"""
What the departments' systems really are, against what their mapping files say.

Contacts every source with a bounded number of small reads. What it reports names fields and
numbers, never a value of a record.
"""

from asyncio import gather
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from typing import Final

from contract.document import Mistake
from contract.errors import SourceFailure
from contract.predicate import TRUE
from contract.read import Aggregate, Function, Measure
from contract.source import Source
from onboarding.advice import changes
from onboarding.claims import tried
from onboarding.data_claims import UNIQUE, Facts, doubled, doubles_of_all, unique
from onboarding.envelope import unsaid_success
from onboarding.key_claims import ANSWERED, UNKNOWN_KEYS, keyed_claims
from onboarding.natives import Look, Natives, looked
from onboarding.sample import Given, Quality, Sample, keys_for, quality
from onboarding.seeing import NOT_ASKED, Seen, Subject, by_keys, listed
from onboarding.trial import Claim, Exhausted, Trial, Verdict
from sources.declaration import Department

__all__ = ["NOT_ASKED", "REACHABLE", "Report", "Sources", "check"]

REACHABLE: Final = "reachable"
_NEEDED: Final = frozenset({UNIQUE, ANSWERED, UNKNOWN_KEYS})
"""Claims without which some answers are refused whatever is asked."""


@dataclass(frozen=True, slots=True)
class Report:
    """
    What one entity of one system is like, and what to change in its mapping file.

    `state`: "reachable", the code of the failure, or why it was not asked. `rows`: None where the
    system does not count. `questions`: how many it was asked, pages counted apart.
    """

    department: str
    entity: str
    state: str
    latency_seconds: float | None = None
    rows: int | None = None
    sampled: int = 0
    quality: Quality | None = None
    claims: tuple[Claim, ...] = ()
    changes: tuple[Mistake, ...] = ()
    questions: int = field(default=0, compare=False)

    @property
    def is_sound(self) -> bool:
        """Return whether it answered and nothing claimed of it was disproved."""
        refuted = any(claim.verdict is Verdict.DISPROVED for claim in self.claims)
        return self.state in (REACHABLE, NOT_ASKED) and not refuted


@dataclass(frozen=True, slots=True)
class Sources:
    """
    The systems as they are asked, and as they are open where something stands around them.

    `keys`: keys that somebody wrote down. `samples`: of entities that other files have.
    """

    asked: Mapping[str, Source]
    opened: Mapping[str, Source] = field(default_factory=dict)
    keys: Given = field(default_factory=dict)
    samples: Mapping[str, Sample] = field(default_factory=dict)

    def subjects(self, departments: Iterable[Department]) -> list[Subject]:
        """Return every entity of the departments, in the order of their files."""
        return [
            Subject(department, mapped, asked, self.opened.get(department.name, asked))
            for department in departments
            for asked in (self.asked[department.name],)
            for mapped in department.entities.values()
        ]


async def check(
    departments: Iterable[Department],
    sources: Mapping[str, Source] | Sources,
    divisions: Callable[[str], bool],
    *,
    today: date | datetime | None = None,
) -> tuple[Report, ...]:
    """
    Return a report on every entity of every department, in the order of the mapping files.

    `divisions` says whether a division code in significant digits exists.
    Reads:  each entity, at most 120 times; an entity that needs a key is asked by sampled keys.
    """
    now = _moment(today)
    given = sources if isinstance(sources, Sources) else Sources(sources)
    first = await gather(*(listed(subject) for subject in given.subjects(departments)))
    known = {**given.samples}
    known |= {seen.subject.mapped.entity.name: seen.sample for seen in first if seen.sample}
    looked_at = await gather(*(_by_keys(seen, known, given.keys) for seen in first))
    return tuple(await gather(*(_report(seen, divisions, now) for seen in looked_at)))


def _moment(today: date | datetime | None) -> datetime:
    if today is None:
        return datetime.now(UTC)
    return today if isinstance(today, datetime) else datetime.combine(today, time(), UTC)


async def _by_keys(seen: Seen, known: Mapping[str, Sample], given: Given) -> Seen:
    if seen.sample or seen.failure:
        return seen
    subject = seen.subject
    capabilities = subject.source.entities[subject.mapped.entity.name]
    keys = keys_for(capabilities, subject.mapped, known, given)
    return Seen(subject, failure=NOT_ASKED) if keys is None else await by_keys(subject, keys)


async def _report(seen: Seen, divisions: Callable[[str], bool], now: datetime) -> Report:
    subject, sample = seen.subject, seen.sample
    name, entity = subject.department.name, subject.mapped.entity.name
    asked = subject.allowance
    if sample is None:
        written = changes(subject.department, subject.mapped, None, seen.claims)
        failed = seen.failure
        return Report(name, entity, failed, claims=seen.claims, changes=written)
    found = quality(subject.mapped, sample, divisions, now.date())
    trial = Trial(subject.source, subject.mapped, sample, asked, doubted=seen.is_doubted)
    rows = await _count(trial)
    natives = seen.natives or await _natives(subject, found)
    claims = (
        *seen.claims,
        *await _asked(seen, trial, rows),
        *Facts(trial, subject.department, found, now).claims(),
        *Look(subject.department, subject.mapped, natives).claims(),
    )
    written = changes(subject.department, subject.mapped, found, claims)
    return Report(
        name,
        entity,
        REACHABLE,
        sample.seconds,
        rows,
        len(sample.rows.rows),
        found,
        claims,
        written,
        asked.asked,
    )


async def _asked(seen: Seen, trial: Trial, rows: int | None) -> tuple[Claim, ...]:
    """Return what became of the claims that are proved by asking; none if pages are not whole."""
    sample, subject = trial.sample, seen.subject
    probe = subject.probe
    if probe is not None and any(claim.verdict is Verdict.DISPROVED for claim in seen.claims):
        return ()
    claims = [await _unique(seen, trial)]
    if probe is not None and not trial.doubted:
        try:
            claims += await keyed_claims(probe, sample)
        except (SourceFailure, Exhausted):
            claims.append(Claim("key", Verdict.UNDECIDED))
    needed = (claim.verdict for claim in claims if claim.name in _NEEDED)
    refused = any(verdict is not Verdict.PROVED for verdict in needed)
    claims += await tried(replace(trial, doubted=True) if refused else trial)
    if probe is not None:
        claims += await unsaid_success(trial, probe, claims)
    if rows is not None and sample.whole:
        right = rows == len(sample.rows.rows)
        claims.append(Claim("count", Verdict.PROVED if right else Verdict.DISPROVED))
    return tuple(claims)


async def _unique(seen: Seen, trial: Trial) -> Claim:
    doubles = doubled(seen.identities or trial.identities(trial.sample.rows))
    if not doubles:
        try:
            doubles = await doubles_of_all(trial) or 0
        except (SourceFailure, Exhausted):
            doubles = 0
    return unique(trial, doubles)


async def _natives(subject: Subject, found: Quality) -> Natives:
    """Return the natives where there is something to explain by them."""
    values = {**found.unknown_codes, **found.invalid_values, **found.ancient_dates}
    if not {**values, **found.unknown_divisions, **found.untranslatable_divisions}:
        return {}
    subject.allowance.take()
    return await looked(subject.opened, subject.department, subject.mapped)


async def _count(trial: Trial) -> int | None:
    if Function.COUNT not in trial.capabilities.functions:
        return None
    counted = Aggregate(trial.mapped.entity.name, (Measure("rows", Function.COUNT),), TRUE)
    try:
        trial.allowance.take()
        answer = await trial.source.aggregate(counted)
    except (SourceFailure, Exhausted):
        return None
    return int(str(answer.rows[0][0]))
