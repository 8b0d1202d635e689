"""
What the departments' systems really are, against what their mapping files say.

Contacts every source with a bounded number of small reads. What it reports names fields and
numbers, never a value of a record.
"""

from asyncio import gather
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from rich.table import Table

from contract.errors import SourceFailure
from contract.predicate import TRUE
from contract.read import Aggregate, Function, Measure
from contract.source import Source
from sources.claims import Claim, Verdict, tried
from sources.declaration import Department, MappedEntity
from sources.sample import ROWS, Quality, Sample, keyed, quality, scanned

REACHABLE = "reachable"
NOT_ASKED = "not asked: no key is known"
_HEADINGS = ("system", "entity", "state", "latency", "rows", "sample", "faults", "capabilities")


@dataclass(frozen=True, slots=True)
class Report:
    """
    What one entity of one system is like.

    `state`: "reachable", the code of the failure, or why it was not asked. `rows`: None where the
    system does not count.
    """

    department: str
    entity: str
    state: str
    latency_seconds: float | None = None
    rows: int | None = None
    sampled: int = 0
    quality: Quality | None = None
    claims: tuple[Claim, ...] = ()

    @property
    def is_sound(self) -> bool:
        """Return whether it answered and nothing claimed of it was disproved."""
        refuted = any(claim.verdict is Verdict.DISPROVED for claim in self.claims)
        return self.state in (REACHABLE, NOT_ASKED) and not refuted


@dataclass(frozen=True, slots=True)
class _Seen:
    mapped: MappedEntity
    source: Source
    department: Department
    sample: Sample | None = None
    failure: str = ""


async def check(
    departments: Iterable[Department],
    sources: Mapping[str, Source],
    divisions: Callable[[str], bool],
    *,
    today: date | None = None,
) -> tuple[Report, ...]:
    """
    Return a report on every entity of every department, in the order of the mapping files.

    `divisions` says whether a division code in significant digits exists.
    Reads:  each entity, at most 40 times; an entity that needs a key is asked by sampled keys.
    """
    day = today or datetime.now(UTC).date()
    every = [
        (department, mapped, sources[department.name])
        for department in departments
        for mapped in department.entities.values()
    ]
    listed = await gather(*(_scan(*each) for each in every))
    known = {seen.mapped.entity.name: seen.sample for seen in listed if seen.sample}
    looked = await gather(*(_by_keys(seen, known) for seen in listed))
    return tuple(await gather(*(_report(seen, divisions, day) for seen in looked)))


def table(reports: Iterable[Report]) -> tuple[tuple[str, ...], ...]:
    """Return the reports as rows of texts, under the headings system … capabilities."""
    return tuple(_row(report) for report in reports)


def render(reports: Iterable[Report]) -> Table:
    """Return the reports as a table for a terminal."""
    rendered = Table(*_HEADINGS, show_lines=True)
    for row in table(reports):
        rendered.add_row(*row)
    return rendered


async def _scan(department: Department, mapped: MappedEntity, source: Source) -> _Seen:
    if not source.entities[mapped.entity.name].scan:
        return _Seen(mapped, source, department)
    most = min(ROWS, department.budget.rows)
    try:
        return _Seen(mapped, source, department, await scanned(source, mapped, most))
    except SourceFailure as failure:
        return _Seen(mapped, source, department, failure=failure.code)


async def _by_keys(seen: _Seen, known: Mapping[str, Sample]) -> _Seen:
    if seen.sample or seen.failure:
        return seen
    try:
        sample = await keyed(seen.source, seen.mapped, known)
    except SourceFailure as failure:
        return _Seen(seen.mapped, seen.source, seen.department, failure=failure.code)
    return _Seen(seen.mapped, seen.source, seen.department, sample, "" if sample else NOT_ASKED)


async def _report(seen: _Seen, divisions: Callable[[str], bool], today: date) -> Report:
    name, sample = seen.mapped.entity.name, seen.sample
    if sample is None:
        return Report(seen.department.name, name, seen.failure)
    rows = await _count(seen)
    claims = await tried(seen.source, seen.mapped, sample)
    if rows is not None and sample.whole:
        right = rows == len(sample.rows.rows)
        claims = (*claims, Claim("count", Verdict.PROVED if right else Verdict.DISPROVED))
    return Report(
        seen.department.name,
        name,
        REACHABLE,
        sample.seconds,
        rows,
        len(sample.rows.rows),
        quality(seen.mapped, sample, divisions, today),
        claims,
    )


async def _count(seen: _Seen) -> int | None:
    name = seen.mapped.entity.name
    if Function.COUNT not in seen.source.entities[name].functions:
        return None
    counted = Aggregate(name, (Measure("rows", Function.COUNT),), TRUE)
    try:
        answer = await seen.source.aggregate(counted)
    except SourceFailure:
        return None
    return int(str(answer.rows[0][0]))


def _row(report: Report) -> tuple[str, ...]:
    latency = report.latency_seconds
    return (
        report.department,
        report.entity,
        report.state,
        "–" if latency is None else f"{latency * 1000:.0f} ms",
        "–" if report.rows is None else f"{report.rows:,}",
        f"{report.sampled:,}" if report.quality else "–",
        "\n".join(_faults(report.quality)) if report.quality else "–",
        "\n".join(_verdicts(report.claims)) or "–",
    )


def _faults(quality: Quality) -> list[str]:
    kinds = {
        "unknown codes": quality.unknown_codes,
        "wrong check digits": quality.invalid_identifiers,
        "unreadable": quality.invalid_values,
        "unknown divisions": quality.unknown_divisions,
        "in the future": quality.future_dates,
    }
    found = [
        f"{kind}: {', '.join(f'{field} {count}' for field, count in fields.items())}"
        for kind, fields in kinds.items()
        if fields
    ]
    return found or ["none"]


def _verdicts(claims: Iterable[Claim]) -> list[str]:
    by_verdict = {
        verdict: [claim.name for claim in claims if claim.verdict is verdict] for verdict in Verdict
    }
    lines = [f"{len(names)} {verdict}" for verdict, names in by_verdict.items() if names]
    refuted = by_verdict[Verdict.DISPROVED]
    return [*lines, f"not so: {', '.join(refuted)}"] if refuted else lines
