"""
The commands about accounts: what administrators do, and what only an operator does.

An administrator is named by `--by`; the rules are those of the graph, the second pair of eyes too.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Final, TypeAlias

from cyclopts import App, Parameter
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from auth.accounts import load_accounts, take_in
from auth.administration import (
    Administration,
    Kind,
    Office,
    Outcome,
    Wanted,
    disabled,
    given,
)
from auth.passwords import Passwords, given_password
from auth.policy_file import load_policy
from auth.principal import Principal
from auth.standing import Standing
from contract.errors import Failure
from gateway.accounts import opened_office, place_of
from gateway.auditing import Keeping, auditing
from gateway.graph import Files, entities_of
from gateway.secret import read_secret
from gateway.settings import CommandRefused, store_in
from schema.graph import core_entities
from sources.code_systems import CodeSystems
from store.account_changes import State
from store.accounts import Account, Accounts, Status
from store.database import open_store

_OPERATOR: Final = "operator"
_DAY: Final = 24 * 3600
_WIDTH: Final = 160
_NAMED: Final = 20


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True, slots=True)
class Desk(Keeping):
    """Where the accounts are, and the declarations that a policy speaks of."""

    state: Annotated[
        Path | None, Parameter(help="Folder with the store and the key, as that of the demo.")
    ] = None
    departments: Annotated[Path, Parameter(help="Folder of mapping files.")] = Path("departments")
    policy: Annotated[Path, Parameter(help="Which role sees which rows and fields.")] = Path(
        "auth/policy.toml"
    )

    @property
    def kept(self) -> Keeping:
        """Return where the store, the key and the heads of the ledger are."""
        if self.state is None:
            return self
        return Keeping(store=store_in(self.state), key_file=self.state / "key")


By: TypeAlias = Annotated[str, Parameter(help="The administrator who does it.")]
Held: TypeAlias = Annotated[
    tuple[str, ...], Parameter(name="--role", help="ROLE@DIVISION, as township_clerk@320205106.")
]
_DESK: Final = Desk()
account: Final = App(name="account", help="Accounts of the embedded issuer: who, in which roles.")


@account.command(name="import")
def import_command(file: Path, /, *, desk: Desk = _DESK) -> None:
    """Take the accounts of a file like accounts.toml into the store; for operators."""
    principals = load_accounts(file)

    async def work(office: Office) -> None:
        await _noted(office, "import", "", count=len(principals))
        taken = await take_in(office.standing.store, principals.values(), time.time())
        print(f"{taken.added} accounts added, {taken.changed} changed")  # noqa: T201 -- the answer

    _run(desk, work)


@account.command(name="list")
def list_command(
    *,
    scope: Annotated[str, Parameter(help="Only those with a role there or beneath.")] = "",
    desk: Desk = _DESK,
) -> None:
    """Print accounts; for operators."""

    async def work(office: Office) -> None:
        found = [each for each in office.standing if _is_within(each, scope)]
        Console(width=_WIDTH).print(_rendered(sorted(found, key=lambda each: each.name)))

    _run(desk, work)


@account.command(name="password")
def password_command(name: str, /, *, desk: Desk = _DESK) -> None:
    """Give an account a password for its first sign-in, and print it; for operators."""

    async def work(office: Office) -> None:
        password, at = given_password(), time.time()
        hashed = await office.passwords.hashed(password)
        kind = Kind.RESET_PASSWORD
        await _changed(office, name, kind, lambda each: given(each, hashed, at))
        await office.locks.store.end_all(name)
        print(password)  # noqa: T201 -- the answer

    _run(desk, work)


@account.command(name="deny")
def deny_command(name: str, /, *, desk: Desk = _DESK) -> None:
    """Shut a name out, also one that only another issuer knows; for operators."""

    async def work(office: Office) -> None:
        at = time.time()
        await _changed(office, name, Kind.DISABLE, lambda each: disabled(each, at))

    _run(desk, work)


@account.command(name="allow")
def allow_command(name: str, /, *, desk: Desk = _DESK) -> None:
    """Let a name in again that was shut out; for operators."""

    async def work(office: Office) -> None:
        await _changed(office, name, Kind.ENABLE, lambda each: replace(each, status=Status.ACTIVE))

    _run(desk, work)


@account.command
def create(name: str, /, *, role: Held, by: By, department: str = "", desk: Desk = _DESK) -> None:
    """Ask for a new account; a second administrator approves."""
    _change(desk, by, Wanted(Kind.CREATE, name, _roles(role), department))


@account.command
def move(name: str, /, *, role: Held, by: By, desk: Desk = _DESK) -> None:
    """Give an account other roles; at once where nothing opens."""
    _change(desk, by, Wanted(Kind.MOVE, name, _roles(role)))


@account.command
def disable(name: str, /, *, by: By, desk: Desk = _DESK) -> None:
    """Disable an account at once."""
    _change(desk, by, Wanted(Kind.DISABLE, name))


@account.command
def enable(name: str, /, *, by: By, desk: Desk = _DESK) -> None:
    """Ask for an account to be enabled again."""
    _change(desk, by, Wanted(Kind.ENABLE, name))


@account.command
def reset(name: str, /, *, by: By, desk: Desk = _DESK) -> None:
    """Ask for a new password for an account."""
    _change(desk, by, Wanted(Kind.RESET_PASSWORD, name))


@account.command
def delegate(name: str, /, *, cover: str, days: float, by: By, desk: Desk = _DESK) -> None:
    """Ask that another account covers this one, for 30 days at most."""
    ends_at = time.time() + days * _DAY
    _change(desk, by, Wanted(Kind.DELEGATE, name, cover=cover, ends_at=ends_at))


@account.command
def uncover(name: str, /, *, cover: str, by: By, desk: Desk = _DESK) -> None:
    """End what another account covers of this one."""
    _change(desk, by, Wanted(Kind.END_COVER, name, cover=cover))


@account.command
def approve(change: str, /, *, by: By, desk: Desk = _DESK) -> None:
    """Approve what another administrator asked for."""
    _administer(desk, by, lambda administration: administration.approve(change))


@account.command
def refuse(change: str, /, *, by: By, desk: Desk = _DESK) -> None:
    """Refuse a change, or take back one's own."""
    _administer(desk, by, lambda administration: administration.refuse(change))


async def known_account(url: str, name: str) -> Principal:
    """
    Return an account of a store, with its roles of this moment.

    Raises: CommandRefused, with names there are; StoreUnavailable.
    """
    store = await open_store(url)
    try:
        standing = Standing(Accounts(store))
        await standing.store.create()
        await standing.refresh()
    finally:
        await store.dispose()
    found = standing.find(name)
    if found is None or found.status != Status.ACTIVE:
        names = sorted(each.name for each in standing if each.status == Status.ACTIVE)
        more = ", …" if len(names) > _NAMED else ""
        known = ", ".join(names[:_NAMED]) + more
        raise CommandRefused(f"no account {name!r} in use; there are: {known or 'none'}")
    return standing.now(found)


def _change(desk: Desk, by: str, wanted: Wanted) -> None:
    _administer(desk, by, lambda administration: administration.change(wanted))


def _administer(desk: Desk, by: str, work: Callable[[Administration], Awaitable[Outcome]]) -> None:
    files = Files(desk.departments, desk.policy)
    entities = entities_of(files)
    policy = load_policy(desk.policy, entities, entities.keys() - core_entities().keys())
    place = partial(place_of, CodeSystems(files.divisions))

    async def worked(office: Office) -> None:
        known = office.standing.find(by)
        if known is None:
            raise CommandRefused(f"no account {by!r}")
        principal = office.standing.now(known)
        outcome = await work(Administration(office, policy, place, principal))
        print(_said(outcome))  # noqa: T201 -- the answer

    _run(desk, worked)


def _said(outcome: Outcome) -> str:
    change = outcome.change
    if change.state == State.PENDING:
        return f"{change.kind} of {change.account} waits for another administrator: {change.id}"
    told = f"; its password for the first sign-in: {outcome.password}" if outcome.password else ""
    return f"{change.kind} of {change.account}: {change.state}{told}"


def _run(desk: Desk, work: Callable[[Office], Awaitable[None]]) -> None:
    """
    Do something with the accounts.

    Raises: CommandRefused, StoreUnavailable, Mistakes, OSError, ValueError.
    """
    try:
        asyncio.run(_worked(desk, work))
    except Failure as failure:
        raise CommandRefused(failure.message) from None


async def _worked(desk: Desk, work: Callable[[Office], Awaitable[None]]) -> None:
    async with _office(desk) as office:
        await work(office)


@asynccontextmanager
async def _office(desk: Desk) -> AsyncIterator[Office]:
    keeping = desk.kept
    store = await open_store(keeping.store)
    passwords = Passwords()
    try:
        async with auditing(store, keeping) as kept:
            standing = Standing(Accounts(store))
            await standing.store.create()
            await standing.refresh()
            secret = read_secret(keeping.key_file)
            yield await opened_office(store, standing, secret, passwords, kept.ledger.note)
    finally:
        passwords.close()
        await store.dispose()


async def _changed(
    office: Office, name: str, kind: Kind, change: Callable[[Account], Account]
) -> None:
    """Change an account, or the name of one of another issuer, on the ledger first."""
    is_known = office.standing.find(name) is not None
    if not is_known and kind is not Kind.DISABLE:
        raise CommandRefused(f"no account {name!r}")
    await _noted(office, kind, name)
    async with office.standing.store.changing() as changing:
        account = await changing.find(name) or Account(name, (), created_at=time.time())
        await changing.put(replace(change(account), changed_at=time.time()))


async def _noted(office: Office, action: str, name: str, **said: object) -> None:
    record = {"kind": "account", "action": action, "step": "done", "account": name}
    await office.note({**record, "by": _OPERATOR, **said})


def _roles(given: Sequence[str]) -> tuple[tuple[str, str], ...]:
    parts = [text.partition("@") for text in given]
    if not all(role and scope for role, _, scope in parts):
        raise CommandRefused("write roles as ROLE@DIVISION, such as township_clerk@320205106")
    return tuple((role, scope) for role, _, scope in parts)


def _is_within(each: Account, scope: str) -> bool:
    return not scope or any(held.startswith(scope) for _, held in each.roles)


def _rendered(accounts: Sequence[Account]) -> Table:
    table = Table("account", "state", "roles", "department", "changed")
    for each in accounts:
        roles = ", ".join(f"{role}@{scope}" for role, scope in each.roles)
        changed = datetime.fromtimestamp(each.changed_at, UTC).isoformat(timespec="seconds")
        table.add_row(*map(escape, (each.name, each.status, roles, each.department, changed)))
    return table
