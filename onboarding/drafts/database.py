"""
A draft from a database: what its catalogue says, and a few rows of each table, read only.

Reads: the catalogue, and of each table at most 200 rows in one statement.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from contract.errors import SourceFailure
from onboarding.drafts.catalogue import Catalogued, catalogue
from onboarding.drafts.entity import Table, entity, head, named
from onboarding.drafts.model import MOST_ENTITIES, ROWS, Asked, Draft, DraftRefused, Native
from sources.declaration import Budget, Department, Storage
from sources.mapping_model import Type
from sources.sql_connection import Connections
from sources.sql_dialect import DIALECTS

_SECONDS: Final = 20.0
_DRIVERS: Final = "use postgresql+asyncpg, sqlite+aiosqlite, mysql+asyncmy or mariadb+asyncmy"
_KEPT: Final[Mapping[Type, Storage | None]] = {
    "datetime": "text",
    "date": None,
    "boolean": "integer",
}
"""How SQLite keeps what it declares otherwise."""


async def database_draft(asked: Asked, core: Sequence[str]) -> Draft:
    """
    Return the draft.

    Raises: DraftRefused when the database does not answer, or is of no kind that can be read.
    """
    connections = _connections(asked)
    try:
        found = await _catalogue(connections, asked)
        tables = [
            await _sampled(connections, each.table)
            for each in found[:MOST_ENTITIES]
            if each.table.natives
        ]
    finally:
        await connections.close()
    left_out = [text for each in found[:MOST_ENTITIES] for text in each.left_out]
    left_out += [f"table {each.table.native}" for each in found[MOST_ENTITIES:]]
    return Draft(
        f"Read: names and types of {len(tables)} tables, up to {ROWS} rows of each.",
        tuple(core),
        head(asked, "sql"),
        tuple(entity(table, name, guessed) for name, table, guessed in named(tables, core)),
        tuple(left_out),
    )


def _connections(asked: Asked) -> Connections:
    budget = Budget(seconds=_SECONDS, concurrency=1)
    try:
        connections = Connections(
            Department(asked.name, asked.name, "", "sql", asked.url, {}, budget)
        )
    except (SQLAlchemyError, ImportError, ValueError):
        raise DraftRefused(_DRIVERS) from None
    if connections.engine.dialect.name not in DIALECTS:
        raise DraftRefused(_DRIVERS)
    return connections


async def _catalogue(connections: Connections, asked: Asked) -> list[Catalogued]:
    try:
        await connections.rows("SELECT 1", ())
        async with asyncio.timeout(_SECONDS), connections.engine.connect() as connection:
            every = await connection.run_sync(catalogue)
    except SourceFailure as failure:
        raise DraftRefused(f"the database does not answer: {failure.code}") from None
    except (SQLAlchemyError, TimeoutError, OSError) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        raise DraftRefused(f"the catalogue cannot be read: {type(cause).__name__}") from None
    names = [(each.table.native, each.table.native.rpartition(".")[2]) for each in every]
    return [each for each, name in zip(every, names, strict=True) if asked.wants(*name)]


async def _sampled(connections: Connections, table: Table) -> Table:
    try:
        rows = await connections.rows(_statement(connections, table), ())
    except SourceFailure as failure:
        note = f"guess: without a sample, as its rows cannot be read ({failure.code})"
        return replace(table, notes=(note,))
    sampled = [
        replace(native, values=tuple(row[place] for row in rows if row[place] is not None))
        for place, native in enumerate(table.natives)
    ]
    if connections.engine.dialect.name == "sqlite":
        sampled = [_as_kept(native) for native in sampled]
    return replace(table, natives=sampled)


def _statement(connections: Connections, table: Table) -> str:
    quote = connections.engine.dialect.identifier_preparer.quote
    columns = ", ".join(quote(native.name) for native in table.natives)
    named = ".".join(map(quote, table.native.split(".")))
    return f"SELECT {columns} FROM {named} LIMIT {ROWS}"  # noqa: S608 -- names of the catalogue


def _as_kept(native: Native) -> Native:
    """Return the column by what it holds: SQLite keeps any value in any column."""
    kinds = {type(value) for value in native.values}
    if kinds == {str}:
        return replace(native, type="string", storage=None)
    if kinds == {int} and native.type != "boolean":
        return replace(native, type="integer", storage=None)
    if kinds and kinds <= {int, float} and native.type != "boolean":
        return replace(native, type="decimal", storage="float")
    return replace(native, storage=_KEPT.get(native.type, native.storage))
