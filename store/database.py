"""Opens the gateway's own database and says whether it answers."""

import sqlite3
from pathlib import Path
from typing import Any, Final

from sqlalchemy import event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

# FULL: what is committed outlives a power cut. Whoever finds the file locked waits so long.
_PRAGMAS: Final = ("journal_mode = WAL", "synchronous = FULL", "busy_timeout = 1000")


class StoreUnavailable(Exception):
    """The gateway's own database cannot be used; the text says what to check, and no secret."""


async def open_store(url: str) -> AsyncEngine:
    """
    Return the database, after asking it one question.

    The directory of a SQLite file is made where it is missing.
    Raises: StoreUnavailable.
    """
    try:
        address = make_url(url)
        is_file = address.get_backend_name() == "sqlite" and address.database
        if is_file:
            Path(str(address.database)).parent.mkdir(parents=True, exist_ok=True)
        engine = create_async_engine(address)
    except (SQLAlchemyError, ImportError, OSError) as error:
        raise StoreUnavailable(f"--store is no usable database address: {error}") from error
    if is_file:
        event.listen(engine.sync_engine, "connect", durable)
    try:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
    except (SQLAlchemyError, OSError, sqlite3.Error) as error:
        await engine.dispose()
        place = address.render_as_string(hide_password=True)
        raise StoreUnavailable(f"the store {place} does not answer") from error
    return engine


def durable(connection: Any, _: object) -> None:
    """Let a new connection to a SQLite file keep what is committed."""
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
