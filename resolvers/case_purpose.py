"""
What a case opens of its applicant, for whoever handles it at their own office.

Decided anew for each request, by one question to the systems of cases that the caller's own roles
answer; whatever speaks against it, the refusal is the same.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import inf
from typing import Final

from auth.openings import CASE, CASE_NUMBER, CITIZEN_NUMBER, Opening, Purpose
from auth.policy import Policy
from auth.principal import Principal
from auth.throttle import Throttle
from contract.errors import Forbidden
from contract.predicate import Comparison, Operator
from resolvers.ask import Ask, Asker, Selection
from resolvers.gate import Gate
from resolvers.record import Record, joined
from resolvers.spending import Spending
from sources.federation import Calls

REFUSED: Final = (
    "该办件不能作为本次查询的依据:请核对办件编号,并确认由本单位受理、尚未办结、申请人为个人。"
)

_LIVE: Final = frozenset(
    {"SUBMITTED", "RECEIVED", "CORRECTION", "ACCEPTED", "SUSPENDED", "APPROVED"}
)
_PERSON: Final = "PERSON"
_APPLICANT: Final = "applicant"
_ASKED: Final = frozenset({"status", "closedAt", "matterCode", "applicantType"})


@dataclass(frozen=True, slots=True)
class CasePurpose:
    """Cases as reasons to see more; `needs` are the fields that each matter's materials need."""

    gate: Gate
    policy: Policy
    needs: Mapping[str, frozenset[str]]

    async def openings(
        self, principal: Principal, number: str, calls: Calls
    ) -> tuple[Opening, ...]:
        """
        Return what the case opens under the principal's own roles.

        Reads:  the case once, whatever it is.
        Raises: Forbidden, one and the same for every case that opens nothing; SourceFailure.
        """
        own = replace(principal, openings=())
        record = await self._case(own, number, calls)
        found = tuple(self._opened(own, number, record)) if record else ()
        if not found:
            raise Forbidden(REFUSED)
        return found

    async def _case(self, principal: Principal, number: str, calls: Calls) -> Record | None:
        cases = self.gate.entities[CASE]
        followed = frozenset((_APPLICANT,)) & cases.relationships.keys()
        wanted = Selection(CASE, _ASKED & cases.fields.keys(), followed)
        ask = Ask(wanted, Comparison(CASE_NUMBER, Operator.EQ, number), limit=2)
        asker = Asker(principal, calls, [], Spending(Throttle(), principal.account))
        try:
            found = await self.gate.read(asker, ask)
        except Forbidden:
            raise Forbidden(REFUSED) from None
        record = found.first()
        return record if len(found.records) == 1 else None

    def _opened(self, principal: Principal, number: str, case: Record) -> Iterator[Opening]:
        subject = _applicant(case)
        if subject is None or not _is_live(case):
            return
        needed = self.needs.get(str(case.get("matterCode")), frozenset())
        for held in sorted(case.grants):
            fields = needed & self.policy.ceiling(principal, held, Purpose.CASE)
            if fields:
                for inside in (True, False):
                    yield Opening(
                        subject, Purpose.CASE, held, fields, inf, inside=inside, case=number
                    )


def _is_live(case: Record) -> bool:
    return case.get("status") in _LIVE and case.get("closedAt") is None


def _applicant(case: Record) -> str | None:
    relationship = case.layout.entity.relationships.get(_APPLICANT)
    if relationship is None or case.get("applicantType") != _PERSON:
        return None
    (key,) = joined((case,), relationship)
    number = str(key[0]) if key else ""
    return number if CITIZEN_NUMBER.fullmatch(number) else None
