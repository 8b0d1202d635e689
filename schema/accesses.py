"""Who read whose data: records of the access ledger for auditors, and for people their own."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Annotated, Any, Final, Optional, TypeAlias

import strawberry
from strawberry.types import Info

from auth.access_log import Wanted
from contract.errors import BadInput
from execution.adapter import set_field
from resolvers.accesses import AccessPage, access_page, accessed_by
from resolvers.context import RequestContext
from resolvers.record import Record
from schema.arguments import DEFAULT_PAGE, LARGEST_PAGE
from schema.connections import PageInfo
from schema.scalars import DivisionCode

Told = Mapping[str, Any]
_SIZE: Final = f"first 应在0到{LARGEST_PAGE}之间。"


@strawberry.enum(description="字段是如何显示的 | How a field was shown")
class Showing(Enum):
    SHOWN = strawberry.enum_value("shown", description="完整显示 | Whole")
    MASKED = strawberry.enum_value("masked", description="脱敏显示 | Masked")
    HIDDEN = strawberry.enum_value("hidden", description="未显示 | Not at all")


@strawberry.type(description="查询时的岗位与区划 | A role and the division it asked in")
class AccessOffice:
    role: str = strawberry.field(description="岗位代码 | Role")
    division: DivisionCode = strawberry.field(description="区划 | Division")


@strawberry.type(description="被读取的一个字段 | A field that was read")
class AccessedField:
    entity: str = strawberry.field(description="所属类型 | Entity")
    name: str = strawberry.field(description="字段 | Field")
    sensitivity: str = strawberry.field(description="敏感程度 | personal or restricted")
    showing: Showing = strawberry.field(description="显示方式 | How it was shown")


@strawberry.type(description="一次读取中的一类记录 | Rows of one entity that were read")
class AccessReading:
    entity: str = strawberry.field(description="类型 | Entity")
    fields: list[AccessedField] = strawberry.field(description="所读字段 | Fields")
    named: list[str] = strawberry.field(
        description="用于筛选或排序的字段 | Fields that a filter or an order named"
    )
    rows: int = strawberry.field(description="条数 | Rows")
    subjects: list[str] = strawberry.field(
        description="涉及的人员(不可还原的代号) | Whom they speak of, as opaque names"
    )


@strawberry.type(description="谁在何时因何读取了本人信息 | Who read one's data, when and what for")
class PersonalAccess:
    at: datetime = strawberry.field(description="时间 | At, UTC")
    office: list[AccessOffice] = strawberry.field(description="岗位与区划 | From which office")
    department: str = strawberry.field(description="部门 | Department")
    purpose: str = strawberry.field(description="用途 | Purpose")
    case: str | None = strawberry.field(description="办件编号 | Case it was for")
    fields: list[AccessedField] = strawberry.field(description="所读字段 | Fields that were read")
    outcome: list[str] = strawberry.field(description="结果 | How it ended")


@strawberry.type(description="访问台账中的一条记录 | A record of the access ledger")
class Access:
    sequence: str = strawberry.field(description="序号 | Place in the ledger")
    at: datetime = strawberry.field(description="时间 | At, UTC")
    kind: str = strawberry.field(description="记录种类 | Kind of record")
    account: str | None = strawberry.field(description="账号 | Account")
    office: list[AccessOffice] = strawberry.field(description="岗位与区划 | From which office")
    department: str | None = strawberry.field(description="部门 | Department")
    purpose: str | None = strawberry.field(description="用途 | Purpose")
    case: str | None = strawberry.field(description="办件编号 | Case it was for")
    operation: str | None = strawberry.field(description="查询名称 | Name of the operation")
    operation_hash: str | None = strawberry.field(
        description="查询语句的代号 | What stands for the document"
    )
    readings: list[AccessReading] = strawberry.field(description="所读内容 | What was read")
    sources: list[str] = strawberry.field(description="涉及系统 | Systems that were asked")
    rows: int = strawberry.field(description="条数 | Rows")
    outcome: list[str] = strawberry.field(description="结果 | How it ended")


@strawberry.type(description="列表中的一条 | A record with its place in the list")
class AccessEdge:
    cursor: str = strawberry.field(description="游标,用于 after | Cursor, for after")
    node: Access = strawberry.field(description="该条记录 | The record")


@strawberry.type(description="访问台账的一页,新的在前 | A page of the ledger, the latest first")
class AccessConnection:
    nodes: list[Access] = strawberry.field(description="本页的记录 | The records of the page")
    edges: list[AccessEdge] = strawberry.field(
        description="本页的记录及游标 | The records with their cursors"
    )
    page_info: PageInfo = strawberry.field(description="分页信息 | Where the page stands")


def _asked(description: str) -> Any:
    return strawberry.field(default=None, description=description)


@strawberry.input(
    description="台账记录的筛选条件,须同时满足 | Which records are meant; all must hold"
)
class AccessFilter:
    since: Optional[datetime] = _asked("不早于 | At or after")
    until: Optional[datetime] = _asked("早于 | Before")
    account: Optional[str] = _asked("账号 | Account")
    office: Optional[DivisionCode] = _asked("区划及其下属 | Office at or beneath this division")
    purpose: Optional[str] = _asked("用途,须完全一致 | Purpose, the whole of it")
    entity: Optional[str] = _asked("所读类型 | Entity that was read")
    outcome: Optional[str] = _asked("结果,如 OK、FORBIDDEN | How it ended")
    subject: Optional[str] = _asked(
        "被读取人的公民身份号码,须完整 | Citizen number of whom it speaks, the whole of it"
    )

    def wanted(self) -> Wanted:
        """Return it in the ledger's words."""
        return Wanted(
            self.since,
            self.until,
            self.account or "",
            self.office or "",
            self.purpose or "",
            self.entity or "",
            self.outcome or "",
            self.subject or "",
        )


_Where: TypeAlias = Annotated[
    Optional[AccessFilter], strawberry.argument(description="筛选条件 | Which records are meant")
]
_First: TypeAlias = Annotated[
    int, strawberry.argument(description="取几条,最多100 | How many, at most 100")
]
_After: TypeAlias = Annotated[
    Optional[str], strawberry.argument(description="从该游标之后取 | Behind this cursor")
]


async def access_log(
    info: Info[RequestContext, None],
    where: _Where = None,
    first: _First = DEFAULT_PAGE,
    after: _After = None,
) -> Optional[AccessConnection]:
    """
    Return records of the ledger that the auditor may see, the latest first.

    Raises: Forbidden, BadInput, TooComplex.
    """
    wanted = where.wanted() if where else Wanted()
    page = await access_page(info.context, wanted, _sized(first), after)
    return _connection(page)


def accessed_by_field() -> Any:
    """Return the field of residents that tells who read their data."""
    arguments = {
        "first": Annotated[
            Optional[int], strawberry.argument(description="取几条,最多100,默认20 | How many")
        ],
        "since": Annotated[
            Optional[datetime], strawberry.argument(description="不早于 | At or after")
        ],
        "until": Annotated[Optional[datetime], strawberry.argument(description="早于 | Before")],
    }
    field = set_field(
        _accessed_by,
        Optional[list[PersonalAccess]],
        arguments,
        name="accessedBy",
        description="谁看过我:读取过本人信息的记录,新的在前,限本人与审计人员"
        " | Who read this person's data, the latest first; for themself and for auditors",
    )
    field.python_name = "accessed_by"
    return field


async def _accessed_by(
    parents: Sequence[Record], info: Any, **given: Any
) -> list[list[PersonalAccess]]:
    context: RequestContext = info.context
    since, until = given.get("since") or None, given.get("until") or None
    first = given.get("first")
    size = DEFAULT_PAGE if first is None or first is strawberry.UNSET else first
    persons = [_person(parent) for parent in parents]
    found = await accessed_by(context, persons, Wanted(since, until), _sized(size))
    return [
        [_personal(context, person, record) for record in records]
        for person, records in zip(persons, found, strict=True)
    ]


def _person(parent: Record) -> str | None:
    number = parent.clear("idNumber")
    return number if isinstance(number, str) else None


def _personal(context: RequestContext, person: str | None, record: Told) -> PersonalAccess:
    accesses = context.accesses
    names = accesses.log.names_of(person) if accesses and person else frozenset[str]()
    readings = (r for r in record.get("readings", ()) if not names.isdisjoint(r["subjects"]))
    seen = {
        (each.entity, each.name): each
        for reading in readings
        for each in _fields(reading)
        if each.showing is not Showing.HIDDEN
    }
    return PersonalAccess(
        at=datetime.fromisoformat(record["time"]),
        office=_offices(record),
        department=record.get("department", ""),
        purpose=record.get("purpose", ""),
        case=record.get("case") or None,
        fields=list(seen.values()),
        outcome=_outcome(record),
    )


def _connection(page: AccessPage) -> AccessConnection:
    nodes = [_access(record) for record in page.records]
    cursors = [page.cursors.of(record) for record in page.records]
    edges = [AccessEdge(cursor=c, node=n) for c, n in zip(cursors, nodes, strict=True)]
    info = PageInfo(
        has_next_page=page.has_next,
        has_previous_page=page.has_previous,
        start_cursor=cursors[0] if cursors else None,
        end_cursor=cursors[-1] if cursors else None,
    )
    return AccessConnection(nodes=nodes, edges=edges, page_info=info)


def _access(record: Told) -> Access:
    operation = record.get("operation") or {}
    return Access(
        sequence=str(record["sequence"]),
        at=datetime.fromisoformat(record["time"]),
        kind=record["kind"],
        account=record.get("account"),
        office=_offices(record),
        department=record.get("department"),
        purpose=record.get("purpose"),
        case=record.get("case") or None,
        operation=operation.get("name"),
        operation_hash=operation.get("hash"),
        readings=[_reading(reading) for reading in record.get("readings", ())],
        sources=list(record.get("sources", ())),
        rows=int(record.get("rows", 0)),
        outcome=_outcome(record),
    )


def _reading(reading: Told) -> AccessReading:
    return AccessReading(
        entity=reading["entity"],
        fields=list(_fields(reading)),
        named=list(reading["named"]),
        rows=reading["rows"],
        subjects=list(reading["subjects"]),
    )


def _fields(reading: Told) -> Iterator[AccessedField]:
    for sensitivity, fields in reading["fields"].items():
        for name, showing in fields.items():
            yield AccessedField(
                entity=reading["entity"],
                name=name,
                sensitivity=sensitivity,
                showing=Showing(showing),
            )


def _offices(record: Told) -> list[AccessOffice]:
    return [
        AccessOffice(role=role, division=DivisionCode(division))
        for role, division in record.get("office", ())
    ]


def _outcome(record: Told) -> list[str]:
    outcome = record.get("outcome", ())
    return [outcome] if isinstance(outcome, str) else list(outcome)


def _sized(first: int) -> int:
    if not 0 <= first <= LARGEST_PAGE:
        raise BadInput(_SIZE)
    return first
