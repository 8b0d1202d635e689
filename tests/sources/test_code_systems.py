"""The bureau's codes as the Ministry's: the lists that are shipped, what databases are asked."""

import csv
import sqlite3
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.entity import Entity, Field, Kind
from contract.predicate import INVALID, TRUE, IsNull, Not, Predicate, Within
from contract.read import Aggregate, Function, Measure, Order, Read, Rows
from demo.divisions_from_packages import Bureau, Place, link_counties
from sources import rowset
from sources.code_systems import CodeSystems
from sources.codec import division
from sources.crosswalk import UNCHANGED, CodeReading, composed
from sources.declaration import Codec, Column, Department, MappedEntity
from sources.divisions import DATA, canonical, division_tree
from sources.sql import SqlSource

BUREAU = CodeSystems().reading("NBS-2023")
TREE = division_tree()
CODEC = division(12, reading=BUREAU)


def table(name: str) -> list[dict[str, str]]:
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


CROSSWALK = table("crosswalk")
TOWNSHIPS = [row for row in CROSSWALK if row["level"] == "township"]
SCOPES = [division.code for division in TREE if len(division.code) < 9]


def test_a_code_that_names_another_place_in_the_other_list_is_never_read_as_that_place() -> None:
    shared = [row for row in TOWNSHIPS if TREE.get(row["code"])]
    other = [row for row in shared if _name(row["code"]) != row["name"]]

    same = {row["name"] for row in other if BUREAU.read(row["code"]) == row["code"]}

    assert (len(TOWNSHIPS), len(other)) == (1487, 281)
    assert same == {"沈伦镇"}  # the Ministry writes it with another character


def _name(code: str) -> str:
    there = TREE.get(code)
    return there.name if there else ""


def test_every_counterpart_exists_and_no_two_townships_share_one() -> None:
    linked = [row["graph_code"] for row in TOWNSHIPS if row["graph_code"]]

    assert len(linked) == len(set(linked)) == 1304
    assert [code for code in linked if TREE.get(code) is None] == []


def test_villages_are_read_as_the_tree_has_them() -> None:
    wrong = [
        row["code"]
        for row in table("villages")
        if (BUREAU.read(row["code"]) or "") != row["graph_code"]
    ]

    assert wrong == []


@pytest.mark.parametrize(
    ("native", "ours"),
    [
        ("320205106", "320205107"),
        ("320205105", "320205106"),
        ("320371001", "320302013"),  # a county that the Ministry does not know
        ("321203004", "321202008"),  # another county
        ("320505004", None),  # no counterpart, though the Ministry gives the digits to a place
        ("320205", "320205"),
        ("321203", None),  # parts of it are in another county
        ("320971", "320902"),
        ("3212", "3212"),
        ("32", "32"),
        ("33", None),
        ("320205999", None),
    ],
)
def test_codes_that_show_each_rule(native: str, ours: str | None) -> None:
    expected = INVALID if ours is None else ours

    assert CODEC.decode(native.ljust(12, "0")) == expected
    assert BUREAU.read(native) == ours


def test_a_county_is_linked_if_its_townships_are_in_one() -> None:
    ministry = [Place("320101", "甲区"), Place("320102", "乙区")]
    counties = {"320101": "甲区", "320102": "乙区", "320171": "开发区", "320172": "新区"}
    townships = tuple(
        Place(code, "镇") for code in ("320101001", "320102001", "320171001", "320172001")
    )
    bureau = Bureau({"3201": "市"}, counties, (*townships, Place("320172002", "场")), ())
    links = {
        "320101001": "320102009",
        "320102001": "320102001",
        "320171001": "320101001",
        "320172001": "320101002",
    }

    found = link_counties(ministry, bureau, links)

    assert found == {"320102": "320102", "320171": "320101"}


NATIVES = [row["code"] for row in CROSSWALK] + [f"{row['code']}001" for row in TOWNSHIPS]


@pytest.mark.parametrize("level", [2, 4, 6])
def test_a_scope_has_exactly_the_natives_that_are_read_as_its_own(level: int) -> None:
    forms = [code.ljust(12, "0") for code in NATIVES]
    read = {form: CODEC.decode(form) for form in forms}
    for scope in (code for code in SCOPES if len(code) == level):
        own = {form for form, ours in read.items() if ours is not INVALID and _in(ours, scope)}

        assert held(CODEC, scope, forms) == own, scope


def _in(ours: object, scope: str) -> bool:
    return str(ours).startswith(scope)


def held(codec: Codec, scope: str, natives: Iterable[str]) -> set[str]:
    assert codec.places is not None
    span = codec.places.within(scope)
    whole = tuple(branch.prefix for branch in span.branches if not branch.without)
    pruned = [branch for branch in span.branches if branch.without]
    return {
        native
        for native in natives
        if native in span.among
        or (native.startswith(whole) and native not in span.but)
        or any(
            native.startswith(branch.prefix)
            and not native.startswith(branch.without)
            and native not in span.but
            for branch in pruned
        )
    }


def test_few_codes_cover_a_scope_and_what_else_they_cover_is_no_place_of_ours() -> None:
    assert CODEC.places is not None
    ours = {code: BUREAU.read(code) for code in NATIVES if len(code) < 12}
    for scope in SCOPES:
        cover = CODEC.places.cover(scope)
        beneath = tuple(str(canonical(code)) for code in cover)
        others = [code for code, read in ours.items() if read and not read.startswith(scope)]

        assert len(cover) <= 30
        assert [code for code in others if code.startswith(beneath)] == [], scope


GROUPS = st.sampled_from(["32", "3202", "320205", "320205101", "320205102", "320206101"])
CODES = GROUPS | GROUPS.filter(lambda code: len(code) == 9).map(lambda code: f"{code}001")
STEPS = st.tuples(st.sampled_from(["rename", "merge", "split"]), GROUPS, GROUPS).map(
    lambda step: _step(*step)
)


def _step(kind: str, old: str, new: str) -> CodeReading:
    if kind == "rename":
        return CodeReading({"": "", old: new}, {})
    if kind == "merge":
        return CodeReading({"": "", old: f"{new}-{old}"}, {old: new})
    return CodeReading({"": "", old: None}, {})


@given(st.lists(STEPS, max_size=4), CODES, CODES)
def test_readings_one_after_the_other_are_one_reading(
    steps: list[CodeReading], native: str, scope: str
) -> None:
    whole, expected = UNCHANGED, native
    for step in steps:
        whole = composed(whole, step)
        expected = (expected and step.read(expected)) or ""
    codec = division(reading=whole)

    assert whole.read(native) == (expected or None)
    assert not expected or native in whole.written(expected)
    inside = {native} if expected.startswith(scope) else set()
    assert held(codec, scope, (native,)) == inside


ODD = (None, "", "x", "320205105", "320205106000x", "32020510600", "999999999999", "320205106 ")
OFFICE = Entity(
    "Office",
    {
        "number": Field("number", Kind.STRING, nullable=False),
        "place": Field("place", Kind.DIVISION),
    },
    ("number",),
)


def _mapped(codec: Codec) -> MappedEntity:
    codecs = {"number": division(), "place": codec}
    return MappedEntity(
        OFFICE,
        "office",
        {name: Column(OFFICE.fields[name], name, codec) for name, codec in codecs.items()},
    )


@asynccontextmanager
async def office(
    folder: Path, natives: Iterable[str | None], codec: Codec = CODEC
) -> AsyncIterator[SqlSource]:
    file = folder / "office.db"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE office (number TEXT, place TEXT)")
        rows = [(f"{number:012}", native) for number, native in enumerate(natives)]
        connection.executemany("INSERT INTO office VALUES (?, ?)", rows)
    connection.close()
    url = f"sqlite+aiosqlite:///{file}"
    source = SqlSource(Department("office", "处", "测试", "sql", url, {"Office": _mapped(codec)}))
    yield source
    await source.aclose()


ASKED: list[Predicate] = [
    *(Within("place", scope) for scope in ("", "32", "3202", "321203", "320302", "320205106")),
    *(Not(Within("place", scope)) for scope in ("32", "3202", "320205106")),
    IsNull("place"),
    Not(IsNull("place")),
]


async def test_a_database_keeps_what_the_contract_keeps_of_every_code_of_the_list(
    tmp_path: Path,
) -> None:
    natives = (*ODD, *(code.ljust(12, "0") for code in NATIVES))
    ours = [(f"{n:012}", native and CODEC.decode(native)) for n, native in enumerate(natives)]
    whole = Rows(("number", "place"), [(number, value or None) for number, value in ours])
    count = (Measure("rows", Function.COUNT), Measure("known", Function.COUNT, "place"))

    async with office(tmp_path, natives) as source:
        able = source.entities["Office"]
        for where in ASKED:
            read = Read("Office", ("number", "place"), where, (Order("number"),))
            kept = rowset.keep(whole, where)
            assert (await source.read(read)).rows == kept.rows, where
            tally = Aggregate("Office", count, where)
            assert await source.aggregate(tally) == rowset.aggregated(kept, tally), where
        groups = await source.aggregate(Aggregate("Office", count, TRUE, ("place",)))

    assert "place" not in able.order_by
    expected = rowset.aggregated(whole, Aggregate("Office", count, TRUE, ("place",)))
    assert set(groups.rows) == set(expected.rows)
    assert len(groups.rows) == len(expected.rows)


@pytest.mark.parametrize("scope", ["320205", "320206", "3202", "320205106", "320206106"])
async def test_a_database_keeps_of_a_county_no_township_that_was_moved_to_another(
    tmp_path: Path, scope: str
) -> None:
    moved = division(12, reading=CodeReading({"": "", "320205106": "320206106"}, {}))
    townships = ("320205001", "320205106", "320205106001", "320205107", "320206001", "320206106")
    natives = [code.ljust(12, "0") for code in townships]
    whole = Rows(
        ("number", "place"), [(f"{n:012}", moved.decode(c)) for n, c in enumerate(natives)]
    )
    wheres: list[Predicate] = [Within("place", scope), Not(Within("place", scope))]

    async with office(tmp_path, natives, moved) as source:
        found = [
            (await source.read(Read("Office", ("number",), where, (Order("number"),)))).rows
            for where in wheres
        ]

    kept = [rowset.project(rowset.keep(whole, where), ("number",)).rows for where in wheres]
    assert found == [list(rows) for rows in kept]
    assert found[0] or scope == "320205106"  # of which nothing is left
