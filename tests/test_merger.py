"""A merger of townships is replayed: before it, while rows have old and new codes, and after it."""

import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from auth.principal import Principal
from contract.document import Mistakes
from gateway.graph import Files, OpenGraph, open_graph
from sources.code_systems import CodeSystems
from sources.declaration import System
from tests.graph import SECRET

OLD, INTO, RENAMED, NEW, OTHER = (
    "320205101",  # becomes a part of INTO
    "320205102",
    "320205103",  # becomes NEW, in another county
    "320206203",
    "320205104",
)
NAMES = {OLD: "甲镇", INTO: "乙镇", RENAMED: "丙镇", OTHER: "丁镇"}
DIVISIONS = """\
code,name,level,kind,parent,origin
32,江苏省,province,province,,ministry
3202,无锡市,city,city,32,ministry
320205,锡山区,county,county,3202,ministry
320206,惠山区,county,county,3202,ministry
""" + "".join(f"{code},{name},township,town,320205,ministry\n" for code, name in NAMES.items())
VILLAGES = "code,name,kind,township,bureau_township,graph_code\n" + "".join(
    f"{code}001,一村,village,{code},{code},{code}001\n" for code in NAMES
)
BUREAU = {OLD: "320205104", INTO: OLD, RENAMED: "320271001", OTHER: INTO}
"""The bureau's codes: the same digits are other places' there."""
CROSSWALK = (
    "code,name,level,graph_code\n32,江苏省,province,32\n3202,无锡市,city,3202\n"
    "320205,锡山区,county,320205\n320205199,农场,township,\n"
    + "".join(f"{theirs},{NAMES[ours]},township,{ours}\n" for ours, theirs in BUREAU.items())
)
MAPPING = """\
name = "population"
title = "人口"
department = "公安"
kind = "sql"
url = "${{URL}}"
divisions = "{system}"
[entity.Resident]
native = "people"
[entity.Resident.fields]
number = {{ native = "no" }}
name = {{ native = "xm" }}
residenceDivision = {{ native = "area", digits = 12 }}
registeredDivision = {{ native = "home" }}
village = {{ native = "cun", digits = 12 }}
"""
POLICY = """\
[entity.Resident]
own_division = ["residenceDivision", "registeredDivision"]
own_village = ["village"]
""" + "".join(
    f"""\
[role.{role}]
title = "{role}"
levels = ["{level}"]
sensitivity = {{ personal = "shown", restricted = "hidden" }}
rows = {{ Resident = "{rule}" }}
"""
    for role, level, rule in (
        ("city_officer", "city", "own_division"),
        ("county_officer", "county", "own_division"),
        ("township_clerk", "township", "own_division"),
        ("grid_worker", "village", "own_village"),
    )
)
PEOPLE = "{ residents { totalCount nodes { name residenceDivision village } } }"
TODAY = datetime.now(UTC).date()
Row = tuple[str, str | None]


def lists(folder: Path, effective: int, *further: str) -> Path:
    """Write the lists and a merger and a renaming so many days from now."""
    folder.mkdir()
    day = TODAY + timedelta(days=effective)
    aliases = (
        "system,old,new,effective,kind",
        f"MCA-2025,{OLD},{INTO},{day},merge",
        f"MCA-2025,{OLD}002,{INTO}052,{day},rename",
        f"MCA-2025,{RENAMED},{NEW},{day},rename",
        *further,
    )
    texts = {"divisions": DIVISIONS, "villages": VILLAGES, "crosswalk": CROSSWALK}
    for name, text in {**texts, "aliases": "\n".join(aliases)}.items():
        (folder / f"{name}.csv").write_text(text, "utf-8")
    return folder


def fill(file: Path, people: Sequence[Row]) -> str:
    """Keep everybody where they live, registered elsewhere; the last digits are the village."""
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE people (no, xm, area TEXT, home TEXT, cun TEXT)")
        rows = [
            (
                f"N{place}",
                name,
                code and code[:9].ljust(12, "0"),
                "110101",
                code and code.ljust(12, "0"),
            )
            for place, (name, code) in enumerate(people)
        ]
        connection.executemany("INSERT INTO people VALUES (?, ?, ?, ?, ?)", rows)
    connection.close()
    return f"sqlite+aiosqlite:///{file}"


@asynccontextmanager
async def opened(
    folder: Path, people: Sequence[Row], effective: int, system: System = "MCA-2025"
) -> AsyncIterator[OpenGraph]:
    departments = folder / "departments"
    departments.mkdir()
    (departments / "population.toml").write_text(MAPPING.format(system=system), "utf-8")
    (folder / "policy.toml").write_text(POLICY, "utf-8")
    files = Files(departments, folder / "policy.toml", lists(folder / "lists", effective))
    graph = open_graph(files, {"URL": fill(folder / "people.db", people)}, SECRET)
    yield graph
    await graph.aclose()


ROLES = {4: "city_officer", 6: "county_officer", 9: "township_clerk", 12: "grid_worker"}


async def seen(graph: OpenGraph, scope: str) -> list[str]:
    """Return the names of all whom somebody with this scope sees; they are counted as well."""
    result = await graph.schema.execute(PEOPLE, context_value=_context(graph, scope))
    assert result.errors is None, result.errors
    found: Mapping[str, Any] = (result.data or {})["residents"]
    names = sorted(node["name"] for node in found["nodes"])
    assert found["totalCount"] == len(names)
    return names


def _context(graph: OpenGraph, scope: str) -> object:
    return graph.context(Principal("clerk", (ROLES[len(scope)],), (scope,)), "request")


async def everyone(graph: OpenGraph) -> dict[str, list[str]]:
    scopes = (OLD, INTO, RENAMED, NEW, OTHER, "320205", "320206", "3202")
    return {scope: await seen(graph, scope) for scope in scopes}


BEFORE = [("old", OLD), ("into", f"{INTO}001"), ("renamed", f"{RENAMED}001"), ("other", OTHER)]
MIXED = [
    ("old", OLD),
    ("old village", f"{OLD}001"),
    ("old village with a new code", f"{OLD}002"),
    ("old village that no list knows", f"{OLD}777"),
    ("moved", INTO),
    ("moved village", f"{INTO}052"),
    ("into", f"{INTO}001"),
    ("renamed", RENAMED),
    ("renamed village", f"{RENAMED}001"),
    ("new", NEW),
    ("new village", f"{NEW}001"),
    ("other", OTHER),
    ("nowhere", None),
]
AFTER = [("moved", INTO), ("into", f"{INTO}001"), ("new", f"{NEW}001"), ("other", OTHER)]
OF_INTO = sorted(name for name, _ in MIXED[:7])
OF_NEW = sorted(name for name, _ in MIXED[7:11])


async def test_before_the_day_every_township_has_its_own(tmp_path: Path) -> None:
    async with opened(tmp_path, BEFORE, 1) as graph:
        found = await everyone(graph)

    assert found == {
        OLD: ["old"],
        INTO: ["into"],
        RENAMED: ["renamed"],
        NEW: [],
        OTHER: ["other"],
        "320205": ["into", "old", "other", "renamed"],
        "320206": [],
        "3202": ["into", "old", "other", "renamed"],
    }


async def test_from_the_day_on_old_and_new_codes_are_one_place(tmp_path: Path) -> None:
    async with opened(tmp_path, MIXED, 0) as graph:
        found = await everyone(graph)

    assert found == {
        OLD: [],  # its clerk was never given the other half of the new township
        INTO: OF_INTO,
        RENAMED: OF_NEW,  # the same place under another code
        NEW: OF_NEW,
        OTHER: ["other"],
        "320205": sorted([*OF_INTO, "other"]),
        "320206": OF_NEW,
        "3202": sorted([*OF_INTO, *OF_NEW, "other"]),
    }


async def test_when_all_codes_are_new_nothing_is_different(tmp_path: Path) -> None:
    async with opened(tmp_path, AFTER, -1) as graph:
        found = await everyone(graph)

    assert found == {
        OLD: [],
        INTO: ["into", "moved"],
        RENAMED: ["new"],
        NEW: ["new"],
        OTHER: ["other"],
        "320205": ["into", "moved", "other"],
        "320206": ["new"],
        "3202": ["into", "moved", "new", "other"],
    }


async def test_a_merger_counts_once_the_files_are_read_again(tmp_path: Path) -> None:
    async with opened(tmp_path, BEFORE, 1) as graph:
        before = await seen(graph, INTO)
        aliases = tmp_path / "lists" / "aliases.csv"
        text = aliases.read_text("utf-8")
        aliases.write_text(text.replace(str(TODAY + timedelta(days=1)), str(TODAY)), "utf-8")
        files = Files(tmp_path / "departments", tmp_path / "policy.toml", tmp_path / "lists")
        again = open_graph(
            files, {"URL": f"sqlite+aiosqlite:///{tmp_path}/people.db"}, SECRET, graph
        )
        after = await seen(again, INTO)
        await again.aclose()

    assert (before, after) == (["into"], ["into", "old"])


async def test_villages_keep_apart_what_had_the_same_last_digits(tmp_path: Path) -> None:
    async with opened(tmp_path, MIXED, 0) as graph:
        found = {
            scope: await seen(graph, scope)
            for scope in (f"{OLD}001", f"{INTO}001", f"{OLD}002", f"{INTO}052", f"{RENAMED}001")
        }

    assert found == {
        f"{OLD}001": [],
        f"{INTO}001": ["into"],
        f"{OLD}002": ["moved village", "old village with a new code"],
        f"{INTO}052": ["moved village", "old village with a new code"],
        f"{RENAMED}001": ["new village", "renamed village"],
    }


async def test_the_bureaus_codes_are_read_through_the_merger_too(tmp_path: Path) -> None:
    people = [(name, _of_bureau(code)) for name, code in MIXED[:4] + MIXED[6:9] + MIXED[11:]]
    people += [("untranslatable", "320205199"), ("no code", "320299001"), ("county", "320205")]
    async with opened(tmp_path, people, 0, "NBS-2023") as graph:
        found = await everyone(graph)
        (report,) = await graph.check()

    into = ["into", "old", "old village", "old village that no list knows"]
    into.append("old village with a new code")
    new = ["renamed", "renamed village"]
    assert found == {
        OLD: [],
        INTO: into,
        RENAMED: new,
        NEW: new,
        OTHER: ["other"],
        "320205": sorted([*into, "county", "other"]),
        "320206": new,
        "3202": sorted([*into, *new, "county", "other"]),
    }
    assert report.quality is not None
    assert report.quality.untranslatable_divisions == {
        "residenceDivision": 2,
        "registeredDivision": len(people),
        "village": 2,
    }


def _of_bureau(code: str | None) -> str | None:
    return code and BUREAU[code[:9]] + code[9:]


async def test_a_code_that_another_place_has_by_now_is_nobodys(tmp_path: Path) -> None:
    folder = lists(tmp_path / "lists", 0, f"MCA-2025,{OTHER},{INTO},2020-01-01,merge")
    systems = CodeSystems(folder)

    anyone = systems.reading("MCA-2025")
    recent = systems.reading("MCA-2025", TODAY - timedelta(days=1))

    assert (anyone.read(OTHER), anyone.read(f"{OTHER}001")) == (None, None)
    assert OTHER not in set(anyone.written(INTO))
    assert (recent.read(OTHER), recent.read(OLD)) == (OTHER, INTO)
    assert systems.scope(OTHER) == OTHER


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("MCA-2025,320205101,320205102,2026-01-01", "a line has 5 values"),
        ("GB-1,320205101,320205102,2026-01-01,merge", "the code system or the kind is not known"),
        ("MCA-2025,320205101,320205102,2026-01-01,moved", "the code system or the kind is not"),
        ("MCA-2025,3202051,320205102,2026-01-01,merge", "a code is no division code"),
        ("MCA-2025,320205101,,2026-01-01,merge", "a code is no division code"),
        ("MCA-2025,320205101,320205102,2026-01-01,split", "a code is no division code"),
        ("MCA-2025,320205101,320205,2026-01-01,merge", "the new code is none"),
        ("MCA-2025,320205101,320205101,2026-01-01,rename", "the new code is none"),
        ("MCA-2025,320205101,320205102,soon,merge", "the day is none"),
        ("NBS-2023,320205105,320205999,2020-01-01,rename", "the new code is not in the bureau"),
    ],
)
def test_a_line_that_cannot_be_read_is_told(tmp_path: Path, line: str, what: str) -> None:
    with pytest.raises(Mistakes) as caught:
        CodeSystems(lists(tmp_path / "lists", 0, line))

    assert [mistake.line for mistake in caught.value.mistakes] == [5]
    assert what in str(caught.value)
