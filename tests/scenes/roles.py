"""Who sees what of the demo, written by hand and apart from the policy file."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import duckdb

_FACETS: Final = {
    "SocialInsurance": ("Resident", "idNumber", "idNumber"),
    "MedicalEnrollment": ("Resident", "idNumber", "idNumber"),
    "HousingFundAccount": ("Resident", "idNumber", "idNumber"),
    "Assistance": ("Resident", "headIdNumber", "idNumber"),
    "HouseholdMonitoring": ("Resident", "headIdNumber", "idNumber"),
    "HouseholdVisit": ("Household", "householdNumber", "number"),
}
"""A department's record is seen by who sees the person or the household that it is about."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


CLEAR: Final[Mapping[str, frozenset[str]]] = {
    "Resident": _words(
        "name sex nation birthDate householdNumber relationToHead registeredDivision"
        " residenceDivision village address deathDate updatedAt"
    ),
    "Household": _words("number address division village kind size updatedAt"),
    "Case": _words(
        "number matterCode department applicantType applicantName contactName channel status"
        " appliedAt acceptedAt promisedOn closedAt acceptingDivision updatedAt"
    ),
    "SocialInsurance": _words("kind state startedOn endedIn paidMonths drawsPension"),
    "MedicalEnrollment": _words("kind state startedOn updatedAt"),
    "HousingFundAccount": _words("state openedOn paidUntil"),
    "Assistance": _words("kind state approvedOn endedOn amount memberCount"),
    "HouseholdMonitoring": _words("category level state verifiedOn openWarningCount"),
    "HouseholdVisit": _words("visitedOn finding photos"),
}
"""What may be named by those who see the rows; numbers of people, cards and incomes may not."""

LOOKED_UP: Final[Mapping[str, frozenset[str]]] = {"Resident": frozenset({"idNumber", "phone"})}


@dataclass(frozen=True, slots=True)
class Role:
    """An account of the demo, and what its rows satisfy by entity."""

    account: str
    rows: Mapping[str, str]

    @property
    def schema(self) -> str:
        """Return the name of the schema with the rows that the role sees."""
        return f'"{self.account}"'

    def sees(self, entity: str) -> bool:
        """Return whether the role sees rows of the entity."""
        return entity in self.rows

    def open(self, database: duckdb.DuckDBPyConnection) -> int:
        """Put what the role sees into a schema of its own; return how many rows that are."""
        database.execute(f"CREATE SCHEMA {self.schema}")
        return sum(self._opened(database, entity) for entity in CLEAR)

    def _opened(self, database: duckdb.DuckDBPyConnection, entity: str) -> int:
        made = database.execute(
            f'CREATE TABLE {self.schema}."{entity}" AS SELECT * FROM main."{entity}" AS seen'  # noqa: S608 -- our own names
            f" WHERE {self._condition(entity)}"
        ).fetchone()
        assert made is not None
        return int(made[0])

    def _condition(self, entity: str) -> str:
        rule = self.rows.get(entity, "FALSE")
        if entity not in _FACETS or rule == "FALSE":
            return rule
        target, own, other = _FACETS[entity]
        return f'seen."{own}" IN (SELECT "{other}" FROM main."{target}" WHERE {self.rows[target]})'  # noqa: S608 -- our own names


def _division(account: str, scope: str) -> Role:
    return Role(
        account,
        {
            "Resident": f"(starts_with(\"residenceDivision\", '{scope}')"
            f" OR starts_with(\"registeredDivision\", '{scope}'))",
            "Household": f"starts_with(\"division\", '{scope}')",
            "Case": f"starts_with(\"acceptingDivision\", '{scope}')",
            **dict.fromkeys(_FACETS, "TRUE"),
        },
    )


def _village(account: str, village: str) -> Role:
    rule = f"starts_with(\"village\", '{village}')"
    return Role(account, {"Resident": rule, "Household": rule, **dict.fromkeys(_FACETS, "TRUE")})


def _department(account: str, department: str) -> Role:
    rule = f"\"department\" = '{department}' AND starts_with(\"acceptingDivision\", '32')"
    return Role(account, {"Case": rule})


ROLES: Final = (
    _division("clerk-320205106", "320205106"),
    _village("grid-320105009001", "320105009001"),
    _division("county-320205", "320205"),
    _division("city-3202", "3202"),
    _division("province-32", "32"),
    _department("officer-social_security", "人社"),
)
