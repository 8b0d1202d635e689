import asyncio
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg  # type: ignore[import-untyped] # it has no types
import orjson
import pytest

from benchmarks import data
from benchmarks.data import Scale
from benchmarks.load import LoadFailed, Shot, Until, load
from benchmarks.permission import agree_but_for_permission
from benchmarks.processes import ROOT, Running
from benchmarks.questions import TOWNSHIP, Asked
from benchmarks.stage import Disagreement, Ready, agree
from demo.postgres import Postgres
from tests.loopback import Reply, json_reply, serving

SCALE = Scale(townships=10, households=1_000, residents=3_000, cases=4_500)
TINY = (
    *("--townships", "10", "--households", "1000", "--residents", "3000", "--cases", "4500"),
    *("--people", "20", "--seconds", "0.3", "--rounds", "1", "--warm", "0", "--samples", "10"),
)
QUIET = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
"""No coverage in what is measured: it slows this server and not its peers."""
TOWN, ELSEWHERE = "320106001", "320106002"


def figures(state: Path, *arguments: str) -> dict[str, Any]:
    out = state / "bench.json"
    out.unlink(missing_ok=True)
    command = [sys.executable, "-m", "benchmarks", *arguments]
    done = subprocess.run(  # noqa: S603 -- our own command
        [*command, "--state", str(state), "--out", str(out)],
        cwd=ROOT,
        env={**QUIET, "PYTHONWARNINGS": "default"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    found: dict[str, Any] = orjson.loads(out.read_bytes())
    return found


def test_this_server_and_its_peers_give_equal_answers_and_figures(state: Path) -> None:
    found = figures(state, "peers", "--clients", "4", *TINY)
    for question in ("q1", "q2", "q3"):
        assert list(found[question]) == ["township", "strawberry", "hand_written"]
        assert all(
            figure["requests_per_second"] > 0 and figure["cpu_ms"] > 0 and figure["p99_ms"] > 0
            for figure in found[question].values()
        )
    assert found["about"]["compared"] == 30
    assert list(found["about"]["right"]) == ["township", "strawberry", "hand_written"]


def test_permission_is_measured_beside_a_server_without_it(state: Path) -> None:
    found = figures(state, "permission", "--clients", "4", *TINY)["permission"]
    assert set(found["guarded_against_unguarded"]) == {"q1", "q2", "q3"}
    for question in ("q1", "q2", "q3"):
        assert list(found[question]) == ["guarded", "unguarded"]


def test_data_is_the_same_for_the_same_seed_and_partly_outside_its_township(
    postgres: Postgres,
) -> None:
    scales = (SCALE, SCALE, replace(SCALE, seed=2))
    one, same, other = (made(postgres, f"seeded_{at}", scale) for at, scale in enumerate(scales))
    assert one == same
    assert one[:4] == other[:4] == (3_000, 3_000, 1_000, 4_500)
    assert one[-1] != other[-1]
    assert 0.02 < one[4] / 3_000 < 0.04
    assert 0.07 < one[5] / 4_500 < 0.09


def made(postgres: Postgres, name: str, scale: Scale) -> tuple[int, ...]:
    postgres.create_database(name)
    address = postgres.url(name).replace("+asyncpg", "")

    async def build() -> tuple[int, ...]:
        await data.build(address, scale)
        connection = await asyncpg.connect(address)
        row = await connection.fetchrow(
            """
            SELECT (SELECT count(*) FROM resident),
              (SELECT count(DISTINCT id_number) FROM resident),
              (SELECT count(*) FROM household), (SELECT count(*) FROM case_file),
              (SELECT count(*) FROM resident r JOIN household h ON h.number = household_number
               WHERE r.division <> h.division),
              (SELECT count(*) FROM case_file c JOIN resident r ON id_number = applicant_id_number
               WHERE c.division <> r.division),
              (SELECT sum(hashtext(c::text)::bigint) FROM case_file c)
            """
        )
        await connection.close()
        return tuple(map(int, row))

    return asyncio.run(build())


async def test_an_answer_that_is_another_clients_is_counted_as_wrong() -> None:
    answers = [json_reply({"data": n % 5 == 0}) for n in range(100_000)]
    shots = [Shot(request(), orjson.dumps({"data": False}).replace(b":", b": "))]

    def answer(_: object) -> Reply:
        return answers.pop()

    async with serving(answer) as server:
        measured = await asyncio.to_thread(load, address_of(server.url), shots, 4, Until(0.2))
    assert len(measured.times) == 100_000 - len(answers)
    assert measured.wrong == sum(1 for n in range(len(answers), 100_000) if n % 5 == 0)


async def test_a_refusal_is_no_answer() -> None:
    async with serving(lambda _: json_reply({}, 503)) as server:
        with pytest.raises(LoadFailed, match="503"):
            await asyncio.to_thread(load, address_of(server.url), [Shot(request())], 2, Until(0.2))


def test_servers_that_do_not_agree_are_not_measured() -> None:
    one = answering({"resident": {"name": "王"}})
    assert agree([one, answering({"resident": {"name": "王"}})], 25) == 1
    with pytest.raises(Disagreement):
        agree([one, answering({"resident": {"name": "李"}})], 25)
    with pytest.raises(Disagreement):
        agree([one, answering(None, errors=[{"message": "no"}])], 25)


def test_permission_may_mask_and_withhold_what_lies_elsewhere_and_nothing_else() -> None:
    clear = answering({"resident": resident("329900196109060007", {"division": ELSEWHERE})})
    seen = answering({"resident": resident("329***********0007", None)})
    assert agree_but_for_permission([seen, clear]) == 1
    with pytest.raises(Disagreement, match="more than it should"):
        agree_but_for_permission([clear, clear])
    here = answering({"resident": resident("329900196109060007", {"division": TOWN})})
    with pytest.raises(Disagreement, match="more than it should"):
        agree_but_for_permission([seen, here])
    shown = answering({"resident": resident("329***********0007", {"division": TOWN})})
    with pytest.raises(Disagreement, match="no household"):
        agree_but_for_permission([shown, here])


def resident(number: str, household: object) -> dict[str, object]:
    return {"idNumber": number, "household": household}


def answering(found: object, errors: object = None) -> Ready:
    told = {"data": found, **({"errors": errors} if errors else {})}
    asked = Asked("Q1", TOWN, "329900196109060007")
    shot = Shot(asked.request(TOWNSHIP, "token"), orjson.dumps(told))
    return Ready(Running("server", os.getpid(), 1), {asked: shot})


def request() -> bytes:
    return Asked("Q1", TOWN, "329900196109060007").request(TOWNSHIP, "token")


def address_of(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.port
    return parts.hostname, parts.port
