"""What a database's catalogue says of its tables and views, as far as a mapping file can say it."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from sqlalchemy import Connection, inspect, types
from sqlalchemy.engine.interfaces import ReflectedColumn, ReflectedForeignKeyConstraint
from sqlalchemy.engine.reflection import Inspector, ObjectKind, ObjectScope
from sqlalchemy.exc import SAWarning

from onboarding.drafts.entity import Table
from onboarding.drafts.model import Native

_OWN_SCHEMAS: Final = ("information_schema", "pg_catalog", "pg_toast")

Place: TypeAlias = tuple[str | None, str]


@dataclass(frozen=True, slots=True)
class Catalogued:
    """A table or view, and its columns of types that no mapping file has."""

    table: Table
    left_out: tuple[str, ...]


def catalogue(connection: Connection) -> list[Catalogued]:
    """
    Return every table and view, by schema and name.

    Reads: the catalogue alone.
    """
    inspector = inspect(connection)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)  # of types that are left out
        return [
            found
            for schema in _schemas(inspector)
            for found in _Tables.within(inspector, schema).every()
        ]


def _schemas(inspector: Inspector) -> list[str | None]:
    if inspector.dialect.name != "postgresql":
        return [None]
    return [name for name in inspector.get_schema_names() if name not in _OWN_SCHEMAS]


@dataclass(frozen=True, slots=True)
class _Tables:
    """
    The tables of one schema.

    Columns of SQLite may have no type; enums of PostgreSQL do not compare with texts.
    """

    columns: Mapping[Place, Sequence[ReflectedColumn]]
    keys: Mapping[Place, Any]
    foreign: Mapping[Place, Sequence[ReflectedForeignKeyConstraint]]
    comments: Mapping[Place, str]
    dialect: str

    @classmethod
    def within(cls, inspector: Inspector, schema: str | None) -> "_Tables":
        where: dict[str, Any] = {
            "schema": schema,
            "kind": ObjectKind.ANY,
            "scope": ObjectScope.DEFAULT,
        }
        return cls(
            inspector.get_multi_columns(**where),
            inspector.get_multi_pk_constraint(**where),
            inspector.get_multi_foreign_keys(**where),
            _comments(inspector, where),
            inspector.dialect.name,
        )

    def every(self) -> Iterator[Catalogued]:
        for place in sorted(self.columns, key=str):
            name = ".".join(part for part in place if part)
            if "." in place[1]:
                yield Catalogued(Table(name, ()), (f"{name}, for the dot in its name",))
            else:
                yield self._table(place, name)

    def _table(self, place: Place, name: str) -> Catalogued:
        key = tuple(self.keys.get(place, {}).get("constrained_columns", ()))
        refers = _referred(self.foreign.get(place, ()))
        natives: list[Native] = []
        left_out: list[str] = []
        for column in self.columns[place]:
            native = self._native(column, key, refers)
            if native is None:
                kind = type(column["type"]).__name__
                left_out.append(
                    f"{name}.{column['name']}, of type {kind}; a view may give it as text"
                )
            else:
                natives.append(native)
        known = {native.name for native in natives}
        comment = self.comments.get(place, "")
        table = Table(name, tuple(natives), key if known.issuperset(key) else (), comment)
        return Catalogued(table, tuple(left_out))

    def _native(
        self, column: ReflectedColumn, key: Sequence[str], refers: Mapping[str, str]
    ) -> Native | None:
        name = column["name"]
        kind = column["type"]
        typed = _typed(kind)
        if isinstance(kind, types.NullType) and self.dialect == "sqlite":
            typed = Native("")  # its values will say what it is
        if typed is None or (isinstance(kind, types.Enum) and self.dialect == "postgresql"):
            return None
        return replace(
            typed,
            name=name,
            comment=column.get("comment") or "",
            is_key=name in key or name in refers,
            refers=refers.get(name, ""),
        )


def _comments(inspector: Inspector, where: Mapping[str, Any]) -> dict[Place, str]:
    try:
        found = inspector.get_multi_table_comment(**where)
    except NotImplementedError:
        return {}
    return {place: comment.get("text") or "" for place, comment in found.items()}


def _referred(foreign: Sequence[ReflectedForeignKeyConstraint]) -> dict[str, str]:
    return {
        each["constrained_columns"][0]: f"{each['referred_table']}.{each['referred_columns'][0]}"
        for each in foreign
        if len(each["constrained_columns"]) == 1 and each["referred_columns"]
    }


def _typed(kind: types.TypeEngine[Any]) -> Native | None:
    """Return the type and its storage; None of what no mapping file has a type for."""
    match kind:
        case types.Boolean():
            return Native("", "boolean")
        case types.Integer():
            tiny = getattr(kind, "display_width", None) == 1
            return Native("", "boolean", "integer") if tiny else Native("", "integer")
        case types.Float():
            return Native("", "decimal", "float")
        case types.Numeric():
            return Native("", "decimal")
        case types.Date():
            return Native("", "date", "date")
        case types.DateTime():
            return Native("", "datetime", "timestamptz" if kind.timezone else "timestamp")
        case types.Enum():
            return Native("", codes=tuple(kind.enums))
        case types.String():
            return Native("")
        case _:
            return None
