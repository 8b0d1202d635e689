"""Lists that several systems make together, as a client gets them."""

from dataclasses import replace
from typing import Any

import orjson

from schema.errors import formatted
from tests import oracle, world
from tests.divided import HOMES, divided
from tests.graph import SYSTEMS, Graph, build_graph, graph_entities
from tests.limited import DownSource

LISTED = """{
  cases(where: {status: {eq: ACCEPTED}}, orderBy: [{acceptedAt: DESC}], first: 50) {
    totalCount pageInfo { hasNextPage } nodes { number department }
  }
}"""


def graph_with(*down: str) -> Graph:
    systems = divided(world.ROWS, graph_entities(), SYSTEMS)
    systems |= {name: DownSource(systems[name]) for name in down}
    return build_graph(systems, HOMES)


async def told(graph: Graph, query: str, account: str = "province", **changes: Any) -> Any:
    context = replace(graph.context(account), **changes)
    result = await graph.schema.execute(query, context_value=context)
    errors = formatted(result.errors or (), "request")
    answer = {"data": result.data, "errors": errors, "extensions": result.extensions}
    return orjson.loads(orjson.dumps(answer))


def accepted(*without: str) -> list[dict[str, object]]:
    rows = [row for row in oracle.visible("province")["Case"] if row["status"] == "ACCEPTED"]
    order = [{"acceptedAt": "DESC"}]
    rows = oracle.ordered(rows, order, "Case", {})
    kept = [row for row in rows if row["department"] not in without]
    return [{"number": row["number"], "department": row["department"]} for row in kept]


async def test_a_list_of_several_systems_lacks_what_one_of_them_does_not_give_and_says_so() -> None:
    answer = await told(graph_with("civil_affairs"), LISTED)

    code, path = "SOURCE_UNAVAILABLE", ["cases", "totalCount"]
    assert answer["data"]["cases"] == {
        "totalCount": None,
        "pageInfo": {"hasNextPage": False},
        "nodes": accepted("民政"),
    }
    assert [(each["extensions"]["code"], each["path"]) for each in answer["errors"]] == [
        (code, path)
    ]
    assert answer["extensions"]["completeness"] == [
        {
            "source": "civil_affairs",
            "title": "civil_affairs",
            "state": "UNAVAILABLE",
            "paths": [["cases"], path],
        },
        {"source": "medical_cases", "title": "medical_cases", "state": "OK", "paths": []},
        {"source": "service_platform", "title": "service_platform", "state": "OK", "paths": []},
    ]


async def test_the_same_list_is_whole_when_all_systems_answer() -> None:
    answer = await told(graph_with(), LISTED)

    every = accepted()
    assert answer["data"]["cases"] == {
        "totalCount": len(every),
        "pageInfo": {"hasNextPage": False},
        "nodes": every,
    }
    assert answer["errors"] == []


async def test_one_row_that_a_silent_system_may_have_is_an_error_and_one_that_is_found_is_not() -> (
    None
):
    civil = next(row["number"] for row in world.CASES if row["department"] == "民政")
    other = next(row["number"] for row in world.CASES if row["department"] == "医保")
    query = f'{{ a: case(number: "{civil}") {{ number }} b: case(number: "{other}") {{ number }} }}'

    answer = await told(graph_with("civil_affairs"), query)

    assert answer["data"] == {"a": None, "b": {"number": other}}
    assert [error["path"] for error in answer["errors"]] == [["a"]]


async def test_a_nested_list_says_where_it_lacks_rows() -> None:
    query = (
        "{ residents(first: 2, orderBy: [{name: ASC}]) { nodes { cases { nodes { number } } } } }"
    )

    answer = await told(graph_with("medical_cases"), query)

    lacking = next(
        entry
        for entry in answer["extensions"]["completeness"]
        if entry["source"] == "medical_cases"
    )
    assert lacking["paths"] == [["residents", "nodes", place, "cases"] for place in (0, 1)]
    assert answer["errors"] == []


async def test_a_case_tells_its_home_and_what_another_system_says_otherwise() -> None:
    graph = graph_with()
    query = "{ cases(first: 100) { nodes { number department appliedAt _provenance {%s} } } }"

    answer = await told(
        graph, query % "field source title asOf conflicts { source title value asOf }"
    )

    homes = {"民政": "civil_affairs", "医保": "medical_cases"}
    conflicts = 0
    for node in answer["data"]["cases"]["nodes"]:
        home = homes.get(node["department"], "service_platform")
        assert [(each["field"], each["source"]) for each in node["_provenance"]] == [
            (field, home) for field in ("appliedAt", "department", "number")
        ]
        for each in node["_provenance"]:
            said = [(other["source"], other["value"]) for other in each["conflicts"]]
            assert all(source != home for source, _ in said)
            assert all(value != node[each["field"]] for _, value in said)
            conflicts += len(said)
    assert conflicts > 2


async def test_provenance_of_the_whole_answer_is_given_on_request() -> None:
    query = "{ cases(first: 100) { nodes { number applicant { name } } } }"

    plain = await told(graph_with(), query)
    wanted = await told(graph_with(), query, shown=[])

    assert "provenance" not in plain["extensions"]
    assert plain["data"] == wanted["data"]
    places = [
        (entry["path"], entry["source"], entry["fields"])
        for entry in wanted["extensions"]["provenance"]
    ]
    assert places == [
        (["cases"], "civil_affairs", ["number"]),
        (["cases"], "medical_cases", ["number"]),
        (["cases", "nodes", "applicant"], "population", ["name"]),
        (["cases", "nodes", "applicant"], "population_wuxi", ["name"]),
    ]
    rows = [entry["rows"] for entry in wanted["extensions"]["provenance"]]
    assert sum(rows[:2]) == len(wanted["data"]["cases"]["nodes"])


async def test_what_may_not_be_seen_of_related_rows_may_not_be_sorted_by() -> None:
    graph = graph_with()
    hidden = "{ residents(orderBy: [{cases: {contactPhone: DESC}}]) { nodes { name } } }"

    answer = await told(graph, hidden, "clerk")

    assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]
    assert graph.reads() == []


async def test_an_order_over_related_rows_comes_first_and_goes_one_step() -> None:
    graph = graph_with()
    queries = (
        "{ residents(orderBy: [{name: ASC}, {cases: {appliedAt: DESC}}]) { nodes { name } } }",
        "{ residents(orderBy: [{cases: {applicant: {name: ASC}}}]) { nodes { name } } }",
    )

    answers = [await told(graph, query) for query in queries]

    assert [answer["errors"][0]["message"] for answer in answers] == [
        "按关联信息排序只能放在 orderBy 的第一项。",
        "按关联信息排序只能隔一层,如 {cases: {appliedAt: DESC}}。",
    ]
    assert graph.reads() == []
