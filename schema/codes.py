"""The code sets of the core types; each value's description is what a clerk calls it."""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Final, TypeVar, cast

import strawberry

from contract.entity import UNKNOWN

CodeSetClass = TypeVar("CodeSetClass", bound=type[Enum])

_UNKNOWN: Final = "未知(来源系统的代码不在代码集内) | Unknown: the source's code is in no code set"


def made_code_set(name: str, description: str, labels: Mapping[str, str]) -> Any:
    """Return an enum of the graph from its labels by code, UNKNOWN always among its values."""
    members = {code: code for code in (*labels, UNKNOWN)}
    values = Enum(name, members, type=str)  # type: ignore[misc] # members are data
    enum: Any = strawberry.enum(values, description=description)
    for value in enum.__strawberry_definition__.values:
        value.description = labels.get(value.name, _UNKNOWN)
    return enum


def code_set(description: str) -> Callable[[CodeSetClass], CodeSetClass]:
    """Make an enum of the graph from a class whose members are code = label."""

    def declare(cls: CodeSetClass) -> CodeSetClass:
        labels = {member.name: str(member.value) for member in cls}
        return cast("CodeSetClass", made_code_set(cls.__name__, description, labels))

    return declare


@code_set("性别(GB/T 2261.1) | Sex (GB/T 2261.1)")
class Sex(Enum):
    MALE = "男 | Male"
    FEMALE = "女 | Female"
    UNSTATED = "未说明 | Not stated"


@code_set("与户主关系(GB/T 4761) | Relation to the head of the household (GB/T 4761)")
class RelationToHead(Enum):
    SELF = "本人 | Self"
    HEAD = "户主 | Head"
    SPOUSE = "配偶 | Spouse"
    SON = "子 | Son"
    DAUGHTER = "女 | Daughter"
    GRANDCHILD = "孙子女 | Grandchild"
    PARENT = "父母 | Parent"
    GRANDPARENT = "祖父母 | Grandparent"
    SIBLING = "兄弟姐妹 | Sibling"
    OTHER = "其他 | Other"


@code_set("户类型 | Kind of household")
class HouseholdKind(Enum):
    FAMILY = "家庭户 | Family"
    COLLECTIVE = "集体户 | Collective"


@code_set("申请人类型 | Kind of applicant")
class ApplicantType(Enum):
    PERSON = "自然人 | Natural person"
    COMPANY = "企业 | Company"
    INSTITUTION = "事业单位 | Institution"
    SOCIAL_ORGANISATION = "社会组织 | Social organisation"
    UNINCORPORATED = "非法人企业 | Unincorporated"
    OTHER = "其他 | Other"


@code_set("申请渠道 | Channel of application")
class Channel(Enum):
    WINDOW = "窗口 | Window"
    ONLINE = "网上 | Online"
    COURIER = "快递 | Courier"


@code_set("办件状态 | Status of a case")
class CaseStatus(Enum):
    DRAFT = "草稿 | Draft"
    SUBMITTED = "已提交 | Submitted"
    PRECHECK_RETURNED = "预审退回 | Returned at pre-check"
    RECEIVED = "已收件 | Received"
    CORRECTION = "待补正 | To be completed"
    ACCEPTED = "已受理 | Accepted"
    SUSPENDED = "特别程序中 | Suspended by a special procedure"
    APPROVED = "已通过 | Approved"
    REJECTED = "不予许可 | Rejected"
    CLOSED = "已办结 | Closed"
    NOT_ACCEPTED = "不予受理 | Not accepted"
    WITHDRAWN = "已撤回 | Withdrawn"
    TERMINATED = "已终止 | Terminated"


@code_set("收取材料的形式 | Form in which a material was taken")
class MaterialForm(Enum):
    ORIGINAL = "原件 | Original"
    COPY = "复印件 | Copy"
    ELECTRONIC = "电子件 | Electronic"
    OTHER = "其他 | Other"


@code_set("办理结果 | Result of a case")
class ResultKind(Enum):
    GRANTED = "准予(出证) | Granted"
    REFUSED = "不予许可 | Refused"
    VOID = "作废 | Void"
    RETURNED = "退件 | Returned"
    FORWARDED = "转报 | Forwarded"
    NOT_ACCEPTED = "不予受理 | Not accepted"
    NOT_COMPLETED = "未补正 | Not completed"
    CLOSED = "办结 | Closed"
    OTHER = "其他 | Other"
