"""Groups of several systems, or of several native keys, as one."""

from decimal import Decimal

from contract.read import Aggregate, Function, Measure, Rows
from sources.merging import added, grouped, joined

MEASURES = (
    Measure("rows", Function.COUNT),
    Measure("sum", Function.SUM, "size"),
    Measure("least", Function.MIN, "size"),
    Measure("most", Function.MAX, "size"),
)
NAMES = tuple(measure.name for measure in MEASURES)


def test_groups_of_several_systems_are_one_group_each() -> None:
    question = Aggregate("Place", MEASURES, group_by=("town",))
    answers = [
        Rows(("town", *NAMES), [("甲", 2, Decimal("1.10"), 1, 5), (None, 1, None, None, None)]),
        Rows(("town", *NAMES), [("乙", 1, Decimal(7), 7, 7), ("甲", 3, Decimal("0.9"), 0, 4)]),
        Rows(("town", *NAMES), [(None, 4, Decimal(3), 3, 3)]),
    ]

    assert added(question, answers) == Rows(
        ("town", *NAMES),
        [
            ("甲", 5, Decimal("2.00"), 0, 5),
            (None, 5, Decimal(3), 3, 3),
            ("乙", 1, Decimal(7), 7, 7),
        ],
    )


def test_without_groups_all_systems_are_one_row() -> None:
    answers = [Rows(NAMES, [(0, None, None, None)]), Rows(NAMES, [(2, 9, 4, 5)])]

    assert added(Aggregate("Place", MEASURES), answers) == Rows(NAMES, [(2, 9, 4, 5)])


def test_groups_that_are_groups_already_are_left_as_they_came() -> None:
    keys = [("乙",), ("甲",)]

    assert grouped(keys, [Function.SUM], [(None, 1)]) == [("乙", None), ("甲", 1)]
    assert grouped([], [Function.SUM], [()]) == []


def test_a_measure_of_parts_that_have_none_is_null() -> None:
    assert joined(Function.SUM, [None, 2, None, 3], [[0, 2], [1, 3], []]) == [None, 5, None]
