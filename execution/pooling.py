"""
Set resolvers under an executor that resolves object by object.

The calls that one field of an operation gets for the objects of a level are pooled, through a
DataLoader per field, into one call with all of them.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar

from aiodataloader import DataLoader
from graphql import GraphQLResolveInfo

Parent = TypeVar("Parent")
Answer = TypeVar("Answer")


class Pooling(Protocol):
    """A request's context, as far as pooling needs it."""

    @property
    def pools(self) -> dict[object, object]:
        """Return where the request keeps its pools."""


async def pooled(
    context: Pooling,
    info: GraphQLResolveInfo[Any],
    parent: Parent,
    resolve: Callable[[Sequence[Parent]], Awaitable[Sequence[Answer | Exception]]],
) -> Answer:
    """
    Return one parent's value, resolved together with those of all parents of its level.

    `resolve` is called once for the field: parents (n) -> values (n), an exception for one that
    failed.
    """
    place = _place(info)
    pool: Any = context.pools.get(place)
    if pool is None:

        async def load(parents: list[Parent]) -> list[Answer | Exception]:
            return list(await resolve(parents))

        pool = context.pools[place] = DataLoader(load, cache=False)
    answer: Answer = await pool.load(parent)
    return answer


def _place(info: GraphQLResolveInfo[Any]) -> tuple[str, ...]:
    """Return which field of the operation this is: types and names on its path, no list indices."""
    steps: list[str] = [info.parent_type.name]
    path: Any = info.path
    while path is not None:
        if isinstance(path.key, str):
            steps.append(f"{path.typename}.{path.key}")
        path = path.prev
    return tuple(steps)
