"""Systems that change after they were mapped: what is noticed, and by how small a question."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from graphql import build_schema
from sqlalchemy.ext.asyncio import create_async_engine

from contract.read import ForEach
from demo.mariadb import Mariadb
from demo.postgres import Postgres
from sources.assembly import Guarded, open_source
from sources.declaration import Budget, Department, MappedEntity
from sources.drift import Change, Drift, DriftState, Finding, drift, keys_among
from sources.guard import Guard
from tests.loopback import Received, Reply, json_reply, serving
from tests.sources import rest_world, world
from tests.sources.graphql_service import SDL, Service
from tests.sources.graphql_service import department as enrolments

AT = datetime(2026, 11, 23, tzinfo=UTC)
FINE = Drift(DriftState.OK, AT)
UNKNOWN = Drift(DriftState.UNKNOWN, AT)


def drifted(entity: str, **natives: Finding) -> Drift:
    changes = tuple(Change(entity, native, finding) for native, finding in natives.items())
    return Drift(DriftState.DRIFTED, AT, changes)


async def no_keys(_: MappedEntity) -> ForEach | None:
    return None


async def one_key(_: MappedEntity) -> ForEach | None:
    return ForEach(("number",), (("P00",),))


@asynccontextmanager
async def opened(department: Department) -> AsyncIterator[Guarded]:
    source = open_source(department)
    yield Guarded(source, Guard(source, department.budget))
    await source.aclose()


async def looked_at(department: Department) -> Drift:
    async with opened(department) as guarded:
        return await drift(department, guarded, no_keys, AT)


@pytest.mark.parametrize("engine", ["sqlite", "postgres", "mariadb"])
async def test_a_table_that_changes_is_noticed(
    engine: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = await _made(engine, request, tmp_path)
    department = world.department(url)

    before = await looked_at(department)
    await _run(url, "ALTER TABLE visit RENAME COLUMN purpose TO reason")
    renamed = await looked_at(department)
    await _run(url, "ALTER TABLE visit ADD COLUMN purpose INTEGER")
    retyped = await looked_at(department)
    await _run(url, "DROP TABLE visit")
    dropped = await looked_at(department)

    typeless = engine == "sqlite"  # its columns hold anything
    gone = ("number", "personnumber", "purpose")
    assert before == FINE
    assert renamed == drifted("Visit", purpose=Finding.MISSING)
    assert retyped == (FINE if typeless else drifted("Visit", purpose=Finding.CHANGED))
    assert dropped == drifted("Visit", **dict.fromkeys(gone, Finding.MISSING))


async def _made(engine: str, request: pytest.FixtureRequest, folder: Path) -> str:
    if engine == "sqlite":
        path = folder / "world.db"
        url = f"sqlite+aiosqlite:///{path}"
        path.touch()
    else:
        server: Postgres | Mariadb = request.getfixturevalue(engine)
        server.create_database("drifting")
        url = server.url("drifting")
    for statement in world.definitions(engine):
        await _run(url, statement)
    return url


async def _run(url: str, statement: str) -> None:
    database = create_async_engine(url)
    async with database.begin() as connection:
        await connection.exec_driver_sql(statement)
    await database.dispose()


async def test_a_system_that_does_not_answer_is_unknown_and_its_circuit_holds(
    tmp_path: Path,
) -> None:
    department = world.department(f"sqlite+aiosqlite:///{tmp_path / 'none.db'}", Budget(failures=1))

    async with opened(department) as guarded:
        first = await drift(department, guarded, no_keys, AT)
        health = guarded.guard.health

    assert first == UNKNOWN
    assert (health.state, health.reads, health.failures) == ("UNAVAILABLE", 2, 2)


def page(rows: list[Mapping[str, object]]) -> Reply:
    return json_reply({"data": {"list": rows, "count": len(rows)}})


def plain() -> list[Mapping[str, object]]:
    return [rest_world.sent(row) for row in world.NATIVE["Person"][:20]]


def without(name: str) -> list[Mapping[str, object]]:
    return [{key: value for key, value in row.items() if key != name} for row in plain()]


@pytest.mark.parametrize(
    ("rows", "seen"),
    [
        (plain(), FINE),
        (without("kind"), drifted("Person", kind=Finding.MISSING)),
        ([*without("kind")[:19], plain()[0]], FINE),
        ([{**row, "age": "many"} for row in plain()], drifted("Person", age=Finding.CHANGED)),
        ([{**plain()[0]}, *({**row, "age": "many"} for row in plain())], FINE),
        ([{**row, "age": None} for row in plain()], FINE),
        ([], UNKNOWN),
    ],
)
async def test_fields_that_no_row_has_and_values_that_nobody_can_read_are_noticed(
    rows: list[Mapping[str, object]], seen: Drift
) -> None:
    async with serving(lambda _: page(rows)) as loopback:
        found = await looked_at(rest_world.department(loopback.url))

        assert found == seen
        assert [asked.parameters for asked in loopback.received] == [{"offset": "0", "limit": "10"}]


async def test_a_system_that_answers_by_key_alone_is_asked_by_a_key_or_not_at_all() -> None:
    def answer(received: Received) -> Reply:
        return page(without("kind"))

    async with serving(answer) as loopback:
        department = rest_world.department(loopback.url)
        mapped = department.entities["Person"]
        assert mapped.endpoint is not None
        by_key = replace(mapped, endpoint=replace(mapped.endpoint, scan=False))
        department = replace(department, entities={"Person": by_key})
        async with opened(department) as guarded:
            unknown = await drift(department, guarded, no_keys, AT)
            unasked = len(loopback.received)
            found = await drift(department, guarded, one_key, AT)

        assert (unknown, unasked) == (UNKNOWN, 0)
        assert found == drifted("Person", kind=Finding.MISSING)
        assert [asked.parameters["numbers"] for asked in loopback.received] == ["P00"]


async def test_a_graphql_service_is_asked_for_its_schema_anew(tmp_path: Path) -> None:
    service = Service()
    async with serving(service) as loopback:
        department = enrolments(tmp_path, loopback.url)
        async with opened(department) as guarded:
            before = await drift(department, guarded, no_keys, AT)
            service.schema = build_schema(
                SDL.replace("certNo: String!,", "certificate: String!,").replace(
                    "balance: Amount", "balance: Person"
                )
            )
            after = await drift(department, guarded, no_keys, AT)
            service.schema = build_schema(SDL.replace("totalCount", "total"))
            elsewhere = await drift(department, guarded, no_keys, AT)

    assert before == FINE
    natives = {"person.certNo": Finding.MISSING, "balance": Finding.CHANGED}
    assert after == drifted("Enrolment", **natives)
    assert elsewhere == drifted("Enrolment", enrolments=Finding.MISSING)
    assert (service.introspections, service.operations) == (3, [])


async def test_keys_come_from_the_system_that_holds_what_a_facet_hangs_from(
    tmp_path: Path,
) -> None:
    url = world.fill_sqlite(tmp_path / "world.db")
    service = enrolments(tmp_path, "http://127.0.0.1:1")
    mapped = service.entities["Enrolment"]
    hangs = replace(mapped.attachments[0], to="Person", on=(("idNumber", "serial"),))
    facet = replace(mapped, attachments=(hangs,))

    async with opened(world.department(url)) as guarded:
        keys = await keys_among([guarded], facet)
        none = await keys_among([], facet)
        absent = await keys_among([guarded], mapped)

    assert keys == ForEach(("idNumber",), (("10",), ("9",), ("-1",), ("0",), ("100",)))
    assert none is absent is None
