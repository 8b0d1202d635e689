"""Faults of files: a drop of CSV that is late, cut or wrong; the file of a database."""

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final, TypeAlias
from unittest.mock import patch

from sources.file_database import Database
from tests.scenes.drill.modes import Mode

Change: TypeAlias = Callable[[list[str]], list[str]]
"""What becomes of the lines of a file, of which the first has the names of the columns."""

LATER: Final = "wgzf-20991231.csv"
PAGE: Final = "<!DOCTYPE html><html><body>统一身份认证 请登录</body></html>\n"
_PHOTOS: Final = 5


def _cell(place: int, value: str) -> Change:
    def change(lines: list[str]) -> list[str]:
        first = lines[1].split(",")
        return [lines[0], ",".join((*first[:place], value, *first[place + 1 :])), *lines[2:]]

    return change


def _without_column(lines: list[str]) -> list[str]:
    return [lines[0].replace("走访情况", "情况"), *lines[1:]]


def _one_more_column(lines: list[str]) -> list[str]:
    return [f"{lines[0]},天气", *(f"{line},晴" for line in lines[1:])]


def _nearly_ours(lines: list[str]) -> list[str]:
    """Add all visits again under other numbers, at households whose numbers are nearly those."""
    cells = [line.split(",") for line in lines[1:]]
    more = [
        ",".join((f"{mark}{number}", worker, spelled.format(household), *rest))
        for mark, spelled in (("A", " {}"), ("B", "{} "), ("C", "{}0"), ("D", "h{}"))
        for number, worker, household, *rest in cells
    ]
    return [*lines, *more]


def _twice_and_different(lines: list[str]) -> list[str]:
    return [*lines, *_cell(1, "另一人")(lines)[1:2]]


CHANGES: Mapping[Mode, Mapping[str, Change]] = {
    Mode.WRONG_TYPES: {"a word for a number": _cell(_PHOTOS, "many"), "no day": _cell(3, "昨天")},
    Mode.MISSING_KEYS: {"a column": _without_column, "a key": _cell(0, "")},
    Mode.EXTRA_KEYS: {"one more column": _one_more_column},
    Mode.DUPLICATES: {
        "each line twice": lambda lines: [lines[0], *lines[1:], *lines[1:]],
        "twice and different": _twice_and_different,
    },
    Mode.OUT_OF_SCOPE: {"households of nearly the same number": _nearly_ours},
    Mode.REPEATED_PAGE: {"the file behind itself": lambda lines: lines * 2},
    Mode.WRONG_TOTAL: {"a line of totals": lambda lines: [*lines, f"合计,{len(lines)}"]},
    Mode.GIANT: {"more than a megabyte": lambda lines: [*lines, *[",,,,,,"] * 300_000]},
    Mode.NAN: {"NaN": _cell(_PHOTOS, "NaN"), "infinity": _cell(_PHOTOS, "Infinity")},
    Mode.DEEP: {"in a cell": _cell(_PHOTOS, "[" * 100_000)},
}


def lines_of(folder: Path) -> list[str]:
    """Return the lines of the good file."""
    (file,) = folder.glob("wgzf-*.csv")
    return file.read_text("gbk").splitlines()


@contextmanager
def dropped(folder: Path, content: str | bytes, name: str = LATER) -> Iterator[Path]:
    """Let a file lie there that is newer than the good one."""
    path, fresh = folder / name, folder / "part"
    fresh.write_bytes(content if isinstance(content, bytes) else content.encode("gbk"))
    fresh.rename(path)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


@contextmanager
def dropped_lines(folder: Path, change: Change, end: str = "\n") -> Iterator[None]:
    """Let the good file lie there again, changed."""
    with dropped(folder, "\n".join(change(lines_of(folder))) + end):
        yield


@contextmanager
def dropped_at(folder: Path, seconds: int) -> Iterator[None]:
    """Let the good file lie there again, last changed so many seconds after 1970."""
    with dropped(folder, "\n".join([*lines_of(folder), ""])) as path:
        os.utime(path, (seconds, seconds))
        yield


@contextmanager
def hanging(folder: Path) -> Iterator[None]:
    """Let the share not answer while a newer file is read."""
    go = threading.Event()
    fill = Database.fill

    def waiting(database: Database, *arguments: Any) -> None:
        go.wait()
        fill(database, *arguments)

    good = "\n".join([*lines_of(folder), ""])
    with patch.object(Database, "fill", waiting), dropped(folder, good):
        try:
            yield
        finally:
            go.set()


@contextmanager
def piped(folder: Path) -> Iterator[None]:
    """Let something lie there that is named as a file and gives nothing."""
    path = folder / LATER
    os.mkfifo(path)
    try:
        yield
    finally:
        path.unlink()


@contextmanager
def growing(folder: Path) -> Iterator[None]:
    """Let a file be written where it is read, a few letters at a time."""
    content = "\n".join(lines_of(folder)).encode("gbk")

    enough = threading.Event()

    def write(path: Path) -> None:
        with path.open("ab") as file:
            for place in range(len(content) // 2, len(content), 7):
                file.write(content[place : place + 7].replace(b"\n", b";"))
                file.flush()
                if enough.wait(0.02):
                    return

    with dropped(folder, content[: len(content) // 2].rstrip(b"\n")) as path:
        writing = threading.Thread(target=write, args=(path,))
        writing.start()
        try:
            yield
        finally:
            enough.set()
            writing.join()


@contextmanager
def away(path: Path) -> Iterator[None]:
    """Let a file or directory be gone."""
    gone = path.with_name(f"{path.name}.away")
    path.rename(gone)
    try:
        yield
    finally:
        gone.rename(path)


@contextmanager
def instead(file: Path, content: bytes) -> Iterator[None]:
    """Let another file lie in the place of one."""
    with away(file):
        file.write_bytes(content)
        try:
            yield
        finally:
            file.unlink()


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Lock a file of SQLite against every reader."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield


def corrupted(content: bytes) -> bytes:
    """Return a file of SQLite whose pages behind the first are worth nothing."""
    return content[:4096] + b"\xa5" * (len(content) - 4096)
