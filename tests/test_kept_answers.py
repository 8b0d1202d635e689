"""What is kept of a system's answers shows nobody another one's rows, nor that somebody asked."""

from collections.abc import Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any, Final

import orjson
import pytest

from schema.errors import formatted
from sources.caching import Caching
from sources.declaration import Cache, MappedEntity
from sources.memory import MemorySource
from tests.graph import Graph, build_graph, graph_entities
from tests.world import BENNIU, DONGHU, OUTSIDE, XIBEI, Row

PLACES: Final = (XIBEI, DONGHU, BENNIU, f"{XIBEI}001", "320205", OUTSIDE, None)
CLERKS: Final = ("clerk", "neighbour", "county", "city", "province", "both", "two", "grid")
BEGAN: Final = datetime(2026, 5, 1, 8, 10, tzinfo=UTC)
LATER: Final = datetime(2026, 5, 1, 8, 50, tzinfo=UTC)
FORMS: Final = ("cached", "whole")
QUESTIONS: Final = (
    "{ enterprises { nodes { name division } totalCount } }",
    "{ enterprises(first: 3) { nodes { creditCode } pageInfo { endCursor hasNextPage } } }",
    "{ enterprises(first: 40) { nodes { id name creditCode division } } }",
    f'{{ enterprises(where: {{ division: {{ within: "{XIBEI}" }} }}) {{ nodes {{ name }} }} }}',
    '{ enterprises(where: { division: { within: "3202" } }) { nodes { creditCode division } } }',
    '{ enterprises(where: { name: { eq: "厂1" } }, orderBy: [{ name: DESC }]) { totalCount } }',
    '{ enterprises(where: { name: { in: ["厂0"] } }) { nodes { name locatedIn { name } } } }',
    "{ aggregate { enterprises(groupBy: [{ field: NAME }]) { groups { keys { value } count } } } }",
    "{ enterprises(first: 5) { nodes { name _provenance { field source asOf } } } }",
    f'{{ division(code: "{XIBEI}") {{ enterprises(first: 9) {{ nodes {{ name }} }} }} }}',
)


def enterprises(chance: Random, places: Sequence[str | None] = PLACES) -> list[Row]:
    return [
        {
            "number": f"U{serial:02}",
            "creditCode": f"91320205MA000000{serial:02}",
            "name": chance.choice(("厂0", "厂1", "厂2", None)),
            "division": chance.choice(places),
        }
        for serial in range(30)
    ]


class Clock:
    """The time, as it is told."""

    def __init__(self) -> None:
        self.time = BEGAN

    def __call__(self) -> datetime:
        return self.time


def held(rows: Sequence[Row], form: str, clock: Clock) -> Graph:
    """Return the graph whose enterprises are kept in this form, or not at all."""
    entity = graph_entities()["Enterprise"]
    registry = MemorySource("registry", "登记", {"Enterprise": entity}, {"Enterprise": rows})
    if form == "not kept":
        return build_graph({"social_security": registry})
    cache = Cache(3600.0, whole=form == "whole")
    mapped = {"Enterprise": MappedEntity(entity, "shop", {}, cache=cache)}
    return build_graph({"social_security": Caching(registry, mapped, clock)})


async def told(graph: Graph, account: str, question: str) -> bytes:
    """Return the whole answer as a client gets it."""
    result: Any = await graph.ask(account, question)
    errors = formatted(result.errors or (), "request")
    assert result.data is not None, errors
    return orjson.dumps([result.data, errors, result.extensions])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("seed", range(3))
async def test_clerks_of_different_scopes_never_get_each_others_rows(form: str, seed: int) -> None:
    chance = Random(seed)
    rows = enterprises(chance)
    graph, wanted = (held(rows, each, Clock()) for each in (form, "not kept"))
    filled = 0

    for _ in range(60):
        account, question = chance.choice(CLERKS), chance.choice(QUESTIONS)
        if "_provenance" not in question:
            answer = await told(graph, account, question)
            assert answer == await told(wanted, account, question), (account, question)
            filled += b'"name"' in answer or b'"creditCode"' in answer

    assert filled > 10


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("seed", range(3))
async def test_what_others_asked_before_changes_no_byte(form: str, seed: int) -> None:
    chance = Random(seed)
    rows = enterprises(chance)
    unseen = [row for row in rows if not str(row["division"]).startswith(XIBEI)]
    others = enterprises(chance, [place for place in PLACES if not str(place).startswith(XIBEI)])
    keys = {row["number"] for row in unseen}
    twin = [row for row in rows if row not in unseen] + [r for r in others if r["number"] in keys]
    clock = Clock()
    cold, warm, elsewhere = (held(each, form, clock) for each in (rows, rows, twin))
    clock.time = BEGAN
    for _ in range(20):
        for graph in (warm, elsewhere):
            await told(graph, chance.choice(CLERKS), chance.choice(QUESTIONS))

    clock.time = LATER
    for question in QUESTIONS:
        answers = {await told(graph, "clerk", question) for graph in (cold, warm, elsewhere)}
        assert len(answers) == 1, (question, answers)


@pytest.mark.parametrize("form", FORMS)
async def test_a_kept_answer_is_no_stale_one_and_provenance_says_of_when_it_is(form: str) -> None:
    graph = held(enterprises(Random(1)), form, Clock())
    question = "{ enterprises(first: 1) { nodes { _provenance { field asOf } name } } }"

    answers = [await graph.ask("province", question) for _ in range(2)]

    (node,) = answers[0].data["enterprises"]["nodes"]
    assert node["_provenance"] == [{"field": "name", "asOf": "2026-05-01T08:00:00+00:00"}]
    assert answers[0].data == answers[1].data
    assert [answer.extensions["completeness"] for answer in answers] == [
        [{"source": "registry", "title": "登记", "state": "OK", "paths": []}]
    ] * 2


async def test_a_county_officers_list_answers_for_the_townships_and_not_for_others() -> None:
    graph = held(enterprises(Random(1)), "cached", Clock())
    question = "{ enterprises(first: 50) { nodes { creditCode division } } }"
    asked = graph.sources["social_security"]
    cache: Any = asked._source

    hits = []
    for account in ("county", "clerk", "neighbour"):
        before = cache.tally.hits
        await told(graph, account, question)
        hits.append(cache.tally.hits - before)

    assert hits == [0, 1, 0]
