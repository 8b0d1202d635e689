"""Changes of accounts that wait for a second person, as a table: what was asked and decided."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Float, MetaData, Row, Table, Text, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from store.accounts import Roles, roles_of, written
from store.revisions import made


class State(StrEnum):
    """What became of a change."""

    PENDING = "pending"
    APPROVED = "approved"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class AccountChange:
    """
    A change that was asked for; `base` is the revision of the account it was asked of.

    `cover` names the account that gets the roles, of a delegation that lasts until `ends_at`.
    """

    id: str
    kind: str
    account: str
    roles: Roles
    asked_by: str
    asked_at: float
    department: str = ""
    cover: str = ""
    ends_at: float | None = None
    base: int = 0
    state: str = State.PENDING
    decided_by: str = ""
    decided_at: float | None = None


_PAGE: Final = 500
_METADATA: Final = MetaData()
_TABLE: Final = Table(
    "account_change",
    _METADATA,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("account", Text, nullable=False, index=True),
    Column("roles", Text, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("asked_at", Float, nullable=False),
    Column("department", Text, nullable=False),
    Column("cover", Text, nullable=False),
    Column("ends_at", Float),
    Column("base", BigInteger, nullable=False),
    Column("state", Text, nullable=False, index=True),
    Column("decided_by", Text, nullable=False),
    Column("decided_at", Float),
)


class AccountChanges:
    """The table in one database."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def create(self) -> None:
        """Make the table where there is none."""
        await made(self._engine, _METADATA)

    async def find(self, number: str) -> AccountChange | None:
        """Return the change with the id."""
        async with self._engine.connect() as connection:
            row = (await connection.execute(select(_TABLE).where(_TABLE.c.id == number))).first()
            return _change(row) if row else None

    async def latest(
        self, state: str, is_meant: Callable[[AccountChange], bool], most: int
    ) -> Sequence[AccountChange]:
        """Return the last changes in a state that are meant, the newest first."""
        asked = select(_TABLE).where(_TABLE.c.state == state)
        ordered = asked.order_by(_TABLE.c.asked_at.desc(), _TABLE.c.id)
        found: list[AccountChange] = []
        async with self._engine.connect() as connection:
            rows = await connection.stream(ordered)
            async for part in rows.partitions(_PAGE):
                found += filter(is_meant, map(_change, part))
                if len(found) >= most:
                    break
        return found[:most]

    async def ask(self, change: AccountChange) -> None:
        """Write a change that waits."""
        async with self._engine.begin() as connection:
            await connection.execute(insert(_TABLE).values(_values(change)))

    async def refuse(self, change: AccountChange, by: str, at: float) -> bool:
        """Return whether the change waited still, and waits no more."""
        async with self._engine.begin() as connection:
            return await decided(connection, change, (State.REFUSED, by, at))


async def decided(
    connection: AsyncConnection, change: AccountChange, decision: tuple[State, str, float]
) -> bool:
    """Return whether the change waited still; it is decided once, whoever tries as well."""
    state, by, at = decision
    waiting = (_TABLE.c.id == change.id) & (_TABLE.c.state == State.PENDING)
    values = {"state": state, "decided_by": by, "decided_at": at}
    return (await connection.execute(update(_TABLE).where(waiting).values(values))).rowcount == 1


def _values(change: AccountChange) -> Mapping[str, object]:
    values: dict[str, object] = {each.name: getattr(change, each.name) for each in fields(change)}
    return {**values, "roles": written(change.roles)}


def _change(row: Row[Any]) -> AccountChange:
    values = row._asdict()
    return AccountChange(**{**values, "roles": roles_of(values["roles"])})
