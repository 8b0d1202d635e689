"""How many rows one plain list may have."""

from collections.abc import Sequence

from tests import world
from tests.graph import Graph
from tests.twins import graph_over

HOUSEHOLDS = 'households(where: {number: {eq: "H0"}}) { nodes { %s } }'


def household_of(size: int) -> Graph:
    people: Sequence[world.Row] = [
        world.person(serial, "某", world.XIBEI, householdNumber="H0") for serial in range(size)
    ]
    return graph_over({**world.ROWS, "Resident": people})


async def test_a_plain_list_has_five_hundred_rows_and_is_refused_beyond() -> None:
    query = "{ %s }" % (HOUSEHOLDS % "members { name }")

    whole = await household_of(500).ask("clerk", query)
    more = await household_of(501).ask("clerk", query)

    assert whole.errors is None
    assert [len(each["members"]) for each in whole.data["households"]["nodes"]] == [500]
    assert [str(error.original_error) for error in more.errors or ()] == [
        "members 超过500条,请用 first 或 where 缩小范围。"
    ]


async def test_of_a_longer_list_the_first_ones_are_given() -> None:
    data = await household_of(501).data(
        "clerk", "{ %s }" % (HOUSEHOLDS % "members(first: 3) { id }")
    )

    assert [len(each["members"]) for each in data["households"]["nodes"]] == [3]
