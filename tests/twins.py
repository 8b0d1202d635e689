"""Worlds that differ only where a principal may not see, and the graphs over them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import cache
from random import Random
from typing import Any, Final

import orjson

from auth.policy import Policy
from auth.policy_file import load_policy
from resolvers.gate import Gate
from schema.errors import formatted
from sources.federation import Federation
from sources.memory import MemorySource
from tests import oracle, world
from tests.divided import HOMES, divided
from tests.graph import ROOT, SYSTEMS, Graph, Recording, build_graph, graph_entities
from tests.limited import LimitedSource
from tests.world import Row

World = Mapping[str, Sequence[Row]]

KEYS: Final[Mapping[str, str]] = {
    "Resident": "number",
    "Household": "number",
    "Case": "number",
    "CaseEvent": "number",
    "Enterprise": "number",
    "MedicalEnrollment": "personNumber",
}
LINKS: Final = frozenset({"idNumber", "applicantIdNumber", "headIdNumber", "caseNumber"})


def graph_over(rows: World, limited: int | None = None, *, shared: bool = False) -> Graph:
    """
    Return the graph over the rows.

    `limited` takes abilities from the systems by chance; `shared` divides entities among systems.
    """
    entities = graph_entities()
    systems: dict[str, Any] = {
        name: MemorySource(
            name,
            name,
            {entity: entities[entity] for entity in held},
            {entity: rows[entity] for entity in held},
        )
        for name, held in SYSTEMS.items()
    }
    if shared:
        systems = {**divided(rows, entities, SYSTEMS)}
    if limited is not None:
        systems = {
            name: LimitedSource(source, limited + place)
            for place, (name, source) in enumerate(systems.items())
        }
    base = _base()
    recorded = {name: Recording(source) for name, source in {**base.sources, **systems}.items()}
    homes = HOMES if shared else {}
    gate = Gate(policy(), Federation(base.entities, recorded.values(), homes=homes))
    return replace(base, gate=gate, sources=recorded)


@cache
def _base() -> Graph:
    return build_graph()


@cache
def policy() -> Policy:
    """Return the policy of the product."""
    facets = frozenset({"MedicalEnrollment"})
    return load_policy(ROOT / "auth" / "policy.toml", _base().entities, facets)


async def answered(graph: Graph, account: str, query: str, **variables: object) -> bytes:
    """Return the whole answer as the bytes a client gets."""
    result = await graph.ask(account, query, **variables)
    errors = formatted(result.errors or (), "request")
    return orjson.dumps({"data": result.data, "errors": errors, "extensions": result.extensions})


def changed_outside(chance: Random, account: str) -> World:
    """Return the world with rows changed that the account does not see, and no others."""
    seen = oracle.visible(account)
    return {
        entity: _changed(chance, entity, rows, seen.get(entity, ()))
        for entity, rows in world.ROWS.items()
    }


def changed_beneath_masks(chance: Random) -> World:
    """Return the world with other characters where masks hide them, the joins kept."""
    numbers = {row["idNumber"]: _middle(chance, str(row["idNumber"])) for row in world.RESIDENTS}
    phones = {row["phone"]: _middle(chance, str(row["phone"])) for row in world.RESIDENTS}
    changes: Mapping[str, Callable[[object], object]] = {
        "idNumber": lambda value: numbers.get(value, value),
        "applicantIdNumber": lambda value: numbers.get(value, value),
        "headIdNumber": lambda value: numbers.get(value, value),
        "phone": lambda value: value and phones[value],
        "contactPhone": lambda value: value and phones[value],
        "balance": lambda value: Decimal(chance.randrange(1_000)),
    }
    return {
        entity: [
            {name: changes.get(name, _same)(value) for name, value in row.items()} for row in rows
        ]
        for entity, rows in world.ROWS.items()
    }


def _same(value: object) -> object:
    return value


def _middle(chance: Random, value: str) -> str:
    hidden = "".join(chance.choice("0123456789") for _ in value[3:-4])
    return f"{value[:3]}{hidden}{value[-4:]}"


def _changed(chance: Random, entity: str, rows: Sequence[Row], seen: Sequence[Row]) -> list[Row]:
    shown = {id(row) for row in seen}
    outside = [row for row in rows if id(row) not in shown]
    answer: list[Row] = []
    for row in rows:
        if id(row) in shown:
            answer.append(row)
        elif chance.random() < 0.6:
            answer.append(_mixed(chance, row, outside, KEYS[entity]))
    for serial in range(chance.choice((0, 0, 1, 3)) if outside else 0):
        added = _mixed(chance, chance.choice(outside), outside, KEYS[entity])
        more = {KEYS[entity]: f"Z{serial}"}
        if entity == "Resident":
            more["idNumber"] = world.id_number(900 + serial)
        answer.append({**added, **more})
    return answer


def _mixed(chance: Random, row: Row, outside: Sequence[Row], key: str) -> Row:
    """Return the row with values of other rows outside, what decides its place all from one."""
    place = chance.choice(outside)
    return {
        name: value
        if name == key or name in LINKS
        else place[name]
        if name in oracle.DIVISIONS or name in ("department", "status")
        else chance.choice((value, chance.choice(outside)[name]))
        for name, value in row.items()
    }
