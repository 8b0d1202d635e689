"""A stand-in service in a process of its own: a script that listens on a port of loopback."""

import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from demo.process import Process, free_port, kept_secret


@dataclass(frozen=True, slots=True)
class Program:
    """
    What runs as a service: a script, called with `arguments PORT SECRET-FILE PID-FILE`.

    `proof`: what the system calls its secret, for the name under which it is told.
    """

    name: str
    script: Path
    arguments: tuple[str, ...]
    proof: str = "SECRET"


class Service:
    """The running script; `port` and `pid` are what an operator would look for."""

    def __init__(self, program: Program, process: Process, port: int) -> None:
        self.program = program
        self.port = port
        self._process = process
        self.secret = kept_secret(self._secret_file)

    @classmethod
    def start(cls, state: Path, program: Program, port: int | None = None) -> "Service":
        """Return the running service; blocks until it answers."""
        process = Process((state / program.name).absolute())
        try:
            service = cls(program, process, port or free_port())
            service._run()
        except BaseException:
            process.stop()
            raise
        return service

    @property
    def url(self) -> str:
        """Return the service's address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Return the process id of the service itself."""
        return int(self._pid_file.read_text())

    @property
    def environment(self) -> dict[str, str]:
        """Return address and secret by the names that mapping files use."""
        name = self.program.name.upper()
        return {f"{name}_URL": self.url, f"{name}_{self.program.proof}": self.secret}

    def stop(self) -> None:
        """Stop the service; may be called again."""
        self._process.stop()

    @property
    def _secret_file(self) -> Path:
        return self._process.directory / self.program.proof.lower()

    @property
    def _pid_file(self) -> Path:
        return self._process.directory / "pid"

    def _run(self) -> None:
        # -P: the script's folder is full of our own modules, and it needs none of them.
        program = [sys.executable, "-P", str(self.program.script), *self.program.arguments]
        command = [*program, str(self.port), str(self._secret_file), str(self._pid_file)]
        self._process.start("SIGTERM", command, self._answers)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=0.2):
                return True
        except OSError:
            return False
