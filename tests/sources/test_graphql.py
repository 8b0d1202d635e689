import json
import time
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from graphql import build_schema

from contract.errors import SourceFailure, SourceRefused, SourceTimeout, SourceUnavailable
from contract.predicate import (
    TRUE,
    Comparison,
    In,
    IsNull,
    Operator,
    Predicate,
    all_of,
)
from contract.read import ForEach, Read
from sources.assembly import assemble
from sources.graphql import GraphqlSource
from tests.loopback import Delivery, Reply, json_reply, serving
from tests.sources.graphql_service import FILE, RELAY, SDL, Service, asking, department

FIELDS = ("number", "idNumber", "kind", "balance", "months")
DECODED = [
    ("P1", "A", "WORK", Decimal("12.30"), 3),
    ("P2", "B", "HOME", None, 0),
    ("P3", "B", "WORK", Decimal("0.00"), None),
    ("P4", "C", "UNKNOWN", Decimal("-1.00"), -1),
    ("P5", "D", None, Decimal("7.00"), 12),
]


def scan(where: Predicate = TRUE, fields: tuple[str, ...] = FIELDS) -> Read:
    return Read("Enrolment", fields, where)


def by_key(*keys: str, fields: tuple[str, ...] = FIELDS) -> Read:
    return replace(
        scan(fields=fields), for_each=ForEach(("idNumber",), tuple((key,) for key in keys))
    )


def paged(paging: str, text: str = FILE) -> str:
    lines = text.splitlines()
    kept = [line for line in lines if not line.startswith(("rows =", "paging =", "answered ="))]
    place = kept.index("[entity.Enrolment.graphql]") + 1
    return "\n".join([*kept[:place], *paging.strip().splitlines(), *kept[place:]])


async def rows(
    folder: Path, service: Service, read: Read, text: str = FILE
) -> list[tuple[object, ...]]:
    async with asking(folder, service, text) as source:
        return list((await source.read(read)).rows)


async def failure(folder: Path, service: Service, read: Read, text: str = FILE) -> SourceFailure:
    async with asking(folder, service, text) as source:
        with pytest.raises(SourceFailure) as caught:
            await source.read(read)
    return caught.value


async def test_rows_are_read_with_our_values(tmp_path: Path) -> None:
    assert await rows(tmp_path, Service(), scan()) == DECODED


async def test_only_the_columns_asked_for_are_selected_and_no_value_is_in_the_text(
    tmp_path: Path,
) -> None:
    service = Service()

    found = await rows(tmp_path, service, by_key("A", "C", fields=("idNumber", "balance")))

    assert found == [("A", Decimal("12.30")), ("C", Decimal("-1.00"))]
    assert service.operations == [
        {
            "query": "query Read($certNos: [String!], $year: Int, $offset: Int, $limit: Int) "
            "{ enrolments(certNos: $certNos, year: $year, offset: $offset, limit: $limit) "
            "{ nodes { person { certNo } balance number } totalCount certNos } }",
            "variables": {"year": 2026, "certNos": ["A", "C"], "offset": 0, "limit": 1000},
        }
    ]


async def test_a_level_of_many_keys_is_one_operation(tmp_path: Path) -> None:
    service = Service()
    keys = (*"ABCD", *(f"nobody {number}" for number in range(900)))

    assert await rows(tmp_path, service, by_key(*keys)) == DECODED
    assert (len(service.operations), service.introspections) == (1, 1)


async def test_questions_of_one_shape_share_their_text(tmp_path: Path) -> None:
    service = Service()
    async with asking(tmp_path, service) as source:
        for keys in ("A", "AB", "D"):
            await source.read(by_key(*keys))
        await source.read(by_key("A", fields=("number",)))

    assert (len(service.operations), len(service.texts), service.introspections) == (4, 2, 1)


@pytest.mark.parametrize(
    ("where", "asked", "numbers"),
    [
        (Comparison("kind", Operator.EQ, "WORK"), {"kind": {"eq": "EMPLOYEE"}}, ["P1", "P3"]),
        (
            In("kind", ("WORK", "HOME")),
            {"kind": {"in": ["EMPLOYEE", "RESIDENT"]}},
            ["P1", "P2", "P3"],
        ),
        (Comparison("balance", Operator.GTE, Decimal("0.5")), {"least": 0.5}, ["P1", "P5"]),
        (IsNull("balance"), {"unpaid": True}, ["P2"]),
        (
            all_of(Comparison("kind", Operator.EQ, "WORK"), Comparison("months", Operator.EQ, 3)),
            {"kind": {"eq": "EMPLOYEE"}, "months": 3},
            ["P1"],
        ),
    ],
)
async def test_filters_become_the_arguments_they_are_declared_as(
    tmp_path: Path, where: Predicate, asked: object, numbers: list[str]
) -> None:
    service = Service()

    found = await rows(tmp_path, service, scan(where, ("number",)))

    assert [number for (number,) in found] == numbers
    assert [operation["variables"]["filter"] for operation in service.operations] == [asked]


async def test_a_second_condition_on_one_argument_is_run_on_the_rows(tmp_path: Path) -> None:
    service = Service()
    least = (Comparison("balance", Operator.GTE, Decimal(value)) for value in ("-5", "5"))

    found = await rows(tmp_path, service, scan(all_of(*least), ("number",)))

    assert found == [("P1",), ("P5",)]
    assert [operation["variables"]["filter"] for operation in service.operations] == [
        {"least": -5.0}
    ]


async def test_a_number_beyond_an_int_is_in_no_row_and_is_not_asked(tmp_path: Path) -> None:
    service = Service()

    found = await rows(tmp_path, service, scan(Comparison("months", Operator.EQ, 2**31)))

    assert (found, service.operations) == ([], [])


@pytest.mark.parametrize(
    "paging",
    [
        RELAY,
        'rows = "nodes"\npaging = { style = "offset", parameter = "offset", '
        'size_parameter = "limit", size = 2 }',
    ],
)
async def test_pages_are_read_to_the_end(tmp_path: Path, paging: str) -> None:
    service, text = Service(), paged(paging)
    if "edges" in text:
        text = text.replace('native = "', 'native = "node.').replace(
            "node.enrolments", "enrolments"
        )

    assert await rows(tmp_path, service, scan(), text) == DECODED
    assert len(service.operations) == 3


def page_info(**changed: object) -> Callable[[Reply], Reply]:
    def spoil(reply: Reply) -> Reply:
        document = json.loads(reply.body)
        document["data"]["enrolments"]["pageInfo"] |= changed
        return json_reply(document)

    return spoil


@pytest.mark.parametrize(
    "spoil",
    [
        page_info(endCursor=None),
        page_info(hasNextPage=None),
        page_info(hasNextPage=True, endCursor="2"),
        page_info(hasNextPage=False),
    ],
)
async def test_pages_that_contradict_themselves_are_refused(
    tmp_path: Path, spoil: Callable[[Reply], Reply]
) -> None:
    text = paged(RELAY.replace("edges", "nodes"))

    assert type(await failure(tmp_path, Service(spoil), scan(), text)) is SourceRefused


def with_errors(reply: Reply) -> Reply:
    return json_reply({**json.loads(reply.body), "errors": [{"message": "half of it"}]})


@pytest.mark.parametrize(
    ("spoil", "kind"),
    [
        (with_errors, SourceRefused),
        (lambda _: json_reply({"data": None}), SourceRefused),
        (lambda _: json_reply({"data": {"enrolments": None}}), SourceRefused),
        (lambda _: json_reply({"errors": [{"message": "no"}]}, 400), SourceRefused),
        (lambda _: json_reply({"errors": [{"message": "who"}]}, 401), SourceRefused),
        (lambda _: json_reply({"errors": [{"message": "boom"}]}, 500), SourceUnavailable),
        (lambda _: json_reply({}, 429), SourceUnavailable),
        (lambda _: Reply(status=302, headers=(("Location", "/elsewhere"),)), SourceRefused),
        (lambda _: Reply(b"<html>"), SourceRefused),
        (lambda reply: Reply(reply.body[:-3]), SourceRefused),
        (lambda reply: Reply(reply.body.replace(b'"7"', b"NaN")), SourceRefused),
        (lambda reply: Reply(reply.body.replace(b'"P1"', b'"P1", "number": "P9"')), SourceRefused),
        (lambda reply: Reply(reply.body.replace(b'"P1"', b"null")), SourceRefused),
        (
            lambda reply: Reply(reply.body.replace(b'"totalCount": 5', b'"totalCount": 6')),
            SourceRefused,
        ),
        (lambda _: Reply(b" " * 70_000), SourceRefused),
        (lambda reply: Reply(reply.body, delivery=Delivery.RESET), SourceUnavailable),
    ],
)
async def test_an_answer_that_is_not_whole_is_never_used(
    tmp_path: Path, spoil: Callable[[Reply], Reply], kind: type[SourceFailure]
) -> None:
    assert type(await failure(tmp_path, Service(spoil), scan())) is kind


async def test_an_answer_that_lacks_a_key_asked_for_is_refused(tmp_path: Path) -> None:
    def spoil(reply: Reply) -> Reply:
        document = json.loads(reply.body)
        document["data"]["enrolments"]["certNos"] = ["A"]
        return json_reply(document)

    assert type(await failure(tmp_path, Service(spoil), by_key("A", "B"))) is SourceRefused


@pytest.mark.parametrize("delivery", [Delivery.HANG, Delivery.DRIP, Delivery.HEADER_DRIP])
async def test_a_read_ends_with_its_budget_and_recovers_by_itself(
    tmp_path: Path, delivery: Delivery
) -> None:
    service = Service()
    text = FILE.replace('timeout = "5s"', 'timeout = "300ms"')
    async with asking(tmp_path, service, text) as source:
        await source.read(scan())
        service.spoil = lambda reply: replace(reply, delivery=delivery)
        begun = time.monotonic()
        with pytest.raises(SourceTimeout):
            await source.read(scan())
        seconds = time.monotonic() - begun
        service.spoil = lambda reply: reply
        found = await source.read(scan())

    assert 0.25 < seconds < 0.8
    assert list(found.rows) == DECODED


async def test_a_field_may_lie_within_another_of_the_query(tmp_path: Path) -> None:
    text = FILE.replace('native = "enrolments"', 'native = "medical.list"')
    graphql = text.index("[entity.Enrolment.graphql]")
    text = text[:graphql] + (
        '[entity.Enrolment.pushdown]\nby_key = { field = "idNumber", parameter = "certNos" }'
    )
    service = Service()
    service.spoil = lambda _: json_reply(
        {"data": {"medical": {"list": [{"number": "P1", "person": {"certNo": "A"}}]}}}
    )

    found = await rows(tmp_path, service, by_key("A", fields=("number",)), text)

    assert found == [("P1",)]
    assert service.texts == {
        "query Read($certNos: [String!]) "
        "{ medical { list(certNos: $certNos) { number person { certNo } } } }"
    }


async def test_a_service_that_is_down_is_unavailable_and_checked_when_it_is_back(
    tmp_path: Path, unused_tcp_port: int
) -> None:
    there = department(tmp_path, f"http://127.0.0.1:{unused_tcp_port}")
    wrong = Service(schema=build_schema(SDL.replace("totalCount", "count")))
    right = Service()
    source = GraphqlSource(there, again_seconds=0.0)

    with pytest.raises(SourceUnavailable):
        await source.read(scan())
    async with serving(wrong, port=unused_tcp_port):
        with pytest.raises(SourceRefused):
            await source.read(scan())
    async with serving(right, port=unused_tcp_port):
        found = await source.read(scan())
        await source.read(scan())
    await source.aclose()

    assert list(found.rows) == DECODED
    assert (wrong.operations, right.introspections) == ([], 1)


async def test_a_server_starts_without_a_service_that_is_down(
    tmp_path: Path, unused_tcp_port: int
) -> None:
    there = department(tmp_path, f"http://127.0.0.1:{unused_tcp_port}")

    assembly = assemble({}, (there,), ())

    assert await assembly.mistakes() == ()
    assert assembly.guards["enrolments"].health.state == "UNASKED"
    await assembly.aclose()


@pytest.mark.parametrize(("again_seconds", "introspections"), [(0.0, 2), (30.0, 1)])
async def test_a_schema_is_asked_for_again_after_an_error_but_not_at_once(
    tmp_path: Path, again_seconds: float, introspections: int
) -> None:
    service = Service(with_errors)
    async with asking(tmp_path, service, again_seconds=again_seconds) as source:
        with pytest.raises(SourceRefused):
            await source.read(scan())
        service.spoil = lambda reply: reply
        await source.read(scan())
        await source.read(scan())

    assert service.introspections == introspections


@pytest.mark.parametrize(
    "body",
    [b'{"errors": [{"message": "off"}]}', b'{"data": {}}', b'{"data": {"__schema": 7}}', b"[]"],
)
async def test_a_service_that_describes_no_schema_is_refused(tmp_path: Path, body: bytes) -> None:
    async with serving(lambda _: Reply(body)) as loopback:
        source = GraphqlSource(department(tmp_path, loopback.url))
        with pytest.raises(SourceRefused):
            await source.read(scan())
        with pytest.raises(SourceRefused):
            await source.mistakes()
        await source.aclose()
