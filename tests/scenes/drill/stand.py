"""One system of the drill: a graph where it alone is tight, behind what can be made faulty."""

import re
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import asyncpg  # type: ignore[import-untyped]
from sqlalchemy import make_url

from demo import scene
from demo.systems import Systems
from gateway.graph import Files, open_graph
from schema.graph import core_entities
from sources.mapping import load_departments
from tests.loopback import serving
from tests.scenes.desk import CLERK, FILES, SECRET, Answer, Desk
from tests.scenes.drill import sql_faults
from tests.scenes.drill.databases import MariadbDatabase, PostgresDatabase, SqliteDatabase
from tests.scenes.drill.http_proxy import Proxied
from tests.scenes.drill.sql_faults import TABLES, Database, Table
from tests.scenes.drill.systems import QUESTION, System, question
from tests.scenes.drill.tcp_faults import Wire, wired

_STRANGERS: Final = 15
_WHOSE: Final = {
    "medical_insurance": ("psn_insu", "certno"),
    "housing_fund": ("GRZHXX", "ZJHM"),
    "tax": ("SBF_JFXX", "SFZJHM"),
    "water": ("accounts", "hh_no"),
    "electricity": ("accounts", "hh_no"),
    "gas": ("accounts", "hh_no"),
    "low_income_platform": ("person", "certificate_no"),
}
_LIMITS: Final = (
    'timeout = "200ms", pause = "500ms", failures = 3, concurrency = 8, rows = 1000,'
    ' bytes = "256KiB"'
)


@dataclass(slots=True)
class Stand:
    """A system, what can be done to it, and the right answers to what is asked."""

    system: System
    desk: Desk
    place: "Proxied | Wired | Path"
    well: Any
    well_alone: Any

    @property
    def proxied(self) -> Proxied:
        assert isinstance(self.place, Proxied)
        return self.place

    @property
    def wire(self) -> Wire:
        assert isinstance(self.place, Wired)
        return self.place.wire

    @property
    def path(self) -> Path:
        assert isinstance(self.place, Path)
        return self.place

    @property
    def database(self) -> Database:
        if isinstance(self.place, Path):
            return SqliteDatabase(self.place)
        assert isinstance(self.place, Wired)
        return self.place.database

    @property
    def table(self) -> Table:
        return TABLES[self.system.name]

    async def ask(self) -> Answer:
        """Ask the question of the drill."""
        return await self.desk.ask(CLERK, QUESTION)

    async def ask_alone(self) -> Answer:
        """Ask what this system knows, and nothing of the others."""
        return await self.desk.ask(CLERK, question(self.system.name))


@dataclass(frozen=True, slots=True)
class Wired:
    """A database and the line to it."""

    wire: Wire
    database: Database


@asynccontextmanager
async def opened(
    province: Systems, patient: Desk, system: System, folder: Path
) -> AsyncIterator[Stand]:
    """Put a system behind what can be faulty and open a graph over all of them."""
    files = Files(_departments(folder, system), FILES.policy)
    environment = province.environment
    async with AsyncExitStack() as stack:
        if system.kind in ("rest", "graphql"):
            place: Proxied | Wired | Path
            place, url = await _proxied(stack, province, system, files)
            environment[f"{system.name.upper()}_URL"] = url
        elif system.kind in ("postgresql", "mariadb"):
            place = await _wired(stack, system, environment)
        else:
            place = await _copied(system, folder, environment)
        desk = Desk(open_graph(files, environment, SECRET))
        await stack.enter_async_context(desk)
        well = [(await patient.ask(CLERK, text)).data for text in (QUESTION, question(system.name))]
        yield Stand(system, desk, place, *well)


async def _proxied(
    stack: AsyncExitStack, province: Systems, system: System, files: Files
) -> tuple[Proxied, str]:
    environment = province.environment
    departments = load_departments(files.departments, core_entities(), environment)
    department = next(each for each in departments if each.name == system.name)
    port = urlsplit(department.url).port
    assert port is not None
    strangers = await _strangers(province, system.name)
    there = Proxied(department, department.entities[system.entity], port, strangers)
    loopback = await stack.enter_async_context(serving(there))
    return there, loopback.url


async def _wired(stack: AsyncExitStack, system: System, environment: dict[str, str]) -> Wired:
    name = f"{system.name.upper()}_URL"
    url = make_url(environment[name])
    assert url.port is not None
    wire = await stack.enter_async_context(wired(url.port))
    own = url.render_as_string(hide_password=False)
    environment[name] = url.set(port=wire.port).render_as_string(hide_password=False)
    database: Database = MariadbDatabase(own)
    if url.get_backend_name() == "postgresql":
        database = PostgresDatabase(own.replace("+asyncpg", ""))
    await sql_faults.build(database, TABLES[system.name])
    return Wired(wire, database)


async def _copied(system: System, folder: Path, environment: dict[str, str]) -> Path:
    if system.kind == "file":
        own = Path(environment["GRID_VISITS_DIRECTORY"])
        shutil.copytree(own, folder / own.name)
        environment["GRID_VISITS_DIRECTORY"] = str(folder / own.name)
        return folder / own.name
    name = f"{system.name.upper()}_URL"
    own = Path(make_url(environment[name]).database or "")
    shutil.copy(own, folder / own.name)
    environment[name] = f"sqlite+aiosqlite:///{folder / own.name}"
    await sql_faults.build(SqliteDatabase(folder / own.name), TABLES[system.name])
    return folder / own.name


async def _strangers(province: Systems, name: str) -> tuple[str, ...]:
    """Return keys of which the system has rows and the caller may see none."""
    if name not in _WHOSE:
        return ()
    connection = await asyncpg.connect(
        province.environment["POPULATION_URL"].replace("+asyncpg", "")
    )
    ours = await connection.fetch(
        "SELECT upper(gmsfhm), hh FROM ck_rk WHERE jzdxzqh LIKE $1 OR hjdxzqh LIKE $1",
        f"{scene.TOWNSHIP}%",
    )
    await connection.close()
    known = {word for row in ours for word in row}
    table, column = _WHOSE[name]
    with closing(sqlite3.connect(province._state / f"{name}.sqlite")) as file:
        there = file.execute(f"SELECT DISTINCT {column} FROM {table} ORDER BY 1 DESC").fetchall()  # noqa: S608 -- our own
    others = [key for (key,) in there if key.upper() not in known]
    return tuple(others[:_STRANGERS])


def _departments(folder: Path, system: System) -> Path:
    """Return a copy of the mapping files in which one system is tight and asks what may change."""
    departments = folder / "departments"
    shutil.copytree(FILES.departments, departments)
    for file in departments.glob("*.toml"):
        text = file.read_text("utf-8")
        tight = file.stem == system.name
        file.write_text(_tight(text, system) if tight else _patient(text), "utf-8")
    return departments


def _patient(text: str) -> str:
    return re.sub(r'timeout = "[^"]+"', 'timeout = "10s"', text)


def _tight(text: str, system: System) -> str:
    text = re.sub(r"budget = \{[^}]*\}", f"budget = {{ {_LIMITS} }}", text)
    text = re.sub(r'refresh = "[^"]+"', 'refresh = "100ms"', text)
    if system.size:
        text = re.sub(r"\bsize = \d+", f"size = {system.size}", text)
    table = TABLES.get(system.name)
    if table is not None:
        text = text.replace(f'native = "{table.name}"', f'native = "{table.view}"')
    return text
