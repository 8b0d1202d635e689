"""
Opening a person's record beyond the masks: in an emergency, or for somebody at the window.

The person is looked for through the gate, under the caller's own roles; a person who is not there
and one who may not be opened are the same answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from auth.openings import CITIZEN_NUMBER, NUMBER, RESIDENT, Opening, Purpose
from auth.policy import Policy
from auth.principal import Principal
from contract.errors import BadInput, Forbidden
from contract.predicate import Comparison, Operator, Predicate
from resolvers.ask import Ask, Asker, Selection
from resolvers.gate import Gate
from resolvers.openings import Openings, Wanted
from resolvers.record import Record
from store.openings import BrokenGlass, KeptOpening

NOBODY_TO_OPEN: Final = "没有可以打开的居民信息:请核对公民身份号码和您的岗位权限。"
LARGEST_QUEUE: Final = 500

_SHORTEST, _LONGEST = 4, 200
_UNSAID: Final = f"请写明事由,{_SHORTEST}至{_LONGEST}个字。"
_NO_NUMBER: Final = "请填写完整的18位公民身份号码。"


@dataclass(frozen=True, slots=True)
class Revealing:
    """What one request may open, and see of what others opened; `asker` asks by its roles alone."""

    openings: Openings
    gate: Gate
    policy: Policy
    asker: Asker

    @property
    def principal(self) -> Principal:
        """Return who asks, without what is open already."""
        return self.asker.principal

    async def break_glass(self, where: Predicate, reason: str) -> KeptOpening:
        """
        Open one person of the caller's own rows for a short time; auditors are told.

        Reads:  the person once.
        Raises: Forbidden, BadInput, SourceFailure, AuditUnavailable.
        """
        held, basis = self._held(Purpose.EMERGENCY), said(reason)
        await self.openings.refuse_more(self.principal.account)  # before it tells who is there
        found = await self.gate.read(self.asker, Ask(Selection(RESIDENT), where, limit=1))
        record = found.first()
        roles = [number for number in held if record and number in record.grants]
        subject = _number(record) if record else None
        if subject is None or not roles:
            raise Forbidden(NOBODY_TO_OPEN)
        wanted = Wanted(roles[0], Purpose.EMERGENCY, subject, basis)
        return await self.openings.open(self.principal, wanted)

    async def open_resident(self, number: str, basis: str) -> KeptOpening:
        """
        Open one person of any township, who stands at the window, for a short time.

        Reads:  the person once.
        Raises: Forbidden, BadInput, RateLimited, SourceFailure, AuditUnavailable.
        """
        held, basis = self._held(Purpose.WINDOW)[0], said(basis)
        number = whole(number)
        await self.openings.refuse_more(self.principal.account)
        tries = Comparison(NUMBER, Operator.EQ, number)
        self.asker.spending.look_up_by((tries,))  # every number counts once, found or not
        fields = self.policy.ceiling(self.principal, held, Purpose.WINDOW)
        tried = Opening(number, Purpose.WINDOW, held, fields, self.openings.clock())
        principal = replace(self.principal, openings=(tried,))
        ask = Ask(Selection(RESIDENT), tries, limit=1)
        record = (await self.gate.read(replace(self.asker, principal=principal), ask)).first()
        if record is None or len(principal.roles) not in record.grants:
            raise Forbidden(NOBODY_TO_OPEN)
        wanted = Wanted(held, Purpose.WINDOW, number, basis)
        return await self.openings.open(self.principal, wanted)

    async def live(self) -> Sequence[KeptOpening]:
        """Return the caller's openings that have not ended."""
        return await self.openings.live(self.principal.account)

    async def close(self, named: str) -> bool:
        """
        End an opening of the caller's; False where there is no such one.

        Raises: AuditUnavailable.
        """
        return await self.openings.close(self.principal, named)

    async def queue(self, limit: int) -> Sequence[BrokenGlass]:
        """
        Return the emergencies in the caller's divisions that nobody has acknowledged.

        Raises: Forbidden for whoever does not watch over them.
        """
        principal = self.principal
        scopes = [each for each in principal.scopes if self._watches(each)]
        if not scopes:
            raise Forbidden
        return await self.openings.store.queue(scopes, limit)

    async def acknowledge(self, named: str) -> bool:
        """
        Note that the caller has looked at an emergency; False where somebody did before.

        Raises: Forbidden for what the caller does not watch over, or did; AuditUnavailable.
        """
        store, account = self.openings.store, self.principal.account
        glass = await store.told(named) if any(map(self._watches, self.principal.scopes)) else None
        if glass is None or not self._watches(glass.scope) or glass.account == account:
            raise Forbidden
        note = {"kind": "break-glass acknowledged", "account": account, "opening": glass.id}
        await self.openings.book.note(note)
        return await store.acknowledge(named, account, self.openings.clock())

    def _watches(self, scope: str) -> bool:
        return self.policy.sees_break_glass(self.principal, scope)

    def _held(self, purpose: Purpose) -> list[int]:
        """
        Return the places of the roles that let reveal something for the purpose.

        Raises: Forbidden where there are none, before anybody is asked.
        """
        places = range(len(self.principal.roles))
        held = [each for each in places if self.policy.ceiling(self.principal, each, purpose)]
        if not held:
            raise Forbidden
        return held


def said(text: str) -> str:
    """
    Return a reason that can be kept.

    Raises: BadInput.
    """
    text = text.strip()
    if not _SHORTEST <= len(text) <= _LONGEST or not text.isprintable():
        raise BadInput(_UNSAID)
    return text


def whole(number: str) -> str:
    """
    Return a whole citizen number as systems have it.

    Raises: BadInput.
    """
    number = number.strip().upper()
    if not CITIZEN_NUMBER.fullmatch(number):
        raise BadInput(_NO_NUMBER)
    return number


def _number(record: Record) -> str | None:
    place = record.layout.kept.get(NUMBER)
    number = str(record.kept[place]) if place is not None else ""
    return number if CITIZEN_NUMBER.fullmatch(number) else None
