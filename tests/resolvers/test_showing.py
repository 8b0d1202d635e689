import pytest

from auth.policy import HIDDEN, SHOWN, Grant
from contract.predicate import TRUE
from contract.read import Rows
from resolvers.record import DENIED
from resolvers.showing import Shown, shown_rows, shows

PHONE = frozenset(("phone",))
ROWS = Rows(("phone",), [("12900000001",), ("12900000002",), (None,)])


def phones(shown: Shown) -> list[object]:
    assert shown.names == ("phone",)
    return [phone for (phone,) in shown.rows]


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

    assert phones(shown_rows(PHONE, ROWS, grants(access, access), tags)) == shown


def test_a_row_is_shown_by_the_widest_of_its_own_grants_alone() -> None:
    tags = [frozenset((0, 1)), frozenset((1, 2)), frozenset((2,))]

    shown = shown_rows(PHONE, ROWS, grants(SHOWN, "mobile", HIDDEN), tags)

    assert phones(shown) == ["12900000001", "129****0002", DENIED]


def test_what_was_not_fetched_is_denied() -> None:
    tags = [frozenset((0,))] * 3

    fetched = Rows(("number",), [("1",), ("2",), ("3",)])
    assert phones(shown_rows(PHONE, fetched, grants(SHOWN), tags)) == [DENIED] * 3


def test_rows_of_which_nothing_is_shown_are_still_rows() -> None:
    shown = shown_rows(frozenset(), ROWS, grants(SHOWN), [frozenset((0,))] * 3)

    assert (shown.names, list(shown.rows)) == ((), [(), (), ()])


def test_a_masked_field_is_shown_in_part() -> None:
    shown, masked, hidden = grants(SHOWN, "mobile", HIDDEN)

    assert [shows(grant, "phone") for grant in (shown, masked, hidden)] == [True, True, False]


def test_a_field_that_a_grant_does_not_know_is_hidden() -> None:
    (grant,) = grants(SHOWN)

    assert not shows(grant, "name")
    named = Rows(("name",), [("张一",)])
    shown = shown_rows(frozenset(("name",)), named, (grant,), [frozenset((0,))])
    assert list(shown.rows) == [(DENIED,)]
