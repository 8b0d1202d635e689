"""The demo's own database servers: reused, restarted after a crash, never left behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from demo import mariadb as mariadb_room
from demo.mariadb import Mariadb
from demo.postgres import Postgres
from demo.process import ServerFailed, waited

Server = Postgres | Mariadb
STARTER = """
import sys, time
from pathlib import Path
from demo.{room} import {name}
print({name}.start(Path(sys.argv[1])).pid, flush=True)
time.sleep(600)
"""


@pytest.fixture(params=[Postgres, Mariadb])
def start(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Server]:
    request.getfixturevalue(request.param.__name__.lower())  # is it installed at all?

    def started(port: int | None = None) -> Server:
        server: Server = request.param.start(tmp_path / "server", port)
        return server

    return started


async def written(server: Server, statement: str) -> list[object]:
    engine = create_async_engine(server.url("kept"))
    async with engine.begin() as connection:
        answer = await connection.exec_driver_sql(statement)
        values = list(answer.scalars().all()) if answer.returns_rows else []
    await engine.dispose()
    return values


def is_gone(pid: int) -> bool:
    return waited(lambda: not Path(f"/proc/{pid}").exists(), 20)


async def test_a_second_start_finds_what_the_first_one_wrote(start: Callable[[], Server]) -> None:
    server = start()
    server.create_database("kept")
    server.create_database("kept")
    await written(server, "CREATE TABLE word (text VARCHAR(9))")
    await written(server, "INSERT INTO word VALUES ('𠮷')")
    first = server.pid
    server.stop()
    server.stop()

    again = start()
    values = await written(again, "SELECT text FROM word")
    again.stop()

    assert values == ["𠮷"]
    assert is_gone(first)


async def test_a_server_that_was_killed_starts_again(start: Callable[[], Server]) -> None:
    server = start()
    server.create_database("kept")
    os.kill(server.pid, signal.SIGKILL)
    server.stop()

    again = start()
    values = await written(again, "SELECT 1")
    again.stop()

    assert values == [1]


def test_a_directory_in_use_is_refused(start: Callable[[], Server]) -> None:
    server = start()

    with pytest.raises(ServerFailed, match="in use"):
        start()

    server.stop()


@pytest.mark.parametrize("server", ["postgres", "mariadb"])
def test_a_server_ends_with_its_starter(
    server: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue(server)
    script = STARTER.format(room=server, name=server.capitalize())

    with subprocess.Popen(  # noqa: S603 -- a script of this file
        [sys.executable, "-c", script, str(tmp_path / "server")], stdout=subprocess.PIPE
    ) as starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        starter.kill()

    assert is_gone(pid)


def test_mariadb_is_none_where_it_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mariadb_room, "_PLACES", str(tmp_path))

    assert Mariadb.start(tmp_path) is None
