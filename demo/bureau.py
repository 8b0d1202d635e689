"""
The Statistics Bureau's codes as its users write them: another list, with gaps and with zones.

Knows the crosswalk alone; what a code is read as is decided where it is read.
"""

from functools import cache
from random import Random
from typing import Final

from sources.divisions import DATA

_TOWNSHIP: Final = 9
_ZONE_IN: Final = 60
_VILLAGE_IN: Final = 4


def bureau_township(code: str) -> str:
    """Return the bureau's code of a township; that of its county, filled up, where it has none."""
    return _codes().get(code) or code[:6].ljust(_TOWNSHIP, "0")


def written(chance: Random, township: str, village: str | None) -> str:
    """Return 12 digits as a clerk enters them: township, village or a zone of the bureau's own."""
    zones = _zones().get(township[:4], ())
    if zones and not chance.randrange(_ZONE_IN):
        return f"{chance.choice(zones)}000"
    code = bureau_township(township)
    inside = village and not code.endswith("000") and not chance.randrange(_VILLAGE_IN)
    return f"{code}{village[-3:] if village and inside else '000'}"


@cache
def _codes() -> dict[str, str]:
    return {ours: code for code, _, _, ours in _rows() if len(ours) == len(code) == _TOWNSHIP}


@cache
def _zones() -> dict[str, tuple[str, ...]]:
    """Return by city the bureau's townships that the Ministry does not know."""
    zones: dict[str, tuple[str, ...]] = {}
    for code, _, level, ours in _rows():
        if level == "township" and not ours:
            zones[code[:4]] = (*zones.get(code[:4], ()), code)
    return zones


@cache
def _rows() -> tuple[tuple[str, str, str, str], ...]:
    lines = (DATA / "crosswalk.csv").read_text(encoding="utf-8").splitlines()[1:]
    split = (line.split(",") for line in lines)
    return tuple((code, name, level, ours) for code, name, level, ours in split)
