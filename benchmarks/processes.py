"""The servers that are measured: each a process of its own, pinned to a core of its own."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL
from typing import Final

from demo.process import waited

ROOT: Final = Path(__file__).parents[1]
_SERVING: Final = re.compile(r"serving http://127\.0\.0\.1:(\d+)")
_START_SECONDS: Final = 120.0
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_ALLOWED: Final = os.sched_getaffinity(0)  # before any pinning


class ServerFailed(Exception):
    """A server that did not start."""


@dataclass(frozen=True, slots=True)
class Program:
    """How a server is started: what is run by Python or another, and its name in the figures."""

    name: str
    arguments: tuple[str, ...]
    runner: str = sys.executable
    folder: Path = ROOT


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers."""

    name: str
    pid: int
    port: int

    @property
    def address(self) -> tuple[str, int]:
        """Return where it listens."""
        return "127.0.0.1", self.port

    def cpu_seconds(self) -> float:
        """Return what it and what it started have used of a core so far, all threads together."""
        return sum(int(stat[11]) + int(stat[12]) for stat in self._family()) / _TICKS

    def megabytes(self) -> float:
        """Return what they hold in memory."""
        pages = sum(int(stat[21]) for stat in self._family())
        return pages * os.sysconf("SC_PAGE_SIZE") / 1024**2

    def _family(self) -> Iterator[list[str]]:
        """Give the process and those of its group: a gateway has its subgraphs there."""
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # one that has just ended
                stat = (folder / "stat").read_text().rpartition(") ")[2].split()
                if int(stat[2]) == self.pid:
                    yield stat


@contextmanager
def running(
    programs: Sequence[Program], environment: Mapping[str, str], logs: Path, core: int | None = None
) -> Iterator[list[Running]]:
    """
    Give the servers once they listen; they end with the block.

    Raises: ServerFailed, with what the server said.
    """
    with ExitStack() as stack:
        started = [
            stack.enter_context(_started(program, environment, logs, core)) for program in programs
        ]
        yield [
            _listening(program, process, logs)
            for program, process in zip(programs, started, strict=True)
        ]


@contextmanager
def _started(
    program: Program, environment: Mapping[str, str], logs: Path, core: int | None
) -> Iterator["subprocess.Popen[bytes]"]:
    with (logs / f"{program.name}.log").open("wb") as output, _on(core):
        process = subprocess.Popen(  # noqa: S603 -- our own programs
            [program.runner, *program.arguments],
            cwd=program.folder,
            env={**os.environ, **environment, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(15)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, SIGKILL)
        process.wait()


@contextmanager
def _on(core: int | None) -> Iterator[None]:
    """Put what is started in the block on a core, with all its threads from the first on."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, before if core is None else {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _listening(program: Program, process: "subprocess.Popen[bytes]", logs: Path) -> Running:
    log = logs / f"{program.name}.log"
    waited(lambda: process.poll() is not None or bool(_said(log)), _START_SECONDS)
    found = _said(log)
    if found is None:
        raise ServerFailed(f"{program.name} did not start:\n{log.read_text()[-4000:]}")
    return Running(program.name, process.pid, int(found[1]))


def _said(log: Path) -> "re.Match[str] | None":
    return _SERVING.search(log.read_text(encoding="utf-8", errors="replace"))


def cores() -> tuple[int, int] | None:
    """Return the core of the servers, and that of all else; None where there is one core."""
    allowed = sorted(_ALLOWED)
    return (allowed[0], allowed[1]) if len(allowed) > 1 else None
