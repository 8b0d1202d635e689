"""
One entity under trial: what was sampled of it, and how many questions it may still be asked.

A claim says in numbers why it is so, and never a value of a record.
"""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final, TypeAlias

from contract.document import Place
from contract.errors import SourceFailure, SourceRefused
from contract.read import Read, Rows
from contract.source import Capabilities, Source
from onboarding.sample import Sample
from sources import rowset
from sources.declaration import MappedEntity

Keys: TypeAlias = Counter[tuple[object, ...]]
QUESTIONS: Final = 120
"""The most questions that one entity is asked; of a system over HTTP, pages are counted apart."""


class Verdict(StrEnum):
    """What the answer to a question says of a claim."""

    PROVED = "proved"
    DISPROVED = "disproved"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Claim:
    """
    One thing that the mapping file says, such as `kind.eq`, and what became of it.

    `why`: what was seen, in numbers. `at`: the place in the file that is to be changed, `write`:
    what to write there; where they are empty the claim's name says it.
    """

    name: str
    verdict: Verdict
    why: str = ""
    at: Place = ()
    write: str = ""


Question: TypeAlias = tuple[str, Callable[[], Awaitable[Verdict]]]


class Exhausted(Exception):
    """The entity has been asked as often as it may be."""


@dataclass(slots=True)
class Allowance:
    """How many more questions an entity may be asked."""

    left: int = QUESTIONS
    asked: int = 0

    def take(self) -> None:
        """
        Count one question.

        Raises: Exhausted when there is none left.
        """
        if self.left <= 0:
            raise Exhausted
        self.left -= 1
        self.asked += 1


@dataclass(frozen=True, slots=True)
class Trial:
    """
    One entity of one source, its sample, and the way to ask it.

    `doubted`: its answers are known to be refused, so that a refusal says nothing new.
    """

    source: Source
    mapped: MappedEntity
    sample: Sample
    allowance: Allowance = field(default_factory=Allowance)
    doubted: bool = False

    @property
    def capabilities(self) -> Capabilities:
        """Return what is claimed of the entity."""
        return self.source.entities[self.mapped.entity.name]

    @property
    def key(self) -> tuple[str, ...]:
        """Return the fields that tell the entity's rows apart."""
        return self.mapped.entity.key

    async def ask(self, read: Read) -> Rows:
        """
        Return the answer, with the key among its fields.

        Raises: SourceFailure, Exhausted.
        """
        self.allowance.take()
        joined = read.for_each.fields if read.for_each else ()
        fields = dict.fromkeys((*read.fields, *self.key, *joined))
        return await self.source.read(replace(read, fields=tuple(fields)))

    def read(self, *fields: str) -> Read:
        """Return a read of these fields."""
        return Read(self.mapped.entity.name, fields)

    def identities(self, rows: Rows) -> Keys:
        """Return how often each key is among the rows."""
        return Counter(map(rowset.picker(rows.fields, self.key), rows.rows))

    async def judged(self, ask: Callable[[], Awaitable[Verdict]]) -> Verdict:
        """Return the verdict of a question, also where it is not answered."""
        try:
            return await ask()
        except SourceRefused:
            return Verdict.UNDECIDED if self.doubted else Verdict.DISPROVED
        except (SourceFailure, Exhausted):
            return Verdict.UNDECIDED
