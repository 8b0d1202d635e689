# ruff: noqa: S608 -- names are the test's own, values are bound
"""Scene: cases of four systems are one list, while cases come in and while one is silent."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from operator import itemgetter
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from demo.case_keeping import home
from demo.cases import Case
from demo.province import province as records_of
from demo.systems import Systems
from tests.scenes.desk import RESIDENTS, SEED, Answer, Desk
from tests.scenes.faults import killed

pytestmark = pytest.mark.asyncio(loop_scope="session")

LISTED = """
query Accepted($first: Int!, $after: String, $status: CaseStatusFilter) {
  cases(where: {status: $status}, orderBy: [{acceptedAt: DESC}], first: $first, after: $after) {
    totalCount
    pageInfo { hasNextPage endCursor }
    nodes { number acceptedAt }
  }
}
"""
ACCEPTED = {"eq": "ACCEPTED"}
MANY = ("ACCEPTED", "APPROVED", "CLOSED")
HOMES = ("service_platform", "civil_affairs", "social_security", "market_regulation")
PROVINCE = "province-32"
CHINA = ZoneInfo("Asia/Shanghai")
MADE = "99999999"
"""How the numbers begin of cases that come in while pages are read."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """Where one system keeps its cases."""

    table: str
    number: str
    accepted: str
    engine: AsyncEngine

    async def add(self, like: str, number: str, at: datetime) -> None:
        """Add a case like another one, accepted at that moment."""
        names = {"like": like}
        async with self.engine.begin() as connection:
            found = await connection.execute(
                text(f"SELECT * FROM {self.table} WHERE {self.number} = :like"), names
            )
            row = dict(found.mappings().one())
            row |= {self.number: number, self.accepted: native(row[self.accepted], at)}
            columns, values = ", ".join(row), ", ".join(f":{name}" for name in row)
            await connection.execute(
                text(f"INSERT INTO {self.table} ({columns}) VALUES ({values})"), row
            )

    async def tidy(self) -> None:
        """Delete what was added."""
        async with self.engine.begin() as connection:
            wanted = text(f"DELETE FROM {self.table} WHERE {self.number} LIKE '{MADE}%'")
            await connection.execute(wanted)
        await self.engine.dispose()


def native(example: object, at: datetime) -> object:
    """Return a moment as the system writes it."""
    if isinstance(example, int):
        return int(at.timestamp() * 1000)
    local = at.astimezone(CHINA)
    return local.isoformat() if isinstance(example, str) else local.replace(tzinfo=None)


@asynccontextmanager
async def keepings(province: Systems) -> AsyncIterator[Mapping[str, Keeping]]:
    environment = province.environment
    beside = Path(province.processes["social_security"].address).parent
    tables = {
        "service_platform": ("up_pro_accept", "project_no", "accept_date"),
        "civil_affairs": ("civil.axbj", "axbj0001", "axbj0022"),
        "social_security": ("AZ02", "AAZ002", "AAE128"),
        "market_regulation": ("E_CASEINFO", "CASENO", "ACCTIME"),
    }
    urls = {name: environment[f"{name.upper()}_URL"] for name in HOMES[:3]}
    urls["market_regulation"] = f"sqlite+aiosqlite:///{beside / 'market_regulation.sqlite'}"
    found = {name: Keeping(*tables[name], create_async_engine(urls[name])) for name in HOMES}
    try:
        yield found
    finally:
        for keeping in found.values():
            await keeping.tidy()


def cases(*statuses: str) -> list[Case]:
    """Return the cases the province has, in the order asked for."""
    every = chain.from_iterable(records.cases for records in records_of(RESIDENTS, SEED))
    wanted = sorted((c for c in every if c.status in statuses), key=lambda case: case.number)
    known = [(case.accepted_at, case) for case in wanted if case.accepted_at]
    known.sort(key=itemgetter(0), reverse=True)
    return [*(case for _, case in known), *(case for case in wanted if not case.accepted_at)]


async def page(desk: Desk, first: int, after: str | None, status: Mapping[str, object]) -> Answer:
    return await desk.ask(PROVINCE, LISTED, first=first, after=after, status=status)


async def test_four_systems_are_one_list_in_one_order(desk: Desk) -> None:
    expected = cases("ACCEPTED")
    found: list[str] = []
    after, more = None, True
    while more:
        listed = (await page(desk, 7, after, ACCEPTED)).data["cases"]
        found += [node["number"] for node in listed["nodes"]]
        after, more = listed["pageInfo"]["endCursor"], listed["pageInfo"]["hasNextPage"]
        assert listed["totalCount"] == len(expected)

    assert found == [case.number for case in expected]
    assert {home(case) for case in expected} == set(HOMES)


async def test_cases_that_come_in_while_pages_are_read_hide_and_double_nothing(
    desk: Desk, province: Systems
) -> None:
    expected = cases("ACCEPTED")
    likes = {home(case): case.number for case in expected}
    found: list[str] = []
    behind: list[str] = []
    after, more, serial = None, True, 0
    async with keepings(province) as systems:
        while more:
            listed = (await page(desk, 7, after, ACCEPTED)).data["cases"]
            found += [node["number"] for node in listed["nodes"]]
            after, more = listed["pageInfo"]["endCursor"], listed["pageInfo"]["hasNextPage"]
            last = datetime.fromisoformat(listed["nodes"][-1]["acceptedAt"])
            for name, keeping in systems.items() if more and serial < 20 else ():
                serial += 1
                older, newer = f"{MADE}1{serial:08}", f"{MADE}2{serial:08}"
                await keeping.add(likes[name], older, last - timedelta(seconds=1))
                await keeping.add(likes[name], newer, last + timedelta(seconds=1))
                behind.append(older)

    assert [number for number in found if not number.startswith(MADE)] == [
        case.number for case in expected
    ]
    assert sorted(number for number in found if number.startswith(MADE)) == sorted(behind)
    assert len(behind) >= 16


async def test_a_system_that_falls_silent_half_way_is_named_and_the_cursor_still_works(
    desk: Desk, province: Systems
) -> None:
    expected = cases(*MANY)
    wanted = {"in": list(MANY)}
    first = await page(desk, 50, None, wanted)
    cursor = first.data["cases"]["pageInfo"]["endCursor"]
    async with killed(province, "market_regulation"):
        second = await page(desk, 50, cursor, wanted)
    listed = second.body["data"]["cases"]
    third = await page(desk, 50, listed["pageInfo"]["endCursor"], wanted)

    there = [case for case in expected[50:] if home(case) != "market_regulation"]
    assert numbers(first) == [case.number for case in expected[:50]]
    assert numbers(second) == [case.number for case in there[:50]]
    assert listed["totalCount"] is None
    assert second.errors == [("SOURCE_UNAVAILABLE", ["cases", "totalCount"])]
    assert second.lost == {
        "market_regulation": ("UNAVAILABLE", [["cases"], ["cases", "totalCount"]])
    }
    begins = expected.index(there[49]) + 1
    assert numbers(third) == [case.number for case in expected[begins : begins + 50]]
    assert third.data["cases"]["totalCount"] == len(expected)


def numbers(answer: Answer) -> list[str]:
    return [node["number"] for node in answer.body["data"]["cases"]["nodes"]]
