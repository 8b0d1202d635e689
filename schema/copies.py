"""Forgetting what is kept of a system's answers, after a record was corrected or erased."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, TypeAlias

import strawberry
from strawberry.types import Info

from contract.errors import Forbidden
from resolvers.context import RequestContext

_Source: TypeAlias = Annotated[
    str, strawberry.argument(description="系统代码 | Name of the system")
]


async def drop_copies(info: Info[RequestContext, None], source: _Source) -> bool:
    """
    Forget every answer that is kept of a system, in all processes.

    Raises: Forbidden.
    """
    if info.context.drop_copies is None:
        raise Forbidden
    await info.context.drop_copies(source)
    return True


COPY_MUTATIONS: Final[Mapping[str, Any]] = {
    "drop_copies": strawberry.field(
        resolver=drop_copies,
        description=(
            "清除某系统的全部暂存结果,记录更正或删除后使用;60秒内在所有服务进程生效"
            " | Forget all kept answers of a system, after a record was corrected or erased;"
            " within 60 s in every process"
        ),
    ),
}
