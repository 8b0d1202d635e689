from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

import pytest

from contract.entity import Kind
from contract.errors import SourceFailure, SourceRefused, SourceUnavailable
from contract.predicate import (
    INVALID,
)
from contract.read import Read
from sources.codec import money
from sources.declaration import (
    Budget,
    Endpoint,
    Paging,
)
from sources.rest import RestSource
from tests.loopback import Received, Reply, json_reply, serving
from tests.servers import Department as Stub
from tests.servers import Fault
from tests.sources import rest_world, world
from tests.sources.enrolments import (
    COLUMNS,
    ENDPOINT,
    ENROLMENTS,
    PAGES,
    ROWS,
    answered,
    asking,
    by_key,
    column,
    failed,
    scan,
    stub,
)

FAULTS: dict[Fault, type[SourceFailure]] = {
    Fault.RESET: SourceUnavailable,
    Fault.FAILED: SourceUnavailable,
    Fault.BUSY: SourceUnavailable,
    Fault.UNAUTHORISED: SourceRefused,
    Fault.REDIRECT: SourceRefused,
    Fault.PACKED: SourceRefused,
    Fault.HTML: SourceRefused,
    Fault.EMPTY: SourceRefused,
    Fault.TRUNCATED: SourceRefused,
    Fault.NAN: SourceRefused,
    Fault.DEEP: SourceRefused,
    Fault.NOT_UTF8: SourceRefused,
    Fault.REPEATED_NAME: SourceRefused,
    Fault.GIANT: SourceRefused,
    Fault.GIANT_CHUNKED: SourceRefused,
    Fault.NO_ROWS: SourceRefused,
    Fault.NULL_ROWS: SourceRefused,
    Fault.ROWS_NOT_A_LIST: SourceRefused,
    Fault.ROW_NOT_AN_OBJECT: SourceRefused,
    Fault.NOT_SUCCESSFUL: SourceRefused,
    Fault.WRONG_KEY_TYPE: SourceRefused,
    Fault.NULL_KEY: SourceRefused,
    Fault.MISSING_KEY: SourceRefused,
    Fault.DUPLICATE_ROWS: SourceRefused,
    Fault.CONFLICTING_ROWS: SourceRefused,
    Fault.WRONG_TOTAL: SourceRefused,
    Fault.NO_TOTAL: SourceRefused,
    Fault.UNANSWERED_KEY: SourceRefused,
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_of_the_system_fails_the_whole_read(fault: Fault) -> None:
    failure = await failed(stub(fault), by_key("A", "B", "C"))

    assert type(failure) is FAULTS[fault]
    assert failure.source == "medical_insurance"
    assert "医保信息平台" in failure.message
    assert not any(secret in failure.detail for secret in ("P1", "12.30", "certno=", "登录"))


PAGE_FAULTS = [
    (fault, style)
    for fault in (Fault.IGNORED_LIMIT, Fault.REPEATED_PAGE, Fault.SHORT_PAGE, Fault.ENDLESS)
    for style in PAGES
    if (fault, style) != (Fault.SHORT_PAGE, "offset")
]


async def test_offsets_follow_what_came_where_pages_are_shorter_than_asked() -> None:
    endpoint = replace(ENDPOINT, paging=PAGES["offset"])
    system = stub(Fault.SHORT_PAGE)

    assert await answered(system, scan(), endpoint) == list(ROWS)
    assert [asked["offset"] for asked in system.asked] == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize(("fault", "style"), PAGE_FAULTS)
async def test_a_fault_in_the_pages_fails_the_whole_read(fault: Fault, style: str) -> None:
    endpoint = replace(ENDPOINT, paging=PAGES[style])

    assert type(await failed(stub(fault), scan(), endpoint)) is SourceRefused


@pytest.mark.parametrize("style", PAGES)
@pytest.mark.parametrize("fault", [Fault.IGNORED_LIMIT, Fault.REPEATED_PAGE, Fault.ENDLESS])
async def test_without_a_total_most_faults_in_the_pages_still_show(
    fault: Fault, style: str
) -> None:
    endpoint = replace(ENDPOINT, paging=PAGES[style], total="")
    system = stub(fault)

    failure = await failed(system, scan(), endpoint, budget=Budget(seconds=5.0, rows=100))

    assert type(failure) is SourceRefused
    assert len(system.asked) <= 51


@pytest.mark.parametrize("rows", [4, 5])
async def test_a_read_never_takes_more_rows_than_its_budget(rows: int) -> None:
    budget = Budget(seconds=5.0, rows=rows)

    if rows == 5:
        assert await answered(stub(), scan(), budget=budget) == list(ROWS)
    else:
        assert type(await failed(stub(), scan(), budget=budget)) is SourceRefused


async def test_empty_pages_with_a_new_cursor_come_to_an_end() -> None:
    pages = 0

    def handler(_: Received) -> Reply:
        nonlocal pages
        pages += 1
        return json_reply({"rows": [], "next": pages})

    paging = Paging("cursor", "cursor", next="next")
    endpoint = Endpoint(rows="rows", scan=True, paging=paging)
    async with (
        serving(handler) as loopback,
        asking(loopback, endpoint, budget=Budget(seconds=5.0, rows=10)) as source,
    ):
        with pytest.raises(SourceRefused):
            await source.read(scan())

    assert pages == 12


@pytest.mark.parametrize("fault", [Fault.WRONG_TYPES, Fault.MISSING_VALUE])
async def test_a_value_that_cannot_be_read_costs_only_itself(fault: Fault) -> None:
    rows = await answered(stub(fault), scan())

    assert rows == [(*ROWS[0][:3], INVALID, *ROWS[0][4:]), *ROWS[1:]]


async def test_what_contradicts_nothing_changes_nothing() -> None:
    assert await answered(stub(Fault.EXTRA_KEYS), scan()) == list(ROWS)


async def test_rows_of_keys_nobody_asked_for_are_dropped_and_counted() -> None:
    endpoint = replace(ENDPOINT, answered="")
    async with (
        serving(stub(Fault.FOREIGN_ROWS)) as loopback,
        asking(loopback, endpoint) as source,
    ):
        rows = await source.read(by_key("A", "C", "D"))

        assert list(rows.rows) == [ROWS[0], ROWS[3], ROWS[4]]
        assert source.drops.rows == 3 + 4


@pytest.mark.parametrize("cursor", [True, 1.5, ["1"], "again"])
async def test_a_cursor_that_leads_nowhere_fails_the_read(cursor: object) -> None:
    paging = Paging("cursor", "cursor", next="next")
    endpoint = Endpoint(rows="rows", scan=True, paging=paging)
    async with (
        serving(lambda _: json_reply({"rows": [], "next": cursor})) as loopback,
        asking(loopback, endpoint) as source,
    ):
        with pytest.raises(SourceRefused):
            await source.read(scan())

    assert len(loopback.received) == (2 if cursor == "again" else 1)


PYTHON = {
    Kind.STRING: str,
    Kind.INTEGER: int,
    Kind.DECIMAL: Decimal,
    Kind.BOOLEAN: bool,
    Kind.DATE: date,
    Kind.DATETIME: datetime,
    Kind.CODE: str,
    Kind.DIVISION: str,
}
ODD: tuple[object, ...] = (
    True,
    1.5,
    -0.0,
    1e300,
    10**30,
    [],
    {},
    "1e400000",
    "12,5",
    "NaN",
    "Infinity",
    "１２",
)


@pytest.mark.parametrize("native", [*ODD, "", "0001-01-01T00:00:00+14:00", -(10**18), ["1"]])
async def test_a_native_value_of_any_kind_is_read_or_invalid(native: object) -> None:
    fields = tuple(set(world.PERSON) - {"number"})
    row = {"number": "P00", **dict.fromkeys(fields, native)}
    reply = json_reply({"data": {"list": [row], "count": 1}})
    async with serving(lambda _: reply) as loopback:
        source = RestSource(rest_world.department(loopback.url))
        rows = await source.read(Read("Person", fields))
        await source.aclose()

    for name, value in zip(fields, rows.rows[0], strict=True):
        kind = PYTHON[world.PERSON[name].kind]
        assert value is None or value is INVALID or isinstance(value, kind), name


async def test_a_missing_column_that_is_never_null_fails_the_read() -> None:
    columns = {**COLUMNS, "balance": column("balance", "balc", money("yuan"), nullable=False)}

    failure = await failed(stub(Fault.MISSING_VALUE), scan(), columns=columns)

    assert type(failure) is SourceRefused
    assert failure.detail == "Mistrusted: balc is missing"


async def test_a_native_path_leads_into_a_row() -> None:
    columns = {**COLUMNS, "balance": column("balance", "account.balc", money("fen"))}
    rows: list[dict[str, object]] = [
        {**ENROLMENTS[0], "account": {"balc": 1230}},
        {**ENROLMENTS[1], "account": None},
        {**ENROLMENTS[3], "account": []},
    ]

    found = await answered(Stub(rows), scan(fields=("balance",)), columns=columns)

    assert found == [(Decimal("12.30"),), (None,), (INVALID,)]
