"""Who tries to learn more from systems that share rows, from stale copies and from old codes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import orjson
import pytest

from auth.policy import Policy
from auth.policy_file import load_policy
from auth.principal import Principal
from contract.document import Mistakes
from contract.predicate import INVALID
from contract.read import Read
from resolvers.gate import Gate
from sources.code_systems import CodeSystems
from sources.constants import Completed
from sources.declaration import Budget
from sources.guard import Guard
from sources.memory import MemorySource
from tests import world
from tests.divided import divided
from tests.graph import PRINCIPALS, ROOT, SYSTEMS, Graph
from tests.probed import (
    FILTERED,
    LISTS,
    PROVENANCE,
    Failing,
    entities,
    memory,
    policy,
    probed,
    told,
)
from tests.test_merger import INTO, NEW, OLD, OTHER, RENAMED, TODAY, lists
from tests.twins import changed_beneath_masks

# Copies in systems that are not a row's home.

CASES = """{
  cases(where: {number: {eq: "C77"}}) { totalCount nodes { number acceptingDivision } }
  listed: cases(orderBy: [{number: DESC}], first: 1) {
    nodes { number _provenance { conflicts { value } } } pageInfo { hasNextPage endCursor }
  }
  case(number: "C77") { number handler }
  residents(where: {cases: {number: {eq: "C77"}}}) { totalCount }
  sorted: residents(orderBy: [{cases: {number: DESC}}], first: 3) {
    nodes { address cases { totalCount nodes { number events { name } } } }
    pageInfo { endCursor }
  }
}"""
PLACES = [(world.BENNIU, world.XIBEI, "clerk"), (world.XIBEI, world.BENNIU, "neighbour")]


def _copied(home: str, copy: str | None) -> Graph:
    """Return a graph with a case of one township, of which a copy says another one."""
    row = {**world.case(1, 0, home, department="民政"), "number": "C77"}
    rows = {**world.ROWS, "Case": [*world.CASES, row]}
    known = divided(world.ROWS, entities(), SYSTEMS)
    assert {"civil_affairs", "service_platform"} <= known.keys()
    copies = [{**row, "acceptingDivision": copy, "handler": "副本"}] if copy else []
    platform = MemorySource(
        "service_platform",
        "service_platform",
        {name: entities()[name] for name in SYSTEMS["service_platform"]},
        {"Case": copies, "CaseEvent": world.EVENTS},
    )
    return probed(rows, shared=True, service_platform=platform)


@pytest.mark.parametrize(("home", "copy", "account"), PLACES)
async def test_a_copy_within_the_scope_of_a_row_out_of_it_is_as_absent_as_none(
    home: str, copy: str, account: str
) -> None:
    there, nowhere = _copied(home, copy), _copied(home, None)

    one, other = await told(there, account, CASES), await told(nowhere, account, CASES)
    seen = await told(there, "province", CASES)

    assert one.data["cases"] == {"totalCount": 0, "nodes": []}
    assert one.body == other.body
    assert b"\xe5\x89\xaf\xe6\x9c\xac" not in one.body  # 副本
    assert seen.data["cases"] == {
        "totalCount": 1,
        "nodes": [{"number": "C77", "acceptingDivision": home}],
    }


async def test_a_copy_out_of_scope_of_a_row_within_it_changes_nothing_but_what_it_says() -> None:
    there, nowhere = _copied(world.XIBEI, world.BENNIU), _copied(world.XIBEI, None)

    one, other = [(await told(graph, "clerk", CASES)).data for graph in (there, nowhere)]

    assert one.pop("listed")["nodes"] == other.pop("listed")["nodes"]  # the number is the same
    assert one == other
    assert one["cases"]["nodes"] == [{"number": "C77", "acceptingDivision": world.XIBEI}]


@pytest.mark.parametrize("department", [None, INVALID])
async def test_a_row_whose_home_nobody_can_read_is_in_one_list_once_and_of_no_department(
    department: object,
) -> None:
    row = {**world.case(1, 0, world.XIBEI, department=department), "number": "C78"}
    systems = {"service_platform": [row], "medical_cases": [row]}
    graph = probed(
        world.ROWS,
        shared=True,
        **{name: memory(name, "Case", rows) for name, rows in systems.items()},
    )
    query = '{ cases(where: {number: {eq: "C78"}}) { totalCount nodes { number } } }'

    found = [(await told(graph, account, query)).data["cases"] for account in ("clerk", "officer")]

    assert found == [
        {"totalCount": 1, "nodes": [{"number": "C78"}]},
        {"totalCount": 0, "nodes": []},
    ]


async def test_a_hidden_field_is_not_fetched_from_systems_with_copies_either() -> None:
    graph = probed(world.ROWS, shared=True)

    await told(graph, "registrar", "{ residents { nodes { phone _provenance { field } } } }")

    reads = [read for source in graph.sources.values() for read in source.reads]
    assert reads
    assert [read for read in reads if isinstance(read, Read) and "phone" in read.fields] == []


async def test_a_row_that_says_it_is_another_homes_is_no_copy_of_this_one() -> None:
    stranger = {**world.case(0, 7, world.BENNIU, department="医保"), "number": "C01"}
    stranger["applicantName"] = "奔牛来客"
    systems = {"service_platform": [stranger], "medical_cases": [stranger]}
    graph = probed(
        world.ROWS,
        shared=True,
        **{name: memory(name, "Case", rows) for name, rows in systems.items()},
    )
    query = "{ cases { nodes { number applicantName _provenance { conflicts { value } } } } }"

    answer = await told(graph, "officer", query)

    assert "C01" in [node["number"] for node in answer.data["cases"]["nodes"]]
    assert "奔牛来客" not in answer.body.decode()


async def test_rows_of_a_system_that_keeps_no_division_are_nobodys() -> None:
    case = entities()["Case"]
    kept = {name: field for name, field in case.fields.items() if name != "acceptingDivision"}
    source = MemorySource(
        "medical_cases",
        "medical_cases",
        {"Case": replace(case, fields=kept)},
        {"Case": [row for row in world.CASES if row["department"] == "医保"]},
    )
    placeless = Completed(source, {"Case": {"acceptingDivision": None}})
    graph = probed(world.ROWS, shared=True, medical_cases=placeless)
    query = FILTERED % ("Case", LISTS["Case"])
    wheres: Sequence[Mapping[str, object]] = (
        {"department": {"eq": "医保"}},
        {"department": {"eq": "医保"}, "not": {"acceptingDivision": {"within": "3204"}}},
        {"department": {"eq": "医保"}, "acceptingDivision": {"isNull": True}},
    )

    answers = [
        await told(graph, account, query, where=where)
        for account in ("clerk", "province", "two")
        for where in wheres
    ]

    assert [answer.data["cases"] for answer in answers] == [{"totalCount": 0, "nodes": []}] * 9


# Where values are from, and what other systems say.


@pytest.mark.parametrize("account", ["clerk", "county", "officer", "both", "two"])
async def test_what_a_mask_hides_makes_no_conflict(account: str) -> None:
    told_apart = 0
    for seed in range(6):
        changed = probed(changed_beneath_masks(Random(seed)), shared=True)

        one = await told(probed(world.ROWS, shared=True), account, PROVENANCE)
        other = await told(changed, account, PROVENANCE)

        assert one.body == other.body
        told_apart += one.body.count(b'"conflicts":[{')
    assert told_apart


async def test_a_hidden_field_has_no_provenance() -> None:
    query = "{ residents { nodes { address phone _provenance { field conflicts { value } } } } }"

    answer = await told(probed(world.ROWS, shared=True), "registrar", query)

    nodes = orjson.loads(answer.body)["data"]["residents"]["nodes"]
    assert {each["field"] for node in nodes for each in node["_provenance"]} == {"address"}
    assert b"1990000" not in answer.body


async def test_what_records_say_is_told_only_where_the_records_may_be_seen() -> None:
    query = "{ residents { nodes { address name _provenance { field conflicts { value } } } } }"

    answer = await told(probed(world.ROWS), "registers", query)

    conflicts = {
        node["address"]: [
            other["value"]
            for each in node["_provenance"]
            if each["field"] == "name"
            for other in each["conflicts"]
        ]
        for node in answer.data["residents"]["nodes"]
    }
    records = {"0号": ["P0"], "1号": ["P1"], "2号": ["P2"]}
    # 4号 lives in the county and has records, and is no resident of the clerk's township.
    assert conflicts == {place: records.get(place, []) for place in conflicts}
    assert "4号" in conflicts


# Copies that stand in for answers.


STALE = Budget(retries=0, stale_seconds=60)
PEOPLE = "{ residents { totalCount nodes { address phone } } }"


async def test_an_answer_to_one_stands_in_for_nobody_elses() -> None:
    population = Failing(
        MemorySource(
            "population",
            "population",
            {name: entities()[name] for name in ("Resident", "Household")},
            world.ROWS,
        )
    )
    graph = probed(world.ROWS, population=Guard(population, STALE))
    before = {name: await told(graph, name, PEOPLE) for name in ("clerk", "registers")}
    population.down = True

    again = {name: await told(graph, name, PEOPLE) for name in ("clerk", "registers")}
    others = [await told(graph, name, PEOPLE) for name in ("neighbour", "grid", "dials", "county")]

    for name, answer in before.items():
        shown = orjson.loads(again[name].body)
        assert shown["data"] == orjson.loads(answer.body)["data"]
        assert [each["state"] for each in shown["extensions"]["completeness"]] == ["STALE"]
    assert [set(each.codes) for each in others] == [{"SOURCE_UNAVAILABLE"}] * 4
    assert all(b"\xe5\x8f\xb7" not in each.body.split(b'"errors"')[0] for each in others)  # 号


async def test_a_changed_policy_holds_for_what_stands_in_as_well() -> None:
    enrollments = Failing(memory("medical_insurance", "MedicalEnrollment", world.ENROLLMENTS))
    guard = Guard(enrollments, STALE)
    query = "{ residents { nodes { medicalEnrollments { kind } } } }"
    graph = probed(world.ROWS, medical_insurance=guard)
    narrower = replace(graph, gate=Gate(_without_facets(), graph.gate._federation))
    before = await told(graph, "clerk", query)
    enrollments.down = True

    again, changed = await told(graph, "clerk", query), await told(narrower, "clerk", query)

    assert again.data == before.data
    assert b"RESIDENT" in again.body
    assert [node["medicalEnrollments"] for node in changed.data["residents"]["nodes"]] == [[]] * 6


def _without_facets() -> Policy:
    written = (ROOT / "auth" / "policy.toml").read_text("utf-8")
    with TemporaryDirectory() as folder:
        file = Path(folder) / "policy.toml"
        file.write_text(written.replace('facets = "follows"', 'facets = "nobody"'), "utf-8")
        return load_policy(file, entities(), frozenset({"MedicalEnrollment"}))


# Who is told how systems run.


@pytest.mark.parametrize(
    "principal",
    [
        Principal("no department", ("department_officer",), ("3202",)),
        Principal("another one", ("department_officer",), ("3202",), "医保"),
        Principal("a level too low", ("department_officer",), ("320205106001",), "民政"),
        Principal("no officer", ("township_clerk",), (world.XIBEI,), "民政"),
    ],
    ids=lambda principal: principal.account,
)
def test_how_a_departments_systems_run_is_not_for(principal: Principal) -> None:
    known = policy()

    assert not known.sees_operations(principal, "民政")
    assert not known.sees_usage(principal, "民政")
    assert not known.sees_usage(principal, "")


def test_an_auditor_sees_how_systems_run_and_not_who_asked_them() -> None:
    auditor = PRINCIPALS["auditor"]

    assert policy().sees_operations(auditor, "民政")
    assert not policy().sees_usage(auditor, "民政")
    assert not policy().sees_usage(replace(auditor, department="民政"), "民政")


# Scopes in old codes.


def _scope(folder: Path, code: str, *lines: str) -> str:
    """Return what a scope is worth with these withdrawn codes; itself where they are refused."""
    path = lists(folder / "lists", 0)
    header = "system,old,new,effective,kind"
    (path / "aliases.csv").write_text("\n".join((header, *lines)), "utf-8")
    try:
        return CodeSystems(path).scope(code)
    except Mistakes:
        return code


WIDENED = {
    "renamed to a place that is on the list": (OTHER, (f"MCA-2025,{OTHER},{INTO},{TODAY},rename",)),
    "renamed, and another place merged into it": (
        RENAMED,
        (f"MCA-2025,{RENAMED},{NEW},{TODAY},rename", f"MCA-2025,{OTHER},{NEW},{TODAY},merge"),
    ),
    "two places renamed to one": (
        RENAMED,
        (f"MCA-2025,{RENAMED},{NEW},{TODAY},rename", f"MCA-2025,{OLD},{NEW},{TODAY},rename"),
    ),
    "renamed, and the code given to another place": (
        RENAMED,
        (f"MCA-2025,{RENAMED},{NEW},{TODAY},rename", f"MCA-2025,{OTHER},{RENAMED},{TODAY},rename"),
    ),
}


@pytest.mark.parametrize(("code", "lines"), WIDENED.values(), ids=WIDENED)
def test_no_line_of_a_data_file_widens_or_moves_a_scope(
    tmp_path: Path, code: str, lines: tuple[str, ...]
) -> None:
    assert _scope(tmp_path, code, *lines) == code


def test_a_scope_follows_a_renaming_and_no_merger(tmp_path: Path) -> None:
    systems = CodeSystems(lists(tmp_path / "lists", 0))

    scopes = {code: systems.scope(code) for code in (RENAMED, f"{RENAMED}001", OLD, f"{OLD}001")}

    assert scopes == {
        RENAMED: NEW,
        f"{RENAMED}001": f"{NEW}001",
        OLD: OLD,
        f"{OLD}001": f"{OLD}001",
    }
