"""The fourteen systems of the drill: of which kind, what is theirs in the answer, how tight."""

from dataclasses import dataclass

from tests.scenes.drill.judging import Path

_OF_PERSONS = {
    "service_platform": "cases(first: 50) { nodes { number applicantName channel acceptedAt } }",
    "civil_affairs": "assistances { number kind state amount approvedOn memberCount }",
    "social_security": "socialInsurances { number kind state startedOn paidMonths }",
    "health": "healthRecords { number state bloodType openedOn }",
    "medical_insurance": (
        "medicalEnrollments(where: { kind: { eq: RESIDENT } })"
        " { personNumber kind state startedOn }"
    ),
    "housing_fund": (
        "housingFundAccounts(where: { state: { eq: ACTIVE } }) { number state employer openedOn }"
    ),
    "tax": (
        "contributionPayments(where: { kind: { eq: RESIDENT_MEDICAL } })"
        " { number kind amount subsidy paidAt }"
    ),
    "low_income_platform": (
        "lowIncomeRecords(where: { state: { in: [ACTIVE] } })"
        " { number state level isHead verifiedOn }"
    ),
}
_OF_HOUSEHOLDS = {
    "water": "waterAccounts(where: { state: { eq: ACTIVE } }) { number state month usage bill }",
    "electricity": (
        "electricityAccounts(where: { state: { eq: ACTIVE } }) { number state month usage bill }"
    ),
    "gas": "gasAccounts(where: { state: { eq: ACTIVE } }) { number state month usage bill }",
    "grid_visits": "visits { number worker visitedOn finding photos }",
}
_COMPANIES = "enterprises(first: 20) { nodes { creditCode name kind establishedOn } }"


def question(*names: str) -> str:
    """Return a question for residents and what the named systems know of them."""
    persons = " ".join(text for name, text in _OF_PERSONS.items() if name in names)
    households = " ".join(text for name, text in _OF_HOUSEHOLDS.items() if name in names)
    household = f"household {{ number {households} }}" if households else ""
    known = f"idNumber name sex birthDate address {persons} {household}"
    companies = _COMPANIES if "market_regulation" in names else ""
    people = f"residents(first: 30, orderBy: [{{ name: ASC }}]) {{ nodes {{ {known} }} }}"
    return f"{{ {people} {companies} }}"


BUDGET_SECONDS = 0.2
PAUSE_SECONDS = 0.5
SPARE_SECONDS = 0.5
RECOVERY_SECONDS = 5.0
READY_SECONDS = 30.0
_PERSON: Path = ("residents", "nodes")
_CASES: Path = (*_PERSON, "cases")


@dataclass(frozen=True, slots=True)
class System:
    """`size`: rows on a page, so few that what is asked takes several; 0: it has no pages."""

    name: str
    kind: str
    own: tuple[Path, ...]
    entity: str = ""
    size: int = 0


def _of_person(name: str, kind: str, facet: str, entity: str, size: int = 0) -> System:
    return System(name, kind, ((*_PERSON, facet),), entity, size)


def _of_household(name: str, kind: str, facet: str, entity: str, size: int = 0) -> System:
    return System(name, kind, ((*_PERSON, "household", facet),), entity, size)


# A list of cases is that of every system which keeps some.
SYSTEMS = {
    system.name: system
    for system in (
        System("population", "postgresql", (("residents",),), "Resident"),
        System("service_platform", "postgresql", (_CASES,), "Case"),
        System("civil_affairs", "mariadb", ((*_PERSON, "assistances"), _CASES), "Assistance"),
        System(
            "social_security",
            "sqlite",
            ((*_PERSON, "socialInsurances"), _CASES),
            "SocialInsurance",
        ),
        _of_person("health", "postgresql", "healthRecords", "HealthRecord"),
        _of_person("medical_insurance", "rest", "medicalEnrollments", "MedicalEnrollment", 12),
        _of_person("housing_fund", "rest", "housingFundAccounts", "HousingFundAccount", 2),
        System("market_regulation", "rest", (("enterprises",), _CASES), "Enterprise", 2),
        _of_person("tax", "rest", "contributionPayments", "ContributionPayment", 12),
        _of_household("water", "rest", "waterAccounts", "WaterAccount", 9),
        _of_household("electricity", "rest", "electricityAccounts", "ElectricityAccount", 9),
        _of_household("gas", "rest", "gasAccounts", "GasAccount", 4),
        _of_person("low_income_platform", "graphql", "lowIncomeRecords", "LowIncomeRecord", 3),
        _of_household("grid_visits", "file", "visits", "HouseholdVisit"),
    )
}

QUESTION = question(*SYSTEMS)
