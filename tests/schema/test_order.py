"""What an answer says does not depend on what came first."""

import asyncio

import pytest

from contract.errors import SourceFailure, SourceTimeout, SourceUnavailable
from contract.read import Aggregate, Read, Rows
from sources.memory import MemorySource
from tests import world
from tests.graph import SYSTEMS, build_graph, graph_entities

ENTITIES = graph_entities()
HELD = {name: ENTITIES[name] for name in SYSTEMS["population"]}
APPLICANT = '{ case(number: "C00") { applicant { name } } }'


class Late:
    """A system whose households fail first or last, residents the other way round."""

    name = title = "population"

    def __init__(self, *, households_first: bool) -> None:
        self.entities = MemorySource(self.name, self.title, HELD, {}).entities
        self._first = "Household" if households_first else "Resident"

    async def read(self, read: Read) -> Rows:
        for _ in range(0 if read.entity == self._first else 5):
            await asyncio.sleep(0)
        failed: type[SourceFailure] = SourceTimeout
        if read.entity == "Household":
            failed = SourceUnavailable
        raise failed(self.name, self.title)

    async def aggregate(self, aggregate: Aggregate) -> Rows:
        raise SourceTimeout(self.name, self.title)


@pytest.mark.parametrize("reverse", [False, True])
async def test_of_several_people_with_one_number_the_first_by_key_is_shown(
    *, reverse: bool
) -> None:
    twin = {**world.RESIDENTS[1], "idNumber": world.id_number(0), "name": "同号"}
    rows = sorted([*world.RESIDENTS, twin], key=lambda row: str(row["number"]), reverse=reverse)
    kept = [row for row in rows if row["number"] != world.RESIDENTS[1]["number"] or row is twin]
    population = MemorySource("population", "人口", HELD, {"Resident": kept})

    data = await build_graph({"population": population}).data("clerk", APPLICANT)

    assert data == {"case": {"applicant": {"name": "张一"}}}


@pytest.mark.parametrize("households_first", [False, True])
async def test_completeness_names_the_worst_state_and_the_paths_in_order(
    *, households_first: bool
) -> None:
    graph = build_graph({"population": Late(households_first=households_first)})

    answer = await graph.ask(
        "clerk", "{ b: residents { nodes { name } } a: households { nodes { number } } }"
    )

    assert answer.data == {"b": None, "a": None}
    assert answer.extensions["completeness"] == [
        {"source": "population", "title": "population", "state": "TIMEOUT", "paths": [["a"], ["b"]]}
    ]
