"""Scene: a case at the window opens its applicant's numbers, and those of nobody else."""

from dataclasses import replace
from typing import Any

import pytest

from auth.principal import Principal
from auth.throttle import Throttle
from contract.errors import Forbidden
from resolvers.case_purpose import CasePurpose
from resolvers.spending import Spending
from tests.scenes.desk import CLERK, NEIGHBOUR, PRINCIPALS, Desk

pytestmark = pytest.mark.asyncio(loop_scope="session")

CASES = """{
  cases(where: { status: { eq: ACCEPTED }, applicantType: { eq: PERSON } }, first: 50) {
    nodes { number contactPhone applicantIdNumber applicant { phone idNumber } }
  }
}"""


async def asked(desk: Desk, principal: Principal) -> list[dict[str, Any]]:
    free = Spending(Throttle(), principal.account)
    context = replace(desk.graph.context(principal, "scene"), principal=principal, spending=free)
    result = await desk.graph.schema.execute(CASES, context_value=context)
    assert result.errors is None, result.errors
    assert result.data is not None
    nodes: list[dict[str, Any]] = result.data["cases"]["nodes"]
    return nodes


def is_whole(case: dict[str, Any]) -> bool:
    applicant = case["applicant"] or {}
    texts = (case["contactPhone"], case["applicantIdNumber"], *applicant.values())
    return "*" not in "".join(filter(None, texts))


async def test_a_live_case_opens_its_own_applicant_in_every_system(desk: Desk) -> None:
    purpose = CasePurpose(desk.graph.gate, desk.graph.policy, desk.graph.needs)
    clerk = PRINCIPALS[CLERK]
    before = await asked(desk, clerk)
    known = [case for case in before if case["applicant"] and case["applicant"]["phone"]]
    needed = desk.graph.needs["320000030001"]
    opened = []
    for case in known[:5]:
        openings = await purpose.openings(clerk, case["number"], [])
        after = await asked(desk, replace(clerk, openings=openings))
        opened.append(
            (
                [
                    each["number"]
                    for each in after
                    if each["applicantIdNumber"] and "*" not in each["applicantIdNumber"]
                ],
                case["number"],
            )
        )
        assert all(opening.fields <= needed for opening in openings)

    assert opened
    assert not any(is_whole(case) for case in known)
    assert [numbers for numbers, _ in opened] == [[number] for _, number in opened]


async def test_a_case_of_another_office_is_refused_as_one_that_does_not_exist(desk: Desk) -> None:
    purpose = CasePurpose(desk.graph.gate, desk.graph.policy, desk.graph.needs)
    number = (await asked(desk, PRINCIPALS[CLERK]))[0]["number"]
    told = []
    for tried in (number, "20260101000000000"):
        calls: list[Any] = []
        with pytest.raises(Forbidden) as refusal:
            await purpose.openings(PRINCIPALS[NEIGHBOUR], tried, calls)
        told.append((refusal.value.message, [(call.source, call.rows) for call in calls]))

    assert told[0][0] == told[1][0]
    assert sorted(told[0][1]) == sorted(told[1][1])
