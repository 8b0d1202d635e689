"""Native rows of a database into ours, column by column."""

from collections.abc import Callable, Sequence
from types import NoneType
from typing import Final

from contract.entity import Kind
from sources.declaration import Column

_TEXTS: Final = frozenset({str, bytes})
_FEW_VALUES: Final = frozenset({Kind.CODE, Kind.DIVISION, Kind.BOOLEAN})


def is_plain_text(column: Column) -> bool:
    """Return whether the native text is the value, whatever it is."""
    return column.codec.textual and not column.codec.blanks and not column.codec.nulls


def spelled_once(column: Column) -> bool:
    """Return whether every value has one native spelling, and the other way round."""
    whole = column.field.kind is Kind.INTEGER and column.codec.storage == "integer"
    return whole or is_plain_text(column)


def decoded(
    columns: Sequence[Column], rows: Sequence[Sequence[object]]
) -> list[tuple[object, ...]]:
    """
    Return the rows' values of these columns.

    Shape:  rows (n) that begin with the columns and may go on -> n tuples of the columns alone.
    """
    if not columns:
        return [() for _ in rows]
    natives = zip(*rows, strict=True)
    return list(
        zip(
            *(_values(column, each) for column, each in zip(columns, natives, strict=False)),
            strict=True,
        )
    )


def length(rows: Sequence[Sequence[object]]) -> int:
    """Return how long all texts and bytes of native rows are together."""
    return sum(map(_length, zip(*rows, strict=True)))


def _length(natives: tuple[object, ...]) -> int:
    kinds = set(map(type, natives)) - {NoneType}
    if kinds == {str} and None not in natives:
        return sum(map(len, natives))  # type: ignore[arg-type] # texts all
    if kinds.isdisjoint(_TEXTS):
        return 0
    return sum(len(native) for native in natives if isinstance(native, str | bytes))


def reader(column: Column) -> Callable[[object], object]:
    """Return the function that gives our value of a native one, null included."""
    decode = column.codec.decode
    if column.codec.storage == "boolean":
        # Engines without the type keep it as 1 and 0.
        return lambda native: (
            None if native is None else decode(bool(native) if native in (0, 1) else native)
        )
    return lambda native: None if native is None else decode(native)


def _values(column: Column, natives: tuple[object, ...]) -> Sequence[object]:
    kinds = set(map(type, natives)) - {NoneType}
    if kinds <= {str} and is_plain_text(column):
        return natives
    read = reader(column)
    if len(kinds) == 1 and column.field.kind in _FEW_VALUES:
        known = {native: read(native) for native in set(natives)}
        return [known[native] for native in natives]
    return [read(native) for native in natives]
