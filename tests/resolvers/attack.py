"""Somebody who has all published cells of a table, and works out what the others may be."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any, TypeAlias

Leaf: TypeAlias = tuple[Any, ...]
Published: TypeAlias = Mapping[frozenset[Leaf], int]
"""Sums as published: which leaf cells, and how many rows there are in them."""


def possible(
    published: Published, leaves: Iterable[Leaf], wanted: frozenset[Leaf], rows: int
) -> bool:
    """
    Say whether the wanted cell can have so many rows, by everything that is published.

    Tries all numbers, one leaf cell after the other; each of them has a row at least.
    """
    sums = [(set(cells), total) for cells, total in published.items()]
    sums.append((set(wanted), rows))
    unknown = sorted({*leaves}, key=repr)
    return _filled(unknown, [(frozenset(cells), total) for cells, total in sums])


def determined(published: Published, leaves: Iterable[Leaf], wanted: frozenset[Leaf]) -> bool:
    """Say whether the wanted cell is a combination of published sums: Gauss, with fractions."""
    order = sorted({*leaves}, key=repr)
    vectors = [[Fraction(leaf in cells) for leaf in order] for cells in published]
    return _rank(vectors) == _rank([*vectors, [Fraction(leaf in wanted) for leaf in order]])


def _filled(unknown: list[Leaf], sums: list[tuple[frozenset[Leaf], int]]) -> bool:
    sums = [(cells, total) for cells, total in sums if cells or total]
    if any(total < len(cells) or not cells for cells, total in sums):
        return False
    if not sums:
        return True
    # The tightest sum first: it leaves fewest numbers to try.
    cells, total = min(sums, key=lambda each: (len(each[0]), each[1]))
    leaf = min(cells, key=repr)
    last = len(cells) == 1
    for number in range(total if last else 1, total - len(cells) + 2):
        rest = [
            (others - {leaf}, left - number) if leaf in others else (others, left)
            for others, left in sums
        ]
        if _filled(unknown, rest):
            return True
    return False


def _rank(vectors: list[list[Fraction]]) -> int:
    rows, rank = [list(vector) for vector in vectors], 0
    for column in range(len(rows[0]) if rows else 0):
        pivot = next((row for row in rows[rank:] if row[column]), None)
        if pivot is None:
            continue
        rows.remove(pivot)
        rows.insert(rank, pivot)
        for place, row in enumerate(rows):
            if place != rank and row[column]:
                factor = row[column] / pivot[column]
                rows[place] = [
                    value - factor * other for value, other in zip(row, pivot, strict=True)
                ]
        rank += 1
    return rank
