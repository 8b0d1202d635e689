"""The fault drill: every system in every mode is right, or says at its path that it is not."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import pytest

from tests.scenes.drill import clock
from tests.scenes.drill.conftest import Stands
from tests.scenes.drill.forms import FORMS, NO_FORM
from tests.scenes.drill.judging import Judge, Judgement
from tests.scenes.drill.modes import Mode
from tests.scenes.drill.stand import Stand
from tests.scenes.drill.systems import (
    BUDGET_SECONDS,
    READY_SECONDS,
    RECOVERY_SECONDS,
    SPARE_SECONDS,
    SYSTEMS,
)

EACH = 3


@dataclass(frozen=True, slots=True)
class Drill:
    """A system in a mode, in one of its forms."""

    system: str
    mode: Mode
    form: str

    @property
    def id(self) -> str:
        return f"{self.system}-{self.mode}-{self.form}".replace(" ", "_")


def whole() -> Iterator[Drill]:
    """Yield every form of every mode for every system."""
    for name, system in SYSTEMS.items():
        for mode, forms in FORMS[system.kind].items():
            for form in forms:
                yield Drill(name, mode, form)


def square() -> Iterator[Drill]:
    """Yield some modes for each system, others for each, so that all modes are among them."""
    modes = list(Mode)
    for place, (name, system) in enumerate(SYSTEMS.items()):
        forms = FORMS[system.kind]
        turned = (modes[(place * EACH + step) % len(modes)] for step in range(len(modes)))
        for mode in islice((mode for mode in turned if mode in forms), EACH):
            yield Drill(name, mode, list(forms[mode])[place % len(forms[mode])])


SQUARE = list(square())
REST = [drill for drill in whole() if drill not in SQUARE]


pytestmark = pytest.mark.timed


async def answered_right(stand: Stand) -> float:
    """Wait until the system's own fields are right, and then all; return how long it took."""
    began = clock.seconds()
    async with asyncio.timeout(READY_SECONDS):
        while (await stand.ask_alone()).body["data"] != stand.well_alone:  # noqa: ASYNC110 -- no event
            await asyncio.sleep(0.05)
        took = clock.seconds() - began
        while (await stand.ask()).body["data"] != stand.well:  # noqa: ASYNC110 -- no event
            await asyncio.sleep(0.05)
    return took


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("drill", SQUARE, ids=lambda drill: drill.id)
async def test_a_faulty_system_is_right_or_says_at_its_path_that_it_is_not(
    stands: Stands, note: Callable[[str], None], drill: Drill
) -> None:
    await drilled(await stands(drill.system), drill, note)


@pytest.mark.deep
@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("drill", REST, ids=lambda drill: drill.id)
async def test_every_system_in_every_mode_is_right_or_says_at_its_path_that_it_is_not(
    stands: Stands, note: Callable[[str], None], drill: Drill
) -> None:
    await drilled(await stands(drill.system), drill, note)


async def drilled(stand: Stand, drill: Drill, note: Callable[[str], None]) -> None:
    await answered_right(stand)

    fault = FORMS[stand.system.kind][drill.mode][drill.form]
    async with asyncio.timeout(READY_SECONDS), fault(stand):
        answers = [await stand.ask() for _ in range(2)]
        began = clock.seconds()
        alone = await stand.ask_alone()
        late = clock.seconds() - began
    recovery = await answered_right(stand)
    judge = Judge(stand.well, stand.system.own)
    judgements = [*map(judge.judged, answers), Judge(stand.well_alone, judge.own).judged(alone)]
    note("\t".join((drill.system, drill.mode, drill.form, told(judgements))))

    assert [wrong for each in judgements for wrong in each.wrong] == []
    assert late < BUDGET_SECONDS + SPARE_SECONDS
    assert recovery < RECOVERY_SECONDS


def told(judgements: Sequence[Judgement]) -> str:
    """Return what became of a drill, each outcome once, and the first thing that was wrong."""
    wrong = [each.wrong[0] for each in judgements if each.wrong]
    return " / ".join([*dict.fromkeys(each.told for each in judgements), *wrong[:1]])


def test_every_system_is_drilled_in_every_mode_or_it_is_said_why_not() -> None:
    for system in SYSTEMS.values():
        tried, untried = set(FORMS[system.kind]), NO_FORM[system.kind]
        assert tried | set(untried) == set(Mode)
        assert not tried & set(untried)
        assert all(untried.values())
    assert (len(SYSTEMS), len(Mode)) == (14, 20)


def test_each_run_of_the_tests_has_every_mode_and_every_system() -> None:
    assert {drill.mode for drill in SQUARE} == set(Mode)
    assert {drill.system for drill in SQUARE} == set(SYSTEMS)
    assert {*SQUARE, *REST} == set(whole())
