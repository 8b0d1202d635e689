"""A server process that never outlives the demo, in a directory that only one demo uses at once."""

import asyncio
import fcntl
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Protocol, TypeVar

_KEEPER: Final = Path(__file__).with_name("keeper.py")
_NOBODY: Final = 65534
_STEP_SECONDS: Final = 0.02
_START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 30.0

Answer = TypeVar("Answer")


class ServerFailed(Exception):
    """A server of the demo did not start; the message names its log."""


@dataclass(frozen=True, slots=True)
class Account:
    """The account a server runs under: what to put before a command, and who owns its files."""

    prefix: tuple[str, ...]
    owner: int


def unprivileged() -> Account:
    """
    Return an account that is not root, as PostgreSQL demands.

    A user namespace keeps the files ours, so that a checkout nobody else may enter works too;
    where namespaces are forbidden the server runs as nobody.
    """
    if os.geteuid() != 0:
        return Account((), os.geteuid())
    namespace = ("unshare", "--user", f"--map-user={_NOBODY}", f"--map-group={_NOBODY}")
    if shutil.which("unshare") and run((*namespace, "true")).returncode == 0:
        return Account(namespace, 0)
    change = ("setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups")
    return Account(change, _NOBODY)


def give(directory: Path, owner: int) -> None:
    """Make the directory and what is in it belong to the owner, where it does not yet."""
    if os.geteuid() != 0 or (directory.stat().st_uid == owner and not _foreign(directory, owner)):
        return
    for path in (directory, *directory.rglob("*")):
        os.chown(path, owner, owner, follow_symlinks=False)


def _foreign(directory: Path, owner: int) -> bool:
    return any(path.lstat().st_uid != owner for path in directory.iterdir())


def run(command: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end and return its outcome and all it said."""
    return subprocess.run(  # noqa: S603 -- our own commands
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def free_port() -> int:
    """Return a loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def kept_secret(file: Path) -> str:
    """Return the secret kept in the file, made when there is none yet; nobody else may read it."""
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_hex(16))
    return file.read_text()


def finished(work: Coroutine[object, object, Answer]) -> Answer:
    """Return what a coroutine returns, also where an event loop already runs."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


class Process:
    """One server under a keeper that stops it when this process ends, however it ends."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.log = directory / "log"
        self._lock = _locked(directory)
        self._keeper: subprocess.Popen[bytes] | None = None

    def start(self, stop: str, command: Sequence[str], ready: Callable[[], bool]) -> None:
        """Start the server and return once it is ready; `stop` is the signal that ends it."""
        with self.log.open("ab") as log:
            self._keeper = subprocess.Popen(  # noqa: S603 -- our own command
                [sys.executable, "-I", "-S", str(_KEEPER), stop, *command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,  # an interrupt at the terminal is the starter's to handle
            )
        if not waited(lambda: ready() or self.ended, _START_SECONDS) or self.ended:
            self.stop()
            raise ServerFailed(f"{command[-1]}: the server did not start, see {self.log}")

    @property
    def ended(self) -> bool:
        """Return whether the server is not running."""
        return self._keeper is None or self._keeper.poll() is not None

    def stop(self) -> None:
        """Stop the server and give the directory free; may be called again."""
        if self._keeper is not None and self._keeper.stdin is not None:
            self._keeper.stdin.close()
            self._keeper.terminate()  # a forked worker of the starter may hold the other end too
            self._keeper.wait(_STOP_SECONDS)
        self._lock.close()


class Stoppable(Protocol):
    """What was started."""

    def stop(self) -> None:
        """Stop it."""


Started = TypeVar("Started", bound=Stoppable)


def started(starts: Sequence[Callable[[], Started]]) -> list[Started]:
    """Start everything at once and return it in order; when one fails, stop all others."""
    with ThreadPoolExecutor(len(starts)) as pool:
        futures = [pool.submit(start) for start in starts]
    failed = [error for future in futures if (error := future.exception())]
    if failed:
        for future in futures:
            if not future.exception():
                future.result().stop()
        raise failed[0]
    return [future.result() for future in futures]


def stop_stale(pid_file: Path, mark: str, stop: signal.Signals) -> None:
    """Stop the server an earlier starter left behind; `mark` is what its command line contains."""
    pid = _pid(pid_file)
    if pid and mark in _command_line(pid):
        os.kill(pid, stop)
        if not waited(lambda: not _command_line(pid), _STOP_SECONDS):
            raise ServerFailed(f"process {pid} of an earlier start does not stop")
    pid_file.unlink(missing_ok=True)


def waited(done: Callable[[], bool], seconds: float) -> bool:
    """Return whether it was done in time."""
    until = time.monotonic() + seconds
    while not done():
        if time.monotonic() > until:
            return False
        time.sleep(_STEP_SECONDS)
    return True


def _locked(directory: Path) -> IO[bytes]:
    lock = (directory / "lock").open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise ServerFailed(f"{directory} is in use by another demo") from None
    return lock


def _pid(pid_file: Path) -> int:
    try:
        word = pid_file.read_text().split("\n", 1)[0].strip()
    except FileNotFoundError:
        return 0
    return int(word) if word.isdigit() else 0


def _command_line(pid: int) -> str:
    """Return the command line of a process that runs; empty where there is none."""
    if not Path("/proc/self/cmdline").exists():
        return run(("ps", "-ww", "-o", "command=", "-p", str(pid))).stdout.strip()
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return ""
    return b" ".join(words).decode(errors="replace")
