"""
The accounts of a server: what is kept of them while it serves, and what a request gets of it.

Sign-in and administration are there only where the embedded issuer is one of the issuers; that a
name is shut out holds for tokens of every issuer.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, TypeAlias

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from auth.administration import Administration, Office
from auth.authenticate import Authenticator
from auth.issuer import ISSUER, EmbeddedIssuer
from auth.passwords import Passwords
from auth.principal import Principal
from auth.sign_in import Begun, Locks, Note, SignIn
from auth.standing import Standing, store_in_reach
from auth.trust import load_issuers
from contract.errors import BadInput, Forbidden
from gateway.graph import OpenGraph
from gateway.secret import read_secret
from gateway.settings import Serving
from sources.code_systems import CodeSystems
from store.account_changes import AccountChanges
from store.accounts import Accounts
from store.database import StoreUnavailable
from store.sign_ins import SignIns

Drop: TypeAlias = Callable[[str], Awaitable[None]]
"""Has every process forget what it keeps of a source's answers."""
Given: TypeAlias = Callable[[OpenGraph, Principal], tuple[Administration | None, Drop | None]]
"""Gives what a principal may change of accounts and copies."""

COPIES: Final = "copies "
"""What the number of a source's kept answers is called, before the source's name."""
_NO_SOURCE: Final = "没有这个系统。"


def given_nothing(_: OpenGraph, __: Principal) -> tuple[None, None]:
    """Return nothing, where no accounts are kept."""
    return None, None


@dataclass(frozen=True, slots=True)
class Doors:
    """Sign-in as the edge asks for it: tokens come in, and others go out."""

    work: SignIn
    authenticator: Authenticator

    async def sign_in(self, name: str, password: str) -> Begun:
        """Return a token for the account."""
        with store_in_reach():
            return await self.work.sign_in(name, password)

    async def change_password(self, name: str, password: str, new: str) -> Begun:
        """Return a token for the account, whose password is the new one."""
        with store_in_reach():
            return await self.work.change_password(name, password, new)

    async def renew(self, authorization: str | None) -> Begun:
        """Return the next token of a session."""
        with store_in_reach():
            return await self.work.renew(*await self.authenticator.verified(authorization))

    async def end(self, authorization: str | None) -> None:
        """End the session of a token."""
        with store_in_reach():
            await self.work.end(*await self.authenticator.verified(authorization))


@dataclass(frozen=True, slots=True)
class KeptAccounts:
    """The accounts as a server knows them; `office` and `sign_in` for the embedded issuer alone."""

    standing: Standing
    note: Note
    office: Office | None = None
    sign_in: SignIn | None = None

    def doors(self, authenticator: Authenticator) -> Doors | None:
        """Return sign-in over HTTP."""
        return Doors(self.sign_in, authenticator) if self.sign_in else None

    def given(self, graph: OpenGraph, principal: Principal) -> tuple[Administration | None, Drop]:
        """Return what the principal may change of accounts and copies."""
        office, drop = self.office, partial(self.drop, graph, principal)
        if office is None:
            return None, drop
        return Administration(
            office, graph.policy, partial(place_of, graph.systems), principal
        ), drop

    async def drop(self, graph: OpenGraph, principal: Principal, source: str) -> None:
        """
        Have every process forget what it keeps of a source's answers.

        Raises: Forbidden for whoever may not see how the system runs; BadInput, AuditUnavailable.
        """
        departments = {each.name: each.department for each in graph.assembly.departments}
        if not any(graph.policy.sees_operations(principal, each) for each in departments.values()):
            raise Forbidden
        if source not in departments:
            raise BadInput(_NO_SOURCE)
        if not graph.policy.sees_operations(principal, departments[source]):
            raise Forbidden
        await self.note({"kind": "copies", "source": source, "by": principal.account})
        with store_in_reach():
            await self.standing.store.revisions.advance(f"{COPIES}{source}")
            await self.standing.refresh()

    def drop_from(self, graph: Callable[[], OpenGraph]) -> None:
        """Forget the copies of the graph in force when another process says so, or this one."""

        async def heard(name: str) -> None:
            opened = graph().assembly.systems.get(name.removeprefix(COPIES))
            if name.startswith(COPIES) and opened is not None:
                await opened.forget()

        self.standing.heard = heard


@asynccontextmanager
async def kept_accounts(
    store: AsyncEngine, options: Serving, note: Note
) -> AsyncIterator[KeptAccounts]:
    """
    Keep the accounts of the store in memory as long as the block lasts.

    Raises: StoreUnavailable where there are no tables and none can be made; Mistakes, ValueError,
            OSError for files that cannot be used.
    """
    standing = Standing(Accounts(store), options.now)
    try:
        await standing.store.create()
        await standing.refresh()
    except (SQLAlchemyError, OSError) as error:
        raise StoreUnavailable("the accounts cannot be read from the store") from error
    reading = asyncio.create_task(standing.run())
    passwords: Passwords | None = None
    try:
        if is_embedded(options):
            passwords = Passwords()
            yield await _embedded(store, options, KeptAccounts(standing, note), passwords)
        else:
            yield KeptAccounts(standing, note)
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        if passwords is not None:
            passwords.close()


def is_embedded(options: Serving) -> bool:
    """
    Return whether tokens of the embedded issuer are accepted, and its key is here.

    Raises: Mistakes.
    """
    issuers = (issuer.issuer for issuer in load_issuers(options.issuers))
    return ISSUER in issuers and EmbeddedIssuer.is_in(options.issuers.parent)


def place_of(systems: CodeSystems, scope: str) -> str | None:
    """Return the code by which a division is known now; None where there is none."""
    code = systems.scope(scope)
    return code if systems.tree.get(code) is not None else None


async def opened_office(
    store: AsyncEngine, standing: Standing, secret: bytes, passwords: Passwords, note: Note
) -> Office:
    """Return what administrators work with; its tables are made where there are none."""
    sign_ins, changes = SignIns(store), AccountChanges(store)
    await sign_ins.create()
    await changes.create()
    return Office(standing, changes, Locks.of(sign_ins, secret), passwords, note, standing.clock)


async def _embedded(
    store: AsyncEngine, options: Serving, kept: KeptAccounts, passwords: Passwords
) -> KeptAccounts:
    secret = read_secret(options.key_file)
    office = await opened_office(store, kept.standing, secret, passwords, kept.note)
    issuer = EmbeddedIssuer.opened(options.issuers.parent, options.now)
    sign_in = SignIn(issuer, kept.standing, office.locks, passwords, kept.note)
    sign_in.clock = options.now
    return replace(kept, office=office, sign_in=sign_in)
