"""
Transactions that are one function of a connection, whole or not at all.

A statement to SQLite costs a change of threads each time; so a function runs in one thread from its
first statement to the commit, on one connection that stays open: to open one costs as much again.
"""

import asyncio
from collections.abc import Callable
from threading import Lock
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
        self._file = _File(engine) if _is_file(engine) else None

    async def run(self, work: Work[Answer]) -> Answer:
        """
        Return what the function gives; durable when this returns.

        Raises: what the function raises; nothing of it is kept then.
        """
        if self._file is not None:
            return await asyncio.to_thread(self._file.run, work)
        async with self._engine.connect() as connection:
            answer = await connection.run_sync(work)
            await connection.commit()
        return answer


class _File:
    """A SQLite file and the connection to it, without an event loop; functions take turns."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = create_engine(engine.url.set(drivername="sqlite"), pool_size=1)
        self._turn = Lock()
        self._open: Connection | None = None
        event.listen(self.engine, "connect", durable)
        event.listen(engine.sync_engine, "engine_disposed", self._close)

    def run(self, work: Work[Answer]) -> Answer:
        with self._turn:
            connection, self._open = self._open or self.engine.connect(), None
            try:
                answer = work(connection)
                connection.commit()
            except BaseException:
                connection.close()
                raise
            self._open = connection
        return answer

    def _close(self, _: Engine) -> None:
        with self._turn:
            if self._open is not None:
                self._open.close()
                self._open = None
            self.engine.dispose()


def _is_file(engine: AsyncEngine) -> bool:
    return engine.dialect.name == "sqlite" and bool(engine.url.database)
