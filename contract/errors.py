"""
What may go wrong, as states a caller can act on.

    Failure
    ├── Unauthenticated      UNAUTHENTICATED     who asks is not known
    │   ├── SignInRefused                        it is not told by name and password
    │   └── PasswordExpired      PASSWORD_EXPIRED     it is, but a new password has to come first
    ├── AccountsUnavailable  ACCOUNTS_UNAVAILABLE    whether who asks still may cannot be told
    ├── TooManyRequests      TOO_MANY_REQUESTS   more came than can be worked on
    ├── RateLimited          RATE_LIMITED        the account has asked for enough lately
    ├── Forbidden            FORBIDDEN           the principal may not name this
    ├── BadInput             BAD_USER_INPUT      the question is not well formed
    ├── TooComplex           QUERY_TOO_COMPLEX   the question is too large or too wide
    ├── AuditUnavailable     AUDIT_UNAVAILABLE   who reads what cannot be recorded
    └── SourceFailure
        ├── SourceUnavailable    SOURCE_UNAVAILABLE   the department's system did not answer
        │   └── SourceInMaintenance                   it is in a window of maintenance
        ├── SourceTimeout        SOURCE_TIMEOUT       it did not answer within its budget
        └── SourceRefused        SOURCE_REFUSED       it answered what cannot be trusted

Messages are Chinese, say what to do, and never carry a value of a record. What is not a Failure is
INTERNAL: its text stays in the log.
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final


class Failure(Exception):
    """An error whose code and message a client may see."""

    code = "INTERNAL"
    message = "系统内部出错,请稍后再试;如仍出错,请把请求编号告诉管理员。"

    def __init__(self, message: str | None = None) -> None:
        if message is not None:
            self.message = message
        super().__init__(self.message)


class Unauthenticated(Failure):
    """No credential, or one that is not accepted; why is never told."""

    code = "UNAUTHENTICATED"
    message = "请先登录,或重新登录后再试。"


class SignInRefused(Unauthenticated):
    """The name and the password do not open anything now; which of all reasons is never told."""

    message = "账号或密码不正确,或账号已停用、暂时锁定;请核对后稍后再试,或联系本单位管理员。"


class PasswordExpired(Unauthenticated):
    """The password is right, and has to be changed before it opens anything."""

    code = "PASSWORD_EXPIRED"
    message = "密码已到期或由管理员设置,请先修改密码再登录。"


class AccountsUnavailable(Failure):
    """The state of accounts has not been read for too long, so that nobody is let in."""

    code = "ACCOUNTS_UNAVAILABLE"
    message = "账号状态暂时无法核实,为安全起见暂停服务,请稍后重试。"


class TooManyRequests(Failure):
    """More came at the same time than can be worked on."""

    code = "TOO_MANY_REQUESTS"
    message = "当前请求过多,请稍后重试。"


_USED_UP: Final[Mapping[str, str]] = MappingProxyType(
    {
        "questions": "提问次数已达上限",
        "cost": "查询的数据量已达上限",
        "lookups": "按证件号码等查找的次数已达上限",
        "people": "查看人员信息的数量已达上限",
    }
)


class RateLimited(Failure):
    """The account has used up its quota of this kind; that rests on account and time alone."""

    code = "RATE_LIMITED"

    def __init__(self, kind: str, seconds: int) -> None:
        self.kind = kind
        self.retry_after_seconds = max(1, seconds)
        super().__init__(f"{_USED_UP[kind]},请{_span(self.retry_after_seconds)}后再试。")


class Forbidden(Failure):
    """The principal may not name this field or entity; decided before any row is read."""

    code = "FORBIDDEN"
    message = "您的岗位无权使用该信息;如工作需要,请向本单位管理员申请。"


class BadInput(Failure):
    """The question cannot be understood; the message says what to write instead."""

    code = "BAD_USER_INPUT"
    message = "输入内容不符合要求,请检查后重试。"


class TooComplex(Failure):
    """The question asks for more than one answer may cost; the message says what to narrow."""

    code = "QUERY_TOO_COMPLEX"
    message = "查询范围过大,请缩小范围(如区划、时间或条数)后重试。"


class AuditUnavailable(Failure):
    """Personal data cannot be shown, since that they were read could not be recorded."""

    code = "AUDIT_UNAVAILABLE"
    message = "访问台账暂时无法写入,涉及个人信息的内容暂不提供,请稍后重试。"


class SourceFailure(Failure):
    """A department's system failed; `source` is its name, `title` what a clerk calls it."""

    state = "FAILED"

    def __init__(self, source: str, title: str = "", detail: str = "") -> None:
        self.source = source
        self.detail = detail
        super().__init__(self.message.format(title=title or source))


class SourceUnavailable(SourceFailure):
    """The system could not be reached or said it cannot answer."""

    code = "SOURCE_UNAVAILABLE"
    state = "UNAVAILABLE"
    message = "“{title}”暂时无法访问,其余内容不受影响,请稍后重试。"


class SourceInMaintenance(SourceUnavailable):
    """The system is not asked while its maintenance lasts; `until` is in its own zone."""

    state = "MAINTENANCE"
    message = "“{title}”正在维护,预计{until}恢复,其余内容不受影响,请届时再试。"

    def __init__(self, source: str, title: str, until: datetime) -> None:
        told = f"{until.year}年{until.month}月{until.day}日{until:%H:%M}"
        self.message = self.message.replace("{until}", told)
        super().__init__(source, title, "maintenance")


class SourceTimeout(SourceFailure):
    """The system did not answer within its budget."""

    code = "SOURCE_TIMEOUT"
    state = "TIMEOUT"
    message = "“{title}”响应超时,其余内容不受影响,请稍后重试。"


class SourceRefused(SourceFailure):
    """The system answered something that cannot be used; `detail` is for the log alone."""

    code = "SOURCE_REFUSED"
    state = "REFUSED"
    message = "“{title}”返回的数据不符合约定,本项暂不显示,请联系管理员。"


def _span(seconds: int) -> str:
    """Return a time to wait in words, rounded up."""
    if seconds <= 120:
        return f"{seconds}秒"
    minutes = -(-seconds // 60)
    return f"{minutes}分钟" if minutes <= 120 else f"{-(-minutes // 60)}小时"
