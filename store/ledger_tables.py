"""
The tables of the ledger, and the triggers that let nobody change what is in them.

Only what a checkpoint covers can be deleted; checkpoints, like records, are never changed.
"""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import BigInteger, Column, Connection, MetaData, Table, Text, inspect

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
TERMS: Final = Table(
    "ledger_term",
    _METADATA,
    Column("term", BigInteger, primary_key=True, autoincrement=False),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)
TIMES: Final = Table(
    "ledger_time",
    _METADATA,
    Column("time", BigInteger, primary_key=True, autoincrement=False),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
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


def _sqlite_guards() -> tuple[str, ...]:
    # INSERT OR REPLACE deletes without asking the triggers of DELETE: so INSERT is asked.
    again = "NEW.sequence <= (SELECT max(sequence) FROM {table})"
    return (
        *(_trigger(table.name, "UPDATE") for table in (RECORDS, CHECKPOINTS, TERMS, TIMES)),
        *(
            _trigger(table.name, "DELETE", f"OLD.sequence > {_COVERED}")
            for table in (RECORDS, TERMS, TIMES)
        ),
        _trigger(CHECKPOINTS.name, "DELETE"),
        *(
            _trigger(table.name, "INSERT", again.format(table=table.name))
            for table in (RECORDS, CHECKPOINTS)
        ),
    )


def _postgresql_guards() -> tuple[str, ...]:
    refuse = f"RAISE EXCEPTION '{_REFUSED}'"
    return (
        "CREATE FUNCTION ledger_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN {refuse}; END $$",
        "CREATE FUNCTION ledger_covered() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN IF OLD.sequence > {_COVERED} THEN {refuse}; END IF; RETURN OLD; END $$",
        *(
            f"CREATE TRIGGER {table.name}_append_only BEFORE UPDATE OR TRUNCATE ON {table.name} "
            "FOR EACH STATEMENT EXECUTE FUNCTION ledger_append_only()"
            for table in (RECORDS, CHECKPOINTS, TERMS, TIMES)
        ),
        *(
            f"CREATE TRIGGER {table.name}_covered BEFORE DELETE ON {table.name} "
            "FOR EACH ROW EXECUTE FUNCTION ledger_covered()"
            for table in (RECORDS, TERMS, TIMES)
        ),
        "CREATE TRIGGER ledger_checkpoint_kept BEFORE DELETE ON ledger_checkpoint "
        "FOR EACH STATEMENT EXECUTE FUNCTION ledger_append_only()",
    )


_GUARDS: Final[Mapping[str, tuple[str, ...]]] = {
    "sqlite": _sqlite_guards(),
    "postgresql": _postgresql_guards(),
}
# Of a store whose ledger had records and nothing else: its triggers refused every deletion.
_EARLIER: Final[Mapping[str, tuple[str, ...]]] = {
    "sqlite": ("DROP TRIGGER ledger_no_update", "DROP TRIGGER ledger_no_delete"),
    "postgresql": (
        "DROP TRIGGER ledger_append_only ON ledger",
        "DROP FUNCTION ledger_append_only()",
    ),
}


def make_tables(connection: Connection) -> bool:
    """Make the tables that are missing; return whether there are records without an index."""
    found = inspect(connection)
    has_records = found.has_table(RECORDS.name)
    if has_records and found.has_table(CHECKPOINTS.name):
        return False
    dialect = connection.dialect.name
    if has_records:
        for statement in _EARLIER[dialect]:
            connection.exec_driver_sql(statement)
    _METADATA.create_all(connection)
    for statement in _GUARDS[dialect]:
        connection.exec_driver_sql(statement)
    return has_records
