"""
What `check` found, as a table for people and as a document for programs.

Both name systems, fields, claims and numbers, never a value of a record.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from typing import Any, Final

from rich.markup import escape
from rich.table import Table

from contract.document import Mistake
from onboarding.check import Report
from onboarding.sample import Quality
from onboarding.trial import Claim, Verdict

_HEADINGS: Final = (
    *("system", "entity", "state", "latency", "rows", "sample", "faults"),
    "capabilities",
)
_WORDS: Final[Mapping[str, str]] = {
    "unknown_codes": "unknown codes",
    "invalid_identifiers": "wrong check digits",
    "invalid_values": "unreadable",
    "unknown_divisions": "unknown divisions",
    "untranslatable_divisions": "untranslatable divisions",
    "future_dates": "in the future",
    "ancient_dates": "before 1900 or in January 1970",
    "broken_cents": "parts of a cent",
    "missing_values": "null, but never null",
}


def table(reports: Iterable[Report]) -> tuple[tuple[str, ...], ...]:
    """Return the reports as rows of texts, under the headings system … capabilities."""
    return tuple(_row(report) for report in reports)


def render(reports: Iterable[Report]) -> Table:
    """Return the reports as a table for a terminal."""
    rendered = Table(*_HEADINGS, show_lines=True)
    for row in table(reports):
        rendered.add_row(*row)
    return rendered


def render_changes(reports: Iterable[Report]) -> Iterator[Table]:
    """Yield what to change as a table for a terminal; none where there is nothing."""
    changes = [change for report in reports for change in report.changes]
    rendered = Table("where", "what is so", "what to change", show_lines=True)
    for change in changes:
        where = f"{change.file}:{change.line}"
        rendered.add_row(escape(where), escape(change.what), escape(change.write))
    if changes:
        yield rendered


def document(reports: Iterable[Report], mistakes: Iterable[Mistake] = ()) -> dict[str, Any]:
    """Return the reports as one JSON document; docs/adding.md says what its names mean."""
    every, wrong = tuple(reports), tuple(mistakes)
    return {
        "sound": not wrong and all(report.is_sound for report in every),
        "entities": [_entity(report) for report in every],
        "mistakes": [_change(mistake) for mistake in wrong],
    }


def _entity(report: Report) -> dict[str, Any]:
    latency = report.latency_seconds
    return {
        "system": report.department,
        "entity": report.entity,
        "state": report.state,
        "latencyMs": None if latency is None else round(latency * 1000),
        "rows": report.rows,
        "sampled": report.sampled,
        "questions": report.questions,
        "sound": report.is_sound,
        "claims": [_claim(claim) for claim in report.claims],
        "faults": list(_counted(report.quality)) if report.quality else [],
        "changes": [_change(change) for change in report.changes],
    }


def _claim(claim: Claim) -> dict[str, str]:
    return {"name": claim.name, "verdict": claim.verdict.value, "why": claim.why}


def _change(mistake: Mistake) -> dict[str, str | int]:
    return {
        "file": mistake.file,
        "line": mistake.line,
        "what": mistake.what,
        "write": mistake.write,
    }


def _counted(quality: Quality) -> Iterable[dict[str, str | int]]:
    for kind in fields(quality):
        for name, count in getattr(quality, kind.name).items():
            yield {"kind": _camel(kind.name), "field": name, "count": count}


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.title, others))


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
    counts = {kind.name: getattr(quality, kind.name) for kind in fields(quality)}
    found = [
        f"{_WORDS.get(kind, kind.replace('_', ' '))}: "
        + ", ".join(f"{field} {count}" for field, count in of_kind.items())
        for kind, of_kind in counts.items()
        if of_kind
    ]
    return found or ["none"]


def _verdicts(claims: Iterable[Claim]) -> list[str]:
    by_verdict = {
        verdict: [claim.name for claim in claims if claim.verdict is verdict] for verdict in Verdict
    }
    lines = [f"{len(names)} {verdict}" for verdict, names in by_verdict.items() if names]
    refuted = by_verdict[Verdict.DISPROVED]
    return [*lines, f"not so: {', '.join(refuted)}"] if refuted else lines
