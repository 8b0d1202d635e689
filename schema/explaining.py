"""The root field that tells why a row can or cannot be seen."""

from collections.abc import Sequence
from enum import Enum
from typing import Annotated, Any, Final, Optional

import strawberry
from strawberry.types import Info

from auth.explain import Clause, FieldAccess, Part
from auth.policy import HIDDEN
from auth.principal import Principal, is_division
from contract.errors import BadInput
from contract.predicate import Truth
from resolvers.context import RequestContext
from resolvers.explaining import Explanation, Question
from schema.filters import MAX_TEXT
from schema.scalars import DivisionCode

_NO_SCOPE: Final = "as.scope 不是区划代码,请写有效位数,如 320205106。"
_TOO_LONG: Final = "key 过长。"


@strawberry.enum(description="说明的深度 | How far it is told")
class ExplainDepth(Enum):
    OFFICE = strawberry.enum_value("office", description="归哪里管 | Which office is responsible")
    CLAUSES = strawberry.enum_value("clauses", description="逐条是否成立 | Clause by clause")
    VALUES = strawberry.enum_value(
        "values", description="另加区划代码 | And the division codes that decided"
    )


@strawberry.enum(description="一条规则是否成立 | Whether a clause is true")
class ClauseTruth(Enum):
    TRUE = strawberry.enum_value("TRUE", description="成立 | True")
    FALSE = strawberry.enum_value("FALSE", description="不成立 | False")
    UNKNOWN = strawberry.enum_value("UNKNOWN", description="数据缺失,按不成立 | A value is missing")
    UNDECIDED = strawberry.enum_value(
        "UNDECIDED", description="不予说明,或系统没有应答 | Not told, or a system did not answer"
    )


@strawberry.enum(description="字段怎样显示 | How a field is shown")
class FieldShown(Enum):
    MASKED = strawberry.enum_value("MASKED", description="遮盖 | Masked")
    HIDDEN = strawberry.enum_value("HIDDEN", description="隐藏 | Hidden")


@strawberry.type(description="规则中的一项比较 | One comparison of a clause")
class ClausePart:
    field: str = strawberry.field(description="字段 | Field")
    words: str = strawberry.field(description="比较 | The comparison in words")
    truth: ClauseTruth = strawberry.field(description="是否成立 | Whether it is true")
    division: DivisionCode | None = strawberry.field(
        description="该条信息的区划代码,仅限审计 | The row's own division, for auditors"
    )

    @classmethod
    def of(cls, part: Part) -> "ClausePart":
        division = None if part.division is None else DivisionCode(part.division)
        truth = _truth(part.truth, decided=part.is_decided)
        return cls(field=part.field, words=part.words, truth=truth, division=division)


@strawberry.type(description="一个岗位的规则 | What one role says of a row")
class AccessClause:
    role: str = strawberry.field(description="岗位代码 | Role")
    role_title: str = strawberry.field(description="岗位名称 | What the role is called")
    scope: DivisionCode = strawberry.field(description="岗位所辖区划 | Division it is held in")
    rule: str = strawberry.field(description="规则名称 | Name of the rule")
    words: str = strawberry.field(description="规则内容 | The rule in words")
    truth: ClauseTruth = strawberry.field(description="是否成立 | Whether it is true")
    parts: list[ClausePart] = strawberry.field(description="其中各项 | Its comparisons")

    @classmethod
    def of(cls, clause: Clause) -> "AccessClause":
        return cls(
            role=clause.role,
            role_title=clause.title,
            scope=DivisionCode(clause.scope),
            rule=clause.rule,
            words=clause.words,
            truth=_truth(clause.truth, decided=clause.is_decided),
            parts=[ClausePart.of(part) for part in clause.parts],
        )


@strawberry.type(
    name="ExplainedField", description="一个不完整显示的字段 | A field not shown whole"
)
class ExplainedField:
    field: str = strawberry.field(description="字段 | Field")
    shown: FieldShown = strawberry.field(description="怎样显示 | How it is shown")
    mask: str | None = strawberry.field(description="遮盖方式 | The mask")
    how: str = strawberry.field(description="怎样打开 | What opens it")

    @classmethod
    def of(cls, told: FieldAccess) -> "ExplainedField":
        hidden = told.access == HIDDEN
        shown = FieldShown.HIDDEN if hidden else FieldShown.MASKED
        mask = None if hidden else told.access
        return cls(field=told.field, shown=shown, mask=mask, how=told.how)


@strawberry.type(description="为什么能看到或看不到 | Why a row can or cannot be seen")
class AccessExplanation:
    depth: ExplainDepth = strawberry.field(description="说明的深度 | How far it is told")
    visible: bool | None = strawberry.field(
        description="是否可见;无法判定时为 null | Whether it is seen; null if not decided"
    )
    message: str = strawberry.field(description="说明 | In words")
    systems: list[str] = strawberry.field(description="由哪些系统判定 | Which systems decide")
    clauses: list[AccessClause] = strawberry.field(description="各岗位的规则 | Clause by clause")
    fields: list[ExplainedField] = strawberry.field(
        description="可见时,未完整显示的字段 | Fields not shown whole, where it is seen"
    )

    @classmethod
    def of(cls, told: Explanation) -> "AccessExplanation":
        return cls(
            depth=ExplainDepth(told.depth),
            visible=told.visible,
            message=told.message,
            systems=list(told.sources),
            clauses=[AccessClause.of(clause) for clause in told.clauses],
            fields=[ExplainedField.of(each) for each in told.fields],
        )


@strawberry.input(name="ExplainedRole", description="以另一岗位说明 | In the place of another role")
class ExplainedRole:
    role: str = strawberry.field(description="岗位代码 | Role")
    scope: str = strawberry.field(description="所辖区划代码 | Division it is held in")
    department: str | None = strawberry.field(default=None, description="部门 | Department")


_Type = Annotated[str, strawberry.argument(name="type", description="类型,如 Resident | Type")]
_Key = Annotated[
    str,
    strawberry.argument(
        description="公民身份号码、户号、统一社会信用代码或办件编号;部门信息用其所属人员(户、企业)的"
        " | Citizen number, or number of household, company or case; of what a record belongs to"
    ),
]
_As = Annotated[
    Optional[ExplainedRole],
    strawberry.argument(
        name="as", description="以另一岗位说明,仅限管理员和审计 | For administrators and auditors"
    ),
]


async def _explain_access(
    info: Info[RequestContext, None],
    type_: _Type,
    key: _Key,
    as_: _As = None,
) -> Optional[AccessExplanation]:
    context = info.context
    if len(key) > MAX_TEXT:
        raise BadInput(_TOO_LONG)
    question = Question(type_, key, None if as_ is None else _principal(as_))
    return AccessExplanation.of(await context.gate.explain(context.asker, question))


def explain_access() -> Any:
    """Return the root field."""
    return strawberry.field(
        resolver=_explain_access,
        description="为什么能看到或看不到某条信息;说到多深由权限文件定。不在辖区内与不存在,回答相同"
        " | Why a row can or cannot be seen, as far as your role is told; what is out of your reach"
        " and what does not exist are one answer",
    )


def _principal(given: ExplainedRole) -> Principal:
    if not is_division(given.scope):
        raise BadInput(_NO_SCOPE)
    return Principal("", (given.role,), (given.scope,), given.department or "")


def _truth(truth: Truth, *, decided: bool) -> ClauseTruth:
    if not decided:
        return ClauseTruth.UNDECIDED
    known: Sequence[tuple[Truth, ClauseTruth]] = (
        (True, ClauseTruth.TRUE),
        (False, ClauseTruth.FALSE),
        (None, ClauseTruth.UNKNOWN),
    )
    return dict(known)[truth]
