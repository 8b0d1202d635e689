"""
The graph in force, and how newer files take its place while questions are being answered.

A new graph is built beside the old one and put in force by one assignment. A request ends in the
graph it began in; a graph that nobody uses any more lets go of the systems that no other has.
Files with mistakes change nothing: they are told in the log, and that they were refused is seen.
"""

import asyncio
import logging
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from typing import Final, Generic, TypeVar

from contract.document import Mistake, Mistakes
from gateway.graph import Files, OpenGraph, open_graph
from sources.assembly import OpenedSource

logger = logging.getLogger(__name__)
Served = TypeVar("Served")

_SETTLE_SECONDS: Final = 0.5
_ATTEMPTS: Final = 3


@dataclass(slots=True, eq=False)
class Edition(Generic[Served]):
    """A graph, what answers for it, and how many requests are in it."""

    graph: OpenGraph
    served: Served
    users: int = 0


class Living(Generic[Served]):
    """
    Opens the graph of the files, and another one when they change.

    `serve` makes of a graph what answers requests.
    Raises: Mistakes, when the first files are wrong.
    """

    def __init__(
        self,
        files: Files,
        environment: Mapping[str, str],
        secret: bytes,
        serve: Callable[[OpenGraph], Served],
    ) -> None:
        self._files = files
        self._open = partial(open_graph, files, environment, secret)
        self._serve = serve
        self._tried = fingerprint(files)
        graph = self._open()
        self._current = Edition(graph, serve(graph))
        self._editions = [self._current]
        self._reloading = asyncio.Lock()
        self._asked = asyncio.Event()
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def graph(self) -> OpenGraph:
        """Return the graph in force."""
        return self._current.graph

    @property
    def editions(self) -> int:
        """Return how many graphs there are: the one in force, and others that are still used."""
        return len(self._editions)

    @contextmanager
    def serving(self) -> Iterator[Served]:
        """Give what answers now; its graph stays open until the block ends."""
        with self._leased() as edition:
            yield edition.served

    @contextmanager
    def using(self) -> Iterator[OpenGraph]:
        """Give the graph in force; it stays open until the block ends."""
        with self._leased() as edition:
            yield edition.graph

    @contextmanager
    def _leased(self) -> Iterator[Edition[Served]]:
        edition = self._current
        edition.users += 1
        try:
            yield edition
        finally:
            edition.users -= 1
            self._settle()

    async def watch(self, seconds: float) -> None:
        """Reload when the files change, looked at so often (never for 0), or on SIGHUP at once."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, self._asked.set)
        seen = self._tried
        try:
            while True:
                wait = seconds if seen == self._tried else min(seconds, _SETTLE_SECONDS)
                if await self._woken(wait):
                    await self.reload()
                    continue
                before, seen = seen, await asyncio.to_thread(fingerprint, self._files)
                if before == seen != self._tried:  # who writes a file has finished
                    await self.reload()
        finally:
            loop.remove_signal_handler(signal.SIGHUP)

    async def reload(self) -> None:
        """Put the files as they are now in force, if they have no mistakes."""
        async with self._reloading:
            for _ in range(_ATTEMPTS):
                self._tried = await asyncio.to_thread(fingerprint, self._files)
                opened = await asyncio.to_thread(self._opened)
                if self._tried == await asyncio.to_thread(fingerprint, self._files):
                    await self._take(opened)
                    return
            self._tried = ""  # nothing of it was in force, so the next look tries again
            await self._take((self._restless(),))

    def _restless(self) -> Mistake:
        what = f"the files changed during each of {_ATTEMPTS} attempts to read them"
        write = "Write files under another name and rename them when they are whole."
        return Mistake(str(self._files.departments), 1, what, write)

    async def aclose(self) -> None:
        """Close every connection of every graph."""
        for edition in self._editions:
            edition.users = 0
        self._settle()
        await asyncio.gather(*self._closing)
        await self.graph.aclose()

    async def _woken(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds or None):
                await self._asked.wait()
        except TimeoutError:
            return False
        self._asked.clear()
        return True

    def _opened(self) -> OpenGraph | tuple[Mistake, ...]:
        """Return the graph of the files, or what is wrong with them; works for long."""
        try:
            return self._open(before=self.graph)
        except Mistakes as error:
            return error.mistakes
        except Exception as error:  # noqa: BLE001 -- whatever is wrong, the old graph answers
            what = f"they cannot be put in force: {type(error).__name__}"
            return (Mistake(str(self._files.departments), 1, what, "Run the command check."),)

    async def _take(self, opened: OpenGraph | tuple[Mistake, ...]) -> None:
        observed = self.graph.observed
        if not isinstance(opened, OpenGraph):
            observed.refused = opened
            logger.error("newer files are refused, the ones before stay in force")
            for mistake in opened:
                logger.error("%s", mistake)
            return
        edition = Edition(opened, self._serve(opened))
        self._editions.append(edition)
        self._current = edition
        observed.refused = ()
        self._settle()
        logger.info("newer files are in force")
        for mistake in await opened.mistakes():
            logger.error("%s", mistake)

    def _settle(self) -> None:
        """Let go of graphs that are not used any more, the oldest first."""
        while len(self._editions) > 1 and not self._editions[0].users:
            retired = self._editions.pop(0)
            kept = {id(each) for edition in self._editions for each in _opened_by(edition)}
            for source in _opened_by(retired):
                if id(source) not in kept:
                    task = asyncio.create_task(_closed(source))
                    self._closing.add(task)
                    task.add_done_callback(self._closing.discard)


def fingerprint(files: Files) -> str:
    """Return what tells these files from any others: names, bytes, and the day they are read."""
    digest = sha256(datetime.now(UTC).date().isoformat().encode())  # codes have days of change
    listed = (
        *sorted(files.departments.glob("*.toml")),
        *sorted(files.matters.glob("*.toml")),
        files.policy,
        files.aliases,
    )
    for path in listed:
        try:
            content = path.read_bytes()
        except OSError:
            content = b""
        digest.update(f"{path}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _opened_by(edition: Edition[Served]) -> tuple[OpenedSource, ...]:
    return edition.graph.assembly.opened


async def _closed(source: OpenedSource) -> None:
    try:
        await source.aclose()
    except Exception as error:  # noqa: BLE001 -- nobody waits for it
        logger.warning("%s: it could not be closed: %s", source.name, type(error).__name__)
