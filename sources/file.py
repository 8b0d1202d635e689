"""
Files that a department drops in a directory, CSV or XLSX, as a source. Knows no principal.

The newest files are loaded into a database in memory and asked as any other database is. A read
that comes after others have been dropped starts loading them and is itself answered from those in
force; files that are broken change nothing but `stale`, which says why.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf

from contract.errors import SourceTimeout, SourceUnavailable
from contract.read import Aggregate, Read, Rows
from contract.source import Capabilities
from sources.declaration import Department
from sources.file_database import Database, Found, found, tabled
from sources.file_rows import BrokenDrop
from sources.sql import SqlSource

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Drop:
    """Loaded files; closed once they are out of force and nobody reads them."""

    files: Found
    database: Database
    source: SqlSource
    readers: int = 0
    retired: bool = False

    @property
    def as_of(self) -> datetime:
        oldest = min(file.changed_at for file in self.files.values())
        return datetime.fromtimestamp(oldest, UTC)

    async def close_if_idle(self) -> None:
        if self.retired and not self.readers:
            await self.source.aclose()
            self.database.close()


class FileSource:
    """
    The newest files of one directory behind the contract.

    `as_of`: when the files in force were last changed; None before there are any. `stale`: why
    those that came later do not count; empty where the newest ones are in force.
    """

    def __init__(self, department: Department) -> None:
        self.name = department.name
        self.title = department.title
        self.as_of: datetime | None = None
        self.stale = ""
        self._department = department
        claiming = SqlSource(tabled(department, "sqlite+aiosqlite:///:memory:"))
        self.entities: Mapping[str, Capabilities] = claiming.entities
        self._drop: _Drop | None = None
        self._refused: Found | None = None
        self._loading: asyncio.Task[None] | None = None
        self._looked_at = -inf

    async def read(self, read: Read) -> Rows:
        """
        Return the rows asked for.

        Raises: SourceFailure, and nothing else; SourceUnavailable before there is a good file.
        """
        return await self._asked(lambda source: source.read(read))

    async def aggregate(self, aggregate: Aggregate) -> Rows:
        """
        Return the measures asked for.

        Raises: SourceFailure, and nothing else; SourceUnavailable before there is a good file.
        """
        return await self._asked(lambda source: source.aggregate(aggregate))

    async def refresh(self) -> None:
        """Look for new files now, and load them."""
        await self._loaded()
        self._load()
        await self._loaded()

    async def forget(self) -> None:
        """Let no file that was loaded before answer any more; the newest are loaded anew."""
        await self._loaded()
        drop, self._drop = self._drop, None
        self._refused, self._looked_at = None, -inf
        await self._retire(drop)

    async def aclose(self) -> None:
        """Wait for files that are being loaded, then let go of everything."""
        await self._loaded()
        drop, self._drop = self._drop, None
        await self._retire(drop)

    async def _asked(self, ask: Callable[[SqlSource], Awaitable[Rows]]) -> Rows:
        drop = await self._in_force()
        drop.readers += 1
        try:
            return await ask(drop.source)
        finally:
            drop.readers -= 1
            await drop.close_if_idle()

    async def _in_force(self) -> _Drop:
        now = asyncio.get_running_loop().time()
        if self._loading is None and now - self._looked_at >= self._department.refresh_seconds:
            self._load()
        if self._drop is None:
            await self._loaded(self._department.budget.seconds)
        if self._drop is None and self._loading is not None:
            raise SourceTimeout(self.name, self.title, "the files are still being loaded")
        if self._drop is None:
            raise SourceUnavailable(self.name, self.title, self.stale)
        return self._drop

    def _load(self) -> None:
        loop = asyncio.get_running_loop()
        self._looked_at = loop.time()
        self._loading = loop.create_task(self._renew())

    async def _loaded(self, seconds: float | None = None) -> None:
        if self._loading is not None:
            await asyncio.wait({self._loading}, timeout=seconds)

    async def _renew(self) -> None:
        """Put the newest files in force; what is wrong with them ends up in `stale`."""
        files: Found | None = None
        try:
            files = await asyncio.to_thread(found, self._department)
            if self._drop is not None and files == self._drop.files:
                self.stale = ""
            elif files != self._refused:
                await self._put_in_force(await asyncio.to_thread(_opened, self._department, files))
        except BrokenDrop as error:
            self._refuse(files, str(error))
        except (OSError, sqlite3.Error) as error:
            self._refuse(files, f"they cannot be loaded: {type(error).__name__}")
        finally:
            self._loading = None

    async def _put_in_force(self, drop: _Drop) -> None:
        before, self._drop = self._drop, drop
        self.as_of, self.stale, self._refused = drop.as_of, "", None
        await self._retire(before)

    def _refuse(self, files: Found | None, reason: str) -> None:
        if reason != self.stale:
            logger.warning("%s: files do not count: %s", self.name, reason)
        self._refused, self.stale = files, reason

    async def _retire(self, drop: _Drop | None) -> None:
        if drop is not None:
            drop.retired = True
            await drop.close_if_idle()


def _opened(department: Department, files: Found) -> _Drop:
    """Load the files; works for long: not for the event loop."""
    database = Database()
    try:
        database.fill(department, files)
    except BaseException:
        database.close()
        raise
    return _Drop(files, database, SqlSource(tabled(department, database.url)))
