"""One stand for each system, put up when it is first asked for; what became of every drill."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TypeAlias

import pytest
import pytest_asyncio

from demo.systems import Systems
from tests.scenes.desk import Desk
from tests.scenes.drill.stand import Stand, opened
from tests.scenes.drill.systems import SYSTEMS

Stands: TypeAlias = Callable[[str], Awaitable[Stand]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stands(
    province: Systems, patient: Desk, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stands]:
    known: dict[str, Stand] = {}
    async with AsyncExitStack() as stack:

        async def stand(name: str) -> Stand:
            if name not in known:
                folder = tmp_path_factory.mktemp(name)
                putting = opened(province, patient, SYSTEMS[name], folder)
                known[name] = await stack.enter_async_context(putting)
            return known[name]

        yield stand


@pytest.fixture(scope="session")
def note() -> Callable[[str], None]:
    """Keep what became of a drill in the file that TOWNSHIP_DRILL names, a line for each."""
    file = os.environ.get("TOWNSHIP_DRILL")

    def keep(line: str) -> None:
        if file:
            with Path(file).open("a", encoding="utf-8") as kept:
                kept.write(f"{line}\n")

    return keep
