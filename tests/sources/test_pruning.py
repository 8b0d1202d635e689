from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from contract.predicate import (
    TRUE,
    Comparison,
    Exists,
    In,
    IsNull,
    Not,
    Operator,
    Predicate,
    StartsWith,
    Within,
    all_of,
    any_of,
    evaluate,
)
from sources.pruning import may_hold

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
