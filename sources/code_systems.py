"""
The code systems of divisions: the Ministry's list, the Statistics Bureau's, and withdrawn codes.

Everything is read as the Ministry's codes of today, which are the graph's. Knows no principal.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from itertools import groupby
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

    @property
    def turn(self) -> tuple[date, int, bool]:
        """
        Return when it counts: renames of one day and level count at once, since codes may swap.

        What lies deeper is moved first, a village before the township that it was in.
        """
        return self.effective, -len(self.old), self.kind == "rename"

    def is_given_by(self, other: "Alias") -> bool:
        """Return whether the other one gives the code, or what has it, to another place later."""
        if other.new.startswith(self.old) or (
            other.kind == "rename" and self.old.startswith(other.new)
        ):
            return other.is_after(self)
        return False

    def is_after(self, other: "Alias") -> bool:
        """Return whether it counts when the other one already does; renames of a turn both do."""
        return self.turn > other.turn or (self.turn == other.turn and self.kind == "rename")

    def carries(self, code: str, target: str, other: "Alias") -> bool:
        """Return whether the other one takes to the target what was not in the code before."""
        if other is self:
            return False
        if other.new == self.new:
            return True
        if other.new.startswith(code) and other.effective == self.effective:
            return not other.old.startswith(code)
        if other.new.startswith(target):
            return not other.old.startswith((code, target))
        around = other.kind == "rename" and target.startswith(other.new)
        return around and other.old + target[len(other.new) :] != code


class CodeSystems:
    """
    Every code system as of one day, from the lists of one folder.

    Raises: Mistakes, with everything that is wrong with aliases.csv.
    """

    def __init__(self, folder: Path = DATA, today: date | None = None) -> None:
        self._folder = folder
        self._bureau = {code: ours for code, _, _, ours in _rows(folder / "crosswalk.csv")}
        day = today or datetime.now(UTC).date()
        found = _aliases(folder / "aliases.csv", self._bureau, self._is_listed)
        found.sort(key=lambda alias: alias.turn)
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
        Neither is one whose new code others have got as well, or whose old code is another's now.
        """
        now = code
        for _, turn in groupby(self._of(MINISTRY), key=lambda alias: alias.turn):
            withdrawn = [alias for alias in turn if now.startswith(alias.old)]
            if not withdrawn:
                continue
            alias = withdrawn[0]
            if len(withdrawn) > 1 or not self._is_followed(alias, now):
                return code
            now = alias.new + now[len(alias.old) :]
        return now

    def _is_followed(self, alias: Alias, code: str) -> bool:
        """Return whether the alias moves the place of the code, and nobody else to where it is."""
        if alias.kind != "rename" or self._is_relisted(alias):
            return False
        target = alias.new + code[len(alias.old) :]
        return not any(
            (other.new and code.startswith(other.new) and other.is_after(alias))
            or alias.carries(code, target, other)
            for other in self._of(MINISTRY)
            if other is not alias
        )

    def reading(self, system: System, since: date | None = None) -> CodeReading:
        """Return how a system's codes are read that were in force on a day or given later."""
        known = self._readings.get((system, since))
        if known is None:
            known = self._readings[system, since] = self._reading(system, since)
        return known

    def _reading(self, system: System, since: date | None) -> CodeReading:
        aliases = self._of(system, since)
        own = _without(self._read(aliases), _given_again(aliases))
        if system == MINISTRY:
            return own
        # The crosswalk has the codes of one day, so one that was given away later means one place.
        return composed(composed(own, self._crosswalk), self._read(self._of(MINISTRY)))

    def _of(self, system: System, since: date | None = None) -> tuple[Alias, ...]:
        return tuple(
            alias
            for alias in self.aliases
            if alias.system == system and (since is None or alias.effective > since)
        )

    @cached_property
    def _crosswalk(self) -> CodeReading:
        """Return the bureau's codes as the Ministry's, each as of its list."""
        linked = {code: ours for code, ours in self._bureau.items() if ours}
        return CodeReading(
            {code: ours for code, ours in linked.items() if len(code) == _TOWNSHIP},
            {code: ours for code, ours in linked.items() if len(code) != _TOWNSHIP},
        )

    def _read(self, aliases: Iterable[Alias]) -> CodeReading:
        """Return the reading by aliases in their turn, without codes that the list gave away."""
        reading, relisted = UNCHANGED, set[str]()
        for _, turn in groupby(aliases, key=lambda alias: alias.turn):
            counted = tuple(turn)
            relisted |= {alias.old for alias in counted if self._is_relisted(alias)}
            for step in _steps(counted):
                reading = composed(reading, step)
        return _without(reading, {code for code in relisted if reading.read(code) != code})

    def _is_relisted(self, alias: Alias) -> bool:
        """Return whether the old code is another place's in the list."""
        before = alias.effective <= LISTED_ON[alias.system]
        return before and self._is_listed(alias.system, alias.old)

    def _is_listed(self, system: System, code: str) -> bool:
        return code in self._bureau if system == BUREAU else self.tree.get(code) is not None


def _steps(turn: Sequence[Alias]) -> Iterator[CodeReading]:
    if turn[0].kind == "rename":
        yield CodeReading({"": "", **{alias.old: alias.new for alias in turn}}, {})
    else:
        yield from (alias.reading for alias in turn)


def _given_again(aliases: Sequence[Alias]) -> set[str]:
    """Return the codes that one place had until they were withdrawn, and another one has since."""
    return {
        max(alias.old, other.new, key=len)
        for alias in aliases
        for other in aliases
        if alias.is_given_by(other)
    }


def _without(reading: CodeReading, ambiguous: set[str]) -> CodeReading:
    """Return the reading without codes that two places had, one after the other."""

    def kept(targets: Mapping[str, str | None]) -> dict[str, str | None]:
        return {
            code: target
            for code, target in targets.items()
            if not any(code.startswith(old) for old in ambiguous)
        }

    return CodeReading({**kept(reading.prefixes), **dict.fromkeys(ambiguous)}, kept(reading.codes))


IsListed: TypeAlias = Callable[[System, str], bool]
Lines: TypeAlias = Mapping[int, Alias]


def _aliases(path: Path, bureau: Mapping[str, str], is_listed: IsListed) -> list[Alias]:
    lines, mistakes = dict[int, Alias](), []
    for number, row in enumerate(_rows(path), start=2):
        try:
            lines[number] = _alias(row, bureau)
        except ValueError as error:
            mistakes.append(Mistake(str(path), number, str(error), _WRITE))
    if not mistakes:
        mistakes = [
            Mistake(str(path), number, what, _MERGE) for number, what in _taken(lines, is_listed)
        ]
    if mistakes:
        raise Mistakes(tuple(mistakes))
    return list(lines.values())


_WRITE: Final = "Write system,old,new,effective,kind; see the document on adding departments."
_MERGE: Final = "Write merge, or when and how the place that had the code before lost it."


def _taken(lines: Lines, is_listed: IsListed) -> Iterator[tuple[int, str]]:
    """Yield the lines by which a place gets a code that is another one's on that day."""
    for number, alias in lines.items():
        if alias.kind != "rename":
            continue
        listed = LISTED_ON[alias.system]
        if (
            alias.effective > listed
            and is_listed(alias.system, alias.new)
            and not _is_freed(alias, listed, lines)
        ):
            yield number, f"{alias.new} is a place on the list, so none can be renamed to it"
        elif first := _renamed_before(number, lines):
            yield number, f"line {first} renames another place to {alias.new}"


def _renamed_before(number: int, lines: Lines) -> int:
    """Return the line by which another place got the new code of a line, and has it still; or 0."""
    alias = lines[number]
    before = (
        line
        for line, other in lines.items()
        if (other.system, other.new, other.kind) == (alias.system, alias.new, "rename")
        and (other.effective, line) < (alias.effective, number)
        and not _is_freed(alias, other.effective, lines)
    )
    return next(before, 0)


def _is_freed(alias: Alias, since: date, lines: Lines) -> bool:
    """Return whether the new code was withdrawn after a day and until the alias gives it."""
    return any(
        other.system == alias.system
        and alias.new.startswith(other.old)
        and since < other.effective <= alias.effective
        for other in lines.values()
    )


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
