"""The algebra over rows at hand, in cases small enough to read."""

from decimal import Decimal

from contract.predicate import INVALID, TRUE, Comparison, Exists, IsNull, Not, Operator
from contract.read import Aggregate, ForEach, Function, Measure, Order, Rows
from sources import rowset

ROWS = Rows(
    ("town", "size", "price"),
    [
        ("b", 2, Decimal("1.50")),
        ("a", None, Decimal("0.25")),
        ("b", 1, None),
        ("a", INVALID, INVALID),
        (None, 3, None),
    ],
)


def test_rows_are_kept_only_where_the_predicate_is_true() -> None:
    kept = rowset.keep(ROWS, Not(Comparison("size", Operator.EQ, 2)))

    assert kept.rows == [("b", 1, None), (None, 3, None)]
    assert rowset.keep(ROWS, TRUE) is ROWS


def test_related_rows_are_asked_of_who_knows_them() -> None:
    kept = rowset.keep(ROWS, Exists("cases", TRUE), lambda _: lambda row: row[0] == "b")

    assert kept.rows == [("b", 2, Decimal("1.50")), ("b", 1, None)]


def test_truths_follow_the_rows() -> None:
    truths = rowset.truths(ROWS, Comparison("size", Operator.GT, 1))

    assert truths == [True, None, False, None, True]


def test_missing_values_sort_last_unless_first_and_equal_rows_stay() -> None:
    down = rowset.ordered(ROWS, (Order("size", descending=True),))
    first = rowset.ordered(ROWS, (Order("town", nulls_first=True), Order("size")))

    assert [row[1] for row in down.rows] == [3, 2, 1, None, INVALID]
    assert [row[:2] for row in first.rows] == [
        (None, 3),
        ("a", None),
        ("a", INVALID),
        ("b", 1),
        ("b", 2),
    ]


def test_a_limit_counts_per_key() -> None:
    for_each = ForEach(("town",), (("a",), ("b",)))

    asked = rowset.of_keys(ROWS, for_each)

    assert [row[0] for row in rowset.limited(asked, 1, for_each).rows] == ["b", "a"]
    assert rowset.limited(asked, None, for_each) is asked
    assert [row[0] for row in rowset.limited(ROWS, 2).rows] == ["b", "a"]


def test_fields_are_picked_in_the_order_asked_for() -> None:
    assert rowset.project(ROWS, ("size", "town")).rows[0] == (2, "b")
    assert rowset.project(ROWS, ()).rows == [()] * 5
    assert rowset.project(ROWS, ROWS.fields) is ROWS


def test_measures_leave_out_what_is_missing() -> None:
    measures = (
        Measure("rows", Function.COUNT),
        Measure("sizes", Function.COUNT, "size"),
        Measure("prices", Function.SUM, "price"),
        Measure("least", Function.MIN, "size"),
        Measure("most", Function.MAX, "size"),
        Measure("towns", Function.COUNT_DISTINCT, "town"),
    )

    whole = rowset.aggregated(ROWS, Aggregate("Place", measures))
    groups = rowset.aggregated(ROWS, Aggregate("Place", measures[:3], group_by=("town",)))
    nothing = rowset.aggregated(
        rowset.keep(ROWS, IsNull("size")), Aggregate("Place", measures[3:4])
    )

    assert whole.rows == [(5, 3, Decimal("1.75"), 1, 3, 2)]
    assert groups.rows == [
        ("b", 2, 2, Decimal("1.50")),
        ("a", 2, 0, Decimal("0.25")),
        (None, 1, 1, None),
    ]
    assert (groups.fields, nothing.rows) == (("town", "rows", "sizes", "prices"), [(None,)])
