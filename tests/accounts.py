"""Accounts in a store of their own, administrators over them, and clocks that stand still."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from auth.accounts import load_accounts
from auth.accounts import take_in as taken
from auth.administration import Administration, Office
from auth.authority import Place
from auth.issuer import EmbeddedIssuer
from auth.passwords import Passwords
from auth.policy import Policy
from auth.policy_file import load_policy
from auth.principal import Principal
from auth.sign_in import Locks, SignIn
from auth.standing import Standing
from gateway.settings import store_in
from sources.divisions import division_tree
from store.account_changes import AccountChanges
from store.accounts import Accounts
from store.database import open_store
from store.sign_ins import SignIns
from tests.graph import ROOT, graph_entities

SECRET = b"a secret of the tests, 32 bytes."
NOW = 1_790_000_000.0
PASSWORD = "a good long password"  # noqa: S105 -- of nobody
XIBEI, DONGGANG, LONGHUTANG = "320205106", "320205107", "320411003"
XISHAN, XINBEI = "320205", "320411"

PEOPLE: Mapping[str, Principal] = {
    name: Principal(name, (role,), (scope,))
    for name, role, scope in (
        ("clerk-xibei", "township_clerk", XIBEI),
        ("clerk-donggang", "township_clerk", DONGGANG),
        ("grid-xibei", "grid_worker", f"{XIBEI}001"),
        ("clerk-far", "township_clerk", LONGHUTANG),
        ("officer-county", "county_officer", XISHAN),
        ("admin-one", "county_administrator", XISHAN),
        ("admin-two", "county_administrator", XISHAN),
        ("admin-far", "county_administrator", XINBEI),
        ("auditor", "auditor", "32"),
    )
}


def take_in(folder: Path, name: str = "accounts.toml") -> None:
    """Take a file of accounts into the store of a folder, as the command does."""
    asyncio.run(taken_in(folder, load_accounts(folder / name).values()))


async def taken_in(folder: Path, people: Iterable[Principal]) -> None:
    """Give the store of a folder these accounts."""
    engine = await open_store(store_in(folder))
    try:
        accounts = Accounts(engine)
        await accounts.create()
        await taken(accounts, people, NOW)
    finally:
        await engine.dispose()


class Hands:
    """A clock that only moves when it is told to."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def cheap_passwords(waiting: int = 32) -> Passwords:
    """Return passwords that are tried as always, with less work for each."""
    return Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1), waiting)


def place(code: str) -> str | None:
    return code if division_tree().get(code) is not None else None


@cache
def policy() -> Policy:
    entities = graph_entities()
    return load_policy(ROOT / "auth" / "policy.toml", entities, frozenset({"MedicalEnrollment"}))


@dataclass
class Statements:
    """What was asked of a database."""

    seen: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, engine: AsyncEngine) -> "Statements":
        statements = cls()

        def note(*said: Any) -> None:
            statements.seen.append(said[2])

        event.listen(engine.sync_engine, "before_cursor_execute", note)
        return statements

    def since(self, before: int) -> list[str]:
        return [" ".join(each.split()[:3]) for each in self.seen[before:]]


@dataclass
class Town:
    """A store with accounts, and what works with them in one process."""

    engine: AsyncEngine
    standing: Standing
    office: Office
    sign_in: SignIn
    issuer: EmbeddedIssuer
    clock: Hands
    seconds: Hands
    records: list[Mapping[str, Any]]
    policy: Policy
    issuer_folder: Path
    place: Place = place

    def as_(self, name: str) -> Administration:
        """Return the administrator, as a request of theirs has it."""
        account = self.standing.find(name)
        assert account is not None
        principal = self.standing.now(account)
        return Administration(self.office, self.policy, self.place, principal)

    def noted(self, *names: str) -> list[tuple[Any, ...]]:
        """Return what the ledger was told, as far as it is named."""
        return [tuple(record.get(name) for name in names) for record in self.records]

    async def give_password(self, name: str, password: str = PASSWORD) -> None:
        hashed = await self.office.passwords.hashed(password)
        async with self.standing.store.changing() as changing:
            account = await changing.find(name)
            assert account is not None
            await changing.put(replace(account, password=hashed, password_changed_at=self.clock()))
        await self.standing.refresh()


@asynccontextmanager
async def town(
    folder: Path, url: str = "", people: Iterable[Principal] = PEOPLE.values(), waiting: int = 32
) -> AsyncIterator[Town]:
    """Open a store with accounts as long as the block lasts."""
    engine = await open_store(url or f"sqlite+aiosqlite:///{folder / 'store.db'}")
    passwords = cheap_passwords(waiting)
    try:
        yield await _town(engine, passwords, folder, people)
    finally:
        passwords.close()
        await engine.dispose()


async def _town(
    engine: AsyncEngine, passwords: Passwords, folder: Path, people: Iterable[Principal]
) -> Town:
    clock, seconds, records = Hands(), Hands(0.0), list[Mapping[str, Any]]()

    async def note(record: Mapping[str, object]) -> None:
        await asyncio.sleep(0)
        records.append(record)

    accounts, sign_ins, changes = Accounts(engine), SignIns(engine), AccountChanges(engine)
    await accounts.create()
    await sign_ins.create()
    await changes.create()
    await taken(accounts, people, clock())
    standing = Standing(accounts, clock, seconds)
    await standing.refresh()
    locks = Locks.of(sign_ins, SECRET)
    office = Office(standing, changes, locks, passwords, note, clock)
    issuer = EmbeddedIssuer.opened(folder, clock)
    sign_in = SignIn(issuer, standing, locks, passwords, note)
    sign_in.clock = clock
    return Town(
        engine, standing, office, sign_in, issuer, clock, seconds, records, policy(), folder
    )
