"""
What the drivers do: a statement on a driver's own connection, a farewell, and an end without one.

SQLAlchemy opens connections and says what engine is there; statements do not pass through it.
"""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

Connection: TypeAlias = Any
"""A driver's own connection; the drivers have no types."""
Natives: TypeAlias = Sequence[Sequence[object]]
_AGAIN_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True)
class Driver:
    """
    One driver.

    `drop` ends a connection at once, whatever runs on it; what is left to do then may be waited
    for. `leave` says goodbye first.
    """

    rows: Callable[[Connection, str, Sequence[object]], Awaitable[Natives]]
    leave: Callable[[Connection], Coroutine[Any, Any, object]]
    drop: Callable[[Connection], Coroutine[Any, Any, None] | None]


async def _mariadb(connection: Connection, text: str, operands: Sequence[object]) -> Natives:
    async with connection.cursor() as cursor:
        await cursor.execute(text, tuple(operands))
        rows: Natives = await cursor.fetchall()
    return rows


async def _interrupted(connection: Connection) -> None:
    # SQLite works in a thread, which cannot be cancelled: interrupted, it ends by itself. An
    # interrupt before the statement has begun does nothing, so there are more of them.
    engine = connection._conn  # noqa: SLF001 -- its own interrupt would wait in the thread's queue
    closing = asyncio.create_task(connection.close())
    while not closing.done():
        with suppress(sqlite3.ProgrammingError):  # it has just been closed
            engine.interrupt()
        await asyncio.wait({closing}, timeout=_AGAIN_SECONDS)
    await closing


DRIVERS: Final[Mapping[str, Driver]] = {
    "asyncpg": Driver(
        lambda connection, text, operands: connection.fetch(text, *operands),
        lambda connection: connection.close(),
        lambda connection: connection.terminate(),
    ),
    "aiosqlite": Driver(
        lambda connection, text, operands: connection.execute_fetchall(text, operands),
        lambda connection: connection.close(),
        _interrupted,
    ),
    "asyncmy": Driver(
        _mariadb,
        lambda connection: connection.ensure_closed(),
        lambda connection: connection.close(),
    ),
}
