"""What one request carries from field to field; built per request and dropped with it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from auth.access_log import AccessLog
from auth.administration import Administration
from auth.policy import LedgerView
from auth.principal import Principal
from auth.reading import Consulted, Reading
from resolvers.ask import Asker
from resolvers.gate import Gate
from resolvers.identity import Identity
from resolvers.operations import NO_OPERATIONS, Operations
from resolvers.planning import Planning
from resolvers.record import Record
from resolvers.revealing import Revealing
from resolvers.seal import Seal
from resolvers.spending import Spending, refusing
from sources.federation import Calls


@dataclass(frozen=True, slots=True)
class Accesses:
    """The access ledger, and which records of it the principal sees."""

    view: LedgerView
    log: AccessLog


@dataclass(frozen=True, slots=True)
class Partial:
    """A list in an answer that lacks the rows of a system that failed, and where it is."""

    source: str
    path: tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """Records that stand in an answer, and where: the names on the way, no list indices."""

    path: tuple[str, ...]
    records: Sequence[Record]


@dataclass(frozen=True, slots=True)
class RequestContext:
    """
    Who asks, and the rooms that answer.

    `calls` grows with every question to a source, `readings` with what is read of people, `partial`
    with every list that lacks rows; `shown`, where provenance is wanted, with all that is shown;
    `pools` belong to the executor. `administration` and `drop_copies` are there where accounts are
    kept.
    """

    principal: Principal
    gate: Gate
    identity: Identity
    cursors: Seal
    role_titles: Sequence[str] = ()
    operations: Operations = NO_OPERATIONS
    request_id: str = ""
    calls: Calls = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    partial: list[Partial] = field(default_factory=list)
    shown: list[Shown] | None = None
    pools: dict[object, object] = field(default_factory=dict)
    spending: Spending = field(default_factory=refusing)
    administration: Administration | None = None
    drop_copies: Callable[[str], Awaitable[None]] | None = None
    consulted: list[Consulted] = field(default_factory=list)
    accesses: Accesses | None = None
    revealing: Revealing | None = None
    planning: Planning | None = None  # where the plan is wanted, by somebody who may know it

    @property
    def asker(self) -> Asker:
        """Return the principal with the lists that note what was asked of sources and read."""
        return Asker(self.principal, self.calls, self.readings, self.spending)
