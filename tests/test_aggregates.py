from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from contract.read import Aggregate
from tests import oracle, world
from tests.drawn import HIDDEN, ROOTS
from tests.drawn import where as drawn_filter
from tests.filters import OPENED, names_hidden
from tests.graph import PRINCIPALS, Graph, build_graph
from tests.schema.test_shared import graph_with, told
from tests.twins import answered, changed_outside, graph_over
from tests.world import Row

QUESTIONS = 500
TWINS = 60
SHANGHAI = timezone(timedelta(hours=8))
LEVELS = {"CITY": 4, "COUNTY": 6, "TOWNSHIP": 9}
TIMES = {"YEAR": 4, "MONTH": 7, "DAY": 10}
AGGREGATED = """
query($where: %sWhere, $by: [%sGroupBy!]) {
  aggregate { answer: %s(where: $where, groupBy: $by) {
    groups { keys { field value } ...on %sGroup { %s } }
    total { keys { value } %s }
    completeness
  } }
}
"""


@pytest.mark.parametrize("part", range(2))
@pytest.mark.parametrize("limited", [False, True], ids=["able sources", "limited sources"])
@pytest.mark.parametrize("shared", [False, True], ids=["one home each", "several homes"])
async def test_figures_equal_materialise_filter_and_group_for_every_entity_and_role(
    part: int, limited: bool, shared: bool
) -> None:
    await _compared(range(part * QUESTIONS // 8, (part + 1) * QUESTIONS // 8), limited, shared)


@pytest.mark.deep
@pytest.mark.parametrize("limited", [False, True], ids=["able sources", "limited sources"])
@pytest.mark.parametrize("shared", [False, True], ids=["one home each", "several homes"])
async def test_figures_equal_materialise_filter_and_group_many_times(
    limited: bool, shared: bool
) -> None:
    await _compared(range(50_000, 55_000), limited, shared)


async def _compared(seeds: range, limited: bool, shared: bool) -> None:
    filled = refused = 0
    graph = graph_over(world.ROWS, shared=shared)
    for seed in seeds:
        chance = Random(seed + 10_000 * limited + 20_000 * shared)
        if limited and seed % 10 == 0:
            graph = graph_over(world.ROWS, seed, shared=shared)
        account = chance.choice(sorted(set(PRINCIPALS) & set(OPENED)))
        entity = chance.choice(sorted(ROOTS))
        found, expected = await _ask_both(graph, chance, account, entity)

        assert found == expected, (seed, account, entity)
        filled += expected is not None and bool(expected["groups"])
        refused += expected is None
    assert filled > len(seeds) / 5
    assert refused > len(seeds) / 50


async def _ask_both(graph: Graph, chance: Random, account: str, entity: str) -> Any:
    seen = oracle.visible(account)
    where = drawn_filter(chance, entity) if chance.random() < 0.6 else {}
    by = _grouping(chance, entity)
    figures = _figures(chance, entity)
    text = " ".join(figures)
    root = ROOTS[entity]
    query = AGGREGATED % (entity, entity, root, entity, text, text)
    answer = await graph.ask(account, query, where=where, by=[_given(each) for each in by])
    hidden = {name for name, _ in by} - set(oracle.CLEAR[entity])
    if entity in OPENED[account] and (hidden or names_hidden(account, entity, where)):
        assert [error.original_error.code for error in answer.errors] == ["FORBIDDEN"]
        return answer.data["aggregate"]["answer"], None
    assert answer.errors is None, answer.errors
    rows = [row for row in seen[entity] if oracle.matches(entity, row, where, seen) is True]
    groups: dict[tuple[str | None, ...], list[Row]] = {}
    for row in rows if by else ():
        key = tuple(_cut(row[name], level) for name, level in by)
        groups.setdefault(key, []).append(row)
    ordered = sorted(groups, key=lambda key: [(value is None, _order(value)) for value in key])
    expected = {
        "groups": [
            {
                "keys": [
                    {"field": name, "value": value}
                    for (name, _), value in zip(by, key, strict=True)
                ],
                **_measured(groups[key], figures),
            }
            for key in ordered
        ],
        "total": {"keys": [], **_measured(rows, figures)},
        "completeness": "COMPLETE",
    }
    return answer.data["aggregate"]["answer"], expected


def _order(value: str | None) -> Any:
    return int(value) if value in ("1", "2", "3") else str(value)


def _grouping(chance: Random, entity: str) -> list[tuple[str, str]]:
    names = list(oracle.CLEAR[entity])
    if chance.random() < 0.1:
        names = [HIDDEN.get(entity, names[0])]
    chosen = chance.sample(names, min(len(names), chance.choice((0, 1, 1, 2))))
    return [(name, _level(chance, name)) for name in chosen]


def _level(chance: Random, name: str) -> str:
    if name in oracle.DIVISIONS:
        return chance.choice(("", *LEVELS))
    if name in ("appliedAt", "acceptedAt"):
        return chance.choice(tuple(TIMES))
    return chance.choice(("", *TIMES)) if name in ("birthDate", "promisedOn", "deathDate") else ""


def _given(dimension: tuple[str, str]) -> dict[str, str]:
    name, level = dimension
    return {"field": _enum(name)} | ({"level": level} if level else {})


def _enum(name: str) -> str:
    return "".join(f"_{letter}" if letter.isupper() else letter.upper() for letter in name)


def _cut(value: Any, level: str) -> str | None:
    if value is None:
        return None
    if isinstance(value, datetime):
        value = value.astimezone(SHANGHAI)
    text = value.isoformat() if isinstance(value, date) else str(value)
    return text[: {**LEVELS, **TIMES}[level]] if level else text


def _figures(chance: Random, entity: str) -> dict[str, Callable[[Sequence[Row]], object]]:
    """Return figures as GraphQL has them, each with what computes it."""
    every: dict[str, Callable[[Sequence[Row]], object]] = {"count": len}
    for name in oracle.CLEAR[entity]:
        field = _enum(name)
        every[f"distinct_{name}: countDistinct(field: {field})"] = _different(name)
        every[f"least_{name}: min(field: {field})"] = _extreme(min, name)
        every[f"most_{name}: max(field: {field})"] = _extreme(max, name)
    if entity == "Household":
        every["sum: sum(field: SIZE)"] = lambda rows: _sum(rows)
        every["avg: avg(field: SIZE)"] = lambda rows: (
            _sum(rows) and str(Decimal(str(_sum(rows))) / len(rows))
        )
    chosen = chance.sample(sorted(every), min(len(every), chance.choice((1, 2, 4))))
    return {name: every[name] for name in chosen}


def _different(name: str) -> Callable[[Sequence[Row]], object]:
    return lambda rows: len({row[name] for row in rows} - {None})


def _extreme(choose: Any, name: str) -> Callable[[Sequence[Row]], object]:
    def compute(rows: Sequence[Row]) -> object:
        values = [row[name] for row in rows if row[name] is not None]
        found = choose(values, default=None)
        return found.isoformat() if isinstance(found, date) else found and str(found)

    return compute


def _sum(rows: Sequence[Row]) -> str | None:
    return str(sum(int(str(row["size"])) for row in rows)) if rows else None


def _measured(
    rows: Sequence[Row], figures: Mapping[str, Callable[[Sequence[Row]], object]]
) -> dict[str, object]:
    return {name.partition(":")[0]: compute(rows) for name, compute in figures.items()}


async def test_what_a_principal_may_not_see_changes_no_byte_of_a_figure() -> None:
    filled = seen = 0
    for seed in range(TWINS):
        chance = Random(seed)
        account = chance.choice(("clerk", "neighbour", "grid", "county", "officer", "both", "two"))
        changed, shared = changed_outside(chance, account), seed % 3 == 0
        limited = seed if seed % 2 else None
        twins = [graph_over(rows, limited, shared=shared) for rows in (world.ROWS, changed)]
        entity = chance.choice(sorted(ROOTS))
        text = " ".join(_figures(chance, entity))
        question: dict[str, Any] = {
            "query": AGGREGATED % (entity, entity, ROOTS[entity], entity, text, text),
            "where": drawn_filter(chance, entity) if chance.random() < 0.5 else {},
            "by": [_given(each) for each in _grouping(chance, entity)],
        }
        one, other = [await answered(twin, account, **question) for twin in twins]
        control = [await answered(twin, "province", **question) for twin in twins]

        assert one == other, (seed, account, question)
        assert b"GRAPHQL_VALIDATION_FAILED" not in one
        filled += b'"groups":[{' in one
        seen += control[0] != control[1]
    assert filled > 0.3 * TWINS
    assert seen > 0.3 * TWINS


REFUSED = (
    "residents(groupBy: [{field: ID_NUMBER}]) { total { count } }",
    "residents { total { countDistinct(field: PHONE) } }",
    "residents { groups { min(field: ID_NUMBER) } }",
    'residents(where: {phone: {startsWith: "1"}}) { total { count } }',
    "residents(where: {household: {headIdNumber: {isNull: false}}}) { total { count } }",
    "medicalEnrollments { total { sum(field: BALANCE) } }",
    "medicalEnrollments(groupBy: [{field: KIND}]) { groups { avg(field: BALANCE) } }",
    "cases(groupBy: [{field: STATUS}, {field: APPLICANT_ID_NUMBER}]) { groups { count } }",
)


@pytest.mark.parametrize("asked", REFUSED)
async def test_what_is_masked_or_hidden_is_neither_grouped_nor_measured_and_nobody_is_asked(
    asked: str,
) -> None:
    graph = build_graph()

    answer = await graph.ask("clerk", f"{{ aggregate {{ answer: {asked} }} }}")

    assert [error.original_error.code for error in answer.errors] == ["FORBIDDEN"]
    assert answer.data == {"aggregate": {"answer": None}}
    assert graph.reads() == []


@pytest.mark.parametrize("account", ["auditor", "nobody", "misplaced"])
async def test_without_a_grant_every_figure_is_nothing_and_nobody_is_asked(account: str) -> None:
    graph = build_graph()

    data = await graph.data(
        account,
        """{ aggregate { residents(groupBy: [{field: SEX}]) {
          groups { count } total { count min(field: NAME) countDistinct(field: NAME) suppressed }
        } } }""",
    )

    total = {"count": 0, "min": None, "countDistinct": 0, "suppressed": False}
    assert data == {"aggregate": {"residents": {"groups": [], "total": total}}}
    assert graph.reads() == []


async def test_a_row_that_two_roles_open_is_counted_once() -> None:
    graph = build_graph()

    data = await graph.data(
        "two", "{ aggregate { residents { total { count } } } residents { totalCount } }"
    )

    rows = len(oracle.visible("two")["Resident"])
    counted = {"residents": {"total": {"count": rows}}}
    assert data == {"aggregate": counted, "residents": {"totalCount": rows}}


WRONG = (
    ("cases(groupBy: [{field: APPLIED_AT}]) { total { count } }", "BAD_USER_INPUT"),
    ("residents(groupBy: [{field: SEX, level: MONTH}]) { total { count } }", "BAD_USER_INPUT"),
    (
        "residents(groupBy: [{field: BIRTH_DATE, level: CITY}]) { total { count } }",
        "BAD_USER_INPUT",
    ),
    ("residents(groupBy: [{field: SEX}, {field: SEX}]) { total { count } }", "BAD_USER_INPUT"),
    (f"residents(groupBy: [{'{field: SEX},' * 5}]) {{ total {{ count }} }}", "BAD_USER_INPUT"),
)


@pytest.mark.parametrize(("asked", "code"), WRONG)
async def test_what_cannot_be_grouped_by_is_told_and_nobody_is_asked(asked: str, code: str) -> None:
    graph = build_graph()

    answer = await graph.ask("clerk", f"{{ aggregate {{ {asked} }} }}")

    assert [error.original_error.code for error in answer.errors] == [code]
    assert graph.reads() == []


NAMED = """{ aggregate { cases(groupBy: [
    {field: ACCEPTING_DIVISION, level: COUNTY}, {field: STATUS}, {field: APPLIED_AT, level: YEAR}
  ]) { groups { keys { field value label } count } } } }"""


async def test_keys_are_called_what_people_call_them() -> None:
    data = await build_graph().data("city", NAMED)

    keys = [group["keys"] for group in data["aggregate"]["cases"]["groups"]]
    assert keys == [
        [
            {"field": "acceptingDivision", "value": "320411", "label": "新北区"},
            {"field": "status", "value": "ACCEPTED", "label": "已受理 | Accepted"},
            {"field": "appliedAt", "value": "2026", "label": "2026"},
        ],
        [
            {"field": "acceptingDivision", "value": "320411", "label": "新北区"},
            {"field": "status", "value": "CLOSED", "label": "已办结 | Closed"},
            {"field": "appliedAt", "value": "2026", "label": "2026"},
        ],
    ]


async def test_a_day_is_a_day_in_shanghai() -> None:
    evening = datetime(2025, 12, 31, 16, 30, tzinfo=UTC)
    rows = {**world.ROWS, "Case": [world.case(0, 0, world.XIBEI, appliedAt=evening)]}

    data = await graph_over(rows).data(
        "clerk",
        """{ aggregate { cases(groupBy: [{field: APPLIED_AT, level: DAY}]) {
          groups { keys { value } count }
        } } }""",
    )

    groups = [{"keys": [{"value": "2026-01-01"}], "count": 1}]
    assert data == {"aggregate": {"cases": {"groups": groups}}}


async def test_several_groups_are_computed_by_one_question_to_the_system() -> None:
    graph = build_graph()

    await graph.data(
        "clerk",
        """{ aggregate { residents(groupBy: [{field: SEX}, {field: NATION}]) {
          groups { count min(field: BIRTH_DATE) } total { count max(field: NAME) }
        } } }""",
    )

    asked, behind = graph.sources["population"].reads  # and who is in the small groups
    assert isinstance(asked, Aggregate)
    assert isinstance(behind, Aggregate)
    assert asked.group_by == ("sex", "nation")
    assert behind.group_by == ("sex", "nation", "idNumber")


COUNTED = """{ aggregate { cases(partial: %s, groupBy: [{field: DEPARTMENT}]) {
  groups { keys { value } count } total { count } completeness
} } }"""


async def test_where_a_system_does_not_answer_there_is_no_number() -> None:
    answer = await told(graph_with("civil_affairs"), COUNTED % "false")

    assert answer["data"] == {"aggregate": {"cases": None}}
    assert [each["extensions"]["code"] for each in answer["errors"]] == ["SOURCE_UNAVAILABLE"]


async def test_where_a_system_does_not_answer_a_lower_bound_says_so_if_it_is_wanted() -> None:
    answer = await told(graph_with("civil_affairs"), COUNTED % "true")

    rows = [row for row in oracle.visible("province")["Case"] if row["department"] == "医保"]
    assert answer["data"]["aggregate"]["cases"] == {
        "groups": [{"keys": [{"value": "医保"}], "count": len(rows)}],
        "total": {"count": len(rows)},
        "completeness": "LOWER_BOUND",
    }
    assert answer["errors"] == []
    assert answer["extensions"]["completeness"][0] == {
        "source": "civil_affairs",
        "title": "civil_affairs",
        "state": "UNAVAILABLE",
        "paths": [["aggregate", "cases"]],
    }
