"""The text of a draft: TOML with the notes above the lines they are about."""

import json
import re
from collections.abc import Iterator, Mapping
from textwrap import wrap
from typing import Final

from onboarding.drafts.model import Draft, DraftEntity, Line, Lines

_BARE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_WIDTH: Final = 98
_HEAD: Final = (
    "A first draft. {read}",
    "No value of a record stands here but codes. Nothing in it has been decided:",
    "  decide:  somebody has to say it; without '# decide: ' the line is how it is written",
    "  guess:   somebody has to look at it; so are the names on the left and English descriptions",
    "  …        something is missing; the file is refused while it stands in a field",
    "What nobody lowers stays personal or restricted, and what has no subject is seen by nobody.",
    "An entity is a record of its own with attach and subject, or a core one: then the schema's",
    'names stand after "entity." and on the left, and description, attach, key, subject and',
    "fields that it has not are left out. Core entities:",
)


def text(draft: Draft) -> str:
    """Return the draft as a mapping file."""
    blocks = ["\n".join(f"# {line}" for line in _head(draft))]
    blocks.append("\n".join(_lines(draft.head)))
    for entity in draft.entities:
        blocks += _blocks(entity)
    if draft.left_out:
        blocks.append("\n".join(f"# left out: {_flat(line)}" for line in draft.left_out))
    return "\n\n".join(blocks) + "\n"


def value(given: object) -> str:
    """Return a value in TOML: texts, numbers, yes and no, lists and tables of them."""
    match given:
        case bool():
            return str(given).lower()
        case str():
            return json.dumps(given, ensure_ascii=False).replace("\x7f", "\\u007f")
        case Mapping():
            pairs = (f"{_key(name)} = {value(inner)}" for name, inner in given.items())
            return f"{{ {', '.join(pairs)} }}"
        case list() | tuple():
            return f"[{', '.join(map(value, given))}]"
        case _:
            return str(given)


def _head(draft: Draft) -> Iterator[str]:
    yield from (line.format(read=_flat(draft.read)) for line in _HEAD)
    yield from wrap(f"{', '.join(draft.core)}.", _WIDTH)


def _blocks(entity: DraftEntity) -> Iterator[str]:
    notes = [f"# {_flat(note)}" for note in entity.notes]
    yield "\n".join([*notes, f"[entity.{entity.name}]", *_lines(entity.lines)])
    yield "\n".join([f"[entity.{entity.name}.fields]", *_lines(entity.fields)])
    for name, lines in entity.tables.items():
        yield "\n".join([f"[entity.{entity.name}.{name}]", *_lines(lines)])


def _lines(lines: Lines) -> Iterator[str]:
    for line in lines:
        yield from (f"# {_flat(note)}" for note in line.notes)
        yield from _written(line)


def _written(line: Line) -> Iterator[str]:
    if line.name:
        yield f"{'# decide: ' if line.is_open else ''}{_key(line.name)} = {value(line.value)}"


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else value(name)


def _flat(comment: str) -> str:
    return "".join(char if char.isprintable() else " " for char in comment)
