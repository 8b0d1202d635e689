"""Asks a graph and the oracle the same, and counts what was asked."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from auth.principal import Principal
from contract.source import Source
from sources.holding import Homes
from tests.generated.expected import Answers
from tests.generated.graphs import Asked, asked
from tests.generated.policies import PolicyFile, drawn_policy, drawn_principal
from tests.generated.questions import Question, drawn_question
from tests.generated.worlds import World, drawn_world

ASKERS = 4
"""So many principals are asked each question: to check a document costs more than to answer it."""


@dataclass(frozen=True, slots=True)
class Case:
    """One world under one policy, and the chance that everything else is drawn by."""

    seed: int
    world: World
    policy: PolicyFile
    chance: Random

    @classmethod
    def of(cls, seed: int) -> "Case":
        """Return the case of a seed."""
        chance = Random(seed)
        return cls(seed, drawn_world(chance), drawn_policy(chance), chance)

    def graph(self, systems: dict[str, Source], homes: Homes) -> Asked:
        """Return the case's graph over systems that hold its world."""
        return asked(self.world, self.policy, systems, homes)

    def questions(self, count: int) -> Iterator[tuple[Question, Principal]]:
        """Yield at least so many questions, each for several principals."""
        for _ in range(-(-count // ASKERS)):
            question = drawn_question(self.chance)
            for _ in range(ASKERS):
                yield question, drawn_principal(self.chance, self.policy)


async def compared(case: Case, graph: Asked, count: int) -> Counter[str]:
    """
    Return how many questions were asked, of what kinds, with every answer as the oracle's.

    Every page of a list counts as a question.
    """
    found: Counter[str] = Counter()
    for question, principal in case.questions(count):
        after: str | None = None
        for page in range(question.pages):
            expected = Answers(case.world, case.policy, principal)
            wanted = expected.answer(question, page)
            answer = await graph.ask(principal, question, after)
            after = _without_cursor(answer.value)
            where = (case.seed, page, principal, question)
            assert answer.value == wanted, (where, answer.value, wanted)
            assert sorted(answer.errors, key=str) == sorted(expected.errors, key=str), where
            found += _told(wanted, expected.errors, page)
            if after is None:
                break
    return found


def _without_cursor(value: Any) -> str | None:
    """Take the cursor out of a list, which the oracle knows nothing of, and return it."""
    if not isinstance(value, dict) or "pageInfo" not in value:
        return None
    cursor = value["pageInfo"].pop("endCursor")
    return None if cursor is None else str(cursor)


def _told(value: Any, errors: list[Any], page: int) -> Counter[str]:
    listed = isinstance(value, dict) and "nodes" in value
    is_filled = bool(value["nodes"]) if listed else value is not None
    codes = {code for _, code in errors}
    return Counter(
        {
            "asked": 1,
            "filled": int(is_filled),
            "refused": int(any(len(path) == 1 for path, _ in errors)),
            "hidden": int(is_filled and "FORBIDDEN" in codes),
            "masked": int("**" in str(value)),
            "later": int(is_filled and page > 0),
        }
    )
