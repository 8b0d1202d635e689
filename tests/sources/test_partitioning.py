"""
Ternary logic partitioning: rows where p, where not p and where p is unknown are all rows, once.

Each part is asked of the federation over one kind of source, so that some of it runs there and the
rest here. That p is unknown is said in the algebra itself: no part is told by another's answer.
"""

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract.predicate import (
    FALSE,
    TRUE,
    And,
    Constant,
    Exists,
    IsNull,
    Not,
    Or,
    Predicate,
    all_of,
    any_of,
    evaluator,
    negation,
)
from contract.read import Read
from contract.source import Source
from sources.federation import Federation
from sources.memory import MemorySource
from tests.predicates import predicates
from tests.sources import world

FEW, MANY = 100, 5_000
ENTITIES = {name: world.entity(name) for name in world.ENTITIES}
PERSON, VISIT = ENTITIES["Person"], ENTITIES["Visit"]
NUMBERS = Counter(row["number"] for row in world.ROWS["Person"])
related: st.SearchStrategy[Predicate] = st.builds(
    Exists, st.just("visits"), predicates(VISIT.fields.values())
)
asked = predicates(PERSON.fields.values(), related)
fixture_lasts = [HealthCheck.function_scoped_fixture]


def unknown(predicate: Predicate) -> Predicate:
    """Return what is true where the predicate is unknown, and is itself never unknown."""
    match predicate:
        case Constant(truth):
            return TRUE if truth is None else FALSE
        case Not(inner):
            return unknown(inner)
        case And(parts):
            return all_of(any_of(*map(unknown, parts)), *(_true_or_unknown(part) for part in parts))
        case Or(parts):
            nowhere_true = (_true_or_unknown(negation(part)) for part in parts)
            return all_of(any_of(*map(unknown, parts)), *nowhere_true)
        case Exists() | IsNull():
            return FALSE
        case _:
            return IsNull(predicate.field)


def _true_or_unknown(predicate: Predicate) -> Predicate:
    return any_of(predicate, unknown(predicate))


def partition(predicate: Predicate) -> tuple[Predicate, Predicate, Predicate]:
    return predicate, negation(predicate), unknown(predicate)


@pytest.fixture
def federation(source: Source) -> Federation:
    """Put the source into a federation; visits that it does not hold live in another system."""
    visits = MemorySource("visits", "访问", {"Visit": VISIT}, {"Visit": world.ROWS["Visit"]})
    return Federation(ENTITIES, [source] if "Visit" in source.entities else [source, visits])


@settings(max_examples=FEW, suppress_health_check=fixture_lasts)
@given(asked)
async def test_every_row_is_in_one_part(federation: Federation, predicate: Predicate) -> None:
    assert await kept(federation, predicate) == NUMBERS


@pytest.mark.deep
@settings(max_examples=MANY, suppress_health_check=fixture_lasts)
@given(asked)
async def test_every_row_is_in_one_part_of_many(
    federation: Federation, predicate: Predicate
) -> None:
    assert await kept(federation, predicate) == NUMBERS


async def kept(federation: Federation, predicate: Predicate) -> Counter[object]:
    """Return how often each row's number is in the three parts."""
    found: Counter[object] = Counter()
    for part in partition(predicate):
        rows = await federation.read(Read("Person", ("number",), part), [])
        found.update(number for (number,) in rows.rows)
    return found


def test_the_predicates_put_rows_into_every_part() -> None:
    filled: list[tuple[bool, ...]] = []

    @settings(max_examples=500, derandomize=True, database=None)
    @given(predicates(PERSON.fields.values()))
    def fill(predicate: Predicate) -> None:
        tests = [evaluator(part, tuple(PERSON.fields)) for part in partition(predicate)]
        rows = [tuple(row.values()) for row in world.ROWS["Person"]]
        filled.append(tuple(any(test(row) for row in rows) for test in tests))

    fill()
    shares = [sum(part) / len(filled) for part in zip(*filled, strict=True)]
    several = sum(sum(parts) > 1 for parts in filled) / len(filled)
    assert min(*shares, several) > 0.4, (shares, several)
