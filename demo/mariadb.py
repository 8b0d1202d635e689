"""A MariaDB server for the demo and the tests, where `mariadbd` is installed; loopback only."""

import os
import shutil
import socket
from pathlib import Path
from signal import SIGTERM
from typing import Final

from sqlalchemy.ext.asyncio import create_async_engine

from demo.process import (
    Process,
    ServerFailed,
    finished,
    free_port,
    kept_secret,
    run,
    stop_stale,
)

_USER: Final = "township"
_PLACES: Final = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))
_SETTINGS: Final = {
    "bind-address": "127.0.0.1",
    "socket": "",
    "character-set-server": "utf8mb4",
    "collation-server": "utf8mb4_nopad_bin",
    "default-time-zone": "+00:00",
    "innodb-flush-log-at-trx-commit": "0",
    "innodb-doublewrite": "0",
    "max-connections": "200",
}


class Mariadb:
    """One running server; `port` and `pid` are what an operator would look for."""

    def __init__(self, process: Process, port: int, password: str) -> None:
        self._process = process
        self._password = password
        self.port = port

    @classmethod
    def start(cls, directory: Path, port: int | None = None) -> "Mariadb | None":
        """Return the server of the directory, None where `mariadbd` is not installed; blocks."""
        if program() is None:
            return None
        process = Process(directory.absolute())
        try:
            server = cls(process, port or free_port(), kept_secret(process.directory / "password"))
            server._run()
        except BaseException:
            process.stop()
            raise
        return server

    @property
    def pid(self) -> int:
        """Return the process id of the server itself."""
        return int(self._pid_file.read_text())

    def url(self, database: str) -> str:
        """Return the address of a database for SQLAlchemy."""
        address = f"{_USER}:{self._password}@127.0.0.1:{self.port}"
        return f"mysql+asyncmy://{address}/{database}?charset=utf8mb4"

    def create_database(self, name: str) -> None:
        """Create a database where there is none of that name."""
        finished(self._create(name))

    def stop(self) -> None:
        """Stop the server; may be called again."""
        self._process.stop()

    @property
    def _data(self) -> Path:
        return self._process.directory / "data"

    @property
    def _pid_file(self) -> Path:
        return self._process.directory / "pid"

    def _run(self) -> None:
        if not (self._data / "mysql").exists():
            self._initialise()
        stop_stale(self._pid_file, str(self._data), SIGTERM)
        settings = [f"--{name}={value}" for name, value in _SETTINGS.items()]
        files = [f"--pid-file={self._pid_file}", f"--init-file={self._start_file()}"]
        command = [
            str(program()),
            "--no-defaults",
            *_as_root(),
            "--skip-name-resolve",
            "--skip-log-bin",
            f"--port={self.port}",
            *settings,
            *files,
            f"--datadir={self._data}",
            self._temporary(),
        ]
        self._process.start("SIGTERM", command, self._is_ready)

    def _initialise(self) -> None:
        # Into a directory beside it: what a killed initialisation leaves is not taken for a server.
        fresh = self._process.directory / f"new-{os.getpid()}"
        installer = shutil.which("mariadb-install-db", path=_PLACES) or "mariadb-install-db"
        options = ["--no-defaults", *_as_root(), "--skip-test-db", "--skip-name-resolve"]
        fast = ["--innodb-flush-log-at-trx-commit=0", "--innodb-log-file-size=16M"]
        made = run([installer, *options, *fast, self._temporary(), f"--datadir={fresh}"])
        if made.returncode:
            raise ServerFailed(f"mariadb-install-db failed:\n{made.stdout}")
        fresh.rename(self._data)

    def _temporary(self) -> str:
        # Of its own: a server that starts deletes all temporary tables it finds, others' too.
        directory = self._process.directory / "temporary"
        directory.mkdir(exist_ok=True)
        return f"--tmpdir={directory}"

    def _start_file(self) -> Path:
        file = self._process.directory / "start.sql"
        file.touch(mode=0o600)
        account = f"'{_USER}'@'127.0.0.1'"
        file.write_text(
            f"CREATE OR REPLACE USER {account} IDENTIFIED BY '{self._password}';\n"
            f"GRANT ALL PRIVILEGES ON *.* TO {account} WITH GRANT OPTION;\n"
        )
        return file

    def _is_ready(self) -> bool:
        # The port is open long before anybody is served; the greeting comes when it is.
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=0.2) as probe:
                return bool(probe.recv(1)) and self._pid_file.exists()
        except OSError:
            return False

    async def _create(self, name: str) -> None:
        engine = create_async_engine(self.url("mysql"), isolation_level="AUTOCOMMIT")
        async with engine.connect() as connection:
            found = (await connection.exec_driver_sql("SHOW DATABASES")).scalars().all()
            if name not in found:
                quoted = name.replace("`", "``")
                await connection.exec_driver_sql(f"CREATE DATABASE `{quoted}`")
        await engine.dispose()


def program() -> str | None:
    """Return where the server is installed."""
    return shutil.which("mariadbd", path=_PLACES)


def _as_root() -> tuple[str, ...]:
    return ("--user=root",) if os.geteuid() == 0 else ()
