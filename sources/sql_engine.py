"""The SQLAlchemy engine that opens a system's connections: read only where it can be told so."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

from sqlalchemy import URL, NullPool, event, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from sources.declaration import Budget, Department

_LOCK_SHARE: Final = 0.75  # SQLite waits for a lock in a thread that nothing can wake


def engine_of(department: Department) -> AsyncEngine:
    """Return the engine; each of its connections is new and belongs to whoever asked for it."""
    url = make_url(department.url)
    name = url.get_backend_name()
    engine = create_async_engine(
        _read_only(url) if name == "sqlite" else url,
        isolation_level="AUTOCOMMIT",
        poolclass=NullPool,
        pool_reset_on_return=None,
        connect_args=_arguments(name, department.budget),
    )
    first = _first_statement(name, department)
    if first:
        _tell_first(engine, first)
    return engine


def file_of(url: URL) -> Path | None:
    """Return the file that the database is; None where it is none."""
    database = url.database or ":memory:"
    named = url.get_backend_name() == "sqlite" and not database.startswith((":memory:", "file:"))
    return Path(database) if named else None


def _read_only(url: URL) -> URL:
    file = file_of(url)
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
