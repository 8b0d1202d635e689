"""Scene: the body of an answer depends on data, question and principal alone."""

import asyncio

import pytest

from tests.scenes.desk import CLERK, COUNTY, Desk

pytestmark = pytest.mark.asyncio(loop_scope="session")

WIDE = """
query Wide {
  residents(first: 12) {
    totalCount
    pageInfo { hasNextPage endCursor }
    edges {
      cursor
      node {
        id idNumber phone
        household { number head { id name } members { id name } }
        socialInsurances { number accountBalance bankCard }
        medicalEnrollments { personNumber balance }
        assistances { number phone headIdNumber }
        assistancePayments { number headIdNumber }
        cases(first: 3) {
          totalCount
          nodes { id events { id name } materials { id } results { id } }
        }
      }
    }
  }
  enterprises(first: 5) { nodes { id name } }
  matters(first: 3) { nodes { id name elements { class title } materials { name } } }
}
"""


@pytest.mark.parametrize("account", [CLERK, COUNTY])
async def test_twenty_at_once_and_more_in_turn_get_the_same_bytes(
    patient: Desk, account: str
) -> None:
    crowd = await asyncio.gather(*(patient.ask(account, WIDE) for _ in range(20)))
    turns = [await patient.ask(account, WIDE) for _ in range(5)]

    assert len({answer.bytes for answer in (*crowd, *turns)}) == 1
    paths = [path for _, path in turns[0].errors]
    assert len(paths) > len(turns[0].body["data"]["residents"]["edges"])
    assert paths == sorted(paths)
    assert {code for code, _ in turns[0].errors} == {"FORBIDDEN"}


async def test_two_servers_with_one_secret_give_the_same_bytes(desk: Desk, patient: Desk) -> None:
    here, there = await asyncio.gather(desk.ask(CLERK, WIDE), patient.ask(CLERK, WIDE))

    assert here.bytes == there.bytes
