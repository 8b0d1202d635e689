"""The stand-in systems at their smallest useful size, started once for all tests of the demo."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.progress import Progress

from demo import systems
from demo.systems import Systems

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
