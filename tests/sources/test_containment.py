"""Answers that are worked out of others: the same as those of the source."""

from dataclasses import replace
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from contract.predicate import (
    TRUE,
    Comparison,
    Operator,
    Predicate,
    Within,
    all_of,
)
from contract.read import Aggregate, ForEach, Function, Measure, Order, Read, Rows
from contract.source import Source
from sources.containment import Question
from sources.declaration import Cache
from sources.memory import MemorySource
from sources.period import asked_of
from tests.predicates import predicates
from tests.sources import world
from tests.sources.kept import COUNTED, COUNTY, LISTED, OTHER, SHOP, SHOPS, TOWN, kept, registry


async def test_a_countys_list_serves_its_townships_through_the_filter() -> None:
    source = registry()
    cache = kept(source)
    page = replace(LISTED, where=TOWN, order_by=(Order("code", descending=True),), limit=1)
    by_place = ForEach(("place",), (("320205107",), ("320411107",)))
    counted = Aggregate("Shop", COUNTED, all_of(COUNTY, Comparison("code", Operator.GT, "S1")))

    await cache.read(LISTED)
    answers = [
        await cache.read(page),
        await cache.read(replace(LISTED, for_each=by_place)),
        await cache.aggregate(counted),
    ]

    assert [list(answer.rows) for answer in answers] == [
        [("S2", "320205106")],
        [("S1", "320205107")],
        [(2,)],
    ]
    assert source.asked == [LISTED]


async def test_what_is_not_all_in_an_answer_is_asked_for() -> None:
    source = registry()
    cache = kept(source)
    limited = replace(LISTED, limit=2)
    keyed = replace(LISTED, for_each=ForEach(("place",), (("320205",),)))
    questions: list[Question] = [
        limited,
        replace(LISTED, where=TOWN),
        replace(LISTED, where=OTHER),
        replace(LISTED, where=TRUE, limit=1),
        keyed,
        replace(keyed, for_each=ForEach(("place",), (("320205",), ("320205107",)))),
        replace(LISTED, fields=("code", "name"), where=TOWN),
        Aggregate("Shop", COUNTED, OTHER, ("name",)),
    ]

    answers = [await asked_of(cache, question) for question in questions]

    assert source.asked == questions
    assert [len(answer.rows) for answer in answers] == [2, 2, 1, 1, 1, 2, 2, 1]


async def test_a_page_that_was_not_full_has_all_rows() -> None:
    source = registry()
    cache = kept(source)

    await cache.read(replace(LISTED, limit=5))
    part = await cache.read(replace(LISTED, where=TOWN, limit=2))

    assert [list(part.rows), len(source.asked)] == [[("S0", "320205106"), ("S2", "320205106")], 1]


async def test_rows_of_a_system_that_is_not_trusted_are_filtered_by_all_that_is_asked() -> None:
    source = registry()
    source.entities = {"Shop": replace(source.entities["Shop"], trusted=False)}
    source.source = Careless(source.source)
    cache = kept(source)
    where = all_of(COUNTY, Comparison("code", Operator.GT, "S0"))

    await cache.read(LISTED)
    rows = await cache.read(replace(LISTED, where=where))

    assert list(rows.rows) == [("S1", "320205107"), ("S2", "320205106"), ("S4", "320205")]
    assert source.asked == [LISTED]


class Careless(MemorySource):
    """A system that says that it filters, and does not."""

    def __init__(self, source: Source) -> None:
        super().__init__("registry", "登记", {"Shop": SHOP}, {"Shop": SHOPS})

    async def read(self, read: Read) -> Rows:
        return await super().read(replace(read, where=TRUE))


PERSON = world.entity("Person")
ROWS = world.ROWS["Person"]
NAMED = ("name", "age", "kind", "bornOn", "place")
FIELDS = ("number", *NAMED)
persons = predicates(PERSON.fields[name] for name in NAMED)
scopes: st.SearchStrategy[Predicate] = st.sampled_from(["", "32", "3202", "320205", "33"]).map(
    lambda code: Within("place", code)
)
orders = st.builds(Order, st.sampled_from(NAMED), st.booleans(), st.booleans())
measures = st.sampled_from(
    [
        COUNTED,
        (*COUNTED, Measure("ages", Function.SUM, "age")),
        (Measure("least", Function.MIN, "name"), Measure("most", Function.MAX, "bornOn")),
    ]
)
keys = st.lists(st.sampled_from(["ONE", "TWO", "UNKNOWN"]), unique=True).map(
    lambda codes: ForEach(("kind",), tuple((code,) for code in codes))
)


@st.composite
def questions(draw: st.DrawFn, before: list[Predicate]) -> Question:
    where = draw(scopes | persons)
    if len(before) > 0 and draw(st.booleans()):
        where = all_of(draw(st.sampled_from(before)), where)
    before.append(where)
    if draw(st.integers(0, 4)) == 0:
        groups = draw(st.sampled_from([(), ("kind",), ("place", "kind")]))
        return Aggregate("Person", draw(measures), where, groups)
    fields = draw(st.sampled_from([FIELDS, FIELDS, ("number", "kind"), ("kind", "place")]))
    order_by = (*draw(st.lists(orders, max_size=1)), Order("number"))
    limit, for_each = draw(st.none() | st.integers(1, 40)), draw(st.none() | keys)
    return Read("Person", fields, where, order_by, limit, for_each)


@settings(max_examples=150)
@given(st.data(), st.booleans())
async def test_answers_are_those_of_the_source_whatever_was_asked_before(
    data: st.DataObject,
    whole: bool,
) -> None:
    source = registry(PERSON, ROWS)
    cache = kept(source, cache=Cache(60.0, whole=whole), entity=PERSON)
    before: list[Predicate] = []

    for _ in range(data.draw(st.integers(2, 8))):
        question = data.draw(questions(before))
        answer, wanted = await asked_of(cache, question), await asked_of(source.source, question)
        assert answer.fields == wanted.fields
        assert _told(question, answer) == _told(question, wanted)

    event(f"{'whole' if whole else 'parts'}, hits: {min(cache.tally.hits, 3)}")
    assert len(source.asked) == cache.tally.misses


def _told(question: Question, rows: Rows) -> list[Any]:
    """Return the rows in an order of their own where the question leaves it open."""
    if isinstance(question, Read) and question.for_each is None:
        return list(rows.rows)
    if isinstance(question, Aggregate) or question.for_each is None:
        return sorted(rows.rows, key=repr)
    place = question.fields.index(question.for_each.fields[0])
    return sorted(rows.rows, key=lambda row: repr(row[place]))
