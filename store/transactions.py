"""
Transactions that are one function of a connection, whole or not at all.

A statement to SQLite costs a change of threads each time; so a function runs in one thread from its
first statement to the commit.
"""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.ext.asyncio import AsyncEngine

from store.database import durable

Answer = TypeVar("Answer")
Work = Callable[[Connection], Answer]


class Transactions:
    """Runs functions on the database of an engine; ends with the engine."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._direct = _direct(engine)

    async def run(self, work: Work[Answer]) -> Answer:
        """
        Return what the function gives; durable when this returns.

        Raises: what the function raises; nothing of it is kept then.
        """
        if self._direct is not None:
            return await asyncio.to_thread(_committed, self._direct, work)
        async with self._engine.connect() as connection:
            answer = await connection.run_sync(work)
            await connection.commit()
        return answer


def _committed(engine: Engine, work: Work[Answer]) -> Answer:
    with engine.connect() as connection:
        answer = work(connection)
        connection.commit()
    return answer


def _direct(engine: AsyncEngine) -> Engine | None:
    """Return an engine for the same file without an event loop; None where it is no file."""
    if engine.dialect.name != "sqlite" or not engine.url.database:
        return None
    direct = create_engine(engine.url.set(drivername="sqlite"), pool_size=1)
    event.listen(direct, "connect", durable)
    event.listen(engine.sync_engine, "engine_disposed", lambda _: direct.dispose())
    return direct
