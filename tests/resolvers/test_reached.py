from contract.entity import Entity, Field, Kind, Relationship
from contract.predicate import TRUE, In
from resolvers.ask import reached_from
from resolvers.record import Layout, Record, joined

CARD = Relationship("card", "Card", (("number", "holder"),))
HOLDER = Entity("Holder", {"number": Field("number", Kind.STRING)}, ("number",), {"card": CARD})
LAYOUT = Layout(HOLDER, "register", "户籍", {}, {"number": 0})


def holder(number: str, *grants: int) -> Record:
    return Record(LAYOUT, (), (number,), frozenset(grants))


def test_rows_of_one_key_are_beneath_the_grants_that_open_all_of_its_parents() -> None:
    parents = [holder("1", 0, 1), holder("1", 1, 2), holder("2", 0)]

    reached = reached_from(CARD, parents, joined(parents, CARD))

    assert reached.parents == {("1",): frozenset((1,)), ("2",): frozenset((0,))}
    assert [reached.beneath(number) for number in range(3)] == [
        In("holder", ("2",)),
        In("holder", ("1",)),
        In("holder", ()),
    ]


def test_rows_beneath_parents_that_one_grant_opens_need_no_keys() -> None:
    parents = [holder("1", 0), holder("2", 0, 1)]

    reached = reached_from(CARD, parents, joined(parents, CARD))

    assert (reached.beneath(0), reached.beneath(1)) == (TRUE, In("holder", ("2",)))
