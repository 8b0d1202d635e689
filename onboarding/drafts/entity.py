"""One table, path or field as an entity of a draft: key, attachment, subject as guesses."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from onboarding.drafts.field import Guessed, fields
from onboarding.drafts.model import MISSING, Asked, DraftEntity, Line, Lines, Native
from onboarding.drafts.names import described, entity_name, identifying, many, words
from sources.mapping_model import PERSON, PERSON_NUMBER

_CHANGED: Final = frozenset(words("updated update updt modified modify changed gxsj xgsj gx xg"))
_SUBJECTS: Final = {
    "citizen_number": (PERSON, PERSON_NUMBER),
    "organisation_code": ("Enterprise", "creditCode"),
}
_NUMBERED: Final = ("id", "no", "number", "num", "bh", "key")


@dataclass(frozen=True, slots=True)
class Table:
    """What is known of one table, path or field; `natives` in the order of the system."""

    native: str
    natives: Sequence[Native]
    key: tuple[str, ...] = ()
    comment: str = ""
    notes: tuple[str, ...] = ()
    tables: Mapping[str, Lines] = field(default_factory=dict)


def head(asked: Asked, kind: str, title: str = "") -> Lines:
    """Return the lines before the entities; the address stays in the environment."""
    told = "what a clerk calls the system, and the short name of the department, such as 民政"
    lines = [
        Line("name", asked.name),
        Line("title", title or MISSING, (f"decide: {told}",)),
        Line("department", MISSING),
        Line("kind", kind),
        Line("url", f"${{{asked.variable}}}"),
        Line("coverage", ["32"], ("Where it covers some divisions only:",), is_open=True),
        Line("freshness", "24h", ("Where its data may be old:",), is_open=True),
    ]
    if asked.header:
        token = f"${{{asked.name.upper()}_TOKEN}}"
        lines.append(Line("signature", {"style": "header", "header": asked.header, "value": token}))
    return tuple(lines)


def entity(table: Table, name: str, guessed: Guessed) -> DraftEntity:
    """Return the entity; whatever it is of the graph is left to be decided."""
    lines = [
        Line("description", described(_last(table.native), table.comment)),
        *_attachment(table, name, guessed),
        Line("native", table.native),
        _key(table),
        *_subject(table, guessed),
        *_changed(guessed),
    ]
    notes = (*table.notes, "decide: which record it is, a core entity or one of its own")
    return DraftEntity(name, notes, tuple(lines), guessed.lines, table.tables)


def named(tables: Sequence[Table], core: Sequence[str]) -> list[tuple[str, Table, Guessed]]:
    """Return every table with a name for the graph and its fields."""
    taken: list[str] = []
    for table in tables:
        taken.append(entity_name(table.native, taken, core))
    return [(name, table, fields(table.natives)) for name, table in zip(taken, tables, strict=True)]


def _attachment(table: Table, name: str, guessed: Guessed) -> Lines:
    to, number, theirs = _about(table, guessed)
    attach = {"to": to, "field": many(name), "by": {number: theirs}}
    if guessed.identifiers:
        return (Line("attach", attach, (f"guess: hangs from {to}, by {number}",)),)
    return (Line("attach", attach, _referred(table), is_open=True),)


def _subject(table: Table, guessed: Guessed) -> Lines:
    to, number, theirs = _about(table, guessed)
    about = number if to == PERSON else {"to": to, "by": {number: theirs}}
    if guessed.identifiers:
        note = f"guess: about the {to} of {number}; without a subject nobody sees a row"
        return (Line("subject", about, (note,)),)
    return (Line("subject", about, ("Without a subject nobody sees a row.",), is_open=True),)


def _about(table: Table, guessed: Guessed) -> tuple[str, str, str]:
    """Return what the rows are about: entity, native name and field of the entity."""
    for kind, (to, theirs) in _SUBJECTS.items():
        if guessed.first(kind):
            return to, guessed.first(kind), theirs
    for native in table.natives:
        kind = "" if native.values else identifying(native.name)
        if kind:
            return _SUBJECTS[kind][0], native.name, _SUBJECTS[kind][1]
    refers = next((native.name for native in table.natives if native.refers), MISSING)
    return MISSING, refers, MISSING


def _referred(table: Table) -> tuple[str, ...]:
    refers = next((native.refers for native in table.natives if native.refers), "")
    return (f"Where {refers} is in a core entity, or another field of it is:",) if refers else ()


def _key(table: Table) -> Line:
    if table.key:
        return Line("key", list(table.key))
    looks: tuple[tuple[str, Callable[[Native], bool]], ...] = (
        ("an id of the service", lambda native: native.is_key and not native.refers),
        ("different in all sampled rows", partial(_is_different, _most(table))),
        ("one by its name", _is_numbered),
    )
    for told, applies in looks:
        name = next((native.name for native in table.natives if applies(native)), "")
        if name:
            return Line("key", [name], (f"Nothing says which; {name} is {told}.",), is_open=True)
    return Line("key", [MISSING], ("Nothing says which.",), is_open=True)


def _most(table: Table) -> int:
    return max((len(native.values) for native in table.natives), default=0)


def _is_different(most: int, native: Native) -> bool:
    whole = native.type in ("integer", "string")
    return whole and len(set(native.values)) == most > 1


def _is_numbered(native: Native) -> bool:
    return words(native.name)[-1:] in {(word,) for word in _NUMBERED} and not identifying(
        native.name
    )


def _changed(guessed: Guessed) -> Lines:
    for line in guessed.lines:
        options = line.value if isinstance(line.value, dict) else {}
        native = str(options.get("native"))
        if options.get("type") == "datetime" and not _CHANGED.isdisjoint(words(native)):
            return (Line("as_of", native, ("guess: the row's last change, by its name",)),)
    return ()


def _last(native: str) -> str:
    return native.rpartition(".")[2].rpartition("/")[2]
