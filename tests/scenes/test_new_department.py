"""Scene: a department joins with one file; its fields answer, and follow their subject."""

import shutil
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]
import pytest
import pytest_asyncio
from graphql import build_schema

from demo import scene
from demo.systems import Systems
from gateway.graph import Files, open_graph
from tests.scenes.desk import CLERK, COUNTY, ELSEWHERE, FILES, NEIGHBOUR, SECRET, Desk

pytestmark = pytest.mark.asyncio(loop_scope="session")

MAPPING = Path(__file__).with_name("disabled_persons.toml")
HEAD = scene.HEAD.id_number
SQL = """
CREATE TABLE cjrz (zh TEXT, sfzh TEXT, dj TEXT, fzrq TEXT, hzcs INTEGER, yx TEXT, jhr TEXT);
CREATE TABLE hlbt (bh TEXT, sfzh TEXT, je INTEGER, ffsj TEXT);
"""
FIELDS = {
    "DisabilityCertificate": {
        "number": "String",
        "idNumber": "String",
        "level": "DisabilityCertificateLevel",
        "issuedOn": "Date",
        "renewals": "Int",
        "isValid": "Boolean",
        "guardian": "String",
    },
    "CareSubsidy": {
        "number": "String",
        "idNumber": "String",
        "amount": "Decimal",
        "paidAt": "DateTime",
    },
}
OPEN = """
query Open($idNumber: String!) {
  resident(idNumber: $idNumber) {
    name
    disabilityCertificates { number level issuedOn renewals isValid }
    careSubsidies(orderBy: [{number: ASC}]) { number amount paidAt }
  }
}
"""
RESTRICTED = """
query Restricted($idNumber: String!) {
  resident(idNumber: $idNumber) {
    disabilityCertificates { number guardian }
    careSubsidies(first: 1) { idNumber amount }
  }
}
"""
FOUND = """
{ residents(where: {disabilityCertificates: {level: {eq: FIRST}}}) {
    totalCount nodes { name careSubsidies { amount } }
} }
"""


async def a_neighbour(province: Systems) -> tuple[str, str]:
    url = province.environment["POPULATION_URL"].replace("+asyncpg", "")
    connection = await asyncpg.connect(url)
    try:
        row = await connection.fetchrow(
            "SELECT gmsfhm, xm FROM ck_rk WHERE jzdxzqh LIKE $1 AND hjdxzqh LIKE $1 ORDER BY rybh",
            "320205107%",
        )
    finally:
        await connection.close()
    return row["gmsfhm"], row["xm"].rstrip()


def fill(file: Path, neighbour: str) -> None:
    certificates = [
        ("C1", HEAD, "1", "20190312", 2, "Y", "尤建明"),
        ("C2", neighbour, "1", "20200101", 0, "N", None),
        ("C3", scene.SON.id_number, "2", "20210101", 1, "Y", None),
    ]
    subsidies = [
        ("S1", HEAD, 12050, "2026-09-01 08:30:00"),
        ("S2", HEAD, 12050, "2026-10-01 08:30:00"),
        ("S3", neighbour, 999, None),
    ]
    connection = sqlite3.connect(file)
    connection.executescript(SQL)
    connection.executemany("INSERT INTO cjrz VALUES (?, ?, ?, ?, ?, ?, ?)", certificates)
    connection.executemany("INSERT INTO hlbt VALUES (?, ?, ?, ?)", subsidies)
    connection.commit()
    connection.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def neighbour(province: Systems) -> tuple[str, str]:
    return await a_neighbour(province)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def joined(
    province: Systems, neighbour: tuple[str, str], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Desk]:
    folder = tmp_path_factory.mktemp("joined")
    fill(folder / "disabled.sqlite", neighbour[0])
    departments = folder / "departments"
    shutil.copytree(FILES.departments, departments)
    shutil.copy(MAPPING, departments)
    url = f"sqlite+aiosqlite:///{folder / 'disabled.sqlite'}"
    environment = {**province.environment, "DISABLED_PERSONS_URL": url}
    files = Files(departments, FILES.policy)
    async with Desk(open_graph(files, environment, SECRET)) as opened:
        yield opened


async def test_its_types_stand_in_the_schema(joined: Desk) -> None:
    types: dict[str, Any] = dict(build_schema(joined.graph.schema.as_str()).type_map)

    printed = {
        name: {field: str(told.type) for field, told in types[name].fields.items()}
        for name in FIELDS
    }
    assert printed == FIELDS
    assert list(types["DisabilityCertificateLevel"].values) == ["FIRST", "SECOND", "UNKNOWN"]
    resident = types["Resident"].fields
    assert str(resident["disabilityCertificates"].type) == "[DisabilityCertificate!]"
    assert str(resident["careSubsidies"].type) == "[CareSubsidy!]"


async def test_its_fields_answer_in_their_types(joined: Desk) -> None:
    answer = await joined.ask(CLERK, OPEN, idNumber=HEAD)

    assert answer.data == {
        "resident": {
            "name": "华桂英",
            "disabilityCertificates": [
                {
                    "number": "C1",
                    "level": "FIRST",
                    "issuedOn": "2019-03-12",
                    "renewals": 2,
                    "isValid": True,
                }
            ],
            "careSubsidies": [
                {"number": "S1", "amount": "120.50", "paidAt": "2026-09-01T00:30:00+00:00"},
                {"number": "S2", "amount": "120.50", "paidAt": "2026-10-01T00:30:00+00:00"},
            ],
        }
    }


@pytest.mark.parametrize(
    "account", [NEIGHBOUR, ELSEWHERE, "auditor", "officer-civil_affairs", "grid-320205107202"]
)
async def test_who_does_not_see_the_person_sees_nothing_of_it_and_it_is_not_asked(
    joined: Desk, account: str
) -> None:
    answer = await joined.ask(account, OPEN, idNumber=HEAD)

    assert answer.data == {"resident": None}
    assert "disabled_persons" not in {call.source for call in answer.calls}


async def test_a_restricted_field_is_null_with_an_error_at_its_path(joined: Desk) -> None:
    answer = await joined.ask(CLERK, RESTRICTED, idNumber=HEAD)

    assert answer.body["data"] == {
        "resident": {
            "disabilityCertificates": [{"number": "C1", "guardian": None}],
            "careSubsidies": [{"idNumber": None, "amount": "120.50"}],
        }
    }
    assert answer.errors == [
        ("FORBIDDEN", ["resident", "careSubsidies", 0, "idNumber"]),
        ("FORBIDDEN", ["resident", "disabilityCertificates", 0, "guardian"]),
    ]


async def test_each_finds_their_own_people_through_the_facet(
    joined: Desk, neighbour: tuple[str, str]
) -> None:
    head = {"name": "华桂英", "careSubsidies": [{"amount": "120.50"}, {"amount": "120.50"}]}
    other = {"name": neighbour[1], "careSubsidies": [{"amount": "9.99"}]}

    answers = {account: await joined.ask(account, FOUND) for account in (CLERK, NEIGHBOUR, COUNTY)}

    assert answers[CLERK].data == {"residents": {"totalCount": 1, "nodes": [head]}}
    assert answers[NEIGHBOUR].data == {"residents": {"totalCount": 1, "nodes": [other]}}
    county = answers[COUNTY].data["residents"]
    assert county["totalCount"] == 2
    assert sorted(county["nodes"], key=lambda node: node["name"] != "华桂英") == [head, other]


async def test_nobody_filters_by_what_is_restricted(joined: Desk) -> None:
    query = (
        '{ residents(where: {disabilityCertificates: {guardian: {eq: "尤建明"}}}) { totalCount } }'
    )

    answer = await joined.ask(CLERK, query)

    assert answer.body["data"] == {"residents": {"totalCount": None}}
    assert answer.errors == [("FORBIDDEN", ["residents", "totalCount"])]
    assert answer.calls == []
