from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where data of a scale is built once for all tests."""
    return tmp_path_factory.mktemp("benchmarks")
