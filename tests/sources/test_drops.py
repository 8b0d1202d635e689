"""Rows that a system promised to leave out and sent: dropped, counted, and told to operators."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from contract.predicate import INVALID, Comparison, IsNull, Operator, Within, all_of, negation
from contract.read import Aggregate, ForEach, Function, Measure, Read, Rows
from contract.source import Capabilities
from sources.drops import Dropped, Drops, together
from sources.federation import Calls, Federation
from sources.memory import MemorySource
from tests import world
from tests.graph import graph_entities

ENTITIES = graph_entities()
LIVES_HERE = Within("residenceDivision", world.XIBEI)
HERE = ["R00", "R01", "R02", "R03", "R11"]
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Careless:
    """A system that says that it filters, and sends every row."""

    name = "population"
    title = "公安"

    def __init__(self, rows: tuple[world.Row, ...] = (), *, trusted: bool = False) -> None:
        held = {"Resident": ENTITIES["Resident"]}
        self._source = MemorySource(
            self.name, self.title, held, {"Resident": rows or world.RESIDENTS}
        )
        self.entities: Mapping[str, Capabilities] = {
            name: replace(able, trusted=trusted) for name, able in self._source.entities.items()
        }

    async def read(self, read: Read) -> Rows:
        return await self._source.read(Read(read.entity, read.fields, for_each=read.for_each))

    async def aggregate(self, aggregate: Aggregate) -> Rows:
        return await self._source.aggregate(aggregate)


class Noted:
    """A federation over one system, and what it was told of dropped rows."""

    def __init__(self, source: Careless) -> None:
        self.dropped: list[tuple[str, str, int]] = []
        self.federation = Federation(
            ENTITIES, [source], dropped=lambda *dropped: self.dropped.append(dropped)
        )

    async def keys(self, read: Read) -> list[object]:
        calls: Calls = []
        return [row[0] for row in (await self.federation.read(read, calls)).rows]

    @property
    def rows(self) -> int:
        return sum(rows for _, _, rows in self.dropped)


async def test_rows_that_should_have_been_filtered_are_dropped_and_counted() -> None:
    noted = Noted(Careless())

    keys = await noted.keys(Read("Resident", ("number",), LIVES_HERE))

    assert keys == HERE
    # R10 lives nowhere: whether that is within a division is unknown, so nothing was promised.
    assert noted.dropped == [("population", "Resident", len(world.RESIDENTS) - len(HERE) - 1)]


@pytest.mark.parametrize("limit", [1, 3])
async def test_they_are_counted_too_where_only_some_are_wanted(limit: int) -> None:
    noted = Noted(Careless())

    keys = await noted.keys(Read("Resident", ("number",), LIVES_HERE, limit=limit))

    assert keys == HERE[:limit]
    assert noted.rows > 0


async def test_they_are_counted_where_rows_are_counted_here_or_asked_for_by_key() -> None:
    noted = Noted(Careless())
    count = Aggregate("Resident", (Measure("n", Function.COUNT),), LIVES_HERE)
    asked = ForEach(("number",), (("R03",), ("R04",)))

    counted = await noted.federation.aggregate(count, [])
    keys = await noted.keys(Read("Resident", ("number",), LIVES_HERE, for_each=asked))

    assert (counted.rows, keys) == ([(len(HERE),)], ["R03"])
    # The count asks for some rows first, and for all when it sees that they were not filtered.
    assert [rows for _, _, rows in noted.dropped] == [6, 6, 1]


async def test_what_was_never_promised_is_no_reason_to_distrust() -> None:
    source = Careless()
    able = source.entities["Resident"]
    operators = {name: each for name, each in able.operators.items() if name != "name"}
    source.entities = {"Resident": replace(able, operators=operators)}
    noted = Noted(source)

    keys = await noted.keys(Read("Resident", ("number",), Comparison("name", Operator.EQ, "𠮷三")))

    assert (keys, noted.rows) == (["R03"], 0)


async def test_a_value_that_cannot_be_read_is_no_reason_to_distrust() -> None:
    rows = tuple({**row, "name": INVALID} for row in world.RESIDENTS)
    noted = Noted(Careless(rows))
    named = all_of(Comparison("name", Operator.EQ, "x"), negation(IsNull("number")))

    assert await noted.keys(Read("Resident", ("number",), named)) == []
    assert noted.rows == 0


async def test_a_system_that_filters_has_nothing_counted() -> None:
    held = {"Resident": ENTITIES["Resident"]}
    source = MemorySource("population", "", held, {"Resident": world.RESIDENTS})
    dropped: list[int] = []
    federation = Federation(ENTITIES, [source], dropped=lambda _, __, rows: dropped.append(rows))

    rows = await federation.read(Read("Resident", ("number",), LIVES_HERE), [])

    assert ([row[0] for row in rows.rows], sum(dropped)) == (HERE, 0)


def test_drops_are_summed_by_entity_and_logged_once_an_hour_without_a_value(
    caplog: pytest.LogCaptureFixture,
) -> None:
    at = [NOON]
    drops = Drops("medical_insurance", lambda: at[0])
    for minutes, rows in ((0, 3), (1, 4), (2, 0), (61, 5)):
        at[0] = NOON + timedelta(minutes=minutes)
        drops.note("Enrolment", rows)

    said = "medical_insurance: it sent {} rows of Enrolment that it was asked to leave out; "
    assert caplog.messages == [f"{said.format(n)}they were dropped" for n in (3, 5)]
    assert drops.by_entity == {"Enrolment": Dropped(12, NOON + timedelta(minutes=61))}


def test_what_several_places_counted_for_one_system_is_told_as_one() -> None:
    early, late = Drops("s", lambda: NOON), Drops("s", lambda: NOON + timedelta(hours=1))
    early.note("B", 1)
    late.note("B", 2)
    late.note("A", 4)

    assert together(early, late) == {
        "A": Dropped(4, NOON + timedelta(hours=1)),
        "B": Dropped(3, NOON + timedelta(hours=1)),
    }
