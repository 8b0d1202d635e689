"""Scene: a household that is monitored for low income, and what its township sees of it."""

import pytest

from demo import scene
from tests.scenes.desk import CLERK, ELSEWHERE, Desk

pytestmark = pytest.mark.asyncio(loop_scope="session")

QUESTION = """
query Monitored($idNumber: String!) {
  resident(idNumber: $idNumber) {
    household {
      monitoring { category level state city division memberCount verifiedOn latestWarning }
      members { name lowIncomeRecords { level isHead laborCapacity } }
    }
    assistances { kind state }
  }
}
"""
HEAD = scene.HEAD.id_number


async def test_a_clerk_sees_the_household_on_the_platform_with_one_operation_a_level(
    desk: Desk,
) -> None:
    answer = await desk.ask(CLERK, QUESTION, idNumber=HEAD)

    household = answer.data["resident"]["household"]
    assert household["monitoring"] == {
        "category": "MINIMUM_LIVING_ALLOWANCE",
        "level": "ORANGE",
        "state": "ACTIVE",
        "city": "3202",
        "division": scene.TOWNSHIP,
        "memberCount": 3,
        "verifiedOn": "2026-10-12",
        "latestWarning": "MEDICAL_EXPENSE",
    }
    assert [
        (member["name"], len(member["lowIncomeRecords"])) for member in household["members"]
    ] == [("华桂英", 1), ("尤根大", 0), ("尤建明", 1), ("尤子轩", 1)]
    asked = [call.entity for call in answer.calls if call.source == "low_income_platform"]
    assert sorted(asked) == ["HouseholdMonitoring", "LowIncomeRecord"]


async def test_who_may_not_see_the_household_sees_nothing_of_the_platform(desk: Desk) -> None:
    answer = await desk.ask(ELSEWHERE, QUESTION, idNumber=HEAD)

    assert answer.data == {"resident": None}
    assert [call for call in answer.calls if call.source == "low_income_platform"] == []


@pytest.mark.parametrize("field", ["declaredMonthlyIncome", "headIdNumber"])
async def test_incomes_and_citizen_numbers_are_hidden_from_clerks(desk: Desk, field: str) -> None:
    within = f"household {{ monitoring {{ {field} }} }}"
    text = f"query($id: String!) {{ resident(idNumber: $id) {{ {within} }} }}"

    answer = await desk.ask(CLERK, text, id=HEAD)

    assert answer.errors == [("FORBIDDEN", ["resident", "household", "monitoring", field])]
