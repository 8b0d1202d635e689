from dataclasses import replace
from datetime import date
from decimal import Decimal
from operator import ge, gt, le, lt

import pytest

from contract.errors import SourceRefused
from contract.predicate import (
    And,
    Comparison,
    Contains,
    In,
    IsNull,
    Leaf,
    Not,
    Operator,
    Predicate,
    StartsWith,
    Within,
    all_of,
)
from contract.read import Aggregate, ForEach, Function, Measure, Order, Read, Rows
from contract.source import Capabilities, pushes, split
from sources import rowset
from sources.codec import money, text
from sources.declaration import (
    Budget,
    Endpoint,
    Paging,
)
from sources.http_question import capabilities_of
from tests.loopback import Received, Reply, json_reply, serving
from tests.servers import Department as Stub
from tests.servers import Fault
from tests.sources import rest_world, world
from tests.sources.enrolments import (
    AREA,
    COLUMNS,
    ENDPOINT,
    ENROLMENTS,
    FIELDS,
    PARAMETERS,
    ROWS,
    answered,
    asking,
    by_key,
    column,
    failed,
    mapped,
    scan,
    stub,
)


@pytest.mark.parametrize(
    ("where", "queries"),
    [
        (Comparison("kind", Operator.EQ, "RESIDENT"), ["insutype=390"]),
        (Comparison("kind", Operator.EQ, "EMPLOYEE"), ["insutype=310", "insutype=311"]),
        (In("kind", ("EMPLOYEE", "RESIDENT")), ["insutypes=310%2C311%2C390"]),
        (Comparison("balance", Operator.GTE, Decimal("1.50")), ["least=1.50"]),
        (Comparison("startedOn", Operator.LT, date(2024, 3, 1)), ["before=20240301"]),
        (StartsWith("number", "张 1"), ["prefix=%E5%BC%A0%201"]),
        (Contains("number", "%"), ["part=%25"]),
        (IsNull("balance"), ["unpaid=true"]),
        (Within("area", "3204"), ["area=320400"]),
        (Within("area", "320481101"), []),
        (And((IsNull("balance"), Within("area", "32"))), ["area=320000&unpaid=true"]),
    ],
)
async def test_a_declared_filter_is_sent_in_native_values(
    where: Predicate, queries: list[str]
) -> None:
    endpoint = Endpoint(scan=True, parameters=PARAMETERS)
    async with (
        serving(lambda _: json_reply([])) as loopback,
        asking(loopback, endpoint, {**COLUMNS, **AREA}) as source,
    ):
        assert pushes(source.entities["Enrolment"], where)
        await source.read(scan(where))

        assert sorted(received.raw_query for received in loopback.received) == queries


def test_the_batch_claimed_is_one_wave_of_requests_within_reason() -> None:
    sizes = [(1, 8, 100), (50, 8, 400), (200, 16, 1000)]

    claimed = [
        capabilities_of(
            mapped(None),
            Endpoint(by_key={"idNumber": ("certno", size)}),
            Budget(concurrency=concurrency),
        ).batch
        for size, concurrency, _ in sizes
    ]

    assert claimed == [batch for _, _, batch in sizes]


@pytest.mark.parametrize("where", [StartsWith("number", ""), Contains("number", "")])
async def test_an_empty_operand_is_not_sent_since_it_may_mean_any(where: Predicate) -> None:
    system = stub()
    endpoint = replace(ENDPOINT, parameters=PARAMETERS, scan=True)

    assert await answered(system, scan(where), endpoint, columns={**COLUMNS, **AREA}) == list(ROWS)
    assert system.asked == [{}]


@pytest.mark.parametrize(
    ("declared", "where", "query"),
    [
        ({"lt": "below"}, Comparison("balance", Operator.LT, Decimal("0.005")), ""),
        (
            {"lt": "below", "lte": "most"},
            Comparison("balance", Operator.LT, Decimal("0.005")),
            "most=0",
        ),
        ({"gte": "least"}, Comparison("balance", Operator.GTE, Decimal("0.005")), "least=0"),
        ({"gt": "over"}, Comparison("balance", Operator.GT, Decimal("0.005")), "over=0"),
    ],
)
async def test_a_range_is_never_asked_narrower_than_it_is(
    declared: dict[str, str], where: Comparison, query: str
) -> None:
    columns = {**COLUMNS, "balance": column("balance", "balc", money("fen", "integer"))}

    def handler(received: Received) -> Reply:
        runs = {"below": lt, "most": le, "least": ge, "over": gt}
        asked = [(runs[name], int(value)) for name, value in received.query]
        kept = [fen for fen in (-1, 0, 1) if all(run(fen, value) for run, value in asked)]
        return json_reply([{**ENROLMENTS[0], "psn_no": f"P{fen}", "balc": fen} for fen in kept])

    parameters = {("balance", name): parameter for name, parameter in declared.items()}
    endpoint = Endpoint(scan=True, parameters=parameters, trusted=True)
    async with (
        serving(handler) as loopback,
        asking(loopback, endpoint, columns) as source,
    ):
        answer = await source.read(scan(where, fields=("number",)))

        assert loopback.received[0].raw_query == query
    expected = ["P-1", "P0"] if where.operator is Operator.LT else ["P1"]
    assert [number for (number,) in answer.rows] == expected


async def test_every_native_spelling_of_a_key_is_asked_and_read_back() -> None:
    columns = {**COLUMNS, "idNumber": column("idNumber", "certno", text(upper=True))}
    rows = [{**ENROLMENTS[0], "certno": "1X"}, {**ENROLMENTS[1], "certno": "1x"}]
    system = Stub(rows)

    read = by_key("1X", fields=("number", "idNumber"))
    found = await answered(system, read, columns=columns)

    assert found == [("P1", "1X"), ("P2", "1X")]
    assert [asked["certno"] for asked in system.asked] == ["1X,1x"]


async def test_what_is_claimed_is_what_is_declared() -> None:
    parameters = {
        **PARAMETERS,
        ("kind", "lt"): "no order of ours",
        ("startedOn", "contains"): "no text",
        ("startedOn", "isNull"): "has blanks for null",
    }
    endpoint = replace(ENDPOINT, parameters=parameters, scan=False, trusted=True)
    async with (
        serving(stub()) as loopback,
        asking(loopback, endpoint, {**COLUMNS, **AREA}) as source,
    ):
        claimed = source.entities["Enrolment"]

    assert claimed.operators == {
        "idNumber": {Operator.EQ, Operator.IN},
        "kind": {Operator.EQ, Operator.IN},
        "balance": {Operator.GTE, Operator.IS_NULL},
        "startedOn": {Operator.LT},
        "number": {Operator.STARTS_WITH, Operator.CONTAINS},
        "area": {Operator.WITHIN},
    }
    assert claimed.excluded == {"kind": {"UNKNOWN"}}
    assert claimed.for_each == {("idNumber",)}
    assert claimed == Capabilities(
        operators=claimed.operators,
        for_each=claimed.for_each,
        batch=100,
        scan=False,
        excluded=claimed.excluded,
        trusted=True,
    )


async def test_rows_are_checked_again_unless_the_system_is_trusted() -> None:
    endpoint = replace(ENDPOINT, parameters={("kind", "eq"): "insutype"})
    system = stub(Fault.IGNORED_FILTER)
    read = scan(Comparison("kind", Operator.EQ, "RESIDENT"))

    async with serving(system) as loopback, asking(loopback, endpoint) as source:
        assert not source.entities["Enrolment"].trusted
        assert len((await source.read(read)).rows) == 5
    assert await answered(stub(), read, endpoint) == [ROWS[1]]


@pytest.mark.parametrize(
    "read",
    [
        replace(by_key("A"), limit=1),
        replace(scan(), order_by=(Order("number"),)),
        scan(Comparison("kind", Operator.EQ, "RESIDENT")),
        scan(Comparison("idNumber", Operator.LT, "B")),
        scan(Not(Comparison("idNumber", Operator.EQ, "B"))),
        scan(IsNull("nothing")),
        scan(fields=("nothing",)),
        Read("Nothing", FIELDS),
        Read("Enrolment", FIELDS, for_each=ForEach(("number",), (("P1",),))),
        Read("Enrolment", FIELDS, for_each=ForEach(("idNumber", "kind"), (("A", "EMPLOYEE"),))),
    ],
)
async def test_what_is_not_claimed_is_refused_and_not_asked(read: Read) -> None:
    system = stub()

    assert type(await failed(system, read)) is SourceRefused
    assert system.asked == []


async def test_a_listing_is_refused_unless_declared() -> None:
    system = stub()

    assert type(await failed(system, scan(), replace(ENDPOINT, scan=False))) is SourceRefused
    assert system.asked == []


async def test_an_unknown_code_is_never_an_operand() -> None:
    endpoint = replace(ENDPOINT, parameters={("kind", "eq"): "insutype"})
    read = scan(Comparison("kind", Operator.EQ, "UNKNOWN"))

    assert type(await failed(stub(), read, endpoint)) is SourceRefused


async def test_aggregates_are_refused() -> None:
    async with serving(stub()) as loopback, asking(loopback) as source:
        with pytest.raises(SourceRefused):
            await source.aggregate(Aggregate("Enrolment", (Measure("n", Function.COUNT),)))


LEAVES = [
    leaf
    for (field, operator) in (*rest_world.FILTERS, *((name, "isNull") for name in rest_world.NULLS))
    for leaf in rest_world.leaves(field, Operator(operator))
]


@pytest.mark.parametrize("leaf", LEAVES, ids=repr)
async def test_every_declared_filter_has_our_meaning_for_every_value(leaf: Leaf) -> None:
    fields = tuple(world.PERSON)
    async with rest_world.system() as source:
        parts = split(source.entities["Person"], leaf)
        rows = await source.read(Read("Person", fields, parts.pushed))

    everything = Rows(fields, [tuple(row.values()) for row in world.ROWS["Person"]])
    kept = rowset.ordered(rowset.keep(rows, parts.residual), (Order("number"),))
    assert kept == rowset.keep(everything, leaf)


async def test_a_second_condition_on_one_parameter_is_run_on_the_rows() -> None:
    system = stub()
    endpoint = replace(ENDPOINT, parameters={("kind", "eq"): "insutype"}, trusted=True)
    where = all_of(*(Comparison("kind", Operator.EQ, kind) for kind in ("RESIDENT", "EMPLOYEE")))

    assert await answered(system, scan(where), endpoint) == []
    assert [asked["insutype"] for asked in system.asked] == ["390"]


@pytest.mark.parametrize(("more", "pages"), [(True, 2), (False, 1)])
async def test_a_system_may_say_whether_there_is_another_page(more: bool, pages: int) -> None:
    def handler(received: Received) -> Reply:
        first = "cursor" not in received.parameters
        rows = ENROLMENTS[:2] if first else ENROLMENTS[2:3]
        return json_reply({"rows": rows, "next": "x", "more": first and more})

    paging = Paging("cursor", "cursor", "limit", 2, next="next", more="more")
    endpoint = Endpoint(rows="rows", paging=paging, scan=True)
    async with serving(handler) as loopback, asking(loopback, endpoint) as source:
        found = await source.read(scan(fields=("number",)))

        assert len(loopback.received) == pages
    assert list(found.rows) == [(row[0],) for row in ROWS[: 3 if more else 2]]
