from collections.abc import Mapping
from itertools import product
from random import Random

import pytest

from resolvers.dimensions import ROOT, Cell, Node, Path
from resolvers.suppression import Lattice, hidden
from tests.resolvers.attack import determined, possible

THRESHOLD = 5
FLAT = "ABCDEF"


def flat(size: int) -> Mapping[Node, Path]:
    return {(1, letter): (ROOT, (1, letter)) for letter in FLAT[:size]}


def townships(counties: int, each: int) -> Mapping[Node, Path]:
    """Return townships in counties."""
    return {
        (2, f"{county}{place}"): (ROOT, (1, str(county)), (2, f"{county}{place}"))
        for county in range(counties)
        for place in range(each)
    }


def drawn(chance: Random, paths: list[Mapping[Node, Path]]) -> Lattice:
    typical = chance.choice((2, 5, 8, 15))
    numbers = {leaf: int(chance.expovariate(1 / typical)) for leaf in product(*paths)}
    return Lattice(paths, {leaf: rows for leaf, rows in numbers.items() if rows})


def beneath(lattice: Lattice) -> dict[Cell, frozenset[Cell]]:
    found: dict[Cell, set[Cell]] = {}
    for leaf in lattice.leaves:
        for cell in lattice.above(leaf):
            found.setdefault(cell, set()).add(leaf)
    return {cell: frozenset(leaves) for cell, leaves in found.items()}


def veiled(lattice: Lattice) -> tuple[set[Cell], dict[frozenset[Cell], int], frozenset[Cell]]:
    """Return the small cells, what is published, and what is hidden."""
    totals = lattice.totals()
    small = {cell for cell, rows in totals.items() if rows < THRESHOLD}
    veil = hidden(lattice, small, THRESHOLD)
    leaves = beneath(lattice)
    published = {leaves[cell]: rows for cell, rows in totals.items() if cell not in veil}
    return small, published, veil


SHAPES: Mapping[str, list[Mapping[Node, Path]]] = {
    "a row": [flat(5)],
    "a tree": [townships(3, 3)],
    "a square": [flat(3), flat(3)],
    "a tree by two": [townships(2, 3), flat(2)],
    "a cube": [flat(2), flat(3), flat(2)],
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_small_cell_may_have_the_threshold_more_by_all_that_is_published(shape: str) -> None:
    hiding = showing = 0
    for seed in range(15):
        lattice = drawn(Random(seed), SHAPES[shape])
        small, published, _ = veiled(lattice)
        leaves = beneath(lattice)
        for cell in small:
            rows = sum(lattice.leaves[leaf] for leaf in leaves[cell])
            more = possible(published, lattice.leaves, leaves[cell], rows + THRESHOLD)
            assert more, (seed, cell)
        hiding += bool(small)
        showing += len(published) > 1
    assert hiding > 5
    assert showing > 4


@pytest.mark.parametrize("seed", range(6))
def test_no_small_cell_is_a_combination_of_published_ones_in_a_large_table(seed: int) -> None:
    lattice = drawn(Random(seed), [townships(3, 4), flat(3), flat(2)])
    small, published, _ = veiled(lattice)
    leaves = beneath(lattice)

    for cell in Random(seed).sample(sorted(small, key=repr), min(6, len(small))):
        assert not determined(published, lattice.leaves, leaves[cell]), cell


def test_the_attack_finds_what_is_hidden_alone() -> None:
    # Else the tests above could not fail.
    lattice = Lattice([flat(3)], {((1, "A"),): 3, ((1, "B"),): 8, ((1, "C"),): 9})
    leaves = beneath(lattice)
    small = ((1, "A"),)
    published = {leaves[cell]: n for cell, n in lattice.totals().items() if cell != small}

    assert determined(published, lattice.leaves, leaves[small])
    assert not possible(published, lattice.leaves, leaves[small], 8)
    assert possible(published, lattice.leaves, leaves[small], 3)


def test_a_table_without_small_cells_is_published_whole() -> None:
    lattice = Lattice([flat(2)], {((1, "A"),): 5, ((1, "B"),): 6})

    assert hidden(lattice, frozenset(), THRESHOLD) == frozenset()


def test_one_small_cell_takes_the_smallest_that_protects_it_along() -> None:
    numbers = {"A": 2, "B": 5, "C": 7, "D": 30}
    lattice = Lattice([flat(4)], {((1, name),): rows for name, rows in numbers.items()})

    assert veiled(lattice)[2] == {((1, "A"),), ((1, "C"),)}


def test_small_cells_that_protect_each_other_take_no_other_along() -> None:
    numbers = {"A": 4, "B": 4, "C": 4, "D": 30}
    lattice = Lattice([flat(4)], {((1, name),): rows for name, rows in numbers.items()})

    assert veiled(lattice)[2] == {((1, "A"),), ((1, "B"),), ((1, "C"),)}


def test_a_township_that_is_small_is_hidden_in_the_table_by_sex_as_well() -> None:
    paths = [townships(1, 3), flat(2)]
    numbers = {("00", "A"): 1, ("01", "A"): 20, ("01", "B"): 21, ("02", "A"): 9, ("02", "B"): 8}
    lattice = Lattice(paths, {((2, one), (1, other)): n for (one, other), n in numbers.items()})

    assert veiled(lattice)[2] == {
        ((2, "00"), ROOT),
        ((2, "00"), (1, "A")),
        ((2, "02"), ROOT),
        ((2, "02"), (1, "A")),
    }


def test_what_cannot_be_hidden_otherwise_hides_the_total() -> None:
    lattice = Lattice([flat(2)], {((1, "A"),): 2, ((1, "B"),): 3})

    assert veiled(lattice)[2] == {((1, "A"),), ((1, "B"),), (ROOT,)}
