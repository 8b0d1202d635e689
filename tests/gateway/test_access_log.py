"""Who may read the ledger in the graph, of what, and that this is on the ledger too."""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from auth.principal import Principal
from contract.errors import Unauthenticated
from gateway.auditing import Keeping, auditing
from gateway.graph import Files, open_graph
from gateway.keeping import rotate_heads_key, rotate_subject_key
from gateway.verification import LedgerBroken, exported, verify
from server import _edge_of
from tests.gateway.test_auditing import keeping_in, opened_store
from tests.gateway.town import POLICY, SECRET, files_of, script
from web.application import Settings, create_app
from web.media import GRAPHQL

OWN, NEIGHBOUR = "11010519491231002X", "110105194912310038"
PEOPLE = {
    "clerk": Principal("clerk", ("township_clerk",), ("320205106",), purpose="临时救助"),
    "far": Principal("far", ("township_clerk",), ("320411003",)),
    "province": Principal("province", ("auditor",), ("32",)),
    "county": Principal("county", ("auditor",), ("320205",)),
    "elsewhere": Principal("elsewhere", ("auditor",), ("320411",)),
    "self": Principal("self", ("resident",), ("32",), citizen=OWN),
    "neighbour": Principal("neighbour", ("resident",), ("32",), citizen=NEIGHBOUR),
    "nobody": Principal("nobody", ("resident",), ("32",)),
    "both": Principal(
        "both", ("resident", "township_clerk"), ("32", "320205106"), citizen=NEIGHBOUR
    ),
}
ROLES = """
[role.resident]
title = "居民本人"
levels = ["province"]
ledger = "own_record"
facets = "follows"
sensitivity = { personal = "shown", restricted = "shown" }
rows = { Resident = "own_record" }
"""
LOG = """query Log($where: AccessFilter, $after: String) {
  accessLog(where: $where, first: 2, after: $after) {
    edges { cursor node {
      sequence account purpose kind rows outcome office { role division }
      readings { entity rows subjects fields { name showing } }
    } }
    pageInfo { hasNextPage hasPreviousPage endCursor }
  }
}"""
READ = "{ residents { nodes { name phone aids { kind } } } }"
MINE = """{ residents { nodes {
  name idNumber phone aids { kind }
  accessedBy {
    at department purpose case office { role division } fields { entity name showing } outcome
  }
} } }"""


@dataclass(frozen=True)
class Office:
    http: httpx.AsyncClient
    keeping: Keeping

    async def ask(self, account: str, query: str, **variables: object) -> Any:
        headers = {"authorization": account, "accept": GRAPHQL}
        body = {"query": query, "variables": variables}
        return (await self.http.post("/graphql", json=body, headers=headers)).json()

    async def log(self, who: str, after: str | None = None, /, **where: object) -> Any:
        answer = await self.ask(who, LOG, where=where, after=after)
        assert "errors" not in answer, answer
        return answer["data"]["accessLog"]

    async def accounts(self, who: str, /, **where: object) -> list[str]:
        log = await self.log(who, **where)
        return [edge["node"]["account"] for edge in log["edges"]]

    async def records(self) -> list[Any]:
        async with aclosing(exported(self.keeping)) as lines:
            return [orjson.loads(line) async for line in lines]


@asynccontextmanager
async def office(folder: Path) -> AsyncIterator[Office]:
    files, environment = _files(folder)
    keeping = keeping_in(folder)
    async with (
        opened_store(keeping) as store,
        aclosing(open_graph(files, environment, SECRET)) as graph,
        auditing(store, keeping) as audit,
    ):
        edge = _edge_of(graph, lambda: audit.ledger.reasons, log=audit.log)
        settings = Settings("0", (), edge.limits, edge.health, edge.reasons, audit.keep)
        app = create_app(edge.schema, _principal, edge.context_for, settings)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://town") as http:
            yield Office(http, keeping)


def _files(folder: Path) -> tuple[Files, dict[str, str]]:
    files, environment = files_of(folder)
    policy = POLICY.replace(
        'own_division = ["residenceDivision"]',
        'own_division = ["residenceDivision"]\nown_record = "idNumber"',
    ).replace(
        'title = "审计人员"\nlevels = ["province"]',
        'title = "审计人员"\nlevels = ["province", "county"]\nledger = "own_division"',
    )
    files.policy.write_text(policy + ROLES, "utf-8")
    script(
        folder / "population.db",
        "INSERT INTO people VALUES"
        " ('2', '110105194912310038', '李', '13800000002', '320411003000')",
    )
    return files, environment


async def _principal(header: str | None) -> Principal:
    if header not in PEOPLE:
        raise Unauthenticated
    return PEOPLE[header]


async def test_an_auditor_sees_the_records_of_offices_in_their_division(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        for account in ("clerk", "far"):
            await place.ask(account, READ)
        county = await place.accounts("county")
        elsewhere = await place.accounts("elsewhere")
        province = await place.accounts("province", entity="Resident")
        wide = await place.accounts("county", office="32")

    assert (county, elsewhere, province) == (["clerk"], ["far"], ["far", "clerk"])
    assert set(wide) <= {"clerk", "county"}


async def test_a_search_by_a_whole_number_finds_who_read_the_person(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        for account in ("clerk", "far"):
            await place.ask(account, READ)
        found = await place.log("province", subject=OWN)
        (edge,) = found["edges"]
        after = await place.accounts("province", subject=OWN)
        parts = [
            await place.ask("province", LOG, where={"subject": part})
            for part in (OWN[:17], OWN[:17] + "1", OWN.lower(), "%")
        ]

    node = edge["node"]
    assert (node["account"], node["purpose"], node["outcome"]) == ("clerk", "临时救助", ["OK"])
    assert node["office"] == [{"role": "township_clerk", "division": "320205106"}]
    assert {each["entity"] for each in node["readings"]} == {"Resident", "Aid"}
    assert OWN not in str(found)
    assert after == ["province", "clerk"]  # the search itself is about the person too
    assert {str(each["errors"]) for each in parts} == {str(parts[0]["errors"])}
    assert parts[0]["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_every_condition_of_a_search_counts(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        begun = datetime.now(UTC).isoformat()
        await place.ask("clerk", READ)
        later = datetime.now(UTC).isoformat()
        await place.ask("far", '{ residents(where: { phone: { eq: "1" } }) { totalCount } }')
        asked = {
            "account": await place.accounts("province", account="clerk"),
            "purpose": await place.accounts("province", purpose="临时救助"),
            "outcome": await place.accounts("province", outcome="FORBIDDEN"),
            "entity": await place.accounts("province", entity="Aid"),
            "since": await place.accounts("province", since=later, entity="Resident"),
            "until": await place.accounts("province", until=later),
            "between": await place.accounts("province", since=begun, until=begun),
            "office": await place.accounts("province", office="320411"),
        }

    assert asked == {
        "account": ["clerk"],
        "purpose": ["clerk"],
        "outcome": ["far"],
        "entity": ["clerk"],
        "since": ["far"],
        "until": ["clerk"],
        "between": [],
        "office": ["far"],
    }


@pytest.mark.parametrize(
    "where", [{"account": "clerk"}, {"subject": OWN}, {"office": "320205"}, {"office": "32"}]
)
async def test_how_much_others_read_does_not_make_a_search_too_wide(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: dict[str, str]
) -> None:
    monkeypatch.setattr("auth.access_log._PAGE", 1)
    monkeypatch.setattr("auth.access_log._LOOKED_AT", 3)
    async with office(tmp_path) as place:
        for _ in range(4):
            await place.ask("clerk", READ)
        elsewhere = await place.accounts("elsewhere", **where)
        county = await place.accounts("county", **where)

    assert [elsewhere, county] == [[], ["clerk", "clerk"]]


async def test_numbers_tried_in_the_ledger_count_as_look_ups(tmp_path: Path) -> None:
    one = f'accessLog(where: {{ subject: "{OWN}" }}, first: 1) {{ edges {{ cursor }} }}'
    trying = "{" + " ".join(f"a{number}: {one}" for number in range(20)) + "}"
    async with office(tmp_path) as place:
        answered = [await place.ask("province", trying) for _ in range(3)]
        beyond = await place.ask("province", f"{{ {one} }}")
        last = (await place.records())[-1]

    assert [answer.get("errors") for answer in answered] == [None] * 3
    assert [beyond["data"], beyond["errors"][0]["extensions"]["code"]] == [
        {"accessLog": None},
        "RATE_LIMITED",
    ]
    assert [last["outcome"], len(last["consulted"])] == [["RATE_LIMITED"], 1]


async def test_pages_follow_each_other_and_a_cursor_is_of_one_search_alone(
    tmp_path: Path,
) -> None:
    async with office(tmp_path) as place:
        for _ in range(5):
            await place.ask("clerk", READ)
        seen: list[str] = []
        after, pages = None, 0
        while pages < 9:
            page = await place.log("county", after, account="clerk")
            seen += [edge["node"]["sequence"] for edge in page["edges"]]
            after, pages = page["pageInfo"]["endCursor"], pages + 1
            if not page["pageInfo"]["hasNextPage"]:
                break
        cursor = (await place.log("county", account="clerk"))["pageInfo"]["endCursor"]
        refused = [
            await place.ask("county", LOG, where={}, after=cursor),
            await place.ask("province", LOG, where={"account": "clerk"}, after=cursor),
            await place.ask("county", LOG, where={"account": "clerk"}, after=cursor[:-1] + "_"),
        ]

    assert (seen, pages) == (["5", "4", "3", "2", "1"], 3)
    errors = {str(each["errors"]) for each in refused}
    assert len(errors) == 1
    assert "BAD_USER_INPUT" in errors.pop()


@pytest.mark.parametrize("account", ["clerk", "self", "nobody"])
async def test_nobody_else_searches_and_the_attempt_is_on_record(
    tmp_path: Path, account: str
) -> None:
    async with office(tmp_path) as place:
        answer = await place.ask(account, LOG, where={"subject": OWN})
        (record,) = await place.records()

    assert answer["data"] == {"accessLog": None}
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert (record["outcome"], record["sources"], record["readings"]) == (["FORBIDDEN"], [], [])
    assert record["consulted"] == [{"named": {"field": "accessLog"}, "rows": 0, "subjects": []}]


async def test_that_the_ledger_was_read_is_on_the_ledger(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        await place.ask("clerk", READ)
        await place.log("county", subject=OWN, account="clerk")
        read, consulted = await place.records()

    subjects = read["readings"][0]["subjects"]
    assert consulted["account"] == "county"
    assert consulted["consulted"] == [
        {"named": {"account": "clerk"}, "rows": 1, "subjects": subjects}
    ]
    assert OWN not in str(consulted)


async def test_residents_see_their_own_record_whole_and_who_read_it(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        await place.ask("clerk", READ)
        answer = await place.ask("self", MINE)

    (own,) = answer["data"]["residents"]["nodes"]
    (access,) = own.pop("accessedBy")
    del access["at"]
    assert "errors" not in answer
    assert own == {
        "name": "王小明",
        "idNumber": OWN,
        "phone": "13800000001",
        "aids": [{"kind": "临时救助"}],
    }
    assert access == {
        "department": "",
        "purpose": "临时救助",
        "case": None,
        "office": [{"role": "township_clerk", "division": "320205106"}],
        "fields": [
            {"entity": "Resident", "name": "name", "showing": "SHOWN"},
            {"entity": "Resident", "name": "phone", "showing": "MASKED"},
            {"entity": "Aid", "name": "kind", "showing": "SHOWN"},
        ],
        "outcome": ["OK"],
    }


async def test_a_resident_without_a_number_and_the_record_of_another_are_not_seen(
    tmp_path: Path,
) -> None:
    other = '{ resident(idNumber: "%s") { name accessedBy { at } } }'
    async with office(tmp_path) as place:
        nobody = await place.ask("nobody", MINE)
        answers = [await place.ask("self", other % number) for number in (NEIGHBOUR, "1")]

    assert nobody["data"] == {"residents": {"nodes": []}}
    assert [each["data"] for each in answers] == [{"resident": None}] * 2
    assert [each.get("errors") for each in answers] == [None, None]


@pytest.mark.parametrize("account", ["clerk", "both"])
async def test_who_read_somebody_is_refused_at_its_path_to_others(
    tmp_path: Path, account: str
) -> None:
    where = 'where: { residenceDivision: { within: "320205" } }'
    query = f"{{ residents({where}) {{ nodes {{ name accessedBy {{ at }} }} }} }}"
    async with office(tmp_path) as place:
        answer = await place.ask(account, query)

    assert answer["data"]["residents"]["nodes"] == [{"name": "王小明", "accessedBy": None}]
    (error,) = answer["errors"]
    assert error["path"] == ["residents", "nodes", 0, "accessedBy"]
    assert error["extensions"]["code"] == "FORBIDDEN"


async def test_a_person_is_found_over_a_change_of_keys_while_the_server_runs(
    tmp_path: Path,
) -> None:
    async with office(tmp_path) as place:
        await place.ask("clerk", READ)
        await rotate_subject_key(place.keeping)
        await rotate_heads_key(place.keeping)
        await place.ask("clerk", READ)
        found = await place.log("province", subject=OWN)
        mine = await place.ask("self", MINE)
    verdict = await verify(place.keeping, None, index=True)

    assert [edge["node"]["sequence"] for edge in found["edges"]] == ["4", "1"]
    assert [
        each["fields"] != [] for each in mine["data"]["residents"]["nodes"][0]["accessedBy"]
    ] == [False, True, True]
    assert (verdict.records, verdict.agreed) == (6, 6)


async def test_an_index_that_was_changed_shows_no_record_that_says_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.postings._BLOCK", 2)
    async with office(tmp_path) as place:
        await place.ask("clerk", READ)
        await place.ask("far", READ)
        store = tmp_path / "own" / "store.db"
        script(
            store,
            "INSERT INTO ledger_posting SELECT bucket, 3, 9, terms, x'0000' FROM ledger_posting "
            "WHERE sequence = 1",
        )
        found = await place.accounts("province", subject=OWN)
        county = await place.accounts("county", account="clerk")
        every = await place.accounts("county", entity="Resident")
    with pytest.raises(LedgerBroken, match="the index is not what the records say"):
        await verify(place.keeping, None, index=True)

    assert (found, county, every) == (["clerk"], ["clerk"], ["clerk"])
