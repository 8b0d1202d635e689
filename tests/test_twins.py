"""Twin worlds, different only where principals may not see, give the same bytes to all of them."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import orjson
import pytest

from auth.principal import Principal
from tests.generated.comparing import Case
from tests.generated.graphs import Asked, Held, asked, in_memory
from tests.generated.policies import CONTROL, drawn_principal
from tests.generated.questions import Question, drawn_question
from tests.generated.twins import (
    Switches,
    Viewers,
    changed_beneath_masks,
    changed_outside,
    changed_rows,
)
from tests.generated.worlds import World

COMPARISONS = 1_000
MANY = 100_000
PARTS = 2
VIEWERS = 3
OF_A_WORLD = 5
"""Questions; each is put by every viewer, at the same time and again."""

Change = Callable[[Viewers], World]
CHANGES = (changed_outside, changed_beneath_masks)


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("change", CHANGES)
async def test_what_nobody_may_see_changes_no_byte(change: Change, part: int) -> None:
    await _compare(change, part, COMPARISONS // PARTS // len(CHANGES))


@pytest.mark.deep
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("change", CHANGES)
async def test_what_nobody_may_see_changes_no_byte_of_many(change: Change, part: int) -> None:
    await _compare(change, part + PARTS, MANY // PARTS // len(CHANGES))


async def _compare(change: Change, part: int, comparisons: int) -> None:
    found: Counter[str] = Counter()
    batch: Counter[str] = Counter()
    number = 0
    while found["compared"] < comparisons:
        batch += await _world(change, Case.of(500_000 + part * 100_000 + number), number)
        number += 1
        if number % 8 == 0:
            assert batch["seen by control"] > 0, f"nobody sees what was changed: {number}"
            found, batch = found + batch, Counter()

    assert found["filled"] > 0.3 * found["compared"], found
    assert found["seen by control"] > 0.1 * found["asked"], found
    assert found["stood in"] > 0.02 * found["compared"], found


async def _world(change: Change, case: Case, number: int) -> Counter[str]:
    principals = [drawn_principal(case.chance, case.policy) for _ in range(VIEWERS)]
    viewers = Viewers(case, principals)
    worlds = (case.world, change(viewers))
    held = Held(number % 2 == 1, limited=number % 4 > 1, kept=number % 3 == 1)
    switched = number % 3 == 0 and not viewers.follow("Case")
    twins = [_twin(case, world, held, switched=switched) for world in worlds]
    found: Counter[str] = Counter(changed=changed_rows(*worlds))
    for _ in range(OF_A_WORLD):
        question = drawn_question(case.chance)
        found += await _asked_of(twins, viewers, question)
        control = [await told(graph, CONTROL, question) for graph, _ in twins]
        found += Counter({"asked": 1, "seen by control": int(control[0] != control[1])})
    return found


def _twin(case: Case, world: World, held: Held, *, switched: bool) -> tuple[Asked, Switches]:
    """Return the graph over a world; `switched`: its systems can be switched off."""
    systems, homes = in_memory(world, case.seed, held)
    if not switched:
        return asked(world, case.policy, systems, homes), Switches(())
    switches, guarded = Switches.over(systems)
    return asked(world, case.policy, guarded, homes), switches


async def _asked_of(
    twins: Sequence[tuple[Asked, Switches]], viewers: Viewers, question: Question
) -> Counter[str]:
    """Return how many answers were compared: put at once, again, page by page, and off line."""
    found: Counter[str] = Counter()
    after: list[str | None] = [None] * len(viewers.principals)
    for page in range(question.pages):
        askers = [*zip(viewers.principals, after, strict=True)]
        rounds = [[await _at_once(graph, askers * 2, question) for graph, _ in twins]]
        if twins[0][1].each:
            rounds.append([await _off_line(*twin, askers, question) for twin in twins])
        for answers in rounds:
            for place, (one, other) in enumerate(zip(*answers, strict=True)):
                who = askers[place % len(askers)]
                about = (viewers.case.seed, page, question, who)
                assert _said(viewers, one) == _said(viewers, other), about
                found += Counter(
                    {
                        "compared": 1,
                        "filled": int(_is_filled(one)),
                        "stood in": int(b"STALE" in one),
                    }
                )
        first = rounds[0][0]
        assert first[: len(askers)] == first[len(askers) :], "the same question, put again"
        after = [_cursor(answer) for answer in first[: len(askers)]]
    return found


async def _at_once(
    graph: Asked, askers: Sequence[tuple[Principal, str | None]], question: Question
) -> list[bytes]:
    return await asyncio.gather(*(told(graph, who, question, cursor) for who, cursor in askers))


async def _off_line(
    graph: Asked,
    switches: Switches,
    askers: Sequence[tuple[Principal, str | None]],
    question: Question,
) -> list[bytes]:
    with switches.off():
        return await _at_once(graph, askers, question)


async def told(
    graph: Asked, principal: Principal, question: Question, after: str | None = None
) -> bytes:
    return orjson.dumps(await graph.told(principal, question, after))


def _said(viewers: Viewers, answer: bytes) -> bytes:
    """Return what is compared: all of it, but for the systems that were asked where rows follow."""
    if not viewers.follow("Case"):
        return answer
    return orjson.dumps({**orjson.loads(answer), "extensions": None})


def _is_filled(answer: bytes) -> bool:
    found: Any = (orjson.loads(answer)["data"] or {}).get("found")
    return bool(found) and found.get("nodes") != []


def _cursor(answer: bytes) -> str | None:
    found: Any = (orjson.loads(answer)["data"] or {}).get("found") or {}
    cursor = found.get("pageInfo", {}).get("endCursor")
    return None if cursor is None else str(cursor)
