"""What a server has seen of its systems since it started, and who may be told; survives reloads."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

from auth.policy import Policy
from auth.principal import Principal
from auth.throttle import Throttle
from contract.document import Mistake
from contract.errors import Forbidden, TooComplex
from resolvers.operations import Freshness, Operation, Operations, SourceState, Used
from resolvers.usage import Asking, Sum, Usage
from sources.assembly import Assembly, Guarded
from sources.declaration import Department
from sources.drift import Drift
from sources.drops import together
from sources.file import FileSource
from sources.guard import Guard, now
from sources.http_source import HttpSource
from sources.period import Tally

_MOST_USED: Final = 1_000
_TOO_MANY: Final = "统计行数过多,请用 since 缩短时间范围后重试。"
_ZONE: Final = ZoneInfo("Asia/Shanghai")


@dataclass(slots=True)
class Observed:
    """
    What was counted and found.

    `drifts` belong to a guard, so that a system whose mapping changed starts anew. `refused`: what
    is wrong with newer files that were not put in force. `throttle`: what accounts have spent.
    """

    usage: Usage = field(default_factory=Usage)
    drifts: WeakKeyDictionary[Guard, Drift] = field(default_factory=WeakKeyDictionary)
    refused: tuple[Mistake, ...] = ()
    throttle: Throttle = field(default_factory=Throttle)


@dataclass(frozen=True, slots=True)
class Telling:
    """Tells one principal of the systems of one graph what the policy opens of it."""

    observed: Observed
    policy: Policy
    assembly: Assembly
    principal: Principal

    def operations(self) -> Operations:
        """Return what the principal may be told, when it is asked for."""
        return Operations(self._states, self._usage)

    def _states(self) -> list[SourceState]:
        guarded = self.assembly.systems
        return [self._state(each, guarded[each.name]) for each in self.assembly.departments]

    def _state(self, department: Department, guarded: Guarded) -> SourceState:
        guard = guarded.guard
        open_to_them = self.policy.sees_operations(self.principal, department.department)
        return SourceState(
            department.name,
            department.title,
            department.department,
            department.kind,
            guard.state,
            tuple(sorted(department.entities)),
            _freshness(department, guarded),
            guard.maintenance,
            guard.next_maintenance,
            self._operation(guarded) if open_to_them else None,
        )

    def _operation(self, guarded: Guarded) -> Operation:
        guard, source = guarded.guard, guarded.source
        return Operation(
            guard.circuit,
            guard.health.answered_at,
            guard.health.failed_at,
            guard.health.reads,
            guard.health.failures,
            source.stale if isinstance(source, FileSource) else "",
            self.observed.drifts.get(guard, Drift()),
            bool(self.observed.refused),
            together(guard.drops, *([source.drops] if isinstance(source, HttpSource) else [])),
            guarded.cache.tally if guarded.cache else Tally(),
        )

    def _usage(self, since: datetime | None, by_day: bool) -> Sequence[Used]:  # noqa: FBT001 -- called by place
        seen = {
            department.name: department.title
            for department in self.assembly.departments
            if self.policy.sees_usage(self.principal, department.department)
        }
        if not seen:
            raise Forbidden
        sums = [pair for pair in self.observed.usage.since(since) if pair[0].source in seen]
        summed = _by_day(sums) if by_day else dict(sums)
        if len(summed) > _MOST_USED:
            raise TooComplex(_TOO_MANY)
        roles = self.policy.roles
        return [
            Used(
                asking,
                seen[asking.source],
                roles[asking.role].title if asking.role in roles else asking.role,
                summed[asking],
            )
            for asking in sorted(summed, key=_order)
        ]


def _freshness(department: Department, guarded: Guarded) -> Freshness:
    promised, source = department.freshness_seconds, guarded.source
    as_of = source.as_of if isinstance(source, FileSource) else None
    kept = None
    if promised is not None and as_of is not None:
        kept = now() - as_of <= timedelta(seconds=promised)
    return Freshness(promised, as_of, kept)


def _by_day(sums: Iterable[tuple[Asking, Sum]]) -> dict[Asking, Sum]:
    """Return the sums of each day; `hour` is when it began."""
    days: dict[Asking, Sum] = {}
    for asking, counted in sums:
        began = asking.hour.astimezone(_ZONE).replace(hour=0)
        day = Asking(began, asking.source, asking.entity, asking.role, asking.scope, asking.purpose)
        days[day] = days.get(day, Sum()) + counted
    return days


def _order(asking: Asking) -> tuple[object, ...]:
    named = (asking.source, asking.entity, asking.role, asking.scope, asking.purpose)
    return (-asking.hour.timestamp(), *named)
