from collections.abc import Callable
from dataclasses import replace

import pytest

from auth.openings import Opening, Purpose
from auth.policy import Policy
from auth.policy_file import load_policy
from auth.principal import Principal
from contract.errors import Forbidden
from contract.predicate import TRUE, Comparison, Exists, Operator, Predicate, Within, any_of
from contract.read import Order
from resolvers.admission import Admission
from resolvers.ask import Ask, Reached, Selection
from resolvers.deciding import Deciding
from resolvers.subjects import subjects_of
from tests import world
from tests.graph import PRINCIPALS, ROOT, build_graph

CLERK = PRINCIPALS["clerk"]
PEOPLE = Ask(Selection("Resident", frozenset(("name",))))
CASES = Ask(Selection("Case", frozenset(("status",))))
DEAD = replace(PEOPLE, where=Comparison("sex", Operator.EQ, "MALE"))
BY_NUMBER = replace(PEOPLE, where=Comparison("idNumber", Operator.EQ, world.id_number(0)))


@pytest.fixture
def deciding() -> Deciding:
    graph = build_graph()
    federation = graph.gate._federation
    return Deciding(
        Admission(policy(), federation.entities), federation, subjects_of(graph.entities)
    )


def policy() -> Policy:
    graph = build_graph()
    return load_policy(
        ROOT / "auth" / "policy.toml", graph.entities, frozenset(("MedicalEnrollment",))
    )


def residence(scope: str) -> Predicate:
    return any_of(Within("residenceDivision", scope), Within("registeredDivision", scope))


def test_two_accounts_of_one_office_share_a_decision(deciding: Deciding) -> None:
    colleague = replace(CLERK, account="another", purpose="核对")

    decided = deciding.decided(CLERK, PEOPLE)

    assert deciding.decided(colleague, PEOPLE) is decided
    assert (decided.where, decided.recurs) == (residence(world.XIBEI), True)


@pytest.mark.parametrize(
    ("other", "where"),
    [
        (PRINCIPALS["neighbour"], residence(world.BENNIU)),
        (PRINCIPALS["county"], residence("320205")),
    ],
)
def test_another_scope_is_another_decision(
    deciding: Deciding, other: Principal, where: Predicate
) -> None:
    deciding.decided(CLERK, PEOPLE)

    assert deciding.decided(other, PEOPLE).where == where


def test_another_department_is_another_decision(deciding: Deciding) -> None:
    officer = PRINCIPALS["officer"]
    elsewhere = replace(officer, department="人社")

    decided = [deciding.decided(each, CASES).where for each in (officer, elsewhere)]

    assert decided[0] != decided[1]
    assert "人社" in repr(decided[1])
    assert "人社" not in repr(decided[0])


def test_what_is_asked_decides_too(deciding: Deciding) -> None:
    decided = deciding.decided(CLERK, PEOPLE)
    narrower = deciding.decided(CLERK, DEAD)
    wider = deciding.decided(CLERK, replace(PEOPLE, selection=Selection("Resident")))
    sorted_by = deciding.decided(CLERK, replace(PEOPLE, order_by=(Order("birthDate"),)))

    assert DEAD.where in getattr(narrower.where, "predicates", ())
    assert "name" in decided.fields
    assert "name" not in wider.fields
    assert "birthDate" in sorted_by.fields
    assert sorted_by.order_by == (Order("birthDate"),)


def test_a_filter_by_a_value_that_may_be_somebodys_is_not_remembered(deciding: Deciding) -> None:
    looked_up = deciding.decided(CLERK, BY_NUMBER)

    assert not looked_up.recurs
    assert deciding.decided(CLERK, BY_NUMBER) is not looked_up
    assert looked_up.look_ups(BY_NUMBER) == [BY_NUMBER.where]


def test_a_value_in_a_question_about_related_rows_is_not_remembered(deciding: Deciding) -> None:
    contact = Exists("cases", Comparison("contactName", Operator.EQ, "华桂英"))
    closed = Exists("cases", Comparison("status", Operator.EQ, "CLOSED"))

    recurs = [
        deciding.decided(CLERK, replace(PEOPLE, where=where)).recurs for where in (contact, closed)
    ]

    assert recurs == [False, True]


def test_look_ups_are_the_conditions_of_the_question_itself(deciding: Deciding) -> None:
    again = replace(BY_NUMBER, where=Comparison("idNumber", Operator.EQ, world.id_number(0)))

    found = [deciding.decided(CLERK, ask).look_ups(ask)[0] for ask in (BY_NUMBER, again)]

    assert found[0] == found[1]
    assert found[0] is BY_NUMBER.where
    assert found[1] is again.where


def test_what_an_opening_grants_is_not_remembered(deciding: Deciding) -> None:
    opening = Opening(world.id_number(0), Purpose.EMERGENCY, 0, frozenset(("Resident.phone",)), 2e9)
    opened = replace(CLERK, openings=(opening,))

    with_it, without = deciding.decided(opened, PEOPLE), deciding.decided(CLERK, PEOPLE)

    assert [len(each.grants) for each in (with_it, without)] == [2, 1]
    assert [each.recurs for each in (with_it, without)] == [False, True]


def test_what_rests_on_somebodys_own_number_is_not_remembered(deciding: Deciding) -> None:
    resident = Principal("own", ("resident",), ("32",), citizen=world.id_number(0))

    decided = deciding.decided(resident, PEOPLE)

    assert world.id_number(0) in repr(decided.where)
    assert not decided.recurs


def reached(*tags: frozenset[int]) -> Reached:
    graph = build_graph()
    enrollments = graph.entities["Resident"].relationships["medicalEnrollments"]
    keys: dict[tuple[object, ...], frozenset[int]] = {
        (world.id_number(place),): tag for place, tag in enumerate(tags)
    }
    return Reached("Resident", enrollments, keys, frozenset(tags))


def test_rows_beneath_parents_that_one_grant_opens_need_no_other_condition(
    deciding: Deciding,
) -> None:
    ask = Ask(Selection("MedicalEnrollment", frozenset(("kind",))))

    first = deciding.decided(CLERK, ask, reached(frozenset((0,))))
    second = deciding.decided(CLERK, ask, reached(frozenset((0,)), frozenset((0,))))

    assert second is first
    assert first.where == TRUE
    assert world.id_number(0) not in repr(first)


def test_parents_that_other_grants_open_are_decided_apart(deciding: Deciding) -> None:
    ask = Ask(Selection("MedicalEnrollment", frozenset(("kind",))))
    two = PRINCIPALS["two"]

    by_one = deciding.decided(two, ask, reached(frozenset((0,))))
    by_other = deciding.decided(two, ask, reached(frozenset((1,))))
    mixed = deciding.decided(two, ask, reached(frozenset((0,)), frozenset((1,))))

    assert [[grant.number for grant in each.grants] for each in (by_one, by_other)] == [[0], [1]]
    assert [each.recurs for each in (by_one, by_other, mixed)] == [True, True, False]
    assert len(mixed.grants) == 2


@pytest.mark.parametrize("times", [1, 2])
def test_a_question_that_is_refused_is_refused_each_time(deciding: Deciding, times: int) -> None:
    masked = replace(PEOPLE, order_by=(Order("idNumber"),))
    refused: Callable[[], object] = lambda: deciding.decided(CLERK, masked)  # noqa: E731

    for _ in range(times):
        with pytest.raises(Forbidden):
            refused()
