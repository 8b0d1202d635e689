"""The world of `tests.world` in more systems: cases by department, residents by city."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Final, TypeAlias

from contract.entity import Entity
from contract.predicate import In, Predicate, Within, evaluate
from contract.source import Source
from sources.constants import Completed
from sources.holding import Homes
from sources.memory import MemorySource
from tests import world
from tests.world import Row

Rows: TypeAlias = Mapping[str, Sequence[Row]]

CIVIL: Final = "民政"
HOMES: Final[Homes] = {
    ("civil_affairs", "Case"): In("department", (CIVIL,)),
    ("medical_cases", "Case"): In("department", ("医保",)),
    ("population_wuxi", "Resident"): Within("residenceDivision", "3202"),
}
REST: Final = {"service_platform": "Case", "population": "Resident"}
_TOLD: Final = frozenset({"number", "department", "residenceDivision"})


def divided(
    rows: Rows, entities: Mapping[str, Entity], systems: Mapping[str, tuple[str, ...]]
) -> dict[str, Source]:
    """Return the systems and those of HOMES; each also has copies that are not to be believed."""
    found: dict[str, Source] = {}
    for name, held in systems.items():
        known = {entity: rows[entity] for entity in held}
        if name in REST:
            entity = REST[name]
            known[entity] = list(_known(name, entity, rows, _rest(entity)))
        found[name] = _memory(name, {entity: entities[entity] for entity in held}, known)
    for (name, entity), own in HOMES.items():
        known = {entity: list(_known(name, entity, rows, [own]))}
        found[name] = _memory(name, {entity: entities[entity]}, known)
    found["civil_affairs"] = _of_one_department(entities["Case"], rows["Case"])
    return found


def _rest(entity: str) -> list[Predicate]:
    return [own for (_, held), own in HOMES.items() if held == entity]


def _known(name: str, entity: str, rows: Rows, homes: list[Predicate]) -> Iterator[Row]:
    """Yield a system's own rows as they are, and half of the others' as they never were."""
    others = world.ROWS[entity]
    for row in rows[entity]:
        own = any(evaluate(home, row) for home in homes) is (name not in REST)
        chance = Random(f"{name} {row['number']}")
        if own:
            yield row
        elif chance.random() < 0.5:
            yield {key: row[key] if key in _TOLD else chance.choice(others).get(key) for key in row}


def _memory(name: str, entities: Mapping[str, Entity], rows: Rows) -> MemorySource:
    return MemorySource(name, name, entities, rows)


def _of_one_department(case: Entity, rows: Sequence[Row]) -> Source:
    """Return a system whose rows do not say that they are all of one department."""
    kept = {name: field for name, field in case.fields.items() if name != "department"}
    own = [row for row in rows if row["department"] == CIVIL]
    source = _memory("civil_affairs", {"Case": replace(case, fields=kept)}, {"Case": own})
    return Completed(source, {"Case": {"department": CIVIL}})
