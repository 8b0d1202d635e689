import json
from pathlib import Path
from typing import Any

import pytest

from onboarding.drafts.draft import Wanted
from onboarding.drafts.model import DraftRefused
from server import main
from sources.graphql import GraphqlSource
from tests.loopback import Handler, Received, Reply, json_reply, serving
from tests.onboarding.decided import decided, draft, read
from tests.sources.graphql_service import TOKEN, Service

DRAFTS = Path(__file__).with_name("drafts")
PERSON = {
    "type": "object",
    "properties": {
        "archiveNo": {"type": "string", "description": "档案编号"},
        "certNo": {"$ref": "#/components/schemas/CertNo"},
        "name": {"type": ["string", "null"]},
        "status": {"type": "string", "enum": ["ACTIVE", "ENDED"], "description": "状态"},
        "openedOn": {"type": "string", "format": "date"},
        "changedAt": {"type": "string", "format": "date-time"},
        "day": {"type": "string", "example": "20260501"},
        "visits": {"type": "integer"},
        "feeAmount": {"type": "number"},
        "household": {"type": "object", "properties": {"no": {"type": "string"}}},
        "phones": {"type": "array", "items": {"type": "string"}},
    },
}
ENVELOPE = {
    "type": "object",
    "properties": {
        "code": {"type": "integer"},
        "data": {
            "type": "object",
            "properties": {
                "total": {"type": "integer"},
                "list": {"type": "array", "items": {"$ref": "#/components/schemas/Person"}},
            },
        },
    },
}


def listed(schema: object, *parameters: object, **told: object) -> dict[str, Any]:
    content = {"application/json": {"schema": schema}}
    return {"parameters": parameters, "responses": {"200": {"content": content}}, **told}


def parameter(name: str, kind: str = "string", **told: object) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": {"type": kind}, **told}


PEOPLE = listed(
    {"$ref": "#/components/schemas/Envelope"},
    {"name": "certNos", "in": "query", "schema": {"type": "array", "maxItems": 50}},
    {"$ref": "#/components/parameters/Page"},
    parameter("pageSize", "integer", schema={"type": "integer", "maximum": 500}),
    parameter("status"),
    parameter("openedOnFrom"),
    parameter("nameLike"),
    {"name": "X-Trace", "in": "header"},
    summary="健康档案",
)
POSTED = {
    "type": "object",
    "properties": {
        "infno": {"const": "5101"},
        "input": {
            "type": "object",
            "required": ["certNo"],
            "properties": {"certNo": {"type": "string"}, "cursor": {"type": "string"}},
        },
    },
}
OPENAPI: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "健康档案平台"},
    "paths": {
        "/people": {"get": PEOPLE},
        "/people/{no}": {"get": listed({"$ref": "#/components/schemas/Envelope"})},
        "/health": {"get": listed({"type": "object", "properties": {"up": {"type": "boolean"}}})},
        "/query": {
            "post": listed(
                {
                    "type": "object",
                    "properties": {
                        "rows": {"type": "array", "items": {"$ref": "#/components/schemas/Loop"}},
                        "next": {"type": "string"},
                        "hasMore": {"type": "boolean"},
                    },
                },
                requestBody={"content": {"application/json": {"schema": POSTED}}},
            )
        },
    },
    "components": {
        "parameters": {"Page": parameter("pageNum", "integer")},
        "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Token"}},
        "schemas": {
            "CertNo": {
                "type": "string",
                "description": "证件号码",
                "example": "11010519491231002X",
            },
            "Person": PERSON,
            "Envelope": ENVELOPE,
            "Loop": {
                "allOf": [
                    {"type": "object", "properties": {"certNo": {"type": "string"}}},
                    {"properties": {"below": {"$ref": "#/components/schemas/Loop"}}},
                ]
            },
        },
    },
}


async def test_an_openapi_description_is_drafted_and_no_other_path_is_asked(tmp_path: Path) -> None:
    async with serving(lambda _: json_reply(OPENAPI)) as loopback:
        text = await draft(Wanted(f"{loopback.url}/openapi.json", "archives"))

    assert [(asked.method, asked.path) for asked in loopback.received] == [("GET", "/openapi.json")]
    assert text == (DRAFTS / "archives.toml").read_text("utf-8")


async def test_the_draft_of_an_openapi_description_is_read_once_it_is_decided(
    tmp_path: Path,
) -> None:
    text = (DRAFTS / "archives.toml").read_text("utf-8")
    decisions = {'code = "…"': "code = 0", 'key = ["…"]': 'key = ["certNo"]'}

    people, query = read(tmp_path, decided(text, decisions)).entities.values()

    assert people.endpoint is not None
    assert query.endpoint is not None
    assert people.endpoint.by_key == {"certNo": ("certNos", 50)}
    assert dict(people.endpoint.parameters) == {
        ("status", "eq"): "status",
        ("openedOn", "gte"): "openedOnFrom",
        ("name", "contains"): "nameLike",
    }
    assert (people.endpoint.rows, people.endpoint.total) == ("data.list", "data.total")
    assert (query.endpoint.method, query.endpoint.body) == ("POST", {"infno": "5101"})
    assert query.endpoint.by_key == {"certNo": ("certNo", 1)}
    assert query.endpoint.paging is not None
    assert (query.endpoint.paging.next, query.endpoint.paging.more) == ("next", "hasMore")


async def test_a_description_in_a_file_is_drafted_as_one_at_an_address(tmp_path: Path) -> None:
    (tmp_path / "openapi.json").write_text(json.dumps(OPENAPI), "utf-8")

    text = await draft(Wanted(str(tmp_path / "openapi.json"), "archives"))

    assert text == (DRAFTS / "archives.toml").read_text("utf-8")


def posted(service: Service) -> Handler:
    return lambda received: service(received) if received.method == "POST" else Reply(status=405)


async def test_a_graphql_service_is_drafted_from_one_introspection(tmp_path: Path) -> None:
    service = Service()
    async with serving(posted(service)) as loopback:
        wanted = Wanted(loopback.url, "enrolments", "Authorization", ("enrolments",))
        text = await draft(wanted, {"ENROLMENTS_TOKEN": TOKEN})

    assert [asked.method for asked in loopback.received] == ["GET", "POST"]
    assert (service.introspections, service.operations) == (1, [])
    assert text == (DRAFTS / "enrolments.toml").read_text("utf-8")


async def test_the_draft_of_a_graphql_service_is_what_the_service_has(tmp_path: Path) -> None:
    text = (DRAFTS / "enrolments.toml").read_text("utf-8")
    service = Service()
    async with serving(service) as loopback:
        found = decided(text).replace("${ENROLMENTS_URL}", loopback.url)
        department = read(tmp_path, found.replace("${ENROLMENTS_TOKEN}", TOKEN))
        source = GraphqlSource(department)
        mistakes = await source.mistakes()
        await source.aclose()

    assert mistakes == ()


REFUSED = {
    "/html": "nothing describes itself there: Mistrusted",
    "/old": "the description is of version 2; convert it to OpenAPI 3 first",
    "/json": "the service does not describe itself",
    "/broken": "the OpenAPI description is broken: AttributeError",
    "/closed": "nothing describes itself there: BadStatus",
}


def answer(received: Received) -> Reply:
    replies = {
        "/html": Reply(b"<html>secret</html>"),
        "/old": json_reply({"swagger": "2.0"}),
        "/json": json_reply({"data": {"secret": 1}}),
        "/broken": json_reply({"openapi": "3.0.0", "paths": {"/secret": 7}}),
        "/closed": json_reply({}, 401),
    }
    return replies[received.path]


async def test_what_describes_nothing_is_refused_without_a_word_of_it() -> None:
    told = {}
    async with serving(answer) as loopback:
        for path in REFUSED:
            with pytest.raises(DraftRefused) as caught:
                await draft(Wanted(f"{loopback.url}{path}?token=secret", "x"))
            told[path] = str(caught.value)

    assert told == REFUSED


def test_a_refusal_is_the_status_and_the_words_of_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(["draft", str(tmp_path / "none.json"), "--name", "x"])

    said = capsys.readouterr()
    assert [status, said.out, said.err] == [1, "", "the file cannot be read as JSON\n"]


SHORT: dict[str, Any] = {
    "openapi": "3.0.3",
    "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
    "paths": {
        "/permits": {
            "parameters": [parameter("offset", "integer"), parameter("limit", "integer")],
            "get": listed(
                {
                    "type": "array",
                    "items": {
                        "properties": {
                            "no": {"type": "string", "example": "P1"},
                            "state": {"type": "integer", "enum": [1, 2]},
                            "validTo": {"type": "string"},
                            "a.b": {"type": "string"},
                        }
                    },
                },
                parameter("year", "integer", required=True),
                parameter("states", schema={"type": "array", "items": {"type": "integer"}}),
                parameter("maxState", "integer"),
            ),
        }
    },
}


async def test_what_must_always_be_given_is_left_to_be_decided(tmp_path: Path) -> None:
    (tmp_path / "permits.json").write_text(json.dumps(SHORT), "utf-8")

    text = await draft(Wanted(f"file:{tmp_path}/permits.json"))

    assert text.partition("freshness")[2].partition("\n")[2] == (
        """\
# guess: the first scheme it names
signature = { style = "header", header = "Authorization", value = "Bearer ${PERMITS_TOKEN}" }

# decide: which record it is, a core entity or one of its own
[entity.Permits]
description = "… | Permits"
# decide: attach = { to = "…", field = "permits", by = { "…" = "…" } }
native = "/permits"
# Nothing says which; no is one by its name.
# decide: key = ["no"]
# Without a subject nobody sees a row.
# decide: subject = { to = "…", by = { "…" = "…" } }

[entity.Permits.fields]
# guess: personal, as any text that nobody has looked at
number = { native = "no", sensitivity = "personal", description = "… | No" }
# decide: what the codes mean; the system declares them
state = { native = "state", codes = { "1" = "CODE_1", "2" = "CODE_2" }, codes_integer = true, \
description = "… | State" }
# guess: personal, as any text that nobody has looked at
validTo = { native = "validTo", sensitivity = "personal", description = "… | Valid to" }

[entity.Permits.rest]
# guess: how pages follow each other, by the names; decide: the size the system allows
paging = { style = "offset", parameter = "offset", size_parameter = "limit", size = 100 }
# These parameters must always be given.
# decide: fixed = { year = "…" }

[entity.Permits.pushdown]
# guess: by the names of the parameters; `check` proves or disproves it
filters = { "state.in" = "states" }
"""
    )
