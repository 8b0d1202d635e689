"""
One system's connections: a statement in, native rows out, within the budget or a SourceFailure.

A statement that exceeds its budget loses its connection: nobody waits for a hung server, not even
to take leave of it, and its place in the pool is free again at once.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

from sqlalchemy import URL, event, make_url
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry

from contract.errors import SourceFailure, SourceRefused, SourceTimeout, SourceUnavailable
from sources.declaration import Budget, Department

_LOCK_SHARE: Final = 0.75  # SQLite waits for a lock in a thread that nothing can wake
_AGAIN_SECONDS: Final = 0.05
_FAREWELL_SECONDS: Final = 1.0
_OUTDATED: Final = AsyncAdapt_asyncpg_dbapi.InvalidCachedStatementError
_TIMED_OUT: Final = frozenset({"57014", "55P03", "1969", "1205", "SQLITE_BUSY", "SQLITE_INTERRUPT"})
_REFUSED_STATES: Final = ("22", "42", "0A", "54")
_REFUSED_NUMBERS: Final = range(1046, 1700)
_REFUSED_SQLITE: Final = ("SQLITE_ERROR", "SQLITE_MISMATCH", "SQLITE_TOOBIG", "SQLITE_READONLY")
_UNREACHABLE: Final = frozenset(
    {"1049", "1129", "1130", "1152", "1158", "1159", "1160", "1161", "1203"}
)


@dataclass(slots=True)
class _Hold:
    """The driver's connection that a statement runs on, and whether anybody still waits for it."""

    connection: object = None
    abandoned: bool = False


class Connections:
    """The pool of one department's system; read only where the system can be told so."""

    def __init__(self, department: Department) -> None:
        self._department = department
        self._budget = department.budget
        self.engine = _engine(department)
        self._opened = _opened_by(self.engine)
        self._file = _file(make_url(department.url))
        # SQLite works in a thread, which cannot be cancelled: interrupted, it ends by itself.
        self._threaded = self.engine.dialect.name == "sqlite"
        self._abandoned: set[asyncio.Task[Sequence[Sequence[object]]]] = set()

    async def rows(self, text: str, operands: Sequence[object]) -> Sequence[Sequence[object]]:
        """
        Return the statement's rows.

        Raises: SourceTimeout, SourceUnavailable or SourceRefused, and nothing else.
        """
        self._require_file()
        hold = _Hold()
        task = asyncio.create_task(self._asked(text, tuple(operands), hold))
        try:
            await asyncio.wait({task}, timeout=self._budget.seconds)
        except asyncio.CancelledError:
            self._abandon(task, hold)
            raise
        if not task.done():
            self._abandon(task, hold)
            raise self.failure(SourceTimeout, "no answer within the budget")
        error = task.exception()
        if error is not None:
            raise self._mapped(error) from error
        return task.result()

    def _require_file(self) -> None:
        # The driver leaves a thread behind when a file is not there.
        if self._file is not None and not self._file.is_file():
            raise self.failure(SourceUnavailable, "the file is not there")

    def failure(self, kind: type[SourceFailure], detail: str) -> SourceFailure:
        """Return a failure that names this system."""
        return kind(self._department.name, self._department.title, detail)

    async def close(self) -> None:
        """Close every connection, without a word where the system does not answer."""
        if self._abandoned:
            await asyncio.wait(self._abandoned, timeout=self._budget.seconds)
        opened = tuple(self._opened)
        leaving = asyncio.create_task(self.engine.dispose())
        await asyncio.wait({leaving}, timeout=_FAREWELL_SECONDS)
        if not leaving.done():
            for connection in opened:
                _cut(connection)
        await leaving

    async def _asked(
        self, text: str, operands: tuple[object, ...], hold: _Hold
    ) -> Sequence[Sequence[object]]:
        try:
            return await self._once(text, operands, hold)
        except DBAPIError as error:
            if not (error.connection_invalidated or isinstance(error.orig, _OUTDATED)):
                raise
        # A pooled connection the server has closed meanwhile, or a statement it had prepared for
        # tables that are others now; the pool has dropped their like.
        hold.connection = None
        return await self._once(text, operands, hold)

    async def _once(
        self, text: str, operands: tuple[object, ...], hold: _Hold
    ) -> Sequence[Sequence[object]]:
        async with self.engine.connect() as connection:
            pooled = await connection.get_raw_connection()
            hold.connection = pooled.driver_connection
            if hold.abandoned:
                return ()
            return (await connection.exec_driver_sql(text, operands)).all()

    def _abandon(self, task: "asyncio.Task[Sequence[Sequence[object]]]", hold: _Hold) -> None:
        hold.abandoned = True
        self._abandoned.add(task)
        task.add_done_callback(self._forget)
        self._end(task, hold)

    def _end(self, task: "asyncio.Task[Sequence[Sequence[object]]]", hold: _Hold) -> None:
        if task.done():
            return
        if hold.connection is not None:
            _cut(hold.connection)
        if self._threaded:  # an interrupt before the statement has begun does nothing
            asyncio.get_running_loop().call_later(_AGAIN_SECONDS, self._end, task, hold)
        else:
            task.cancel()

    def _forget(self, task: "asyncio.Task[Sequence[Sequence[object]]]") -> None:
        self._abandoned.discard(task)
        if not task.cancelled():
            task.exception()  # what went wrong after nobody waited is nobody's

    def _mapped(self, error: BaseException) -> SourceFailure:
        return self.failure(_kind(error), _told(error))


def _told(error: BaseException) -> str:
    """Return what the log may know: drivers put values into their texts."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    return f"{type(cause).__name__} {_code(cause)}".strip()


def _kind(error: BaseException) -> type[SourceFailure]:
    if isinstance(error, DBAPIError) and error.orig is not None:
        return SourceUnavailable if error.connection_invalidated else _kind_of_driver(error.orig)
    if isinstance(error, TimeoutError | PoolTimeout):
        return SourceTimeout
    return _kind_of_driver(error)


def _kind_of_driver(error: BaseException) -> type[SourceFailure]:
    """Return what the driver's error means, by SQLSTATE, error number or SQLite's own name."""
    code = _code(error)
    if code in _TIMED_OUT:
        return SourceTimeout
    if code.startswith("SQLITE_"):
        return SourceRefused if code.startswith(_REFUSED_SQLITE) else SourceUnavailable
    if len(code) == len("42P01"):
        return SourceRefused if code.startswith(_REFUSED_STATES) else SourceUnavailable
    if code.isdigit() and int(code) in _REFUSED_NUMBERS:
        return SourceUnavailable if code in _UNREACHABLE else SourceRefused
    values = isinstance(error, ValueError | TypeError | ArithmeticError | LookupError)
    return SourceRefused if values and not code else SourceUnavailable


def _code(error: BaseException) -> str:
    first = error.args[0] if error.args else ""
    if isinstance(first, int) and not isinstance(error, OSError):
        return str(first)  # MariaDB's own number says more than its SQLSTATE
    for name in ("sqlstate", "sqlite_errorname"):
        code = getattr(error, name, None)
        if code:
            return str(code)
    cause = error.__cause__
    return _code(cause) if cause is not None else ""


def _cut(connection: object) -> None:
    """Drop a driver's connection without a word to the other side."""
    sqlite = getattr(connection, "_conn", None)  # aiosqlite would queue its own interrupt
    for target, name in ((sqlite, "interrupt"), (connection, "terminate"), (connection, "close")):
        stop = getattr(target, name, None)
        if stop is not None:
            stop()
            return


def _engine(department: Department) -> AsyncEngine:
    url = make_url(department.url)
    budget = department.budget
    name = url.get_backend_name()
    engine = create_async_engine(
        _read_only(url) if name == "sqlite" else url,
        isolation_level="AUTOCOMMIT",
        poolclass=AsyncAdaptedQueuePool,
        pool_size=budget.concurrency,
        max_overflow=0,
        pool_timeout=budget.seconds,
        pool_reset_on_return=None,
        connect_args=_arguments(name, budget),
    )
    first = _first_statement(name, department)
    if first:
        _tell_first(engine, first)
    file = _file(url)
    if file is not None:
        _follow_file(engine, file)
    return engine


def _file(url: URL) -> Path | None:
    database = url.database or ":memory:"
    named = url.get_backend_name() == "sqlite" and not database.startswith((":memory:", "file:"))
    return Path(database) if named else None


def _read_only(url: URL) -> URL:
    file = _file(url)
    if file is None:
        return url
    return url.set(database=f"file:{quote(str(file))}").update_query_dict(
        {"mode": "ro", "uri": "true"}
    )


def _arguments(name: str, budget: Budget) -> Mapping[str, object]:
    if name == "postgresql":
        settings = {
            "application_name": "township-graph",
            "default_transaction_read_only": "on",
            "statement_timeout": str(max(1, int(budget.seconds * 1000))),
        }
        return {"timeout": budget.seconds, "server_settings": settings}
    if name == "sqlite":
        return {"timeout": budget.seconds * _LOCK_SHARE}
    return {"connect_timeout": budget.seconds}


def _first_statement(name: str, department: Department) -> str:
    if name == "sqlite":
        return "PRAGMA query_only = ON"
    if name == "postgresql":
        return ""
    # Without the tables of zones an offset must do; local times have had one since 1991.
    offset = datetime.now(UTC).astimezone(ZoneInfo(department.time_zone)).strftime("%z")
    zone = f"{offset[:3]}:{offset[3:]}"
    seconds = department.budget.seconds
    return f"SET tx_read_only = 1, max_statement_time = {seconds}, time_zone = '{zone}'"


def _tell_first(engine: AsyncEngine, statement: str) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def tell(connection: "object", _: object) -> None:
        cursor = connection.cursor()  # type: ignore[attr-defined] # any driver's connection
        cursor.execute(statement)
        cursor.close()


def _opened_by(engine: AsyncEngine) -> set[object]:
    """Return the driver's connections of the pool, kept up to date."""
    opened: set[object] = set()

    @event.listens_for(engine.sync_engine, "connect")
    def note(_: object, record: ConnectionPoolEntry) -> None:
        opened.add(record.driver_connection)

    @event.listens_for(engine.sync_engine, "close")
    def forget(_: object, record: ConnectionPoolEntry) -> None:
        opened.discard(record.driver_connection)

    return opened


def _follow_file(engine: AsyncEngine, file: Path) -> None:
    """Open the file anew once another lies in its place: an open one outlives its own removal."""

    @event.listens_for(engine.sync_engine, "do_connect")
    def note(_: object, record: ConnectionPoolEntry, *__: object) -> None:
        record.info["file"] = _identity(file)

    @event.listens_for(engine.sync_engine, "checkout")
    def look(_: object, record: ConnectionPoolEntry, __: object) -> None:
        if record.info["file"] != _identity(file):
            raise DisconnectionError


def _identity(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
