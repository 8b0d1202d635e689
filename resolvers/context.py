"""What one request carries from field to field; built per request and dropped with it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from auth.principal import Principal
from auth.reading import Reading
from resolvers.ask import Asker
from resolvers.gate import Gate
from resolvers.identity import Identity
from resolvers.operations import NO_OPERATIONS, Operations
from resolvers.record import Record
from resolvers.seal import Seal
from sources.federation import Calls


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
    `pools` belong to the executor.
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

    @property
    def asker(self) -> Asker:
        """Return the principal with the lists that note what was asked of sources and read."""
        return Asker(self.principal, self.calls, self.readings)
