"""From the cells of a dropped file to the native values of a column, by its storage."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Final

from sources.declaration import Codec, Column, Storage
from sources.file_rows import BrokenDrop

AFFINITIES: Final[Mapping[Storage, str]] = {
    "text": "TEXT",
    "integer": "INTEGER",
    "decimal": "NUMERIC",
    "float": "REAL",
    "boolean": "INTEGER",
    "date": "TEXT",
    "timestamp": "TEXT",
    "timestamptz": "TEXT",
}
"""What SQLite calls the storages."""

_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,18}")
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?")
_TRUTHS: Final = {"true": 1, "1": 1, "false": 0, "0": 0}
_FORMS: Final = {"yyyymmdd": "%Y%m%d", "yyyymm": "%Y%m", "plain": "%Y-%m-%d %H:%M:%S"}
_DIGITS: Final = 10**15
_ERRORS: Final = frozenset(
    {"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#GETTING_DATA"}
)

Reader = Callable[[object], object]


def reader(column: Column, null: str) -> Reader:
    """
    Return a function from a cell to the column's native value; None for what stands for null.

    Its call raises BrokenDrop, without the value, for what the storage cannot hold.
    """
    codec, native = column.codec, _NATIVES[column.codec.storage]

    def read(cell: object) -> object:
        text = _text(cell, codec)
        return None if text == null else native(text)

    return read


def _text(cell: object, codec: Codec) -> str:
    """Return what a cell says; those of a workbook may be numbers, times and truths."""
    match cell:
        case str():
            if cell in _ERRORS:
                raise BrokenDrop("the error of a formula")
            return cell
        case None:
            return ""
        case datetime():
            return _written(cell, codec)
        case float():
            return _number_text(cell)
        case bool() | int():
            return str(cell)
        case _:
            raise BrokenDrop(f"a cell of type {type(cell).__name__}")


def _number_text(cell: float) -> str:
    # A workbook's numbers have 15 digits; of a longer one the end is already lost.
    if abs(cell) >= _DIGITS or cell != cell:
        raise BrokenDrop("a number of more than 15 digits, which only a text keeps")
    return str(int(cell)) if cell.is_integer() else repr(cell)


def _written(moment: datetime, codec: Codec) -> str:
    if codec.form in _FORMS:
        return moment.strftime(_FORMS[codec.form])
    if codec.storage in ("timestamp", "timestamptz"):
        return moment.isoformat(" ")
    return moment.date().isoformat() if _is_midnight(moment) else moment.isoformat(" ")


def _is_midnight(moment: datetime) -> bool:
    return moment - datetime.combine(moment.date(), datetime.min.time()) == timedelta()


def _whole(text: str) -> object:
    if not _WHOLE.fullmatch(text):
        raise BrokenDrop("no whole number")
    return int(text)


def _number(text: str) -> object:
    if not _NUMBER.fullmatch(text):
        raise BrokenDrop("no number")
    return int(text) if _WHOLE.fullmatch(text) else float(text)


def _truth(text: str) -> object:
    if text.lower() not in _TRUTHS:
        raise BrokenDrop("neither true nor false")
    return _TRUTHS[text.lower()]


def _date(text: str) -> object:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise BrokenDrop("no date") from None


def _moment(text: str) -> object:
    try:
        return datetime.fromisoformat(text).isoformat(" ")
    except ValueError:
        raise BrokenDrop("no time") from None


def _same(text: str) -> object:
    return text


_NATIVES: Final[Mapping[Storage, Callable[[str], object]]] = {
    "text": _same,
    "integer": _whole,
    "decimal": _number,
    "float": _number,
    "boolean": _truth,
    "date": _date,
    "timestamp": _moment,
    "timestamptz": _moment,
}
