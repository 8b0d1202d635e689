from collections.abc import Mapping
from random import Random
from typing import Any

import pytest

from tests import oracle, world
from tests.graph import PRINCIPALS, Graph
from tests.twins import graph_over

QUESTIONS = 4_000
ROOTS = {
    "Resident": "residents",
    "Household": "households",
    "Case": "cases",
    "Enterprise": "enterprises",
}
LISTED = """
query($where: %sWhere, $order: [%sOrder!], $first: Int) {
  list: %s(where: $where, orderBy: $order, first: $first) {
    totalCount pageInfo { hasNextPage } nodes { %s }
  }
}
"""
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


@pytest.mark.parametrize("part", range(4))
@pytest.mark.parametrize("limited", [False, True], ids=["able sources", "limited sources"])
@pytest.mark.parametrize("shared", [False, True], ids=["one home each", "several homes"])
async def test_answers_equal_materialise_then_filter_for_every_entity_and_role(
    part: int, limited: bool, shared: bool
) -> None:
    found = refused = 0
    graph = graph_over(world.ROWS, shared=shared)
    for seed in range(part * QUESTIONS // 16, (part + 1) * QUESTIONS // 16):
        chance = Random(seed + 10_000 * limited + 20_000 * shared)
        if limited and seed % 10 == 0:
            graph = graph_over(world.ROWS, seed, shared=shared)
        account = chance.choice(sorted(PRINCIPALS))
        entity = chance.choice(sorted(ROOTS))
        answered, expected = await _ask_both(graph, chance, account, entity)

        assert answered == expected, (seed, account, entity)
        found += expected is not None and bool(expected["nodes"])
        refused += expected is None
    assert found > 50
    assert refused > 5


async def _ask_both(graph: Graph, chance: Random, account: str, entity: str) -> Any:
    seen = oracle.visible(account)
    where = _where(chance, entity, 2)
    order = _order(chance, entity)
    first = chance.choice((1, 2, 5, 20))
    names = [name for name in oracle.CLEAR[entity] if chance.random() < 0.5] or ["__typename"]
    query = LISTED % (entity, entity, ROOTS[entity], " ".join(names))
    answer = await graph.ask(account, query, where=where, order=order, first=first)
    if _names_hidden(account, entity, where, order):
        assert [error.original_error.code for error in answer.errors] == ["FORBIDDEN"]
        return answer.data["list"], None
    assert answer.errors is None, answer.errors
    rows = [row for row in seen[entity] if oracle.matches(entity, row, where, seen) is True]
    rows = oracle.ordered(rows, order, entity, seen)
    nodes = [
        {name: entity if name == "__typename" else oracle.plain(row.get(name)) for name in names}
        for row in rows[:first]
    ]
    expected = {
        "totalCount": len(rows),
        "pageInfo": {"hasNextPage": len(rows) > first},
        "nodes": nodes,
    }
    return answer.data["list"], expected


def _names_hidden(account: str, entity: str, where: Any, order: Any) -> bool:
    """Say whether a principal with rows of the entity names something that is not clear to them."""
    opened = _OPENED[account]
    if entity not in opened:
        return False
    for name, wanted in (item for part in order for item in part.items()):
        if isinstance(wanted, dict) and oracle.RELATIONS[entity][name][0] not in opened:
            return True
    return _filters_hidden(opened, entity, where)


def _filters_hidden(opened: frozenset[str], entity: str, where: Any) -> bool:
    for name, value in where.items():
        if name in ("and", "or"):
            if any(_filters_hidden(opened, entity, part) for part in value):
                return True
        elif name == "not":
            if _filters_hidden(opened, entity, value):
                return True
        elif name in oracle.RELATIONS[entity]:
            target = oracle.RELATIONS[entity][name][0]
            if target not in opened or _filters_hidden(opened, target, value):
                return True
        elif name not in oracle.CLEAR[entity]:
            return True
    return False


_AREA = frozenset({"Resident", "Household", "Case", "CaseEvent", "Enterprise", "MedicalEnrollment"})
_OPENED = {
    **dict.fromkeys(("clerk", "neighbour", "county", "city", "province", "both", "two"), _AREA),
    "grid": frozenset({"Resident", "Household", "MedicalEnrollment"}),
    "officer": frozenset({"Case", "CaseEvent"}),
    **dict.fromkeys(("auditor", "nobody", "misplaced"), frozenset[str]()),
}


def _where(chance: Random, entity: str, depth: int) -> dict[str, Any]:
    where: dict[str, Any] = {}
    for _ in range(chance.choice((0, 1, 1, 2))):
        kind = chance.random()
        if depth and kind < 0.15:
            joined = [_where(chance, entity, depth - 1) for _ in range(chance.choice((1, 2)))]
            where[chance.choice(("and", "or"))] = joined
        elif depth and kind < 0.25:
            where["not"] = _where(chance, entity, depth - 1)
        elif depth and kind < 0.5 and oracle.RELATIONS[entity]:
            name = chance.choice(sorted(oracle.RELATIONS[entity]))
            target = oracle.RELATIONS[entity][name][0]
            where[name] = _where(chance, target, depth - 1)
        else:
            name = _field(chance, entity)
            where[name] = _comparison(chance, entity, name)
    return where


def _field(chance: Random, entity: str) -> str:
    if chance.random() < 0.08 and entity in _HIDDEN:
        return _HIDDEN[entity]
    return chance.choice(oracle.CLEAR[entity])


_HIDDEN = {
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


def _order(chance: Random, entity: str) -> list[dict[str, Any]]:
    names = [name for name in oracle.CLEAR[entity] if name not in oracle.CODES]
    chosen = chance.sample(names, min(len(names), chance.choice((0, 1, 2))))
    order: list[dict[str, Any]] = [{name: chance.choice(("ASC", "DESC"))} for name in chosen]
    if oracle.RELATIONS[entity] and chance.random() < 0.2:
        name = chance.choice(sorted(oracle.RELATIONS[entity]))
        target = oracle.RELATIONS[entity][name][0]
        fields = [field for field in oracle.CLEAR[target] if field not in oracle.CODES]
        order.insert(0, {name: {chance.choice(fields): chance.choice(("ASC", "DESC"))}})
    return order
