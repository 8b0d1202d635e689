"""What a request opens beyond the masks: by the case it names, and what was opened before."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from auth.ledger import Ledger
from auth.openings import Purpose
from auth.principal import Principal
from auth.reading import Answer
from contract.errors import BadInput, Forbidden
from gateway.auditing import Keeping
from gateway.graph import OpenGraph
from gateway.secret import read_secret
from resolvers.case_purpose import REFUSED, CasePurpose
from resolvers.context import RequestContext
from resolvers.openings import Durations, Openings
from resolvers.revealing import Revealing
from resolvers.seal import Seal
from store.database import StoreUnavailable
from store.openings import OpeningStore

_CASE: Final = re.compile(r"case:([A-Za-z0-9][A-Za-z0-9-]{0,63})")
_MALFORMED: Final = "请求头 X-Purpose 应写作 case:办件编号,且只写一个。"

Record: TypeAlias = Callable[[Answer], Awaitable[object]]
Revealed: TypeAlias = tuple[Principal, Revealing | None]
"""The principal with what is opened to it, and what it may open besides."""
Reveal: TypeAlias = Callable[[OpenGraph, RequestContext, str | None], Awaitable[Revealed]]
"""Gives what is opened for a request, and for the purpose it names."""


@dataclass(frozen=True, slots=True)
class Reveals:
    """Purposes and openings as a server knows them; refusals are put on record."""

    openings: Openings
    record: Record

    async def given(
        self, graph: OpenGraph, context: RequestContext, purpose: str | None
    ) -> Revealed:
        """
        Return the principal with what is opened for this request.

        Raises: BadInput, Forbidden, SourceFailure, AuditUnavailable.
        """
        own = context.principal
        stored = await self.openings.of(graph.policy, own)
        principal = replace(own, openings=stored) if stored else own
        if purpose is not None:
            named = replace(own, purpose=Purpose.CASE.value, case=case_of(purpose))
            by_case = await self._by_case(graph, context, named)
            principal = replace(named, openings=(*by_case.openings, *stored))
        return principal, Revealing(self.openings, context.gate, graph.policy, context.asker)

    async def _by_case(
        self, graph: OpenGraph, context: RequestContext, named: Principal
    ) -> Principal:
        cases = CasePurpose(context.gate, graph.policy, graph.needs)
        try:
            opened = await cases.openings(named, named.case, context.calls)
        except Forbidden:
            graph.observed.usage.note(named, context.calls)
            await self.record(_refusal(named, context))
            raise
        return replace(named, openings=opened)


async def reveal_nothing(_: OpenGraph, context: RequestContext, purpose: str | None) -> Revealed:
    """
    Return the principal as it is, where nothing is kept of openings; no case opens anything.

    Raises: BadInput, Forbidden.
    """
    if purpose is not None:
        case_of(purpose)
        raise Forbidden(REFUSED)
    return context.principal, None


def case_of(purpose: str) -> str:
    """
    Return the number of the case that is the purpose.

    Raises: BadInput, which does not repeat it.
    """
    found = _CASE.fullmatch(purpose)
    if found is None:
        raise BadInput(_MALFORMED)
    return found[1]


@asynccontextmanager
async def revealing(
    store: AsyncEngine, keeping: Keeping, ledger: Ledger, durations: Durations
) -> AsyncIterator[Reveals]:
    """
    Keep openings in the store as long as the block lasts.

    Raises: StoreUnavailable; ValueError, OSError for a key file that cannot be used.
    """
    kept = OpeningStore(store)
    try:
        await kept.create()
    except (SQLAlchemyError, OSError) as error:
        raise StoreUnavailable("the tables of openings cannot be made in the store") from error
    seal = Seal(read_secret(keeping.key_file), "opening")
    yield Reveals(Openings(kept, seal, ledger, durations), ledger.record)


def _refusal(named: Principal, context: RequestContext) -> Answer:
    sources = frozenset(call.source for call in context.calls)
    return Answer(named, None, "", (), sources, frozenset({Forbidden.code}))
