"""A server that keeps answers: while nothing changes, when files change, and when it is told to."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from auth.standing import Standing
from contract.document import Mistakes
from gateway.accounts import COPIES, KeptAccounts
from gateway.graph import open_graph
from store.accounts import Accounts
from store.database import open_store
from tests.gateway.town import AID, POLICY, SECRET, Town, files_of, script, town

REGISTRY = """\
name = "registry"
title = "市场监管登记系统"
department = "市监"
kind = "sql"
url = "${REGISTRY_URL}"
budget = { timeout = "30s" }

[entity.Enterprise]
native = "firms"
cache = { freshness = "365d" }

[entity.Enterprise.fields]
number = { native = "n" }
creditCode = { native = "c" }
name = { native = "x" }
division = { native = "d" }
"""
WHOLE = REGISTRY.replace('"365d"', '"365d", whole = true')
OPENED = POLICY.replace(
    "[facet]", '[entity.Enterprise]\nown_division = ["division"]\n\n[facet]'
).replace('Resident = "own_division"', 'Resident = "own_division"\nEnterprise = "own_division"')
ASKED = "{ enterprises { nodes { name } } }"
TOLD = "{ sources { name operation { reads cacheHits cacheMisses } } }"


@pytest.fixture(params=[REGISTRY, WHOLE], ids=["answers", "whole"])
def registry(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    script(
        tmp_path / "registry.db",
        "CREATE TABLE firms (n TEXT NOT NULL, c TEXT NOT NULL, x TEXT, d TEXT);"
        "INSERT INTO firms VALUES ('1', '91320205MA00000001', '锡北厂', '320205106000')",
    )
    return tmp_path


async def begun(place: Town, registry: str) -> None:
    place.write("policy.toml", OPENED)
    place.write("departments/registry.toml", registry)
    await place.living.reload()


def rename(folder: Path, name: str) -> None:
    with closing(sqlite3.connect(folder / "registry.db")) as database, database:
        database.execute("UPDATE firms SET x = ?", (name,))


async def named(place: Town) -> Any:
    (node,) = (await place.data("clerk", ASKED))["enterprises"]["nodes"]
    return node["name"]


def address(folder: Path) -> dict[str, str]:
    return {"REGISTRY_URL": f"sqlite+aiosqlite:///{folder / 'registry.db'}"}


async def test_a_kept_answer_asks_no_system_and_operators_see_how_often(
    folder: Path, registry: str
) -> None:
    async with town(folder, **address(folder)) as place:
        await begun(place, registry)
        names = [await named(place) for _ in range(3)]
        rename(folder, "新厂")
        names.append(await named(place))
        told = {each["name"]: each for each in (await place.data("auditor", TOLD))["sources"]}

    assert names == ["锡北厂"] * 4
    assert told["registry"]["operation"] == {"reads": 1, "cacheHits": 3, "cacheMisses": 1}
    assert told["population"]["operation"] == {"reads": 0, "cacheHits": 0, "cacheMisses": 0}


async def test_what_is_kept_survives_other_files_and_not_its_own(
    folder: Path, registry: str
) -> None:
    async with town(folder, **address(folder)) as place:
        await begun(place, registry)
        await named(place)
        rename(folder, "新厂")
        place.write("departments/aid.toml", AID.replace("民政救助系统", "新救助系统"))
        await place.living.reload()
        kept = await named(place)
        place.write("departments/registry.toml", registry.replace("30s", "31s"))
        await place.living.reload()
        asked = await named(place)

    assert (kept, asked) == ("锡北厂", "新厂")


async def test_dropping_copies_drops_what_is_kept(folder: Path, registry: str) -> None:
    async def note(_: Mapping[str, object]) -> None:
        return None

    store = await open_store(f"sqlite+aiosqlite:///{folder / 'store.db'}")
    accounts = KeptAccounts(Standing(Accounts(store)), note)
    async with town(folder, **address(folder)) as place:
        await begun(place, registry)
        accounts.drop_from(lambda: place.living.graph)
        await named(place)
        rename(folder, "新厂")
        await accounts.standing.heard(f"{COPIES}population")
        kept = await named(place)
        await accounts.standing.heard(f"{COPIES}registry")
        asked = await named(place)
    await store.dispose()

    assert (kept, asked) == ("锡北厂", "新厂")


def test_what_another_file_says_of_a_field_counts_too(folder: Path) -> None:
    files, environment = files_of(folder)
    (files.departments / "registry.toml").write_text(REGISTRY, "utf-8")
    other = REGISTRY.replace('"registry"', '"licences"')
    other = other.replace('cache = { freshness = "365d" }', "")
    other = other.replace('{ native = "x" }', '{ native = "x", sensitivity = "personal" }')
    other = other.replace('native = "firms"', 'native = "firms"\nhome = { division = ["3204"] }')
    (files.departments / "licences.toml").write_text(other, "utf-8")

    with pytest.raises(Mistakes) as caught:
        open_graph(files, environment | address(folder), SECRET)

    assert [str(each).removeprefix(str(files.departments)) for each in caught.value.mistakes] == [
        "/registry.toml:10: Enterprise speaks of people, so it is never kept. Leave cache out."
    ]
