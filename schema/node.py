"""What every row with an identity has in common."""

import strawberry
from strawberry.types import Info

from resolvers.context import RequestContext
from resolvers.record import Record


def _id(root: Record, info: Info[RequestContext, None]) -> strawberry.ID:
    return strawberry.ID(info.context.identity.of(root))


@strawberry.interface(description="有唯一标识的对象 | Something with an id of its own")
class Node:
    id: strawberry.ID = strawberry.field(
        resolver=_id,
        description=("不透明标识,可用于 node(id:) | Opaque id, for node(id:)"),
    )
