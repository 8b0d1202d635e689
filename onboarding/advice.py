"""
What to change in a mapping file, by what was found of its system: file, line and what to write.

Names fields and numbers, never a value of a record.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from contract.document import Document, Mistake, Place
from onboarding.sample import Quality
from onboarding.trial import Claim, Verdict
from sources.declaration import Department, MappedEntity

_KINDS: Final = (
    (
        "unknown_codes",
        "codes",
        "have a code that the file does not know",
        "Add the missing native codes to codes.",
    ),
    ("invalid_values", "type", "cannot be read", "Write the type and format that they have."),
    (
        "invalid_identifiers",
        "identifier",
        "have a wrong check digit",
        "Ask the department to correct them; leave identifier out if they are no such numbers.",
    ),
    (
        "unknown_divisions",
        "type",
        "are no division of the list",
        "Ask the department which places they are.",
    ),
    (
        "untranslatable_divisions",
        "type",
        "have no counterpart in the Ministry's list",
        "Ask the department which places they are; until then nobody sees these rows by division.",
    ),
    ("ancient_dates", "format", "lie before 1900 or in January 1970", "Write the right format."),
)
"""Kinds of fault of `Quality`, the option that is about it, what is so, and what to write."""
_LEAVE: Final = 'Leave "{}" out.'


def changes(
    department: Department,
    mapped: MappedEntity,
    quality: Quality | None,
    claims: Iterable[Claim],
) -> tuple[Mistake, ...]:
    """Return what to change, in the order of the lines."""
    document = department.written or Document(department.file, {}, {})
    told = [claim for claim in claims if claim.verdict is Verdict.DISPROVED]
    found = [_of_claim(document, department, mapped, claim) for claim in told]
    explained = {claim.name.rpartition(" of ")[2] for claim in told}
    found += _of_quality(document, mapped, quality, explained) if quality else ()
    return tuple(sorted(dict.fromkeys(found), key=lambda mistake: mistake.line))


def _of_claim(
    document: Document, department: Department, mapped: MappedEntity, claim: Claim
) -> Mistake:
    what = f"{mapped.entity.name}: {claim.name} is not so"
    if claim.why:
        what = f"{what}: {claim.why}"
    place, write = claim.at, claim.write
    if not place:
        place, write = _place(department, mapped, claim.name)
    return document.mistake(place, what, write)


def _place(department: Department, mapped: MappedEntity, name: str) -> tuple[Place, str]:
    """Return where a claimed filter, order or key stands, and what to write instead."""
    entity: Place = ("entity", mapped.entity.name)
    subject = name.partition(" ")[0]
    field = subject.partition(".")[0]
    if mapped.endpoint is not None:
        if field in mapped.columns and "." in subject:
            return (*entity, "pushdown", "filters", subject), _LEAVE.format(subject)
        return (*entity, "pushdown", "by_key"), "Leave the key out, or lower its batch."
    if department.binary_collation and _is_about_text(name):
        return ("collation",), "Leave collation out."
    if field not in mapped.columns:
        field = name.rpartition(" by ")[2].partition(" ")[0]
    if field in mapped.columns:
        write = "Write the type and storage that the column really has."
        return (*entity, "fields", field), write
    return (*entity, "native"), "Name a table or view whose rows and keys stay the same."


def _is_about_text(name: str) -> bool:
    return "." in name or name.startswith(("order by", "pages by", "for each", "not", "or"))


def _of_quality(
    document: Document, mapped: MappedEntity, quality: Quality, explained: set[str]
) -> Iterator[Mistake]:
    for kind, option, so, write in _KINDS:
        for field, count in getattr(quality, kind).items():
            if field not in explained:
                place: Place = ("entity", mapped.entity.name, "fields", field, option)
                what = f"{mapped.entity.name}: {count} values of {field} {so}"
                yield document.mistake(place, what, write)
