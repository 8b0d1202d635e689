"""Dropped files in a database in memory: found, read, checked, and shared by name."""

import sqlite3
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from stat import S_ISREG
from typing import Final, TypeAlias

from sources.declaration import Column, Department, Drop, MappedEntity
from sources.file_native import AFFINITIES, Reader, reader
from sources.file_rows import BrokenDrop, rows

Found: TypeAlias = Mapping[str, "DroppedFile"]
"""The newest file of each entity."""

_NUMBERS: Final = count(1)


@dataclass(frozen=True, slots=True)
class DroppedFile:
    """A file and what tells it from what lay there before or comes after."""

    path: Path
    identity: tuple[int, int, int, int]  # device, inode, size, nanoseconds of the last change

    @property
    def changed_at(self) -> float:
        """Return when it was last changed, in seconds since 1970."""
        return self.identity[3] / 1e9


def found(department: Department) -> Found:
    """
    Return the newest file of every entity.

    Raises: BrokenDrop when there is none for an entity.
    """
    folder = Path(department.url.removeprefix("file:"))
    return {
        name: _newest(folder, mapped.drop)
        for name, mapped in department.entities.items()
        if mapped.drop is not None
    }


def _newest(folder: Path, drop: Drop) -> DroppedFile:
    files = [
        DroppedFile(path, identity)
        for path in folder.glob(drop.pattern)
        if (identity := _identity(path))
    ]
    if not files:
        raise BrokenDrop(f"there is no file {drop.pattern}")
    if drop.newest == "name":
        return max(files, key=lambda file: file.path.name)
    return max(files, key=lambda file: (file.identity[3], file.path.name))


def _identity(path: Path) -> tuple[int, int, int, int] | None:
    try:
        known = path.stat()
    except OSError:
        return None
    if not S_ISREG(known.st_mode):
        return None  # a pipe would be waited for without an end
    return known.st_dev, known.st_ino, known.st_size, known.st_mtime_ns


class Database:
    """One database in memory, which lives until it is closed; `url` is how others open it."""

    def __init__(self) -> None:
        name = f"file:/drop-{next(_NUMBERS)}"
        self._connection = sqlite3.connect(f"{name}?vfs=memdb", uri=True, check_same_thread=False)
        self._connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
        self.url = f"sqlite+aiosqlite:///{name}?vfs=memdb&uri=true"

    def fill(self, department: Department, files: Found) -> None:
        """
        Load the files, one table for each entity; works for long: not for the event loop.

        Raises: BrokenDrop, naming the file, the line and the column.
        """
        for name, file in files.items():
            mapped = department.entities[name]
            try:
                self._fill(mapped, file, department.budget.bytes)
            except (BrokenDrop, OSError, sqlite3.Error) as error:
                reason = str(error) if isinstance(error, BrokenDrop) else type(error).__name__
                raise BrokenDrop(f"{file.path.name}: {reason}") from None
            if _identity(file.path) != file.identity:
                raise BrokenDrop(f"{file.path.name}: it changed while it was read")
        self._connection.execute("ANALYZE")
        self._connection.commit()

    def close(self) -> None:
        """Let go of the database; it ends with its last connection."""
        self._connection.close()

    def _fill(self, mapped: MappedEntity, file: DroppedFile, most_bytes: int) -> None:
        columns = mapped.columns
        listed = ", ".join(
            f'"{name}" {AFFINITIES[column.codec.storage]}' for name, column in columns.items()
        )
        marks = ", ".join("?" * len(columns))
        with closing(_natives(mapped, file, most_bytes)) as natives:
            self._connection.execute(f'CREATE TABLE "{mapped.entity.name}" ({listed})')
            insertion = f'INSERT INTO "{mapped.entity.name}" VALUES ({marks})'  # noqa: S608 -- declared
            self._connection.executemany(insertion, natives)
        self._index(mapped)

    def _index(self, mapped: MappedEntity) -> None:
        table, key = mapped.entity.name, mapped.entity.key
        listed = ", ".join(f'"{name}"' for name in key)
        try:
            self._connection.execute(f'CREATE UNIQUE INDEX "{table}.key" ON "{table}" ({listed})')
        except sqlite3.IntegrityError:
            raise BrokenDrop(f"two rows with one key ({', '.join(key)})") from None
        for place, attachment in enumerate(mapped.attachments):
            joined = ", ".join(f'"{own}"' for own, _ in attachment.on)
            self._connection.execute(f'CREATE INDEX "{table}.{place}" ON "{table}" ({joined})')


def tabled(department: Department, url: str) -> Department:
    """Return the department as the database holds it: tables and columns named as in the graph."""
    return replace(
        department,
        kind="sql",
        url=url,
        binary_collation=True,
        entities={name: _tabled(mapped) for name, mapped in department.entities.items()},
    )


def _tabled(mapped: MappedEntity) -> MappedEntity:
    columns = {name: replace(each, native=name) for name, each in mapped.columns.items()}
    return replace(mapped, native=mapped.entity.name, columns=columns)


@dataclass(frozen=True, slots=True)
class _Reading:
    """One column: where its cells are and how they are read."""

    name: str
    place: int
    read: Reader
    required: bool

    @classmethod
    def of(cls, column: Column, header: Sequence[object], null: str) -> "_Reading":
        if (times := header.count(column.native)) != 1:
            state = "twice" if times else "not"
            raise BrokenDrop(f"the column {column.native} is {state} there")
        place, field = header.index(column.native), column.field
        return cls(field.name, place, reader(column, null), not field.nullable)

    def value(self, line: int, cells: Sequence[object]) -> object:
        try:
            value = self.read(cells[self.place])
        except BrokenDrop as error:
            raise BrokenDrop(f"line {line}: {self.name}: {error}") from None
        if value is None and self.required:
            raise BrokenDrop(f"line {line}: {self.name} is empty")
        return value


def _natives(
    mapped: MappedEntity, file: DroppedFile, most_bytes: int
) -> Generator[tuple[object, ...], None, None]:
    """Yield the native values of every row, in the order of the entity's columns."""
    drop = mapped.drop or Drop("")
    lines = rows(file.path, drop, most_bytes)
    _, header = next(lines)
    readings = [_Reading.of(column, header, drop.null) for column in mapped.columns.values()]
    for number, (line, cells) in enumerate(lines, 1):
        if number > drop.rows:
            raise BrokenDrop(f"more than {drop.rows} rows")
        yield tuple([reading.value(line, cells) for reading in readings])
