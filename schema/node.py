"""What every row with an identity has in common."""

from collections.abc import Sequence
from typing import Any

import strawberry

from execution.adapter import set_field
from resolvers.record import Record


def _ids(parents: Sequence[Record], info: Any) -> list[str]:
    return list(map(info.context.identity.of, parents))


@strawberry.interface(description="有唯一标识的对象 | Something with an id of its own")
class Node:
    id: strawberry.ID = set_field(
        _ids,
        strawberry.ID,
        description=("不透明标识,可用于 node(id:) | Opaque id, for node(id:)"),
    )
