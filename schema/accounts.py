"""Accounts of the embedded login service, for administrators of their own division alone."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Annotated, Any, Final, Optional, TypeAlias

import strawberry
from strawberry.types import Info

from auth.administration import Administration, Kind, Outcome, Wanted
from auth.standing import store_in_reach
from contract.errors import BadInput, Forbidden
from resolvers.context import RequestContext
from schema.scalars import DivisionCode
from schema.system import RoleHeld
from store.account_changes import AccountChange as Change
from store.account_changes import State
from store.accounts import Account as Stored
from store.accounts import Roles, Status

DEFAULT_LISTED: Final = 100
LARGEST_LISTED: Final = 500
_SIZE: Final = f"first 应在0到{LARGEST_LISTED}之间。"
_NO_ZONE: Final = "until 的时间要带时区,如 2026-05-01T17:00:00+08:00。"


@strawberry.enum(description="账号的状态 | State of an account")
class AccountState(Enum):
    ACTIVE = strawberry.enum_value("ACTIVE", description="正常 | It may be used")
    DISABLED = strawberry.enum_value("DISABLED", description="已停用 | It may not be used")


@strawberry.enum(description="变更的内容 | What is done to an account")
class AccountChangeKind(Enum):
    CREATE = strawberry.enum_value("CREATE", description="新建 | Make it")
    MOVE = strawberry.enum_value("MOVE", description="调整岗位或区划 | Give it other roles")
    DISABLE = strawberry.enum_value("DISABLE", description="停用 | Disable it")
    ENABLE = strawberry.enum_value("ENABLE", description="启用 | Enable it again")
    RESET_PASSWORD = strawberry.enum_value(
        "RESET_PASSWORD", description="重置密码 | Give it a new password"
    )
    DELEGATE = strawberry.enum_value("DELEGATE", description="请假代管 | Have it covered")
    END_COVER = strawberry.enum_value("END_COVER", description="结束代管 | End a cover")


@strawberry.enum(description="变更的进展 | What became of a change")
class AccountChangeState(Enum):
    PENDING = strawberry.enum_value("PENDING", description="待审批 | It waits for approval")
    APPROVED = strawberry.enum_value("APPROVED", description="已生效 | It is done")
    REFUSED = strawberry.enum_value("REFUSED", description="未通过 | It was refused")


@strawberry.type(description="请假代管 | Leave cover")
class AccountCover:
    absent: str = strawberry.field(description="被代管的账号 | Account that is covered")
    until: datetime = strawberry.field(description="到何时止 | When it ends")
    roles: list[RoleHeld] = strawberry.field(description="代管的岗位 | Roles that are lent")


@strawberry.type(description="登录账号 | An account of the embedded login service")
class Account:
    name: str = strawberry.field(description="账号名 | Name")
    state: AccountState = strawberry.field(description="状态 | State")
    roles: list[RoleHeld] = strawberry.field(description="本人的岗位 | Its own roles")
    covers: list[AccountCover] = strawberry.field(
        description="正在代管的账号 | Accounts it covers now"
    )
    department: str | None = strawberry.field(description="所属部门 | Department")
    created_at: datetime | None = strawberry.field(description="新建时间 | When it was made")
    changed_at: datetime | None = strawberry.field(description="变更时间 | When it last changed")
    password_changed_at: datetime | None = strawberry.field(
        description="密码修改时间 | When its password last changed"
    )
    must_change_password: bool = strawberry.field(
        description="登录前须先改密码 | Whether its password has to be changed first"
    )
    locked_until: datetime | None = strawberry.field(
        description="因密码多次错误锁定至 | Until when wrong passwords lock it"
    )


@strawberry.type(description="账号变更 | A change of an account")
class AccountChange:
    id: strawberry.ID = strawberry.field(description="变更编号 | Id of the change")
    kind: AccountChangeKind = strawberry.field(description="内容 | What is done")
    state: AccountChangeState = strawberry.field(description="进展 | What became of it")
    account: str = strawberry.field(description="账号 | Account")
    roles: list[RoleHeld] = strawberry.field(description="涉及的岗位 | Roles it is about")
    cover: str | None = strawberry.field(description="代管人 | Account that covers")
    until: datetime | None = strawberry.field(description="代管到何时止 | When a cover ends")
    asked_by: str = strawberry.field(description="申请人 | Who asked for it")
    asked_at: datetime = strawberry.field(description="申请时间 | When it was asked for")
    decided_by: str | None = strawberry.field(description="审批人 | Who decided")
    decided_at: datetime | None = strawberry.field(description="审批时间 | When it was decided")


@strawberry.type(description="账号变更的结果 | What came of a change of an account")
class AccountOutcome:
    change: AccountChange = strawberry.field(description="变更 | The change")
    password: str | None = strawberry.field(
        description="一次性密码,只显示这一次,三天内首次登录须修改"
        " | A password, told this once, to be changed at sign-in within three days"
    )


@strawberry.input(description="在某区划担任的一个岗位 | A role held in a division")
class RoleInput:
    role: str = strawberry.field(description="岗位代码 | Role")
    scope: DivisionCode = strawberry.field(description="管辖区划 | Division it is held in")


@strawberry.input(description="查哪些账号,各项须同时符合 | Which accounts; all of it holds")
class AccountWhere:
    name: Optional[str] = strawberry.field(default=None, description="账号名 | Name")
    state: Optional[AccountState] = strawberry.field(default=None, description="状态 | State")
    role: Optional[str] = strawberry.field(default=None, description="岗位代码 | Role")
    scope: Optional[DivisionCode] = strawberry.field(
        default=None, description="岗位在该区划或其下级 | A role is held there or beneath"
    )


_Info: TypeAlias = Info[RequestContext, None]
_Name: TypeAlias = Annotated[str, strawberry.argument(description="账号名 | Name of the account")]
_Roles: TypeAlias = Annotated[
    list[RoleInput], strawberry.argument(description="全部岗位 | All roles it shall have")
]
_Department: TypeAlias = Annotated[
    Optional[str], strawberry.argument(description="所属部门 | Department")
]
_Cover: TypeAlias = Annotated[
    str, strawberry.argument(description="代管人的账号名 | Account that covers")
]
_Until: TypeAlias = Annotated[
    datetime,
    strawberry.argument(description="到何时止,须带时区,最长30天 | The end, in 30 days at most"),
]
_Change: TypeAlias = Annotated[
    strawberry.ID, strawberry.argument(description="变更编号 | Id of the change")
]
_Where: TypeAlias = Annotated[
    Optional[AccountWhere], strawberry.argument(description="查哪些账号 | Which accounts")
]
_First: TypeAlias = Annotated[
    int, strawberry.argument(description="最多返回几个 | How many at most")
]
_After: TypeAlias = Annotated[
    Optional[str], strawberry.argument(description="从此账号名之后起 | Behind this name")
]
_State: TypeAlias = Annotated[
    AccountChangeState, strawberry.argument(description="进展 | What became of them")
]


async def accounts(
    info: _Info, where: _Where = None, first: _First = DEFAULT_LISTED, after: _After = None
) -> Optional[list[Account]]:
    """
    Return accounts of the administrator's own divisions, by name.

    Raises: Forbidden, BadInput.
    """
    if not 0 <= first <= LARGEST_LISTED:
        raise BadInput(_SIZE)
    administration = _administration(info)
    wanted = where or AccountWhere()
    with store_in_reach():
        reached = await administration.accounts()
        behind = (each for each in reached if each.name > (after or ""))
        page = [each for each in behind if _fits(each, wanted)][:first]
        locks = await administration.locked_until([each.name for each in page])
    return [_account(administration, each, locks) for each in page]


async def account_changes(
    info: _Info, state: _State = AccountChangeState.PENDING
) -> Optional[list[AccountChange]]:
    """
    Return the latest changes of accounts of the administrator's own divisions.

    Raises: Forbidden.
    """
    administration = _administration(info)
    with store_in_reach():
        found = await administration.changes(State[state.name])
    return [_change(administration, each) for each in found]


async def create_account(
    info: _Info, account: _Name, roles: _Roles, department: _Department = None
) -> Optional[AccountOutcome]:
    """Ask for an account."""
    return await _done(info, Wanted(Kind.CREATE, account, _given(roles), department or ""))


async def move_account(info: _Info, account: _Name, roles: _Roles) -> Optional[AccountOutcome]:
    """Give an account other roles or scopes."""
    return await _done(info, Wanted(Kind.MOVE, account, _given(roles)))


async def disable_account(info: _Info, account: _Name) -> Optional[AccountOutcome]:
    """Disable an account."""
    return await _done(info, Wanted(Kind.DISABLE, account))


async def enable_account(info: _Info, account: _Name) -> Optional[AccountOutcome]:
    """Ask for an account to be enabled again."""
    return await _done(info, Wanted(Kind.ENABLE, account))


async def reset_password(info: _Info, account: _Name) -> Optional[AccountOutcome]:
    """Ask for a new password for an account."""
    return await _done(info, Wanted(Kind.RESET_PASSWORD, account))


async def delegate_account(
    info: _Info, account: _Name, cover: _Cover, until: _Until
) -> Optional[AccountOutcome]:
    """Ask that another account covers this one."""
    if until.tzinfo is None:
        raise BadInput(_NO_ZONE)
    wanted = Wanted(Kind.DELEGATE, account, cover=cover, ends_at=until.timestamp())
    return await _done(info, wanted)


async def end_cover(info: _Info, account: _Name, cover: _Cover) -> Optional[AccountOutcome]:
    """End what another account covers of this one."""
    return await _done(info, Wanted(Kind.END_COVER, account, cover=cover))


async def approve_account_change(info: _Info, id: _Change) -> Optional[AccountOutcome]:  # noqa: A002 -- GraphQL's word
    """Approve what another administrator asked for."""
    administration = _administration(info)
    with store_in_reach():
        return _outcome(administration, await administration.approve(id))


async def refuse_account_change(info: _Info, id: _Change) -> Optional[AccountOutcome]:  # noqa: A002 -- GraphQL's word
    """Refuse a change, or take back one's own."""
    administration = _administration(info)
    with store_in_reach():
        return _outcome(administration, await administration.refuse(id))


def _field(resolver: Any, description: str) -> Any:
    return strawberry.field(resolver=resolver, description=description)


ACCOUNT_QUERIES: Final[Mapping[str, Any]] = {
    "accounts": _field(
        accounts, "本辖区的账号,仅限账号管理员 | Accounts of your division, for administrators"
    ),
    "account_changes": _field(
        account_changes,
        "本辖区的账号变更,最近 500 项 | The latest 500 changes of accounts of your division",
    ),
}
ACCOUNT_MUTATIONS: Final[Mapping[str, Any]] = {
    "create_account": _field(
        create_account, "新建账号,须另一名管理员审批 | Make an account; a second one approves"
    ),
    "move_account": _field(
        move_account,
        "调整岗位或区划;只减不增的立即生效,其余须审批"
        " | Give an account other roles: at once where nothing opens, else after approval",
    ),
    "disable_account": _field(disable_account, "停用账号,立即生效 | Disable an account, at once"),
    "enable_account": _field(
        enable_account, "重新启用账号,须审批 | Enable an account again, after approval"
    ),
    "reset_password": _field(
        reset_password, "重置密码,须审批 | Give an account a new password, after approval"
    ),
    "delegate_account": _field(
        delegate_account,
        "请假代管,最长30天,须审批 | Have an account covered, 30 days at most, after approval",
    ),
    "end_cover": _field(end_cover, "提前结束代管,立即生效 | End a cover early, at once"),
    "approve_account_change": _field(
        approve_account_change,
        "审批通过;申请人和受益人不能审批"
        " | Approve a change that another asked for, and that you do not gain by",
    ),
    "refuse_account_change": _field(
        refuse_account_change, "不予通过,或撤回自己的申请 | Refuse a change, or take back yours"
    ),
}


def _administration(info: _Info) -> Administration:
    if info.context.administration is None:
        raise Forbidden
    return info.context.administration


async def _done(info: _Info, wanted: Wanted) -> AccountOutcome:
    administration = _administration(info)
    with store_in_reach():
        return _outcome(administration, await administration.change(wanted))


def _given(roles: Iterable[RoleInput]) -> Roles:
    return tuple((each.role, str(each.scope)) for each in roles)


def _fits(account: Stored, where: AccountWhere) -> bool:
    scope = str(where.scope or "")
    return (
        (where.name is None or where.name == account.name)
        and (where.state is None or Status[where.state.name] == account.status)
        and any(
            where.role in (None, role) and held.startswith(scope) for role, held in account.roles
        )
    )


def _account(administration: Administration, stored: Stored, locks: Mapping[str, float]) -> Account:
    now, locked = administration.office.clock(), locks.get(stored.name, 0.0)
    covers = administration.office.standing.covers(stored.name)
    return Account(
        name=stored.name,
        state=AccountState[Status(stored.status).name],
        roles=_roles(administration, stored.roles),
        covers=[
            AccountCover(
                absent=cover.absent,
                until=_time(cover.ends_at),
                roles=_roles(administration, cover.roles),
            )
            for cover in covers
            if cover.ends_at > now
        ],
        department=stored.department or None,
        created_at=_at(stored.created_at),
        changed_at=_at(stored.changed_at),
        password_changed_at=_at(stored.password_changed_at),
        must_change_password=stored.must_change,
        locked_until=_at(locked if locked > now else None),
    )


def _outcome(administration: Administration, outcome: Outcome) -> AccountOutcome:
    return AccountOutcome(
        change=_change(administration, outcome.change), password=outcome.password or None
    )


def _change(administration: Administration, change: Change) -> AccountChange:
    return AccountChange(
        id=strawberry.ID(change.id),
        kind=AccountChangeKind[Kind(change.kind).name],
        state=AccountChangeState[State(change.state).name],
        account=change.account,
        roles=_roles(administration, change.roles),
        cover=change.cover or None,
        until=_at(change.ends_at),
        asked_by=change.asked_by,
        asked_at=_time(change.asked_at),
        decided_by=change.decided_by or None,
        decided_at=_at(change.decided_at),
    )


def _roles(administration: Administration, roles: Roles) -> list[RoleHeld]:
    known = administration.policy.roles
    return [
        RoleHeld(
            role=role,
            title=known[role].title if role in known else role,
            scope=DivisionCode(scope),
        )
        for role, scope in roles
    ]


def _at(seconds: float | None) -> datetime | None:
    return _time(seconds) if seconds else None


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
