"""A stand-in system's tables: their columns, how their rows are made, what follows the load."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from demo.province import Records

Row: TypeAlias = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """One table; `columns` are names with their native types, `rows` makes one township's rows."""

    name: str
    columns: tuple[str, ...]
    rows: Callable[[Records], Iterable[Row]]

    @property
    def names(self) -> tuple[str, ...]:
        """Return the columns' names."""
        return tuple(column.split(" ", 1)[0] for column in self.columns)

    @property
    def definition(self) -> str:
        """Return the statement that creates the table."""
        return f"CREATE TABLE {self.name} ({', '.join(self.columns)})"


@dataclass(frozen=True, slots=True)
class Layout:
    """A system's tables, and the indexes and views that are made once they are full."""

    tables: tuple[Table, ...]
    afterwards: tuple[str, ...]


def padded_division(code: str | None) -> str | None:
    """Return the code with zeros up to the 12 digits of a village."""
    return code and code.ljust(12, "0")
