import json
import re
from pathlib import Path

import pytest

from benchmarks.npm import ONE_DATABASE, TWO_DATABASES, from_npm
from benchmarks.processes import ROOT
from tests.benchmarks.test_benchmarks import TINY, figures

PEERS = ROOT / "benchmarks" / "peers"
INSTALLED = ROOT / "build" / "peers" / "installed"


def test_the_lock_of_the_servers_from_npm_is_exact_and_names_no_address() -> None:
    wanted = json.loads((PEERS / "package.json").read_text("utf-8"))["dependencies"]
    text = (PEERS / "package-lock.json").read_text("utf-8")
    packages = json.loads(text)["packages"]

    assert all(re.fullmatch(r"[\d.]+", version) for version in wanted.values())
    assert {name: packages[f"node_modules/{name}"]["version"] for name in wanted} == wanted
    assert "://" not in text


def test_every_server_from_npm_is_a_small_program_of_our_own() -> None:
    lines = {path.stem: path.read_text("utf-8").count("\n") for path in PEERS.glob("*.mjs")}

    assert {*ONE_DATABASE, *TWO_DATABASES} < lines.keys()
    assert max(lines.values()) < 200


def test_what_postgraphile_answers_is_compared_in_the_names_of_the_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "installed").touch()
    monkeypatch.setattr("benchmarks.npm.INSTALLED", tmp_path)
    monkeypatch.setattr("benchmarks.npm.which", lambda _: "node")
    (server,) = from_npm(["postgraphile"])
    member = {"name": "王伟"}
    resident = {"maskedIdNumber": "329***0007", "name": "王伟", "sex": "1", "cases": {"nodes": []}}
    household = {"address": "幸福路1号", "members": {"nodes": [member]}}
    shown = {"idNumber": "329***0007", "name": "王伟", "sex": "MALE", "cases": {"nodes": []}}

    page = server.translated({"allResidents": {"nodes": [{**resident, "household": household}]}})
    point = server.translated({"residentByIdNumber": {**resident, "household": None}})
    nobody = server.translated({"residentByIdNumber": None})
    report = server.translated(
        {
            "clerkCaseCounts": {"nodes": [{"matterCode": "01", "status": "CLOSED", "count": 2}]},
            "allMatters": {"nodes": [{"code": "01", "name": "事项1"}]},
        }
    )

    home = {"address": "幸福路1号", "members": [member]}
    assert page == {"residents": {"nodes": [{**shown, "household": home}]}}
    assert point == {"resident": {**shown, "household": None}}
    assert nobody == {"resident": None}
    assert report == {
        "aggregate": {
            "cases": {
                "groups": [{"keys": [{"value": "01"}, {"value": "CLOSED"}], "count": 2}],
            }
        },
        "matters": {"nodes": [{"code": "01", "name": "事项1"}]},
    }


@pytest.mark.deep
def test_the_servers_from_npm_give_the_answers_of_this_one(state: Path) -> None:
    if not INSTALLED.exists():
        pytest.skip("not installed: run `make bench-peers`")
    for program in PEERS.glob("*.mjs"):
        (INSTALLED.parent / program.name).write_bytes(program.read_bytes())

    found = figures(state, "peers", "--npm", "--clients", "4", *TINY)

    names = {"township", "township_two", "strawberry", "hand_written"}
    assert set(found["q2"]) == names | {*ONE_DATABASE, *TWO_DATABASES}
    assert set(found["township_against"]) == set(found["q2"]) - {"township", "township_two"}
