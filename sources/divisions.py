"""
The division tree of the province: province, cities, counties, townships and zones, villages.

Codes are the Ministry's in significant digits (2, 4, 6, 9 or 12), so that a division's code begins
with the codes of all divisions above it. Knows no principal.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Final, TypeVar

DATA: Final = Path(__file__).with_name("data")
LEVELS: Final = {2: "province", 4: "city", 6: "county", 9: "township", 12: "village"}
_DEEPEST: Final = 12

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Division:
    """A place that somebody administers; `parent` is empty for the province."""

    code: str
    name: str
    level: str
    kind: str
    parent: str


def canonical(native: str) -> str | None:
    """
    Return the significant digits of a code that may be padded with zeros; None for any other text.

    A code that no list knows keeps its digits: whether it exists is another question.
    """
    digits = native.isascii() and native.isdigit()
    if not digits or len(native) not in LEVELS or native.startswith("00"):
        return None
    code = padded(native)
    return next(code[:length] for length in LEVELS if not code[length:].strip("0"))


def remembered(find: Callable[[str], Found], size: int) -> Callable[[str], Found]:
    """Return the function, which remembers what it found of so many divisions and no other text."""
    known = lru_cache(size)(find)
    return lambda text: known(text) if not text or canonical(text) else find(text)


def padded(code: str) -> str:
    """Return the code filled with zeros to the 12 digits of a village."""
    return code.ljust(_DEEPEST, "0")


def prefix_range(code: str) -> tuple[str, str]:
    """
    Return the half-open range of texts that holds the division's code and all codes beneath it.

    Holds for significant and for padded codes, wherever texts compare digit by digit.
    """
    return code, str(int(code) + 1)


class DivisionTree:
    """Divisions by code, and what lies above and beneath each."""

    canonical = staticmethod(canonical)
    padded = staticmethod(padded)
    prefix_range = staticmethod(prefix_range)

    def __init__(self, divisions: Iterable[Division]) -> None:
        self._divisions = {division.code: division for division in divisions}

    @cached_property
    def _children(self) -> dict[str, list[Division]]:
        children: dict[str, list[Division]] = {}
        for division in self._divisions.values():
            children.setdefault(division.parent, []).append(division)
        return children

    def __len__(self) -> int:
        return len(self._divisions)

    def __iter__(self) -> Iterator[Division]:
        return iter(self._divisions.values())

    def get(self, code: str) -> Division | None:
        """Return the division of a code in significant digits."""
        return self._divisions.get(code)

    def children(self, code: str) -> tuple[Division, ...]:
        """Return the divisions right beneath, by code; the province is beneath the empty code."""
        return tuple(self._children.get(code, ()))

    def ancestors(self, code: str) -> tuple[Division, ...]:
        """Return the divisions above, the province first."""
        above: list[Division] = []
        division = self.get(code)
        while division and (division := self.get(division.parent)):
            above.append(division)
        return tuple(reversed(above))

    def name_path(self, code: str) -> tuple[str, ...]:
        """Return the names from the province down to the division; none for an unknown code."""
        division = self.get(code)
        return (*(d.name for d in self.ancestors(code)), division.name) if division else ()

    def contains(self, scope: str, code: str) -> bool:
        """Tell whether the code is the scope's or beneath it; an unknown scope contains nothing."""
        return scope in self._divisions and code.startswith(scope)


@cache
def division_tree(folder: Path = DATA) -> DivisionTree:
    """Return the tree of the folder's CSVs, read once; villages without a township are left out."""
    divisions = [
        Division(code, name, level, kind, parent)
        for code, name, level, kind, parent, _ in _rows(folder / "divisions.csv")
    ]
    divisions += [
        Division(graph_code, name, "village", kind, township)
        for _, name, kind, township, _, graph_code in _rows(folder / "villages.csv")
        if graph_code
    ]
    divisions.sort(key=_code)
    return DivisionTree(divisions)


def _rows(path: Path) -> Iterable[list[str]]:
    # The generator refuses commas and quotes in values, and a plain split is several times faster.
    return (line.split(",") for line in path.read_text(encoding="utf-8").splitlines()[1:])


def _code(division: Division) -> str:
    return division.code
