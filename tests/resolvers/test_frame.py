"""The one table of a principal who may count, and what may be asked of it."""

import pytest

from auth.aggregates import AggregateGrant
from contract.errors import Forbidden
from contract.predicate import Within
from resolvers.dimensions import Dimension
from resolvers.frame import Frame
from resolvers.tabulation import Figure, TableAsk, Wanted
from tests.graph import graph_entities

ROWS = Within("division", "3202")


def grant(by: dict[str, str], *sums: str) -> AggregateGrant:
    return AggregateGrant(0, ROWS, by, frozenset(sums))


def test_the_table_of_several_roles_is_as_coarse_as_the_coarsest_of_each_field() -> None:
    household = graph_entities()["Household"]
    grants = (
        grant({"division": "township", "kind": ""}, "size"),
        grant({"division": "county"}, "size"),
        grant({"division": "village", "kind": ""}),
    )

    one, two, three = (Frame.of(household, grants[:number]) for number in (1, 2, 3))

    assert one.by == (Dimension("division", "township"), Dimension("kind"))
    assert two.by == three.by == (Dimension("division", "county"),)
    assert Frame.of(household, grants[::2]).by == one.by
    assert [each.sums for each in (one, two, three)] == [{"size"}, {"size"}, set()]


def test_only_what_the_table_sums_is_summed() -> None:
    household = graph_entities()["Household"]
    total = TableAsk("Household", (Wanted(Figure.SUM, "size"), Wanted(Figure.AVERAGE, "size")))
    having, lacking = (Frame.of(household, [grant({}, *sums)]) for sums in (("size",), ()))

    picked = having.picked(total)
    with pytest.raises(Forbidden):
        lacking.picked(total)

    assert (picked.depths, picked.limits) == ({}, {})
