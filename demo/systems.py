"""
The stand-in department systems: built once for a seed and a number of residents, started, stopped.

What is built is described beside it, last of all; without that description it is built again.
"""

import asyncio
import json
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import asdict, dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Final

from rich.progress import Progress

from demo import (
    civil_affairs,
    grid_visits,
    health,
    mariadb,
    population,
    service_platform,
    social_security,
)
from demo.catalogue import CATALOGUE
from demo.loading import Add, filled_mariadb, filled_postgres, filled_sqlite
from demo.mariadb import Mariadb
from demo.postgres import Postgres
from demo.process import started
from demo.province import FEWEST, MOST, province
from demo.service import Service
from demo.stand_ins import STAND_INS
from sources.divisions import DATA

_DATABASES: Final = {
    "population": population.LAYOUT,
    "service_platform": service_platform.LAYOUT,
    "health": health.LAYOUT,
}


@dataclass(frozen=True, slots=True)
class Build:
    """What makes two builds the same data; `engine` is the civil affairs system's."""

    residents: int
    seed: int
    engine: str
    generator: str


@dataclass(frozen=True, slots=True)
class Running:
    """Where a system is and which process it runs in; a file has none."""

    pid: int | None
    address: str


def build(state: Path, residents: int, seed: int, progress: Progress) -> None:
    """
    Make the systems' data in the directory, unless exactly that is there already.

    Raises: ValueError for too few or too many residents; ServerFailed when a server does not start.
    """
    if not FEWEST <= residents <= MOST:
        raise ValueError(f"residents: {FEWEST} to {MOST}, not {residents}")
    wanted = Build(residents, seed, _engine(), _generator())
    if built(state) == wanted:
        return
    state.mkdir(parents=True, exist_ok=True)
    _description(state).unlink(missing_ok=True)
    servers = _Servers.start(state)
    try:
        asyncio.run(_load(servers.filled(state), wanted, progress))
    finally:
        servers.stop()
    _describe(state, wanted)


def built(state: Path) -> Build | None:
    """Return what the directory holds; None where nothing was built to its end."""
    try:
        return Build(**json.loads(_description(state).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def start(state: Path) -> "Systems":
    """
    Start the systems of a directory that was built; nothing of them outlives this process.

    Raises: FileNotFoundError when nothing is built there; ServerFailed when one does not start.
    """
    if built(state) is None:
        raise FileNotFoundError(f"{state}: nothing is built here")
    programs = [stand_in.program(state) for stand_in in STAND_INS]
    servers = _Servers.start(state)
    try:
        services = started([partial(Service.start, state, program) for program in programs])
    except BaseException:
        servers.stop()
        raise
    return Systems(state, servers, {service.program.name: service for service in services})


class Systems:
    """The running stand-ins, and the ${NAMES} by which mapping files find them."""

    def __init__(self, state: Path, servers: "_Servers", services: dict[str, Service]) -> None:
        self._state = state
        self._servers = servers
        self._services = services

    @property
    def environment(self) -> dict[str, str]:
        """Return the addresses and secrets, by the names the mapping files use."""
        postgres = self._servers.postgres
        environment = {f"{name.upper()}_URL": postgres.url(name) for name in _DATABASES}
        environment |= {
            "SOCIAL_SECURITY_URL": f"sqlite+aiosqlite:///{_social_security(self._state)}",
            "CIVIL_AFFAIRS_URL": self._servers.civil_affairs_url,
            "GRID_VISITS_DIRECTORY": str(_grid_visits(self._state)),
        }
        for service in self._services.values():
            environment |= service.environment
        return environment

    @property
    def processes(self) -> dict[str, Running]:
        """Return where each system runs; addresses without passwords."""
        postgres, civil = self._servers.postgres, self._servers.civil_affairs
        there = f"postgresql://127.0.0.1:{postgres.port}"
        return {
            **{name: Running(postgres.pid, f"{there}/{name}") for name in _DATABASES},
            "social_security": Running(None, str(_social_security(self._state))),
            "civil_affairs": Running(civil.pid, self._servers.civil_affairs_address),
            "grid_visits": Running(None, str(_grid_visits(self._state))),
            **{name: Running(each.pid, each.url) for name, each in self._services.items()},
        }

    def restart(self, name: str) -> None:
        """Start the process of a system again at its address, also after it was killed."""
        if name in self._services:
            service = self._services[name]
            service.stop()
            self._services[name] = Service.start(self._state, service.program, service.port)
        elif name == "civil_affairs" and self._servers.mariadb:
            self._servers = self._servers.with_mariadb_again(self._state)
        else:
            self._servers = self._servers.with_postgres_again(self._state)

    def stop(self) -> None:
        """Stop everything; may be called again."""
        for service in self._services.values():
            service.stop()
        self._servers.stop()


@dataclass(frozen=True, slots=True)
class _Servers:
    postgres: Postgres
    mariadb: Mariadb | None

    @classmethod
    def start(cls, state: Path) -> "_Servers":
        postgres = Postgres.start(state / "postgres")
        try:
            return cls(postgres, Mariadb.start(state / "mariadb"))
        except BaseException:
            postgres.stop()
            raise

    def with_postgres_again(self, state: Path) -> "_Servers":
        self.postgres.stop()
        return replace(self, postgres=Postgres.start(state / "postgres", self.postgres.port))

    def with_mariadb_again(self, state: Path) -> "_Servers":
        assert self.mariadb is not None  # noqa: S101 -- the caller looked
        self.mariadb.stop()
        return replace(self, mariadb=Mariadb.start(state / "mariadb", self.mariadb.port))

    @property
    def civil_affairs(self) -> Postgres | Mariadb:
        return self.mariadb or self.postgres

    @property
    def civil_affairs_url(self) -> str:
        return self.civil_affairs.url(civil_affairs.SCHEMA if self.mariadb else "population")

    @property
    def civil_affairs_address(self) -> str:
        kind = "mariadb" if self.mariadb else "postgresql"
        return f"{kind}://127.0.0.1:{self.civil_affairs.port}/{civil_affairs.SCHEMA}"

    def stop(self) -> None:
        if self.mariadb:
            self.mariadb.stop()
        self.postgres.stop()

    def filled(self, state: Path) -> list[AbstractAsyncContextManager[Add]]:
        for database in _DATABASES:
            self.postgres.create_database(database)
        return [
            *(filled_postgres(self.postgres.url(name), each) for name, each in _DATABASES.items()),
            filled_sqlite(_social_security(state), social_security.LAYOUT),
            *(filled_sqlite(each.file(state), each.layout) for each in STAND_INS),
            grid_visits.dropped(_grid_visits(state)),
            self._filled_civil_affairs(),
        ]

    def _filled_civil_affairs(self) -> AbstractAsyncContextManager[Add]:
        if self.mariadb:
            return filled_mariadb(self.civil_affairs_url, civil_affairs.layout("datetime"))
        layout = civil_affairs.layout("timestamp")
        return filled_postgres(self.civil_affairs_url, layout, civil_affairs.SCHEMA)


async def _load(
    systems: list[AbstractAsyncContextManager[Add]], wanted: Build, progress: Progress
) -> None:
    task = progress.add_task("生成数据", total=wanted.residents)
    async with AsyncExitStack() as stack:
        adders = [await stack.enter_async_context(system) for system in systems]
        for records in province(wanted.residents, wanted.seed):
            for add in adders:
                await add(records)
            progress.advance(task, len(records.people))
        progress.update(task, description="建立索引")


def _engine() -> str:
    return "mariadb" if mariadb.program() else "postgresql"


def _generator() -> str:
    """Return a digest of everything but seed and number that the data depends on."""
    digest = sha256()
    for folder, pattern in (
        (Path(__file__).parent, "*.py"),
        (CATALOGUE, "*.toml"),
        (DATA, "*.csv"),
    ):
        for path in sorted(folder.glob(pattern)):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _describe(state: Path, build: Build) -> None:
    fresh = state / "built.new"
    fresh.write_text(json.dumps(asdict(build)), encoding="utf-8")
    fresh.rename(_description(state))


def _description(state: Path) -> Path:
    return state / "built.json"


def _social_security(state: Path) -> Path:
    return state.absolute() / "social_security.sqlite"


def _grid_visits(state: Path) -> Path:
    return state.absolute() / "grid_visits"
