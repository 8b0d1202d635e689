"""What `make demo` shows once the province answers: a question, its answer, and how to ask more."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from demo import scene
from demo.systems import Running

CLERK: Final = f"clerk-{scene.TOWNSHIP}"
OTHERS: Final = (f"county-{scene.TOWNSHIP[:6]}", "clerk-320411107")
QUESTION: Final = """\
query OnePerson($idNumber: String!) {
  resident(idNumber: $idNumber) {
    name sex birthDate idNumber
    livesIn { name }
    household { number address members { name relationToHead birthDate } }
    socialInsurances { kind state }
    medicalEnrollments { kind }
    assistances { kind }
    cases(first: 5, orderBy: [{acceptedAt: DESC}]) {
      totalCount
      nodes { number status acceptedAt matter { name } acceptedIn { name } }
    }
  }
}
"""
VARIABLES: Final = {"idNumber": scene.HEAD.id_number}


def request_body() -> bytes:
    """Return the question as a client posts it."""
    return json.dumps({"query": QUESTION, "variables": VARIABLES}).encode()


def show(console: Console, url: str, answer: Mapping[str, Any], tokens: Mapping[str, str]) -> None:
    """Print the question, the answer, the addresses and three tokens."""
    say = {"highlight": False, "markup": False, "soft_wrap": True}
    console.print(f"\n锡北镇办事员({CLERK})问:\n", style="bold", **say)  # type: ignore[arg-type] # flags by name
    console.print(QUESTION + json.dumps(VARIABLES, ensure_ascii=False), **say)  # type: ignore[arg-type]
    console.print("\n六个部门系统,一次回答:\n", style="bold", **say)  # type: ignore[arg-type]
    console.print(json.dumps(answer.get("data"), ensure_ascii=False, indent=2), **say)  # type: ignore[arg-type]
    console.print("\n地址", style="bold", **say)  # type: ignore[arg-type]
    console.print(f"  查询页面 {url}/graphiql/\n  接口     {url}/graphql", **say)  # type: ignore[arg-type]
    console.print("\n令牌(查询页面右上角粘贴;12小时有效)", style="bold", **say)  # type: ignore[arg-type]
    for account in (CLERK, *OTHERS):
        console.print(f"  {account}\n  {tokens[account]}", **say)  # type: ignore[arg-type]
    console.print("\n按 Ctrl+C 停止。", **say)  # type: ignore[arg-type]


def write_ready_file(
    path: Path, url: str, systems: Mapping[str, Running], tokens: Mapping[str, str]
) -> None:
    """Write where everything is, as JSON, whole or not at all."""
    sources = {
        name: {"address": running.address, "pid": running.pid} for name, running in systems.items()
    }
    ready = {
        "url": f"{url}/graphql",
        "ws_url": f"{url.replace('http', 'ws', 1)}/graphql",
        "console_url": f"{url}/",
        "sources": sources,
        "tokens": dict(tokens),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".part")
    beside.write_text(json.dumps(ready, ensure_ascii=False, indent=2), encoding="utf-8")
    beside.chmod(0o600)
    beside.rename(path)


def write_environment(path: Path, environment: Mapping[str, str]) -> None:
    """Write the systems' addresses for `check` and `serve`: `set -a; . FILE`."""
    lines = (f"{name}='{value}'\n" for name, value in environment.items())
    path.touch(mode=0o600)
    path.write_text("".join(lines), encoding="utf-8")
