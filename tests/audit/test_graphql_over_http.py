"""graphql-http's own audits of GraphQL over HTTP, run against a server on loopback."""

import asyncio
import json
import os
import shutil
from collections import Counter
from pathlib import Path

import pytest

from tests.served import served
from tests.tiny import TOKEN

FOLDER = Path(__file__).parent
MODULES = FOLDER.parent.parent / "build" / "node" / "node_modules"


def node() -> str:
    program = shutil.which("node")
    missing = "node is not installed" if program is None else ""
    if program and not (MODULES / "graphql-http").is_dir():
        missing = "graphql-http is not installed in build/node: run tests/audit/install"
    if missing and os.environ.get("CI"):
        pytest.fail(missing)
    if program is None or missing:
        pytest.skip(missing)
    return program


async def audited(url: str, token: str = TOKEN) -> list[dict[str, str]]:
    process = await asyncio.create_subprocess_exec(
        node(),
        str(FOLDER / "audit.mjs"),
        str(MODULES),
        f"{url}/graphql",
        token,
        stdout=asyncio.subprocess.PIPE,
    )
    told, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0
    return [json.loads(line) for line in told.splitlines()]


async def test_every_audit_that_must_or_should_hold_holds() -> None:
    node()
    async with served() as (_, url):
        audits = await audited(url)

    kinds = Counter(audit["name"].split()[0] for audit in audits)
    failed = [audit for audit in audits if audit["status"] != "ok"]
    assert [kinds["MUST"], kinds["SHOULD"], failed] == [13, 23, []]
