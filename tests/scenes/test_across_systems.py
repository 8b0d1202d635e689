"""Scene: filters and orders over several systems give what the union of their raw tables gives."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

import duckdb
import pytest
import pytest_asyncio
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from demo import systems
from demo.systems import Systems
from gateway.graph import Files, open_graph
from tests.scenes.desk import SECRET, SEED, Answer, Desk
from tests.scenes.drawing import Given, kinds, question
from tests.scenes.questions import LISTS, SELECTED, Question
from tests.scenes.raw import union
from tests.scenes.roles import ROLES, Role

pytestmark = pytest.mark.asyncio(loop_scope="session")

SOME = 156
ALL = 2_000
WIDE = 20_000  # residents
WIDELY = 240
MOST_CALLS = 100
WIDELY_MOST_CALLS = 300  # some systems take a hundred keys at once
MOST_OF_SEEN = 2
"""So many times the rows that the role sees may be fetched for one page and its total."""
MOST_FOR_ONE = 150
WIDELY_MOST_FOR_ONE = 400
"""Rows fetched for one returned, over all pages without a total, for which rows are fetched too."""


@dataclass(frozen=True, slots=True)
class Effort:
    """What one page cost: questions to systems, and rows that they answered."""

    kind: str
    counted: bool
    calls: int
    fetched: int
    returned: int
    seen: int  # rows of all systems that the role sees


@dataclass(slots=True)
class Tally:
    """What came of many questions."""

    outcomes: Counter[str] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)
    efforts: list[Effort] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Oracle:
    """The union of the raw tables, with the rows of each role beside it."""

    database: duckdb.DuckDBPyConnection
    numbers: Sequence[str]
    seen: Mapping[str, int]

    def list(self, role: Role, asked: Question) -> list[dict[str, object]]:
        """Return the whole list that the question is about, as the role sees it."""
        rows = self.database.execute(asked.sql(role)).fetchall() if role.sees(asked.entity) else ()
        names = SELECTED[asked.entity]
        return [dict(zip(names, map(_plain, row), strict=True)) for row in rows]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def oracle(
    province: Systems, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Oracle]:
    async with _opened(province, tmp_path_factory.mktemp("raw")) as opened:
        yield opened


@pytest.fixture
def wide_province(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Systems]:
    state = tmp_path_factory.mktemp("wide")
    with Progress(disable=True) as progress:
        systems.build(state, WIDE, SEED, progress)
    started = systems.start(state)
    yield started
    started.stop()


async def test_questions_across_systems_equal_the_union_of_the_raw_tables(
    patient: Desk, oracle: Oracle, capsys: pytest.CaptureFixture[str]
) -> None:
    tally = await _all_asked(patient, oracle, range(SOME))

    with capsys.disabled():
        Console(width=120).print(_report(tally))
    assert tally.differences == []
    assert tally.outcomes["some"] > SOME / 3
    assert tally.outcomes["forbidden"] > SOME / 20
    _check_bounds(tally, MOST_CALLS, MOST_FOR_ONE)


@pytest.mark.deep
async def test_thousands_of_questions_equal_the_union_of_the_raw_tables(
    patient: Desk, oracle: Oracle, capsys: pytest.CaptureFixture[str]
) -> None:
    tally = await _all_asked(patient, oracle, range(ALL))

    with capsys.disabled():
        Console(width=120).print(_report(tally))
    assert tally.differences == []
    assert tally.outcomes["some"] > ALL / 2
    assert tally.outcomes["forbidden"] > ALL / 20
    _check_bounds(tally, MOST_CALLS, MOST_FOR_ONE)


@pytest.mark.deep
async def test_answers_are_the_same_where_either_side_has_more_than_a_thousand_rows(
    wide_province: Systems,
    patient_files: Files,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    graph = open_graph(patient_files, wide_province.environment, SECRET)
    async with Desk(graph) as desk, _opened(wide_province, tmp_path) as oracle:
        tally = await _all_asked(desk, oracle, range(ALL, ALL + WIDELY))

    with capsys.disabled():
        Console(width=120).print(_report(tally))
    assert tally.differences == []
    assert tally.outcomes["some"] > WIDELY / 2
    _check_bounds(tally, WIDELY_MOST_CALLS, WIDELY_MOST_FOR_ONE)


@asynccontextmanager
async def _opened(province: Systems, folder: Path) -> AsyncIterator[Oracle]:
    database = await union(province, folder)
    numbers = database.execute('SELECT "idNumber" FROM "Resident" ORDER BY "number"').fetchall()
    seen = {role.account: role.open(database) for role in ROLES}
    yield Oracle(database, [number for (number,) in numbers], seen)
    database.close()


async def _all_asked(desk: Desk, oracle: Oracle, seeds: range) -> Tally:
    tally = Tally()
    for seed in seeds:
        turn, place = divmod(seed, len(ROLES))
        role = ROLES[place]
        lists = [name for name in sorted(LISTS) if role.sees(name)]
        chosen = kinds(lists)
        given = Given(lists, oracle.numbers)
        asked = question(Random(seed), chosen[turn % len(chosen)], given)
        outcome = await _compared(desk, oracle, role, asked, tally)
        tally.outcomes[outcome] += 1
        tally.outcomes[f"{role.account}: {outcome}"] += 1
        if outcome not in ("some", "none", "forbidden"):
            tally.differences.append(f"{seed} {role.account} {asked}\n{outcome}")
    return tally


async def _compared(desk: Desk, oracle: Oracle, role: Role, asked: Question, tally: Tally) -> str:
    """Return what came of it; a difference as a text that says it."""
    answer = await _ask(desk, role, asked)
    if asked.is_forbidden(role):
        refused = answer.errors == [("FORBIDDEN", ["list"])] and answer.calls == []
        return "forbidden" if refused else f"not refused: {answer.bytes.decode()}"
    if answer.errors:
        return f"refused: {answer.errors}"
    if not role.sees(asked.entity) and answer.calls:
        return f"asked for nothing: {answer.calls}"
    expected = oracle.list(role, asked)
    pages = await _pages(desk, role, asked, answer)
    for number, page in enumerate(pages):
        wanted = _page(expected, asked, number)
        if page != wanted:
            return f"page {number} is {page}, not {wanted}"
    tally.efforts.append(_effort(asked, answer, pages[0]["nodes"], oracle.seen[role.account]))
    return "some" if expected else "none"


async def _pages(desk: Desk, role: Role, asked: Question, answer: Answer) -> list[Any]:
    pages = [answer.data["list"]]
    if asked.two_pages and pages[0]["pageInfo"]["hasNextPage"]:
        after = pages[0]["pageInfo"]["endCursor"]
        second = await _ask(desk, role, asked, after)
        pages.append(second.body["data"]["list"] or {"pageInfo": {"endCursor": second.errors}})
    for page in pages:
        del page["pageInfo"]["endCursor"]
    return pages


def _page(expected: list[dict[str, object]], asked: Question, number: int) -> dict[str, Any]:
    end = asked.first * (number + 1)
    total = {"totalCount": len(expected)} if asked.counted else {}
    return {
        **total,
        "pageInfo": {"hasNextPage": len(expected) > end},
        "nodes": expected[end - asked.first : end],
    }


async def _ask(desk: Desk, role: Role, asked: Question, after: str | None = None) -> Answer:
    return await desk.ask(
        role.account,
        asked.query,
        where=asked.where,
        order=asked.order,
        first=asked.first,
        after=after,
    )


def _effort(asked: Question, answer: Answer, nodes: list[Any], seen: int) -> Effort:
    fetched = sum(call.rows for call in answer.calls if call.source != "divisions")
    kind = f"{asked.kind}{' with totalCount' if asked.counted else ''}"
    return Effort(kind, asked.counted, len(answer.calls), fetched, len(nodes), seen)


def _check_bounds(tally: Tally, most_calls: int, most_for_one: int) -> None:
    pages = [effort for effort in tally.efforts if not effort.counted]
    returned = sum(page.returned for page in pages)
    assert sum(page.fetched for page in pages) <= most_for_one * returned
    for effort in tally.efforts:
        assert effort.calls <= most_calls, effort
        assert effort.fetched <= MOST_OF_SEEN * effort.seen, effort


def _report(tally: Tally) -> Table:
    table = Table("kind", "pages", "calls: median", "most", "rows: median", "most", "÷ returned")
    for kind in sorted({effort.kind for effort in tally.efforts}):
        efforts = [effort for effort in tally.efforts if effort.kind == kind]
        calls = [effort.calls for effort in efforts]
        rows = [effort.fetched for effort in efforts]
        ratio = sum(rows) / max(1, sum(effort.returned for effort in efforts))
        figures = (len(efforts), median(calls), max(calls), median(rows), max(rows), f"{ratio:.1f}")
        table.add_row(kind, *map(str, figures))
    return table


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC).isoformat()
    return value if value is None or isinstance(value, int | str) else str(value)
