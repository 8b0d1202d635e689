import pytest

from auth.policy import HIDDEN, SHOWN, Grant
from contract.predicate import TRUE
from contract.read import Rows
from resolvers.record import DENIED
from resolvers.showing import shown_column, shows

ROWS = Rows(("phone",), [("12900000001",), ("12900000002",), (None,)])


def grants(*accesses: str) -> tuple[Grant, ...]:
    return tuple(
        Grant(number, TRUE, {"phone": access}, frozenset())
        for number, access in enumerate(accesses)
    )


@pytest.mark.parametrize(
    ("access", "shown"),
    [
        (SHOWN, ["12900000001", "12900000002", None]),
        ("mobile", ["129****0001", "129****0002", None]),
        (HIDDEN, [DENIED, DENIED, DENIED]),
    ],
)
def test_where_all_grants_agree_a_column_is_shown_alike(access: str, shown: list[object]) -> None:
    tags = [frozenset((0,)), frozenset((1,)), frozenset((0, 1))]

    assert shown_column("phone", ROWS, {"phone": 0}, grants(access, access), tags) == shown


def test_a_row_is_shown_by_the_widest_of_its_own_grants_alone() -> None:
    tags = [frozenset((0, 1)), frozenset((1, 2)), frozenset((2,))]

    column = shown_column("phone", ROWS, {"phone": 0}, grants(SHOWN, "mobile", HIDDEN), tags)

    assert column == ["12900000001", "129****0002", DENIED]


def test_what_was_not_fetched_is_denied() -> None:
    tags = [frozenset((0,))] * 3

    assert shown_column("phone", ROWS, {}, grants(SHOWN), tags) == [DENIED] * 3


def test_a_masked_field_is_shown_in_part() -> None:
    shown, masked, hidden = grants(SHOWN, "mobile", HIDDEN)

    assert [shows(grant, "phone") for grant in (shown, masked, hidden)] == [True, True, False]


def test_a_field_that_a_grant_does_not_know_is_hidden() -> None:
    (grant,) = grants(SHOWN)

    assert not shows(grant, "name")
    named = Rows(("name",), [("张一",)])
    assert shown_column("name", named, {"name": 0}, (grant,), [frozenset((0,))]) == [DENIED]
