"""What somebody tries who wants to learn of rows or fields that are not for them."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from random import Random
from typing import Final

import pytest

from resolvers.usage import Usage
from tests import world
from tests.divided import divided
from tests.graph import SYSTEMS
from tests.probed import (
    ALSO,
    FILTERED,
    LISTS,
    PROVENANCE,
    Failing,
    entities,
    probed,
    told,
)
from tests.twins import World, changed_outside

# Records that follow somebody else than the row that they are reached from.

ELSEWHERE = [{**world.HOUSEHOLDS[0], "headIdNumber": world.id_number(7)}]
THERE: World = {**world.ROWS, "Household": ELSEWHERE}
NOWHERE: World = {
    **THERE,
    "MedicalEnrollment": [row for row in world.ENROLLMENTS if row["personNumber"] != "P7"],
}
HOUSEHOLDS = (
    "{ households { nodes { number aids { kind } } } }",
    "{ households(where: {aids: {kind: {eq: RESIDENT}}}) { totalCount } }",
    "{ households(orderBy: [{aids: {personNumber: ASC}}]) { nodes { number } } }",
)


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("query", HOUSEHOLDS)
async def test_records_of_somebody_out_of_scope_change_no_question_to_a_system(
    query: str, shared: bool
) -> None:
    there, nowhere = probed(THERE, shared=shared), probed(NOWHERE, shared=shared)

    one, other = await told(there, "clerk", query), await told(nowhere, "clerk", query)

    assert one.body == other.body
    assert there.reads() == nowhere.reads()


async def test_records_of_a_resident_whom_a_role_without_records_opens_change_no_question() -> None:
    query = '{ residents(where: {medicalEnrollments: {personNumber: {eq: "P4"}}}) { totalCount } }'
    without = [row for row in world.ENROLLMENTS if row["personNumber"] != "P4"]
    there = probed(world.ROWS)
    nowhere = probed({**world.ROWS, "MedicalEnrollment": without})

    one, other = [await told(graph, "registers", query) for graph in (there, nowhere)]

    assert one.body == other.body
    assert there.reads() == nowhere.reads()


@pytest.mark.parametrize("query", HOUSEHOLDS)
async def test_records_of_somebody_out_of_scope_are_neither_shown_nor_filtered_by(
    query: str,
) -> None:
    there, nowhere = probed(THERE), probed(NOWHERE)

    one, other = await told(there, "clerk", query), await told(nowhere, "clerk", query)

    assert one.body == other.body


async def test_sums_of_use_count_no_rows_that_nobody_was_shown() -> None:
    sums = []
    for rows in (THERE, NOWHERE):
        answer = await told(probed(rows), "clerk", HOUSEHOLDS[0])
        usage = Usage()
        usage.note(ALSO["clerk"], answer.calls)
        asked = [(asking.source, asking.entity, each.rows) for asking, each in usage.since(None)]
        sums.append([each for each in asked if each[0] == "medical_insurance"])

    assert sums[0] == sums[1]


# Orders over related rows.

MASKED = (
    "residents(orderBy: [{cases: {contactPhone: DESC}}], first: 1)",
    "residents(orderBy: [{household: {headIdNumber: ASC}}], last: 1)",
    "residents(orderBy: [{medicalEnrollments: {balance: ASC}}])",
    "cases(orderBy: [{applicant: {idNumber: DESC}}])",
    "households(orderBy: [{members: {phone: ASC}}])",
)


@pytest.mark.parametrize("account", ["clerk", "both", "two", "province"])
@pytest.mark.parametrize("field", MASKED)
async def test_nobody_sorts_by_what_is_masked_of_related_rows(field: str, account: str) -> None:
    graph = probed(world.ROWS, shared=True)

    answer = await told(graph, account, f"{{ {field} {{ nodes {{ id }} }} }}")

    assert answer.codes == ["FORBIDDEN"]
    assert graph.reads() == []


async def test_one_role_does_not_lend_another_its_fields_to_sort_by() -> None:
    query = """{
      cases(orderBy: [{applicant: {phone: DESC}}]) {
        nodes { number } edges { cursor } pageInfo { endCursor }
      }
    }"""
    numbers = count(19990000000)
    others = [
        {**row, "phone": str(next(numbers))} if row["residenceDivision"] == world.XIBEI else row
        for row in world.RESIDENTS[::-1]
    ]
    # 8号 is registered elsewhere, 2号 in the dialler's township: its phone may be sorted by.
    same = [
        {**row, "phone": world.RESIDENTS[2]["phone"]} if row["number"] == "R02" else row
        for row in others
    ]

    answers = [
        await told(probed({**world.ROWS, "Resident": rows}), "dials", query)
        for rows in (world.RESIDENTS, same)
    ]

    numbers_of = [node["number"] for node in answers[0].data["cases"]["nodes"]]
    assert numbers_of[:2] == ["C07", "C03"]
    assert answers[0].body == answers[1].body


RANKED = """
query($order: [ResidentOrder!], $last: Int, $first: Int, $before: String, $after: String) {
  residents(orderBy: $order, last: $last, first: $first, before: $before, after: $after) {
    totalCount edges { cursor node { address } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}
"""
ORDERS: Final[Sequence[Mapping[str, object]]] = (
    {"cases": {"appliedAt": "DESC"}},
    {"cases": {"handler": "ASC"}},
    {"household": {"address": "DESC"}},
    {"medicalEnrollments": {"personNumber": "ASC"}},
)


@pytest.mark.parametrize("account", ["clerk", "county", "two", "both"])
async def test_an_order_and_its_cursors_know_nothing_of_related_rows_out_of_scope(
    account: str,
) -> None:
    seen = 0
    for seed in range(8):
        chance = Random(f"{account} {seed}")
        shared, order = chance.random() < 0.5, [chance.choice(ORDERS)]
        changed = changed_outside(chance, account)
        twins = [probed(rows, shared=shared) for rows in (world.ROWS, changed)]
        page: dict[str, object] = {chance.choice(("first", "last")): 2}

        first = [await told(twin, account, RANKED, order=order, **page) for twin in twins]
        assert first[0].body == first[1].body
        end = first[0].data["residents"]["pageInfo"]
        turned: dict[str, object] = (
            {"before": end["startCursor"]} if "last" in page else {"after": end["endCursor"]}
        )
        second = [
            await told(twin, account, RANKED, order=order, **page, **turned) for twin in twins
        ]
        control = [await told(twin, "province", RANKED, order=order, first=20) for twin in twins]

        assert second[0].body == second[1].body
        seen += control[0].body != control[1].body
    assert seen > 3


async def test_a_cursor_over_related_rows_is_worth_nothing_for_another_account_or_order() -> None:
    graph = probed(world.ROWS)
    mine = await told(graph, "province", RANKED, order=[ORDERS[0]], first=3)
    cursor = mine.data["residents"]["pageInfo"]["endCursor"]

    answers = [
        await told(graph, account, RANKED, order=[order], first=3, after=cursor)
        for account, order in (("clerk", ORDERS[0]), ("province", ORDERS[1]))
    ]

    assert [answer.codes for answer in answers] == [["BAD_USER_INPUT"], ["BAD_USER_INPUT"]]


# Filters over records whose policy is left out, since the row asked about has it.

NUMBER = {"personNumber": {"eq": "P4"}}
NOTE = {"note": {"eq": "同意"}}
ROOM = {"address": {"eq": "0号"}}
NESTED: Final[Sequence[tuple[str, Mapping[str, object]]]] = (
    ("Resident", {"not": {"medicalEnrollments": NUMBER}}),
    ("Resident", {"household": {"members": {"medicalEnrollments": NUMBER}}}),
    ("Resident", {"household": {"not": {"members": {"not": {"medicalEnrollments": NUMBER}}}}}),
    ("Resident", {"medicalEnrollments": {"subject": {"cases": {"events": NOTE}}}}),
    ("Resident", {"or": [{"cases": {"applicant": {"medicalEnrollments": NUMBER}}}, ROOM]}),
    ("Case", {"applicant": {"not": {"medicalEnrollments": {"kind": {"eq": "RESIDENT"}}}}}),
    ("Case", {"events": {"case": {"applicant": {"household": {"members": {"cases": {}}}}}}}),
    ("Household", {"head": {"medicalEnrollments": NUMBER}}),
    ("Household", {"not": {"aids": {"personNumber": {"startsWith": "P"}}}}),
    ("Household", {"or": [{"aids": NUMBER}, {"members": {"medicalEnrollments": NUMBER}}]}),
)


def _filters(account: str) -> Iterator[tuple[str, Mapping[str, object]]]:
    yield from (each for each in NESTED if account != "grid" or "ases" not in str(each))


@pytest.mark.parametrize("account", ["clerk", "grid", "two", "registers", "both"])
async def test_a_filter_that_follows_knows_nothing_of_records_out_of_scope(account: str) -> None:
    seen = 0
    asked_as = {"registers": "county"}.get(account, account)  # who sees all that they do, and more
    for seed in range(2):
        changed = changed_outside(Random(seed), asked_as)
        twins = [probed(rows, shared=bool(seed)) for rows in (world.ROWS, changed)]
        for entity, where in _filters(account):
            query = FILTERED % (entity, LISTS[entity])
            one, other = [await told(twin, account, query, where=where) for twin in twins]
            control = [await told(twin, "province", query, where=where) for twin in twins]

            if "aids" not in where and "or" not in where:
                assert one.body == other.body
            assert one.data == other.data
            seen += control[0].body != control[1].body
    assert seen


async def test_records_of_a_resident_whom_a_role_without_records_opens_decide_nothing() -> None:
    without = [row for row in world.ENROLLMENTS if row["personNumber"] != "P4"]
    twins = [probed(rows) for rows in (world.ROWS, {**world.ROWS, "MedicalEnrollment": without})]
    asked = [(FILTERED % (entity, LISTS[entity]), {"where": where}) for entity, where in NESTED] + [
        (RANKED, {"order": [ORDERS[3]], "last": 20}),
        (PROVENANCE, {}),
    ]

    for query, variables in asked:
        one, other = [await told(twin, "registers", query, **variables) for twin in twins]
        assert one.body == other.body


BENEATH: Final = (
    "{ residents { nodes { address household { members { address medicalEnrollments { kind } } }"
    " cases(orderBy: [{applicant: {address: DESC}}]) { totalCount nodes { number } } } } }",
    "{ cases { nodes { number applicant { medicalEnrollments(where: {kind: {eq: RESIDENT}})"
    " { kind } household { head { cases { totalCount } } } } events { note } } } }",
    "{ residents { nodes { address household { aids { kind }"
    " head { address cases { totalCount } } } } } }",
)


@pytest.mark.parametrize("account", ["clerk", "grid", "two", "both"])
@pytest.mark.parametrize("query", BENEATH)
async def test_what_hangs_beneath_a_row_knows_nothing_of_rows_out_of_scope(
    query: str, account: str
) -> None:
    for seed in range(4):
        changed = changed_outside(Random(seed), account)
        twins = [probed(rows, shared=bool(seed % 2)) for rows in (world.ROWS, changed)]

        one, other = [await told(twin, account, query) for twin in twins]

        assert one.data == other.data
        if "aids" not in query:
            assert one.body == other.body


@pytest.mark.parametrize("down", ["medical_cases", "population_wuxi", "population"])
async def test_a_list_that_lacks_rows_knows_nothing_of_rows_out_of_scope_either(down: str) -> None:
    query = """{
      cases { totalCount pageInfo { hasNextPage } nodes { number applicant { address } } }
      residents(where: {cases: {}}) { totalCount nodes { address } }
      sorted: residents(orderBy: [{cases: {appliedAt: DESC}}]) { nodes { address } }
    }"""
    for seed in range(4):
        bodies = []
        for rows in (world.ROWS, changed_outside(Random(seed), "clerk")):
            silent = Failing(divided(rows, entities(), SYSTEMS)[down])
            silent.down = True
            graph = probed(rows, shared=True, **{down: silent})
            bodies.append((await told(graph, "clerk", query)).body)

        assert bodies[0] == bodies[1]
        assert b"SOURCE_UNAVAILABLE" in bodies[0]


async def test_a_filter_shows_no_more_to_who_has_two_roles_than_one_of_them_opens() -> None:
    query = FILTERED % ("Resident", "residents")
    where: Mapping[str, object] = {"medicalEnrollments": {}}
    graph = probed(world.ROWS)

    counts = [
        (await told(graph, account, query, where=where)).data["residents"]["totalCount"]
        for account in ("clerk", "registers", "county")
    ]

    assert counts == [3, 3, 4]


# Directions chosen by numbers, and refusals.


async def test_numbers_of_rows_out_of_scope_decide_neither_a_direction_nor_a_refusal() -> None:
    queries = (
        "{ residents(where: {cases: {status: {eq: ACCEPTED}}}) { nodes { address } } }",
        "{ residents(orderBy: [{cases: {appliedAt: DESC}}], first: 2) { nodes { address } } }",
        "{ cases(where: {not: {applicant: {sex: {eq: MALE}}}}, first: 2) { totalCount } }",
    )
    crowd = [{**world.case(1, 7, world.BENNIU), "number": f"D{serial}"} for serial in range(1_200)]
    people = [
        {**world.person(7, "外", world.BENNIU), "number": f"S{serial}"} for serial in range(1_200)
    ]
    crowded = {**world.ROWS, "Case": [*world.CASES, *crowd]}
    crowded["Resident"] = [*world.RESIDENTS, *people]

    for shared in (False, True):
        twins = [probed(rows, shared=shared) for rows in (world.ROWS, crowded)]
        for query in queries:
            one, other = [await told(twin, "clerk", query) for twin in twins]
            assert (one.body, one.calls) == (other.body, other.calls)
