"""The graph over a generated world under a generated policy, behind systems of several kinds."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from auth.policy import Policy
from auth.policy_file import load_policy
from auth.principal import Principal
from auth.throttle import Throttle
from contract.source import Source
from resolvers.context import RequestContext
from resolvers.gate import Gate
from resolvers.seal import Seal
from resolvers.spending import Spending
from schema.errors import formatted
from sources.caching import Caching
from sources.declaration import Cache, MappedEntity
from sources.federation import Federation
from sources.holding import Homes
from sources.memory import MemorySource
from tests.divided import HOMES, divided
from tests.generated.policies import PolicyFile
from tests.generated.questions import Question, Written
from tests.generated.worlds import ENTITIES, World
from tests.graph import SECRET, SYSTEMS, Graph, build_graph
from tests.limited import LimitedSource

HELD = {
    name: tuple(entity for entity in held if entity in ENTITIES) for name, held in SYSTEMS.items()
}


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: the root field's value, and what was refused where."""

    value: Any
    errors: list[tuple[tuple[str | int, ...], str]]


@dataclass(frozen=True)
class Asked:
    """A graph with a policy of its own, to be asked by anybody."""

    graph: Graph
    gate: Gate

    async def told(
        self, principal: Principal, question: Question, after: str | None = None
    ) -> dict[str, Any]:
        """Return the whole answer as a client gets it."""
        written = Written(question, sealed(self.graph, question) if question.key else "")
        context = RequestContext(
            principal,
            self.gate,
            self.graph.identity,
            _cursors(),
            spending=Spending(Throttle(), principal.account),
        )
        result = await self.graph.schema.execute(
            written.text,
            variable_values={**written.variables, **({"after": after} if after else {})},
            context_value=context,
        )
        told: list[Any] = formatted(result.errors or (), "request")
        assert all("path" in each for each in told), (written.text, told)
        return {"data": result.data, "errors": told, "extensions": result.extensions}

    async def ask(
        self, principal: Principal, question: Question, after: str | None = None
    ) -> Answer:
        """Return the root field of the answer, and what was refused where."""
        told = await self.told(principal, question, after)
        refused = [(tuple(each["path"]), each["extensions"]["code"]) for each in told["errors"]]
        return Answer((told["data"] or {}).get("found"), refused)


def asked(world: World, policy: PolicyFile, systems: dict[str, Source], homes: Homes) -> Asked:
    """Return the graph over systems that hold the world."""
    graph = bare_graph()
    sources = [*reference_sources(), *systems.values()]
    gate = Gate(loaded(policy), Federation(graph.entities, sources, homes=homes))
    return Asked(graph, gate)


@dataclass(frozen=True, slots=True)
class Held:
    """
    How a world is held: rows with one home or several, by systems that do all or less.

    `kept`: all answers are kept, those about people too, which no mapping file may say.
    """

    shared: bool
    limited: bool
    kept: bool = False


def in_memory(world: World, seed: int, held: Held) -> tuple[dict[str, Source], Homes]:
    """Return systems in memory that hold the world."""
    entities = bare_graph().entities
    systems: dict[str, Source]
    if held.shared:
        systems = dict(divided(world, entities, HELD))
    else:
        systems = {
            name: MemorySource(
                name,
                name,
                {entity: entities[entity] for entity in names},
                {entity: world[entity] for entity in names},
            )
            for name, names in HELD.items()
        }
    if held.limited:
        systems = {
            name: LimitedSource(source, Random(f"{seed} {name}").randrange(2**30))
            for name, source in systems.items()
        }
    if held.kept:
        systems = {name: _keeping(source, seed) for name, source in systems.items()}
    return systems, HOMES if held.shared else {}


def _keeping(source: Source, seed: int) -> Source:
    """Return the source with what is kept of its answers: of some entities all rows."""
    entities = bare_graph().entities
    mapped = {
        name: MappedEntity(entities[name], name, {}, cache=Cache(3600.0, whole=bool(whole % 2)))
        for whole, name in enumerate(source.entities, seed)
    }
    return Caching(source, mapped, lambda: datetime(2026, 5, 1, tzinfo=UTC))


def sealed(graph: Graph, question: Question) -> str:
    """Return the id of the row that a question names by its key."""
    return graph.identity._seal.close([question.entity, question.key])


def loaded(policy: PolicyFile) -> Policy:
    """Return the policy as the product reads it."""
    with TemporaryDirectory() as folder:
        file = Path(folder, "policy.toml")
        file.write_text(policy.text, "utf-8")
        return load_policy(file, bare_graph().entities, frozenset({"MedicalEnrollment"}))


@cache
def bare_graph() -> Graph:
    """Return the graph whose schema and ids all others share; documents are checked once."""
    return build_graph()


@cache
def reference_sources() -> tuple[Source, ...]:
    """Return the systems of what no department holds."""
    sources = bare_graph().sources
    return sources["divisions"], sources["matters"]


@cache
def _cursors() -> Seal:
    return Seal(SECRET, "cursor")
