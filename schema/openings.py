"""Opening a person's record beyond the masks, and the queue of those who watch over it."""

from datetime import UTC, datetime
from enum import Enum
from typing import Annotated, Any, Final, Optional, TypeAlias

import strawberry
from strawberry.types import Info

from auth.openings import NUMBER, RESIDENT
from contract.errors import BadInput, Forbidden
from contract.predicate import Comparison, Operator, Predicate
from resolvers.context import RequestContext
from resolvers.revealing import LARGEST_QUEUE, Revealing, whole
from schema.scalars import DivisionCode
from store.openings import BrokenGlass, KeptOpening

_ONE: Final = "请给出 idNumber 或 id 之一。"
_SIZE: Final = f"first 应在1到{LARGEST_QUEUE}之间。"


@strawberry.enum(description="打开居民信息的缘由 | What a person's record is opened for")
class OpeningPurpose(Enum):
    EMERGENCY = strawberry.enum_value("emergency", description="紧急情况 | An emergency")
    WINDOW = strawberry.enum_value("window", description="窗口办事 | The person is at the window")


@strawberry.type(description="限时打开的一位居民的信息 | A person's record, opened for a time")
class Opening:
    id: strawberry.ID = strawberry.field(description="编号 | Number of the opening")
    purpose: OpeningPurpose = strawberry.field(description="缘由 | What for")
    opened_at: datetime = strawberry.field(description="打开时间 | Opened at, UTC")
    until: datetime = strawberry.field(description="到何时止 | When it ends, UTC")


@strawberry.type(description="一次紧急查看 | An emergency in which somebody's record was opened")
class BreakGlass:
    id: strawberry.ID = strawberry.field(description="编号 | Number of the opening")
    account: str = strawberry.field(description="账号 | Account")
    role: str = strawberry.field(description="岗位代码 | Role")
    scope: DivisionCode = strawberry.field(description="管辖区划 | Division it is held in")
    department: str | None = strawberry.field(description="所属部门 | Department")
    subject: str = strawberry.field(
        description="当事人在访问台账中的代号 | What the ledger calls the person"
    )
    reason: str = strawberry.field(description="事由(数字已隐去) | Reason, without numbers")
    at: datetime = strawberry.field(description="时间 | When, UTC")
    until: datetime = strawberry.field(description="到何时止 | When it ends, UTC")


_IdNumber: TypeAlias = Annotated[
    str, strawberry.argument(description="公民身份号码,须完整 | Citizen number, the whole of it")
]
_MaybeIdNumber: TypeAlias = Annotated[
    Optional[str],
    strawberry.argument(description="公民身份号码,须完整 | Citizen number, the whole of it"),
]
_MaybeId: TypeAlias = Annotated[
    Optional[strawberry.ID], strawberry.argument(description="居民的标识 | Id of the resident")
]
_Reason: TypeAlias = Annotated[
    str, strawberry.argument(description="事由,4至200字 | Why, 4 to 200 characters")
]
_Id: TypeAlias = Annotated[
    strawberry.ID, strawberry.argument(description="编号 | Number of the opening")
]
_First: TypeAlias = Annotated[
    int, strawberry.argument(description=f"最多几条,1至{LARGEST_QUEUE} | How many at most")
]


async def break_glass(
    info: Info[RequestContext, None],
    reason: _Reason,
    id_number: _MaybeIdNumber = None,
    id: _MaybeId = None,  # noqa: A002 -- GraphQL's word
) -> Opening:
    """Open one person of the caller's own rows."""
    where = _person(info.context, id_number, id)
    return _opening(await _revealing(info).break_glass(where, reason))


async def open_resident(
    info: Info[RequestContext, None], id_number: _IdNumber, basis: _Reason
) -> Opening:
    """Open one person of any township."""
    return _opening(await _revealing(info).open_resident(id_number, basis))


async def close_opening(info: Info[RequestContext, None], id: _Id) -> bool:  # noqa: A002 -- GraphQL's word
    """End an opening before its time."""
    return await _revealing(info).close(id)


async def acknowledge_break_glass(info: Info[RequestContext, None], id: _Id) -> bool:  # noqa: A002 -- GraphQL's word
    """Note that an emergency was looked at."""
    return await _revealing(info).acknowledge(id)


async def openings(info: Info[RequestContext, None]) -> list[Opening]:
    """Return what the caller has opened and has not ended."""
    return [_opening(each) for each in await _revealing(info).live()]


async def break_glass_queue(
    info: Info[RequestContext, None], first: _First = 100
) -> list[BreakGlass]:
    """Return the emergencies that nobody has looked at."""
    if not 1 <= first <= LARGEST_QUEUE:
        raise BadInput(_SIZE)
    return [_told(each) for each in await _revealing(info).queue(first)]


OPENING_MUTATIONS: Final[dict[str, Any]] = {
    "break_glass": strawberry.mutation(
        resolver=break_glass,
        description="紧急查看:限时打开本辖区一位居民的信息,记入访问台账并通知审计人员"
        " | Opens a person of your own rows for a short time; recorded, and auditors are told",
    ),
    "open_resident": strawberry.mutation(
        resolver=open_resident,
        description="窗口办事:限时打开来窗口办事的外乡镇居民的信息,记入访问台账"
        " | Opens a person of another township at the window for a short time; recorded",
    ),
    "close_opening": strawberry.mutation(
        resolver=close_opening,
        description="提前关闭本人打开的居民信息 | Ends an opening of yours before its time",
    ),
    "acknowledge_break_glass": strawberry.mutation(
        resolver=acknowledge_break_glass,
        description="审计人员确认已核查一次紧急查看 | An auditor has looked at an emergency",
    ),
}

OPENING_QUERIES: Final[dict[str, Any]] = {
    "openings": strawberry.field(
        resolver=openings,
        description="本人限时打开、尚未到期的居民信息 | What you have opened and has not ended",
    ),
    "break_glass_queue": strawberry.field(
        resolver=break_glass_queue,
        description="待审计人员核查的紧急查看 | Emergencies that no auditor has looked at yet",
    ),
}


def _revealing(info: Info[RequestContext, None]) -> Revealing:
    """
    Return what opens.

    Raises: Forbidden where the server keeps no openings.
    """
    if info.context.revealing is None:
        raise Forbidden
    return info.context.revealing


def _person(context: RequestContext, number: str | None, named: str | None) -> Predicate:
    if (number is None) == (named is None):
        raise BadInput(_ONE)
    if number is not None:
        return Comparison(NUMBER, Operator.EQ, whole(number))
    found = context.identity.find(str(named))
    if found is None or found[0] != RESIDENT:
        # As a person who is not there: the systems are asked, and have nobody of that number.
        return Comparison(context.gate.entities[RESIDENT].key[0], Operator.EQ, "")
    return found[1]


def _opening(kept: KeptOpening) -> Opening:
    return Opening(
        id=strawberry.ID(kept.id),
        purpose=OpeningPurpose(kept.purpose),
        opened_at=_moment(kept.begun_at),
        until=_moment(kept.ends_at),
    )


def _told(glass: BrokenGlass) -> BreakGlass:
    return BreakGlass(
        id=strawberry.ID(glass.id),
        account=glass.account,
        role=glass.role,
        scope=glass.scope,  # type: ignore[arg-type] # a division code is a string
        department=glass.department or None,
        subject=glass.subject,
        reason=glass.reason,
        at=_moment(glass.at),
        until=_moment(glass.ends_at),
    )


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)
