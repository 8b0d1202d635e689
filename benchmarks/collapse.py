"""
The short form: a few seconds, this server beside idiomatic Strawberry.

It fails only where a ratio has collapsed to half of what was recorded. CPU by request is compared,
since on a busy machine that is steady where requests per second are not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

from benchmarks.data import Scale
from benchmarks.processes import ROOT
from benchmarks.rounds import Rounds

RECORDED: Final = ROOT / "benchmarks" / "recorded.json"
_SHARE: Final = 0.5


@dataclass(frozen=True, slots=True)
class Short(Scale):
    """A tiny province: a page of a township is as long there as in a large one."""

    townships: int = 10
    households: int = 1_000
    residents: int = 3_000
    cases: int = 4_500


class Collapsed(Exception):
    """A ratio that is less than half of the one recorded."""


def shares(rounds: Rounds) -> dict[str, float]:
    """Return by question how many times as much CPU Strawberry takes; the least of all rounds."""
    least = {key: min(figure.cpu_ms for figure in figures) for key, figures in rounds.items()}
    return {
        question: round(least[question, "strawberry"] / least[question, "township"], 2)
        for question, name in rounds
        if name == "township"
    }


def record(found: Mapping[str, float], path: Path = RECORDED) -> None:
    """Record ratios for later runs."""
    path.write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def refuse_collapse(found: Mapping[str, float], path: Path = RECORDED) -> None:
    """
    Compare ratios with those recorded.

    Raises: Collapsed.
    """
    recorded = orjson.loads(path.read_bytes())
    fallen = [
        f"{question}: {found[question]} times, recorded {was}"
        for question, was in recorded.items()
        if found[question] < was * _SHARE
    ]
    if fallen:
        raise Collapsed(f"CPU of Strawberry by that of this server: {'; '.join(fallen)}")
