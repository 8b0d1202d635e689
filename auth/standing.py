"""
How every account stands, in memory: what a token of the embedded issuer opens is read here.

The token only names the account. Its state, roles and covers are those of the store, at most some
seconds ago: a number tells whether anything changed, and only what changed is read. When the store
has been silent for too long nobody is let in, since nobody can tell who was shut out meanwhile.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from auth.claims import MAXIMUM_ROLES, Claims, InvalidClaims
from auth.issuer import ISSUER
from auth.principal import Principal
from contract.errors import AccountsUnavailable
from store.accounts import REVISION, Account, Accounts, Delegation, Roles, Status

logger = logging.getLogger(__name__)

EVERY_SECONDS: Final = 10.0
MAXIMUM_AGE_SECONDS: Final = 60.0
UNKNOWN: Final = "ACCOUNTS_UNAVAILABLE"

_READ_SECONDS: Final = 10.0
_NEVER: Final = float("inf")


@contextmanager
def store_in_reach() -> Iterator[None]:
    """
    Do something that needs the store.

    Raises: AccountsUnavailable where it does not answer.
    """
    try:
        yield
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        logger.error("accounts cannot be worked with: %s", type(error).__name__)  # noqa: TRY400 -- no values
        raise AccountsUnavailable from error


class Standing:
    """
    The accounts as this process knows them; `run` keeps them fresh.

    `clock` is the time that covers end by, `seconds` tells how long ago the store was read.
    """

    def __init__(
        self,
        accounts: Accounts,
        clock: Callable[[], float] = time.time,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self.store = accounts
        self.clock = clock
        self._seconds = seconds
        self._read_at = float("-inf")
        self._revision = 0
        self._numbers: Mapping[str, int] | None = None
        self._accounts: dict[str, Account] = {}
        self._covers: dict[str, dict[str, Delegation]] = {}
        self._principals: dict[str, tuple[float, Principal]] = {}
        self._reading = asyncio.Lock()
        self.heard: Callable[[str], Awaitable[None]] = _unheard

    @property
    def reasons(self) -> tuple[str, ...]:
        """Return what does not work: the store cannot be read, or not for long."""
        late = self._seconds() - self._read_at > 2 * EVERY_SECONDS + _READ_SECONDS
        return (UNKNOWN,) if late else ()

    def __len__(self) -> int:
        return len(self._accounts)

    def __iter__(self) -> Iterator[Account]:
        return iter(self._accounts.values())

    def find(self, name: str) -> Account | None:
        """Return the account as this process knows it."""
        return self._accounts.get(name)

    def covers(self, name: str) -> tuple[Delegation, ...]:
        """Return the delegations to an account that were not ended, those of the past too."""
        return tuple(self._covers.get(name, {}).values())

    def principal(self, claims: Claims) -> Principal:
        """
        Return who asks with a token whose signature and times are good.

        Raises: InvalidClaims where the account may not; AccountsUnavailable where nobody can tell.
        """
        if self._seconds() - self._read_at > MAXIMUM_AGE_SECONDS:
            raise AccountsUnavailable
        account = self._accounts.get(claims.sub)
        if account is not None:
            if account.status != Status.ACTIVE:
                raise InvalidClaims("account disabled")
            if claims.iat < account.tokens_from:
                raise InvalidClaims("issued before the account's tokens were ended")
        if claims.iss != ISSUER:
            return claims.principal()
        if account is None:
            raise InvalidClaims("no account of this name")
        principal = self.now(account)
        if principal.purpose == claims.purpose:
            return principal
        return replace(principal, purpose=claims.purpose)

    def now(self, account: Account) -> Principal:
        """Return the account with its own roles and those it covers at this moment."""
        at = self.clock()
        until, principal = self._principals.get(account.name, (0.0, None))
        if principal is None or at >= until:
            until, principal = self._made(account, at)
            self._principals[account.name] = until, principal
        return principal

    async def run(self, every_seconds: float = EVERY_SECONDS) -> None:
        """Look again and again whether anything changed."""
        while True:
            await asyncio.sleep(every_seconds)
            try:
                await self.refresh()
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                logger.error("accounts cannot be read: %s", type(error).__name__)  # noqa: TRY400 -- each time alike

    async def refresh(self) -> None:
        """
        Take over what changed in the store since it was last read.

        Reads:  one statement, two more where accounts changed.
        Raises: SQLAlchemyError, OSError, TimeoutError.
        """
        async with self._reading:
            before = self._numbers
            async with asyncio.timeout(_READ_SECONDS):
                began = self._seconds()
                numbers = await self.store.revisions.numbers()
                await self._take(numbers.get(REVISION, 0))
            self._numbers, self._read_at = numbers, began
            for name, number in numbers.items():
                if before is not None and before.get(name) != number:
                    await self.heard(name)

    async def _take(self, revision: int) -> None:
        """Read what is behind what was read; everything where the store is an older one."""
        if revision == self._revision:
            return
        loaded = await self.store.since(self._revision if revision > self._revision else 0)
        for account in loaded.accounts:
            self._accounts[account.name] = account
        for delegation in loaded.delegations:
            self._cover(delegation)
        self._principals.clear()
        self._revision = revision

    def _cover(self, delegation: Delegation) -> None:
        held = self._covers.setdefault(delegation.account, {})
        if delegation.is_ended:
            held.pop(delegation.id, None)
        else:
            held[delegation.id] = delegation

    def _made(self, account: Account, at: float) -> tuple[float, Principal]:
        lasting = [cover for cover in self.covers(account.name) if at < cover.ends_at]
        roles = list(account.roles)
        for cover in lasting:
            roles += [held for held in self._lent(cover) if held not in roles]
        del roles[MAXIMUM_ROLES:]
        names, scopes = tuple(role for role, _ in roles), tuple(scope for _, scope in roles)
        until = min((cover.ends_at for cover in lasting), default=_NEVER)
        said = account.department, account.purpose
        return until, Principal(account.name, names, scopes, *said, citizen=account.citizen)

    def _lent(self, cover: Delegation) -> Roles:
        """Return what a cover lends now: nothing that the absent account has lost since."""
        absent = self._accounts.get(cover.absent)
        if absent is None or absent.status != Status.ACTIVE:
            return ()
        return tuple(held for held in cover.roles if held in absent.roles)


async def _unheard(_: str) -> None:
    """Leave it."""
