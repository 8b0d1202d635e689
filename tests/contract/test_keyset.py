from hypothesis import given
from hypothesis import strategies as st

from contract.keyset import reversed_order, rows_after
from contract.predicate import FALSE, INVALID
from contract.read import Order, Rows
from sources import rowset

FIELDS = ("a", "b", "key")
some = st.sampled_from((None, INVALID, -1, 0, 1, 2))
tables = st.lists(st.tuples(some, st.sampled_from((-1, 0, 1))), max_size=8).map(
    lambda pairs: Rows(FIELDS, [(a, b, key) for key, (a, b) in enumerate(pairs)])
)
orders = st.lists(
    st.builds(Order, st.sampled_from(("a", "b")), st.booleans(), st.booleans()),
    max_size=2,
    unique_by=lambda order: order.field,
).map(lambda order_by: (*order_by, Order("key")))


@given(tables, orders, st.booleans())
def test_rows_after_keeps_exactly_the_rows_that_sort_behind(
    rows: Rows, order_by: tuple[Order, ...], told: bool
) -> None:
    required = frozenset(("b", "key")) if told else frozenset[str]()
    for direction in (order_by, reversed_order(order_by)):
        listed = rowset.ordered(rows, direction)
        for place, row in enumerate(listed.rows):
            values = [row[FIELDS.index(order.field)] for order in direction]

            behind = rowset.keep(listed, rows_after(direction, values, required))

            assert list(behind.rows) == list(listed.rows[place + 1 :])


def test_nothing_sorts_behind_without_an_order() -> None:
    assert rows_after((), ()) == FALSE
