"""Draws questions across systems at random, kind by kind, in the words of clerks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any, Final, TypeAlias

from demo.working_days import TODAY
from tests.scenes.questions import LISTS, RELATIONS, Order, Question, Where

Drawn: TypeAlias = tuple[str, Where, Order]

_PENSIONS: Final = ("EMPLOYEE_PENSION", "PUBLIC_PENSION", "RESIDENT_PENSION")
_ALLOWANCES: Final = ("URBAN_MINIMUM_ALLOWANCE", "RURAL_MINIMUM_ALLOWANCE")
_DIVISIONS: Final = ("32", "3202", "320205", "320205106", "320105009", "320411", "33")
_STATES: Final = ("ACTIVE", "SUSPENDED", "ENDED", "UNKNOWN")
_STATUSES: Final = ("CLOSED", "APPROVED", "ACCEPTED", "RECEIVED", "REJECTED", "DRAFT", "UNKNOWN")
_DEPARTMENTS: Final = ("民政", "人社", "市监", "医保", "税务")

_CODES: Final[Mapping[str, Mapping[str, Sequence[str]]]] = {
    "Resident": {
        "sex": ("MALE", "FEMALE", "UNKNOWN", "UNSTATED"),
        "relationToHead": ("HEAD", "SPOUSE", "SON", "GRANDCHILD", "UNKNOWN"),
    },
    "Household": {"kind": ("FAMILY", "COLLECTIVE")},
    "Case": {"status": _STATUSES, "channel": ("WINDOW", "ONLINE", "COURIER")},
    "SocialInsurance": {"kind": (*_PENSIONS, "UNEMPLOYMENT", "WORK_INJURY"), "state": _STATES},
    "MedicalEnrollment": {"kind": ("EMPLOYEE", "RESIDENT", "UNKNOWN"), "state": _STATES},
    "HousingFundAccount": {"state": ("ACTIVE", "SEALED", "CLOSED")},
    "Assistance": {
        "kind": (*_ALLOWANCES, "TEMPORARY", "MARGINAL", "RURAL_DESTITUTE"),
        "state": ("ACTIVE", "ENDED"),
    },
    "HouseholdMonitoring": {
        "category": ("MINIMUM_LIVING_ALLOWANCE", "MARGINAL", "POVERTY_RISK"),
        "level": ("RED", "ORANGE", "YELLOW", "GREEN"),
        "state": ("ACTIVE", "ENDED"),
    },
    "HouseholdVisit": {"finding": ("WELL", "NOBODY_HOME", "NEEDS_HELP", "HAZARD", "UNKNOWN")},
}
_DAYS: Final[Mapping[str, Mapping[str, int]]] = {
    "Resident": {"birthDate": 90 * 365, "deathDate": 3_000},
    "Case": {"promisedOn": 500},
    "SocialInsurance": {"startedOn": 9_000, "endedIn": 3_000},
    "MedicalEnrollment": {"startedOn": 6_000},
    "HousingFundAccount": {"openedOn": 7_000, "paidUntil": 500},
    "Assistance": {"approvedOn": 2_000, "endedOn": 600},
    "HouseholdMonitoring": {"verifiedOn": 400},
    "HouseholdVisit": {"visitedOn": 180},
}
"""Fields that are days, and how long ago they begin."""
_MOMENTS: Final[Mapping[str, Sequence[str]]] = {
    "Case": ("appliedAt", "acceptedAt", "closedAt", "updatedAt"),
    "Resident": ("updatedAt",),
}
_NUMBERS: Final[Mapping[str, Mapping[str, int]]] = {
    "Household": {"size": 6},
    "SocialInsurance": {"paidMonths": 300},
    "Assistance": {"memberCount": 5},
    "HouseholdVisit": {"photos": 4},
    "HouseholdMonitoring": {"openWarningCount": 3},
}
_PLACES: Final[Mapping[str, Sequence[str]]] = {
    "Resident": ("residenceDivision", "registeredDivision"),
    "Household": ("division",),
    "Case": ("acceptingDivision",),
}
_TEXTS: Final[Mapping[str, Mapping[str, Sequence[str]]]] = {
    "Resident": {"name": ("王", "李", "华", "陈"), "nation": ("01",)},
    "Case": {"department": _DEPARTMENTS, "applicantName": ("王", "李", "张")},
}
_SORTED: Final[Mapping[str, Sequence[str]]] = {
    "Resident": (
        *("birthDate", "name", "deathDate", "householdNumber", "residenceDivision", "updatedAt"),
    ),
    "Household": ("number", "size", "division", "address", "updatedAt"),
    "Case": (
        *("acceptedAt", "appliedAt", "closedAt", "promisedOn", "department", "number"),
        *("applicantName", "acceptingDivision", "updatedAt"),
    ),
}
_RELATED_ORDERS: Final[Mapping[str, Sequence[tuple[str, str]]]] = {
    "Resident": (
        *(("cases", "acceptedAt"), ("cases", "appliedAt"), ("cases", "closedAt")),
        *(("socialInsurances", "startedOn"), ("assistances", "approvedOn")),
        *(("medicalEnrollments", "startedOn"), ("household", "size")),
    ),
    "Household": (
        *(("visits", "visitedOn"), ("members", "birthDate"), ("assistances", "approvedOn")),
        ("monitoring", "verifiedOn"),
    ),
    "Case": (("applicant", "birthDate"), ("applicant", "name")),
}
_STEPS: Final = (
    *(("Case", "applicant", name) for name in RELATIONS["Resident"]),
    *(("Household", "members", name) for name in RELATIONS["Resident"]),
    *(("Resident", "household", name) for name in RELATIONS["Household"]),
    *(("Resident", name, "subject") for name in ("assistances", "socialInsurances")),
)
_HIDDEN: Final[Mapping[str, Sequence[Where]]] = {
    "Resident": (
        {"idNumber": {"startsWith": "3299"}},
        {"phone": {"isNull": True}},
        {"socialInsurances": {"bankCard": {"isNull": False}}},
        {"medicalEnrollments": {"balance": {"gt": "100"}}},
        {"not": {"cases": {"contactPhone": {"isNull": True}}}},
    ),
    "Household": (
        {"headIdNumber": {"isNull": True}},
        {"head": {"idNumber": {"startsWith": "3299"}}},
        {"or": [{"size": {"gt": 2}}, {"monitoring": {"declaredMonthlyIncome": {"lt": "900"}}}]},
    ),
    "Case": (
        {"applicantIdNumber": {"isNull": True}},
        {"applicant": {"phone": {"isNull": True}}},
        {"applicant": {"housingFundAccounts": {"balance": {"gt": "100"}}}},
    ),
}
"""What nobody of the six roles may name; a look-up within a relationship is none."""


@dataclass(frozen=True, slots=True)
class Given:
    """What questions may be about: lists the role sees, and citizen numbers on cards at hand."""

    lists: Sequence[str]
    numbers: Sequence[str]


def question(random: Random, kind: str, given: Given) -> Question:
    """Return a question of the kind."""
    entity, where, order = _KINDS[kind](random, given)
    return Question(
        kind,
        entity,
        where,
        order or _own_order(random, entity),
        random.choice((1, 3, 10, 20, 50)),
        two_pages=random.random() < 1 / 2,
        counted=random.random() < 2 / 3,
    )


def _insured(random: Random, _: Given) -> Drawn:
    pension: Where = {"kind": {"in": random.sample(_PENSIONS, random.randint(1, 3))}}
    if random.random() < 0.5:
        pension = {**pension, "state": {"eq": "ACTIVE"}}
    enrolled: Where = {"kind": {"eq": random.choice(("EMPLOYEE", "RESIDENT"))}}
    if random.random() < 0.4:
        enrolled = _codes(random, "MedicalEnrollment")
    where: Where = {"medicalEnrollments": enrolled, "not": {"socialInsurances": pension}}
    return "Resident", _narrowed(random, "Resident", where), ()


def _old(random: Random, _: Given) -> Drawn:
    born = TODAY.replace(year=TODAY.year - random.randint(60, 85), day=28)
    where: Where = {"applicant": {"birthDate": {"lte": born.isoformat()}}}
    return "Case", _narrowed(random, "Case", where), ()


def _unvisited(random: Random, _: Given) -> Drawn:
    since = TODAY - timedelta(days=random.choice((30, random.randrange(1, 120))))
    allowance: Where = {"kind": {"in": list(_ALLOWANCES)}, "state": {"eq": "ACTIVE"}}
    if random.random() < 0.5:
        allowance = {"state": {"eq": random.choice(("ACTIVE", "ENDED"))}}
    where: Where = {
        "assistances": allowance,
        "not": {"visits": {"visitedOn": {"gte": since.isoformat()}}},
    }
    return "Household", _narrowed(random, "Household", where), ()


def _combined(random: Random, given: Given) -> Drawn:
    entity = random.choice(given.lists)
    return entity, _filter(random, entity, 3, given), ()


def _nested(random: Random, given: Given) -> Drawn:
    steps = [step for step in _STEPS if step[0] in given.lists]
    entity, first, second = random.choice(steps)
    target = RELATIONS[entity][first][0]
    deeper: Where = {second: _leaf(random, RELATIONS[target][second][0])}
    if random.random() < 0.4:
        deeper = {"not": deeper}
    if random.random() < 0.4:
        deeper = {**_leaf(random, target), **deeper}
    return entity, _narrowed(random, entity, {first: deeper}), ()


def _ordered(random: Random, given: Given) -> Drawn:
    entity = random.choice(given.lists)
    name, inner = random.choice(_RELATED_ORDERS[entity])
    order: list[Mapping[str, Any]] = [{name: {inner: random.choice(("ASC", "DESC"))}}]
    if random.random() < 0.5:
        order.append({random.choice(_SORTED[entity]): random.choice(("ASC", "DESC"))})
    where = _filter(random, entity, random.randint(1, 2), given) if random.random() < 0.6 else {}
    return entity, where, order


def _hidden(random: Random, given: Given) -> Drawn:
    entity = random.choice(given.lists)
    where: Where = random.choice(_HIDDEN[entity])
    if random.random() < 0.5:
        where = {"and": [where, _filter(random, entity, 1, given)]}
    return entity, where, ()


def _looked_up(random: Random, given: Given) -> Drawn:
    card = {"idNumber": {"eq": random.choice(given.numbers)}}
    return "Resident", {**card, **_filter(random, "Resident", 1, given)}, ()


def _nobody(random: Random, _: Given) -> Drawn:
    """Ask for what the role may see none of, as often as it does not matter which."""
    entity = random.choice(sorted(LISTS))
    return entity, _leaf(random, entity), ()


_KINDS: Final[Mapping[str, Callable[[Random, Given], Drawn]]] = {
    "insured, but no pension": _insured,
    "cases of the old": _old,
    "allowance, but no visit": _unvisited,
    "and, or, not": _combined,
    "two steps": _nested,
    "in related order": _ordered,
    "names what is masked": _hidden,
    "looked up by card": _looked_up,
    "any list": _nobody,
}
_OFTEN: Final = (
    *("insured, but no pension", "cases of the old", "allowance, but no visit"),
    *("and, or, not", "and, or, not", "and, or, not", "two steps", "two steps"),
    *("in related order", "in related order", "in related order"),
    *("names what is masked", "looked up by card"),
)
_ABOUT: Final = {
    "insured, but no pension": "Resident",
    "cases of the old": "Case",
    "allowance, but no visit": "Household",
    "looked up by card": "Resident",
}


def kinds(lists: Sequence[str]) -> list[str]:
    """Return the kinds of questions for a role that sees these lists, each as often as asked."""
    seen = [kind for kind in _OFTEN if _ABOUT.get(kind, lists[0]) in lists]
    if "Resident" not in lists:
        seen += ["and, or, not"] * len(seen)  # nothing is related that may be asked about
    return [*seen, "any list"]


def _narrowed(random: Random, entity: str, where: Where) -> Where:
    if random.random() < 0.4:
        return where
    return {**_leaf(random, entity), **where}


def _own_order(random: Random, entity: str) -> Order:
    names = random.sample(_SORTED[entity], random.randint(0, 2))
    return [{name: random.choice(("ASC", "DESC"))} for name in names]


def _filter(random: Random, entity: str, depth: int, given: Given) -> Where:
    chance = random.random()
    if depth and chance < 0.3:
        parts = [_filter(random, entity, depth - 1, given) for _ in range(random.randint(1, 3))]
        return {random.choice(("and", "or")): parts}
    if depth and chance < 0.42:
        return {"not": _filter(random, entity, depth - 1, given)}
    if depth and chance < 0.75:
        name, (target, _, _) = random.choice(sorted(RELATIONS[entity].items()))
        if target in LISTS and target not in given.lists and random.random() < 0.8:
            return _leaf(random, entity)  # it would be refused; a few are enough
        return {name: _filter(random, target, depth - 1, given) if random.random() < 0.9 else {}}
    return _leaf(random, entity)


def _leaf(random: Random, entity: str) -> Where:
    kinds = [
        draw
        for fields, draw in (
            (_CODES, _codes),
            (_DAYS, _day),
            (_MOMENTS, _moment),
            (_NUMBERS, _number),
            (_PLACES, _place),
            (_TEXTS, _text),
        )
        if entity in fields
    ]
    return random.choice(kinds)(random, entity)


def _codes(random: Random, entity: str) -> Where:
    fields = sorted(_CODES[entity].items())
    chosen = random.sample(fields, random.randint(1, min(2, len(fields))))
    return {name: _code(random, values) for name, values in chosen}


def _code(random: Random, values: Sequence[str]) -> Mapping[str, Any]:
    match random.randrange(5):
        case 0:
            return {"ne": random.choice(values)}
        case 1:
            return {"in": random.sample(values, random.randint(1, 2))}
        case _:
            return {"eq": random.choice(values)}


def _day(random: Random, entity: str) -> Where:
    name, days = random.choice(sorted(_DAYS[entity].items()))
    if random.random() < 0.2:
        return {name: {"isNull": random.random() < 0.5}}
    day = TODAY - timedelta(days=random.randrange(days))
    return {name: {random.choice(("lt", "lte", "gt", "gte")): day.isoformat()}}


def _moment(random: Random, entity: str) -> Where:
    name = random.choice(_MOMENTS[entity])
    if random.random() < 0.2:
        return {name: {"isNull": random.random() < 0.5}}
    day: date = TODAY - timedelta(days=random.randrange(400))
    operator = random.choice(("lt", "lte", "gt", "gte"))
    return {name: {operator: f"{day.isoformat()}T{random.randrange(10):02}:30:00+00:00"}}


def _number(random: Random, entity: str) -> Where:
    name, most = random.choice(sorted(_NUMBERS[entity].items()))
    return {name: {random.choice(("eq", "lt", "lte", "gt", "gte")): random.randint(0, most)}}


def _place(random: Random, entity: str) -> Where:
    return {random.choice(_PLACES[entity]): {"within": random.choice(_DIVISIONS)}}


def _text(random: Random, entity: str) -> Where:
    name, values = random.choice(sorted(_TEXTS[entity].items()))
    value = random.choice(values)
    return {name: {random.choice(("eq", "ne", "startsWith")): value}}
