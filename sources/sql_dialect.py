# ruff: noqa: D102 -- what an engine writes is described once, in Dialect
"""What differs between SQL engines: markers, collation, date checks. Knows texts of SQL alone."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from sources.declaration import Storage

_BIGGEST: Final = "100000000000000000000"  # what a source says in more digits is no amount
_LONG: Final = "(0[13578]|1[02]){0}(0[1-9]|[12][0-9]|3[01])"
_SHORT: Final = "(0[469]|11){0}(0[1-9]|[12][0-9]|30)"
_FEBRUARY: Final = "02{0}(0[1-9]|1[0-9]|2[0-8])"
_LEAP: Final = "([0-9]{{2}}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00){0}02{0}29"
_DAY: Final = f"([0-9]{{{{4}}}}{{0}}({_LONG}|{_SHORT}|{_FEBRUARY})|{_LEAP})"
_PATTERNS: Final = {
    "yyyymmdd": f"^{_DAY.format('')}$",
    "yyyymm": "^[0-9]{4}(0[1-9]|1[0-2])$",
    "iso": f"^{_DAY.format('-')}$",
    "plain": f"^{_DAY.format('-')} ([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]$",
}
_LENGTHS: Final = {"yyyymmdd": 8, "yyyymm": 6, "iso": 10, "plain": 19}


class Dialect:
    """How one engine writes it; `binary`: its texts already compare by code point."""

    lateral = False
    exact_decimals = True
    unreadable: frozenset[Storage] = frozenset()  # types whose values it cannot compare as we do

    def __init__(self, quote: Callable[[str], str], *, binary: bool) -> None:
        self._quote = quote
        self._binary = binary

    def quoted(self, name: str) -> str:
        """Return a table's or column's name as it stands in a statement."""
        return ".".join(map(self._quote, name.split(".")))

    def marker(self, number: int, storage: Storage | None) -> str:
        """Return the place of the parameter with this number, of this native type."""
        raise NotImplementedError

    def by_code_point(self, text: str) -> str:
        """Return the text so that it compares and sorts by code point."""
        raise NotImplementedError

    def equatable(self, text: str) -> str:
        """Return the text so that only equal texts are equal."""
        return self.by_code_point(text)

    def tuple_of(self, expressions: Sequence[str], tuples: Sequence[str]) -> str:
        """Return whether the expressions together equal one of the tuples."""
        return f"({', '.join(expressions)}) IN ({', '.join(tuples)})"

    def contains(self, text: str, marker: str) -> str:
        """Return whether the text has the parameter in it."""
        raise NotImplementedError

    def written(self, number: str, width: int = 0) -> str:
        """Return a whole number as text, filled with zeros to the width."""
        raise NotImplementedError

    def sorted(self, expression: str, *, descending: bool, nulls: str) -> str:
        """Return a term of ORDER BY; `nulls` is FIRST, LAST or empty where there are none."""
        direction = " DESC" if descending else ""
        return f"{expression}{direction}{f' NULLS {nulls}' if nulls else ''}"

    def is_date(self, text: str, form: str) -> str:
        """Return whether the text is a date of the form; never null for a text."""
        raise NotImplementedError

    def is_amount(self, number: str, storage: Storage) -> str:
        """Return whether the number is finite and of a size that can be read."""
        return f"({number} > -{_BIGGEST} AND {number} < {_BIGGEST})"

    def bound(self, natives: Sequence[object]) -> Sequence[object]:
        """Return native values as the driver takes them."""
        return natives

    def holds(self, text: str) -> bool:
        """Return whether a column of the engine can hold the text at all."""
        return True


class PostgresDialect(Dialect):
    """PostgreSQL through asyncpg."""

    lateral = True
    _CASTS: Final = {
        "integer": "BIGINT",
        "decimal": "NUMERIC",
        "float": "DOUBLE PRECISION",
        "boolean": "BOOLEAN",
        "date": "DATE",
        "timestamp": "TIMESTAMP",
        "timestamptz": "TIMESTAMPTZ",
    }

    def marker(self, number: int, storage: Storage | None) -> str:
        cast = self._CASTS.get(storage or "text")
        return f"CAST(${number} AS {cast})" if cast else f"${number}"

    def by_code_point(self, text: str) -> str:
        return text if self._binary else f'{text} COLLATE "C"'

    def equatable(self, text: str) -> str:
        return text  # in any collation but nondeterministic ones; so any index serves

    def contains(self, text: str, marker: str) -> str:
        return f"strpos({text}, {marker}) > 0"

    def written(self, number: str, width: int = 0) -> str:
        text = f"CAST({number} AS TEXT)"
        return f"lpad({text}, {width}, '0')" if width else text

    def is_date(self, text: str, form: str) -> str:
        text = self.by_code_point(text)
        return f"({text} ~ '{_PATTERNS[form]}' AND {text} >= '0001')"

    def is_amount(self, number: str, storage: Storage) -> str:
        small = super().is_amount(number, storage)
        if storage != "decimal":
            return small
        digits = f"length(ltrim(translate(CAST(abs({number}) AS TEXT), '.', ''), '0'))"
        return f"({small} AND scale({number}) <= 20 AND {digits} <= 20)"

    def holds(self, text: str) -> bool:
        return "\0" not in text


class SqliteDialect(Dialect):
    """SQLite through aiosqlite; it has no types for times, so they do not compare as times."""

    unreadable: frozenset[Storage] = frozenset({"timestamp", "timestamptz"})
    exact_decimals = False

    def marker(self, number: int, storage: Storage | None) -> str:
        return "?"

    def by_code_point(self, text: str) -> str:
        return text if self._binary else f"{text} COLLATE BINARY"

    def tuple_of(self, expressions: Sequence[str], tuples: Sequence[str]) -> str:
        return f"({', '.join(expressions)}) IN (VALUES {', '.join(tuples)})"

    def contains(self, text: str, marker: str) -> str:
        return f"instr({text}, {marker}) > 0"

    def written(self, number: str, width: int = 0) -> str:
        return f"printf('%0{width}d', {number})" if width else f"CAST({number} AS TEXT)"

    def is_date(self, text: str, form: str) -> str:
        shape = "[0-9]" * 4 + "-" + "[0-9]" * 2 + "-" + "[0-9]" * 2
        if form == "plain":
            shape += " " + ":".join(["[0-9]" * 2] * 3)
            there = f"datetime({text}, '+0 days') = {text}"
        else:
            iso, shape = self._iso(text, form, shape)
            there = f"date({iso}, '+0 days') = {iso}"  # without a change the 30th of February is
        return f"({text} GLOB '{shape}' AND {there} AND {text} >= '0001')"

    def is_amount(self, number: str, storage: Storage) -> str:
        kind = f"typeof({number}) IN ('integer', 'real')"
        return f"({kind} AND {super().is_amount(number, storage)})"

    def bound(self, natives: Sequence[object]) -> Sequence[object]:
        return [self._bound(native) for native in natives]

    def _bound(self, native: object) -> object:
        match native:
            case Decimal():
                return int(native) if native == native.to_integral_value() else float(native)
            case datetime():
                return native.isoformat(" ")
            case date():
                return native.isoformat()
            case _:
                return native

    def _iso(self, text: str, form: str, shape: str) -> tuple[str, str]:
        if form == "iso":
            return text, shape
        day = f"substr({text}, 7, 2)" if form == "yyyymmdd" else "'01'"
        iso = f"(substr({text}, 1, 4) || '-' || substr({text}, 5, 2) || '-' || {day})"
        return iso, "[0-9]" * _LENGTHS[form]


class MariadbDialect(Dialect):
    """MariaDB through asyncmy; its times have no zone."""

    unreadable: frozenset[Storage] = frozenset({"timestamptz"})

    def marker(self, number: int, storage: Storage | None) -> str:
        return "%s"

    def by_code_point(self, text: str) -> str:
        if self._binary:
            return text
        return f"CONVERT({text} USING utf8mb4) COLLATE utf8mb4_nopad_bin"

    def contains(self, text: str, marker: str) -> str:
        return f"LOCATE({marker}, {self.by_code_point(text)}) > 0"

    def written(self, number: str, width: int = 0) -> str:
        text = f"CAST({number} AS CHAR)"
        return f"LPAD({text}, {width}, '0')" if width else text

    def sorted(self, expression: str, *, descending: bool, nulls: str) -> str:
        term = super().sorted(expression, descending=descending, nulls="")
        missing = f"{expression} IS NULL{' DESC' if nulls == 'FIRST' else ''}"
        return f"{missing}, {term}" if nulls else term

    def is_date(self, text: str, form: str) -> str:
        shaped = f"{text} REGEXP '{_PATTERNS[form]}' AND CHAR_LENGTH({text}) = {_LENGTHS[form]}"
        return f"({shaped} AND {self.by_code_point(text)} >= '0001')"


DIALECTS: Final = {
    "postgresql": PostgresDialect,
    "sqlite": SqliteDialect,
    "mysql": MariadbDialect,
    "mariadb": MariadbDialect,
}
