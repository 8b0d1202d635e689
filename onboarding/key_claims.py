"""
Keys of a system over HTTP, proved by whole batches: that each key counts, and no row is foreign.

A batch is filled with numbers that begin with zeros, which nobody has, and the known keys stand at
both of its ends. Knows no principal.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from contract.document import Place
from contract.entity import Kind
from contract.errors import SourceRefused
from contract.predicate import INVALID
from contract.read import ForEach
from onboarding.http_probe import Probe, Walk
from onboarding.sample import Sample
from onboarding.trial import Claim, Verdict
from sources import rowset
from sources.http_answer import Mistrusted, Reader

ANSWERED: Final = "answered"
UNKNOWN_KEYS: Final = "unknown keys"
_ENDS: Final = 20  # known keys in a batch
_HALVINGS: Final = 8
_FEW: Final = 2


@dataclass(frozen=True, slots=True)
class _Answer:
    """What came for a batch: the keys that have rows, rows of others, keys it says it answered."""

    found: frozenset[object]
    foreign: int
    answered: frozenset[object]
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Batches:
    """Proves one field that a system is asked by."""

    probe: Probe
    field: str
    sample: Sample

    async def claims(self) -> tuple[Claim, ...]:
        """
        Return what became of the key, of its batch and of the list of keys that were answered.

        Reads:  at most 12 batches, each of a few pages.
        Raises: SourceFailure, Exhausted.
        """
        known = self._known()
        if not known:
            return ()
        one = await self._asked(known[:1])
        if one.foreign:
            why = f"{one.foreign} rows of other keys came for one key"
            write = "Write the parameter that the system knows."
            return (self._claim(f"key {self.field}", why, write),)
        claims = [Claim(f"key {self.field}", Verdict.PROVED)]
        claims += await self._batch(known)
        claims += await self._listed(known[0])
        return tuple(claims)

    @property
    def _size(self) -> int:
        return self.probe.endpoint.by_key[self.field][1]

    async def _batch(self, known: Sequence[object]) -> list[Claim]:
        name = f"batch of {self.field}"
        if self._size == 1:
            return []
        keys = self._filled(known, self._size)
        answer = await self._asked(keys)
        if answer.fault and len(keys) > len(known) and not await self._takes_unknown(known[0]):
            keys = list(known[: self._size])
            answer = await self._asked(keys)
        if self._is_whole(answer, known, keys):
            whole = len(keys) == self._size
            return [Claim(name, Verdict.PROVED if whole else Verdict.UNDECIDED)]
        largest = await self._largest(known, len(keys))
        lost = len(self._among(known, keys) - answer.found)
        why = f"of {len(keys)} keys at once {lost} were not answered"
        return [self._claim(name, why, f"Write batch = {largest}.")]

    async def _largest(self, known: Sequence[object], size: int) -> int:
        """Return a size of batch that is answered whole, found by halving."""
        for _ in range(_HALVINGS):
            size //= 2
            if size <= 1:
                break
            keys = self._filled(known, size)
            if self._is_whole(await self._asked(keys), known, keys):
                return size
        return 1

    async def _listed(self, known: object) -> list[Claim]:
        """Ask for a key that has rows and for one that nobody has: both are to be listed."""
        keys = (known, *self._padding(1))
        if len(keys) == 1:
            return []
        answer = await self._asked(keys)
        if answer.fault:
            # It may look at check digits; what it says to a right number without rows is not known.
            return [Claim(UNKNOWN_KEYS, Verdict.UNDECIDED, "a number that nobody has is refused")]
        if not self.probe.endpoint.answered or answer.answered == frozenset(keys):
            listed = [Claim(ANSWERED, Verdict.PROVED)] if self.probe.endpoint.answered else []
            return [Claim(UNKNOWN_KEYS, Verdict.PROVED), *listed]
        missing = len(frozenset(keys) - answer.answered)
        why = f"of 2 keys, one of them without rows, {missing} are not listed"
        if not missing:
            why = "keys are listed that nobody asked for"
        department = self.probe.source.department
        table = "graphql" if department.kind == "graphql" else "rest"
        place: Place = ("entity", self.probe.mapped.entity.name, table, ANSWERED)
        return [Claim(ANSWERED, Verdict.DISPROVED, why, place, "Leave answered out.")]

    async def _takes_unknown(self, known: object) -> bool:
        return not (await self._asked((known, *self._padding(1)))).fault

    async def _asked(self, keys: Sequence[object]) -> _Answer:
        for_each = ForEach((self.field,), tuple((key,) for key in keys))
        walks: list[Walk] = []
        try:
            for question in await self.probe.by_keys(for_each):
                walks.append(await self.probe.walk(question))  # noqa: PERF401 -- one by one
        except SourceRefused:
            return _Answer(frozenset(), 0, frozenset(), "refused")
        return self._read(walks, frozenset(keys))

    def _read(self, walks: Sequence[Walk], keys: frozenset[object]) -> _Answer:
        place = self.probe.fields.index(self.field)
        came = [record.values[place] for walk in walks for record in walk.records]
        foreign = sum(key not in keys for key in came)
        fault = next((walk.fault for walk in walks if walk.fault), "")
        reader = Reader(self.probe.mapped, (self.field,), self.field)
        natives = [native for walk in walks for native in walk.answered]
        try:
            answered = reader.keys(natives)
        except Mistrusted:
            answered = frozenset()
        return _Answer(frozenset(came) & keys, foreign, answered, fault)

    def _is_whole(self, answer: _Answer, known: Sequence[object], keys: Sequence[object]) -> bool:
        return not answer.fault and self._among(known, keys) <= answer.found

    def _among(self, known: Sequence[object], keys: Sequence[object]) -> frozenset[object]:
        return frozenset(known) & frozenset(keys)

    def _known(self) -> list[object]:
        """Return keys with few rows, so that answers stay small."""
        column = self.probe.mapped.columns[self.field]
        rows = self.sample.rows
        counts = Counter(
            row[0] for row in map(rowset.picker(rows.fields, (self.field,)), rows.rows)
        )
        keys = [key for key, _ in reversed(counts.most_common()) if key not in (None, INVALID, "")]
        if column.field.kind is Kind.CODE:
            return []
        return keys[: max(_ENDS, 1)]

    def _filled(self, known: Sequence[object], size: int) -> list[object]:
        """Return as many keys, the known ones at both ends."""
        own = known[:size]
        half = len(own) // 2  # one alone stands at the end, where a cut is felt
        return [*own[:half], *self._padding(size - len(own)), *own[half:]]

    def _padding(self, count: int) -> Sequence[object]:
        column = self.probe.mapped.columns[self.field]
        if column.field.kind is not Kind.STRING or column.codec.storage != "text":
            return []
        known = frozenset(self.sample.values(self.field))
        width = max((len(str(value)) for value in known), default=0)
        numbers = (f"{number:0{width}}" for number in range(1, count + len(known) + 1))
        return [number for number in numbers if number not in known and len(number) == width][
            :count
        ]

    def _claim(self, name: str, why: str, write: str) -> Claim:
        place: Place = ("entity", self.probe.mapped.entity.name, "pushdown", "by_key")
        return Claim(name, Verdict.DISPROVED, why, place, write)


async def keyed_claims(probe: Probe, sample: Sample) -> tuple[Claim, ...]:
    """
    Return what became of every key that the system is asked by, two of them at most.

    Reads:  at most 24 batches, each of a few pages.
    Raises: SourceFailure, Exhausted.
    """
    claims: list[Claim] = []
    for field in _asked_by(probe):
        claims += await Batches(probe, field, sample).claims()
    return tuple(claims)


def _asked_by(probe: Probe) -> Iterator[str]:
    usable = [name for name in probe.endpoint.by_key if name in probe.mapped.columns]
    yield from usable[:_FEW]
