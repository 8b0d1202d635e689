"""
What every principal should see, computed the slow way: all rows in plain lists, then filtered.

Shares no code with the product: rules, three-valued truth, order and masks are written out again.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from tests import world
from tests.world import Row

Truth = bool | None
Rows = Sequence[Row]

RELATIONS: Final[Mapping[str, Mapping[str, tuple[str, str, str]]]] = {
    "Resident": {
        "household": ("Household", "householdNumber", "number"),
        "cases": ("Case", "idNumber", "applicantIdNumber"),
        "medicalEnrollments": ("MedicalEnrollment", "idNumber", "idNumber"),
    },
    "Household": {
        "members": ("Resident", "number", "householdNumber"),
        "head": ("Resident", "headIdNumber", "idNumber"),
    },
    "Case": {
        "applicant": ("Resident", "applicantIdNumber", "idNumber"),
        "events": ("CaseEvent", "number", "caseNumber"),
    },
    "Enterprise": {},
    "CaseEvent": {"case": ("Case", "caseNumber", "number")},
    "MedicalEnrollment": {"subject": ("Resident", "idNumber", "idNumber")},
}

CLEAR: Final[Mapping[str, tuple[str, ...]]] = {
    "Resident": (
        "name",
        "sex",
        "nation",
        "birthDate",
        "householdNumber",
        "relationToHead",
        "registeredDivision",
        "residenceDivision",
        "village",
        "address",
        "deathDate",
    ),
    "Household": ("number", "address", "division", "village", "kind", "size"),
    "Case": (
        "number",
        "matterCode",
        "department",
        "applicantType",
        "applicantName",
        "contactName",
        "channel",
        "status",
        "appliedAt",
        "acceptedAt",
        "promisedOn",
        "acceptingDivision",
        "handler",
    ),
    "CaseEvent": ("name", "startedAt", "handler", "note"),
    "Enterprise": ("creditCode", "name", "division"),
    "MedicalEnrollment": ("personNumber", "kind"),
}
"""What of an entity those see who see its rows; the rest is masked or hidden."""

CODES: Final = frozenset({"sex", "relationToHead", "kind", "applicantType", "channel", "status"})
DIVISIONS: Final = frozenset(
    {"registeredDivision", "residenceDivision", "village", "division", "acceptingDivision"}
)
KEYS: Final[Mapping[str, str]] = {
    "Resident": "number",
    "Household": "number",
    "Case": "number",
    "Enterprise": "number",
}


def visible(account: str) -> dict[str, Rows]:
    """Return all that the account sees, by entity."""
    rules = _RULES[account]
    residents = [row for row in world.RESIDENTS if rules["Resident"](row)]
    cases = [row for row in world.CASES if rules["Case"](row)]
    numbers = {row["idNumber"] for row in residents} if rules["facets"](None) else set()
    shown = {row["number"] for row in cases}
    return {
        "Resident": residents,
        "Household": [row for row in world.HOUSEHOLDS if rules["Household"](row)],
        "Case": cases,
        "CaseEvent": [row for row in world.EVENTS if row["caseNumber"] in shown],
        "Enterprise": [row for row in world.ENTERPRISES if rules["Enterprise"](row)],
        "MedicalEnrollment": [row for row in world.ENROLLMENTS if row["idNumber"] in numbers],
    }


def matches(entity: str, row: Row, where: Mapping[str, Any], seen: Mapping[str, Rows]) -> Truth:
    """Return the truth of a GraphQL filter for a row."""
    return _all(_part(entity, row, name, value, seen) for name, value in where.items())


def ordered(
    rows: Rows,
    order_by: Sequence[Mapping[str, Any]],
    entity: str,
    seen: Mapping[str, Rows],
) -> list[Row]:
    """Return the rows as a GraphQL order wants them, nulls last, the key behind it."""
    rest = sorted(rows, key=lambda row: str(row[KEYS[entity]]))
    for order in reversed(order_by):
        ((name, wanted),) = order.items()
        values = {id(row): _sorted_by(entity, row, name, wanted, seen) for row in rest}
        known = [row for row in rest if values[id(row)] is not None]
        direction = next(iter(wanted.values())) if isinstance(wanted, Mapping) else wanted
        known.sort(key=lambda row, values=values: values[id(row)], reverse=direction == "DESC")  # type: ignore[misc] # values compare
        rest = known + [row for row in rest if values[id(row)] is None]
    return rest


def _sorted_by(entity: str, row: Row, name: str, wanted: Any, seen: Mapping[str, Rows]) -> Any:
    """Return the row's value: its own, or the greatest or least of the rows it is related to."""
    if not isinstance(wanted, Mapping):
        return row[name]
    target, own, other = RELATIONS[entity][name]
    ((field, direction),) = wanted.items()
    if row[own] is None:
        return None
    related = [each[field] for each in seen[target] if each[other] == row[own]]
    values = [value for value in related if value is not None]
    return (max if direction == "DESC" else min)(values, default=None)  # type: ignore[type-var] # values compare


def plain(value: object) -> object:
    """Return a value as it stands in JSON."""
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def _all(parts: Any) -> Truth:
    truths = list(parts)
    if False in truths:
        return False
    return None if None in truths else True


def _any(parts: Any) -> Truth:
    truths = list(parts)
    if True in truths:
        return True
    return None if None in truths else False


def _opposite(truth: Truth) -> Truth:
    return None if truth is None else not truth


def _part(entity: str, row: Row, name: str, value: Any, seen: Mapping[str, Rows]) -> Truth:
    if name == "and":
        return _all(matches(entity, row, part, seen) for part in value)
    if name == "or":
        return _any(matches(entity, row, part, seen) for part in value)
    if name == "not":
        return _opposite(matches(entity, row, value, seen))
    if name in RELATIONS[entity]:
        target, own, other = RELATIONS[entity][name]
        return any(
            matches(target, there, value, seen) is True
            for there in seen[target]
            if row[own] is not None and there[other] == row[own]
        )
    return _all(_compare(row[name], operator, given) for operator, given in value.items())


def _compare(value: Any, operator: str, given: Any) -> Truth:
    if operator == "isNull":
        return (value is None) is given
    if operator in ("in", "notIn") and not given:
        return operator == "notIn"
    if value is None:
        return None
    return _COMPARE[operator](value, _revived(value, given))


def _revived(value: object, given: Any) -> Any:
    if isinstance(given, list):
        return [_revived(value, part) for part in given]
    if isinstance(value, datetime):
        return datetime.fromisoformat(given)
    return date.fromisoformat(given) if isinstance(value, date) else given


_COMPARE: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "eq": lambda value, given: value == given,
    "ne": lambda value, given: value != given,
    "lt": lambda value, given: value < given,
    "lte": lambda value, given: value <= given,
    "gt": lambda value, given: value > given,
    "gte": lambda value, given: value >= given,
    "in": lambda value, given: value in given,
    "notIn": lambda value, given: value not in given,
    "startsWith": lambda value, given: value.startswith(given),
    "within": lambda value, given: value.startswith(given),
    "contains": lambda value, given: given in value,
}

Rule = Callable[[Any], bool]


def _under(prefix: str, *fields: str) -> Rule:
    return lambda row: any(str(row[name] or "").startswith(prefix) for name in fields)


def _never(_: object) -> bool:
    return False


def _always(_: object) -> bool:
    return True


def _of_area(prefix: str) -> Mapping[str, Rule]:
    return {
        "Resident": _under(prefix, "residenceDivision", "registeredDivision"),
        "Household": _under(prefix, "division"),
        "Case": _under(prefix, "acceptingDivision"),
        "Enterprise": _under(prefix, "division"),
        "facets": _always,
    }


_NOTHING: Final[Mapping[str, Rule]] = {
    "Resident": _never,
    "Household": _never,
    "Case": _never,
    "Enterprise": _never,
    "facets": _never,
}


def _of_village(village: str) -> Mapping[str, Rule]:
    return {
        **_NOTHING,
        "Resident": _under(village, "village"),
        "Household": _under(village, "village"),
        "facets": _always,
    }


def _either(left: Mapping[str, Rule], right: Mapping[str, Rule]) -> Mapping[str, Rule]:
    def rule(name: str) -> Rule:
        return lambda row: left[name](row) or right[name](row)

    return {name: rule(name) for name in left}


_RULES: Final[Mapping[str, Mapping[str, Rule]]] = {
    "clerk": _of_area(world.XIBEI),
    "neighbour": _of_area(world.BENNIU),
    "grid": _of_village(f"{world.XIBEI}001"),
    "county": _of_area("320205"),
    "city": _of_area("3204"),
    "province": _of_area("32"),
    "officer": {
        **_NOTHING,
        "Case": lambda row: (
            row["department"] == "民政" and str(row["acceptingDivision"] or "").startswith("3202")
        ),
    },
    "auditor": _NOTHING,
    "nobody": _NOTHING,
    "misplaced": _NOTHING,
    "both": _of_area(world.XIBEI),
    "two": _either(_of_area(world.XIBEI), _of_village(f"{world.BENNIU}001")),
}
