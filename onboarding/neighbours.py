"""
Keys to ask one system by, for `check`: from systems of other mapping files, or written down.

A neighbour is asked for the joined fields alone, and one that does not answer is left out.
"""

import csv
from asyncio import gather
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Final

from contract.document import Mistake, Mistakes
from contract.entity import Kind
from contract.errors import SourceFailure
from contract.read import Read
from onboarding.http_probe import Probe
from onboarding.sample import KEYS, Given, Sample
from onboarding.trial import Allowance, Exhausted
from sources.assembly import OpenedSource
from sources.declaration import Department, MappedEntity
from sources.http_question import Question
from sources.http_source import HttpSource

_PAGES: Final = 2


async def samples(
    departments: Sequence[Department], neighbours: Iterable[tuple[Department, OpenedSource]]
) -> dict[str, Sample]:
    """
    Return rows of the entities that the departments' own hang from, by entity.

    Reads:  each such entity once, 200 rows, the joined fields alone.
    """
    wanted = dict(_joined(departments))
    asked = [
        (name, source, _narrowed(mapped, wanted[name]))
        for department, source in neighbours
        for name, mapped in department.entities.items()
        if name in wanted and source.entities[name].scan
    ]
    found = await gather(*(_sample(source, mapped) for _, source, mapped in asked))
    return {name: sample for (name, *_), sample in zip(asked, found, strict=True) if sample}


def _narrowed(mapped: MappedEntity, fields: set[str]) -> MappedEntity:
    columns = {name: column for name, column in mapped.columns.items() if name in fields}
    return replace(mapped, columns=columns)


def _joined(departments: Iterable[Department]) -> Iterator[tuple[str, set[str]]]:
    own = {name for department in departments for name in department.entities}
    joined: dict[str, set[str]] = {}
    for department in departments:
        for mapped in department.entities.values():
            for attachment in mapped.attachments:
                if attachment.to not in own:
                    joined.setdefault(attachment.to, set()).update(on for _, on in attachment.on)
    yield from joined.items()


async def _sample(source: OpenedSource, mapped: MappedEntity) -> Sample | None:
    try:
        if isinstance(source, HttpSource):
            return await _walked(source, mapped)
        fields = tuple(mapped.columns)
        rows = await source.read(Read(mapped.entity.name, fields, limit=KEYS))
    except (SourceFailure, Exhausted):
        return None
    return Sample(rows, whole=False, seconds=0.0)


async def _walked(source: HttpSource, mapped: MappedEntity) -> Sample | None:
    full = source.department.entities[mapped.entity.name]
    if full.endpoint is None:
        return None
    probe = Probe(source, full, full.endpoint, Allowance(_PAGES))
    walk = await probe.walk(Question(()), pages=_PAGES)
    return Sample(probe.rows(walk), whole=False, seconds=0.0)


def read_keys(path: Path, departments: Iterable[Department]) -> Given:
    """
    Return the keys of a file with commas, under a header of the names of fields.

    Raises: Mistakes when no entity can be asked by these fields, or a value is none of them.
    """
    file, text = str(path), path.read_text(encoding="utf-8-sig")
    header, *lines = [row for row in csv.reader(StringIO(text)) if row] or [[]]
    fields = tuple(name.strip() for name in header)
    holder = next(
        (
            mapped
            for department in departments
            for mapped in department.entities.values()
            if fields and set(fields) <= mapped.columns.keys()
        ),
        None,
    )
    if holder is None:
        write = "Write the names of the fields that the entity is asked by in the first line."
        raise Mistakes((Mistake(file, 1, "the first line names no fields of an entity", write),))
    keys = [_key(file, number, row, fields, holder) for number, row in enumerate(lines, 2)]
    return {fields: tuple(dict.fromkeys(keys))}


def _key(
    file: str, number: int, row: Sequence[str], fields: Sequence[str], holder: MappedEntity
) -> tuple[object, ...]:
    try:
        pairs = zip(fields, row, strict=True)
        return tuple(_value(holder.columns[name].field.kind, text.strip()) for name, text in pairs)
    except ValueError:
        write = "Write one value for each field, as the graph shows it."
        raise Mistakes((Mistake(file, number, "this is no key", write),)) from None


def _value(kind: Kind, text: str) -> object:
    if not text:
        raise ValueError(kind)
    if kind is Kind.INTEGER:
        return int(text)
    return date.fromisoformat(text) if kind is Kind.DATE else text
