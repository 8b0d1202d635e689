"""A township with two systems, a policy and the server over them, whose files may be changed."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from starlette.types import ASGIApp

from auth.principal import Principal
from contract.errors import Unauthenticated
from gateway.graph import Files, OpenGraph
from gateway.living import Living
from server import _edge_of
from web.application import InForce, Settings, create_app

SECRET = b"a secret of the tests, 32 bytes."
CLERK = "320205106"
PRINCIPALS = {
    "clerk": Principal("clerk", ("township_clerk",), (CLERK,), purpose="临时救助"),
    "grid": Principal("grid", ("township_clerk",), (f"{CLERK}001",)),
    "officer": Principal("officer", ("department_officer",), ("32",), "公安"),
    "other": Principal("other", ("department_officer",), ("32",), "民政"),
    "auditor": Principal("auditor", ("auditor",), ("32",)),
    "both": Principal("both", ("township_clerk", "department_officer"), (CLERK, "32"), "公安"),
}
POPULATION = """\
name = "population"
title = "公安人口信息系统"
department = "公安"
kind = "sql"
url = "${POPULATION_URL}"
budget = { timeout = "30s" }

[entity.Resident]
native = "people"

[entity.Resident.fields]
number = { native = "n" }
idNumber = { native = "i" }
name = { native = "x" }
phone = { native = "p" }
residenceDivision = { native = "d" }
"""
AID = """\
name = "aid"
title = "民政救助系统"
department = "民政"
kind = "sql"
url = "${AID_URL}"
budget = { timeout = "30s" }

[entity.Aid]
description = "救助 | Aid"
attach = { to = "Resident", field = "aids", by = { i = "idNumber" } }
native = "aids"
key = ["n"]
subject = "i"

[entity.Aid.fields]
number = { native = "n", description = "编号 | Number" }
idNumber = { native = "i", description = "证号 | Id number" }
kind = { native = "k", description = "种类 | Kind" }
"""
POLICY = """\
[entity.Resident]
own_division = ["residenceDivision"]

[facet]
follows = "subject"

[role.township_clerk]
title = "办事员"
levels = ["township"]
facets = "follows"
sensitivity = { personal = "shown", restricted = "hidden" }

[role.township_clerk.rows]
Resident = "own_division"

[role.township_clerk.fields]
"Resident.name" = "shown"
"Resident.phone" = "mobile"

[role.department_officer]
title = "部门工作人员"
levels = ["province"]
operations = "own_department"
usage = "own_department"

[role.auditor]
title = "审计人员"
levels = ["province"]
operations = "everyone"
"""
OTHER_POLICY = POLICY.replace('"Resident.name" = "shown"', '"Resident.name" = "name"').replace(
    '"Resident.phone" = "mobile"', '"Resident.phone" = "shown"'
)
ASKED = "{ residents { nodes { name phone } } }"
SEEN = {"name": "王小明", "phone": "138****0001"}
SEEN_OTHERWISE = {"name": "王**", "phone": "13800000001"}


@dataclass
class Town:
    """The files, the server over them, and what was put in force since."""

    folder: Path
    living: Living[ASGIApp]
    http: httpx.AsyncClient
    renewed: asyncio.Event

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        beside = path.with_suffix(".new")
        beside.write_text(text, "utf-8")
        beside.rename(path)

    async def ask(self, account: str, query: str, **variables: object) -> Any:
        answer = await self.http.post(
            "/graphql",
            json={"query": query, "variables": variables},
            headers={"authorization": account},
        )
        return answer.json()

    async def data(self, account: str, query: str, **variables: object) -> Any:
        answer = await self.ask(account, query, **variables)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    async def ready(self) -> Any:
        return (await self.http.get("/readyz")).json()


def files_of(folder: Path) -> tuple[Files, dict[str, str]]:
    """Write the files and the databases; return where they are."""
    departments = folder / "departments"
    departments.mkdir()
    (departments / "population.toml").write_text(POPULATION, "utf-8")
    (departments / "aid.toml").write_text(AID, "utf-8")
    (folder / "policy.toml").write_text(POLICY, "utf-8")
    script(
        folder / "population.db",
        "CREATE TABLE people (n TEXT NOT NULL, i TEXT NOT NULL, x TEXT, p TEXT, d TEXT);"
        "INSERT INTO people VALUES"
        " ('1', '11010519491231002X', '王小明', '13800000001', '320205106000')",
    )
    script(
        folder / "aid.db",
        "CREATE TABLE aids (n TEXT NOT NULL, i TEXT NOT NULL, k TEXT);"
        "INSERT INTO aids VALUES ('A1', '11010519491231002X', '临时救助')",
    )
    environment = {
        "POPULATION_URL": f"sqlite+aiosqlite:///{folder / 'population.db'}",
        "AID_URL": f"sqlite+aiosqlite:///{folder / 'aid.db'}",
    }
    return Files(departments, folder / "policy.toml"), environment


@asynccontextmanager
async def town(folder: Path, **addresses: str) -> AsyncIterator[Town]:
    """Serve the township as long as the block."""
    files, environment = files_of(folder)
    environment |= addresses
    renewed = asyncio.Event()

    def serve(graph: OpenGraph) -> ASGIApp:
        renewed.set()
        return application(graph)

    living = Living(files, environment, SECRET, serve)
    renewed.clear()
    transport = httpx.ASGITransport(InForce(living.serving))
    http = httpx.AsyncClient(transport=transport, base_url="http://town", timeout=30)
    async with aclosing(living), http:
        yield Town(folder, living, http, renewed)


def application(graph: OpenGraph) -> ASGIApp:
    edge = _edge_of(graph)
    settings = Settings(
        limits=edge.limits, health=edge.health, reasons=edge.reasons, spend=edge.spend
    )
    return create_app(edge.schema, _principal, edge.context_for, settings)


async def _principal(header: str | None) -> Principal:
    if header not in PRINCIPALS:
        raise Unauthenticated
    return PRINCIPALS[header]


def script(path: Path, text: str) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(text)
    connection.close()
