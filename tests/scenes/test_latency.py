"""Scene: a page takes as long as the slowest system on its path, and little more."""

import asyncio
import time
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field, replace

import pytest

from contract.read import Aggregate, Read, Rows
from contract.source import Capabilities, Source
from resolvers.gate import Gate
from sources.federation import Federation
from tests.scenes.desk import CLERK, PRINCIPALS, Desk
from tests.scenes.test_one_person import ANSWER, HEAD, PERSON

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timed]

DELAY = 0.5
SYSTEMS = (
    "population",
    "civil_affairs",
    "social_security",
    "medical_insurance",
    "housing_fund",
    "low_income_platform",
    "water",
)
MOST = 1.3


@dataclass
class Slowed:
    """A source that answers later than it could, and notes from when to when it was asked."""

    source: Source
    seconds: float
    spans: list[tuple[float, float]] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.source.name

    @property
    def title(self) -> str:
        return self.source.title

    @property
    def entities(self) -> Mapping[str, Capabilities]:
        return self.source.entities

    async def read(self, read: Read) -> Rows:
        return await self._noted(self.source.read(read))

    async def aggregate(self, aggregate: Aggregate) -> Rows:
        return await self._noted(self.source.aggregate(aggregate))

    async def _noted(self, answer: Awaitable[Rows]) -> Rows:
        began = time.perf_counter()
        await asyncio.sleep(self.seconds)
        rows = await answer
        self.spans.append((began, time.perf_counter()))
        return rows

    def on_the_path(self) -> float:
        """Return how long it was waited for: questions at the same time count once."""
        waited, until = 0.0, 0.0
        for began, ended in sorted(self.spans):
            waited += max(0.0, ended - max(began, until))
            until = max(until, ended)
        return waited


@pytest.mark.parametrize("slow", SYSTEMS)
async def test_the_page_of_a_person_waits_for_the_slowest_system_alone(
    desk: Desk, slow: str
) -> None:
    graph = desk.graph
    federation = graph.assembly.federation
    sources = [
        Slowed(source, DELAY if source.name == slow else 0.0) for source in federation.sources
    ]
    gate = Gate(graph.policy, Federation(graph.assembly.entities, sources, homes=federation.homes))
    context = replace(graph, gate=gate).context(PRINCIPALS[CLERK], "")

    began = time.perf_counter()
    result = await graph.schema.execute(
        PERSON, variable_values={"idNumber": HEAD}, context_value=context
    )
    took = time.perf_counter() - began

    assert result.data == {"resident": ANSWER}
    (slowest,) = (source for source in sources if source.name == slow)
    assert slowest.on_the_path() >= DELAY
    assert took <= MOST * slowest.on_the_path()
