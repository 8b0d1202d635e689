"""How the departments' systems are, and how much they were asked, for those who may know."""

from datetime import UTC, datetime
from enum import Enum
from typing import Annotated, Final, Optional, TypeAlias

import strawberry
from strawberry.types import Info

from contract.errors import BadInput, Forbidden
from resolvers.context import RequestContext
from resolvers.operations import Freshness, Operation, SourceState, Used
from schema.scalars import DivisionCode
from sources.drift import Change, Drift
from sources.drops import Dropped
from sources.maintenance import Window

_NO_ZONE: Final = "since 的时间要带时区,如 2026-01-01T08:00:00+08:00。"


@strawberry.enum(description="系统的状态 | State of a system")
class SourceCondition(Enum):
    UNASKED = strawberry.enum_value("UNASKED", description="尚未访问过 | Not asked yet")
    OK = strawberry.enum_value("OK", description="最近一次访问正常 | It answered when last asked")
    MAINTENANCE = strawberry.enum_value(
        "MAINTENANCE", description="正在维护,暂不访问 | In maintenance; nobody asks it"
    )
    UNAVAILABLE = strawberry.enum_value(
        "UNAVAILABLE", description="最近一次无法访问 | It could not be reached when last asked"
    )
    TIMEOUT = strawberry.enum_value(
        "TIMEOUT", description="最近一次响应超时 | It took too long when last asked"
    )
    REFUSED = strawberry.enum_value(
        "REFUSED",
        description="最近一次返回的数据不可信 | It answered what cannot be trusted when last asked",
    )
    FAILED = strawberry.enum_value(
        "FAILED", description="最近一次访问失败 | It failed when last asked"
    )


@strawberry.enum(description="熔断器的状态 | State of a circuit breaker")
class CircuitState(Enum):
    CLOSED = strawberry.enum_value("CLOSED", description="正常访问 | Every question passes")
    OPEN = strawberry.enum_value("OPEN", description="暂停访问 | No question passes for a while")
    HALF_OPEN = strawberry.enum_value("HALF_OPEN", description="试探访问 | One question passes")


@strawberry.enum(description="结构与映射是否一致 | Whether a system still is as it was mapped")
class StructureState(Enum):
    OK = strawberry.enum_value("OK", description="一致 | It is")
    DRIFTED = strawberry.enum_value("DRIFTED", description="已有变化 | Something is different")
    UNKNOWN = strawberry.enum_value(
        "UNKNOWN", description="尚不清楚 | Not looked at, or it did not answer"
    )


@strawberry.enum(description="结构变化的种类 | Kind of a change of structure")
class StructureFinding(Enum):
    MISSING = strawberry.enum_value("MISSING", description="已不存在 | It is not there any more")
    CHANGED = strawberry.enum_value("CHANGED", description="类型已变 | It is of another kind")


@strawberry.enum(description="映射与权限文件的状态 | State of the mapping files and the policy")
class ConfigurationState(Enum):
    CURRENT = strawberry.enum_value(
        "CURRENT", description="现行文件均已生效 | The files as they are now are in force"
    )
    REFUSED = strawberry.enum_value(
        "REFUSED",
        description="较新的文件有误,仍按原文件运行 | Newer ones are wrong; the ones before hold",
    )


@strawberry.enum(description="统计周期 | Period of a sum")
class UsagePeriod(Enum):
    DAY = strawberry.enum_value("DAY", description="按日(北京时间) | By day, in China")
    HOUR = strawberry.enum_value("HOUR", description="按小时 | By hour")


@strawberry.type(description="维护时段 | Window of maintenance")
class MaintenanceWindow:
    begins_at: datetime = strawberry.field(description="开始时间 | When it begins")
    ends_at: datetime = strawberry.field(description="结束时间 | When it ends")

    @classmethod
    def of(cls, window: Window | None) -> Optional["MaintenanceWindow"]:
        if window is None:
            return None
        return cls(begins_at=window.begins.astimezone(UTC), ends_at=window.ends.astimezone(UTC))


@strawberry.type(description="数据的新旧 | How old the data are")
class SourceFreshness:
    promised_seconds: float | None = strawberry.field(
        description="承诺的最长滞后(秒) | How old they may be, in seconds"
    )
    as_of: datetime | None = strawberry.field(
        description="数据截至(仅文件) | Of when they are, for files"
    )
    kept: bool | None = strawberry.field(
        description="承诺是否兑现,不可知时为 null | Whether that is kept; null if not known"
    )

    @classmethod
    def of(cls, freshness: Freshness) -> "SourceFreshness":
        return cls(
            promised_seconds=freshness.promised_seconds,
            as_of=freshness.as_of,
            kept=freshness.kept,
        )


@strawberry.type(description="一处结构变化 | A change of structure")
class StructureChange:
    entity: str = strawberry.field(description="所属数据 | Of what")
    native: str = strawberry.field(description="来源系统中的名称 | Name in the system")
    finding: StructureFinding = strawberry.field(description="变化种类 | What happened to it")

    @classmethod
    def of(cls, change: Change) -> "StructureChange":
        finding = StructureFinding[change.finding.name]
        return cls(entity=change.entity, native=change.native, finding=finding)


@strawberry.type(description="接入后的结构变化 | Changes of structure since it was mapped")
class SourceDrift:
    state: StructureState = strawberry.field(description="结论 | What is known")
    checked_at: datetime | None = strawberry.field(description="检查时间 | When it was looked at")
    changes: list[StructureChange] = strawberry.field(description="变化之处 | What is different")

    @classmethod
    def of(cls, drift: Drift) -> "SourceDrift":
        return cls(
            state=StructureState[drift.state.name],
            checked_at=drift.checked_at,
            changes=[StructureChange.of(change) for change in drift.changes],
        )


@strawberry.type(
    description="系统未按条件筛选而被剔除的记录,是不可信的理由 | "
    "Rows that a system sent although it was asked to leave them out: a reason to distrust it"
)
class DroppedRows:
    entity: str = strawberry.field(description="所属数据 | Of what")
    rows: int = strawberry.field(description="剔除的行数 | How many were dropped")
    last_at: datetime = strawberry.field(description="最近一次 | When last")

    @classmethod
    def of(cls, entity: str, dropped: Dropped) -> "DroppedRows":
        return cls(entity=entity, rows=dropped.rows, last_at=dropped.last_at)


@strawberry.type(description="系统的运行情况 | How a system runs")
class SourceOperation:
    circuit: CircuitState = strawberry.field(description="熔断器 | Its circuit breaker")
    last_answered_at: datetime | None = strawberry.field(
        description="最近一次正常应答 | When it last answered"
    )
    last_failed_at: datetime | None = strawberry.field(
        description="最近一次失败 | When it last failed"
    )
    reads: int = strawberry.field(
        description="启动或映射变更以来的访问次数 | Questions since it was mapped or started"
    )
    failures: int = strawberry.field(description="其中失败的次数 | How many of them failed")
    stale_reason: str | None = strawberry.field(
        description="较新的文件为何未启用(仅文件) | Why newer files do not count, for files"
    )
    drift: SourceDrift = strawberry.field(description="结构变化 | Changes of structure")
    configuration: ConfigurationState = strawberry.field(
        description="映射与权限文件 | The mapping files and the policy"
    )
    dropped_rows: list[DroppedRows] = strawberry.field(
        description="启动或映射变更以来剔除的记录 | Rows dropped since it was mapped or started"
    )
    cache_hits: int = strawberry.field(
        description="由缓存应答的查询次数 | Questions answered by what is kept, without the system"
    )
    cache_misses: int = strawberry.field(
        description="缓存未能应答的查询次数 | Questions that what is kept could not answer"
    )

    @classmethod
    def of(cls, operation: Operation) -> "SourceOperation":
        state = ConfigurationState.REFUSED if operation.refused else ConfigurationState.CURRENT
        return cls(
            circuit=CircuitState[operation.circuit.name],
            last_answered_at=operation.answered_at,
            last_failed_at=operation.failed_at,
            reads=operation.reads,
            failures=operation.failures,
            stale_reason=operation.stale or None,
            drift=SourceDrift.of(operation.drift),
            configuration=state,
            dropped_rows=[DroppedRows.of(*each) for each in operation.dropped.items()],
            cache_hits=operation.kept.hits,
            cache_misses=operation.kept.misses,
        )


@strawberry.type(description="部门系统及其状态 | A department's system and its state")
class SourceStatus:
    told: strawberry.Private[SourceState]
    name: str = strawberry.field(description="系统代码 | Name")
    title: str = strawberry.field(description="系统名称 | What the system is called")
    department: str = strawberry.field(description="所属部门 | Department")
    kind: str = strawberry.field(description="接入方式 | How it is connected")
    state: SourceCondition = strawberry.field(description="状态 | State")
    entities: list[str] = strawberry.field(description="提供的数据 | What it holds")
    freshness: SourceFreshness = strawberry.field(description="数据的新旧 | How old its data are")
    maintenance: MaintenanceWindow | None = strawberry.field(
        description="正在进行的维护 | The maintenance that lasts now"
    )
    next_maintenance: MaintenanceWindow | None = strawberry.field(
        description="下一次维护 | The maintenance that comes next"
    )

    @strawberry.field(
        description="运行情况,仅限有权查看的岗位 | How it runs, for roles that may see it"
    )
    def operation(self) -> SourceOperation | None:
        if self.told.operation is None:
            raise Forbidden
        return SourceOperation.of(self.told.operation)

    @classmethod
    def of(cls, state: SourceState) -> "SourceStatus":
        return cls(
            told=state,
            name=state.name,
            title=state.title,
            department=state.department,
            kind=state.kind,
            state=SourceCondition[state.state],
            entities=list(state.entities),
            freshness=SourceFreshness.of(state.freshness),
            maintenance=MaintenanceWindow.of(state.maintenance),
            next_maintenance=MaintenanceWindow.of(state.next_maintenance),
        )


@strawberry.type(
    description="一个岗位在一个周期内对系统的查询 | What one role asked of a system in one period"
)
class SourceUsage:
    source: str = strawberry.field(description="系统代码 | Name of the system")
    title: str = strawberry.field(description="系统名称 | What the system is called")
    begins_at: datetime = strawberry.field(description="周期开始 | When the period began")
    entity: str = strawberry.field(description="查询的数据 | What was asked for")
    role: str = strawberry.field(description="岗位代码 | Role that asked")
    role_title: str = strawberry.field(description="岗位名称 | What the role is called")
    scope: DivisionCode = strawberry.field(
        description="岗位所辖区划,最细到乡镇 | Division it is held in, a township at most"
    )
    purpose: str | None = strawberry.field(description="查询事由 | What it was asked for")
    questions: int = strawberry.field(description="查询次数 | Questions put to the system")
    rows: int = strawberry.field(description="返回行数 | Rows it gave")
    failures: int = strawberry.field(description="未获应答的次数 | Questions it did not answer")

    @classmethod
    def of(cls, used: Used) -> "SourceUsage":
        asking = used.asking
        return cls(
            source=asking.source,
            title=used.source_title,
            begins_at=asking.hour.astimezone(UTC),
            entity=asking.entity,
            role=asking.role,
            role_title=used.role_title,
            scope=DivisionCode(asking.scope),
            purpose=asking.purpose or None,
            questions=used.sum.questions,
            rows=used.sum.rows,
            failures=used.sum.failures,
        )


_Since: TypeAlias = Annotated[
    datetime | None,
    strawberry.argument(description="从何时起,须带时区 | From when on, with an offset"),
]
_By: TypeAlias = Annotated[
    UsagePeriod, strawberry.argument(description="统计周期 | By day or hour")
]


def sources(info: Info[RequestContext, None]) -> list[SourceStatus]:
    """Return every department's system, as the one who asks may know it."""
    return [SourceStatus.of(state) for state in info.context.operations.states()]


def source_usage(
    info: Info[RequestContext, None], since: _Since = None, by: _By = UsagePeriod.DAY
) -> Optional[list[SourceUsage]]:
    """
    Return what was asked of the systems of the officer's own department.

    Raises: Forbidden without a line in the policy; BadInput for a time without an offset.
    """
    if since is not None and since.tzinfo is None:
        raise BadInput(_NO_ZONE)
    used = info.context.operations.usage(since, by is UsagePeriod.DAY)
    return [SourceUsage.of(each) for each in used]
