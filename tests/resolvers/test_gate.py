from dataclasses import replace

import pytest

from contract.errors import SourceTimeout
from contract.predicate import TRUE
from contract.read import Aggregate, Read, Rows
from sources.memory import MemorySource
from tests import world
from tests.graph import SYSTEMS, build_graph, graph_entities

NAMES = "{ residents { nodes { name } } }"
ROOTS = ("residents", "households", "cases", "enterprises")


def codes(answer: object) -> list[str]:
    return [error.original_error.code for error in getattr(answer, "errors", None) or ()]


@pytest.mark.parametrize("account", ["auditor", "nobody", "misplaced"])
@pytest.mark.parametrize("root", ROOTS)
async def test_without_a_grant_lists_are_empty_and_nobody_is_asked(account: str, root: str) -> None:
    graph = build_graph()

    data = await graph.data(account, f"{{ {root} {{ totalCount nodes {{ id }} }} }}")

    assert data == {root: {"totalCount": 0, "nodes": []}}
    assert graph.reads() == []


@pytest.mark.parametrize("account", ["auditor", "nobody", "misplaced", "neighbour"])
async def test_a_person_of_another_township_is_as_absent_as_one_who_does_not_exist(
    account: str,
) -> None:
    graph = build_graph()
    query = "query($n: String) { resident(idNumber: $n) { name cases { totalCount } } }"

    there = await graph.ask(account, query, n=world.id_number(0))
    reads_there = graph.reads()
    graph = build_graph()
    nowhere = await graph.ask(account, query, n="999999198001019991")

    assert (there.data, there.errors, there.extensions) == (
        nowhere.data,
        nowhere.errors,
        nowhere.extensions,
    )
    assert there.data == {"resident": None}
    assert reads_there == graph.reads()


async def test_an_entity_without_a_policy_line_has_no_rows_and_its_source_is_not_asked() -> None:
    graph = build_graph()

    data = await graph.data("officer", "{ residents { nodes { id } } enterprises { totalCount } }")

    assert data == {"residents": {"nodes": []}, "enterprises": {"totalCount": 0}}
    assert graph.reads() == []


@pytest.mark.parametrize(
    "where",
    [
        '{idNumber: {startsWith: "9"}}',
        "{phone: {isNull: true}}",
        '{not: {idNumber: {eq: "x"}}}',
        '{or: [{idNumber: {eq: "x"}}, {name: {eq: "x"}}]}',
        '{or: [{}, {phone: {eq: "x"}}]}',
        "{idNumber: {in: []}}",
        '{idNumber: {gt: "9"}}',
        '{phone: {lte: "19900000001"}}',
        '{idNumber: {eq: "x"}, phone: {gte: "1"}}',
        '{household: {headIdNumber: {eq: "x"}}}',
        '{medicalEnrollments: {balance: {gt: "10"}}}',
        '{not: {medicalEnrollments: {not: {balance: {gt: "10"}}}}}',
        '{cases: {applicant: {phone: {eq: "x"}}}}',
        '{household: {head: {idNumber: {eq: "x"}}}}',
    ],
)
async def test_filtering_by_what_is_masked_or_hidden_is_refused_before_anyone_is_asked(
    where: str,
) -> None:
    graph = build_graph()

    answer = await graph.ask("clerk", f"{{ residents(where: {where}) {{ nodes {{ name }} }} }}")

    assert answer.data == {"residents": None}
    assert codes(answer) == ["FORBIDDEN"]
    assert graph.reads() == []


@pytest.mark.parametrize("field", ["contactPhone", "applicantIdNumber"])
async def test_what_is_masked_is_looked_up_where_the_policy_says_so_and_nowhere_else(
    field: str,
) -> None:
    graph = build_graph()
    query = "query($where: CaseWhere) { cases(where: $where) { totalCount } }"

    answer = await graph.ask("clerk", query, where={field: {"eq": "19900000000"}})

    assert codes(answer) == ["FORBIDDEN"]
    assert graph.reads() == []


async def test_a_row_that_no_role_opens_is_dropped_though_its_system_sends_it() -> None:
    rows = {"Resident": world.RESIDENTS, "Household": ()}
    entities = {name: graph_entities()[name] for name in rows}
    graph = build_graph({"population": Unfiltered("population", "population", entities, rows)})

    data = await graph.data("two", "{ residents(orderBy: [{address: ASC}]) { nodes { address } } }")

    assert [node["address"] for node in data["residents"]["nodes"]] == [
        "0号",
        "11号",
        "1号",
        "2号",
        "3号",
        "6号",
        "7号",
        "8号",
        "9号",
    ]


class Unfiltered(MemorySource):
    """A system that is trusted and sends whatever it has."""

    async def read(self, read: Read) -> Rows:
        return await super().read(replace(read, where=TRUE))


@pytest.mark.parametrize("order", ["idNumber", "phone"])
async def test_ordering_by_what_is_masked_is_refused_before_anyone_is_asked(order: str) -> None:
    graph = build_graph()

    answer = await graph.ask(
        "clerk", f"{{ residents(orderBy: [{{{order}: ASC}}]) {{ totalCount }} }}"
    )

    assert codes(answer) == ["FORBIDDEN"]
    assert graph.reads() == []


async def test_counting_by_what_is_masked_is_refused_before_anyone_is_asked() -> None:
    graph = build_graph()

    answer = await graph.ask(
        "clerk", '{ residents(where: {phone: {startsWith: "1"}}) { totalCount } }'
    )

    assert answer.data == {"residents": {"totalCount": None}}
    assert codes(answer) == ["FORBIDDEN"]
    assert graph.reads() == []


async def test_a_person_is_found_by_the_whole_number_and_shown_masked() -> None:
    graph = build_graph()
    number = world.id_number(3)

    data = await graph.data(
        "clerk",
        "query($n: String!) { residents(where: {idNumber: {eq: $n}}) { nodes { idNumber name } } }",
        n=number,
    )

    masked = f"{number[:3]}***********{number[-4:]}"
    assert data == {"residents": {"nodes": [{"idNumber": masked, "name": "𠮷三"}]}}


async def test_a_hidden_field_is_null_with_an_error_at_its_path_and_is_not_fetched() -> None:
    graph = build_graph()

    answer = await graph.ask(
        "clerk",
        '{ residents(where: {name: {eq: "𠮷三"}}) { nodes { medicalEnrollments { balance } } } }',
    )
    answer_of_two = await graph.ask(
        "clerk", "{ residents(first: 2) { nodes { medicalEnrollments { kind balance } } } }"
    )

    assert answer.errors is None
    assert [error.path for error in answer_of_two.errors] == [
        ["residents", "nodes", 0, "medicalEnrollments", 0, "balance"],
        ["residents", "nodes", 1, "medicalEnrollments", 0, "balance"],
    ]
    assert set(codes(answer_of_two)) == {"FORBIDDEN"}
    asked = [read for read in graph.sources["medical_insurance"].reads if isinstance(read, Read)]
    assert all("balance" not in read.fields for read in asked)


async def test_facets_follow_their_subject_and_need_no_second_question() -> None:
    graph = build_graph()

    data = await graph.data(
        "neighbour", "{ residents { nodes { name medicalEnrollments { personNumber } } } }"
    )

    assert data["residents"]["nodes"] == [
        {"name": "欧阳二", "medicalEnrollments": [{"personNumber": "P2"}]},
        {"name": "A ", "medicalEnrollments": [{"personNumber": "P7"}]},
        {"name": None, "medicalEnrollments": []},
        {"name": "<script>", "medicalEnrollments": [{"personNumber": "P9"}]},
    ]
    assert graph.reads() == [
        ("population", "Resident"),
        ("medical_insurance", "MedicalEnrollment"),
    ]


async def test_two_roles_do_not_lend_each_other_their_rows_or_fields() -> None:
    graph = build_graph()

    data = await graph.data("two", "{ residents { nodes { name } } cases { nodes { number } } }")

    names = [row["name"] for row in world.RESIDENTS if row["name"] != "王十"]
    in_scope = [name for name in names if name not in ("李四", "")]
    assert [node["name"] for node in data["residents"]["nodes"]] == in_scope
    assert [node["number"] for node in data["cases"]["nodes"]] == [
        "C00",
        "C01",
        "C02",
        "C03",
        "C04",
    ]


async def test_only_the_columns_asked_for_are_read_and_whose_row_it_is() -> None:
    graph = build_graph()

    await graph.data("clerk", NAMES)

    (read,) = graph.sources["population"].reads
    assert isinstance(read, Read)
    assert read.fields == ("number", "idNumber", "name")


async def test_a_failing_source_costs_its_own_fields_and_is_named() -> None:
    graph = build_graph({"medical_insurance": Failing()})

    answer = await graph.ask(
        "clerk", "{ residents(first: 1) { nodes { name medicalEnrollments { kind } } } }"
    )

    assert answer.data == {"residents": {"nodes": [{"name": "张一", "medicalEnrollments": None}]}}
    assert codes(answer) == ["SOURCE_TIMEOUT"]
    assert answer.extensions["completeness"] == [
        {
            "source": "medical_insurance",
            "title": "医保",
            "state": "TIMEOUT",
            "paths": [["residents", "nodes", 0, "medicalEnrollments"]],
        },
        {"source": "population", "title": "population", "state": "OK", "paths": []},
    ]


class Failing:
    """A system that answers too late."""

    name = "medical_insurance"
    title = "医保"

    def __init__(self) -> None:
        entities = graph_entities()
        held = {name: entities[name] for name in SYSTEMS[self.name]}
        self.entities = MemorySource(self.name, self.title, held, {}).entities

    async def read(self, read: Read) -> Rows:
        raise SourceTimeout(self.name, self.title)

    async def aggregate(self, aggregate: Aggregate) -> Rows:
        raise SourceTimeout(self.name, self.title)
