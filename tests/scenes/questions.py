"""Questions across systems, made up at random: as GraphQL asks them and as SQL does."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from tests.scenes.roles import CLEAR, LOOKED_UP, Role

Where: TypeAlias = Mapping[str, Any]
Order: TypeAlias = Sequence[Mapping[str, Any]]

LISTS: Final = {"Resident": "residents", "Household": "households", "Case": "cases"}
SELECTED: Final[Mapping[str, tuple[str, ...]]] = {
    "Resident": ("householdNumber", "name", "birthDate", "sex", "updatedAt"),
    "Household": ("number", "size"),
    "Case": ("number", "department", "status", "acceptedAt", "closedAt"),
}
"""What tells rows apart, and something beside it that only the right system knows."""
RELATIONS: Final[Mapping[str, Mapping[str, tuple[str, str, str]]]] = {
    "Resident": {
        "household": ("Household", "householdNumber", "number"),
        "cases": ("Case", "idNumber", "applicantIdNumber"),
        "socialInsurances": ("SocialInsurance", "idNumber", "idNumber"),
        "medicalEnrollments": ("MedicalEnrollment", "idNumber", "idNumber"),
        "housingFundAccounts": ("HousingFundAccount", "idNumber", "idNumber"),
        "assistances": ("Assistance", "idNumber", "headIdNumber"),
    },
    "Household": {
        "members": ("Resident", "number", "householdNumber"),
        "head": ("Resident", "headIdNumber", "idNumber"),
        "assistances": ("Assistance", "headIdNumber", "headIdNumber"),
        "visits": ("HouseholdVisit", "number", "householdNumber"),
        "monitoring": ("HouseholdMonitoring", "number", "householdNumber"),
    },
    "Case": {"applicant": ("Resident", "applicantIdNumber", "idNumber")},
    "SocialInsurance": {"subject": ("Resident", "idNumber", "idNumber")},
    "MedicalEnrollment": {"subject": ("Resident", "idNumber", "idNumber")},
    "HousingFundAccount": {"subject": ("Resident", "idNumber", "idNumber")},
    "Assistance": {"subject": ("Resident", "headIdNumber", "idNumber")},
    "HouseholdVisit": {"subject": ("Household", "householdNumber", "number")},
    "HouseholdMonitoring": {"subject": ("Resident", "headIdNumber", "idNumber")},
}
_TIMES: Final = frozenset({"appliedAt", "acceptedAt", "closedAt", "updatedAt"})
_COMPARED: Final = {"eq": "=", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}


@dataclass(frozen=True, slots=True)
class Question:
    """One list asked by one role; `kind` names what it is about."""

    kind: str
    entity: str
    where: Where
    order: Order = ()
    first: int = 10
    two_pages: bool = False
    counted: bool = True

    @property
    def query(self) -> str:
        """Return the GraphQL document; it takes `where`, `order`, `first` and `after`."""
        name, fields = LISTS[self.entity], " ".join(SELECTED[self.entity])
        total = "totalCount " if self.counted else ""
        return (
            f"query($where: {self.entity}Where, $order: [{self.entity}Order!], $first: Int,"
            f" $after: String) {{ list: {name}(where: $where, orderBy: $order, first: $first,"
            f" after: $after) {{ {total}pageInfo {{ hasNextPage endCursor }}"
            f" nodes {{ {fields} }} }} }}"
        )

    def sql(self, role: Role) -> str:
        """Return the whole list as SQL, in order."""
        translation = _Translation(role)
        fields = ", ".join(f'row0."{name}"' for name in SELECTED[self.entity])
        order = [translation.order(self.entity, part) for part in self.order]
        order.append('row0."number"')  # the key behind it, as of every list
        return (
            f'SELECT {fields} FROM {role.schema}."{self.entity}" AS row0'  # noqa: S608 -- our own names
            f" WHERE {translation.condition(self.entity, self.where, 'row0')}"
            f" ORDER BY {', '.join(order)}"
        )

    def is_forbidden(self, role: Role) -> bool:
        """Return whether the role sees such rows and the question names what is not clear to it."""
        if self.entity not in role.rows:
            return False
        where = {k: v for k, v in self.where.items() if not _looks_up(self.entity, k, v)}
        return _names_hidden(role, self.entity, where) or any(
            _orders_hidden(role, self.entity, name, wanted)
            for part in self.order
            for name, wanted in part.items()
        )

    def __str__(self) -> str:
        asked = {"where": self.where, "orderBy": self.order, "first": self.first}
        return f"{LISTS[self.entity]} {json.dumps(asked, ensure_ascii=False)}"


@dataclass(slots=True)
class _Translation:
    """A filter on its way into SQL over the rows that one role sees."""

    role: Role
    rows: int = field(default=0)

    def condition(self, entity: str, where: Where, row: str) -> str:
        parts = [self._part(entity, name, value, row) for name, value in where.items()]
        return f"({' AND '.join(parts)})" if parts else "TRUE"

    def order(self, entity: str, part: Mapping[str, Any]) -> str:
        ((name, wanted),) = part.items()
        if isinstance(wanted, str):
            return f'row0."{name}" {wanted} NULLS LAST'
        ((inner, direction),) = wanted.items()
        target, own, other = RELATIONS[entity][name]
        function = "max" if direction == "DESC" else "min"
        return (
            f'(SELECT {function}(related."{inner}") FROM {self.role.schema}."{target}" AS related'  # noqa: S608 -- our own names
            f' WHERE related."{other}" = row0."{own}") {direction} NULLS LAST'
        )

    def _part(self, entity: str, name: str, value: Any, row: str) -> str:
        if name == "not":
            return f"NOT {self.condition(entity, value, row)}"
        if name in ("and", "or"):
            parts = (self.condition(entity, part, row) for part in value)
            return f"({f' {name} '.join(parts)})"
        if name in RELATIONS[entity]:
            return self._exists(entity, name, value, row)
        return " AND ".join(_compared(name, f'{row}."{name}"', *pair) for pair in value.items())

    def _exists(self, entity: str, name: str, where: Where, row: str) -> str:
        target, own, other = RELATIONS[entity][name]
        self.rows += 1
        inner = f"row{self.rows}"
        return (
            f'EXISTS (SELECT 1 FROM {self.role.schema}."{target}" AS {inner} WHERE'  # noqa: S608 -- our own names
            f' {inner}."{other}" = {row}."{own}" AND {self.condition(target, where, inner)})'
        )


def _compared(name: str, column: str, operator: str, value: Any) -> str:
    match operator:
        case "isNull":
            return f"{column} IS {'' if value else 'NOT '}NULL"
        case "in":
            return f"{column} IN ({', '.join(_literal(name, each) for each in value)})"
        case "ne":
            return f"NOT {column} = {_literal(name, value)}"
        case "within" | "startsWith":
            return f"starts_with({column}, {_literal(name, value)})"
        case _:
            return f"{column} {_COMPARED[operator]} {_literal(name, value)}"


def _literal(name: str, value: Any) -> str:
    if isinstance(value, bool | int):
        return str(value).upper()
    word = str(value).replace("'", "''")
    return f"TIMESTAMP '{word[:19]}'" if name in _TIMES else f"'{word}'"


def _looks_up(entity: str, name: str, value: Any) -> bool:
    return name in LOOKED_UP.get(entity, ()) and list(value) == ["eq"]


def _names_hidden(role: Role, entity: str, where: Where) -> bool:
    return any(_part_hidden(role, entity, name, value) for name, value in where.items())


def _part_hidden(role: Role, entity: str, name: str, value: Any) -> bool:
    if name == "not":
        return _names_hidden(role, entity, value)
    if name in ("and", "or"):
        return any(_names_hidden(role, entity, part) for part in value)
    if name in RELATIONS[entity]:
        target = RELATIONS[entity][name][0]
        return target not in role.rows or _names_hidden(role, target, value)
    return name not in CLEAR[entity]


def _orders_hidden(role: Role, entity: str, name: str, wanted: Any) -> bool:
    if isinstance(wanted, str):
        return name not in CLEAR[entity]
    target = RELATIONS[entity][name][0]
    return target not in role.rows or not set(wanted) <= set(CLEAR[target])
