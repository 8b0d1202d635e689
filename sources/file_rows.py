"""The rows of one dropped file, CSV or XLSX, as cells; a file that is not whole is refused."""

import csv
import io
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final, TypeAlias

import openpyxl  # type: ignore[import-untyped]

from sources.declaration import Drop

Row: TypeAlias = tuple[int, Sequence[object]]
"""The number of a line and its cells."""

_CODECS: Final = {"utf-8": "utf-8-sig", "gbk": "gbk", "gb18030": "gb18030"}
_UNREADABLE: Final = (
    *(zipfile.BadZipFile, zlib.error, OSError, EOFError, SyntaxError),
    *(KeyError, ValueError, TypeError, AttributeError, IndexError),
)


class BrokenDrop(Exception):
    """A file that does not count; the text names lines and columns, never values."""


def rows(path: Path, drop: Drop, most_bytes: int) -> Iterator[Row]:
    """
    Yield the line of column names, then every line that is not blank, each as wide as the first.

    Raises: BrokenDrop, possibly after some lines.
    """
    if path.stat().st_size > most_bytes:
        raise BrokenDrop(f"the file has more than {most_bytes} bytes")
    is_book = path.suffix.lower() == ".xlsx"
    lines = _workbook(path, drop, most_bytes) if is_book else _csv(path, drop)
    first = next(islice(lines, drop.header_row - 1, None), None)
    if first is None or not any(first[1]):
        raise BrokenDrop("the file is empty")
    number, header = first
    names = tuple(str(cell or "").strip() for cell in header)
    yield number, names
    yield from _as_wide(_filled(lines, len(names)) if is_book else lines, len(names))


def _as_wide(lines: Iterator[Row], width: int) -> Iterator[Row]:
    for number, cells in lines:
        if len(cells) != width:
            raise BrokenDrop(f"line {number}: {len(cells)} cells, not {width}")
        yield number, cells


def _csv(path: Path, drop: Drop) -> Iterator[Row]:
    try:
        text = path.read_bytes().decode(_CODECS[drop.encoding])
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise BrokenDrop(f"line {line}: not {drop.encoding}") from None
    _check_whole(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=drop.delimiter, strict=True)
    try:
        for cells in reader:
            if cells:
                yield reader.line_num, cells
    except csv.Error as error:
        raise BrokenDrop(f"line {reader.line_num}: {error}") from None


def _check_whole(text: str) -> None:
    if text[:100].lstrip().startswith("<"):
        raise BrokenDrop("a web page, not a table")
    if "\0" in text:
        raise BrokenDrop(f"line {text.count(chr(10), 0, text.index(chr(0))) + 1}: no text")
    if text and not text.endswith(("\n", "\r")):
        raise BrokenDrop("the last line has no end: the file may be cut off")


def _workbook(path: Path, drop: Drop, most_bytes: int) -> Iterator[Row]:
    try:
        _check_size(path, most_bytes)
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except _UNREADABLE as error:
        raise BrokenDrop(f"no workbook: {type(error).__name__}") from None
    try:
        yield from _sheet(_chosen(book, drop.sheet))
    except _UNREADABLE as error:
        raise BrokenDrop(f"the workbook cannot be read: {type(error).__name__}") from None
    finally:
        book.close()


def _check_size(path: Path, most_bytes: int) -> None:
    with zipfile.ZipFile(path) as packed:
        if sum(part.file_size for part in packed.infolist()) > most_bytes:
            raise BrokenDrop(f"the workbook has more than {most_bytes} bytes unpacked")


def _chosen(book: Any, sheet: str) -> Any:
    if sheet and sheet not in book.sheetnames:
        raise BrokenDrop("the sheet is not there")
    return book[sheet or book.sheetnames[0]]


def _sheet(sheet: Any) -> Iterator[Row]:
    sheet.reset_dimensions()  # what a workbook says of its own size is often wrong
    for number, cells in enumerate(sheet.iter_rows(values_only=True), 1):
        if kept := _without_end(cells):
            yield number, kept


def _filled(lines: Iterator[Row], width: int) -> Iterator[Row]:
    """Yield the lines of a sheet with the empty cells at their ends, which it need not have."""
    for number, cells in lines:
        yield number, (*cells, *(None,) * (width - len(cells)))


def _without_end(cells: Sequence[object]) -> Sequence[object]:
    end = len(cells)
    while end and cells[end - 1] is None:
        end -= 1
    return cells[:end]
