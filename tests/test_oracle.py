"""Answers over worlds, policies, principals and questions by chance, against the slow way."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from secrets import token_hex

import pytest

from demo.mariadb import Mariadb
from demo.postgres import Postgres
from tests.generated.comparing import Case, compared
from tests.generated.graphs import Held, in_memory
from tests.generated.services import in_graphql, in_rest
from tests.generated.systems import Fill, in_database, in_files

QUESTIONS = 2_000
MANY = 30_000
PARTS = 4
OF_A_WORLD = 40


@pytest.mark.parametrize("part", range(PARTS))
async def test_answers_are_what_materialising_filtering_and_masking_gives(part: int) -> None:
    found = await _in_memory(part, QUESTIONS)

    _assert_that_much_was_seen(found, QUESTIONS // PARTS)


@pytest.mark.deep
@pytest.mark.parametrize("part", range(PARTS))
async def test_many_answers_are_what_materialising_filtering_and_masking_gives(part: int) -> None:
    found = await _in_memory(part + PARTS, MANY)

    _assert_that_much_was_seen(found, MANY // PARTS)


async def _in_memory(part: int, questions: int) -> Counter[str]:
    """Ask systems that can do all or less, with one home of a row or several, kept or anew."""
    found: Counter[str] = Counter()
    for number in range(questions // PARTS // OF_A_WORLD + 1):
        case = Case.of(part * 100_000 + number)
        held = Held(number % 2 == 1, limited=number % 4 > 1, kept=number % 3 == 0)
        systems, homes = in_memory(case.world, case.seed, held)
        found += await compared(case, case.graph(systems, homes), OF_A_WORLD)
    return found


def _assert_that_much_was_seen(found: Counter[str], questions: int) -> None:
    assert found["asked"] >= questions
    assert found["filled"] > 0.3 * questions
    assert found["refused"] > 0.05 * questions
    assert found["hidden"] > 0.03 * questions
    assert found["masked"] > 0.03 * questions
    assert found["later"] > 0


KINDS = ("sqlite", "postgres", "mariadb", "file", "rest", "untrusted rest", "graphql")
FEW_OF_A_KIND, MANY_OF_A_KIND = 60, 3_000


@pytest.fixture(params=KINDS)
async def fill(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Fill]:
    """Open a system of each kind, into which worlds can be put."""
    async with AsyncExitStack() as stack:
        match request.param:
            case "sqlite":
                system = in_database(f"sqlite+aiosqlite:///{tmp_path / 'world.db'}")
            case "postgres" | "mariadb":
                server: Postgres | Mariadb = request.getfixturevalue(request.param)
                name = f"worlds_{token_hex(4)}"
                server.create_database(name)
                system = in_database(server.url(name))
            case "file":
                system = in_files(tmp_path)
            case "graphql":
                system = in_graphql()
            case _:
                system = in_rest(trusted=request.param == "rest")
        yield await stack.enter_async_context(system)


async def test_answers_of_every_kind_of_system_are_the_same(fill: Fill) -> None:
    found = await _in_systems(fill, FEW_OF_A_KIND, 900_000)

    assert found["asked"] >= FEW_OF_A_KIND
    assert found["filled"] > 0


@pytest.mark.deep
async def test_many_answers_of_every_kind_of_system_are_the_same(fill: Fill) -> None:
    found = await _in_systems(fill, MANY_OF_A_KIND, 950_000)

    _assert_that_much_was_seen(found, MANY_OF_A_KIND)


async def _in_systems(fill: Fill, questions: int, seed: int) -> Counter[str]:
    found: Counter[str] = Counter()
    for number in range(questions // OF_A_WORLD + 1):
        case = Case.of(seed + number)
        source = await fill(case.world)
        found += await compared(case, case.graph({source.name: source}, {}), OF_A_WORLD)
    return found
