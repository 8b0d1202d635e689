"""The stand-in systems at their smallest useful size, started once for all tests of the demo."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from rich.progress import Progress

from demo import systems
from demo.systems import Systems
from schema.graph import core_entities
from sources.assembly import Assembly, assemble
from sources.mapping import load_departments

DEPARTMENTS = Path(__file__).parents[2] / "departments"

RESIDENTS = 2_000
SEED = 7


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Systems]:
    state: Path = tmp_path_factory.mktemp("demo")
    with Progress(disable=True) as progress:
        systems.build(state, RESIDENTS, SEED, progress)
    started = systems.start(state)
    yield started
    started.stop()


@pytest.fixture
async def assembly(running: Systems) -> AsyncIterator[Assembly]:
    assembled = assembly_of(running)
    yield assembled
    await assembled.aclose()


def assembly_of(running: Systems) -> Assembly:
    core = core_entities()
    environment = {**os.environ, **running.environment}
    return assemble(core, load_departments(DEPARTMENTS, core, environment), ())
