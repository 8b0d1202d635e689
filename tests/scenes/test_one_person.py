"""Scene: one question for one person is answered by every department, each asked once a stage."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain

import pytest

from contract.read import Aggregate, Read, Rows
from contract.source import Capabilities, Source
from demo import scene
from resolvers.gate import Gate
from sources.federation import Federation
from tests.scenes.desk import CLERK, ELSEWHERE, NEIGHBOUR, PRINCIPALS, Desk

pytestmark = pytest.mark.asyncio(loop_scope="session")

PERSON = """
query OnePerson($idNumber: String!) {
  resident(idNumber: $idNumber) {
    name sex nation birthDate deathDate relationToHead idNumber phone address updatedAt
    livesIn { name }
    household {
      number address size kind
      members { name relationToHead birthDate deathDate idNumber }
      monitoring { category level state memberCount verifiedOn }
      visits { visitedOn finding worker }
      waterAccounts { usage bill discount }
      electricityAccounts { usage bill }
      gasAccounts { usage bill }
    }
    socialInsurances { kind state startedOn endedIn paidMonths drawsPension employer division }
    medicalEnrollments { kind state startedOn employer insuredDivision }
    assistances { kind state amount approvedOn endedOn memberCount division }
    housingFundAccounts { number state }
    healthRecords { state }
    familyPlanningSupports { kind yearlyAmount }
    contributionPayments { year amount }
    lowIncomeRecords { level isHead laborCapacity }
    cases(orderBy: [{acceptedAt: DESC}]) {
      totalCount
      nodes { number department status acceptedAt closedAt matter { name } acceptedIn { name } }
    }
  }
}
"""
HEAD = scene.HEAD.id_number
ADDRESS = "江苏省无锡市锡山区锡北镇斗山村6组18号"
CASES = [
    {
        "number": "20260907999999942",
        "department": "民政",
        "status": "CLOSED",
        "acceptedAt": "2026-09-07T01:23:32+00:00",
        "closedAt": "2026-09-09T06:33:39+00:00",
        "matter": {"name": "临时救助"},
        "acceptedIn": {"name": "锡北镇"},
    },
    {
        "number": "20260302999999941",
        "department": "民政",
        "status": "CLOSED",
        "acceptedAt": "2026-03-02T06:31:26+00:00",
        "closedAt": "2026-04-09T07:30:15+00:00",
        "matter": {"name": "最低生活保障"},
        "acceptedIn": {"name": "锡北镇"},
    },
]
CASES_KEPT_BY = ("civil_affairs", "market_regulation", "service_platform", "social_security")
STAGES = [
    [("population", "Resident")],
    [
        *((name, "Case") for name in CASES_KEPT_BY),
        ("civil_affairs", "Assistance"),
        ("divisions", "Division"),
        ("health", "FamilyPlanningSupport"),
        ("health", "HealthRecord"),
        ("housing_fund", "HousingFundAccount"),
        ("low_income_platform", "LowIncomeRecord"),
        ("medical_insurance", "MedicalEnrollment"),
        ("population", "Household"),
        ("social_security", "SocialInsurance"),
        ("tax", "ContributionPayment"),
    ],
    [
        ("divisions", "Division"),
        ("electricity", "ElectricityAccount"),
        ("gas", "GasAccount"),
        ("grid_visits", "HouseholdVisit"),
        ("low_income_platform", "HouseholdMonitoring"),
        ("matters", "Matter"),
        ("population", "Resident"),
        ("water", "WaterAccount"),
    ],
    [("population", "Resident")],  # whom the monitoring is about, for the permission
]
TITLES = {
    "civil_affairs": "民政社会救助系统",
    "divisions": "行政区划",
    "electricity": "供电公司营销系统",
    "gas": "燃气公司营业系统",
    "grid_visits": "网格化服务管理系统",
    "health": "全民健康信息平台",
    "housing_fund": "住房公积金管理系统",
    "low_income_platform": "低收入人口动态监测平台",
    "market_regulation": "市场监管登记系统",
    "matters": "事项目录",
    "medical_insurance": "医保信息平台",
    "population": "公安人口信息系统",
    "service_platform": "一体化政务服务平台",
    "social_security": "人社社会保险系统",
    "tax": "税务社保费征收系统",
    "water": "自来水公司营业系统",
}


def member(
    name: str, relation: str, birth: str, shown: str, death: str | None
) -> dict[str, object]:
    return {
        "name": name,
        "relationToHead": relation,
        "birthDate": birth,
        "deathDate": death,
        "idNumber": f"329***********{shown}",
    }


ANSWER = {
    "name": "华桂英",
    "sex": "FEMALE",
    "nation": "01",
    "birthDate": "1953-04-12",
    "deathDate": None,
    "relationToHead": "HEAD",
    "idNumber": "329***********9028",
    "phone": "129****0001",
    "address": ADDRESS,
    "updatedAt": "2025-10-05T19:06:29+00:00",
    "livesIn": {"name": "锡北镇"},
    "household": {
        "number": "H999999940",
        "address": ADDRESS,
        "size": 3,
        "kind": "FAMILY",
        "members": [
            member("华桂英", "HEAD", "1953-04-12", "9028", None),
            member("尤根大", "SPOUSE", "1949-08-20", "9059", "2024-01-15"),
            member("尤建明", "SON", "1976-06-03", "9078", None),
            member("尤子轩", "GRANDCHILD", "2012-09-01", "9099", None),
        ],
        "monitoring": {
            "category": "MINIMUM_LIVING_ALLOWANCE",
            "level": "ORANGE",
            "state": "ACTIVE",
            "memberCount": 3,
            "verifiedOn": "2026-10-12",
        },
        "visits": [
            {"visitedOn": "2026-08-18", "finding": "NEEDS_HELP", "worker": "浦建芳"},
            {"visitedOn": "2026-09-16", "finding": "WELL", "worker": "浦建芳"},
            {"visitedOn": "2026-10-20", "finding": "WELL", "worker": "浦建芳"},
        ],
        "waterAccounts": [{"usage": 9, "bill": "27.90", "discount": "18.60"}],
        "electricityAccounts": [{"usage": 86, "bill": "45.43"}],
        "gasAccounts": [{"usage": 11, "bill": "30.03"}],
    },
    "socialInsurances": [
        {
            "kind": "RESIDENT_PENSION",
            "state": "ACTIVE",
            "startedOn": "2010-01-01",
            "endedIn": None,
            "paidMonths": 120,
            "drawsPension": True,
            "employer": None,
            "division": "320205",
        }
    ],
    "medicalEnrollments": [
        {
            "kind": "RESIDENT",
            "state": "ACTIVE",
            "startedOn": "2010-01-01",
            "employer": None,
            "insuredDivision": "320205",
        }
    ],
    "assistances": [
        {
            "kind": "RURAL_MINIMUM_ALLOWANCE",
            "state": "ACTIVE",
            "amount": "1180.00",
            "approvedOn": "2026-04-09",
            "endedOn": None,
            "memberCount": 3,
            "division": "320205106",
        },
        {
            "kind": "TEMPORARY",
            "state": "ENDED",
            "amount": "3000.00",
            "approvedOn": "2026-09-09",
            "endedOn": "2026-09-09",
            "memberCount": 3,
            "division": "320205106",
        },
    ],
    "housingFundAccounts": [],
    "healthRecords": [{"state": "ACTIVE"}],
    "familyPlanningSupports": [{"kind": "RURAL_REWARD", "yearlyAmount": "1440.00"}],
    "contributionPayments": [
        {"year": "2025", "amount": "400.00"},
        {"year": "2026", "amount": "0.00"},
    ],
    "lowIncomeRecords": [{"level": "ORANGE", "isHead": True, "laborCapacity": "NONE"}],
    "cases": {"totalCount": 2, "nodes": CASES},
}


class Started:
    """A source that notes what it is asked at the moment it is asked."""

    def __init__(self, source: Source, asked: list[tuple[str, str]]) -> None:
        self._source = source
        self._asked = asked
        self.name, self.title = source.name, source.title

    @property
    def entities(self) -> Mapping[str, Capabilities]:
        return self._source.entities

    async def read(self, read: Read) -> Rows:
        self._asked.append((self.name, read.entity))
        return await self._source.read(read)

    async def aggregate(self, aggregate: Aggregate) -> Rows:
        self._asked.append((self.name, aggregate.entity))
        return await self._source.aggregate(aggregate)


async def test_one_question_shows_a_person_in_all_systems(desk: Desk) -> None:
    answer = await desk.ask(CLERK, PERSON, idNumber=HEAD)

    assert answer.data == {"resident": ANSWER}
    asked = sorted((call.source, call.entity) for call in answer.calls)
    assert asked == sorted(chain.from_iterable(STAGES))
    assert answer.body["extensions"]["completeness"] == [
        {"source": name, "title": title, "state": "OK", "paths": []}
        for name, title in TITLES.items()
    ]
    assert len(set(leaves(ANSWER))) >= 45


def leaves(value: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the place of every plain field in an answer."""
    if isinstance(value, list):
        for inner in value:
            yield from leaves(inner, path)
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, (*path, name))
    else:
        yield path


async def test_each_entity_of_a_system_is_asked_at_most_once_in_each_stage(desk: Desk) -> None:
    asked: list[tuple[str, str]] = []
    graph = desk.graph
    federation = graph.assembly.federation
    recorded = [Started(source, asked) for source in federation.sources]
    entities, homes = graph.assembly.entities, federation.homes
    gate = Gate(graph.policy, Federation(entities, recorded, homes=homes))
    context = replace(graph, gate=gate).context(PRINCIPALS[CLERK], "")

    result = await graph.schema.execute(
        PERSON, variable_values={"idNumber": HEAD}, context_value=context
    )

    assert result.data == {"resident": ANSWER}
    assert sorted(asked) == sorted(chain.from_iterable(STAGES))
    assert asked[0] == STAGES[0][0]
    first = len(STAGES[0]) + len(STAGES[1])
    assert sorted(asked[1:first]) == sorted(STAGES[1])
    assert all(len(set(stage)) == len(stage) for stage in STAGES)


@pytest.mark.parametrize("account", [ELSEWHERE, NEIGHBOUR, "auditor", "officer-civil_affairs"])
async def test_for_others_the_person_is_not_there_and_no_other_system_is_asked(
    desk: Desk, account: str
) -> None:
    there = await desk.ask(account, PERSON, idNumber=HEAD)
    nowhere = await desk.ask(account, PERSON, idNumber="329900195304129999")

    assert there.data == {"resident": None}
    assert there.bytes == nowhere.bytes
    assert {call.source for call in there.calls} <= {"population"}
