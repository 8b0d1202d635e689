"""Sessions and wrong passwords, as tables; names that nobody has are counted like any other."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    MetaData,
    Table,
    Text,
    delete,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.ext.asyncio import AsyncEngine

from store.revisions import made


@dataclass(frozen=True, slots=True)
class Session:
    """A sign-in that may be renewed until it ends; times are seconds since 1970, UTC."""

    id: str
    account: str
    begun_at: float
    ends_at: float
    is_ended: bool = False


@dataclass(frozen=True, slots=True)
class Failures:
    """How often a name came with a wrong password, and until when it is locked."""

    count: int = 0
    last_at: float = 0.0
    locked_until: float = 0.0


FORGOTTEN_SECONDS: Final = 24 * 3600.0
Count: TypeAlias = Callable[[Failures], Failures]

_METADATA: Final = MetaData()
_SESSION: Final = Table(
    "account_session",
    _METADATA,
    Column("id", Text, primary_key=True),
    Column("account", Text, nullable=False, index=True),
    Column("begun_at", Float, nullable=False),
    Column("ends_at", Float, nullable=False, index=True),
    Column("is_ended", Boolean, nullable=False),
)
_FAILURE: Final = Table(
    "sign_in_failure",
    _METADATA,
    Column("name_hash", Text, primary_key=True),
    Column("count", BigInteger, nullable=False),
    Column("last_at", Float, nullable=False, index=True),
    Column("locked_until", Float, nullable=False),
)
# Takes the turn of a name, and makes its row where there is none.
_TURN: Final = text(
    "INSERT INTO sign_in_failure (name_hash, count, last_at, locked_until) "
    "VALUES (:name_hash, 0, :at, 0) ON CONFLICT (name_hash) DO UPDATE SET "
    "count = sign_in_failure.count RETURNING count, last_at, locked_until"
)


class SignIns:
    """The tables in one database."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def create(self) -> None:
        """Make the tables where there are none."""
        await made(self._engine, _METADATA)

    async def failures(self, name_hash: str) -> Failures:
        """Return what is known of a name."""
        return (await self.locks((name_hash,))).get(name_hash, Failures())

    async def locks(self, name_hashes: Collection[str]) -> Mapping[str, Failures]:
        """Return what is known of the names of which something is."""
        asked = select(_FAILURE).where(_FAILURE.c.name_hash.in_(name_hashes))
        async with self._engine.connect() as connection:
            rows = (await connection.execute(asked)).all()
        return {row[0]: Failures(*row[1:]) for row in rows}

    async def attempt(self, name_hash: str, at: float, count: Count) -> Failures:
        """
        Return what `count` makes of what is known of a name, which is what is known from now on.

        Attempts for one name take turns, in every process; names of long ago are cleared away.
        """
        async with self._engine.begin() as connection:
            row = (await connection.execute(_TURN, {"name_hash": name_hash, "at": at})).one()
            after = count(Failures(*row))
            same = _FAILURE.c.name_hash == name_hash
            await connection.execute(update(_FAILURE).where(same).values(_counted(after)))
            old = _FAILURE.c.last_at < at - FORGOTTEN_SECONDS
            await connection.execute(delete(_FAILURE).where(old))
            return after

    async def forget(self, name_hash: str) -> None:
        """Count from nothing again."""
        async with self._engine.begin() as connection:
            await connection.execute(delete(_FAILURE).where(_FAILURE.c.name_hash == name_hash))

    async def begin(self, session: Session) -> None:
        """Write a session; those that ended by themselves are cleared away."""
        values = {
            "id": session.id,
            "account": session.account,
            "begun_at": session.begun_at,
            "ends_at": session.ends_at,
            "is_ended": session.is_ended,
        }
        async with self._engine.begin() as connection:
            await connection.execute(delete(_SESSION).where(_SESSION.c.ends_at < session.begun_at))
            await connection.execute(insert(_SESSION).values(values))

    async def session(self, number: str) -> Session | None:
        """Return the session with the id."""
        asked = select(_SESSION).where(_SESSION.c.id == number)
        async with self._engine.connect() as connection:
            row = (await connection.execute(asked)).first()
        return Session(*row) if row else None

    async def end(self, number: str) -> None:
        """Let a session be renewed no more."""
        async with self._engine.begin() as connection:
            await connection.execute(
                update(_SESSION).where(_SESSION.c.id == number).values(is_ended=True)
            )

    async def end_all(self, account: str) -> None:
        """Let no session of the account be renewed any more."""
        async with self._engine.begin() as connection:
            await connection.execute(
                update(_SESSION).where(_SESSION.c.account == account).values(is_ended=True)
            )


def _counted(failures: Failures) -> Mapping[str, object]:
    return {
        "count": failures.count,
        "last_at": failures.last_at,
        "locked_until": failures.locked_until,
    }
