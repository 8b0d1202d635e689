"""What `sources` and `sourceUsage` tell, and whom."""

from pathlib import Path
from typing import Any

import pytest

from gateway.rounds import Rounds
from sources.federation import Call
from tests.gateway.town import AID, CLERK, POLICY, PRINCIPALS, Town, script, town

FORBIDDEN = "您的岗位无权使用该信息;如工作需要,请向本单位管理员申请。"
OPEN = """{ sources {
  name title department kind state entities
  freshness { promisedSeconds asOf kept } maintenance { endsAt } nextMaintenance { beginsAt }
} }"""
OPERATION = """{ sources { name operation {
  circuit reads failures staleReason configuration drift { state changes { native } }
} } }"""
DRIFT = """{ sources { operation { drift {
  state checkedAt changes { entity native finding }
} } } }"""
USED = """query($by: UsagePeriod! = DAY, $since: DateTime) { sourceUsage(by: $by, since: $since) {
  source title entity role roleTitle scope purpose questions rows failures
} }"""
AIDS = "{ residents { nodes { aids { number } } } }"
FILE = """\
name = "visits"
title = "网格走访"
department = "政法"
kind = "file"
url = "file:${DROPS}"
freshness = "24h"
refresh = "1ms"
[entity.Visit]
description = "走访 | Visit"
attach = { to = "Resident", field = "visits", by = { i = "idNumber" } }
native = "visits-*.csv"
key = ["n"]
subject = "i"
[entity.Visit.fields]
number = { native = "n", description = "编号 | Number" }
idNumber = { native = "i", description = "证号 | Id number" }
"""


async def test_everybody_sees_which_systems_there_are_and_how_they_are(tmp_path: Path) -> None:
    async with town(tmp_path) as place:
        place.write(
            "departments/aid.toml", f'freshness = "24h"\nmaintenance = ["daily 00:00-24:00"]\n{AID}'
        )
        await place.living.reload()
        await place.data("clerk", "{ residents { nodes { name } } }")
        told = (await place.data("grid", OPEN))["sources"]

    assert [{**source, "maintenance": None, "nextMaintenance": None} for source in told] == [
        {
            "name": "aid",
            "title": "民政救助系统",
            "department": "民政",
            "kind": "sql",
            "state": "MAINTENANCE",
            "entities": ["Aid"],
            "freshness": {"promisedSeconds": 86400.0, "asOf": None, "kept": None},
            "maintenance": None,
            "nextMaintenance": None,
        },
        {
            "name": "population",
            "title": "公安人口信息系统",
            "department": "公安",
            "kind": "sql",
            "state": "OK",
            "entities": ["Resident"],
            "freshness": {"promisedSeconds": None, "asOf": None, "kept": None},
            "maintenance": None,
            "nextMaintenance": None,
        },
    ]
    assert told[0]["maintenance"]["endsAt"].endswith("T16:00:00+00:00")
    assert told[0]["nextMaintenance"]["beginsAt"].endswith("T16:00:00+00:00")
    assert told[1]["maintenance"] is None
    assert told[1]["nextMaintenance"] is None


RUNNING = {
    "circuit": "CLOSED",
    "reads": 0,
    "failures": 0,
    "staleReason": None,
    "configuration": "CURRENT",
    "drift": {"state": "UNKNOWN", "changes": []},
}


@pytest.mark.parametrize(
    ("account", "seen"),
    [
        ("clerk", ()),
        ("grid", ()),
        ("officer", ("population",)),
        ("other", ("aid",)),
        ("both", ("population",)),
        ("auditor", ("aid", "population")),
    ],
)
async def test_how_a_system_runs_is_told_to_those_whom_the_policy_names(
    tmp_path: Path, account: str, seen: tuple[str, ...]
) -> None:
    names = ("aid", "population")
    async with town(tmp_path) as place:
        answer = await place.ask(account, OPERATION)

    assert answer["data"]["sources"] == [
        {"name": name, "operation": RUNNING if name in seen else None} for name in names
    ]
    assert [(e["message"], e["path"]) for e in answer.get("errors", ())] == [
        (FORBIDDEN, ["sources", number, "operation"])
        for number, name in enumerate(names)
        if name not in seen
    ]


async def test_a_system_that_fails_is_counted_and_its_circuit_is_shown(tmp_path: Path) -> None:
    query = """{ sources { state operation {
      circuit reads failures lastAnsweredAt lastFailedAt
    } } }"""
    async with town(tmp_path) as place:
        fragile = AID.replace('timeout = "30s"', 'failures = 1, pause = "1h"')
        place.write("departments/aid.toml", fragile)
        await place.living.reload()
        await place.data("clerk", AIDS)
        (tmp_path / "aid.db").unlink()
        failed = await place.ask("clerk", AIDS)
        told = (await place.data("auditor", query))["sources"]
        ready = await place.ready()

    assert [error["extensions"]["code"] for error in failed["errors"]] == ["SOURCE_UNAVAILABLE"]
    assert (told[0]["state"], told[1]["state"]) == ("UNAVAILABLE", "OK")
    aid, population = told[0]["operation"], told[1]["operation"]
    assert (aid["circuit"], aid["reads"], aid["failures"]) == ("OPEN", 2, 1)
    assert (population["circuit"], population["reads"], population["failures"]) == ("CLOSED", 2, 0)
    assert aid["lastAnsweredAt"] < aid["lastFailedAt"]
    assert population["lastFailedAt"] is None
    assert ready == {"status": "degraded", "reasons": ["SYSTEM_FAILED"]}


async def test_a_drop_shows_of_when_it_is_and_why_a_newer_one_does_not_count(
    tmp_path: Path,
) -> None:
    query = """{ sources { name freshness { asOf kept } operation {
      staleReason drift { state changes { entity native finding } }
    } } }"""
    drops = tmp_path / "drops"
    drops.mkdir()
    (drops / "visits-1.csv").write_text("n,i\n1,x\n")
    async with town(tmp_path, DROPS=str(drops)) as place:
        place.write("departments/visits.toml", FILE)
        await place.living.reload()
        rounds = Rounds(place.living.using, 1)
        await rounds.check("visits")
        good = await place.data("auditor", query)
        (drops / "visits-2.csv").write_text("number,i\n1,x\n")
        await rounds.check("visits")
        stale = await place.data("auditor", query)

    before, after = good["sources"][2], stale["sources"][2]
    assert before["freshness"] == after["freshness"]
    assert before["freshness"]["kept"] is True
    assert before["operation"] == {"staleReason": None, "drift": {"state": "OK", "changes": []}}
    assert after["operation"] == {
        "staleReason": "visits-2.csv: the column n is not there",
        "drift": {
            "state": "DRIFTED",
            "changes": [{"entity": "Visit", "native": "n", "finding": "MISSING"}],
        },
    }


async def test_drift_is_shown_and_logged_once_per_change(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with town(tmp_path) as place:
        rounds = Rounds(place.living.using, 1)
        told = [await _drift(place, rounds)]
        script(tmp_path / "aid.db", "ALTER TABLE aids RENAME COLUMN k TO kk")
        told += [await _drift(place, rounds), await _drift(place, rounds)]
        place.write("policy.toml", POLICY + "\n")
        await place.living.reload()
        kept = (await place.data("auditor", DRIFT))["sources"][0]["operation"]["drift"]
        place.write("departments/aid.toml", AID.replace('native = "k"', 'native = "kk"'))
        await place.living.reload()
        anew = (await place.data("auditor", DRIFT))["sources"][0]["operation"]["drift"]
        told.append(await _drift(place, rounds))

    change = {"entity": "Aid", "native": "k", "finding": "MISSING"}
    assert [(drift["state"], drift["changes"]) for drift in told] == [
        ("OK", []),
        ("DRIFTED", [change]),
        ("DRIFTED", [change]),
        ("OK", []),
    ]
    assert kept == told[2]
    assert anew == {"state": "UNKNOWN", "checkedAt": None, "changes": []}
    assert caplog.text.count("aid: Aid: k is MISSING since it was mapped") == 1


async def test_while_maintenance_lasts_a_field_says_so_and_the_rest_answers(
    tmp_path: Path,
) -> None:
    async with town(tmp_path) as place:
        planned = f'maintenance = ["2000-01-01T00:00/2999-01-01T06:30"]\n{AID}'
        place.write("departments/aid.toml", planned)
        await place.living.reload()
        (tmp_path / "aid.db").unlink()  # nobody looks for it
        answer = await place.ask("clerk", "{ residents { nodes { name aids { number } } } }")
        ready = await place.ready()

    assert answer["data"] == {"residents": {"nodes": [{"name": "王小明", "aids": None}]}}
    path = ["residents", "nodes", 0, "aids"]
    assert [(error["message"], error["path"]) for error in answer["errors"]] == [
        (
            "“民政救助系统”正在维护,预计2999年1月1日06:30恢复,其余内容不受影响,请届时再试。",
            path,
        )
    ]
    assert answer["errors"][0]["extensions"] == {"code": "SOURCE_UNAVAILABLE", "source": "aid"}
    assert answer["extensions"]["completeness"] == [
        {"source": "aid", "title": "民政救助系统", "state": "MAINTENANCE", "paths": [path]},
        {"source": "population", "title": "公安人口信息系统", "state": "OK", "paths": []},
    ]
    assert ready == {"status": "degraded", "reasons": ["SYSTEM_FAILED"]}


async def test_a_system_in_maintenance_is_not_looked_at_and_what_is_known_stays(
    tmp_path: Path,
) -> None:
    async with town(tmp_path) as place:
        planned = f'maintenance = ["daily 00:00-24:00"]\n{AID}'
        place.write("departments/aid.toml", planned)
        await place.living.reload()
        drift = await _drift(place, Rounds(place.living.using, 1))
        reads = "{ sources { name operation { reads } } }"
        told = (await place.data("auditor", reads))["sources"][0]

    assert drift == {"state": "UNKNOWN", "checkedAt": None, "changes": []}
    assert told == {"name": "aid", "operation": {"reads": 0}}


async def _drift(place: Town, rounds: Rounds) -> Any:
    await rounds.check("aid")
    return (await place.data("auditor", DRIFT))["sources"][0]["operation"]["drift"]


async def test_an_officer_sees_which_roles_asked_their_own_system_and_never_who(
    tmp_path: Path,
) -> None:
    async with town(tmp_path) as place:
        await place.data("clerk", AIDS)
        await place.data("grid", AIDS)
        await place.data("clerk", AIDS)
        (tmp_path / "aid.db").unlink()
        await place.ask("clerk", AIDS)
        own = (await place.data("officer", USED))["sourceUsage"]
        by_hour = (await place.data("other", USED, by="HOUR"))["sourceUsage"]
        later = await place.data("other", USED, since="2999-01-01T00:00:00+08:00")

    asked = {"role": "township_clerk", "roleTitle": "办事员", "scope": CLERK, "purpose": "临时救助"}
    police = {"source": "population", "title": "公安人口信息系统", "entity": "Resident"}
    aid = {"source": "aid", "title": "民政救助系统", "entity": "Aid"}
    assert own == [{**police, **asked, "questions": 3, "rows": 3, "failures": 0}]
    assert by_hour == [{**aid, **asked, "questions": 3, "rows": 2, "failures": 1}]
    assert later == {"sourceUsage": []}


async def test_more_sums_than_one_answer_may_have_are_refused_with_what_to_narrow(
    tmp_path: Path,
) -> None:
    async with town(tmp_path) as place:
        usage = place.living.graph.observed.usage
        for number in range(1_001):
            usage.note(PRINCIPALS["clerk"], [Call("aid", "", f"E{number}", "OK")])
        answer = await place.ask("other", USED)
        none = await place.data("officer", USED)

    assert none == {"sourceUsage": []}
    assert [error["message"] for error in answer["errors"]] == [
        "统计行数过多,请用 since 缩短时间范围后重试。"
    ]


@pytest.mark.parametrize("account", ["clerk", "grid", "auditor"])
async def test_usage_is_denied_without_a_line_in_the_policy(tmp_path: Path, account: str) -> None:
    async with town(tmp_path) as place:
        answer = await place.ask(account, USED)
        told = (await place.data("auditor", OPERATION))["sources"]

    assert answer["data"] == {"sourceUsage": None}
    assert [error["message"] for error in answer["errors"]] == [FORBIDDEN]
    assert [source["operation"]["reads"] for source in told] == [0, 0]


async def test_a_time_without_a_zone_is_refused(tmp_path: Path) -> None:
    async with town(tmp_path) as place:
        answer = await place.ask("officer", USED, since="2026-01-01T00:00:00")

    assert answer["errors"][0]["message"] == "since 的时间要带时区,如 2026-01-01T08:00:00+08:00。"
