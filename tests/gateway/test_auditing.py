"""The ledger of a whole server: what makes a record, what is refused, and the commands."""

import asyncio
import json
import logging
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from auth.chain import algorithm
from auth.reading import Registrar
from contract.errors import AuditUnavailable
from gateway.auditing import Keeping, auditing
from gateway.graph import open_graph
from gateway.secret import read_secret
from gateway.verification import LedgerBroken, exported, verify
from server import _edge_of, main
from store.database import StoreUnavailable, open_store
from tests.gateway.town import ASKED, SECRET, SEEN, _principal, files_of, script
from tests.ledgers import raw_bytes
from web.application import Settings, create_app
from web.endpoint import Keep, keep_nothing
from web.media import GRAPHQL

REFUSED = {
    "errors": [{"message": AuditUnavailable.message, "extensions": {"code": AuditUnavailable.code}}]
}
WHOLE = "{ residents { nodes { name phone idNumber aids { number kind } } totalCount } }"
FORBIDDEN = '{ residents(where: { phone: { eq: "13800000001" } }) { totalCount } }'


@dataclass(frozen=True)
class Office:
    """A server over a town, and the ledger it keeps."""

    http: httpx.AsyncClient
    keeping: Keeping

    async def post(self, query: str, account: str = "clerk") -> httpx.Response:
        headers = {"authorization": account, "accept": GRAPHQL}
        return await self.http.post("/graphql", json={"query": query}, headers=headers)

    async def ask(self, query: str, account: str = "clerk") -> Any:
        return (await self.post(query, account)).json()

    async def ready(self) -> Any:
        return (await self.http.get("/readyz")).json()

    async def records(self) -> list[Any]:
        async with aclosing(exported(self.keeping)) as lines:
            return [orjson.loads(line) async for line in lines]


def keeping_in(folder: Path) -> Keeping:
    return Keeping(
        store=f"sqlite+aiosqlite:///{folder / 'own' / 'store.db'}", key_file=folder / "k"
    )


@asynccontextmanager
async def opened_store(keeping: Keeping) -> AsyncIterator[AsyncEngine]:
    store = await open_store(keeping.store)
    try:
        yield store
    finally:
        await store.dispose()


@asynccontextmanager
async def office(folder: Path, *, is_audited: bool = True) -> AsyncIterator[Office]:
    """Serve the town, with a ledger, as long as the block lasts."""
    files, environment = files_of(folder)
    keeping = keeping_in(folder)
    async with (
        opened_store(keeping) as store,
        aclosing(open_graph(files, environment, SECRET)) as graph,
        auditing(store, keeping) as audit,
    ):
        edge = _edge_of(graph, lambda: audit.ledger.reasons)
        keep: Keep = audit.keep if is_audited else keep_nothing
        settings = Settings("0", (), edge.limits, edge.health, edge.reasons, keep)
        app = create_app(edge.schema, _principal, edge.context_for, settings)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://town") as http:
            yield Office(http, keeping)


async def test_an_answer_with_personal_data_makes_one_record(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        answer = await place.ask(f"query Desk {WHOLE}")
        (record,) = await place.records()

    assert answer["data"]["residents"]["totalCount"] == 1
    subject = Registrar.of(read_secret(place.keeping.key_file), algorithm()).subject(
        "person", "11010519491231002X"
    )
    resident = {"personal": {"name": "shown"}, "restricted": {"idNumber": "hidden"}}
    resident["restricted"]["phone"] = "masked"
    assert [record[name] for name in ("sequence", "kind", "account", "office", "purpose")] == [
        1,
        "answer",
        "clerk",
        [["township_clerk", "320205106"]],
        "临时救助",
    ]
    assert record["operation"]["name"] == "Desk"
    assert (record["sources"], record["rows"]) == (["aid", "population"], 2)
    assert record["outcome"] == ["FORBIDDEN"]
    found = {(each["entity"], each["rows"]): each for each in record["readings"]}
    assert found["Resident", 1]["fields"] == resident
    assert found["Aid", 1]["subjects"] == found["Resident", 1]["subjects"] == [subject]


OPEN_DATA = (
    "{ me { account } }",
    "{ __typename }",
    '{ division(code: "320205106") { name } matters { nodes { name } } }',
    "{ codeSets { name } sources { name } }",
    "{ residents { nodes { nothing } } }",
)


async def test_open_data_make_no_record(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        answers = [await place.ask(query) for query in OPEN_DATA]
        records = await place.records()

    assert [each.get("data") is not None for each in answers] == [True] * 4 + [False]
    assert records == []


async def test_a_denial_is_recorded_and_no_system_was_asked(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        answer = await place.ask(FORBIDDEN)
        usage = await place.ask("{ sourceUsage { source } }")
        records = await place.records()

    codes = [each["errors"][0]["extensions"]["code"] for each in (answer, usage)]
    assert codes == ["FORBIDDEN", "FORBIDDEN"]
    assert [(each["outcome"], each["sources"], each["rows"]) for each in records] == [
        (["FORBIDDEN"], [], 0)
    ] * 2
    assert [each["readings"] for each in records] == [
        [
            {
                "entity": "Resident",
                "fields": {},
                "named": ["Resident.phone"],
                "rows": 0,
                "subjects": [],
            }
        ],
        [],
    ]


async def test_only_rows_that_are_shown_count_as_read(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        script(
            tmp_path / "population.db",
            "INSERT INTO people VALUES ('2', '110105194912310038', '李', '1', '320205106000')",
        )
        await place.ask("{ residents(first: 1) { nodes { name } pageInfo { hasNextPage } } }")
        (record,) = await place.records()

    (reading,) = record["readings"]
    assert (reading["rows"], len(reading["subjects"])) == (1, 1)


async def test_the_bytes_of_an_answer_are_the_same_with_the_ledger(tmp_path: Path) -> None:
    answers = []
    for name in ("with", "without"):
        folder = tmp_path / name
        folder.mkdir()
        async with office(folder, is_audited=name == "with") as place:
            given = [await place.post(query) for query in (ASKED, WHOLE, FORBIDDEN)]
            answers.append([(each.status_code, each.content) for each in given])
            counted = len(await place.records())
            assert counted == (3 if name == "with" else 0)

    assert answers[0] == answers[1]
    statuses = [status for status, _ in answers[0]]
    assert (statuses, orjson.loads(answers[0][0][1])["data"]) == (
        [200, 200, 200],
        {"residents": {"nodes": [SEEN]}},
    )


async def test_concurrent_answers_share_commits(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        answers = await asyncio.gather(*(place.ask(ASKED) for _ in range(60)))
        records = await place.records()

    assert [each["data"] for each in answers] == [{"residents": {"nodes": [SEEN]}}] * 60
    assert [record["sequence"] for record in records] == list(range(1, 61))


async def test_what_cannot_be_recorded_does_not_leave_and_everything_recovers(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with office(tmp_path) as place:
        lock = sqlite3.connect(tmp_path / "own" / "store.db", isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        refused = [await place.post(query) for query in (WHOLE, FORBIDDEN)]
        open_data = await place.ask("{ me { account } }")
        during = await place.ready()
        lock.execute("ROLLBACK")
        lock.close()
        while (after := await place.ready()) != {"status": "ready"}:
            await place.records()
        answer = await place.ask(ASKED)
        records = await place.records()

    assert [(each.status_code, each.json()) for each in refused] == [(503, REFUSED)] * 2
    assert open_data["data"] == {"me": {"account": "clerk"}}
    assert during == {"status": "degraded", "reasons": ["AUDIT_UNAVAILABLE"]}
    assert (after, answer["data"]) == ({"status": "ready"}, {"residents": {"nodes": [SEEN]}})
    assert [(each["kind"], each.get("refused")) for each in records] == [
        ("gap", 2),
        ("answer", None),
    ]
    said = [record.message for record in caplog.records if record.levelno >= logging.ERROR]
    assert said == ["the ledger cannot be written: database is locked"]


async def test_no_value_of_a_row_is_in_the_files_of_the_server(tmp_path: Path) -> None:
    alias = "a11010519491231002X"
    queries = (
        WHOLE,
        f'query Q11010519491231002X {{ {alias}: residents(where: {{ name: {{ eq: "王小明" }} }}) '
        "{ nodes { name } } }",
        FORBIDDEN,
    )
    async with office(tmp_path) as place:
        for query in queries:
            await place.ask(query)
        content = raw_bytes(tmp_path / "own") + raw_bytes_of_heads(place.keeping)
    content += raw_bytes(tmp_path / "own") + raw_bytes_of_heads(place.keeping)

    values = ("11010519491231002X", "11010519491231002", "王小明", "13800000001", 'A1"')
    assert b'"account":"clerk"' in content
    assert [value for value in values if value.encode() in content] == []


def raw_bytes_of_heads(keeping: Keeping) -> bytes:
    return keeping.heads_file.read_bytes() if keeping.heads_file.exists() else b""


async def test_a_broken_ledger_is_named_by_its_first_bad_record(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with office(tmp_path) as place:
        for _ in range(3):
            await place.ask(ASKED)
    keeping = place.keeping
    sound = await verify(keeping, None)

    assert (sound.records, sound.heads, sound.agreed) == (3, 1, 3)
    script(
        tmp_path / "own" / "store.db",
        "DROP TRIGGER ledger_no_update;"
        "UPDATE ledger SET body = replace(body, 'clerk', 'other') WHERE sequence = 2",
    )
    with pytest.raises(LedgerBroken, match="record 2: it is not what was written"):
        await verify(keeping, None)


async def _ledger_of_three(folder: Path) -> Keeping:
    async with office(folder) as place:
        for _ in range(3):
            await place.ask(ASKED)
    return place.keeping


def test_the_commands_take_a_ledger_out_and_check_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    keeping = asyncio.run(_ledger_of_three(tmp_path))
    place = ["--store", keeping.store, "--key-file", str(keeping.key_file)]
    export = tmp_path / "export.jsonl"

    taken = main(["audit", "export", "--jsonl", *place])
    export.write_text(capsys.readouterr().out, "utf-8")
    heads, aside = keeping.heads_file, tmp_path / "aside"
    sound = [main(["audit", "verify", *place])]
    heads.rename(aside)
    sound.append(main(["audit", "verify", str(export), *place]))  # its own end is not in it
    aside.rename(heads)
    told = capsys.readouterr()
    lines = export.read_text("utf-8").splitlines(keepends=True)
    export.write_text("".join(lines[:2]), "utf-8")
    named = ["--head", str(keeping.heads_file)]
    broken = main(["audit", "verify", str(export), *place, *named])

    assert (taken, sound, len(lines), told.err) == (0, [0, 0], 4, "")
    assert [json.loads(line)["kind"] for line in lines] == [*["answer"] * 3, "intent"]
    assert "5 records are as they were written" in told.out
    assert "heads confirm the first 5, none the 0 after" in told.out
    assert (broken, capsys.readouterr().err) == (
        1,
        "the ledger is broken: record 3: it is missing, with all others to 5 at least\n",
    )


def test_a_heads_file_that_is_named_must_be_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keeping = asyncio.run(_ledger_of_three(tmp_path))
    place = ["--store", keeping.store, "--key-file", str(keeping.key_file)]

    keeping.heads_file.unlink()
    statuses = [
        main(["audit", "verify", *place]),
        main(["audit", "verify", *place, "--head", str(tmp_path / "none")]),
    ]

    assert statuses == [0, 1]
    assert "without heads nobody can tell" in capsys.readouterr().out


def test_the_key_of_the_heads_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    keeping = asyncio.run(_ledger_of_three(tmp_path))

    assert [path.stat().st_mode & 0o077 for path in (keeping.signing_key_file,)] == [0]


async def test_a_store_without_a_ledger_is_told(tmp_path: Path) -> None:
    keeping = keeping_in(tmp_path)
    with pytest.raises(StoreUnavailable, match="there is no store at"):
        await verify(keeping, None)
    assert os.listdir(tmp_path) == []

    async with opened_store(keeping):
        with pytest.raises(StoreUnavailable, match="no ledger that can be read"):
            await verify(keeping, None)


async def test_a_store_where_no_table_can_be_made_is_told(tmp_path: Path) -> None:
    keeping = keeping_in(tmp_path)
    async with opened_store(keeping) as store:
        lock = sqlite3.connect(tmp_path / "own" / "store.db", isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="table cannot be made"):
            async with auditing(store, keeping):
                pass
        lock.close()
