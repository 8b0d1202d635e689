"""Filters and orders by chance over the world of `tests.world`."""

from collections.abc import Mapping
from random import Random
from typing import Any

from tests import oracle, world

ROOTS = {
    "Resident": "residents",
    "Household": "households",
    "Case": "cases",
    "Enterprise": "enterprises",
}
VALUES: Mapping[str, tuple[object, ...]] = {
    "birthDate": ("1950-01-01", "1965-01-01"),
    "deathDate": ("2024-02-29",),
    "promisedOn": ("2026-02-01",),
    "appliedAt": ("2026-01-03T01:30:00+00:00",),
    "acceptedAt": ("2026-01-05T00:00:00+00:00", "2026-01-05T08:00:00+08:00"),
    "startedAt": ("2026-01-03T02:00:00+00:00",),
    "size": (1, 2, 3),
    "sex": ("MALE", "FEMALE", "UNKNOWN"),
    "relationToHead": ("HEAD", "SPOUSE"),
    "applicantType": ("PERSON",),
    "channel": ("WINDOW", "ONLINE"),
    "status": ("ACCEPTED", "CLOSED", "UNKNOWN"),
}
KINDS: Mapping[str, tuple[object, ...]] = {
    "Household.kind": ("FAMILY", "COLLECTIVE"),
    "MedicalEnrollment.kind": ("EMPLOYEE", "RESIDENT"),
}
DIVISIONS = (world.XIBEI, world.BENNIU, "320205", "32", world.OUTSIDE)


def where(chance: Random, entity: str, depth: int = 2) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for _ in range(chance.choice((0, 1, 1, 2))):
        kind = chance.random()
        if depth and kind < 0.15:
            joined = [where(chance, entity, depth - 1) for _ in range(chance.choice((1, 2)))]
            found[chance.choice(("and", "or"))] = joined
        elif depth and kind < 0.25:
            found["not"] = where(chance, entity, depth - 1)
        elif depth and kind < 0.5 and oracle.RELATIONS[entity]:
            name = chance.choice(sorted(oracle.RELATIONS[entity]))
            target = oracle.RELATIONS[entity][name][0]
            found[name] = where(chance, target, depth - 1)
        else:
            name = _field(chance, entity)
            found[name] = _comparison(chance, entity, name)
    return found


def _field(chance: Random, entity: str) -> str:
    if chance.random() < 0.08 and entity in HIDDEN:
        return HIDDEN[entity]
    return chance.choice(oracle.CLEAR[entity])


HIDDEN = {
    "Resident": "idNumber",
    "Household": "headIdNumber",
    "Case": "contactPhone",
    "MedicalEnrollment": "balance",
}


def _comparison(chance: Random, entity: str, name: str) -> dict[str, object]:
    if name == "balance":
        return {"gt": "20"}
    if name == "idNumber":
        return {chance.choice(("startsWith", "ne", "gt")): "9999991"}  # a lookup would be equality
    if chance.random() < 0.1:
        return {"isNull": chance.random() < 0.5}
    if name in oracle.DIVISIONS:
        return {chance.choice(("eq", "ne", "within", "within")): chance.choice(DIVISIONS)}
    values = (
        VALUES.get(name)
        or KINDS.get(f"{entity}.{name}")
        or ("张一", "a", "A ", "", "𠮷三", "民政", "C03", "H1", "01", "收件")
    )
    if chance.random() < 0.2:
        several = list(chance.sample(values, min(len(values), 2)))
        return {chance.choice(("in", "notIn")): chance.choice((several, several, []))}
    return {chance.choice(_operators(name)): chance.choice(values)}


def _operators(name: str) -> tuple[str, ...]:
    if (name in oracle.CODES and name in VALUES) or name == "kind":
        return ("eq", "ne")
    ranges = ("eq", "ne", "lt", "lte", "gt", "gte")
    return ranges if name in VALUES else (*ranges, "startsWith", "contains")


def order(chance: Random, entity: str) -> list[dict[str, Any]]:
    names = [name for name in oracle.CLEAR[entity] if name not in oracle.CODES]
    chosen = chance.sample(names, min(len(names), chance.choice((0, 1, 2))))
    found: list[dict[str, Any]] = [{name: chance.choice(("ASC", "DESC"))} for name in chosen]
    if oracle.RELATIONS[entity] and chance.random() < 0.2:
        name = chance.choice(sorted(oracle.RELATIONS[entity]))
        target = oracle.RELATIONS[entity][name][0]
        fields = [field for field in oracle.CLEAR[target] if field not in oracle.CODES]
        found.insert(0, {name: {chance.choice(fields): chance.choice(("ASC", "DESC"))}})
    return found
