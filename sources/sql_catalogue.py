"""What an engine's own catalogue says of a table: its columns and their types. Reads no row."""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from sources.sql_connection import Connections

FindColumn: TypeAlias = Callable[[str], str | None]
"""From the name of a column to its type in small letters; None where there is no such column."""

_POSTGRESQL: Final = (
    "SELECT a.attname, t.typname FROM pg_catalog.pg_attribute a "
    "JOIN pg_catalog.pg_type t ON t.oid = a.atttypid "
    "WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped"
)
_MYSQL: Final = (
    "SELECT column_name, data_type FROM information_schema.columns "
    "WHERE table_schema = COALESCE(%s, DATABASE()) AND table_name = %s"
)
_SQLITE: Final = "SELECT name, type FROM pragma_table_info(?)"
_KINDS: Final[Mapping[str, frozenset[str]]] = {
    kind: frozenset(types.split())
    for kind, types in {
        "text": "text varchar bpchar char name uuid enum set tinytext mediumtext longtext",
        "number": "int2 int4 int8 smallint int integer bigint tinyint mediumint "
        "numeric decimal money float4 float8 float real double",
        "boolean": "bool boolean",
        "date": "date",
        "time": "timestamp timestamptz datetime",
    }.items()
}
_ALLOWED: Final[Mapping[str, frozenset[str]]] = {
    "text": frozenset({"text"}),
    "integer": frozenset({"number"}),
    "decimal": frozenset({"number"}),
    "float": frozenset({"number"}),
    "boolean": frozenset({"boolean", "number"}),
    "date": frozenset({"date"}),
    "timestamp": frozenset({"time"}),
    "timestamptz": frozenset({"time"}),
}


async def columns_of(connections: Connections, table: str) -> FindColumn:
    """
    Return how a table's or view's columns are found by name.

    Raises: SourceFailure when the system does not answer.
    """
    dialect = connections.engine.dialect
    *schema, name = table.split(".")
    if dialect.name == "postgresql":
        quoted = ".".join(map(dialect.identifier_preparer.quote, table.split(".")))
        found = dict(await _asked(connections, _POSTGRESQL, [quoted]))
        return found.get
    if dialect.name == "sqlite":
        # Any column may hold anything there: what was declared says nothing of the values.
        folded = {each.casefold(): "" for each, _ in await _asked(connections, _SQLITE, [name])}
    else:
        operands = [schema[0] if schema else None, name]
        listed = await _asked(connections, _MYSQL, operands)
        folded = {each.casefold(): kind for each, kind in listed}
    return lambda column: folded.get(column.casefold())


def is_other_kind(kind: str, storage: str) -> bool:
    """Return whether a column of this type cannot be what the mapping says; unknown types can."""
    found = next((name for name, types in _KINDS.items() if kind in types), None)
    return found is not None and found not in _ALLOWED[storage]


async def _asked(
    connections: Connections, text: str, operands: list[str | None]
) -> list[tuple[str, str]]:
    rows = await connections.rows(text, operands)
    return [(str(name), str(kind).lower()) for name, kind in rows]
