"""Native rows of a database into ours, column by column."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from types import NoneType
from typing import Final, NamedTuple, TypeAlias

from contract.entity import Kind
from sources.declaration import Column


class NativeColumn(NamedTuple):
    """A column's native values, their types, and how long its texts and bytes are together."""

    natives: tuple[object, ...]
    kinds: frozenset[type]
    length: int


ReadColumn: TypeAlias = Callable[[NativeColumn], Sequence[object]]
_TEXT: Final = frozenset({str})
_TEXTS: Final = _TEXT | {bytes}
_NULL: Final = frozenset({NoneType})
_FEW_VALUES: Final = frozenset({Kind.CODE, Kind.DIVISION, Kind.BOOLEAN})
_ALIKE: Final = frozenset(frozenset({kind}) for kind in (str, int, bool))


def is_plain_text(column: Column) -> bool:
    """Return whether the native text is the value, whatever it is."""
    return column.codec.textual and not column.codec.blanks and not column.codec.nulls


def spelled_once(column: Column) -> bool:
    """Return whether every value has one native spelling, and the other way round."""
    return _is_whole(column) or is_plain_text(column)


def columns_of(rows: Iterable[Sequence[object]]) -> list[NativeColumn]:
    """Return the columns of native rows; none where there is no row."""
    return list(map(_column, zip(*rows, strict=True)))


def decoded(columns: Sequence[Column], natives: Sequence[NativeColumn]) -> list[tuple[object, ...]]:
    """
    Return the rows' values of these columns.

    Shape:  native columns of n rows, these first and maybe others -> n tuples of these alone.
    """
    if not columns:
        return [()] * (len(natives[0].natives) if natives else 0)
    read = zip(map(column_reader, columns), natives, strict=False)
    return list(zip(*(values(column) for values, column in read), strict=True))


def reader(column: Column) -> Callable[[object], object]:
    """Return the function that gives our value of a native one, null included."""
    decode = column.codec.decode
    if column.codec.storage == "boolean":
        # Engines without the type keep it as 1 and 0.
        return lambda native: (
            None if native is None else decode(bool(native) if native in (0, 1) else native)
        )
    return lambda native: None if native is None else decode(native)


def column_reader(column: Column) -> ReadColumn:
    """Return the function that gives our values of a native column."""
    read, as_they_are = reader(column), _as_they_are(column)
    few = column.field.kind in _FEW_VALUES

    def values(column: NativeColumn) -> Sequence[object]:
        natives, kinds, _ = column
        if kinds <= as_they_are:
            return natives
        if few and kinds - _NULL in _ALIKE:  # else 1 and true were the same, or a list is none
            known = {native: read(native) for native in set(natives)}
            return [known[native] for native in natives]
        return [read(native) for native in natives]

    return values


def _as_they_are(column: Column) -> frozenset[type]:
    """Return the types of native values that are ours already."""
    if is_plain_text(column):
        return _NULL | _TEXT
    if column.codec.storage == "date":
        return _NULL | {date}
    return _NULL | {int} if _is_whole(column) else _NULL


def _is_whole(column: Column) -> bool:
    return column.field.kind is Kind.INTEGER and column.codec.storage == "integer"


def _column(natives: tuple[object, ...]) -> NativeColumn:
    try:
        # Most are texts, and putting them together is the quickest way to know it.
        return NativeColumn(natives, _TEXT, len("".join(natives)))  # type: ignore[arg-type] # or not
    except TypeError:
        kinds = frozenset(map(type, natives))
        some = () if kinds.isdisjoint(_TEXTS) else natives
        texts = (len(native) for native in some if isinstance(native, str | bytes))
        return NativeColumn(natives, kinds, sum(texts))
