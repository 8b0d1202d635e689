"""
The tables of the ledger, and the triggers that let nobody change what is in them.

Only what a checkpoint covers can be deleted; checkpoints, like records, are never changed.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    LargeBinary,
    MetaData,
    Table,
    Text,
    inspect,
)

_METADATA: Final = MetaData()
RECORDS: Final = Table(
    "ledger",
    _METADATA,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),
    Column("hash", Text, nullable=False),
)
CHECKPOINTS: Final = Table(
    "ledger_checkpoint",
    _METADATA,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", Text, nullable=False),
)
INDEX: Final = Table(
    "ledger_posting",
    _METADATA,
    Column("bucket", BigInteger, primary_key=True, autoincrement=False),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("part", BigInteger, primary_key=True, autoincrement=False),
    Column("terms", LargeBinary, nullable=False),
    Column("places", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

_REFUSED: Final = "the ledger is append only"
_COVERED: Final = "(SELECT coalesce(max(sequence), 0) FROM ledger_checkpoint)"


def _trigger(table: str, word: str, when: str = "") -> str:
    condition = f"WHEN {when} " if when else ""
    return (
        f"CREATE TRIGGER {table}_no_{word.lower()} BEFORE {word} ON {table} {condition}"
        f"BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END"
    )


# INSERT OR REPLACE deletes without asking the triggers of DELETE: so INSERT is asked.
_AGAIN: Final = "NEW.sequence <= (SELECT max(sequence) FROM {table})"
_TAKEN: Final = (
    "EXISTS (SELECT 1 FROM ledger_posting"
    " WHERE bucket = NEW.bucket AND sequence = NEW.sequence AND part = NEW.part)"
)
_REFUSE: Final = f"RAISE EXCEPTION '{_REFUSED}'"


def _function(name: str, body: str) -> str:
    return f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$"


def _covered_alone(table: str) -> str:
    return (
        f"CREATE TRIGGER {table}_covered BEFORE DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION ledger_covered()"
    )


def _append_only(name: str, words: str, table: str) -> str:
    return (
        f"CREATE TRIGGER {name} BEFORE {words} ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION ledger_append_only()"
    )


_RECORD_GUARDS: Final[Mapping[str, tuple[str, ...]]] = {
    "sqlite": (
        _trigger("ledger", "UPDATE"),
        _trigger("ledger_checkpoint", "UPDATE"),
        _trigger("ledger", "DELETE", f"OLD.sequence > {_COVERED}"),
        _trigger("ledger_checkpoint", "DELETE"),
        _trigger("ledger", "INSERT", _AGAIN.format(table="ledger")),
        _trigger("ledger_checkpoint", "INSERT", _AGAIN.format(table="ledger_checkpoint")),
    ),
    "postgresql": (
        _function("ledger_append_only", f"{_REFUSE};"),
        _function(
            "ledger_covered",
            f"IF OLD.sequence > {_COVERED} THEN {_REFUSE}; END IF; RETURN OLD;",
        ),
        _append_only("ledger_append_only", "UPDATE OR TRUNCATE", "ledger"),
        _append_only("ledger_checkpoint_append_only", "UPDATE OR TRUNCATE", "ledger_checkpoint"),
        _append_only("ledger_checkpoint_kept", "DELETE", "ledger_checkpoint"),
        _covered_alone("ledger"),
    ),
}
_INDEX_GUARDS: Final[Mapping[str, tuple[str, ...]]] = {
    "sqlite": (
        _trigger("ledger_posting", "UPDATE"),
        _trigger("ledger_posting", "DELETE", f"OLD.sequence > {_COVERED}"),
        _trigger("ledger_posting", "INSERT", _TAKEN),
    ),
    "postgresql": (
        _append_only("ledger_posting_append_only", "UPDATE OR TRUNCATE", "ledger_posting"),
        _covered_alone("ledger_posting"),
    ),
}
# Of a store whose ledger had records and nothing else: its triggers refused every deletion.
_EARLIER: Final[Mapping[str, tuple[str, ...]]] = {
    "sqlite": ("DROP TRIGGER ledger_no_update", "DROP TRIGGER ledger_no_delete"),
    "postgresql": (
        "DROP TRIGGER ledger_append_only ON ledger",
        "DROP FUNCTION ledger_append_only()",
    ),
}


# Of stores whose index had a row for each term and time of each record, or one for each record.
_FORMER: Final = ("ledger_term", "ledger_time", "ledger_index")


def make_tables(connection: Connection) -> bool:
    """Make the tables that are missing; return whether there are records without an index."""
    found, dialect = set(inspect(connection).get_table_names()), connection.dialect.name
    if INDEX.name in found:
        return False
    is_guarded = CHECKPOINTS.name in found
    if RECORDS.name in found and not is_guarded:
        _run(connection, _EARLIER[dialect])
    _run(connection, [f"DROP TABLE {name}" for name in _FORMER if name in found])
    _METADATA.create_all(connection)
    _run(connection, () if is_guarded else _RECORD_GUARDS[dialect])
    _run(connection, _INDEX_GUARDS[dialect])
    return RECORDS.name in found


def _run(connection: Connection, statements: Iterable[str]) -> None:
    for statement in statements:
        connection.exec_driver_sql(statement)
