"""Tables of figures: groups put together, told apart and in order, column by column."""

from datetime import UTC, date, datetime
from decimal import Decimal

from contract.entity import Field, Kind
from contract.predicate import INVALID
from contract.read import Rows
from resolvers.dimensions import ZONE, Dimension, cut_column, cutter
from resolvers.tabulation import (
    Figure,
    Groups,
    Table,
    TableAsk,
    Wanted,
    measures_of,
    places_of,
    tabulated,
)

COUNT = Wanted(Figure.COUNT)
SUM = Wanted(Figure.SUM, "size")
MEAN = Wanted(Figure.AVERAGE, "size")
LEAST = Wanted(Figure.MIN, "size")
MOST = Wanted(Figure.MAX, "size")
DIFFERENT = Wanted(Figure.COUNT_DISTINCT, "name")
PLACE = Dimension("place", "county")
BY_COUNTY = {PLACE: cutter(Field("place", Kind.DIVISION, ""), "county")}


def table(by: tuple[Dimension, ...], rows: list[tuple[object, ...]]) -> Table:
    wanted = (COUNT, SUM, MEAN, LEAST, MOST)
    ask = TableAsk("Household", wanted, by=by)
    names = tuple(measure.name for measure in measures_of(wanted))
    return tabulated(ask, BY_COUNTY, Rows((*(each.field for each in by), *names), rows))


def test_groups_that_a_level_makes_one_are_put_together() -> None:
    rows: list[tuple[object, ...]] = [
        ("320206001", 1, None, 0, None, None),
        ("320205106", 2, Decimal("1.5"), 1, Decimal("1.5"), Decimal("1.5")),
        (None, 1, Decimal(7), 1, Decimal(7), Decimal(7)),
        ("320205107", 3, Decimal("0.50"), 3, Decimal("0.10"), Decimal("0.3")),
        (INVALID, 4, None, 0, None, None),
    ]

    found = table((PLACE,), rows)

    assert found.groups == Groups(
        [("320205",), ("320206",), (None,)],
        {
            COUNT: [5, 1, 5],
            SUM: [Decimal("2.00"), None, Decimal(7)],
            MEAN: [Decimal("0.5"), None, Decimal(7)],
            LEAST: [Decimal("0.10"), None, Decimal(7)],
            MOST: [Decimal("1.5"), None, Decimal(7)],
        },
        [False] * 3,
    )
    assert found.total == Groups(
        [()],
        {
            COUNT: [11],
            SUM: [Decimal("9.00")],
            MEAN: [Decimal("1.8")],
            LEAST: [Decimal("0.10")],
            MOST: [Decimal(7)],
        },
        [False],
    )


def test_of_no_rows_there_is_a_total_and_no_group() -> None:
    figures = (COUNT, SUM, MEAN, LEAST, MOST)
    nothing = {COUNT: [0]} | {each: [None] for each in figures[1:]}

    for by in ((), (PLACE,)):
        found = table(by, [])

        assert found.groups == Groups([], {each: [] for each in figures}, [])
        assert found.total == Groups([()], nothing, [False])


def test_values_of_groups_put_together_are_told_apart_once() -> None:
    ask = TableAsk("Resident", (DIFFERENT,), by=(PLACE,))
    rows = Rows(
        ("place", "name", measures_of(())[0].name),
        [
            ("320205106", "甲", 1),
            ("320205107", "甲", 2),
            ("320205107", "乙", 3),
            ("320205107", None, 4),
            ("320206001", INVALID, 5),
        ],
    )

    found = tabulated(ask, BY_COUNTY, rows)

    assert found.groups == Groups([("320205",), ("320206",)], {DIFFERENT: [2, 0]}, [False] * 2)
    assert found.total == Groups([()], {DIFFERENT: [2]}, [False])


def test_groups_stand_in_the_order_of_all_parts_of_their_keys_numbers_by_size_nulls_last() -> None:
    keys = [(10, "乙"), (9, None), (None, "甲"), (10, None), (9, "甲"), (10, "甲"), (9, "甲")]

    places = places_of([*zip(*keys, strict=True)])

    assert places == [[4, 6], [1], [0], [5], [3], [2]]


def test_equal_moments_of_different_clocks_are_of_one_day() -> None:
    cut = cutter(Field("at", Kind.DATETIME, ""), "day")
    evening = datetime(2025, 12, 31, 16, 30, tzinfo=UTC)
    column = [evening, evening.astimezone(ZONE), None, INVALID, datetime.max.replace(tzinfo=UTC)]

    assert cut_column(cut, column) == ["2026-01-01", "2026-01-01", None, None, None]


def test_values_as_they_are_stay_as_they_are_but_for_what_nobody_can_read() -> None:
    cut = cutter(Field("born", Kind.DATE, ""), "")
    column = (date(1990, 1, 1), None)

    assert cut_column(cut, column) is column
    assert cut_column(cut, (*column, INVALID)) == [*column, None]
