"""An office whose clerk may open people behind the masks: its systems, policy and server."""

import shutil
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.auditing import Keeping, auditing
from gateway.graph import Files, OpenGraph, open_graph
from gateway.revealing import Reveals, revealing
from resolvers.openings import Durations
from server import _edge_of
from tests.gateway.test_auditing import keeping_in, opened_store
from tests.gateway.town import POLICY, SECRET, _principal, files_of, script
from tests.ledgers import raw_bytes
from web.application import Settings, create_app

ROOT = Path(__file__).parents[2]
OWN, AWAY, ABSENT = "11010519491231002X", "110105194912310038", "110105194912310046"
PHONE, AWAY_PHONE = "13800000001", "13900000002"
CLEAR = (OWN, AWAY, PHONE, AWAY_PHONE)
SERVICE = """\
name = "service"
title = "政务服务平台"
department = "数据"
kind = "sql"
url = "${SERVICE_URL}"
budget = { timeout = "30s" }

[entity.Case]
native = "cases"

[entity.Case.fields]
number = { native = "n" }
matterCode = { native = "m" }
applicantIdNumber = { native = "i" }
contactPhone = { native = "p" }
acceptingDivision = { native = "d" }
applicantType = { native = "t", codes = { "1" = "PERSON", "2" = "COMPANY" } }
status = { native = "s", codes = { "1" = "ACCEPTED", "9" = "CLOSED" } }
"""
REVEALING = (
    POLICY.replace(
        "[role.township_clerk.rows]\n",
        '[role.township_clerk.rows]\nCase = "own_division"\n',
    )
    .replace("[facet]", '[entity.Case]\nown_division = ["acceptingDivision"]\n\n[facet]')
    .replace(
        '"Resident.phone" = "mobile"',
        '"Resident.phone" = "mobile"\n"Resident.idNumber" = "citizen_number"\n'
        '"Case.contactPhone" = "mobile"\n"Case.applicantIdNumber" = "citizen_number"\n\n'
        '[role.township_clerk.lookup]\nfields = ["Resident.idNumber"]\n\n'
        '[role.township_clerk.reveal]\ncase = ["Resident.phone", "Case.contactPhone"]\n'
        'emergency = ["Resident.phone"]\nwindow = ["Resident.phone"]',
    )
    .replace('operations = "everyone"', 'operations = "everyone"\nbreak_glass = "own_division"')
)
DATA = f"""
INSERT INTO people VALUES ('2', '{AWAY}', '李远', '{AWAY_PHONE}', '320411107000');
"""  # noqa: S608 -- constants of the test
CASES = f"""
CREATE TABLE cases (n TEXT NOT NULL, m TEXT, i TEXT, p TEXT, d TEXT, t TEXT, s TEXT);
INSERT INTO cases VALUES
  ('20260101000000001', '320000030001', '{OWN}', '{PHONE}', '320205106000', '1', '1'),
  ('20260101000000002', '320000030001', '{OWN}', '{PHONE}', '320205106000', '1', '9'),
  ('20260101000000003', '320000030001', '{OWN}', '{PHONE}', '320411107000', '1', '1'),
  ('20260101000000004', '320000030001', NULL, '{PHONE}', '320205106000', '2', '1');
"""  # noqa: S608 -- constants of the test
CLOSING = "UPDATE cases SET s = '9' WHERE n = '20260101000000001'"
LIVE, CLOSED, INVISIBLE, COMPANY = (f"2026010100000000{number}" for number in range(1, 5))
UNKNOWN = "20260101000000009"
PEOPLE = "{ residents { nodes { name phone idNumber } } }"
MASKED = [{"name": "王小明", "phone": "138****0001", "idNumber": "110***********002X"}]
OPENED = [{"name": "王小明", "phone": PHONE, "idNumber": "110***********002X"}]
GLASS = 'mutation($n: String!) { breakGlass(idNumber: $n, reason: "邻居报警,电话 13812345678")' + (
    " { id purpose openedAt until } }"
)
WINDOW = (
    'mutation($n: String!) { openResident(idNumber: $n, basis: "来窗口办理社保") { id until } }'
)


@dataclass
class Office:
    """A server that keeps openings, its ledger, and a clock that can be moved."""

    http: httpx.AsyncClient
    keeping: Keeping
    store: AsyncEngine
    graph: OpenGraph
    reveals: Reveals
    seconds: float = 1_800_000_000.0

    async def post(self, query: str, account: str = "clerk", **more: Any) -> httpx.Response:
        headers = [("authorization", account), *more.pop("headers", ())]
        body = {"query": query, "variables": more}
        return await self.http.post("/graphql", json=body, headers=headers)

    async def ask(self, query: str, account: str = "clerk", **more: Any) -> Any:
        return (await self.post(query, account, **more)).json()

    async def by_case(self, number: str, query: str = PEOPLE) -> Any:
        return await self.ask(query, headers=[("x-purpose", f"case:{number}")])

    async def people(self) -> Any:
        return (await self.ask(PEOPLE))["data"]["residents"]["nodes"]

    async def records(self) -> list[Any]:
        asked = text("SELECT body FROM ledger ORDER BY sequence")
        async with self.store.connect() as connection:
            return [orjson.loads(body) for (body,) in await connection.execute(asked)]

    def lines(self) -> bytes:
        return raw_bytes(self.keeping.key_file.parent / "own")


def written(folder: Path) -> tuple[Files, dict[str, str]]:
    files, environment = files_of(folder)
    (files.departments / "service.toml").write_text(SERVICE, "utf-8")
    files.matters.mkdir()
    for name in ("element_classes.toml", "civil_affairs.toml"):
        shutil.copy(ROOT / "departments" / "matters" / name, files.matters / name)
    files.policy.write_text(REVEALING, "utf-8")
    script(folder / "population.db", DATA)
    script(folder / "service.db", CASES)
    return files, {**environment, "SERVICE_URL": f"sqlite+aiosqlite:///{folder / 'service.db'}"}


@asynccontextmanager
async def office(folder: Path) -> AsyncIterator[Office]:
    files, environment = written(folder)
    keeping, durations = keeping_in(folder), Durations(fresh=0.0)
    async with (
        opened_store(keeping) as store,
        aclosing(open_graph(files, environment, SECRET)) as graph,
        auditing(store, keeping) as audit,
        revealing(store, keeping, audit.ledger, durations) as reveals,
    ):
        edge = _edge_of(graph, reveal=reveals.given)
        settings = Settings("0", (), edge.limits, edge.health, edge.reasons, audit.keep)
        app = create_app(edge.schema, _principal, edge.context_for, settings)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://town") as http:
            place = Office(http, keeping, store, graph, reveals)
            reveals.openings.clock = lambda: place.seconds
            yield place


def codes(answer: Any) -> list[str]:
    return [error["extensions"]["code"] for error in answer["errors"]]
