"""Scene: what utilities and grid workers know of a household; companies from three systems."""

import pytest

from demo import scene
from tests.scenes.desk import CLERK, ELSEWHERE, Desk

pytestmark = pytest.mark.asyncio(loop_scope="session")

HOUSEHOLD = """
query Household($idNumber: String!) {
  resident(idNumber: $idNumber) {
    household {
      number
      visits { visitedOn finding worker }
      waterAccounts { usage bill discount }
      electricityAccounts { usage }
      gasAccounts { usage }
    }
    healthRecords { state }
    familyPlanningSupports { kind yearlyAmount }
    contributionPayments { year amount }
    housingFundAccounts { number }
  }
}
"""
ENTERPRISES = """
{
  enterprises(first: 100) {
    totalCount
    nodes { name creditCode insuredEmployers { headcount } foodLicences { state } }
  }
}
"""
VISITS = (
    "{ households(first: 100) { nodes { number visits { number } waterAccounts { number } } } }"
)
ABOUT = frozenset({"HouseholdVisit", "WaterAccount", "ElectricityAccount", "GasAccount"})


async def test_a_clerk_sees_the_household_through_the_utilities(desk: Desk) -> None:
    answer = await desk.ask(CLERK, HOUSEHOLD, idNumber=scene.HEAD.id_number)

    resident = answer.data["resident"]
    assert resident == {
        "household": {
            "number": "H999999940",
            "visits": [
                {"visitedOn": "2026-08-18", "finding": "NEEDS_HELP", "worker": "浦建芳"},
                {"visitedOn": "2026-09-16", "finding": "WELL", "worker": "浦建芳"},
                {"visitedOn": "2026-10-20", "finding": "WELL", "worker": "浦建芳"},
            ],
            "waterAccounts": [{"usage": 9, "bill": "27.90", "discount": "18.60"}],
            "electricityAccounts": [{"usage": 86}],
            "gasAccounts": [{"usage": 11}],
        },
        "healthRecords": [{"state": "ACTIVE"}],
        "familyPlanningSupports": [{"kind": "RURAL_REWARD", "yearlyAmount": "1440.00"}],
        "contributionPayments": [
            {"year": "2025", "amount": "400.00"},
            {"year": "2026", "amount": "0.00"},
        ],
        "housingFundAccounts": [],
    }


async def test_who_may_not_see_the_household_asks_nobody_about_it(desk: Desk) -> None:
    answer = await desk.ask(ELSEWHERE, HOUSEHOLD, idNumber=scene.HEAD.id_number)

    asked = {call.entity for call in getattr(answer.calls, "made", answer.calls)}
    assert answer.data == {"resident": None}
    assert asked & ABOUT == set()


async def test_a_grid_worker_sees_the_visits_of_the_own_village_alone(desk: Desk) -> None:
    own = (await desk.ask(f"grid-{scene.VILLAGE}", VISITS)).data["households"]["nodes"]
    township = (await desk.ask(CLERK, VISITS)).data["households"]["nodes"]

    assert scene.HOUSEHOLD.number in {each["number"] for each in own}
    assert 0 < len(own) < len(township)
    assert own == [each for each in township if each in own]


async def test_enterprises_come_from_the_registry_and_headcounts_from_social_security(
    desk: Desk,
) -> None:
    found = (await desk.ask(CLERK, ENTERPRISES)).data["enterprises"]
    elsewhere = (await desk.ask(ELSEWHERE, ENTERPRISES)).data["enterprises"]

    codes = {node["creditCode"] for node in found["nodes"]}
    insured = [node for node in found["nodes"] if node["insuredEmployers"]]
    assert found["totalCount"] == len(codes) == len(found["nodes"])
    assert 0 < len(insured) < len(found["nodes"])
    assert all(node["insuredEmployers"][0]["headcount"] >= 0 for node in insured)
    assert codes.isdisjoint(node["creditCode"] for node in elsewhere["nodes"])
