"""
The servers from npm to compare with: each a small program in `benchmarks/peers`.

All but PostGraphile serve the schema of the peers. PostGraphile makes its own of the tables, so its
questions are written in that one, and its answers are translated before they are compared.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from shutil import which
from typing import Any, Final

import asyncpg  # type: ignore[import-untyped] # it has no types

from benchmarks.processes import ROOT, Program, ServerFailed
from benchmarks.questions import PEERS, Texts
from benchmarks.stage import Contestant, Stage

ONE_DATABASE: Final = ("postgraphile", "mercurius", "yoga")
TWO_DATABASES: Final = ("apollo_gateway", "hive_gateway")

INSTALLED: Final = ROOT / "build" / "peers"
_ROW_SECURITY: Final = ROOT / "benchmarks" / "peers" / "row_security.sql"
_DEPARTMENTS: Final = ROOT / "benchmarks" / "two_departments"
_OTHERS: Final = {"people": ("case_file", "matter"), "work": ("resident", "household")}
"""Two databases, and the tables that each has not."""

_SEXES: Final = {"1": "MALE", "2": "FEMALE"}
_POSTGRAPHILE: Final[Texts] = {
    "Q1": """\
query Q1($id: String!) {
  residentByIdNumber(idNumber: $id) {
    maskedIdNumber name sex birthDate
    household { number address }
    cases(first: 20) { nodes { number status matter { code name } } }
  }
}""",
    "Q2": """\
query Q2($township: String!) {
  allResidents(condition: { division: $township }, orderBy: [NUMBER_ASC], first: 50) {
    nodes {
      maskedIdNumber name sex birthDate
      household { address members { nodes { name } } }
      cases(first: 5) { nodes { status matter { name } } }
    }
  }
}""",
    "Q3": """\
query Q3($township: String!) {
  clerkCaseCounts(township: $township) { nodes { matterCode status count } }
  allMatters(first: 100) { nodes { code name } }
}""",
}


def two_databases(stage: Stage) -> Contestant:
    """Return this server over two databases, as the gateways are over two subgraphs."""
    return stage.township("township_two", _DEPARTMENTS)


def from_npm(names: Sequence[str]) -> list[Contestant]:
    """
    Return the servers of these names.

    Raises: ServerFailed where they are not installed.
    """
    node = which("node")
    if node is None or not (INSTALLED / "installed").exists():
        raise ServerFailed("the servers from npm are not installed: run `make bench-peers`")
    return [_contestant(name, node) for name in names]


def _contestant(name: str, node: str) -> Contestant:
    program = Program(name, (f"{name}.mjs",), node, INSTALLED)
    if name == "postgraphile":
        return Contestant(program, _POSTGRAPHILE, _translated)
    return Contestant(program, PEERS)


def divided(stage: Stage) -> Stage:
    """Return the stage with row-level security in its database, and with two that divide it."""
    address = stage.environment["REGISTRY_URL"]
    server = address.rpartition("/")[0]
    asyncio.run(_divide(server.replace("+asyncpg", "")))
    asyncio.run(_execute(address.replace("+asyncpg", ""), _ROW_SECURITY.read_text("utf-8")))
    urls = {f"{name.upper()}_URL": f"{server}/{name}" for name in _OTHERS}
    settings = {"NODE_ENV": "production", "GRAPHILE_ENV": "production"}
    return replace(stage, environment={**stage.environment, **urls, **settings})


async def _divide(server: str) -> None:
    connection = await asyncpg.connect(f"{server}/postgres")
    there = {row[0] for row in await connection.fetch("SELECT datname FROM pg_database")}
    try:
        for name, others in _OTHERS.items():
            if name not in there:
                await connection.execute(f"CREATE DATABASE {name}_new TEMPLATE registry")
                await _execute(f"{server}/{name}_new", f"DROP TABLE {', '.join(others)} CASCADE")
                await connection.execute(f"ALTER DATABASE {name}_new RENAME TO {name}")
    finally:
        await connection.close()


async def _execute(address: str, statements: str) -> None:
    connection = await asyncpg.connect(address)
    try:
        await connection.execute(statements)
    finally:
        await connection.close()


def _translated(data: Any) -> Any:
    """Return what PostGraphile gave, in the names and codes of the other servers."""
    if "allResidents" in data:
        return {"residents": {"nodes": list(map(_resident, data["allResidents"]["nodes"]))}}
    if "clerkCaseCounts" in data:
        groups = list(map(_group, data["clerkCaseCounts"]["nodes"]))
        return {"aggregate": {"cases": {"groups": groups}}, "matters": data["allMatters"]}
    found = data["residentByIdNumber"]
    return {"resident": found and _resident(found)}


def _resident(found: Any) -> Any:
    """Return a resident; members are a list there, in a page here."""
    household = found["household"]
    if household and "members" in household:
        household = {**household, "members": household["members"]["nodes"]}
    rest = {name: value for name, value in found.items() if name != "maskedIdNumber"}
    own = {"idNumber": found["maskedIdNumber"], "sex": _SEXES[found["sex"]]}
    return {**rest, **own, "household": household}


def _group(found: Any) -> Any:
    keys = [{"value": found["matterCode"]}, {"value": found["status"]}]
    return {"keys": keys, "count": found["count"]}
