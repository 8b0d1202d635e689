"""
The accounts of the gateway's own login service, as tables: who, in which roles, and in what state.

What an account may do, and who may change it, is the business of others. Accounts are never
deleted: a name that was given once stays with the person it was given to.
"""

import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any, Final, TypeAlias

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Float,
    MetaData,
    Row,
    Table,
    Text,
    insert,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from store.revisions import Revisions, advanced, made

REVISION: Final = "accounts"

Roles: TypeAlias = tuple[tuple[str, str], ...]
"""Roles with the scope each is held in."""


class Status(StrEnum):
    """Whether an account may be used."""

    ACTIVE = "active"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Account:
    """
    One account; times are seconds since 1970, UTC.

    `citizen` is the citizen number of who may see their own record. `password` is a hash, empty
    where there is none; one that somebody else gave counts until `password_ends_at`. Tokens issued
    before `tokens_from` count no more.
    """

    name: str
    roles: Roles
    department: str = ""
    purpose: str = ""
    citizen: str = field(default="", repr=False)
    status: str = Status.ACTIVE
    password: str = ""
    password_changed_at: float = 0.0
    password_ends_at: float | None = None
    must_change: bool = False
    tokens_from: int = 0
    created_at: float = 0.0
    changed_at: float = 0.0
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Delegation:
    """Leave cover: `account` has these roles of another one until an end, or until ended."""

    id: str
    account: str
    absent: str
    roles: Roles
    ends_at: float
    is_ended: bool = False
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Loaded:
    """What changed behind a revision."""

    accounts: Sequence[Account]
    delegations: Sequence[Delegation]


_METADATA: Final = MetaData()
_ACCOUNT: Final = Table(
    "account",
    _METADATA,
    Column("name", Text, primary_key=True),
    Column("roles", Text, nullable=False),
    Column("department", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("citizen", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("password", Text, nullable=False),
    Column("password_changed_at", Float, nullable=False),
    Column("password_ends_at", Float),
    Column("must_change", Boolean, nullable=False),
    Column("tokens_from", BigInteger, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("changed_at", Float, nullable=False),
    Column("revision", BigInteger, nullable=False, index=True),
)
_DELEGATION: Final = Table(
    "account_delegation",
    _METADATA,
    Column("id", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("absent", Text, nullable=False),
    Column("roles", Text, nullable=False),
    Column("ends_at", Float, nullable=False),
    Column("is_ended", Boolean, nullable=False),
    Column("revision", BigInteger, nullable=False, index=True),
)
_BATCH: Final = 1_000


class Accounts:
    """The tables in one database, of which other processes may be writers too."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self.revisions = Revisions(engine)

    async def create(self) -> None:
        """Make the tables where there are none."""
        await self.revisions.create()
        await made(self._engine, _METADATA)

    async def since(self, revision: int) -> Loaded:
        """
        Return everything that changed after a revision; all there is for 0.

        Reads:  two statements, however many there are.
        """
        accounts = select(_ACCOUNT).where(_ACCOUNT.c.revision > revision)
        delegations = select(_DELEGATION).where(_DELEGATION.c.revision > revision)
        async with self._engine.connect() as connection:
            return Loaded(
                [_account(row) for row in await connection.execute(accounts)],
                [_delegation(row) for row in await connection.execute(delegations)],
            )

    async def find(self, name: str) -> Account | None:
        """Return the account."""
        async with self._engine.connect() as connection:
            return await _found(connection, name)

    @asynccontextmanager
    async def changing(self) -> AsyncIterator["Changing"]:
        """Give what changes accounts; all of it counts when the block ends well, or nothing."""
        async with self._engine.begin() as connection:
            yield Changing(connection, await advanced(connection, REVISION))


@dataclass(frozen=True, slots=True)
class Changing:
    """One transaction; nobody else changes accounts while it lasts."""

    connection: AsyncConnection
    revision: int

    async def find(self, name: str) -> Account | None:
        """Return the account as it is now."""
        return await _found(self.connection, name)

    async def put(self, account: Account) -> None:
        """Write an account anew, whether or not there is one of this name."""
        values = _values(replace(account, revision=self.revision))
        same = _ACCOUNT.c.name == account.name
        if not (
            await self.connection.execute(update(_ACCOUNT).where(same).values(values))
        ).rowcount:
            await self.connection.execute(insert(_ACCOUNT).values(values))

    async def add(self, accounts: Iterable[Account]) -> None:
        """Write accounts of which there are none of these names, many at a time."""
        rows = [_values(replace(account, revision=self.revision)) for account in accounts]
        for start in range(0, len(rows), _BATCH):
            await self.connection.execute(insert(_ACCOUNT), rows[start : start + _BATCH])

    async def every(self) -> Sequence[Account]:
        """Return all accounts."""
        return [_account(row) for row in await self.connection.execute(select(_ACCOUNT))]

    async def delegate(self, delegation: Delegation) -> None:
        """Write a new delegation."""
        values = _values(replace(delegation, revision=self.revision))
        await self.connection.execute(insert(_DELEGATION).values(values))

    async def end_all(self, name: str) -> None:
        """Let no delegation to or from an account count any more."""
        await self._end((_DELEGATION.c.account == name) | (_DELEGATION.c.absent == name))

    async def end_between(self, account: str, absent: str) -> None:
        """Let no delegation from one account to another count any more."""
        await self._end((_DELEGATION.c.account == account) & (_DELEGATION.c.absent == absent))

    async def _end(self, which: ColumnElement[bool]) -> None:
        ended = {"is_ended": True, "revision": self.revision}
        lasting = which & _DELEGATION.c.is_ended.is_(False)
        await self.connection.execute(update(_DELEGATION).where(lasting).values(ended))


async def _found(connection: AsyncConnection, name: str) -> Account | None:
    row = (await connection.execute(select(_ACCOUNT).where(_ACCOUNT.c.name == name))).first()
    return _account(row) if row else None


def written(roles: Roles) -> str:
    """Return roles as one text, read by `roles_of`."""
    return json.dumps(roles)


def roles_of(text: str) -> Roles:
    """Return the roles that `written` wrote."""
    return tuple((role, scope) for role, scope in json.loads(text))


def _values(record: Account | Delegation) -> Mapping[str, object]:
    values: dict[str, object] = {each.name: getattr(record, each.name) for each in fields(record)}
    return {**values, "roles": written(record.roles)}


def _account(row: Row[Any]) -> Account:
    values = row._asdict()
    return Account(**{**values, "roles": roles_of(values["roles"])})


def _delegation(row: Row[Any]) -> Delegation:
    values = row._asdict()
    return Delegation(**{**values, "roles": roles_of(values["roles"])})
