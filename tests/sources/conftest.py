"""The conformance world in every kind of source, made once for all suites that ask it."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import pytest

from contract.source import Source
from demo.mariadb import Mariadb
from demo.postgres import Postgres
from tests.sources import file_world, graphql_world, rest_world, world

KINDS = ("memory", "sqlite", "postgres", "mariadb", "rest", "graphql", *file_world.DROPS)


@pytest.fixture(scope="session", params=KINDS)
def opened(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the kind's address; the world in it is made once."""
    if request.param == "sqlite":
        return world.fill_sqlite(tmp_path_factory.mktemp("world") / "world.db")
    if request.param in ("postgres", "mariadb"):
        server: Postgres | Mariadb = request.getfixturevalue(request.param)
        server.create_database("world")
        return world.fill_server(server.url("world"), request.param)
    if request.param in file_world.DROPS:
        return file_world.dropped(request.param, tmp_path_factory.mktemp("world"))
    return str(request.param)


@pytest.fixture
async def source(opened: str) -> AsyncIterator[Source]:
    served = {
        "memory": world.memory,
        "rest": rest_world.system,
        "graphql": graphql_world.system,
    }
    context: AbstractAsyncContextManager[Source]
    if opened.startswith("file:"):
        context = file_world.system(opened)
    else:
        context = served[opened]() if opened in served else world.database(opened)
    async with context as there:
        yield there
