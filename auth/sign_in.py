"""
Sign-in with name and password, for an office without a login service of its own.

Whatever a name and a password do not open, the answer and the work for it are the same: that the
account does not exist, is disabled or locked, or that the password is wrong. What counts wrong
passwords does so for any name, whether or not somebody has it.
"""

import hmac
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from secrets import token_urlsafe
from typing import Final, TypeAlias

from auth.claims import Claims
from auth.issuer import ISSUER, EmbeddedIssuer
from auth.passwords import Passwords, check_password
from auth.principal import Principal
from auth.standing import Standing
from contract.errors import PasswordExpired, SignInRefused, Unauthenticated
from store.accounts import Account, Status
from store.sign_ins import FORGOTTEN_SECONDS, Failures, Session, SignIns

Note: TypeAlias = Callable[[Mapping[str, object]], Awaitable[object]]
"""Keeps a record in the ledger; raises AuditUnavailable where it cannot."""

_NAME_DIGITS: Final = 32


@dataclass(frozen=True, slots=True)
class Rules:
    """
    How long what lasts, in seconds, and how many wrong passwords lock a name.

    The first lock lasts `lock_seconds`, each further one twice as long, up to `longest_lock`.
    """

    token_seconds: int = 900
    session_seconds: int = 12 * 3600
    password_seconds: float = 90 * 24 * 3600.0
    failures: int = 5
    lock_seconds: float = 60.0
    longest_lock: float = 3600.0


@dataclass(frozen=True, slots=True)
class Begun:
    """A token, and how many seconds it lasts."""

    token: str
    seconds: int


@dataclass(frozen=True, slots=True)
class Locks:
    """Wrong passwords by name; names stand in the store as a keyed hash alone."""

    store: SignIns
    key: bytes

    @classmethod
    def of(cls, store: SignIns, secret: bytes) -> "Locks":
        """Return them with a key derived from the gateway's secret."""
        return cls(store, hmac.digest(secret, b"sign-in: names", "sha256"))

    def name_hash(self, name: str) -> str:
        """Return what a name is called in the store: whoever mistypes may type a password."""
        digest = hmac.digest(self.key, name.encode(errors="replace"), "sha256")
        return digest.hex()[:_NAME_DIGITS]

    async def until(self, names: tuple[str, ...]) -> Mapping[str, float]:
        """Return until when names are locked, of those that were at some time."""
        hashes = {self.name_hash(name): name for name in names}
        found = await self.store.locks(hashes.keys()) if hashes else {}
        return {hashes[each]: failures.locked_until for each, failures in found.items()}

    async def open(self, name: str) -> None:
        """Forget the wrong passwords of a name."""
        await self.store.forget(self.name_hash(name))


class SignIn:
    """Makes tokens for those who know their password, and renews them."""

    def __init__(
        self,
        issuer: EmbeddedIssuer,
        standing: Standing,
        locks: Locks,
        passwords: Passwords,
        note: Note,
    ) -> None:
        self.rules = Rules()
        self.clock: Callable[[], float] = time.time
        self._issuer = issuer
        self._standing = standing
        self._accounts = standing.store
        self._sessions = locks.store
        self._locks = locks
        self._passwords = passwords
        self._note = note

    async def sign_in(self, name: str, password: str) -> Begun:
        """
        Return a token for the account.

        Raises: SignInRefused; PasswordExpired; TooManyRequests, AuditUnavailable.
        """
        account = await self._known(name, password)
        if self._is_expired(account):
            raise PasswordExpired
        if self._passwords.is_dated(account.password):
            await self._kept_anew(account, password)
        return await self._begun(account)

    async def change_password(self, name: str, password: str, new: str) -> Begun:
        """
        Return a token for the account, whose password is the new one; all others end.

        Raises: SignInRefused; BadInput for a new password that is none; TooManyRequests,
                AuditUnavailable.
        """
        account = await self._known(name, password)
        check_password(new, name, password)
        hashed = await self._passwords.hashed(new)
        await self._note(_record("password_changed", account.name))
        async with self._accounts.changing() as changing:
            now = self.clock()  # in its turn: every token made until now is to end
            current = await changing.find(name)
            if current is None or current.password != account.password:
                raise SignInRefused  # it was changed by somebody else at the same time
            account = replace(
                current,
                password=hashed,
                password_changed_at=now,
                password_ends_at=None,
                must_change=False,
                tokens_from=int(now) + 1,
                changed_at=now,
            )
            await changing.put(account)
        await self._sessions.end_all(name)
        await self._standing.refresh()
        return await self._begun(account)

    async def renew(self, principal: Principal, claims: Claims) -> Begun:
        """
        Return a new token for the session of one that is still good.

        Raises: Unauthenticated for a token without a session, or of one that has ended.
        """
        # The account before its session: what changes the account ends its sessions after that.
        account = await self._accounts.find(principal.account)
        session = await self._sessions.session(claims.sid) if claims.sid else None
        if claims.iss != ISSUER or session is None or session.account != principal.account:
            raise Unauthenticated
        if account is None or session.is_ended or session.ends_at <= self.clock():
            raise Unauthenticated
        return self._made(account, session)

    async def end(self, principal: Principal, claims: Claims) -> None:
        """End the session of a token; the token itself lasts to its own end."""
        session = await self._sessions.session(claims.sid) if claims.sid else None
        if session is not None and session.account == principal.account:
            await self._sessions.end(session.id)

    async def _known(self, name: str, password: str) -> Account:
        """
        Return the account that name and password open.

        Each attempt asks the store the same and tries one password, whatever there is.
        Raises: SignInRefused.
        """
        now, name_hash = self.clock(), self._locks.name_hash(name)
        tries: list[bool] = []
        with self._passwords.room():
            count = partial(self._counted, now, tries)
            counted = await self._sessions.attempt(name_hash, now, count)
            account = await self._accounts.find(name)
        is_right = await self._passwords.matches(account.password if account else "", password)
        if account is not None and is_right and tries and self._is_usable(account, now):
            await self._sessions.forget(name_hash)
            return account
        if tries and counted.locked_until > now:
            named = name if account else f"#{name_hash}"
            await self._note(_record("locked", named, failures=counted.count))
        raise SignInRefused

    def _counted(self, now: float, tries: list[bool], before: Failures) -> Failures:
        """
        Return the failures with this attempt, counted before it is known to be one.

        So attempts at the same time are no more than others. While a name is locked none counts,
        that nobody can keep it locked by going on.
        """
        if before.locked_until > now:
            return before
        tries.append(True)
        forgotten = before.last_at < now - FORGOTTEN_SECONDS
        count = 1 if forgotten else before.count + 1
        over = count - self.rules.failures
        locked = min(self.rules.lock_seconds * 2 ** min(over, 20), self.rules.longest_lock)
        return Failures(count, now, now + locked if over >= 0 else 0.0)

    def _is_usable(self, account: Account, now: float) -> bool:
        in_time = account.password_ends_at is None or now < account.password_ends_at
        return account.status == Status.ACTIVE and bool(account.password) and in_time

    def _is_expired(self, account: Account) -> bool:
        age = self.clock() - account.password_changed_at
        return account.must_change or age > self.rules.password_seconds

    async def _kept_anew(self, account: Account, password: str) -> None:
        hashed = await self._passwords.hashed(password)
        async with self._accounts.changing() as changing:
            current = await changing.find(account.name)
            if current is not None and current.password == account.password:
                await changing.put(replace(current, password=hashed))

    async def _begun(self, account: Account) -> Begun:
        now = self.clock()
        session = Session(token_urlsafe(18), account.name, now, now + self.rules.session_seconds)
        await self._note(_record("signed_in", account.name))
        await self._sessions.begin(session)
        current = await self._accounts.find(account.name)
        if current is None or not _is_as_tried(current, account):
            # What ended the account's sessions meanwhile did not know of this one.
            await self._sessions.end(session.id)
            raise SignInRefused
        return self._made(current, session)

    def _made(self, account: Account, session: Session) -> Begun:
        if account.status != Status.ACTIVE:
            raise Unauthenticated
        seconds = min(self.rules.token_seconds, int(session.ends_at - self.clock()))
        if seconds <= 0:
            raise Unauthenticated
        principal = self._standing.now(account)
        token = self._issuer.token(principal, seconds, session.id, account.tokens_from)
        return Begun(token, seconds)


def _is_as_tried(current: Account, tried: Account) -> bool:
    """Return whether neither the password nor the tokens of an account were ended since."""
    said = current.password_changed_at, current.tokens_from
    return said == (tried.password_changed_at, tried.tokens_from)


def _record(action: str, account: str, **said: object) -> Mapping[str, object]:
    return {"kind": "account", "action": action, "account": account, **said}
