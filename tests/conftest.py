"""Servers and settings every test may use; each server starts once per worker."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from demo.mariadb import Mariadb
from demo.postgres import Postgres

IN_CI = bool(os.environ.get("CI"))

settings.register_profile("dev", max_examples=50, deadline=None)
settings.register_profile("ci", max_examples=500, derandomize=True, deadline=None)
settings.load_profile("ci" if IN_CI else "dev")


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    server = Postgres.start(tmp_path_factory.mktemp("postgres"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mariadb]:
    server = Mariadb.start(tmp_path_factory.mktemp("mariadb"))
    if server is None:
        absent = "mariadbd is not installed: MariaDB is not tested"
        if IN_CI:
            pytest.fail(absent)
        pytest.skip(absent)
    yield server
    server.stop()
