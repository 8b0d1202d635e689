"""
What the answer of a system over HTTP says, or why it is not believed.

JSON is strict: valid UTF-8, no NaN or Infinity, no name twice in an object, at most 64 levels.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import orjson

from contract.predicate import INVALID
from sources.declaration import Column, Endpoint, MappedEntity

Json: TypeAlias = Mapping[str, object]
Path: TypeAlias = tuple[str, ...]

_DEEPEST: Final = 64
_STRING: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)


class _Missing:
    """The value of a name that an object does not have; there is one."""


MISSING: Final = _Missing()


class Mistrusted(Exception):
    """The answer is not as agreed; the text names places in it, never values."""


class Refusal(Mistrusted):
    """The system says itself that its answer is none."""


@dataclass(frozen=True, slots=True)
class Page:
    """One answer; `next` is the cursor of the next page."""

    rows: Sequence[Json]
    total: int | None = None
    answered: tuple[object, ...] = ()
    next: str | int | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """
    One row: ours in the order of the reader's `names`, and as it was sent.

    `identity` is made of the native values of the key, so that two unknown codes stay two rows.
    """

    identity: tuple[object, ...]
    natives: tuple[object, ...]
    values: tuple[object, ...]


def read_page(endpoint: Endpoint, body: bytes) -> Page:
    """
    Return what one answer says.

    Raises: Mistrusted when it is no strict JSON, did not succeed or has not the agreed shape.
    """
    document = strict_json(body)
    if _refuses(document, endpoint.refusal):
        raise Refusal(f"{endpoint.refusal} in the answer")
    for path, wanted in endpoint.success:
        found = value_at(document, _path(path))
        if found != wanted or isinstance(found, bool) is not isinstance(wanted, bool):
            raise Mistrusted(f"{path} does not say success")
    return Page(
        rows=_rows(document, endpoint.rows),
        total=_total(document, endpoint.total),
        answered=_answered(document, endpoint.answered),
        next=_next(document, endpoint),
    )


def strict_json(body: bytes) -> object:
    """
    Return the document.

    Raises: Mistrusted when it is no strict JSON.
    """
    try:
        document: object = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Mistrusted("no valid JSON") from None
    # Each colon outside a string is one member; orjson keeps only the last of equal names.
    members = _members(document)
    if body.count(b":") != members and _STRING.sub(b"", body).count(b":") != members:
        raise Mistrusted("a name twice in one object")
    return document


def value_at(document: object, path: Path) -> object:
    """Return the value at the path, null where the path leads through null, MISSING elsewhere."""
    for name in path:
        if document is None:
            return None
        document = document.get(name, MISSING) if isinstance(document, dict) else MISSING
    return document


class Reader:
    """
    Reads the rows of one entity into records; `names` are the fields of their values.

    `selected`: the natives it cannot do without; of the others it takes what comes. `filtered`: the
    fields that decide which rows count, so that a row without one would be left out unnoticed.
    """

    def __init__(
        self,
        mapped: MappedEntity,
        fields: Iterable[str],
        by: str | None,
        filtered: Collection[str] = (),
    ) -> None:
        self.names = tuple(fields)
        keys = {*mapped.entity.key} | ({by} if by else set())
        chosen = dict.fromkeys((*self.names, *mapped.entity.key))
        self.selected = tuple(mapped.columns[name].native for name in chosen)
        self._columns = [
            _Reading(mapped.columns[name], name in keys, is_filtered=name in filtered)
            for name in chosen
        ]
        self._width = len(self.names)
        self._identity = [_path(mapped.columns[name].native) for name in mapped.entity.key]
        self._natives = [_path(column.native) for column in mapped.columns.values()]
        self._by = [_Reading(mapped.columns[name], is_key=True) for name in (by,) if name]

    def record(self, row: Json) -> Record:
        """
        Return the record of one row.

        Raises: Mistrusted when a key cannot be read, or a field that is never null is missing.
        """
        values = tuple([column.value(row) for column in self._columns])
        natives = tuple([value_at(row, path) for path in self._natives])
        identity = tuple([value_at(row, path) for path in self._identity])
        return Record(identity or (repr(natives),), natives, values[: self._width])

    def keys(self, natives: Iterable[object]) -> frozenset[object]:
        """
        Return the keys that native values stand for.

        Raises: Mistrusted when one stands for none.
        """
        return frozenset(by.read(native) for native in natives for by in self._by)


class _Reading:
    """One column and how strictly it is read."""

    __slots__ = ("_decode", "_is_filtered", "_is_key", "_nullable", "_path")

    def __init__(
        self,
        column: Column,
        is_key: bool,  # noqa: FBT001 -- called in one place
        *,
        is_filtered: bool = False,
    ) -> None:
        self._path = _path(column.native)
        self._decode = column.codec.decode
        self._is_key = is_key
        self._is_filtered = is_filtered
        self._nullable = column.field.nullable

    def value(self, row: Json) -> object:
        return self.read(value_at(row, self._path))

    def read(self, native: object) -> object:
        if native is MISSING and (self._is_key or not self._nullable):
            raise Mistrusted(f"{'.'.join(self._path)} is missing")
        if self._is_filtered and isinstance(native, _Missing | dict | list):
            raise Mistrusted(f"{'.'.join(self._path)} is no value that could be filtered by")
        value = self._decoded(native)
        if self._is_key and (value is None or value is INVALID):
            raise Mistrusted(f"{'.'.join(self._path)} is no key")
        return value

    def _decoded(self, native: object) -> object:
        if native is None:
            return None
        return INVALID if native is MISSING else self._decode(native)


def _path(dotted: str) -> Path:
    return tuple(dotted.split(".")) if dotted else ()


def _refuses(document: object, path: str) -> bool:
    return bool(path) and value_at(document, _path(path)) not in (MISSING, None, [])


def _members(document: object) -> int:
    """Return how many members all objects have together, one level after the other."""
    count = 0
    level = [document]
    for _ in range(_DEEPEST):
        below: list[object] = []
        for container in level:
            if isinstance(container, dict):
                count += len(container)
                below.extend(container.values())
            elif isinstance(container, list):
                below.extend(container)
        level = [value for value in below if isinstance(value, dict | list)]
        if not level:
            return count
    raise Mistrusted("JSON too deep")


def _list(document: object, path: str) -> list[object]:
    found = value_at(document, _path(path))
    if not isinstance(found, list):
        raise Mistrusted(f"{path or 'the answer'} is no list")
    return found


def _rows(document: object, path: str) -> list[Json]:
    rows: list[Json] = []
    for row in _list(document, path):
        if not isinstance(row, dict):
            raise Mistrusted(f"{path or 'the answer'} has an element that is no object")
        rows.append(row)
    return rows


def _total(document: object, path: str) -> int | None:
    if not path:
        return None
    total = value_at(document, _path(path))
    if isinstance(total, bool) or not isinstance(total, int) or total < 0:
        raise Mistrusted(f"{path} is no count")
    return total


def _answered(document: object, path: str) -> tuple[object, ...]:
    # A listing answers for no keys; a question by key compares them with what it asked.
    if not path or value_at(document, _path(path)) is MISSING:
        return ()
    return tuple(_list(document, path))


def _next(document: object, endpoint: Endpoint) -> str | int | None:
    paging = endpoint.paging
    if paging is None or paging.style != "cursor" or not _has_more(document, paging.more):
        return None
    cursor = value_at(document, _path(paging.next))
    if not paging.more and (cursor is MISSING or cursor is None or cursor == ""):
        return None
    if isinstance(cursor, bool) or not isinstance(cursor, str | int):
        raise Mistrusted(f"{paging.next} is no cursor")
    return cursor


def _has_more(document: object, path: str) -> bool:
    more = value_at(document, _path(path)) if path else True
    if not isinstance(more, bool):
        raise Mistrusted(f"{path} is neither true nor false")
    return more
