"""Scene: each level sees exactly what the levels below it see together."""

from collections.abc import Iterable

import pytest

from demo import scene
from sources.divisions import division_tree
from tests.scenes.desk import CLERK, COUNTY, ELSEWHERE, Desk

pytestmark = pytest.mark.asyncio(loop_scope="session")

PLACES = {
    "residents": ["residenceDivision", "registeredDivision"],
    "households": ["division"],
    "cases": ["acceptingDivision"],
    "enterprises": ["division"],
}
ROOTS = list(PLACES)
PAGE = """
query Page($after: String) {{
  {root}(first: 100, after: $after) {{ nodes {{ id }} pageInfo {{ hasNextPage endCursor }} }}
}}
"""


async def seen(desk: Desk, account: str, root: str) -> list[str]:
    ids: list[str] = []
    after, more = None, True
    while more:
        page = (await desk.ask(account, PAGE.format(root=root), after=after)).data[root]
        ids += [node["id"] for node in page["nodes"]]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    assert len(ids) == len(set(ids))
    return ids


async def together(desk: Desk, accounts: Iterable[str], root: str) -> set[str]:
    return {identity for account in accounts for identity in await seen(desk, account, root)}


def below(level: str, code: str) -> list[str]:
    return [f"{level}-{division.code}" for division in division_tree().children(code)]


@pytest.mark.parametrize("root", ROOTS)
async def test_a_county_sees_the_union_of_its_townships(desk: Desk, root: str) -> None:
    county = await seen(desk, COUNTY, root)
    clerks = await together(desk, below("clerk", COUNTY.removeprefix("county-")), root)

    assert county
    assert set(county) == clerks


@pytest.mark.parametrize("root", ROOTS)
async def test_the_province_sees_the_union_of_its_cities(desk: Desk, root: str) -> None:
    province = await seen(desk, "province-32", root)
    cities = await together(desk, below("city", "32"), root)

    assert province
    assert set(province) == cities


@pytest.mark.parametrize("root", ROOTS)
async def test_a_clerk_sees_nothing_that_lies_wholly_in_other_townships(
    desk: Desk, root: str
) -> None:
    fields = " ".join(PLACES[root])
    query = f"{{ {root}(first: 100) {{ nodes {{ id {fields} }} pageInfo {{ hasNextPage }} }} }}"
    page = (await desk.ask(CLERK, query)).data[root]
    elsewhere = set(await seen(desk, ELSEWHERE, root))

    assert page["nodes"]
    assert page["pageInfo"] == {"hasNextPage": False}
    for node in page["nodes"]:
        places = [node[field] for field in PLACES[root]]
        assert scene.TOWNSHIP in places
        assert (node["id"] in elsewhere) == (ELSEWHERE.removeprefix("clerk-") in places)
