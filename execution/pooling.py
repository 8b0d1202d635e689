"""
Set resolvers where something is called for every field of every object.

The calls that one field of an operation gets for the objects of a level are pooled, through a
DataLoader per field, into one call with all of them.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from inspect import isawaitable
from typing import Any

from aiodataloader import DataLoader
from graphql import GraphQLResolveInfo


class _Infos:
    """The infos of all parents that were pooled."""

    def __init__(self, infos: Sequence[GraphQLResolveInfo[Any]]) -> None:
        self._infos = infos

    def at(self, index: int) -> GraphQLResolveInfo[Any]:
        """Return the info of one of the parents."""
        return self._infos[index]

    def __getattr__(self, name: str) -> Any:
        """Return what is the same for all parents."""
        return getattr(self._infos[0], name)


async def pooled(
    resolve: Callable[..., Sequence[Any] | Awaitable[Sequence[Any]]],
    parent: Any,
    info: Any,
    arguments: Mapping[str, Any],
) -> Any:
    """
    Return one parent's value, resolved together with those of all parents of its level.

    The context of the request has a dictionary `pools`.
    """
    raw = info._raw_info  # noqa: SLF001 -- Strawberry has no public road to it
    pools = info.context.pools
    place = (resolve, *_place(raw))
    pool = pools.get(place)
    if pool is None:

        async def load(asked: list[tuple[Any, GraphQLResolveInfo[Any]]]) -> list[Any]:
            parents = [each[0] for each in asked]
            together = type(info)(_raw_info=_Infos([each[1] for each in asked]), _field=info._field)  # noqa: SLF001 -- as above
            values = resolve(parents, together, **arguments)
            return list(await values if isawaitable(values) else values)

        pool = pools[place] = DataLoader(load, cache=False)
    return await pool.load((parent, raw))


def _place(info: GraphQLResolveInfo[Any]) -> tuple[str, ...]:
    """Return which field of the operation this is: types and names on its path, no list indices."""
    steps: list[str] = [info.parent_type.name]
    path: Any = info.path
    while path is not None:
        if isinstance(path.key, str):
            steps.append(f"{path.typename}.{path.key}")
        path = path.prev
    return tuple(steps)
