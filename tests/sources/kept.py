"""A register of shops whose answers are kept, and the system behind it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from contract.entity import Entity, Field, Kind, Relationship
from contract.errors import SourceUnavailable
from contract.predicate import (
    Within,
)
from contract.read import Aggregate, Function, Measure, Order, Read, Rows
from contract.source import Capabilities, Source
from sources.caching import Caching
from sources.declaration import Cache, MappedEntity
from sources.memory import MemorySource

SHOP = Entity(
    "Shop",
    {
        "code": Field("code", Kind.STRING, nullable=False),
        "name": Field("name", Kind.STRING),
        "place": Field("place", Kind.DIVISION),
        "size": Field("size", Kind.INTEGER),
        "ownedBy": Field("ownedBy", Kind.STRING),
    },
    ("code",),
    {"owner": Relationship("owner", "Owner", (("ownedBy", "number"),))},
)
OWNER = Entity("Owner", {"number": Field("number", Kind.STRING)}, ("number",))
SHOPS = [
    {"code": f"S{number}", "name": name, "place": place, "size": number % 4, "ownedBy": "O1"}
    for number, (name, place) in enumerate(
        [
            ("茶", "320205106"),
            ("茶", "320205107"),
            ("酒", "320205106"),
            ("米", "320411107"),
            (None, "320205"),
            ("油", None),
        ]
    )
]
BEGAN = datetime(2026, 5, 1, 8, 10, tzinfo=UTC)
PERIOD = datetime(2026, 5, 1, 8, tzinfo=UTC)
HOUR = Cache(3600.0)
COUNTED = (Measure("rows", Function.COUNT),)
COUNTY, TOWN, OTHER = (Within("place", code) for code in ("320205", "320205106", "320411"))
LISTED = Read("Shop", ("code", "place"), COUNTY, (Order("code"),))


@dataclass(slots=True)
class Counting:
    """A system that counts what it is asked, and answers when and as it is told to."""

    source: Source
    name: str = "registry"
    title: str = "登记"
    asked: list[Read | Aggregate] = field(default_factory=list)
    before: Callable[[], Awaitable[None]] | None = None
    entities: Mapping[str, Capabilities] = field(init=False)

    def __post_init__(self) -> None:
        self.entities = self.source.entities

    async def read(self, read: Read) -> Rows:
        await self._note(read)
        return await self.source.read(read)

    async def aggregate(self, aggregate: Aggregate) -> Rows:
        await self._note(aggregate)
        return await self.source.aggregate(aggregate)

    async def _note(self, question: Read | Aggregate) -> None:
        self.asked.append(question)
        if self.before is not None:
            await self.before()


class Clock:
    """The time, as it is told."""

    def __init__(self) -> None:
        self.time = BEGAN

    def __call__(self) -> datetime:
        return self.time


def registry(entity: Entity = SHOP, rows: Any = SHOPS) -> Counting:
    entities = {entity.name: entity, "Owner": OWNER}
    held = {entity.name: rows, "Owner": [{"number": "O1"}]}
    return Counting(MemorySource("registry", "登记", entities, held))


def kept(
    source: Source, clock: Clock | None = None, cache: Cache = HOUR, entity: Entity = SHOP
) -> Caching:
    mapped = {
        entity.name: MappedEntity(entity, "shop", {}, cache=cache),
        "Owner": MappedEntity(OWNER, "owner", {}),
    }
    return Caching(source, mapped, clock or Clock())


async def failing() -> None:
    raise SourceUnavailable("registry", "登记", "down")


async def as_none(waited: Awaitable[object]) -> None:
    await waited
