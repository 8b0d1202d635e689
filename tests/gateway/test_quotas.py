"""Quotas of a whole server: from its policy file to the answer, across newer files."""

from contextlib import aclosing
from pathlib import Path

import orjson

from gateway.auditing import auditing
from gateway.graph import open_graph
from gateway.verification import exported
from schema.errors import Told, formatted
from tests.gateway.test_auditing import keeping_in, opened_store
from tests.gateway.town import AID, ASKED, POLICY, PRINCIPALS, SECRET, Town, files_of, town
from tests.loopback import Received, Reply, json_reply, serving
from web.endpoint import Asking

NUMBER = "11010519491231002X"
LOOKING = POLICY.replace(
    '"Resident.phone" = "mobile"\n',
    '"Resident.phone" = "mobile"\n"Resident.idNumber" = "citizen_number"\n\n'
    '[role.township_clerk.lookup]\nfields = ["Resident.idNumber"]\n',
)
LIMITED = '[quota]\nlookups = "3/day"\n'
ME = "{ me { account } }"


def look_up(*numbers: str) -> str:
    asked = (f'a{n}: resident(idNumber: "{number}") {{ name }}' for n, number in enumerate(numbers))
    return f"{{ {' '.join(asked)} }}"


async def codes(place: Town, account: str, query: str) -> list[str]:
    answer = await place.ask(account, query)
    return [error["extensions"]["code"] for error in answer.get("errors", ())]


async def test_the_quota_of_the_policy_holds_for_each_account_alone(tmp_path: Path) -> None:
    async with town(tmp_path) as place:
        place.write("policy.toml", f'[quota]\nquestions = "2/hour"\n{POLICY}')
        await place.living.reload()
        clerk = [await codes(place, "clerk", ASKED) for _ in range(4)]
        grid = [await codes(place, "grid", ME) for _ in range(3)]
        reads = sum(guard.health.reads for guard in place.living.graph.assembly.guards.values())

    assert clerk == [[], [], ["RATE_LIMITED"], ["RATE_LIMITED"]]
    assert grid == [[], [], ["RATE_LIMITED"]]
    assert reads == 2


async def test_newer_files_change_the_limits_and_not_what_was_spent(tmp_path: Path) -> None:
    async with town(tmp_path) as place:
        place.write("policy.toml", f"{LIMITED}{LOOKING}")
        await place.living.reload()
        first = await codes(place, "clerk", look_up(NUMBER, NUMBER))
        place.write("policy.toml", f"{LIMITED}{LOOKING}\n")
        await place.living.reload()
        second = await codes(place, "clerk", look_up(NUMBER, NUMBER))
        place.write("policy.toml", f"{LIMITED.replace('3', '4')}{LOOKING}")
        await place.living.reload()
        third = await codes(place, "clerk", look_up("1", "2"))

    assert (first, second, third) == ([], ["RATE_LIMITED"], ["RATE_LIMITED"])


async def test_a_quota_that_is_no_limit_leaves_the_files_before_in_force(tmp_path: Path) -> None:
    async with town(tmp_path) as place:
        place.write("policy.toml", f'[quota]\nlookups = "many"\n{POLICY}')
        await place.living.reload()
        refused = [(mistake.line, mistake.what) for mistake in place.living.graph.observed.refused]
        answer = await codes(place, "clerk", ME)

    assert refused == [(2, 'lookups: "many" is no limit')]
    assert answer == []


async def test_a_question_that_costs_more_than_there_ever_is_does_not_wait(tmp_path: Path) -> None:
    async with town(tmp_path) as place:
        place.write("policy.toml", f'[quota]\ncost = "10/minute"\n{POLICY}')
        await place.living.reload()
        wide = await place.ask("clerk", "{ residents(first: 50) { nodes { name } } }")
        small = [await codes(place, "clerk", ME) for _ in range(6)]

    assert wide["errors"] == [
        {
            "message": "这一次查询就超过了您的账号在一段时间内的用量,请缩小查询范围。",
            "extensions": {"code": "QUERY_TOO_COMPLEX"},
        }
    ]
    assert small == [[]] * 3 + [["RATE_LIMITED"]] * 3


async def test_what_reveals_and_opens_spends_from_the_same_look_ups(tmp_path: Path) -> None:
    files, environment = files_of(tmp_path)
    (tmp_path / "policy.toml").write_text(f"{LIMITED}{LOOKING}", "utf-8")
    graph = open_graph(files, environment, SECRET)
    asking = Asking(PRINCIPALS["clerk"], "r", {})
    for _ in range(2):
        graph.context(asking.principal, asking.request_id).spending.look_up()
    context = graph.context(asking.principal, asking.request_id)
    result = await graph.schema.execute(look_up(NUMBER, "1"), context_value=context)
    await graph.aclose()

    assert result.data == {"a0": {"name": "王小明"}, "a1": None}
    assert [getattr(error.original_error, "code", "") for error in result.errors or ()] == [
        "RATE_LIMITED"
    ]


CARELESS = """\
name = "visits"
title = "卫健随访系统"
department = "卫健"
kind = "rest"
url = "${VISITS_URL}"
budget = { timeout = "30s" }

[entity.Visit]
description = "随访 | Visit"
attach = { to = "Resident", field = "visits", by = { i = "idNumber" } }
native = "/visits"
key = ["n"]
subject = "i"

[entity.Visit.fields]
number = { native = "n", description = "编号 | Number" }
idNumber = { native = "i", description = "证号 | Id number" }
kind = { native = "k", description = "种类 | Kind" }

[entity.Visit.rest]
method = "GET"
rows = "rows"
scan = false

[entity.Visit.pushdown]
by_key = { field = "idNumber", parameter = "i", batch = 10, separator = "," }
filters = { "kind.eq" = "k" }
"""
VISITS = '{ residents { nodes { visits(where: { kind: { eq: "A" } }) { number } } } }'
DROPPED = "{ sources { name operation { droppedRows { entity rows } } } }"


def careless(_: Received) -> Reply:
    """Send everything there is, whatever was asked for."""
    rows = [{"n": f"V{n}", "i": NUMBER, "k": "ABB"[n]} for n in range(3)]
    return json_reply({"rows": [*rows, {"n": "V9", "i": "110105194912310038", "k": "A"}]})


async def test_rows_of_a_system_that_does_not_filter_are_told_to_those_alone_who_may_know(
    tmp_path: Path,
) -> None:
    async with serving(careless) as loopback, town(tmp_path, VISITS_URL=loopback.url) as place:
        place.write("departments/visits.toml", CARELESS)
        place.write("departments/aid.toml", AID)
        await place.living.reload()
        assert place.living.graph.observed.refused == ()
        answer = await place.data("clerk", VISITS)
        seen = await place.data("auditor", DROPPED)
        hidden = [await place.ask(account, DROPPED) for account in ("clerk", "grid")]
        ready = await place.ready()

    told = {each["name"]: each["operation"]["droppedRows"] for each in seen["sources"]}
    assert answer["residents"]["nodes"] == [{"visits": [{"number": "V0"}]}]
    # Two rows of another kind, and the row of a person whom nobody asked for.
    assert told == {"aid": [], "population": [], "visits": [{"entity": "Visit", "rows": 3}]}
    for each in hidden:
        assert [source["operation"] for source in each["data"]["sources"]] == [None] * 3
        assert {error["extensions"]["code"] for error in each["errors"]} == {"FORBIDDEN"}
    assert ready == {"status": "ready"}


async def test_an_answer_is_the_same_whether_hidden_rows_were_dropped_or_never_sent(
    tmp_path: Path,
) -> None:
    answers = []
    for name in ("careless", "careful"):
        folder = tmp_path / name
        folder.mkdir()

        def reply(received: Received, name: str = name) -> Reply:
            own = json_reply({"rows": [{"n": "V0", "i": NUMBER, "k": "A"}]})
            return careless(received) if name == "careless" else own

        async with serving(reply) as loopback, town(folder, VISITS_URL=loopback.url) as place:
            place.write("departments/visits.toml", CARELESS)
            await place.living.reload()
            asked = [await place.ask("clerk", query) for query in (VISITS, DROPPED)]
            answers.append((asked, await place.ready()))

    assert answers[0] == answers[1]


async def test_a_look_up_that_was_refused_is_on_the_ledger_and_names_nobody(tmp_path: Path) -> None:
    files, environment = files_of(tmp_path)
    (tmp_path / "policy.toml").write_text(f"{LIMITED}{LOOKING}", "utf-8")
    keeping = keeping_in(tmp_path)
    async with (
        opened_store(keeping) as store,
        aclosing(open_graph(files, environment, SECRET)) as graph,
        auditing(store, keeping) as audit,
    ):
        for numbers in (("1", "2", "3"), (NUMBER,)):
            context = graph.context(PRINCIPALS["clerk"], "r")
            document = look_up(*numbers)
            result = await graph.schema.execute(document, context_value=context)
            answer: Told = {"errors": formatted(result.errors or (), "r")}
            await audit.keep(context, document, None, answer)
        async with aclosing(exported(keeping)) as lines:
            found, refused = [orjson.loads(line) async for line in lines]

    (reading,) = refused["readings"]
    assert (found["outcome"], refused["outcome"]) == (["OK"], ["RATE_LIMITED"])
    assert (refused["account"], refused["sources"], refused["rows"]) == ("clerk", [], 0)
    assert (reading["named"], reading["subjects"]) == (["Resident.idNumber"], [])
    assert NUMBER not in orjson.dumps(refused).decode()
