"""Whether an answer during a fault is right, or says itself at that path that it is not."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from tests.scenes.desk import Answer

Path: TypeAlias = tuple[str | int, ...]

RIGHT, NULL, PARTIAL = "right", "null + error", "partial"


@dataclass(slots=True)
class Judgement:
    """What became of an answer; `wrong` is empty unless something is wrong and nobody says so."""

    outcomes: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)

    @property
    def told(self) -> str:
        """Return the outcome in words."""
        if self.wrong:
            return "WRONG"
        worse = [each for each in (PARTIAL, NULL) if each in self.outcomes]
        return " and ".join(worse) or RIGHT


@dataclass(frozen=True, slots=True)
class Judge:
    """
    Knows the answer of the systems when they are well, and which fields are the faulty one's.

    `own`: the paths where the faulty system may cost something, places in lists left out.
    """

    well: Any
    own: tuple[Path, ...]

    def judged(self, answer: Answer) -> Judgement:
        """Return what became of the answer."""
        found = Judgement()
        told = _Told.of(answer)
        for path, before, now in _differences((), self.well, answer.body["data"]):
            outcome = told.outcome(path, before, now)
            if outcome is None:
                found.wrong.append(f"{path}: {now!r:.200} instead of {before!r:.200}")
            elif not self._is_own(path):
                found.wrong.append(f"{path}: this is another system's")
            else:
                found.outcomes.add(outcome)
        return found

    def _is_own(self, path: Path) -> bool:
        named = tuple(step for step in path if isinstance(step, str))
        return any(named[: len(own)] == own or own[: len(named)] == named for own in self.own)


@dataclass(frozen=True, slots=True)
class _Told:
    """What an answer says of itself: where there are errors, and what is not complete."""

    errors: tuple[Path, ...]
    lost: tuple[Path, ...]

    @classmethod
    def of(cls, answer: Answer) -> "_Told":
        lost = (tuple(path) for _, paths in answer.lost.values() for path in paths)
        return cls(tuple(tuple(path) for _, path in answer.errors), tuple(lost))

    def outcome(self, path: Path, before: Any, now: Any) -> str | None:
        """Return what became of a place that differs; None where nothing is said of it."""
        if now is None and any(_covers(path, error) for error in self.errors):
            return NULL
        if _is_part(before, now) and any(_covers(path, each) for each in self.lost):
            return PARTIAL
        return None


def _differences(path: Path, before: Any, now: Any) -> Iterator[tuple[Path, Any, Any]]:
    """Yield each deepest place where two answers differ."""
    if isinstance(before, dict) and isinstance(now, dict) and before.keys() == now.keys():
        for name in before:
            yield from _differences((*path, name), before[name], now[name])
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for place, pair in enumerate(zip(before, now, strict=True)):
            yield from _differences((*path, place), *pair)
    elif type(before) is not type(now) or before != now:
        yield path, before, now


def _covers(path: Path, told: Path) -> bool:
    """Return whether an error at one path speaks of the other: it is there, above or beneath."""
    shorter = min(len(path), len(told))
    return path[:shorter] == told[:shorter]


def _is_part(before: Any, now: Any) -> bool:
    if not (isinstance(before, list) and isinstance(now, list)):
        return False
    left = iter(before)
    return all(any(row == each for each in left) for row in now)
