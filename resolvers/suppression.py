"""
Which cells of a table about people are not published, so that nobody in a small one is found out.

A table has a cell for every combination of nodes: single values, what they lie in, and everything.
A cell about fewer people than the threshold is hidden. So that it cannot be worked out from the
others, it is hidden together with ways to move rows: some more in one cell, as many fewer in
others, so that every published cell stays as it is. Each such way is a box of cells (in two
dimensions: a rectangle) at every other corner of which there are rows to spare. So for every hidden
small cell there is another table, the same in all that is published, in which the cell has at least
the threshold more. Where a table has no such boxes, the cells around it are hidden too, in the end
its total.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import combinations, product
from typing import Final

from resolvers.dimensions import ROOT, Cell, Node, Path

_LARGEST: Final = 24  # leaf cells that may help out where there are no boxes
_PARTNERS: Final = 6  # tried in each dimension: more find hardly better boxes


@dataclass(frozen=True, slots=True)
class Lattice:
    """
    How many rows each leaf cell has (none is left out), and the path of each leaf by dimension.

    A cell without rows is no secret: that nobody is there is published.
    """

    paths: Sequence[Mapping[Node, Path]]
    leaves: Mapping[Cell, int]

    def above(self, leaf: Cell) -> Iterator[Cell]:
        """Yield every cell that the leaf cell lies in, itself included."""
        yield from product(*(paths[node] for paths, node in zip(self.paths, leaf, strict=True)))

    def totals(self) -> dict[Cell, int]:
        """Return the rows of every cell."""
        totals: dict[Cell, int] = {}
        for leaf, rows in self.leaves.items():
            for cell in self.above(leaf):
                totals[cell] = totals.get(cell, 0) + rows
        return totals


def hidden(lattice: Lattice, small: AbstractSet[Cell], threshold: int) -> frozenset[Cell]:
    """
    Return the cells that are not published: the small ones, and those that would give them away.

    `small`: the cells, of all levels, with fewer people than the threshold and not without any.
    """
    search = _Search(lattice, threshold)
    covered = set(small)
    for cell, leaf in search.ordered(small):
        covered |= search.boxes(cell, leaf, covered)
    return frozenset(covered)


@dataclass(frozen=True, slots=True)
class _Box:
    """One way to move rows: cells that change, corners that lose rows, and how many they can."""

    cells: frozenset[Cell]
    losing: tuple[Cell, ...]
    spare: int


class _Search:
    """Finds, for one small cell after the other, the boxes that hide least."""

    def __init__(self, lattice: Lattice, threshold: int) -> None:
        self._lattice = lattice
        self._totals = lattice.totals()
        self._threshold = threshold
        self._lines: dict[tuple[int, Node, Cell], list[Node]] = {}
        several = [leaf for leaf, rows in lattice.leaves.items() if rows > 1]
        self._largest = sorted(several, key=self._by_rows, reverse=True)[:_LARGEST]
        for leaf in several:
            self._put(leaf)

    def ordered(self, small: AbstractSet[Cell]) -> list[tuple[Cell, Cell]]:
        """Return the small cells, finest first, each with its smallest leaf cell."""
        least: dict[Cell, Cell] = {}
        for leaf in sorted(self._lattice.leaves, key=self._by_rows):
            for cell in self._lattice.above(leaf):
                if cell in small:
                    least.setdefault(cell, leaf)
        return sorted(least.items(), key=lambda item: (-_depth(item[0]), repr(item[0])))

    def boxes(self, cell: Cell, leaf: Cell, covered: AbstractSet[Cell]) -> frozenset[Cell]:
        """Return the cells of the boxes that hide fewest rows; the last resort is always there."""
        inner = [place for place, node in enumerate(cell) if node != ROOT]
        partners = {place: self._partners(cell, leaf, place, covered) for place in inner}
        best = frozenset(self._changed(leaf, {}))
        least = self._cost(best - covered)
        for size in range(len(inner), 0, -1):
            for places in combinations(inner, size):
                several = product(*(partners[place] for place in places))
                moves = (dict(zip(places, nodes, strict=True)) for nodes in several)
                found = self._stacked(list(self._possible(leaf, moves)), covered)
                if found is not None and self._cost(found - covered) < least:
                    best, least = found, self._cost(found - covered)
            if least == (0, 0):
                return best
        if (ROOT,) * len(cell) not in best:
            return best
        swapped = self._stacked(list(self._swaps(cell, leaf)), covered)
        if swapped is not None and self._cost(swapped - covered) < least:
            return swapped
        return best

    def _swaps(self, cell: Cell, leaf: Cell) -> Iterator[_Box]:
        """Yield moves from large cells anywhere, which hide whatever only one of both lies in."""
        own = frozenset(self._lattice.above(leaf))
        for other in self._largest:
            around = frozenset(self._lattice.above(other))
            if cell not in around:
                yield _Box(own ^ around, (other,), self._lattice.leaves[other] - 1)

    def _possible(self, leaf: Cell, moves: Iterable[Mapping[int, Node]]) -> Iterator[_Box]:
        """Yield the boxes whose corners all have rows, those that lose some more than one."""
        leaves = self._lattice.leaves
        for moved in moves:
            corners = [
                (size, _with(leaf, {place: moved[place] for place in places}))
                for size in range(1, len(moved) + 1)
                for places in combinations(moved, size)
            ]
            if all(leaves.get(corner, 0) > size % 2 for size, corner in corners):
                losing = tuple(corner for size, corner in corners if size % 2)
                spare = min(leaves[corner] for corner in losing) - 1
                yield _Box(frozenset(self._changed(leaf, moved)), losing, spare)

    def _stacked(self, boxes: list[_Box], covered: AbstractSet[Cell]) -> frozenset[Cell] | None:
        """Return the cells of boxes that together move enough rows; None where they cannot."""
        boxes.sort(key=lambda box: self._worth(box, covered))
        left = dict[Cell, int]()
        changed, missing = frozenset[Cell](), self._threshold
        for box in boxes:
            spare = min(left.get(each, self._lattice.leaves[each] - 1) for each in box.losing)
            if spare > 0:
                for each in box.losing:
                    left[each] = left.get(each, self._lattice.leaves[each] - 1) - spare
                changed, missing = changed | box.cells, missing - spare
            if missing <= 0:
                return changed
        return None

    def _worth(self, box: _Box, covered: AbstractSet[Cell]) -> tuple[bool, int, int, str]:
        """Return what boxes are tried by: those that suffice alone, then those that move most."""
        rows, number = self._cost(box.cells - covered)
        alone = box.spare >= self._threshold or not rows
        return not alone, rows // min(box.spare, self._threshold), number, repr(box.losing)

    def _cost(self, cells: AbstractSet[Cell]) -> tuple[int, int]:
        return sum(self._totals[cell] for cell in cells), len(cells)

    def _partners(
        self, cell: Cell, leaf: Cell, place: int, covered: AbstractSet[Cell]
    ) -> list[Node]:
        """Return nodes of one dimension to move rows from, outside the cell, nearest first."""
        path = self._lattice.paths[place][leaf[place]]
        rest, found = _without(leaf, place), dict[Node, None]()
        for around in reversed(path[: path.index(cell[place])]):
            near = self._lines.get((place, around, rest), [])
            outside = (node for node in near if cell[place] not in self._lattice.paths[place][node])
            best = sorted(outside, key=lambda node: self._order(leaf, place, node, covered))
            found.update(dict.fromkeys(best))
            if len(found) >= _PARTNERS:
                break
        return list(found)[:_PARTNERS]

    def _order(
        self, leaf: Cell, place: int, node: Node, covered: AbstractSet[Cell]
    ) -> tuple[bool, bool, int, str]:
        other = _with(leaf, {place: node})
        rows = self._lattice.leaves[other]
        few = rows <= self._threshold
        return other not in covered, few, -rows if few else rows, repr(node)

    def _changed(self, leaf: Cell, moved: Mapping[int, Node]) -> Iterator[Cell]:
        """Yield the cells that have another number of rows once rows are moved."""
        sides: list[Iterable[Node]] = []
        for place, node in enumerate(leaf):
            paths = self._lattice.paths[place]
            other = paths[moved[place]] if place in moved else ()
            sides.append({*paths[node]} ^ {*other})
        yield from product(*sides)

    def _put(self, leaf: Cell) -> None:
        for place, node in enumerate(leaf):
            rest = _without(leaf, place)
            for around in self._lattice.paths[place][node][:-1]:
                self._lines.setdefault((place, around, rest), []).append(node)

    def _by_rows(self, leaf: Cell) -> tuple[int, str]:
        return self._lattice.leaves[leaf], repr(leaf)


def _depth(cell: Cell) -> int:
    return sum(depth for depth, _ in cell)


def _without(cell: Cell, place: int) -> Cell:
    return (*cell[:place], *cell[place + 1 :])


def _with(cell: Cell, nodes: Mapping[int, Node]) -> Cell:
    return tuple(nodes.get(place, node) for place, node in enumerate(cell))
