"""The commands and what they assemble."""

import asyncio
import os
import signal
from pathlib import Path

import httpx
import pytest

from auth.issuer import EmbeddedIssuer, issuers_file
from gateway.settings import CommandRefused, Serving, check_settings_file
from server import Graph, main, serve_graph, version
from tests.accounts import take_in
from tests.tiny import CLERK, SCHEMA, announce, context_for
from tests.web.clients import UNAUTHENTICATED


def test_an_unknown_name_in_the_settings_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "township.toml"
    check_settings_file(path)
    path.write_text('listen = "127.0.0.1:0"\nready-file = "x"\n')
    check_settings_file(path)
    path.write_text('lisen = "127.0.0.1:0"\n')

    with pytest.raises(CommandRefused) as caught:
        check_settings_file(path)

    assert str(caught.value).startswith(f"{path}: unknown: lisen; known: break-glass-for, ")


ACCOUNTS = '[account.clerk]\nroles = ["township_clerk"]\nscopes = ["320411003"]\n'


def test_a_token_is_printed_for_an_account(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "accounts.toml").write_text(ACCOUNTS)
    take_in(tmp_path)

    status = main(["token", "--account", "clerk", "--ttl", "8h", "--state", str(tmp_path)])

    assert [status, capsys.readouterr().out.count(".")] == [0, 2]


def test_options_come_from_the_line_then_the_environment_then_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("line", "environment", "file"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "accounts.toml").write_text(ACCOUNTS.replace("clerk]", f"{name}]"))
        take_in(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    asked = ["token", "--account", "x"]

    (tmp_path / "township.toml").write_text('state = "file"\n')
    main(asked)
    monkeypatch.setenv("TOWNSHIP_STATE", "environment")
    main(asked)
    main([*asked, "--state", "line"])

    assert capsys.readouterr().err.splitlines() == [
        "no account 'x' in use; there are: file",
        "no account 'x' in use; there are: environment",
        "no account 'x' in use; there are: line",
    ]


async def test_a_graph_is_served_to_holders_of_tokens_until_the_process_is_told_to_stop(
    tmp_path: Path,
) -> None:
    issuer = EmbeddedIssuer.opened(tmp_path)
    options = Serving(
        listen="127.0.0.1:0", issuers=issuers_file(tmp_path), origins=("https://a.b",)
    )
    answers = []

    async def ask_and_stop(url: str) -> None:
        async def ask() -> None:
            async with httpx.AsyncClient(base_url=url) as http:
                for token in (issuer.token(CLERK), issuer.token(CLERK) + "A"):
                    headers = {"authorization": f"Bearer {token}"}
                    answer = await http.post("/graphql", json={"query": "{me}"}, headers=headers)
                    answers.append((answer.status_code, answer.json()))
                answers.append(((await http.get("/version")).status_code, version()))
            os.kill(os.getpid(), signal.SIGTERM)

        asking.append(asyncio.create_task(ask()))

    asking: list[asyncio.Task[None]] = []
    async with asyncio.timeout(20):
        await serve_graph(Graph(SCHEMA, context_for), options, ask_and_stop)
        await asyncio.gather(*asking)

    assert answers == [(200, {"data": {"me": "clerk"}}), (401, UNAUTHENTICATED), (200, version())]


async def test_an_address_in_use_is_an_error_that_names_it(tmp_path: Path) -> None:
    EmbeddedIssuer.opened(tmp_path)
    taken = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    address = f"127.0.0.1:{taken.sockets[0].getsockname()[1]}"
    options = Serving(listen=address, issuers=issuers_file(tmp_path))

    async with taken:
        with pytest.raises(OSError, match=f"{address} cannot be used for listening"):
            await serve_graph(Graph(SCHEMA, context_for), options, announce)


def test_an_unknown_account_is_refused_with_the_known_ones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "accounts.toml").write_text(ACCOUNTS)
    take_in(tmp_path)
    monkeypatch.setenv("TOWNSHIP_STATE", str(tmp_path))

    status = main(["token", "--account", "nobody"])

    said = capsys.readouterr()
    assert [status, said.out] == [1, ""]
    assert said.err == "no account 'nobody' in use; there are: clerk\n"


def test_the_version_is_the_projects() -> None:
    assert version().split(".")[0].isdigit()
