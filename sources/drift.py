"""
Whether a system still has what its mapping file names: names and kinds of columns, never rows.

One small question for each entity, through the system's guard. What cannot be told without data,
such as the fields of a REST system that answers with no row, is left open.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Final, TypeAlias

from contract.document import Mistake
from contract.errors import SourceFailure
from contract.predicate import INVALID, relates
from contract.read import ForEach, Read, Rows
from sources.assembly import Guarded, OpenedSource
from sources.declaration import Department, MappedEntity
from sources.file import FileSource
from sources.graphql import GraphqlSource
from sources.http_answer import MISSING, Json, value_at
from sources.http_sample import first_page
from sources.http_source import HttpSource
from sources.sql import SqlSource
from sources.sql_catalogue import columns_of, is_other_kind

_KEYS: Final = 20
_FIELDS: Final = ("entity", "native", "finding")
_COLUMN: Final = re.compile(r"the column (.+) is (?:not|twice) there")


class Finding(StrEnum):
    """How a native name is against its mapping."""

    SAME = "SAME"
    MISSING = "MISSING"
    CHANGED = "CHANGED"


class DriftState(StrEnum):
    """What is known of a whole system; UNKNOWN also where it did not answer."""

    OK = "OK"
    DRIFTED = "DRIFTED"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Change:
    """A native name that is not there any more, or is of another kind."""

    entity: str
    native: str
    finding: Finding


@dataclass(frozen=True, slots=True)
class Drift:
    """What the last look at a system showed."""

    state: DriftState = DriftState.UNKNOWN
    checked_at: datetime | None = None
    changes: tuple[Change, ...] = ()


Keys: TypeAlias = Callable[[MappedEntity], Awaitable[ForEach | None]]
_Looked: TypeAlias = tuple[str, str, Finding]
_Look: TypeAlias = Callable[[], Awaitable[Rows]]


async def drift(department: Department, guarded: Guarded, keys: Keys, at: datetime) -> Drift:
    """
    Return how the system is against its mapping file.

    `keys` gives what a system that answers by key alone may be asked for.
    Reads:  each entity once; the schema of a GraphQL service.
    """
    looked: list[Change] = []
    failed = False
    async for look in _looks(department, guarded.source, keys):
        try:
            rows = await guarded.guard.inspect(look)
        except SourceFailure:
            failed = True
        else:
            looked += [Change(*row) for row in rows.rows]  # type: ignore[arg-type] # as _rows made them
    changes = tuple(change for change in looked if change.finding is not Finding.SAME)
    if changes:
        return Drift(DriftState.DRIFTED, at, changes)
    known = looked and not failed
    return Drift(DriftState.OK if known else DriftState.UNKNOWN, at)


async def keys_among(guards: Iterable[Guarded], mapped: MappedEntity) -> ForEach | None:
    """
    Return some keys to ask a facet by, from the system that holds what it hangs from.

    Reads:  that system once, a few rows; they are asked with and forgotten.
    """
    systems = [each.guard for each in guards]
    for attachment in mapped.attachments:
        own, theirs = zip(*attachment.on, strict=True)
        for guard in systems:
            held = guard.entities.get(attachment.to)
            if held is None or not (held.scan and held.limit):
                continue
            try:
                found = await guard.read(Read(attachment.to, theirs, limit=_KEYS))
            except SourceFailure:
                continue
            rows = tuple(dict.fromkeys(row for row in found.rows if relates(row)))
            if rows:
                return ForEach(own, rows)
    return None


async def _looks(department: Department, source: OpenedSource, keys: Keys) -> AsyncIterator[_Look]:
    match source:
        case GraphqlSource():
            yield partial(_graphql, source, department)
        case FileSource():
            await source.refresh()  # a local folder; loading takes longer than a question may
            yield partial(_file, source, department)
        case SqlSource():
            for mapped in department.entities.values():
                yield partial(_sql, source, mapped)
        case HttpSource():
            for mapped in department.entities.values():
                if mapped.endpoint is not None and mapped.endpoint.scan:
                    yield partial(_http, source, mapped, None)
                elif for_each := await keys(mapped):
                    yield partial(_http, source, mapped, for_each)
        case _:
            raise AssertionError(department.kind)


async def _sql(source: SqlSource, mapped: MappedEntity) -> Rows:
    found = await columns_of(source.connections, mapped.native)
    columns = [column for column in mapped.columns.values() if column.native]
    return _rows(
        (
            mapped.entity.name,
            column.native,
            _sql_finding(found(column.native), column.codec.storage),
        )
        for column in columns
    )


def _sql_finding(kind: str | None, storage: str) -> Finding:
    if kind is None:
        return Finding.MISSING
    return Finding.CHANGED if is_other_kind(kind, storage) else Finding.SAME


async def _http(source: HttpSource, mapped: MappedEntity, for_each: ForEach | None) -> Rows:
    page = await first_page(source, mapped, for_each)
    return _rows(_http_findings(mapped, page) if page else ())


def _http_findings(mapped: MappedEntity, page: Iterable[Json]) -> Iterator[_Looked]:
    rows = tuple(page)
    for column in mapped.columns.values():
        path = tuple(column.native.split("."))
        values = [value_at(row, path) for row in rows]
        there = [value for value in values if value is not MISSING]
        read = [column.codec.decode(value) for value in there if value is not None]
        finding = Finding.SAME if there else Finding.MISSING
        if read and all(value is INVALID for value in read):
            finding = Finding.CHANGED
        yield mapped.entity.name, column.native, finding


async def _graphql(source: GraphqlSource, department: Department) -> Rows:
    mistakes = await source.mistakes_anew()
    return _rows(
        found
        for name, mapped in department.entities.items()
        for found in _graphql_findings(department, mapped, mistakes.get(name, ()))
    )


def _graphql_findings(
    department: Department, mapped: MappedEntity, mistakes: Iterable[Mistake]
) -> Iterator[_Looked]:
    """Yield a finding for each column; what is wrong elsewhere is told of the root field."""
    name, written = mapped.entity.name, department.written
    lines = {
        written.line_of("entity", name, "fields", field): column.native
        for field, column in mapped.columns.items()
        if written is not None
    }
    root = mapped.endpoint.path if mapped.endpoint else mapped.native
    wrong = {lines.get(each.line, root): each for each in mistakes}
    natives = dict.fromkeys((*wrong, *(column.native for column in mapped.columns.values())))
    for native in natives:
        mistake = wrong.get(native)
        gone = Finding.MISSING if mistake and "no field" in mistake.what else Finding.CHANGED
        yield name, native, gone if mistake else Finding.SAME


async def _file(source: FileSource, department: Department) -> Rows:
    """Look at the header of the drop that was last tried, as loading it has found it."""
    missing = _COLUMN.search(source.stale)
    if source.as_of is None and missing is None:
        return _rows(())
    gone = missing[1] if missing else None
    return _rows(
        (name, column.native, Finding.MISSING if column.native == gone else Finding.SAME)
        for name, mapped in department.entities.items()
        for column in mapped.columns.values()
    )


def _rows(looked: Iterable[_Looked]) -> Rows:
    return Rows(_FIELDS, list(looked))
