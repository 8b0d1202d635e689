"""Opens the gateway's own database and says whether it answers."""

from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine


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
        if address.get_backend_name() == "sqlite" and address.database:
            Path(address.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_async_engine(address)
    except (SQLAlchemyError, ImportError, OSError) as error:
        raise StoreUnavailable(f"--store is no usable database address: {error}") from error
    try:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
    except (SQLAlchemyError, OSError) as error:
        await engine.dispose()
        place = address.render_as_string(hide_password=True)
        raise StoreUnavailable(f"the store {place} does not answer") from error
    return engine
