"""
How the codes of one code system are read as the graph's, and the other way round.

A code is read by the longest beginning that the tables know: its target takes the place of that
beginning. What has no target cannot be translated. Knows no system and no spelling with zeros.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from sources.declaration import Branch
from sources.divisions import remembered

Targets: TypeAlias = Mapping[str, str | None]
_LENGTHS: Final = (2, 4, 6, 9)
_SCOPES: Final = 1024  # remembered


@dataclass(frozen=True, slots=True)
class Beneath:
    """
    The native codes of a scope: whole branches, and single codes that lie in none of them.

    `but`: single codes within the branches that lie elsewhere, or nowhere.
    """

    branches: tuple[Branch, ...]
    among: tuple[str, ...]
    but: tuple[str, ...]


class CodeReading:
    """
    One code system in the graph's codes, both in significant digits.

    `prefixes`: what begins so goes on beneath the target with the same digits. `codes`: single
    codes, which count before any prefix. A target of None: it cannot be translated.
    """

    def __init__(self, prefixes: Targets, codes: Targets) -> None:
        self.prefixes = dict(sorted(prefixes.items()))
        self.codes = dict(sorted(codes.items()))
        self._sorted_prefixes = tuple(self.prefixes)
        self._sorted_codes = tuple(self.codes)
        self._lengths = sorted({len(prefix) for prefix in self.prefixes}, reverse=True)
        self._sources = _reversed(self.prefixes)
        self._single = _reversed(self.codes)
        self.beneath = remembered(self._beneath, _SCOPES)
        self.cover = remembered(self._cover, _SCOPES)

    @property
    def fingerprint(self) -> int:
        """Return a number that two readings share if they read every code alike."""
        return hash((tuple(self.prefixes.items()), tuple(self.codes.items())))

    @property
    def is_whole(self) -> bool:
        """Return whether every code is read as some code."""
        targets = {*self.prefixes.values(), *self.codes.values()}
        return "" in self.prefixes and None not in targets

    def read(self, code: str) -> str | None:
        """Return our code; None for what cannot be translated."""
        if code in self.codes:
            return self.codes[code]
        prefix = self.prefix_of(code)
        target = None if prefix is None else self.prefixes[prefix]
        return None if prefix is None or target is None else target + code[len(prefix) :]

    def prefix_of(self, code: str) -> str | None:
        """Return the longest beginning of the code that the table has."""
        beginnings = (code[:length] for length in self._lengths)
        return next((prefix for prefix in beginnings if prefix in self.prefixes), None)

    def written(self, ours: str) -> tuple[str, ...]:
        """Return every native code that is read as ours."""
        found = dict.fromkeys(self._single.get(ours, ()))
        for length in range(len(ours) + 1):
            for prefix in self._sources.get(ours[:length], ()):
                native = prefix + ours[length:]
                if self.read(native) == ours:
                    found[native] = None
        return tuple(found)

    def codes_under(self, prefix: str) -> tuple[str, ...]:
        """Return the single codes that begin so."""
        return _beginning(self._sorted_codes, prefix)

    def prefixes_under(self, prefix: str) -> tuple[str, ...]:
        """Return the prefixes of the table that begin so, itself included."""
        return _beginning(self._sorted_prefixes, prefix)

    def _beneath(self, scope: str) -> Beneath:
        branches = {branch.prefix: branch for branch in self._branches(scope)}
        kept = tuple(b for b in branches.values() if not _is_inside(b.prefix, branches))
        single = {code: _is_in(target, scope) for code, target in self.codes.items()}
        among = (code for code, inside in single.items() if inside and code not in branches)
        return Beneath(
            kept,
            tuple(code for code in among if not _is_inside(code, branches)),
            tuple(c for b in kept for c in self.codes_under(b.prefix) if not single[c]),
        )

    def _branches(self, scope: str) -> Iterator[Branch]:
        for prefix, target in self.prefixes.items():
            if target is None or not (_is_in(target, scope) or scope.startswith(target)):
                continue
            native = prefix + scope[len(target) :]
            if self.prefix_of(native) == prefix:
                others = (other for other in self.prefixes_under(native) if other != prefix)
                without = (o for o in others if not _is_in(self.prefixes[o], scope))
                yield Branch(native, tuple(without))

    def _cover(self, scope: str) -> tuple[str, ...]:
        """
        Return few native codes that have everything of the scope at or beneath them.

        What else is beneath them cannot be translated, as far as a list knows what is there; a
        single code may have more beneath it.
        """
        beneath = self.beneath(scope)
        natives = sorted({*(branch.prefix for branch in beneath.branches), *beneath.among})
        if self.prefixes.get("") is not None:
            return _outermost(natives)
        whole = (native[:length] for native in natives for length in (*_LENGTHS, len(native)))
        held = (code for code in whole if self._holds_only(code, scope))
        return _outermost((*beneath.among, *held))

    def _holds_only(self, code: str, scope: str) -> bool:
        known = (
            *(self.prefixes[prefix] for prefix in self.prefixes_under(code)),
            *(self.codes[single] for single in self.codes_under(code)),
        )
        return all(target is None or _is_in(target, scope) for target in known)


def composed(first: CodeReading, second: CodeReading) -> CodeReading:
    """Return the reading by the first, whose codes are then read by the second."""
    prefixes: dict[str, str | None] = {}
    codes = {c: None if t is None else second.read(t) for c, t in first.codes.items()}
    for prefix, target in first.prefixes.items():
        if target is None:
            prefixes[prefix] = None
            continue
        outer = second.prefix_of(target)
        end = None if outer is None else second.prefixes[outer]
        if end is not None or prefix:
            prefixes[prefix] = None if end is None else end + target[len(outer or "") :]
        for inner in second.prefixes_under(target):
            native = prefix + inner[len(target) :]
            if inner != target and first.read(native) == inner:
                prefixes[native] = second.prefixes[inner]
        for single in second.codes_under(target):
            native = prefix + single[len(target) :]
            if first.read(native) == single:
                codes[native] = second.codes[single]
    return CodeReading(prefixes, codes)


def _reversed(targets: Targets) -> dict[str, list[str]]:
    natives: dict[str, list[str]] = {}
    for native, target in targets.items():
        if target is not None:
            natives.setdefault(target, []).append(native)
    return natives


def _beginning(codes: tuple[str, ...], prefix: str) -> tuple[str, ...]:
    start = end = bisect_left(codes, prefix)
    while end < len(codes) and codes[end].startswith(prefix):
        end += 1
    return codes[start:end]


def _is_in(target: str | None, scope: str) -> bool:
    return target is not None and target.startswith(scope)


def _is_inside(prefix: str, branches: Mapping[str, Branch]) -> bool:
    """Return whether one of the branches has everything that begins so, and more."""
    around = (branches.get(prefix[:length]) for length in range(len(prefix)))
    return any(other and not prefix.startswith(other.without) for other in around)


def _outermost(codes: Iterable[str]) -> tuple[str, ...]:
    kept: list[str] = []
    for code in sorted(set(codes)):
        if not (kept and code.startswith(kept[-1])):
            kept.append(code)
    return tuple(kept)


UNCHANGED: Final = CodeReading({"": ""}, {})
"""The graph's own codes, as they are."""
