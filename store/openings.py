"""
Records of people that accounts have opened for a time, and what auditors are told of it.

Whom an opening is of, and why, is sealed by whoever writes it; nothing here can read it.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Final

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    MetaData,
    Table,
    Text,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncEngine

from store.revisions import made


@dataclass(frozen=True, slots=True)
class KeptOpening:
    """One opening; `sealed` holds whom it is of and why, `ends_at` is in seconds since 1970."""

    id: str
    account: str
    role: str
    scope: str
    purpose: str
    sealed: str
    begun_at: float
    ends_at: float


@dataclass(frozen=True, slots=True)
class BrokenGlass:
    """What auditors are told of an emergency; `subject` is a keyed hash, `reason` has no number."""

    id: str
    account: str
    role: str
    scope: str
    department: str
    subject: str
    reason: str
    at: float
    ends_at: float
    acknowledged_by: str = ""
    acknowledged_at: float = 0.0


_METADATA: Final = MetaData()
_KEPT_SECONDS: Final = 24 * 3600.0  # what ended is told by the ledger, and then forgotten here
_OPENINGS: Final = Table(
    "opening",
    _METADATA,
    Column("id", Text, primary_key=True),
    Column("account", Text, nullable=False, index=True),
    Column("role", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("sealed", Text, nullable=False),
    Column("begun_at", Float(53), nullable=False),
    Column("ends_at", Float(53), nullable=False),
    Column("is_closed", Boolean, nullable=False),
)
_GLASS: Final = Table(
    "break_glass",
    _METADATA,
    Column("id", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("department", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Float(53), nullable=False),
    Column("ends_at", Float(53), nullable=False),
    Column("acknowledged_by", Text, nullable=False),
    Column("acknowledged_at", Float(53), nullable=False),
)
_KEPT: Final = [_OPENINGS.c[field.name] for field in fields(KeptOpening)]
_TOLD: Final = [_GLASS.c[field.name] for field in fields(BrokenGlass)]


class OpeningStore:
    """The two tables in one database, of which other processes may be writers too."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def create(self) -> None:
        """Make the tables where there are none."""
        await made(self._engine, _METADATA)

    async def add(self, opening: KeptOpening, glass: BrokenGlass | None = None) -> None:
        """Keep an opening, and what auditors are told of it, or neither."""
        past = delete(_OPENINGS).where(_OPENINGS.c.ends_at < opening.begun_at - _KEPT_SECONDS)
        async with self._engine.begin() as connection:
            await connection.execute(past)
            await connection.execute(insert(_OPENINGS), asdict(opening) | {"is_closed": False})
            if glass is not None:
                await connection.execute(insert(_GLASS), asdict(glass))

    async def live(self, now: float) -> Sequence[KeptOpening]:
        """Return everybody's openings that have not ended, the oldest first."""
        asked = select(*_KEPT).where(_OPENINGS.c.ends_at > now, _OPENINGS.c.is_closed.is_(False))
        async with self._engine.connect() as connection:
            rows = await connection.execute(asked.order_by(_OPENINGS.c.begun_at, _OPENINGS.c.id))
            return [KeptOpening(*row) for row in rows]

    async def close(self, account: str, named: str, now: float) -> bool:
        """End an opening of the account; False where there is no such one that has not ended."""
        ended = (
            update(_OPENINGS)
            .where(
                _OPENINGS.c.id == named,
                _OPENINGS.c.account == account,
                _OPENINGS.c.ends_at > now,
                _OPENINGS.c.is_closed.is_(False),
            )
            .values(is_closed=True)
        )
        async with self._engine.begin() as connection:
            return bool((await connection.execute(ended)).rowcount)

    async def queue(self, scopes: Sequence[str], limit: int) -> Sequence[BrokenGlass]:
        """Return what nobody has acknowledged yet in the divisions, the oldest first."""
        own = [func.substr(_GLASS.c.scope, 1, len(scope)) == scope for scope in scopes]
        if not own:
            return []
        asked = select(*_TOLD).where(_GLASS.c.acknowledged_by == "", or_(*own))
        async with self._engine.connect() as connection:
            rows = await connection.execute(asked.order_by(_GLASS.c.at, _GLASS.c.id).limit(limit))
            return [BrokenGlass(*row) for row in rows]

    async def told(self, named: str) -> BrokenGlass | None:
        """Return what auditors are told of one emergency."""
        async with self._engine.connect() as connection:
            row = (await connection.execute(select(*_TOLD).where(_GLASS.c.id == named))).first()
            return BrokenGlass(*row) if row else None

    async def acknowledge(self, named: str, account: str, now: float) -> bool:
        """Note who has looked at an emergency; False where somebody has done so."""
        seen = (
            update(_GLASS)
            .where(_GLASS.c.id == named, _GLASS.c.acknowledged_by == "")
            .values(acknowledged_by=account, acknowledged_at=now)
        )
        async with self._engine.begin() as connection:
            return bool((await connection.execute(seen)).rowcount)
