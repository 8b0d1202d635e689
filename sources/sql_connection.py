"""
One system's connections: a statement in, native rows out, within the budget or a SourceFailure.

A statement that exceeds its budget loses its connection: nobody waits for a hung server, not even
to take leave of it, and its place is free again at once.
"""

import asyncio
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import make_url

from contract.errors import SourceFailure, SourceTimeout, SourceUnavailable
from sources.deadline import Deadline
from sources.declaration import Department
from sources.sql_driver import DRIVERS, Connection, Natives
from sources.sql_engine import engine_of, file_of
from sources.sql_failure import is_answered, is_lost, kind, told

_FAREWELL_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class _Opened:
    """A driver's connection, and the round in which it was opened."""

    connection: Connection
    round: int


class Connections:
    """
    The connections of one department's system, as many as its budget says.

    Those that nobody uses are kept. A new round begins when one was lost, or another file lies in
    the place of the one that was read: no connection of a round before is used again.
    """

    def __init__(self, department: Department) -> None:
        self._department = department
        self._budget = department.budget
        self.engine = engine_of(department)
        dialect = self.engine.dialect
        if dialect.driver not in DRIVERS:
            raise ValueError(f"{dialect.name}+{dialect.driver}: use {', '.join(DRIVERS)}")
        self._driver = DRIVERS[dialect.driver]
        self._places = asyncio.Semaphore(department.budget.concurrency)
        self._kept: list[_Opened] = []
        self._round = 0
        self._opening: set[asyncio.Task[_Opened]] = set()
        self._leaving: set[asyncio.Task[None]] = set()
        self._file = file_of(make_url(department.url))
        self._seen: tuple[int, int] | None = None

    async def rows(self, text: str, operands: Sequence[object]) -> Natives:
        """
        Return the statement's rows.

        Raises: SourceTimeout, SourceUnavailable or SourceRefused, and nothing else.
        """
        if self._file is not None:
            self._look_at(self._file)
        try:
            with Deadline(self._budget.seconds):
                return await self._asked(text, operands)
        except TimeoutError as error:
            raise self.failure(SourceTimeout, "no answer within the budget") from error
        except Exception as error:
            raise self.failure(kind(error), told(error)) from error

    def failure(self, kind: type[SourceFailure], detail: str) -> SourceFailure:
        """Return a failure that names this system."""
        return kind(self._department.name, self._department.title, detail)

    async def close(self) -> None:
        """Close every connection, without a word where the system does not answer."""
        self._round += 1
        kept, self._kept = self._kept, []
        if self._leaving:
            await asyncio.wait(self._leaving, timeout=self._budget.seconds)
        farewells = {asyncio.create_task(self._driver.leave(each.connection)) for each in kept}
        if farewells or self._opening:
            await asyncio.wait({*farewells, *self._opening}, timeout=_FAREWELL_SECONDS)
        if not all(farewell.done() for farewell in farewells):
            for each in kept:
                self._drop(each, _nothing)
        for opening in self._opening:
            opening.cancel()
        await asyncio.gather(*farewells, *self._opening, *self._leaving, return_exceptions=True)
        await self.engine.dispose()

    async def _asked(self, text: str, operands: Sequence[object]) -> Natives:
        await self._places.acquire()
        kept = self._taken()
        if kept is not None:
            try:
                return await self._run(kept, text, operands)
            except Exception as error:
                if not is_lost(error):
                    raise
            # The server has closed it meanwhile, or changed what it had prepared; so of its like.
            self._round += 1
            await self._places.acquire()
        return await self._run(await self._opened(), text, operands)

    async def _run(self, opened: _Opened, text: str, operands: Sequence[object]) -> Natives:
        """Run the statement in a place, which is free afterwards."""
        try:
            rows = await self._driver.rows(opened.connection, text, operands)
        except BaseException as error:
            if is_answered(error):
                self._keep(opened)
            else:
                self._drop(opened, self._places.release)
            raise
        self._keep(opened)
        return rows

    def _taken(self) -> _Opened | None:
        """Return a connection that is kept, the one last used."""
        while self._kept:
            opened = self._kept.pop()
            if opened.round == self._round:
                return opened
            self._drop(opened, _nothing)
        return None

    def _keep(self, opened: _Opened) -> None:
        if opened.round == self._round:
            self._kept.append(opened)
            self._places.release()
        else:
            self._drop(opened, self._places.release)

    def _drop(self, opened: _Opened, after: Callable[[], None]) -> None:
        """End a connection without a word; `after`: once nothing of it is left."""
        rest = self._driver.drop(opened.connection)
        if rest is None:
            after()
            return

        def gone(task: asyncio.Task[None]) -> None:
            self._leaving.discard(task)
            after()

        leaving = asyncio.create_task(rest)
        self._leaving.add(leaving)
        leaving.add_done_callback(gone)

    async def _opened(self) -> _Opened:
        """Return a new connection; where nobody waits for it any more, it is there for the next."""
        opening = asyncio.create_task(self._open())
        self._opening.add(opening)
        opening.add_done_callback(self._opening.discard)
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(self._arrived)
            raise
        except BaseException:
            self._places.release()
            raise

    async def _open(self) -> _Opened:
        round_ = self._round
        with Deadline(self._budget.seconds):
            pooled = await self.engine.raw_connection()
        opened = _Opened(pooled.driver_connection, round_)
        pooled.detach()
        return opened

    def _arrived(self, opening: asyncio.Task[_Opened]) -> None:
        if opening.cancelled() or opening.exception() is not None:
            self._places.release()
        else:
            self._keep(opening.result())

    def _look_at(self, file: Path) -> None:
        """Begin a new round once another file lies there: an open one outlives its own removal."""
        there = _identity(file)
        if there is None:  # the driver leaves a thread behind when a file is not there
            raise self.failure(SourceUnavailable, "the file is not there")
        if there != self._seen:
            self._seen = there
            self._round += 1


def _nothing() -> None:
    return


def _identity(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISREG(found.st_mode) else None
