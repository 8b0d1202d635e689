import asyncio
import json
import time
from collections import Counter
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from contract.errors import SourceRefused, SourceTimeout, SourceUnavailable
from contract.predicate import (
    FALSE,
    Comparison,
    Constant,
    In,
    IsNull,
    Operator,
    Predicate,
    all_of,
)
from sources.declaration import (
    Budget,
    Endpoint,
)
from tests.loopback import Loopback, Received, Reply, json_reply, serving
from tests.servers import Department as Stub
from tests.servers import Fault
from tests.sources.enrolments import (
    ENDPOINT,
    ENROLMENTS,
    PAGES,
    ROWS,
    answered,
    asking,
    by_key,
    failed,
    scan,
    stub,
)


async def test_rows_are_read_with_our_values_in_the_order_of_the_answer() -> None:
    assert await answered(stub(), scan()) == list(ROWS)


async def test_only_the_fields_asked_for_come_back_in_their_order() -> None:
    read = scan(fields=("balance", "number"))

    assert await answered(stub(), read) == [(row[3], row[0]) for row in ROWS]


async def test_keys_are_asked_in_batches_and_rows_come_in_their_order() -> None:
    system = stub()

    rows = await answered(system, by_key("D", "C", "B", "A", "A", "nobody"))

    assert rows == [ROWS[3], ROWS[4], ROWS[0], ROWS[1], ROWS[2]]
    assert Counter(asked["certno"] for asked in system.asked) == Counter(["D,C", "B,A", "nobody"])


@pytest.mark.parametrize(
    ("where", "wanted"),
    [
        (In("idNumber", ("A", "C")), [ROWS[0], ROWS[3]]),
        (Comparison("idNumber", Operator.EQ, "A"), [ROWS[0]]),
    ],
)
async def test_an_equality_on_the_key_is_asked_by_key(
    where: Predicate, wanted: list[tuple[object, ...]]
) -> None:
    system = stub()
    endpoint = replace(ENDPOINT, scan=False)

    assert await answered(system, scan(where), endpoint) == wanted
    assert [asked["certno"] for asked in system.asked] == [",".join(str(row[1]) for row in wanted)]


async def test_a_second_condition_on_the_key_is_run_on_the_rows() -> None:
    where = all_of(In("idNumber", ("B", "C")), Comparison("idNumber", Operator.EQ, "C"))
    read = by_key("A", "B", "C", fields=("number",), where=where)

    assert await answered(stub(), read) == [("P4",)]


@pytest.mark.parametrize("where", [FALSE, Constant(None), In("kind", ()), In("idNumber", ())])
async def test_what_nothing_can_match_is_not_asked(where: Predicate) -> None:
    system = stub()
    endpoint = replace(ENDPOINT, parameters={("kind", "in"): "insutype"})

    assert await answered(system, scan(where), endpoint) == []
    assert system.asked == []


async def test_all_batches_run_at_the_same_time_within_the_concurrency() -> None:
    arrived = 0
    all_in = asyncio.Event()

    def handler(received: Received) -> Reply:
        nonlocal arrived
        arrived += 1
        if arrived == 3:
            all_in.set()
        return stub()(received)

    async with serving(handler) as loopback:
        budget = Budget(seconds=5.0, concurrency=3)
        async with asking(loopback, budget=budget) as source:
            rows = await source.read(by_key(*"ABCDEF"))
        connections = loopback.connections

    assert (len(rows.rows), arrived, connections) == (5, 3, 3)


@pytest.mark.parametrize("style", PAGES)
@pytest.mark.parametrize(("limit", "pages"), [(1, 1), (2, 1), (3, 2), (5, 3), (9, 3)])
async def test_no_more_pages_are_asked_for_than_a_limit_needs(
    style: str, limit: int, pages: int
) -> None:
    system, endpoint = stub(), replace(ENDPOINT, paging=PAGES[style])

    assert await answered(system, replace(scan(), limit=limit), endpoint) == list(ROWS[:limit])
    assert len(system.asked) == pages


async def test_a_limit_counts_the_rows_that_are_kept() -> None:
    where = all_of(In("idNumber", ("B", "C")), Comparison("idNumber", Operator.EQ, "C"))
    endpoint = replace(ENDPOINT, paging=PAGES["page"])

    assert await answered(stub(), replace(scan(where), limit=1), endpoint) == [ROWS[3]]


async def test_a_system_with_more_rows_than_the_budget_gives_the_few_asked_for() -> None:
    endpoint, budget = replace(ENDPOINT, paging=PAGES["page"]), Budget(seconds=5.0, rows=4)

    rows = await answered(stub(), replace(scan(), limit=2), endpoint, budget=budget)
    failure = await failed(stub(), scan(), endpoint, budget=budget)

    assert rows == list(ROWS[:2])
    assert isinstance(failure, SourceRefused)


@pytest.mark.parametrize("style", PAGES)
async def test_pages_are_read_to_the_end(style: str) -> None:
    system = stub()
    endpoint = replace(ENDPOINT, paging=PAGES[style])

    assert await answered(system, scan(), endpoint) == list(ROWS)
    assert len(system.asked) == 3


@pytest.mark.parametrize("style", PAGES)
async def test_without_a_total_the_last_page_is_the_one_that_is_not_full(style: str) -> None:
    system = Stub(ENROLMENTS[:4])
    endpoint = replace(ENDPOINT, paging=PAGES[style], total="")

    assert await answered(system, scan(), endpoint) == list(ROWS[:4])
    assert len(system.asked) == (2 if style == "cursor" else 3)


async def test_each_batch_of_keys_has_its_own_pages() -> None:
    system = stub()
    endpoint = replace(ENDPOINT, paging=PAGES["page"])

    rows = await answered(system, by_key("A", "B", "C"), endpoint)

    assert rows == list(ROWS[:4])
    assert sorted((asked["certno"], asked["pageNum"]) for asked in system.asked) == [
        ("A,B", "1"),
        ("A,B", "2"),
        ("C", "1"),
    ]


@pytest.mark.parametrize(
    ("separator", "query"),
    [("|", [("certno", "A|B c&=+张")]), ("", [("certno", "A"), ("certno", "B c&=+张")])],
)
async def test_keys_go_together_as_declared(separator: str, query: list[tuple[str, str]]) -> None:
    endpoint = Endpoint(
        by_key={"idNumber": ("certno", 9)}, key_separator=separator, fixed={"app": "tg"}
    )
    async with serving(lambda _: json_reply([])) as loopback, asking(loopback, endpoint) as source:
        await source.read(by_key("A", "B c&=+张"))

        assert loopback.received[0].query == [("app", "tg"), *query]


async def test_a_key_that_holds_the_separator_is_refused() -> None:
    system = stub()

    assert type(await failed(system, by_key("A,B"))) is SourceRefused
    assert system.asked == []


async def test_a_posted_body_holds_the_parameters_where_declared() -> None:
    endpoint = replace(
        ENDPOINT,
        method="POST",
        body={"infno": "5301", "data": {"mode": 1}},
        parameters_at="data.query",
        fixed={"app": "tg"},
        paging=PAGES["page"],
        answered="",
        total="",
        parameters={
            ("balance", "gte"): "least",
            ("startedOn", "eq"): "day",
            ("kind", "isNull"): "none",
        },
        key_separator="",
    )
    where = all_of(
        Comparison("balance", Operator.GTE, Decimal("1.50")),
        Comparison("startedOn", Operator.EQ, date(2024, 2, 29)),
        IsNull("kind"),
    )
    empty = {"infcode": 0, "output": {"rows": []}}
    async with (
        serving(lambda _: json_reply(empty)) as loopback,
        asking(loopback, endpoint) as source,
    ):
        await source.read(by_key("A", "B", where=where))
        received = loopback.received[0]

    assert (received.method, received.raw_query) == ("POST", "")
    assert b'"least":1.50' in received.body
    assert json.loads(received.body) == {
        "infno": "5301",
        "data": {
            "mode": 1,
            "query": {
                "app": "tg",
                "certno": ["A", "B"],
                "least": 1.5,
                "day": "20240229",
                "none": True,
                "pageNum": 1,
                "pageSize": 2,
            },
        },
    }


@pytest.mark.parametrize("fault", [Fault.HANG, Fault.DRIP, Fault.HEADER_DRIP])
async def test_a_read_ends_with_its_budget_and_recovers_by_itself(fault: Fault) -> None:
    system = stub(fault)
    budget = Budget(seconds=0.2, concurrency=2)
    async with serving(system) as loopback, asking(loopback, budget=budget) as source:
        start = time.monotonic()
        with pytest.raises(SourceTimeout):
            await source.read(by_key("A", "B", "C", "D", "E", "F"))
        seconds = time.monotonic() - start
        system.fault = Fault.NONE
        rows = await source.read(by_key("A"))

    assert 0.15 < seconds < 0.7
    assert list(rows.rows) == [ROWS[0]]


async def test_one_failed_batch_ends_the_others_at_once() -> None:
    def handler(received: Received) -> Reply:
        hangs = received.parameters["certno"] == "A,B"
        return stub(Fault.HANG if hangs else Fault.FAILED)(received)

    budget = Budget(seconds=0.5)
    async with serving(handler) as loopback, asking(loopback, budget=budget) as source:
        start = time.monotonic()
        with pytest.raises(SourceUnavailable):
            await source.read(by_key("A", "B", "C"))
        assert time.monotonic() - start < 0.4


async def test_a_cancelled_read_leaves_the_source_healthy() -> None:
    system = stub(Fault.HANG)
    arrived = asyncio.Event()

    def handler(received: Received) -> Reply:
        arrived.set()
        return system(received)

    budget = Budget(seconds=1.0, concurrency=2)
    async with serving(handler) as loopback, asking(loopback, budget=budget) as source:
        call = asyncio.create_task(source.read(by_key("A")))
        await arrived.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        system.fault = Fault.NONE
        rows = await source.read(by_key("A"))

    assert list(rows.rows) == [ROWS[0]]


async def test_a_system_that_is_down_is_unavailable_until_it_is_back(
    unused_tcp_port: int,
) -> None:
    there = Loopback(stub())
    there.url = f"http://127.0.0.1:{unused_tcp_port}"
    async with asking(there) as source:
        with pytest.raises(SourceUnavailable):
            await source.read(by_key("A"))
        async with serving(stub(), port=unused_tcp_port):
            rows = await source.read(by_key("A"))
        with pytest.raises(SourceUnavailable):
            await source.read(by_key("A"))

    assert list(rows.rows) == [ROWS[0]]
