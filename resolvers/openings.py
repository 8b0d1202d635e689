"""
The openings of accounts, as one process knows them: kept in the store, told to the ledger first.

Whom an opening is of stands sealed in the store and in this process's short memory of it; it is
clear in the principal of one request alone.
"""

import asyncio
import logging
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from sqlalchemy.exc import SQLAlchemyError

from auth.openings import Opening, Purpose
from auth.policy import Policy
from auth.principal import Principal
from contract.errors import BadInput
from resolvers.seal import Seal
from store.openings import BrokenGlass, KeptOpening, OpeningStore

logger = logging.getLogger(__name__)

MOST_LIVE: Final = 20
_TOO_MANY: Final = f"同时打开的居民信息已达{MOST_LIVE}人,请先关闭不再需要的。"
_USE: Final = "opening"
_DIGITS: Final = re.compile(r"[0-9０-９]{4,}[Xx]?")


class Book(Protocol):
    """The ledger, as far as openings are told to it."""

    def note(self, record: Mapping[str, object]) -> Awaitable[object]:
        """
        Return when the record is durable.

        Raises: AuditUnavailable.
        """

    def name_of(self, person: str) -> str:
        """Return how a person is called in the ledger."""


@dataclass(frozen=True, slots=True)
class Durations:
    """How long openings last, and how long the store's word on them counts, in seconds."""

    emergency: float = 15 * 60
    window: float = 30 * 60
    fresh: float = 2.0

    def of(self, purpose: Purpose) -> float:
        """Return how long an opening for the purpose lasts."""
        return self.emergency if purpose is Purpose.EMERGENCY else self.window


@dataclass(frozen=True, slots=True)
class Wanted:
    """One opening that is wanted: under which of the principal's roles, of whom, and why."""

    held: int
    purpose: Purpose
    subject: str
    basis: str


class Openings:
    """Openings of all accounts; other processes' are seen after `fresh` seconds."""

    def __init__(
        self,
        store: OpeningStore,
        seal: Seal,
        book: Book,
        durations: Durations = Durations(),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.store = store
        self.book = book
        self.clock = clock
        self._seal = seal
        self._durations = durations
        self._known: Mapping[str, Sequence[KeptOpening]] = {}
        self._read_at = float("-inf")
        self._changes = 0
        self._reading = asyncio.Lock()
        self._opening = asyncio.Lock()

    async def of(self, policy: Policy, principal: Principal) -> tuple[Opening, ...]:
        """Return what is opened for the principal now; nothing where the store is silent."""
        kept = await self.live(principal.account)
        return tuple(self._opened(policy, principal, kept)) if kept else ()

    async def live(self, account: str) -> tuple[KeptOpening, ...]:
        """Return the account's openings that have not ended."""
        if self._is_old():
            async with self._reading:
                if self._is_old():  # who waited has what was read meanwhile
                    begun, changes = time.monotonic(), self._changes
                    self._known = await self._loaded()
                    if changes == self._changes:  # else it may have been read too early
                        self._read_at = begun
        return tuple(each for each in self._known.get(account, ()) if each.ends_at > self.clock())

    def _is_old(self) -> bool:
        return time.monotonic() - self._read_at >= self._durations.fresh

    async def open(self, principal: Principal, wanted: Wanted) -> KeptOpening:
        """
        Open a person's record from now on, on record first.

        Raises: BadInput where too many are open; AuditUnavailable.
        """
        async with self._opening:  # so that nobody is opened between the count and the store
            await self.refuse_more(principal.account)
            return await self._opened_now(principal, wanted)

    async def refuse_more(self, account: str) -> None:
        """
        Refuse an account that has as many people open as it may, whoever is wanted.

        Raises: BadInput.
        """
        self.forget()
        if len(await self.live(account)) >= MOST_LIVE:
            raise BadInput(_TOO_MANY)

    async def _opened_now(self, principal: Principal, wanted: Wanted) -> KeptOpening:
        now, named = self.clock(), secrets.token_hex(16)
        sealed = self._seal.close([wanted.subject, wanted.basis], _USE, named, principal.account)
        kept = KeptOpening(
            named,
            principal.account,
            principal.roles[wanted.held],
            principal.scopes[wanted.held],
            wanted.purpose,
            sealed,
            now,
            now + self._durations.of(wanted.purpose),
        )
        person, basis = self.book.name_of(wanted.subject), blanked(wanted.basis)
        await self.book.note(_noted(kept, principal, "opening", person=person, basis=basis))
        is_emergency = wanted.purpose is Purpose.EMERGENCY
        glass = _glass(kept, principal, person, basis) if is_emergency else None
        await self.store.add(kept, glass)
        self.forget()
        return kept

    async def close(self, principal: Principal, named: str) -> bool:
        """
        End an opening of the account, on record; False where there is no such one.

        Raises: AuditUnavailable.
        """
        self.forget()
        kept = [each for each in await self.live(principal.account) if each.id == named]
        if not kept or not await self.store.close(principal.account, named, self.clock()):
            return False
        self.forget()
        await self.book.note(_noted(kept[0], principal, "opening closed"))
        return True

    def forget(self) -> None:
        """Ask the store again before anything else is said to be open."""
        self._changes += 1
        self._read_at = float("-inf")

    async def _loaded(self) -> Mapping[str, Sequence[KeptOpening]]:
        found: dict[str, list[KeptOpening]] = {}
        try:
            for each in await self.store.live(self.clock()):
                found.setdefault(each.account, []).append(each)
        except (SQLAlchemyError, OSError) as error:
            logger.error("openings cannot be read: %s", type(error).__name__)  # noqa: TRY400 -- its text may hold values
            return {}
        return found

    def _opened(
        self, policy: Policy, principal: Principal, kept: tuple[KeptOpening, ...]
    ) -> Iterator[Opening]:
        """Yield what counts under the roles that the principal has now, as the policy is now."""
        roles = list(zip(principal.roles, principal.scopes, strict=True))
        for each in kept:
            said = self._seal.open(each.sealed, _USE, each.id, principal.account)
            if said is None or (each.role, each.scope) not in roles:
                continue
            held, purpose = roles.index((each.role, each.scope)), Purpose(each.purpose)
            yield Opening(
                str(said[0]),
                purpose,
                held,
                policy.ceiling(principal, held, purpose),
                each.ends_at,
                inside=purpose is Purpose.EMERGENCY,
                basis=str(said[1]),
                id=each.id,
            )


def blanked(text: str) -> str:
    """Return what somebody wrote, without numbers."""
    return _DIGITS.sub("#", text)


def _glass(kept: KeptOpening, principal: Principal, person: str, reason: str) -> BrokenGlass:
    return BrokenGlass(
        kept.id,
        kept.account,
        kept.role,
        kept.scope,
        principal.department,
        person,
        reason,
        kept.begun_at,
        kept.ends_at,
    )


def _noted(kept: KeptOpening, principal: Principal, kind: str, **more: str) -> Mapping[str, object]:
    return {
        "kind": kind,
        "account": kept.account,
        "office": [[kept.role, kept.scope]],
        "department": principal.department,
        "opening": kept.id,
        "purpose": kept.purpose,
        "until": int(kept.ends_at),
        **more,
    }
