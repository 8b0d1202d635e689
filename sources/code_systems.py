"""
The code systems of divisions: the Ministry's list, the Statistics Bureau's, and withdrawn codes.

Everything is read as the Ministry's codes of today, which are the graph's. Knows no principal.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import Final, Literal, TypeAlias, get_args

from contract.document import Mistake, Mistakes
from sources.crosswalk import UNCHANGED, CodeReading, composed
from sources.declaration import System
from sources.divisions import DATA, DivisionTree, canonical, division_tree

Kind: TypeAlias = Literal["rename", "merge", "split"]
MINISTRY: Final[System] = "MCA-2025"
BUREAU: Final[System] = "NBS-2023"
LISTED_ON: Final[Mapping[System, date]] = {MINISTRY: date(2025, 12, 31), BUREAU: date(2023, 6, 30)}
"""The day of each list: what was withdrawn until then and is in it was given to another place."""
_TOWNSHIP: Final = 9
COLUMNS: Final = ("system", "old", "new", "effective", "kind")


@dataclass(frozen=True, slots=True)
class Alias:
    """
    A code that was withdrawn on a day, and the one that the place has since then.

    `rename`: the whole place, with everything beneath it under the same digits. `merge`: the whole
    place became a part of another. `split`: it went into several, so nobody can say which.
    """

    system: System
    old: str
    new: str
    effective: date
    kind: Kind

    @property
    def reading(self) -> CodeReading:
        """Return the codes of before as those of after."""
        match self.kind:
            case "rename":
                return CodeReading({"": "", self.old: self.new}, {})
            case "merge":
                # Beneath it the other place has the same digits already, so the old code stays to
                # be seen: within the new place, and no village of it.
                within = f"{self.new}-{self.old}"
                return CodeReading({"": "", self.old: within}, {self.old: self.new})
            case _:
                return CodeReading({"": "", self.old: None}, {})


class CodeSystems:
    """
    Every code system as of one day, from the lists of one folder.

    Raises: Mistakes, with everything that is wrong with aliases.csv.
    """

    def __init__(self, folder: Path = DATA, today: date | None = None) -> None:
        self._folder = folder
        self._bureau = {code: ours for code, _, _, ours in _rows(folder / "crosswalk.csv")}
        day = today or datetime.now(UTC).date()
        found = _aliases(folder / "aliases.csv", self._bureau)
        # What lies deeper is moved first: a village before the township that it was in.
        found.sort(key=lambda alias: (alias.effective, -len(alias.old)))
        self.aliases = tuple(alias for alias in found if alias.effective <= day)
        self._readings: dict[tuple[System, date | None], CodeReading] = {}

    @property
    def tree(self) -> DivisionTree:
        """Return the divisions of the folder's lists."""
        return division_tree(self._folder)

    def scope(self, code: str) -> str:
        """
        Return the code that a scope given in an old one has today; otherwise the code itself.

        A place that became part of a larger one is no longer a scope: the larger one was not given.
        """
        return self._renamed.read(code) or code

    def reading(self, system: System, since: date | None = None) -> CodeReading:
        """Return how a system's codes are read that were in force on a day or given later."""
        known = self._readings.get((system, since))
        if known is None:
            known = self._readings[system, since] = self._reading(system, since)
        return known

    def _reading(self, system: System, since: date | None) -> CodeReading:
        own = self._aliased(system, since)
        if system == MINISTRY:
            return own
        return composed(composed(own, self._crosswalk), self._aliased(MINISTRY, None))

    @cached_property
    def _renamed(self) -> CodeReading:
        reading = UNCHANGED
        for alias in self.aliases:
            if alias.system == MINISTRY and alias.kind == "rename" and not self._reused(alias):
                reading = composed(reading, alias.reading)
        return reading

    @cached_property
    def _crosswalk(self) -> CodeReading:
        """Return the bureau's codes as the Ministry's, each as of its list."""
        linked = {code: ours for code, ours in self._bureau.items() if ours}
        return CodeReading(
            {code: ours for code, ours in linked.items() if len(code) == _TOWNSHIP},
            {code: ours for code, ours in linked.items() if len(code) != _TOWNSHIP},
        )

    def _aliased(self, system: System, since: date | None) -> CodeReading:
        aliases = [
            alias
            for alias in self.aliases
            if alias.system == system and (since is None or alias.effective > since)
        ]
        reading = UNCHANGED
        for alias in aliases:
            reading = composed(reading, alias.reading)
        reused = {alias.old for alias in aliases if self._reused(alias)}
        return _without(reading, {code for code in reused if reading.read(code) != code})

    def _reused(self, alias: Alias) -> bool:
        """Return whether the old code is another place's by now."""
        if alias.effective > LISTED_ON[alias.system]:
            return False
        if alias.system == MINISTRY:
            return self.tree.get(alias.old) is not None
        return alias.old in self._bureau


def _without(reading: CodeReading, ambiguous: set[str]) -> CodeReading:
    """Return the reading without codes that two places had, one after the other."""

    def kept(targets: Mapping[str, str | None]) -> dict[str, str | None]:
        return {
            code: target
            for code, target in targets.items()
            if not any(code.startswith(old) for old in ambiguous)
        }

    return CodeReading({**kept(reading.prefixes), **dict.fromkeys(ambiguous)}, kept(reading.codes))


def _aliases(path: Path, bureau: Mapping[str, str]) -> list[Alias]:
    found, mistakes = [], []
    for number, row in enumerate(_rows(path), start=2):
        try:
            found.append(_alias(row, bureau))
        except ValueError as error:
            mistakes.append(Mistake(str(path), number, str(error), _WRITE))
    if mistakes:
        raise Mistakes(tuple(mistakes))
    return found


_WRITE: Final = "Write system,old,new,effective,kind; see the document on adding departments."


def _alias(row: list[str], bureau: Mapping[str, str]) -> Alias:
    if len(row) != len(COLUMNS):
        raise ValueError(f"a line has {len(COLUMNS)} values")
    system, old, new, effective, kind = row
    if system not in get_args(System) or kind not in get_args(Kind):
        raise ValueError("the code system or the kind is not known")
    if canonical(old) != old or (kind == "split") != (new == ""):
        raise ValueError("a code is no division code; a place that was split has no new one")
    if new and (canonical(new) != new or len(new) != len(old) or new == old):
        raise ValueError("the new code is none, is not of the level of the old one, or is the same")
    if new and system == BUREAU and new[:_TOWNSHIP] not in bureau:
        raise ValueError("the new code is not in the bureau's list, so it cannot be translated")
    return Alias(
        "NBS-2023" if system == BUREAU else "MCA-2025",
        old,
        new,
        _day(effective),
        next(each for each in get_args(Kind) if each == kind),
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("the day is none") from None


def _rows(path: Path) -> Iterator[list[str]]:
    if path.exists():
        with path.open(encoding="utf-8", newline="") as lines:
            yield from list(csv.reader(lines))[1:]
