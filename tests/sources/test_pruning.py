from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from contract.entity import Field, Kind
from contract.predicate import (
    FALSE,
    INVALID,
    TRUE,
    Comparison,
    Contains,
    Exists,
    In,
    IsNull,
    Not,
    Operator,
    Predicate,
    StartsWith,
    Value,
    Within,
    all_of,
    any_of,
    evaluate,
    evaluator,
)
from sources.pruning import may_hold, must_hold
from tests.predicates import VALUES, predicates

DEPARTMENTS = ("民政", "人社", "市监")
DIVISIONS = ("32", "3202", "320205", "320205106", "3204")
ROWS = [
    {"department": department, "division": division}
    for department, division in product((*DEPARTMENTS, "其他", None), (*DIVISIONS, "3301", None))
]
CIVIL = In("department", ("民政",))
WUXI = Within("division", "3202")
OPERATORS = st.sampled_from((Operator.EQ, Operator.LT))
LEAVES = st.one_of(
    st.builds(Comparison, st.just("department"), OPERATORS, st.sampled_from(DEPARTMENTS)),
    st.builds(Comparison, st.just("division"), OPERATORS, st.sampled_from(DIVISIONS)),
    st.builds(In, st.just("department"), st.lists(st.sampled_from(DEPARTMENTS)).map(tuple)),
    st.builds(In, st.just("division"), st.lists(st.sampled_from(DIVISIONS)).map(tuple)),
    st.builds(Within, st.just("division"), st.sampled_from(DIVISIONS)),
    st.builds(StartsWith, st.just("department"), st.sampled_from(("民", "人"))),
    st.builds(IsNull, st.sampled_from(("department", "division"))),
)
PREDICATES: st.SearchStrategy[Predicate] = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.lists(inner, max_size=3).map(lambda parts: all_of(*parts)),
        st.lists(inner, max_size=3).map(lambda parts: any_of(*parts)),
    ),
    max_leaves=6,
)


@given(PREDICATES, PREDICATES)
def test_what_is_called_impossible_is_true_of_no_row(where: Predicate, home: Predicate) -> None:
    both = any(evaluate(where, row) and evaluate(home, row) for row in ROWS)

    assert may_hold(where, home) or not both


NAMED = {
    "name": Field("name", Kind.STRING),
    "age": Field("age", Kind.INTEGER),
    "place": Field("place", Kind.DIVISION),
}
PEOPLE = [
    dict(zip(NAMED, values, strict=True))
    for values in product(*((*VALUES[field.kind], None, INVALID) for field in NAMED.values()))
]
ANY = predicates(NAMED.values())


@settings(max_examples=200)
@given(ANY, ANY, ANY)
def test_what_is_called_certain_is_true_of_every_row(
    where: Predicate, given: Predicate, more: Predicate
) -> None:
    for narrow in (given, all_of(where, given), all_of(more, any_of(all_of(where, given), FALSE))):
        if must_hold(where, narrow):
            test, chosen = (evaluator(part, tuple(NAMED)) for part in (where, narrow))
            rows = (tuple(row.values()) for row in PEOPLE)
            assert all(test(row) is True for row in rows if chosen(row))


def compared(name: str, operator: str, operand: Value) -> Comparison:
    return Comparison(name, Operator(operator), operand)


CERTAIN: list[tuple[Predicate, Predicate]] = [
    (TRUE, compared("age", "eq", 1)),
    (compared("age", "eq", 1), all_of(compared("age", "eq", 1), IsNull("name"))),
    (In("age", (1, 2, 3)), In("age", (3, 1))),
    (In("age", (1, 2)), compared("age", "eq", 2)),
    (compared("age", "gte", 1), In("age", (1, 2))),
    (compared("age", "gt", 1), compared("age", "gt", 1)),
    (compared("age", "gte", 1), compared("age", "gt", 1)),
    (compared("age", "gte", 1), compared("age", "gte", 2)),
    (compared("age", "lt", 3), compared("age", "lte", 2)),
    (compared("age", "lte", 3), compared("age", "lt", 3)),
    (Within("place", "3202"), Within("place", "320205")),
    (Within("place", "3202"), compared("place", "eq", "3202")),
    (Within("place", "3202"), In("place", ("320205", "3202"))),
    (StartsWith("name", "a"), StartsWith("name", "ab")),
    (Contains("name", "b"), StartsWith("name", "abc")),
    (Contains("name", "b"), Contains("name", "abc")),
    (Not(IsNull("age")), compared("age", "lt", 2)),
    (Not(IsNull("age")), Not(compared("age", "lt", 2))),
    (Not(compared("age", "eq", 1)), In("age", (2, 3))),
    (Not(Within("place", "33")), Within("place", "32")),
    (
        any_of(Within("place", "32"), IsNull("name")),
        any_of(Within("place", "3202"), IsNull("name")),
    ),
    (
        all_of(Within("place", "32"), compared("age", "gt", 1)),
        all_of(any_of(Within("place", "3202"), Within("place", "3204")), compared("age", "gt", 2)),
    ),
]
UNCERTAIN: list[tuple[Predicate, Predicate]] = [
    (compared("age", "eq", 1), TRUE),
    (FALSE, compared("age", "eq", 1)),
    (In("age", (1, 2)), In("age", (1, 2, 3))),
    (compared("age", "gt", 1), compared("age", "gte", 1)),
    (compared("age", "lt", 3), compared("age", "lte", 3)),
    (compared("age", "gt", 1), compared("age", "lt", 3)),
    (Within("place", "320205"), Within("place", "3202")),
    (Within("place", "32"), Within("place", "33")),
    (StartsWith("name", "ab"), StartsWith("name", "a")),
    (Contains("name", "ab"), Contains("name", "b")),
    (Within("place", "32"), Within("home", "3202")),
    (Within("place", "32"), any_of(Within("place", "3202"), Within("home", "3202"))),
    (Not(IsNull("age")), IsNull("name")),
    (Exists("cases", TRUE), Within("place", "32")),
]


def test_narrower_conditions_are_told_from_others() -> None:
    assert [pair for pair in CERTAIN if not must_hold(*pair)] == []
    assert [pair for pair in UNCERTAIN if must_hold(*pair)] == []


def test_systems_that_cannot_hold_what_is_asked_for_are_told() -> None:
    rest = any_of(Not(CIVIL), IsNull("department"))
    asked = Comparison("department", Operator.EQ, "民政")
    other = Comparison("department", Operator.EQ, "医保")

    assert [may_hold(asked, home) for home in (CIVIL, rest, TRUE)] == [True, False, True]
    assert [may_hold(other, home) for home in (CIVIL, rest, TRUE)] == [False, True, True]
    assert [may_hold(Within("division", code), WUXI) for code in DIVISIONS] == [
        *(True, True, True, True),
        False,
    ]
    assert not may_hold(Within("division", "320205"), Not(WUXI))
    assert not may_hold(all_of(Exists("events", TRUE), other), CIVIL)
    assert not may_hold(Not(asked), CIVIL)
