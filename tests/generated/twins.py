"""Worlds that differ only in what some principals may not see."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Final

from auth.principal import Principal
from contract.entity import Entity, Kind
from contract.errors import SourceUnavailable
from contract.read import Aggregate, Read, Rows
from contract.source import Capabilities, Source
from sources.declaration import Budget
from sources.guard import Guard
from tests.generated.comparing import Case
from tests.generated.expected import HIDDEN, SHOWN, Answers, Grant
from tests.generated.truth import masked
from tests.generated.worlds import ENTITIES, KEYS, Row, World, drawn_row, values_of
from tests.world import id_number

NUMBERS: Final[Mapping[str, str]] = {
    "Resident": "idNumber",
    "Household": "headIdNumber",
    "Case": "applicantIdNumber",
    "MedicalEnrollment": "idNumber",
}
"""Where citizen numbers stand: rows are joined by them, so they change together."""
_DECIDING: Final = frozenset({*NUMBERS.values(), "householdNumber", "caseNumber", "department"})
_NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Viewers:
    """Several principals at one world."""

    case: Case
    principals: Sequence[Principal]

    def answers(self, world: World) -> Iterator[Answers]:
        """Yield what each principal would be answered in a world."""
        for principal in self.principals:
            yield Answers(world, self.case.policy, principal)

    def visible(self, world: World, entity: str) -> list[Row]:
        """Return the rows that some grant of somebody opens."""
        each = list(self.answers(world))
        return [row for row in world[entity] if any(_opening(one, entity, row) for one in each)]

    def follow(self, entity: str) -> bool:
        """
        Return whether the rows of somebody follow others.

        Which systems are asked for a list of these depends on rows that the filter finds and nobody
        may see, where the followed rows cannot be asked for first.
        """
        grants = (grant for one in self.answers(self.case.world) for grant in one.grants(entity))
        return any(grant.role.rows.get(entity) == "follows" for grant in grants)

    def hides(self, entity: str, row: Row, name: str, other: object) -> bool:
        """Return whether nobody could tell another value in this place from the one there."""
        return all(
            _looks_alike(one, grant, entity, name, (row[name], other))
            for one in self.answers(self.case.world)
            for grant in _opening(one, entity, row)
        )


def changed_outside(viewers: Viewers) -> World:
    """Return the world with rows changed that nobody of them sees, and no others."""
    case, world = viewers.case, viewers.case.world
    seen = {entity: viewers.visible(world, entity) for entity in world}
    changed = {
        entity: [
            *seen[entity],
            *_others(case.chance, ENTITIES[entity], world[entity], seen[entity]),
        ]
        for entity in world
    }
    while True:
        shown = {entity: viewers.visible(changed, entity) for entity in changed}
        if all(len(shown[entity]) == len(seen[entity]) for entity in shown):
            return changed
        known = {entity: set(map(id, rows)) for entity, rows in seen.items()}
        changed = {
            entity: [
                row
                for row in rows
                if id(row) in known[entity] or id(row) not in set(map(id, shown[entity]))
            ]
            for entity, rows in changed.items()
        }


def changed_beneath_masks(viewers: Viewers) -> World:
    """Return the world with other values where nobody of them sees the difference."""
    chance = viewers.case.chance
    numbers = dict(_other_numbers(viewers))
    return {
        entity: [_beneath(viewers, chance, entity, row, numbers) for row in rows]
        for entity, rows in viewers.case.world.items()
    }


def _others(
    chance: Random, entity: Entity, rows: Sequence[Row], seen: Sequence[Row]
) -> Iterator[Row]:
    """Yield what takes the place of the rows that are not seen: some, others and more."""
    kept = set(map(id, seen))
    for serial, row in enumerate(rows, 40):
        luck = chance.random()
        if id(row) not in kept and luck < 0.85:
            other = drawn_row(chance, entity, serial)
            key = KEYS[entity.name]
            yield dict(row) if luck < 0.2 else {**_mixed(chance, row, other), key: row[key]}
    for serial in range(60, 60 + chance.choice((0, 0, 1, 3))):
        yield drawn_row(chance, entity, serial)


def _mixed(chance: Random, row: Row, other: Row) -> Row:
    number = other.get("idNumber") if "nation" in other else None  # of a resident, its own alone
    mixed = {name: chance.choice((value, other[name])) for name, value in row.items()}
    return {**mixed, "idNumber": number} if "nation" in other else mixed


def _opening(one: Answers, entity: str, row: Row) -> list[Grant]:
    return [grant for grant in one.grants(entity) if one.admits(grant, entity, row)]


def _looks_alike(
    one: Answers, grant: Grant, entity: str, name: str, values: tuple[object, object]
) -> bool:
    access = one.access(grant, entity, name)
    if f"{entity}.{name}" in grant.role.lookup or access == SHOWN:
        return values[0] == values[1]
    if access == HIDDEN:
        return True
    one_side, other = (masked(access, v) if isinstance(v, str) else None for v in values)
    return one_side == other


def _beneath(
    viewers: Viewers, chance: Random, entity: str, row: Row, numbers: Mapping[object, object]
) -> Row:
    changed = dict(row)
    for name, value in row.items():
        field_of = ENTITIES[entity].fields[name]
        if name == NUMBERS.get(entity):
            changed[name] = numbers.get(value, value)
        elif name not in KEYS[entity] and name not in _DECIDING | {"number", "personNumber"}:
            if field_of.kind is Kind.DIVISION or not field_of.nullable:
                continue
            other = _other(chance, value, values_of(field_of))
            if viewers.hides(entity, row, name, other):
                changed[name] = other
    return changed


def _other(chance: Random, value: object, values: Sequence[object]) -> object:
    if isinstance(value, str) and len(value) == 11:  # a telephone number
        return _middle(chance, value)
    return chance.choice((*values, None))


def _other_numbers(viewers: Viewers) -> Iterator[tuple[object, object]]:
    chance = viewers.case.chance
    for serial in range(16):
        number = id_number(serial)
        other = _middle(chance, number)
        places = (
            (entity, row, name)
            for entity, name in NUMBERS.items()
            for row in viewers.case.world[entity]
            if row[name] == number
        )
        if all(viewers.hides(entity, row, name, other) for entity, row, name in places):
            yield number, other


def _middle(chance: Random, value: str) -> str:
    hidden = "".join(chance.choice("0123456789") for _ in value[3:-4])
    return f"{value[:3]}{hidden}{value[-4:]}"


@dataclass(slots=True)
class Switched:
    """A system that can be switched off."""

    source: Source
    is_down: bool = False
    name: str = field(init=False)
    title: str = field(init=False)

    def __post_init__(self) -> None:
        self.name, self.title = self.source.name, self.source.title

    @property
    def entities(self) -> Mapping[str, Capabilities]:
        return self.source.entities

    async def read(self, read: Read) -> Rows:
        self._refuse_when_down()
        return await self.source.read(read)

    async def aggregate(self, aggregate: Aggregate) -> Rows:
        self._refuse_when_down()
        return await self.source.aggregate(aggregate)

    def _refuse_when_down(self) -> None:
        if self.is_down:
            raise SourceUnavailable(self.name, self.title, "switched off")


@dataclass(frozen=True, slots=True)
class Switches:
    """Systems whose last answers may stand in while they are down."""

    each: Sequence[Switched]

    @classmethod
    def over(cls, systems: Mapping[str, Source]) -> tuple["Switches", dict[str, Source]]:
        """Return the switches and the guarded systems behind them."""
        each = {name: Switched(source) for name, source in systems.items()}
        budget = Budget(retries=0, failures=2**30, stale_seconds=3600.0)
        guarded: dict[str, Source] = {
            name: Guard(source, budget, lambda: _NOW) for name, source in each.items()
        }
        return cls(list(each.values())), guarded

    @contextmanager
    def off(self) -> Iterator[None]:
        """Switch every system off as long as the block lasts."""
        self._set(is_down=True)
        yield
        self._set(is_down=False)

    def _set(self, *, is_down: bool) -> None:
        for each in self.each:
            each.is_down = is_down


def changed_rows(one: World, other: World) -> int:
    """Return how many rows are not the same in both."""
    return sum(_different(one[entity], other[entity]) for entity in one)


def _different(one: Iterable[Row], other: Iterable[Row]) -> int:
    told = [[repr(sorted(row.items(), key=_first)) for row in rows] for rows in (one, other)]
    return len(set(told[0]) ^ set(told[1]))


def _first(pair: tuple[str, object]) -> str:
    return pair[0]
