"""One whole server with accounts: who is shut out and let in, copies dropped, and the commands."""

import asyncio
import os
import signal
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from json import loads
from pathlib import Path
from typing import Any

import httpx
import pytest

from auth.issuer import EmbeddedIssuer, issuers_file
from auth.principal import Principal
from gateway.settings import Serving
from server import _serve, main
from store.accounts import Accounts, Status
from store.database import open_store
from tests.accounts import PEOPLE, XIBEI, take_in, taken_in
from tests.gateway.town import CLERK, POLICY, files_of

ADMINISTRATOR = """
[role.county_administrator]
title = "账号管理员"
levels = ["county"]
facets = "nobody"
accounts = "own_division"
gives = ["township_clerk"]
"""
STALE = 'budget = { timeout = "30s", stale = "1h", retries = 0 }'
NAMES = "{ residents { nodes { name } } }"


@dataclass
class Client:
    """Somebody at a running server."""

    http: httpx.AsyncClient
    issuer: EmbeddedIssuer
    people: Mapping[str, Principal]

    async def ask(self, name: str, query: str, **variables: Any) -> tuple[int, Any]:
        headers = {"authorization": f"Bearer {self.issuer.token(self.people[name])}"}
        body = {"query": query, "variables": variables}
        answer = await self.http.post("/graphql", json=body, headers=headers)
        return answer.status_code, answer.json()

    async def get(self, name: str, query: str) -> tuple[int, Any]:
        headers = {"authorization": f"Bearer {self.issuer.token(self.people[name])}"}
        answer = await self.http.get("/graphql", params={"query": query}, headers=headers)
        return answer.status_code, answer.json()


Visit = Callable[[Client], Awaitable[Any]]


async def serving(folder: Path, visit: Visit, people: Mapping[str, Principal]) -> Any:
    """Serve a township with these accounts for one visit; return what it saw."""
    files, environment = files_of(folder)
    files.policy.write_text(POLICY + ADMINISTRATOR, "utf-8")
    for path in files.departments.glob("*.toml"):
        text = path.read_text("utf-8")
        path.write_text(text.replace('budget = { timeout = "30s" }', STALE), "utf-8")
    issuer = EmbeddedIssuer.opened(folder)
    await taken_in(folder, people.values())
    options = Serving(
        listen="127.0.0.1:0",
        departments=files.departments,
        policy=files.policy,
        store=f"sqlite+aiosqlite:///{folder / 'store.db'}",
        issuers=issuers_file(folder),
        key_file=folder / "key",
        reload_every="never",
        check_every="never",
    )
    visits: list[asyncio.Task[Any]] = []

    async def visited(url: str) -> Any:
        async with httpx.AsyncClient(base_url=url, timeout=30) as http:
            return await visit(Client(http, issuer, people))

    async def ready(url: str) -> None:
        visits.append(asyncio.create_task(visited(url)))
        visits[0].add_done_callback(lambda _: os.kill(os.getpid(), signal.SIGTERM))

    async with asyncio.timeout(60):
        await _serve(options, environment, ready)
    return visits[0].result()


STAFF = {
    "clerk": Principal("clerk", ("township_clerk",), (CLERK,)),
    "one": Principal("one", ("county_administrator",), ("320205",)),
    "two": Principal("two", ("county_administrator",), ("320205",)),
    "auditor": Principal("auditor", ("auditor",), ("32",)),
}


async def test_a_server_shuts_a_clerk_out_and_lets_her_in_by_her_new_password(
    tmp_path: Path,
) -> None:
    async def visit(client: Client) -> Any:
        before = await client.ask("clerk", "{ me { account } }")
        asked = 'mutation { %sAccount(account: "clerk") { change { id } } }'
        by_get = await client.get("one", asked % "disable")
        form = await client.http.post("/graphql", data={"query": asked % "disable"})
        await client.ask("one", asked % "disable")
        out = await client.ask("clerk", "{ me { account } }")
        given = []
        for wanted in (
            asked % "enable",
            'mutation { resetPassword(account: "clerk") { change { id } } }',
        ):
            _, waiting = await client.ask("one", wanted)
            (change,) = (each["change"]["id"] for each in waiting["data"].values())
            _, done = await client.ask(
                "two",
                "mutation ($id: ID!) { approveAccountChange(id: $id) { password } }",
                id=change,
            )
            given.append(done["data"]["approveAccountChange"]["password"])
        body = {"account": "clerk", "password": given[1], "newPassword": "quite another one"}
        signed_in = await client.http.post("/sign-in/password", json=body)
        token = signed_in.json()["token"]
        headers = {"authorization": f"Bearer {token}"}
        back = await client.http.post("/graphql", json={"query": NAMES}, headers=headers)
        return before[0], by_get[0], form.status_code, out[0], given[0], back.json()

    seen = await serving(tmp_path, visit, STAFF)
    exported = await asyncio.to_thread(records, tmp_path)

    assert seen[:5] == (200, 405, 401, 401, None)
    assert len(seen[5]["data"]["residents"]["nodes"]) > 0
    assert [
        (each["action"], each.get("step"), each.get("by"))
        for each in exported
        if each["kind"] == "account"
    ] == [
        ("disable", "done", "one"),
        ("enable", "asked", "one"),
        ("enable", "approved", "two"),
        ("reset_password", "asked", "one"),
        ("reset_password", "approved", "two"),
        ("password_changed", None, None),
        ("signed_in", None, None),
    ]


def records(folder: Path) -> list[dict[str, Any]]:
    """Return what is in the ledger of a folder."""
    with closing(sqlite3.connect(folder / "store.db")) as database:
        rows = database.execute("SELECT body FROM ledger ORDER BY sequence").fetchall()
    return [loads(body) for (body,) in rows]


def take_away(folder: Path) -> None:
    """Let the departments' databases be gone."""
    for path in sorted(folder.glob("*.db")):
        if path.name != "store.db":
            path.rename(path.with_suffix(".away"))


async def test_an_erased_record_is_not_answered_from_a_stale_copy_once_copies_are_dropped(
    tmp_path: Path,
) -> None:
    drop = 'mutation { dropCopies(source: "population") }'

    async def visit(client: Client) -> Any:
        fresh = await client.ask("clerk", NAMES)
        take_away(tmp_path)
        stale = await client.ask("clerk", NAMES)
        denied = [await client.ask(name, drop) for name in ("clerk", "one")]
        unknown = await client.ask("auditor", drop.replace("population", "x"))
        dropped = await client.ask("auditor", drop)
        after = await client.ask("clerk", NAMES)
        return fresh, stale, denied, unknown, dropped, after

    fresh, stale, denied, unknown, dropped, after = await serving(tmp_path, visit, STAFF)

    def codes(answer: Any) -> list[str]:
        return [error["extensions"]["code"] for error in answer[1].get("errors", [])]

    assert fresh[1]["data"] == stale[1]["data"] != {"residents": {"nodes": []}}
    assert [codes(each) for each in denied] == [["FORBIDDEN"]] * 2
    assert [codes(unknown), dropped[1]["data"]] == [["BAD_USER_INPUT"], {"dropCopies": True}]
    assert codes(after) == ["SOURCE_UNAVAILABLE"]


class Commands:
    """The commands about accounts over one folder, with people in its store."""

    def __init__(self, folder: Path, said: pytest.CaptureFixture[str]) -> None:
        self._folder = folder
        self._said = said
        (folder / "accounts.toml").write_text(
            "".join(
                f'[account."{name}"]\nroles = ["{who.roles[0]}"]\nscopes = ["{who.scopes[0]}"]\n'
                for name, who in PEOPLE.items()
            )
        )
        take_in(folder)

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        status = main(["account", *arguments, "--state", str(self._folder)])
        said = self._said.readouterr()
        return status, said.out.strip(), said.err.strip()


ROLE = f"township_clerk@{XIBEI}"


def test_by_command_too_it_takes_two_to_open_and_one_to_close(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Commands(tmp_path, capsys)
    created = run("create", "new-clerk", "--role", ROLE, "--by", "admin-one")
    change = created[1].rpartition(" ")[2]
    own = run("approve", change, "--by", "admin-one")
    approved = run("approve", change, "--by", "admin-two")
    foreign = run("disable", "clerk-far", "--by", "admin-one")
    disabled = run("disable", "new-clerk", "--by", "admin-one")

    assert created[1].startswith("create of new-clerk waits for another administrator: ")
    assert own == (1, "", "须由申请人和受益人以外的另一名管理员审批。")
    assert approved[1].startswith("create of new-clerk: approved; its password for the first")
    assert foreign == (1, "", "没有这个账号,或不在您的管辖范围内。")
    assert disabled == (0, "disable of new-clerk: approved", "")
    steps = [(each["action"], each["step"], each["by"]) for each in records(tmp_path)]
    assert steps == [
        ("create", "asked", "admin-one"),
        ("create", "approved", "admin-two"),
        ("disable", "done", "admin-one"),
    ]


def test_what_administrators_do_by_command_is_refused_or_taken_back_as_in_the_graph(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Commands(tmp_path, capsys)
    lasting = "--cover", "clerk-donggang", "--by", "admin-one"
    covered = run("delegate", "clerk-xibei", "--days", "5", *lasting)
    refused = run("refuse", covered[1].rpartition(" ")[2], "--by", "admin-two")
    ended = run("uncover", "clerk-xibei", *lasting)
    waiting = [
        run(command, "clerk-xibei", *more, "--by", "admin-one")[1].partition(" waits")[0]
        for command, *more in (
            ("move", "--role", ROLE, "--role", "grid_worker@320205106001"),
            ("enable",),
            ("reset",),
        )
    ]
    unknown = run("disable", "clerk-xibei", "--by", "ghost")
    wrong = run("move", "clerk-xibei", "--role", "township_clerk", "--by", "admin-one")

    assert refused == (0, "delegate of clerk-xibei: refused", "")
    assert ended == (0, "end_cover of clerk-xibei: approved", "")
    assert waiting == [
        "move of clerk-xibei",
        "enable of clerk-xibei",
        "reset_password of clerk-xibei",
    ]
    assert unknown == (1, "", "no account 'ghost'")
    assert wrong[2] == "write roles as ROLE@DIVISION, such as township_clerk@320205106"


def test_an_operator_takes_files_in_gives_first_passwords_and_shuts_names_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Commands(tmp_path, capsys)
    imported = run("import", str(tmp_path / "accounts.toml"))
    listed = run("list", "--scope", XIBEI)
    password = run("password", "clerk-far")
    denied = run("deny", "somebody.elsewhere")
    allowed = [run("allow", name)[0] for name in ("somebody.elsewhere", "nobody")]

    assert imported == (0, "0 accounts added, 0 changed", "")
    assert ["clerk-xibei" in listed[1], "clerk-far" in listed[1]] == [True, False]
    assert [password[0], len(password[1]), denied[0], allowed] == [0, 16, 0, [0, 1]]
    assert password[1] not in str(records(tmp_path))
    assert {each["by"] for each in records(tmp_path)} == {"operator"}


async def test_a_name_that_was_shut_out_by_command_is_in_the_store(tmp_path: Path) -> None:
    await asyncio.to_thread(main, ["account", "deny", "stranger", "--state", str(tmp_path)])
    store = await open_store(f"sqlite+aiosqlite:///{tmp_path / 'store.db'}")
    found = await Accounts(store).find("stranger")
    await store.dispose()

    assert found is not None
    assert [found.status, found.roles] == [Status.DISABLED, ()]
