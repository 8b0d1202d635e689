"""Which columns of a database cannot be read as a mapping file says, for `check`."""

from collections.abc import Iterable
from typing import Final

from sqlalchemy import inspect
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.document import Place
from contract.errors import SourceFailure, SourceRefused
from contract.read import Read
from contract.source import Source
from onboarding.trial import Allowance, Claim, Verdict
from sources.declaration import MappedEntity
from sources.finding import nearest
from sources.sql import SqlSource

_WRITE: Final = "Write native = the name of a column that can be read."


async def unreadable(source: Source, mapped: MappedEntity, allowance: Allowance) -> tuple[str, ...]:
    """
    Return the fields that cannot be read, each asked for by itself.

    Reads:  the entity once for each field.
    Raises: SourceFailure when the system does not answer, Exhausted.
    """
    refused: list[str] = []
    for name in mapped.columns:
        allowance.take()
        try:
            await source.read(Read(mapped.entity.name, (name,), limit=1))
        except SourceRefused:
            refused.append(name)
    return tuple(refused)


async def missing(source: Source, mapped: MappedEntity, fields: Iterable[str]) -> list[Claim]:
    """Return that these fields are not there, with the nearest column of the table."""
    there = await _columns(source, mapped.native)
    return [_missing(mapped, field, there) for field in fields]


def absent(mapped: MappedEntity) -> Claim:
    """Return that no field can be read."""
    place: Place = ("entity", mapped.entity.name, "native")
    name = f"{mapped.entity.name} is there"
    write = "Write native = the name of a table or view that can be read."
    return Claim(name, Verdict.DISPROVED, "none of its fields can be read", place, write)


def _missing(mapped: MappedEntity, field: str, there: tuple[str, ...]) -> Claim:
    near = nearest(mapped.columns[field].native, there)
    write = f'Write native = "{near}".' if near else _WRITE
    place: Place = ("entity", mapped.entity.name, "fields", field, "native")
    why = "the table has no such column" if there else "it cannot be read"
    return Claim(f"{field} is there", Verdict.DISPROVED, why, place, write)


async def _columns(source: Source, table: str) -> tuple[str, ...]:
    if not isinstance(source, SqlSource):
        return ()
    schema, _, name = table.rpartition(".")
    try:
        async with source.connections.engine.connect() as connection:
            return await _listed(connection, name, schema or None)
    except (SQLAlchemyError, SourceFailure, OSError):
        return ()


async def _listed(connection: AsyncConnection, table: str, schema: str | None) -> tuple[str, ...]:
    columns = await connection.run_sync(lambda within: inspect(within).get_columns(table, schema))
    return tuple(str(column["name"]) for column in columns)
