"""Arguments of lists, from GraphQL into the words of the resolvers."""

from typing import Final

import strawberry

from contract.errors import BadInput
from resolvers.paging import Slice

DEFAULT_PAGE: Final = 20
LARGEST_PAGE: Final = 100
LARGEST_LIST: Final = 500


def slice_of(first: int | None, after: str | None, last: int | None, before: str | None) -> Slice:
    """
    Return the part of a list that is wanted; the first 20 where nothing is said.

    Raises: BadInput for a size out of bounds or ends that contradict.
    """
    first, after, last, before = (_given(value) for value in (first, after, last, before))  # type: ignore[assignment] # unset becomes None
    if first is not None and last is not None:
        raise BadInput("first 与 last 不能同时使用。")
    if (last is not None and after is not None) or (last is None and before is not None):
        raise BadInput("after 与 first 配合使用,before 与 last 配合使用。")
    if last is not None:
        return Slice(last=_size("last", last), before=before)
    return Slice(first=_size("first", DEFAULT_PAGE if first is None else first), after=after)


def list_size(first: int | None) -> int | None:
    """
    Return how many rows of a plain list are wanted; None for all.

    Raises: BadInput for a size out of bounds.
    """
    given = _given(first)
    return None if given is None else _size("first", int(str(given)))


def _size(name: str, size: int) -> int:
    if not 0 <= size <= LARGEST_PAGE:
        raise BadInput(f"{name} 应在0到{LARGEST_PAGE}之间。")
    return size


def _given(value: object) -> object:
    return None if value is strawberry.UNSET else value
