"""
Changes of accounts by administrators: what closes something holds at once, what opens waits.

Whatever opens more waits for a second administrator, who is neither the one who asked nor one who
gains by it. Every step is on the ledger before it is taken.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from secrets import token_hex
from typing import Final

from auth.authority import NAME, Authority, Place, is_narrower
from auth.passwords import Passwords, given_password
from auth.policy import Policy
from auth.principal import Principal
from auth.sign_in import Locks, Note
from auth.standing import Standing
from contract.errors import BadInput, Forbidden
from store.account_changes import AccountChange, AccountChanges, State, decided
from store.accounts import Account, Changing, Delegation, Roles, Status

LONGEST_COVER_SECONDS: Final = 30 * 24 * 3600
CHANGE_SECONDS: Final = 7 * 24 * 3600
GIVEN_SECONDS: Final = 3 * 24 * 3600
MAXIMUM_LISTED: Final = 500

_NOBODY: Final = "没有这个账号,或不在您的管辖范围内。"
_NO_CHANGE: Final = "没有这项待审批的变更,或不在您的管辖范围内。"
_NAME: Final = "账号名应为 3 至 64 个字符,以小写字母开头,只含小写字母、数字和 . _ -。"
_TAKEN: Final = "该账号名已被使用,请另取一个。"
_ROLES: Final = "请至少给出一个岗位,最多 16 个;区划须存在,且级别与岗位相符。"
_BEYOND: Final = "只能在您管辖的区划内授予规定的岗位。"
_OWN: Final = "不能变更自己的账号。"
_SECOND: Final = "须由申请人和受益人以外的另一名管理员审批。"
_STALE: Final = "提出申请后情况已有变化,请重新申请。"
_COVER: Final = "代管期限须晚于现在,最长 30 天;代管人和被代管人须为两个正常使用的账号。"
_DEPARTMENT: Final = "该岗位按部门授权,代管人须与被代管人同属一个部门。"
_TOO_MANY: Final = "代管后岗位超过 16 个,请先减少。"


class Kind(StrEnum):
    """What may be done to an account."""

    CREATE = "create"
    MOVE = "move"
    DISABLE = "disable"
    ENABLE = "enable"
    RESET_PASSWORD = "reset_password"  # noqa: S105 -- what is done, no password
    DELEGATE = "delegate"
    END_COVER = "end_cover"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an administrator wants done; `cover` gets the roles of `account` until `ends_at`."""

    kind: Kind
    account: str
    roles: Roles = ()
    department: str = ""
    cover: str = ""
    ends_at: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of it: done, or a change that waits; `password` is told this once."""

    change: AccountChange
    password: str = ""


@dataclass(frozen=True, slots=True)
class Office:
    """What all administrators share."""

    standing: Standing
    changes: AccountChanges
    locks: Locks
    passwords: Passwords
    note: Note
    clock: Callable[[], float]


@dataclass(frozen=True, slots=True)
class Administration:
    """One administrator at work; whoever is none is refused."""

    office: Office
    policy: Policy
    place: Place
    principal: Principal

    async def accounts(self) -> Sequence[Account]:
        """
        Return the accounts within reach, by name.

        Raises: Forbidden.
        """
        authority = await self._authority()
        reached = filter(authority.reaches, self.office.standing)
        return sorted(reached, key=lambda account: account.name)

    async def locked_until(self, names: Sequence[str]) -> Mapping[str, float]:
        """Return until when names are locked, of those that were at some time."""
        return await self.office.locks.until(tuple(names))

    async def changes(self, state: State) -> Sequence[AccountChange]:
        """
        Return the latest changes of the own divisions.

        Raises: Forbidden.
        """
        authority = await self._authority()
        return await self.office.changes.latest(state, authority.knows, MAXIMUM_LISTED)

    async def change(self, wanted: Wanted) -> Outcome:
        """
        Return what became of it; what opens nothing is done.

        Raises: Forbidden; BadInput, with what to write instead; AuditUnavailable.
        """
        authority = await self._authority()
        change = self._asked(wanted)
        account = self._checked(authority, change)
        roles = change.roles or (account.roles if account else ())
        change = replace(change, roles=roles, base=account.revision if account else 0)
        if _narrows(authority, change, account):
            return await self._done(replace(change, state=State.APPROVED), "done")
        await self._noted("asked", change)
        await self.office.changes.ask(change)
        return Outcome(change)

    async def approve(self, number: str) -> Outcome:
        """
        Return the change, which is done.

        Raises: Forbidden for whoever asked for it or gains by it; BadInput; AuditUnavailable.
        """
        authority = await self._authority()
        change = await self._waiting(authority, number)
        if self.principal.account in (change.asked_by, change.account, change.cover):
            raise Forbidden(_SECOND)
        self._checked(self._authority_of(change.asked_by), change)
        account = self._checked(authority, change)
        if (account.revision if account else 0) != change.base:
            raise BadInput(_STALE)
        return await self._done(change, "approved")

    async def refuse(self, number: str) -> Outcome:
        """
        Return the change, which will not be done; whoever asked for it may take it back so.

        Raises: Forbidden, BadInput, AuditUnavailable.
        """
        change = await self._waiting(await self._authority(), number)
        await self._noted("refused", change)
        by, at = self.principal.account, self.office.clock()
        if not await self.office.changes.refuse(change, by, at):
            raise BadInput(_NO_CHANGE)
        return Outcome(replace(change, state=State.REFUSED, decided_by=by, decided_at=at))

    async def _authority(self) -> Authority:
        """Return what the caller administers, by the store as it is at this moment."""
        await self.office.standing.refresh()
        kept = self._authority_of(self.principal.account)
        # A token of another issuer may name an account of ours: both have to say so.
        told = Authority.of(self.policy, self.principal, self.place)
        both = tuple(each for each in kept.administers if each in told.administers)
        if not both:
            raise Forbidden
        return replace(kept, administers=both)

    def _authority_of(self, name: str) -> Authority:
        account = self.office.standing.find(name)
        if account is None or account.status != Status.ACTIVE:
            raise Forbidden
        held = self.office.standing.now(account)
        authority = Authority.of(self.policy, held, self.place)
        if not authority.is_some:
            raise Forbidden
        return authority

    def _asked(self, wanted: Wanted) -> AccountChange:
        return AccountChange(
            token_hex(8),
            wanted.kind,
            wanted.account,
            wanted.roles,
            self.principal.account,
            self.office.clock(),
            wanted.department,
            wanted.cover,
            wanted.ends_at,
        )

    async def _waiting(self, authority: Authority, number: str) -> AccountChange:
        change = await self.office.changes.find(number)
        if change is None or change.state != State.PENDING or not authority.knows(change):
            raise BadInput(_NO_CHANGE)
        if self.office.clock() - change.asked_at > CHANGE_SECONDS:
            raise BadInput(_STALE)
        return change

    def _checked(self, authority: Authority, change: AccountChange) -> Account | None:
        """
        Return the account of a change that the administrator may ask for; None for a new one.

        Raises: Forbidden, BadInput.
        """
        if authority.account in (change.account, change.cover):
            raise Forbidden(_OWN)
        if change.kind in (Kind.CREATE, Kind.MOVE):
            if not authority.is_held(change.roles):
                raise BadInput(_ROLES)
            if not authority.may_give(change.roles):
                raise Forbidden(_BEYOND)
        if change.kind == Kind.CREATE:
            self._check_new(change)
            return None
        account = self._reached(authority, change.account)
        if change.kind in (Kind.DELEGATE, Kind.END_COVER):
            self._check_cover(self._reached(authority, change.cover), account, change)
        return account

    def _check_new(self, change: AccountChange) -> None:
        if NAME.fullmatch(change.account) is None:
            raise BadInput(_NAME)
        if self.office.standing.find(change.account) is not None:
            raise BadInput(_TAKEN)

    def _reached(self, authority: Authority, name: str) -> Account:
        account = self.office.standing.find(name)
        if account is None or not authority.reaches(account):
            raise BadInput(_NOBODY)
        return account

    def _check_cover(self, cover: Account, absent: Account, change: AccountChange) -> None:
        if change.kind == Kind.END_COVER:
            return
        lasts = (change.ends_at or 0.0) - self.office.clock()
        both = {cover.name, absent.name}
        active = cover.status == absent.status == Status.ACTIVE
        if len(both) != 2 or not active or not 0 < lasts <= LONGEST_COVER_SECONDS:
            raise BadInput(_COVER)
        if cover.department != absent.department and any(
            self.policy.rests_on_department(role) for role, _ in absent.roles
        ):
            raise BadInput(_DEPARTMENT)
        held = self.office.standing.now(cover)
        together = {*zip(held.roles, held.scopes, strict=True), *absent.roles}
        if len(together) > 16:
            raise BadInput(_TOO_MANY)

    async def _done(self, change: AccountChange, step: str) -> Outcome:
        """Do it, on the ledger first; nothing is done where anything is otherwise by now."""
        password = given_password() if change.kind in (Kind.CREATE, Kind.RESET_PASSWORD) else ""
        hashed = await self.office.passwords.hashed(password) if password else ""
        await self._noted(step, change)
        try:
            at = await self._apply(change, hashed)
        except Exception:
            await self._noted("failed", change)
            raise
        if change.kind in (Kind.DISABLE, Kind.RESET_PASSWORD):
            await self.office.locks.store.end_all(change.account)
        if change.kind == Kind.RESET_PASSWORD:
            await self.office.locks.open(change.account)
        await self.office.standing.refresh()
        by = self.principal.account
        done = replace(change, state=State.APPROVED, decided_by=by, decided_at=at)
        return Outcome(done, password)

    async def _apply(self, change: AccountChange, hashed: str) -> float:
        """Return when it was done."""
        async with self.office.standing.store.changing() as changing:
            at = self.office.clock()  # in its turn: every token made until now is to end
            if change.state == State.PENDING:
                decision = State.APPROVED, self.principal.account, at
                if not await decided(changing.connection, change, decision):
                    raise BadInput(_NO_CHANGE)
            await _applied(changing, change, hashed, at)
            return at

    async def _noted(self, step: str, change: AccountChange) -> None:
        await self.office.note(
            {
                "kind": "account",
                "action": change.kind,
                "step": step,
                "account": change.account,
                "by": self.principal.account,
                "change": change.id,
                "roles": change.roles,
                "department": change.department,
                "cover": change.cover,
                "ends_at": change.ends_at,
            }
        )


def _narrows(authority: Authority, change: AccountChange, account: Account | None) -> bool:
    if change.kind in (Kind.DISABLE, Kind.END_COVER):
        return True
    if change.kind != Kind.MOVE or account is None:
        return False
    # A role that may not be held where it is opens nothing there, and may beneath.
    opening = tuple(held for held in account.roles if authority.is_held((held,)))
    return is_narrower(change.roles, opening)


async def _applied(changing: Changing, change: AccountChange, hashed: str, at: float) -> None:
    """
    Write the change, if the account is as it was when it was asked for.

    Raises: BadInput.
    """
    account = await changing.find(change.account)
    if (account.revision if account else 0) != change.base:
        raise BadInput(_STALE)
    if account is None:
        account = Account(change.account, change.roles, change.department, created_at=at)
    match Kind(change.kind):
        case Kind.MOVE:
            await changing.put(replace(account, roles=change.roles, changed_at=at))
        case Kind.ENABLE:
            await changing.put(replace(account, status=Status.ACTIVE, changed_at=at))
        case Kind.DISABLE:
            await changing.put(disabled(account, at))
            await changing.end_all(account.name)
        case Kind.CREATE | Kind.RESET_PASSWORD:
            await changing.put(given(account, hashed, at))
        case Kind.DELEGATE:
            until = change.ends_at or at
            await changing.delegate(
                Delegation(change.id, change.cover, account.name, account.roles, until)
            )
        case Kind.END_COVER:
            await changing.end_between(change.cover, account.name)


def disabled(account: Account, at: float) -> Account:
    """Return the account disabled; tokens of before stay worthless when it is enabled again."""
    return replace(account, status=Status.DISABLED, tokens_from=int(at) + 1, changed_at=at)


def given(account: Account, hashed: str, at: float) -> Account:
    """Return the account with a password that somebody else knows too, for a short time."""
    return replace(
        account,
        password=hashed,
        password_changed_at=at,
        password_ends_at=at + GIVEN_SECONDS,
        must_change=True,
        tokens_from=int(at) + 1,
        changed_at=at,
    )
