"""Connections of a database: how many there are, which are used again, and which are not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import make_url

from contract.errors import SourceFailure, SourceRefused, SourceTimeout, SourceUnavailable
from contract.read import Order, Read
from demo.mariadb import Mariadb
from demo.postgres import Postgres
from sources.declaration import Budget
from sources.sql import SqlSource
from tests.sources import world
from tests.sources.proxy import Proxy, proxied

EVERY_NUMBER = Read("Person", ("number",), order_by=(Order("number"),))
TWO = Budget(seconds=5, concurrency=2)


@pytest.fixture(scope="session", params=["postgres", "mariadb"])
def server(request: pytest.FixtureRequest) -> str:
    running: Postgres | Mariadb = request.getfixturevalue(request.param)
    running.create_database("connections")
    return world.fill_server(running.url("connections"), request.param)


@asynccontextmanager
async def watched(url: str, budget: Budget = TWO) -> AsyncIterator[tuple[SqlSource, Proxy]]:
    """Open the world behind a proxy, which counts connections."""
    there = make_url(url)
    async with proxied(there.port or 0) as proxy:
        through = there.set(port=proxy.port).render_as_string(hide_password=False)
        async with world.database(through, budget) as source:
            yield source, proxy


async def test_a_connection_is_used_again_and_no_more_are_opened_than_there_are_places(
    server: str,
) -> None:
    async with watched(server) as (source, proxy):
        for _ in range(5):
            await source.read(EVERY_NUMBER)
        one_by_one = proxy.accepted
        rows = await asyncio.gather(*(source.read(EVERY_NUMBER) for _ in range(20)))

    assert {len(each.rows) for each in rows} == {37}
    assert (one_by_one, proxy.accepted) == (1, 2)


@pytest.mark.parametrize(
    ("statement", "failure"),
    [("SELECT absent FROM absent", SourceRefused), ("DELETE FROM visit", SourceUnavailable)],
)
async def test_a_statement_that_the_system_answers_with_an_error_costs_no_connection(
    server: str, statement: str, failure: type[SourceFailure]
) -> None:
    async with watched(server) as (source, proxy):
        for _ in range(3):
            with pytest.raises(failure):
                await source.connections.rows(statement, ())
        await source.read(EVERY_NUMBER)

    assert proxy.accepted == 1


async def test_a_statement_that_is_given_up_loses_its_connection(server: str) -> None:
    async with watched(server, Budget(seconds=0.4, concurrency=1)) as (source, proxy):
        await source.read(EVERY_NUMBER)
        proxy.flows.clear()
        with pytest.raises(SourceTimeout):
            await source.read(EVERY_NUMBER)
        proxy.flows.set()
        rows = await source.read(EVERY_NUMBER)

    assert len(rows.rows) == 37
    assert proxy.accepted == 2


async def test_what_was_opened_for_somebody_who_left_is_there_for_the_next(server: str) -> None:
    async with watched(server, Budget(seconds=5, concurrency=1)) as (source, proxy):
        leaving = asyncio.create_task(source.read(EVERY_NUMBER))
        while not proxy.accepted:  # noqa: ASYNC110 -- no event to wait for
            await asyncio.sleep(0)
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        rows = await source.read(EVERY_NUMBER)

    assert len(rows.rows) == 37
    assert proxy.accepted == 1


async def test_of_lost_connections_none_is_used_again(server: str) -> None:
    async with watched(server) as (source, proxy):
        await asyncio.gather(*(source.read(EVERY_NUMBER) for _ in range(2)))
        before = proxy.accepted
        proxy.drop()
        rows = await source.read(EVERY_NUMBER)
        after = proxy.accepted
        again = await asyncio.gather(*(source.read(EVERY_NUMBER) for _ in range(2)))

    assert [len(each.rows) for each in (rows, *again)] == [37] * 3
    assert (before, after, proxy.accepted) == (2, 3, 4)


async def test_who_is_in_the_middle_of_a_statement_when_it_closes_leaves_nothing(
    server: str,
) -> None:
    async with watched(server) as (source, proxy):
        await source.read(EVERY_NUMBER)
        proxy.flows.clear()
        reading = asyncio.create_task(source.read(EVERY_NUMBER))
        await asyncio.sleep(0)
        await source.aclose()
        proxy.flows.set()
        rows = await reading

    assert len(rows.rows) == 37
    assert not source.connections._kept


async def test_a_driver_that_nobody_taught_is_named_at_once() -> None:
    there = world.department("mysql+aiomysql://h/d")

    with pytest.raises((ValueError, ModuleNotFoundError), match="aiomysql"):
        SqlSource(there)
