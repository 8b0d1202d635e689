"""What one request carries from field to field; built per request and dropped with it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from auth.principal import Principal
from resolvers.ask import Asker
from resolvers.gate import Gate
from resolvers.identity import Identity
from resolvers.seal import Seal
from sources.federation import Calls


@dataclass(frozen=True, slots=True)
class SourceState:
    """A department's system as clients may know it."""

    name: str
    title: str
    department: str
    kind: str
    state: str
    entities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RequestContext:
    """
    Who asks, and the rooms that answer.

    `calls` grows with every question to a source; `pools` belong to the executor.
    """

    principal: Principal
    gate: Gate
    identity: Identity
    cursors: Seal
    role_titles: Sequence[str] = ()
    sources: Callable[[], Sequence[SourceState]] = tuple
    request_id: str = ""
    calls: Calls = field(default_factory=list)
    pools: dict[object, object] = field(default_factory=dict)

    @property
    def asker(self) -> Asker:
        """Return the principal with the list that notes what was asked of sources."""
        return Asker(self.principal, self.calls)
