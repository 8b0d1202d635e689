"""Where the demo's people live: which townships, how many in each, and their villages."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from math import ceil
from typing import Final

from sources.divisions import Division, DivisionTree, division_tree

PROVINCE: Final = "32"
PER_TOWNSHIP: Final = 2_500
CORE: Final = (
    *("320105006", "320105007", "320105009", "320105011"),  # 建邺区: 兴隆街道 …
    *("320117001", "320117002", "320117101", "320117106"),  # 溧水区
    *("320205106", "320205107", "320205001", "320205003"),  # 锡山区: 锡北镇 …
    *("320282002", "320282101", "320282102", "320282123"),  # 宜兴市
    *("320411107", "320411106", "320411102", "320411007"),  # 新北区: 奔牛镇 …
    *("320481002", "320481106", "320481103", "320481402"),  # 溧阳市, its development zone included
)
"""Townships of every demo, however small."""

_LEAST_SHARE: Final = 70
_MOST_SHARE: Final = 130


@dataclass(frozen=True, slots=True)
class Township:
    """A township with people; `rank` is its place among all townships, whichever are chosen."""

    code: str
    name: str
    rank: int
    county: str
    county_name: str
    place: str
    villages: tuple[Division, ...]
    residents: int

    @property
    def is_urban(self) -> bool:
        """Return whether it is a street."""
        return self.name.endswith("街道")


@cache
def townships(residents: int) -> tuple[Township, ...]:
    """Return the townships of a demo of so many residents, by code."""
    tree = division_tree()
    ranks = {division.code: rank for rank, division in enumerate(_all(tree))}
    chosen = sorted(_chosen(ranks, residents))
    shares = _shares(chosen, residents)
    return tuple(_township(tree, code, ranks[code], shares[code]) for code in chosen)


def _all(tree: DivisionTree) -> Iterator[Division]:
    for city in tree.children(PROVINCE):
        for county in tree.children(city.code):
            for division in tree.children(county.code):
                if division.kind != "zone" or division.code in CORE:
                    yield division


def _chosen(ranks: dict[str, int], residents: int) -> set[str]:
    # Spread over the province rather than city by city: the order of a digest means nothing.
    further = sorted(set(ranks) - set(CORE), key=lambda code: sha256(code.encode()).digest())
    return {*CORE, *further[: max(0, ceil(residents / PER_TOWNSHIP) - len(CORE))]}


def _shares(codes: list[str], residents: int) -> dict[str, int]:
    """Return how many live in each; they differ, and sum up to all residents."""
    weights = {code: _weight(code) for code in codes}
    whole = sum(weights.values())
    shares = {code: residents * weight // whole for code, weight in weights.items()}
    for code in codes[: residents - sum(shares.values())]:
        shares[code] += 1
    return shares


def _weight(code: str) -> int:
    spread = _MOST_SHARE - _LEAST_SHARE
    return _LEAST_SHARE + sha256(code.encode()).digest()[0] * spread // 255


def _township(tree: DivisionTree, code: str, rank: int, residents: int) -> Township:
    county = tree.ancestors(code)[-1]
    names = tree.name_path(code)
    return Township(
        code=code,
        name=names[-1],
        rank=rank,
        county=county.code,
        county_name=county.name,
        place="".join(names),
        villages=tree.children(code),
        residents=residents,
    )
