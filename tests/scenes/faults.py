"""What may happen to a department's system: killed, hung, locked, moved away; and its end."""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP, Signals
from typing import TypeAlias

import asyncpg  # type: ignore[import-untyped]

from demo.process import waited
from demo.systems import Systems

Fault: TypeAlias = Callable[[Systems, str], AbstractAsyncContextManager[None]]
"""Makes one system fail while it is entered; the system is well again after it."""

TABLES = {"population": "ck_rk, ck_hu", "service_platform": "up_pro_accept"}


@asynccontextmanager
async def killed(province: Systems, name: str) -> AsyncIterator[None]:
    """Kill the process of a system; start it again."""
    family = _family(_pid(province, name))
    os.kill(family[0], SIGKILL)
    assert await asyncio.to_thread(waited, lambda: not any(map(_runs, family)), 20)
    try:
        yield
    finally:
        await asyncio.to_thread(province.restart, name)


@asynccontextmanager
async def hung(province: Systems, name: str) -> AsyncIterator[None]:
    """Stop the process of a system and those it has started; let them go on."""
    family = _family(_pid(province, name))
    _signal(family, SIGSTOP)
    try:
        yield
    finally:
        _signal(family, SIGCONT)


@asynccontextmanager
async def locked(province: Systems, name: str) -> AsyncIterator[None]:
    """Lock all that is read of one database of a server."""
    connection = await asyncpg.connect(_url(province, name))
    try:
        async with connection.transaction():
            await connection.execute(f"LOCK TABLE {TABLES[name]} IN ACCESS EXCLUSIVE MODE")
            yield
    finally:
        await connection.close()


@asynccontextmanager
async def shut(province: Systems, name: str) -> AsyncIterator[None]:
    """End one database's connections and take no new ones; open it again."""
    other = "population" if name == "service_platform" else "service_platform"
    connection = await asyncpg.connect(_url(province, other))
    try:
        await connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        await connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1", name
        )
        yield
    finally:
        await connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        await connection.close()


@asynccontextmanager
async def file_locked(province: Systems, name: str) -> AsyncIterator[None]:
    """Lock a file of SQLite against every reader."""
    connection = sqlite3.connect(province.processes[name].address, isolation_level=None)
    try:
        connection.execute("BEGIN EXCLUSIVE")
        yield
    finally:
        connection.close()


@asynccontextmanager
async def file_moved(province: Systems, name: str) -> AsyncIterator[None]:
    """Move a file of SQLite away and back."""
    file = Path(province.processes[name].address)
    away = file.with_suffix(".away")
    await asyncio.to_thread(file.rename, away)
    try:
        yield
    finally:
        await asyncio.to_thread(away.rename, file)


def _pid(province: Systems, name: str) -> int:
    pid = province.processes[name].pid
    assert pid is not None
    return pid


def _url(province: Systems, name: str) -> str:
    return province.environment[f"{name.upper()}_URL"].replace("+asyncpg", "")


def _family(pid: int) -> list[int]:
    """Return a process and all that descend from it."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in _family(int(child)))]


def _runs(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def _signal(family: list[int], number: Signals) -> None:
    for pid in family:
        os.kill(pid, number)
