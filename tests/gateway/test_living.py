"""Files that change beneath a running server."""

import asyncio
import gc
import os
import signal
from pathlib import Path
from weakref import ref

import pytest

from gateway.graph import OpenGraph
from tests.gateway.town import (
    AID,
    ASKED,
    OTHER_POLICY,
    POLICY,
    POPULATION,
    SEEN,
    SEEN_OTHERWISE,
    town,
)

REQUESTS = 200
AT_ONCE = 20
RELOADS = 20
AIDS = "{ residents { nodes { aids { number kind } } } }"
REFUSED = "{ sources { name operation { configuration } } }"
PENSION = """\
name = "pension"
title = "养老"
department = "人社"
kind = "sql"
url = "${AID_URL}"
[entity.Pension]
description = "养老金 | Pension"
attach = { to = "Resident", field = "pensions", by = { i = "idNumber" } }
native = "aids"
key = ["n"]
subject = "i"
[entity.Pension.fields]
number = { native = "n", description = "编号 | Number" }
idNumber = { native = "i", description = "证号 | Id number" }
"""


def nodes(answer: object) -> object:
    return {"residents": {"nodes": [answer]}}


async def test_a_changed_policy_holds_from_the_next_request_on(tmp_path: Path) -> None:
    async with town(tmp_path) as place:
        before = await place.data("clerk", ASKED)
        place.write("policy.toml", OTHER_POLICY)
        await place.living.reload()
        after = await place.data("clerk", ASKED)

    assert (before, after) == (nodes(SEEN), nodes(SEEN_OTHERWISE))


async def test_ids_and_cursors_stay_good(tmp_path: Path) -> None:
    query = "{ residents { nodes { id } pageInfo { endCursor } } }"
    async with town(tmp_path) as place:
        before = (await place.data("clerk", query))["residents"]
        place.write("policy.toml", OTHER_POLICY)
        await place.living.reload()
        after = (await place.data("clerk", query))["residents"]
        again = await place.data(
            "clerk",
            "query($id: ID!, $after: String) { node(id: $id) { id }"
            " residents(after: $after) { nodes { id } } }",
            id=before["nodes"][0]["id"],
            after=before["pageInfo"]["endCursor"],
        )

    assert before == after
    assert again == {"node": before["nodes"][0], "residents": {"nodes": []}}


@pytest.mark.parametrize(
    ("place_of_it", "text", "what"),
    [
        ("policy.toml:18", POLICY.replace('"mobile"', '"mobil"'), 'there is no mask "mobil"'),
        ("policy.toml:18", POLICY[: POLICY.index("mobile")], "this is not TOML"),
        ("departments/aid.toml:11", AID.replace("native = ", "nativ = "), 'the key "nativ" is'),
        ("departments/aid.toml:5", AID.replace("AID_URL", "NO_URL"), "the variable NO_URL is not"),
        ("departments/new.toml:1", AID, 'the name "aid" is not that of the file'),
        ("departments:1", AID.replace("${AID_URL}", "oracle+x://y"), "they cannot be put in"),
    ],
)
async def test_a_broken_file_keeps_the_last_good_ones_and_is_told(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    place_of_it: str,
    text: str,
    what: str,
) -> None:
    async with town(tmp_path) as place:
        good = [await place.data("clerk", ASKED), await place.data("clerk", AIDS)]
        name = place_of_it.partition(":")[0]
        place.write(name if name.endswith(".toml") else "departments/aid.toml", text)
        await place.living.reload()
        kept = [await place.data("clerk", ASKED), await place.data("clerk", AIDS)]
        seen = [await place.ready(), await place.data("auditor", REFUSED)]
        place.write("policy.toml", POLICY)
        place.write("departments/aid.toml", AID)
        (tmp_path / "departments" / "new.toml").unlink(missing_ok=True)
        await place.living.reload()
        healed = [await place.ready(), await place.data("auditor", REFUSED)]

    assert kept == good
    assert seen == [
        {"status": "degraded", "reasons": ["FILES_REFUSED"]},
        {"sources": [_configured("aid", "REFUSED"), _configured("population", "REFUSED")]},
    ]
    assert f"{tmp_path}/{place_of_it}: {what}" in caplog.text
    assert healed == [
        {"status": "ready"},
        {"sources": [_configured("aid", "CURRENT"), _configured("population", "CURRENT")]},
    ]


def _configured(name: str, state: str) -> object:
    return {"name": name, "operation": {"configuration": state}}


BY_CARD_ALONE = (
    POPULATION.replace('"sql"', '"rest"')
    .replace("POPULATION_URL", "CARDS_URL")
    .replace('native = "people"', 'native = "/people"')
    + """
[entity.Resident.rest]
method = "GET"
rows = "rows"
scan = true

[entity.Resident.pushdown]
by_key = { field = "idNumber", parameter = "i", batch = 10, separator = "," }
"""
)


async def test_a_system_that_cannot_be_asked_for_the_rows_of_a_scope_is_not_taken_over(
    tmp_path: Path,
) -> None:
    async with town(tmp_path, CARDS_URL="http://127.0.0.1:9") as place:
        before = await place.data("clerk", ASKED)
        place.write("departments/population.toml", BY_CARD_ALONE)
        await place.living.reload()
        refused = place.living.graph.observed.refused
        after = await place.data("clerk", ASKED)

    assert [(Path(each.file).name, each.line, each.what) for each in refused] == [
        ("population.toml", 8, "Resident cannot be asked for the rows that township_clerk may see")
    ]
    assert before == after == {"residents": {"nodes": [SEEN]}}


async def test_a_department_joins_and_leaves_without_a_restart(tmp_path: Path) -> None:
    query = "{ residents { nodes { pensions { number } } } }"
    async with town(tmp_path) as place:
        before = await place.ask("clerk", query)
        place.write("departments/pension.toml", PENSION)
        await place.living.reload()
        joined = await place.data("clerk", query)
        (tmp_path / "departments" / "pension.toml").unlink()
        await place.living.reload()
        after = await place.ask("clerk", query)

    assert joined == nodes({"pensions": [{"number": "A1"}]})
    assert before == after
    assert before["errors"][0]["extensions"] == {"code": "GRAPHQL_VALIDATION_FAILED"}


async def test_every_answer_is_of_one_version_and_nothing_is_left_behind(tmp_path: Path) -> None:
    answers: list[object] = []
    async with town(tmp_path) as place:
        await place.data("clerk", ASKED)
        tasks = len(asyncio.all_tasks())

        async def ask() -> None:
            while not reloading.done():
                answers.append(await place.data("clerk", ASKED))

        async def reload() -> None:
            for number in range(RELOADS):
                place.write("policy.toml", (OTHER_POLICY, POLICY)[number % 2])
                renamed = POPULATION.replace("公安人口信息系统", f"公安人口{number}")
                place.write("departments/population.toml", renamed)
                await place.living.reload()

        reloading = asyncio.create_task(reload())
        await asyncio.gather(reloading, *(ask() for _ in range(AT_ONCE)))
        await asyncio.gather(*place.living._closing)

        assert place.living.editions == 1
        assert len(asyncio.all_tasks()) == tasks
        answers.append(await place.data("clerk", ASKED))
    seen, otherwise = answers.count(nodes(SEEN)), answers.count(nodes(SEEN_OTHERWISE))
    assert (len(answers), answers[-1]) == (seen + otherwise, nodes(SEEN))
    assert min(seen, otherwise) > REQUESTS / 4


async def test_a_request_ends_in_the_version_it_began_in_and_then_lets_go_of_it(
    tmp_path: Path,
) -> None:
    async with town(tmp_path) as place:
        with place.living.using() as graph:
            place.write("departments/aid.toml", AID.replace("民政救助系统", "新救助系统"))
            await place.living.reload()
            await place.living.reload()
            begun = (place.living.editions, place.living.graph is graph)
            old = graph.assembly.systems
            new = place.living.graph.assembly.systems
        ended = place.living.editions

    assert (begun, ended) == ((3, False), 1)
    assert old["population"] == new["population"]
    assert old["aid"].source is not new["aid"].source


async def test_a_version_that_is_over_is_forgotten_whole(tmp_path: Path) -> None:
    async with town(tmp_path) as place:
        await place.data("clerk", ASKED)
        graph = place.living.graph
        parts = [ref(part) for part in (graph.schema, graph.gate, graph.policy)]
        del graph
        place.write("policy.toml", OTHER_POLICY)
        await place.living.reload()
        gc.collect()

        assert [part() for part in parts] == [None, None, None]


async def test_what_was_counted_of_an_unchanged_system_survives(tmp_path: Path) -> None:
    query = "{ sources { name operation { reads } } }"
    async with town(tmp_path) as place:
        await place.data("clerk", AIDS)
        place.write("departments/aid.toml", AID.replace("民政救助系统", "新救助系统"))
        await place.living.reload()
        told = await place.data("auditor", query)

    assert told == {
        "sources": [
            {"name": "aid", "operation": {"reads": 0}},
            {"name": "population", "operation": {"reads": 1}},
        ]
    }


async def test_files_are_watched_and_taken_when_they_are_whole(tmp_path: Path) -> None:
    async with asyncio.timeout(20), town(tmp_path) as place:
        watching = asyncio.create_task(place.living.watch(0.02))
        place.write("policy.toml", OTHER_POLICY)
        await place.renewed.wait()
        answer = await place.data("clerk", ASKED)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)

    assert answer == nodes(SEEN_OTHERWISE)


async def test_files_that_do_not_rest_change_nothing_are_told_and_are_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with asyncio.timeout(20), town(tmp_path) as place:
        opened, written = place.living._open, list[str]()

        def interrupted(**before: OpenGraph) -> OpenGraph:
            graph = opened(**before)
            written.append(f"{OTHER_POLICY}# {len(written)}\n")
            place.write("policy.toml", written[-1])
            return graph

        place.living._open = interrupted  # type: ignore[assignment]
        place.write("policy.toml", OTHER_POLICY)
        await place.living.reload()
        place.living._open = opened
        kept = [await place.data("clerk", ASKED), await place.ready()]
        told = await place.data("auditor", REFUSED)
        watching = asyncio.create_task(place.living.watch(0.02))
        await place.renewed.wait()
        taken = [await place.data("clerk", ASKED), await place.ready()]
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)

    refused = [_configured("aid", "REFUSED"), _configured("population", "REFUSED")]
    assert kept == [nodes(SEEN), {"status": "degraded", "reasons": ["FILES_REFUSED"]}]
    assert told == {"sources": refused}
    assert len(written) == 3
    assert "departments:1: the files changed during each of 3 attempts" in caplog.text
    assert taken == [nodes(SEEN_OTHERWISE), {"status": "ready"}]


async def test_a_signal_reloads_at_once_what_nobody_watches(tmp_path: Path) -> None:
    async with asyncio.timeout(20), town(tmp_path) as place:
        watching = asyncio.create_task(place.living.watch(0))
        await asyncio.sleep(0)
        place.write("policy.toml", OTHER_POLICY)
        os.kill(os.getpid(), signal.SIGHUP)
        await place.renewed.wait()
        answer = await place.data("clerk", ASKED)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)

    assert answer == nodes(SEEN_OTHERWISE)
