"""The demo's systems and the graph over them, once for all scenes; they share one event loop."""

import re
import shutil
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from rich.progress import Progress

from demo import systems
from demo.systems import Systems
from gateway.graph import Files, open_graph
from tests.scenes.desk import FILES, RESIDENTS, SECRET, SEED, Desk


@pytest.fixture(scope="session")
def province(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Systems]:
    state = tmp_path_factory.mktemp("province")
    with Progress(disable=True) as progress:
        systems.build(state, RESIDENTS, SEED, progress)
    started = systems.start(state)
    yield started
    started.stop()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def desk(province: Systems) -> AsyncIterator[Desk]:
    async with Desk(open_graph(FILES, province.environment, SECRET)) as opened:
        yield opened


@pytest.fixture(scope="session")
def patient_files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Give mapping files with budgets that a crowd on a busy machine does not exceed."""
    departments = tmp_path_factory.mktemp("patient") / "departments"
    shutil.copytree(FILES.departments, departments)
    for file in departments.glob("*.toml"):
        text = file.read_text(encoding="utf-8")
        file.write_text(re.sub('timeout = "[^"]+"', 'timeout = "30s"', text), encoding="utf-8")
    return Files(departments, FILES.policy)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def patient(province: Systems, patient_files: Files) -> AsyncIterator[Desk]:
    async with Desk(open_graph(patient_files, province.environment, SECRET)) as opened:
        yield opened
