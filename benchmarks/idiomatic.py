"""Strawberry, SQLAlchemy's ORM and DataLoaders, put together as their documentation shows."""

import os
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from functools import partial
from typing import Any, TypeAlias, TypeVar

import strawberry
from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute, Mapped, mapped_column
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader
from strawberry.types import Info

from benchmarks.listening import listen
from benchmarks.scoping import masked, scope_of, span

Model = TypeVar("Model", bound="Base")
Sessions: TypeAlias = async_sessionmaker[AsyncSession]


class Base(DeclarativeBase):
    """The tables."""


class ResidentRow(Base):
    """A resident."""

    __tablename__ = "resident"
    number: Mapped[str] = mapped_column(primary_key=True)
    id_number: Mapped[str]
    name: Mapped[str]
    sex: Mapped[str]
    birth_date: Mapped[date]
    household_number: Mapped[str]
    division: Mapped[str]


class HouseholdRow(Base):
    """A household."""

    __tablename__ = "household"
    number: Mapped[str] = mapped_column(primary_key=True)
    address: Mapped[str]
    division: Mapped[str]


class CaseRow(Base):
    """A case."""

    __tablename__ = "case_file"
    number: Mapped[str] = mapped_column(primary_key=True)
    matter_code: Mapped[str]
    applicant_id_number: Mapped[str]
    status: Mapped[str]
    division: Mapped[str]


class MatterRow(Base):
    """A matter."""

    __tablename__ = "matter"
    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]


@dataclass(frozen=True, slots=True)
class Context:
    """What one request carries: its scope, and a loader for each relationship."""

    sessions: Sessions
    scope: tuple[str, str]
    households: DataLoader[str, HouseholdRow | None]
    members: DataLoader[str, list[ResidentRow]]
    cases: DataLoader[str, list[CaseRow]]
    matters: DataLoader[str, MatterRow | None]


def context_for(sessions: Sessions, scope: tuple[str, str]) -> Context:
    """Return the context of one request."""
    return Context(
        sessions,
        scope,
        DataLoader(_one(sessions, _in_scope(HouseholdRow, scope), HouseholdRow.number)),
        DataLoader(_many(sessions, _in_scope(ResidentRow, scope), ResidentRow.household_number)),
        DataLoader(_many(sessions, _in_scope(CaseRow, scope), CaseRow.applicant_id_number)),
        DataLoader(_one(sessions, select(MatterRow), MatterRow.code)),
    )


def _within(column: Any, scope: tuple[str, str]) -> ColumnElement[bool]:
    inside: ColumnElement[bool] = (column >= scope[0]) & (column < scope[1])
    return inside


def _in_scope(model: type[Model], scope: tuple[str, str]) -> Select[Model]:
    within = _within(model.division, scope)  # type: ignore[attr-defined] # all of these have one
    return select(model).where(within)


def _one(
    sessions: Sessions, rows: Select[Model], by: InstrumentedAttribute[str]
) -> Callable[[list[str]], Awaitable[Sequence[Model | None]]]:
    async def load(keys: list[str]) -> Sequence[Model | None]:
        async with sessions() as session:
            found = {getattr(row, by.key): row for row in await _found(session, rows, by, keys)}
        return [found.get(key) for key in keys]

    return load


def _many(
    sessions: Sessions, rows: Select[Model], by: InstrumentedAttribute[str]
) -> Callable[[list[str]], Awaitable[Sequence[list[Model]]]]:
    async def load(keys: list[str]) -> Sequence[list[Model]]:
        found: dict[str, list[Model]] = {key: [] for key in keys}
        async with sessions() as session:
            for row in await _found(session, rows.order_by("number"), by, keys):
                found[getattr(row, by.key)].append(row)
        return [found[key] for key in keys]

    return load


async def _found(
    session: AsyncSession,
    rows: Select[Model],
    by: InstrumentedAttribute[str],
    keys: list[str],
) -> Iterable[Model]:
    return await session.scalars(rows.where(by.in_(keys)))


@strawberry.enum
class Sex(Enum):
    """Sex."""

    MALE = "1"
    FEMALE = "2"


@strawberry.enum
class CaseStatus(Enum):
    """State of a case."""

    ACCEPTED = "ACCEPTED"
    SUSPENDED = "SUSPENDED"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    CLOSED = "CLOSED"


Asked: TypeAlias = Info[Context, None]


@strawberry.type
class Matter:
    """A matter."""

    code: str
    name: str


@strawberry.type
class Case:
    """A case."""

    number: str
    row: strawberry.Private[CaseRow]

    @strawberry.field
    def status(self) -> CaseStatus:
        """Return the state."""
        return CaseStatus(self.row.status)

    @strawberry.field
    async def matter(self, info: Asked) -> Matter | None:
        """Return the matter."""
        row = await info.context.matters.load(self.row.matter_code)
        return Matter(code=row.code, name=row.name) if row else None


@strawberry.type
class Cases:
    """Some cases."""

    nodes: list[Case]


@strawberry.type
class Household:
    """A household."""

    number: str
    address: str

    @strawberry.field
    async def members(self, info: Asked) -> list["Resident"]:
        """Return the members."""
        return [Resident.of(row) for row in await info.context.members.load(self.number)]


@strawberry.type
class Resident:
    """A resident."""

    name: str
    birth_date: date
    row: strawberry.Private[ResidentRow]

    @classmethod
    def of(cls, row: ResidentRow) -> "Resident":
        """Return the resident of a row."""
        return cls(name=row.name, birth_date=row.birth_date, row=row)

    @strawberry.field
    def id_number(self) -> str:
        """Return the citizen number, masked."""
        return masked(self.row.id_number)

    @strawberry.field
    def sex(self) -> Sex:
        """Return the sex."""
        return Sex(self.row.sex)

    @strawberry.field
    async def household(self, info: Asked) -> Household | None:
        """Return the household."""
        row = await info.context.households.load(self.row.household_number)
        return Household(number=row.number, address=row.address) if row else None

    @strawberry.field
    async def cases(self, info: Asked, first: int) -> Cases:
        """Return the first cases."""
        rows = await info.context.cases.load(self.row.id_number)
        return Cases(nodes=[Case(number=row.number, row=row) for row in rows[:first]])


@strawberry.type
class Residents:
    """Some residents."""

    nodes: list[Resident]


@strawberry.type
class Key:
    """One value that a group has."""

    value: str


@strawberry.type
class CaseGroup:
    """Cases of one matter and status."""

    keys: list[Key]
    count: int


@strawberry.type
class CaseAggregate:
    """Cases by group."""

    groups: list[CaseGroup]


@strawberry.type
class Aggregates:
    """Figures."""

    @strawberry.field
    async def cases(self, info: Asked, township: str) -> CaseAggregate:
        """Return a township's cases counted by matter and status."""
        by = (CaseRow.matter_code, CaseRow.status)
        inside = _within(CaseRow.division, info.context.scope)
        counted = select(*by, func.count()).where(inside).group_by(*by).order_by(*by)
        async with info.context.sessions() as session:
            found = await session.execute(counted.where(_within(CaseRow.division, span(township))))
            rows = found.all()
        groups = [
            CaseGroup(keys=[Key(value=matter), Key(value=status)], count=count)
            for matter, status, count in rows
        ]
        return CaseAggregate(groups=groups)


@strawberry.type
class Matters:
    """Some matters."""

    nodes: list[Matter]


@strawberry.type
class Query:
    """Where queries start."""

    @strawberry.field
    async def resident(self, info: Asked, id_number: str) -> Resident | None:
        """Return a resident."""
        asked = _in_scope(ResidentRow, info.context.scope)
        async with info.context.sessions() as session:
            row = await session.scalar(asked.where(ResidentRow.id_number == id_number))
        return Resident.of(row) if row else None

    @strawberry.field
    async def residents(self, info: Asked, township: str, first: int) -> Residents:
        """Return the first residents of a township."""
        asked = _in_scope(ResidentRow, info.context.scope)
        asked = asked.where(_within(ResidentRow.division, span(township)))
        asked = asked.order_by(ResidentRow.division, ResidentRow.number).limit(first)
        async with info.context.sessions() as session:
            rows = await session.scalars(asked)
            return Residents(nodes=[Resident.of(row) for row in rows])

    @strawberry.field
    def aggregate(self) -> Aggregates:
        """Return figures."""
        return Aggregates()

    @strawberry.field
    async def matters(self, info: Asked, first: int) -> Matters:
        """Return the first matters."""
        async with info.context.sessions() as session:
            rows = await session.scalars(select(MatterRow).order_by(MatterRow.code).limit(first))
            return Matters(nodes=[Matter(code=row.code, name=row.name) for row in rows])


class Endpoint(GraphQL[Context, None]):
    """The endpoint, with a context for each request."""

    def __init__(self, schema: strawberry.Schema, sessions: Sessions) -> None:
        super().__init__(schema)
        self._context_for = partial(context_for, sessions)

    async def get_context(
        self, request: Request | WebSocket, response: Response | WebSocket
    ) -> Context:
        """Return the request's own context."""
        del response
        return self._context_for(scope_of(request.headers["authorization"]))


def application(address: str) -> Starlette:
    """Return the server of the database."""
    engine = create_async_engine(address, pool_size=16, max_overflow=0)
    endpoint = Endpoint(strawberry.Schema(Query), async_sessionmaker(engine))
    return Starlette(routes=[Route("/graphql", endpoint)])


if __name__ == "__main__":
    listen(application(os.environ["REGISTRY_URL"]))
