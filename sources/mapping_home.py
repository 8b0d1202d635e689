"""What a mapping file says of an entity that several systems hold: whose rows are whose."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from contract.document import Place
from contract.entity import Entity, Field, Kind
from contract.predicate import In, Predicate, Within, all_of, any_of
from sources.declaration import MappedEntity
from sources.finding import Findings, instead
from sources.mapping_model import EntityShape, FieldShape
from sources.pruning import may_hold

_TOLD: Final = (Kind.STRING, Kind.CODE, Kind.DIVISION)
"""Kinds of field that may be constant, or tell whose a row is."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """One file's claim to an entity, and where it stands."""

    findings: Findings
    mapped: MappedEntity

    @property
    def here(self) -> str:
        """Return file and line."""
        return f"{self.findings.document.file}:{self.mapped.line}"


def check_constant(
    shape: FieldShape, expected: Field | None, findings: Findings, place: Place
) -> None:
    """Note what is wrong with a constant field."""
    if shape.model_fields_set != {"constant"}:
        write = 'Write { constant = "…" } alone, or { native = "…" }.'
        findings.add(place, "a constant has no other options", write)
    if expected is None:
        what = "only a field of the schema may be constant"
        findings.add(place, what, 'Write native = "…".')
    elif expected.kind not in _TOLD:
        findings.add(place, f"a {expected.kind} cannot be constant", 'Write native = "…".')
    elif expected.codes and shape.constant not in expected.codes:
        what = f'the schema has no code "{shape.constant}"'
        findings.add(place, what, instead(str(shape.constant), expected.codes))


def home(
    shape: EntityShape, expected: Entity | None, findings: Findings, place: Place
) -> Predicate | None:
    """Return the rows that are the system's own, or nothing where it does not say."""
    parts = []
    for name, values in shape.home.items():
        field = expected.fields.get(name) if expected else None
        if field is None or field.kind not in _TOLD:
            what = f'"{name}" cannot tell whose a row is'
            write = "Name a text, code or division field of a core entity."
            findings.add((*place, "home", name), what, write)
            continue
        divisions = field.kind is Kind.DIVISION
        within = any_of(*(Within(name, value) for value in values))
        parts.append(within if divisions else In(name, tuple(values)))
    return all_of(*parts) if parts else None


def check_homes(claims: Mapping[str, list[Claimed]], core: Mapping[str, Entity]) -> None:
    """Note every entity that two files give without saying whose row is whose."""
    for name, claimed in claims.items():
        if len(claimed) < 2:
            continue
        if name not in core:
            _refuse_others(name, claimed)
            continue
        rest = [claim for claim in claimed if claim.mapped.home is None]
        for claim in rest[1:]:
            what = f"{name} is already given by {rest[0].here}, and neither says whose row is whose"
            write = 'Write home = { field = ["value"] } in all files but one.'
            claim.findings.add(("entity", name), what, write)
        _refuse_overlaps(name, claimed)


def _refuse_others(name: str, claimed: list[Claimed]) -> None:
    for claim in claimed[1:]:
        what = f"{name} is already given by {claimed[0].here}"
        write = "Give a facet in one file only."
        claim.findings.add(("entity", name), what, write)


def _refuse_overlaps(name: str, claimed: list[Claimed]) -> None:
    homes = [(claim, claim.mapped.home) for claim in claimed if claim.mapped.home is not None]
    for (one, mine), (other, theirs) in combinations(homes, 2):
        if may_hold(mine, theirs):
            what = f"home may hold rows whose home is {one.here} too"
            other.findings.add(("entity", name, "home"), what, "Give a row one home.")
