"""
Where the values of a column stand in the response, told only when somebody asks.

A column has the values of one field for all its parents. Its positions make a path, or the place in
the order of the response, from an index; nothing is built for values that nobody asks about.
"""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Protocol

from graphql.pyutils import Path

Place = tuple[int, ...]
"""Where a value stands in the response: the number of each field and item on the way."""


class Named(Protocol):
    """What positions know of a field of an operation."""

    @property
    def key(self) -> str:
        """Return the name it has in the response."""

    @property
    def number(self) -> int:
        """Return which field of its selection it is."""

    @property
    def parent_name(self) -> str:
        """Return the name of the type it belongs to."""

    @property
    def is_required(self) -> bool:
        """Return whether it is never null."""


class Positions(Protocol):
    """The positions of a column's values."""

    @property
    def parent(self) -> "Positions | None":
        """Return the positions around these; None at the root."""

    def path(self, index: int) -> Path | None:
        """Return the path of a value."""

    def field_path(self, index: int) -> Path | None:
        """Return the path of the field that a value belongs to, however deep in its lists."""

    def place(self, index: int) -> Place:
        """Return the place of a value."""

    def nulled(self, index: int) -> Place:
        """Return the place that becomes null where the value fails."""


class Root:
    """The one position of an operation's root value."""

    __slots__ = ()
    parent = None

    def path(self, _: int) -> Path | None:
        """Return no path."""
        return None

    field_path = path

    def place(self, _: int) -> Place:
        """Return the place that all others begin with."""
        return ()

    nulled = place


class OfField:
    """The positions of one field of all parents."""

    __slots__ = ("field", "parent")

    def __init__(self, parent: Positions, field: Named) -> None:
        self.parent = parent
        self.field = field

    def path(self, index: int) -> Path | None:
        """Return the path of one parent's value."""
        return Path(self.parent.path(index), self.field.key, self.field.parent_name)

    field_path = path

    def place(self, index: int) -> Place:
        """Return the place of one parent's value."""
        return (*self.parent.place(index), self.field.number)

    def nulled(self, index: int) -> Place:
        """Return the place of the value, or around it where it is required."""
        return self.parent.nulled(index) if self.field.is_required else self.place(index)


class OfItems:
    """The positions of the items of all lists of a column, one after the other."""

    __slots__ = ("_starts", "is_required", "lengths", "parent")

    def __init__(self, parent: Positions, lengths: Sequence[int], *, is_required: bool) -> None:
        self.parent = parent
        self.lengths = lengths
        self.is_required = is_required
        self._starts: list[int] | None = None

    def path(self, index: int) -> Path | None:
        """Return the path of an item."""
        around, number = self._located(index)
        return Path(self.parent.path(around), number, None)

    def field_path(self, index: int) -> Path | None:
        """Return the path of the field that the item's list belongs to."""
        return self.parent.field_path(self._located(index)[0])

    def place(self, index: int) -> Place:
        """Return the place of an item."""
        around, number = self._located(index)
        return (*self.parent.place(around), number)

    def nulled(self, index: int) -> Place:
        """Return the place of the item, or of its list where items are required."""
        if not self.is_required:
            return self.place(index)
        return self.parent.nulled(self._located(index)[0])

    def _located(self, index: int) -> tuple[int, int]:
        starts = self._starts
        if starts is None:
            starts = self._starts = [0, *accumulate(self.lengths)]
        around = bisect_right(starts, index) - 1
        return around, index - starts[around]


class Among:
    """The positions of some of the values of a column."""

    __slots__ = ("chosen", "parent")

    def __init__(self, parent: Positions, chosen: Sequence[int]) -> None:
        self.parent = parent
        self.chosen = chosen

    def path(self, index: int) -> Path | None:
        """Return the path of a value."""
        return self.parent.path(self.chosen[index])

    def field_path(self, index: int) -> Path | None:
        """Return the path of the field that the value belongs to."""
        return self.parent.field_path(self.chosen[index])

    def place(self, index: int) -> Place:
        """Return the place of a value."""
        return self.parent.place(self.chosen[index])

    def nulled(self, index: int) -> Place:
        """Return the place that becomes null where the value fails."""
        return self.parent.nulled(self.chosen[index])


def path_of_field(positions: Positions) -> Path | None:
    """Return the path of a whole column: names alone, no list indices."""
    steps: list[Named] = []
    around: Positions | None = positions
    while around is not None:
        if isinstance(around, OfField):
            steps.append(around.field)
        around = around.parent
    path: Path | None = None
    for field in reversed(steps):
        path = Path(path, field.key, field.parent_name)
    return path
