"""The SQL source beyond the conformance suite: its statements, its failures, its budget."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import make_url

from contract.errors import SourceFailure, SourceRefused, SourceTimeout, SourceUnavailable
from contract.predicate import (
    TRUE,
    Comparison,
    Exists,
    In,
    Not,
    Operator,
    Predicate,
    StartsWith,
    Within,
    all_of,
)
from contract.read import Aggregate, ForEach, Function, Measure, Order, Read
from demo.mariadb import Mariadb
from demo.postgres import Postgres
from sources.declaration import Budget, Department
from sources.sql import SqlSource
from sources.sql_driver import Natives
from tests.sources import world
from tests.sources.proxy import proxied

EVERY_NUMBER = Read("Person", ("number",), order_by=(Order("number"),))
QUICK = Budget(seconds=0.4, concurrency=2)


@pytest.fixture(scope="session")
def file(tmp_path_factory: pytest.TempPathFactory) -> str:
    return world.fill_sqlite(tmp_path_factory.mktemp("sql") / "world.db")


@pytest.fixture(scope="session", params=["postgres", "mariadb"])
def server(request: pytest.FixtureRequest) -> str:
    running: Postgres | Mariadb = request.getfixturevalue(request.param)
    running.create_database("failures")
    return world.fill_server(running.url("failures"), request.param)


@asynccontextmanager
async def opened(department: Department) -> AsyncIterator[SqlSource]:
    source = SqlSource(department)
    yield source
    await source.aclose()


def asked_of(source: SqlSource) -> list[tuple[str, object]]:
    """Record every statement that its connections get from now on."""
    asked: list[tuple[str, object]] = []
    rows = source.connections.rows

    async def recorded(text: str, operands: Sequence[object]) -> Natives:
        asked.append((text, tuple(operands)))
        return await rows(text, operands)

    source.connections.rows = recorded  # type: ignore[method-assign] # recorded, then done
    return asked


def through(url: str, port: int) -> str:
    return make_url(url).set(port=port).render_as_string(hide_password=False)


async def test_one_shape_is_one_statement_whatever_the_operands(file: str) -> None:
    async with world.database(file) as source:
        asked = asked_of(source)
        for names in (("a", "b", "ab"), ("A", "B", "你", "𠮷"), ("a", "b", "c")):
            where = all_of(In("name", names), Comparison("age", Operator.LT, len(names)))
            await source.read(Read("Person", ("number",), where, limit=len(names)))

    assert {text for text, _ in asked} == {
        "SELECT t1.number FROM person t1 WHERE "
        "(t1.name COLLATE BINARY IN (?, ?, ?, ?) AND t1.age < ?) LIMIT ?"
    }
    assert [operands for _, operands in asked] == [
        ("a", "b", "ab", "ab", 3, 3),
        ("A", "B", "你", "𠮷", 4, 4),
        ("a", "b", "c", "c", 3, 3),
    ]


async def test_statements_of_the_least_used_shapes_are_forgotten(file: str) -> None:
    async with world.database(file) as source:
        source._statements._size = 2
        for fields in (("number",), ("name",), ("age",), ("number",)):
            await source.read(Read("Person", fields))

        kept = list(source._statements._texts.values())

    assert kept == [
        "SELECT t1.age FROM person t1 WHERE 1 = 1 LIMIT ?",
        "SELECT t1.number FROM person t1 WHERE 1 = 1 LIMIT ?",
    ]


TEXTS: dict[str, tuple[str, bool, Read, str]] = {
    "a prefix is a range by code point": (
        "postgresql+asyncpg://h/d",
        False,
        Read("Person", ("number",), StartsWith("name", "王")),
        'SELECT t1.number FROM person t1 WHERE (t1.name COLLATE "C" >= $1 '
        'AND t1.name COLLATE "C" < $2) LIMIT CAST($3 AS BIGINT)',
    ),
    "a division is a range that an index serves": (
        "postgresql+asyncpg://h/d",
        True,
        Read("Person", ("number",), Within("place", "320205")),
        "SELECT t1.number FROM person t1 WHERE ((t1.place >= $1 AND t1.place < $2) "
        "AND t1.place NOT IN ('')) LIMIT CAST($3 AS BIGINT)",
    ),
    "a number beyond the engine's is compared with its greatest": (
        "postgresql+asyncpg://h/d",
        True,
        Read("Person", ("number",), Comparison("age", Operator.LT, 2**63)),
        "SELECT t1.number FROM person t1 WHERE t1.age <= CAST($1 AS BIGINT) "
        "LIMIT CAST($2 AS BIGINT)",
    ),
    "a field that is never null sorts without a null clause": (
        "postgresql+asyncpg://h/d",
        True,
        Read("Person", ("name",), order_by=(Order("name", descending=True), Order("number"))),
        "SELECT t1.name FROM person t1 WHERE 1 = 1 "
        "ORDER BY t1.name DESC NULLS LAST, t1.number LIMIT CAST($1 AS BIGINT)",
    ),
    "each key's first rows come by index": (
        "postgresql+asyncpg://h/d",
        True,
        Read("Visit", ("purpose",), TRUE, (Order("number"),), 5, ForEach(("number",), (("a",),))),
        "SELECT r.c0 FROM (SELECT DISTINCT * FROM (VALUES ($1)) v(k0)) k CROSS JOIN LATERAL "
        "(SELECT t1.purpose AS c0, t1.number AS s0 FROM visit t1 WHERE t1.number = k.k0 "
        "AND 1 = 1 ORDER BY t1.number LIMIT CAST($2 AS BIGINT)) r "
        "ORDER BY r.s0 LIMIT CAST($3 AS BIGINT)",
    ),
    "rows are numbered where there is no lateral": (
        "mysql+asyncmy://h/d",
        True,
        Read("Visit", ("purpose",), TRUE, (), 5, ForEach(("number",), (("a",),))),
        "SELECT r.c0 FROM (SELECT t1.purpose AS c0, ROW_NUMBER() OVER (PARTITION BY t1.number) "
        "AS n FROM visit t1 WHERE t1.number IN (%s) AND 1 = 1) r WHERE r.n <= %s LIMIT %s",
    ),
    "related rows are asked for in place": (
        "mysql+asyncmy://h/d",
        True,
        Read("Person", ("name",), Not(Exists("visits", StartsWith("purpose", "")))),
        "SELECT t1.name FROM person t1 WHERE NOT (EXISTS (SELECT 1 FROM visit t2 "
        "WHERE t2.personnumber = t1.number AND t2.purpose >= %s)) LIMIT %s",
    ),
}


@pytest.mark.parametrize("title", TEXTS)
async def test_statements(title: str, monkeypatch: pytest.MonkeyPatch) -> None:
    url, binary, read, text = TEXTS[title]
    there = replace(world.department(url), binary_collation=binary)
    asked: list[str] = []

    async with opened(there) as source:

        async def recorded(statement: str, _: object) -> list[tuple[object, ...]]:
            asked.append(statement)
            return []

        monkeypatch.setattr(source.connections, "rows", recorded)
        await source.read(read)

    assert asked == [text]


async def test_a_thousand_keys_are_one_statement(server: str) -> None:
    keys = tuple((f"P{place:02}",) for place in range(1000))

    async with world.database(server) as source:
        asked = asked_of(source)
        read = Read("Visit", ("personNumber",), limit=1, for_each=ForEach(("personNumber",), keys))
        rows = await source.read(read)

    assert len(asked) == 1
    assert sorted(rows.rows) == [("P00",), ("P01",), ("P02",), ("P05",)]


async def test_more_rows_than_the_budget_allows_are_refused(file: str) -> None:
    async with world.database(file, Budget(rows=36)) as source:
        with pytest.raises(SourceRefused) as refused:
            await source.read(EVERY_NUMBER)
        fewer = await source.read(replace(EVERY_NUMBER, limit=36))

    assert refused.value.detail == "more than 36 rows"
    assert len(fewer.rows) == 36


async def test_more_groups_than_the_budget_allows_are_refused(file: str) -> None:
    count = (Measure("rows", Function.COUNT),)

    async with world.database(file, Budget(rows=36)) as source:
        with pytest.raises(SourceRefused):
            await source.aggregate(Aggregate("Person", count, group_by=("number",)))
        whole = await source.aggregate(Aggregate("Person", count))

    assert whole.rows == [(37,)]


async def test_a_key_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    url = world.fill_sqlite(tmp_path / "world.db")
    with sqlite3.connect(tmp_path / "world.db") as connection:
        connection.execute("UPDATE visit SET number = NULL WHERE purpose = 'b'")
    connection.close()

    async with world.database(url) as source:
        with pytest.raises(SourceRefused) as refused:
            await source.read(Read("Visit", ("number",)))

    assert refused.value.detail == "Visit.number: a key cannot be read"


@pytest.mark.parametrize("statement", ["DELETE FROM visit", "DROP TABLE visit"])
async def test_nothing_can_be_written(server: str, statement: str) -> None:
    async with world.database(server) as source:
        with pytest.raises(SourceFailure):
            await source.connections.rows(statement, ())
        rows = await source.read(Read("Visit", ("number",)))

    assert len(rows.rows) == 23


async def test_nothing_can_be_written_to_a_file(file: str) -> None:
    async with world.database(file) as source:
        with pytest.raises(SourceRefused):
            await source.connections.rows("DELETE FROM visit", ())


async def test_a_missing_file_is_unavailable_and_not_created(tmp_path: Path) -> None:
    path = tmp_path / "absent.db"

    async with world.database(f"sqlite+aiosqlite:///{path}") as source:
        with pytest.raises(SourceUnavailable):
            await source.read(EVERY_NUMBER)

    assert not path.exists()


async def test_a_file_that_was_replaced_is_read_anew_and_one_that_is_gone_is_unavailable(
    tmp_path: Path,
) -> None:
    there, other = tmp_path / "world.db", tmp_path / "other.db"
    url = world.fill_sqlite(there)
    world.fill_sqlite(other)
    with sqlite3.connect(other) as connection:
        connection.execute("DELETE FROM visit")
    connection.close()
    visits = Read("Visit", ("number",))

    async with world.database(url) as source:
        before = await source.read(visits)
        there.rename(tmp_path / "away.db")
        with pytest.raises(SourceUnavailable):
            await source.read(visits)
        other.rename(there)
        after = await source.read(visits)

    assert [len(before.rows), len(after.rows)] == [23, 0]


async def test_a_locked_file_is_a_timeout(tmp_path: Path) -> None:
    url = world.fill_sqlite(tmp_path / "world.db")
    holder = sqlite3.connect(tmp_path / "world.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")

    async with world.database(url, QUICK) as source:
        with pytest.raises(SourceTimeout):
            await source.read(EVERY_NUMBER)
        holder.execute("ROLLBACK")
        rows = await source.read(EVERY_NUMBER)
    holder.close()

    assert len(rows.rows) == 37


@pytest.mark.parametrize("change", [{"port": 1}, {"password": "wrong"}, {"database": "absent"}])
async def test_a_server_that_lets_nobody_in_is_unavailable(
    server: str, change: dict[str, str | int]
) -> None:
    url = make_url(server).set(**change).render_as_string(hide_password=False)  # type: ignore[arg-type] # parts of an address

    async with world.database(url) as source:
        with pytest.raises(SourceUnavailable):
            await source.read(EVERY_NUMBER)


async def test_a_table_or_column_that_is_not_there_is_refused(server: str, file: str) -> None:
    for url in (server, file):
        there = world.department(url)
        person = there.entities["Person"]
        column = replace(person.columns["name"], native="absent")
        entities = {
            "Person": replace(person, columns={**person.columns, "name": column}),
            "Visit": replace(there.entities["Visit"], native="absent"),
        }
        async with opened(replace(there, entities=entities)) as source:
            for read in (Read("Person", ("name",)), Read("Visit", ("number",))):
                with pytest.raises(SourceRefused):
                    await source.read(read)


async def test_a_column_of_another_type_than_mapped_is_refused(postgres: Postgres) -> None:
    postgres.create_database("types")
    there = world.department(world.fill_server(postgres.url("types"), "postgres"))
    person = there.entities["Person"]
    column = replace(person.columns["age"], native="name")

    mapped = replace(person, columns={**person.columns, "age": column})
    async with opened(replace(there, entities={"Person": mapped})) as source:
        with pytest.raises(SourceRefused):
            await source.read(Read("Person", ("number",), Comparison("age", Operator.EQ, 1)))


async def test_a_statement_that_takes_too_long_is_a_timeout(server: str, file: str) -> None:
    slow = {
        "postgresql": "SELECT pg_sleep(5)",
        "mysql": "SELECT SLEEP(5)",
        "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
        "SELECT MAX(i) FROM n",
    }
    for url in (server, file):
        async with world.database(url, QUICK) as source:
            began = asyncio.get_running_loop().time()
            with pytest.raises(SourceTimeout):
                await source.connections.rows(slow[make_url(url).get_backend_name()], ())
            took = asyncio.get_running_loop().time() - began
            rows = await source.read(EVERY_NUMBER)

            assert took < QUICK.seconds + 0.3
            assert len(rows.rows) == 37


async def test_a_hung_server_is_a_timeout_for_everybody_and_recovers_by_itself(server: str) -> None:
    port = make_url(server).port or 0

    async with proxied(port) as proxy, world.database(through(server, proxy.port), QUICK) as source:
        await source.read(EVERY_NUMBER)
        proxy.flows.clear()
        began = asyncio.get_running_loop().time()
        reads = [source.read(EVERY_NUMBER) for _ in range(6)]
        failures = await asyncio.gather(*reads, return_exceptions=True)
        took = asyncio.get_running_loop().time() - began
        again = await asyncio.gather(source.read(EVERY_NUMBER), return_exceptions=True)
        proxy.flows.set()
        rows = await asyncio.gather(*(source.read(EVERY_NUMBER) for _ in range(4)))

    assert [type(failure) for failure in (*failures, *again)] == [SourceTimeout] * 7
    assert took < QUICK.seconds + 0.3
    assert [len(each.rows) for each in rows] == [37] * 4


async def test_a_hung_server_does_not_keep_a_source_from_closing(server: str) -> None:
    port = make_url(server).port or 0

    async with proxied(port) as proxy:
        source = SqlSource(world.department(through(server, proxy.port)))
        rows = await asyncio.gather(*(source.read(EVERY_NUMBER) for _ in range(3)))
        proxy.flows.clear()
        async with asyncio.timeout(3):
            await source.aclose()

    assert [len(each.rows) for each in rows] == [37] * 3


async def test_connections_the_server_has_closed_are_replaced_unnoticed(server: str) -> None:
    port = make_url(server).port or 0

    async with proxied(port) as proxy, world.database(through(server, proxy.port)) as source:
        await asyncio.gather(*(source.read(EVERY_NUMBER) for _ in range(3)))
        proxy.drop()
        rows = await source.read(EVERY_NUMBER)

    assert len(rows.rows) == 37


async def test_abandoned_reads_leave_no_place_taken(server: str, file: str) -> None:
    for url in (server, file):
        async with world.database(url, Budget(seconds=5, concurrency=1)) as source:
            for _ in range(50):
                task = asyncio.create_task(source.read(EVERY_NUMBER))
                await asyncio.sleep(0)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            rows = await source.read(EVERY_NUMBER)

        assert len(rows.rows) == 37


async def test_an_engine_nobody_taught_is_named_at_once() -> None:
    there = world.department("oracle+oracledb_async://h/d")

    with pytest.raises((ValueError, ModuleNotFoundError), match="oracle"):
        SqlSource(there)


async def test_dates_in_text_compare_by_range(file: str) -> None:
    asked: Predicate = Comparison("bornOn", Operator.GTE, date(2001, 2, 1))

    async with world.database(file) as source:
        rows = await source.read(Read("Person", ("bornOn",), asked, (Order("bornOn"),), limit=4))

    assert rows.rows == [(date(2001, 2, 1),)] * 3 + [(date(2001, 2, 15),)]
