"""Why a row is seen or not: what each depth tells, and what nobody learns from it."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest

from auth.explain import depth_of
from auth.policy_file import load_policy
from auth.principal import Principal
from auth.throttle import Throttle
from contract.document import Mistakes
from resolvers.context import RequestContext
from resolvers.gate import Gate
from resolvers.seal import Seal
from resolvers.spending import Spending
from schema.errors import formatted
from sources.federation import Federation
from tests import world
from tests.graph import PRINCIPALS, SECRET, Graph, Recording
from tests.limited import DownSource
from tests.twins import changed_outside, graph_over, policy

EXPLAIN = """
query($type: String!, $key: String!, $as: ExplainedRole) {
  explainAccess(type: $type, key: $key, as: $as) {
    depth visible message systems
    clauses { role roleTitle scope rule words truth parts { field words truth division } }
    fields { field shown mask how }
  }
}
"""
CLERK = {"role": "township_clerk", "scope": world.XIBEI}
WHO: Mapping[str, Principal] = {
    **PRINCIPALS,
    "administrator": Principal("administrator", ("county_administrator",), ("320205",)),
    "county auditor": Principal("county auditor", ("auditor",), ("320205",)),
}
ABSENT = world.id_number(999)
KEYS = {
    "Resident": "idNumber",
    "Household": "number",
    "Case": "number",
    "Enterprise": "creditCode",
}


class Told:
    """The bytes of an answer, what it was, and what was asked and noted for it."""

    def __init__(self, graph: Graph, context: RequestContext, result: Any) -> None:
        errors: Any = formatted(result.errors or (), "request")
        answer = {"data": result.data, "errors": errors, "extensions": result.extensions}
        self.body = orjson.dumps(answer)
        self.data: Any = (result.data or {}).get("explainAccess")
        self.codes = [error["extensions"]["code"] for error in errors]
        self.readings = context.readings
        self.asked = {name: list(source.reads) for name, source in graph.sources.items()}

    @property
    def truths(self) -> list[str]:
        return [clause["truth"] for clause in self.data["clauses"]]


async def told(
    account: str,
    entity: str,
    key: str,
    graph: Graph | None = None,
    as_: Mapping[str, str] | None = None,
) -> Told:
    graph = graph or graph_over(world.ROWS)
    return await spent(graph, account, {"type": entity, "key": key, "as": as_})


async def spent(
    graph: Graph, account: str, asked: Mapping[str, Any], spending: Spending | None = None
) -> Told:
    context = RequestContext(
        WHO[account],
        graph.gate,
        graph.identity,
        Seal(SECRET, "cursor"),
        spending=spending or Spending(Throttle(), account),
    )
    result = await graph.schema.execute(EXPLAIN, variable_values=dict(asked), context_value=context)
    return Told(graph, context, result)


def absent(asked: Mapping[str, Any], key: str) -> str:
    """Return what was asked, the key in it struck out."""
    return repr(asked).replace(repr(key), "KEY")


OUTSIDE = [
    ("clerk", "Resident", world.id_number(7), world.id_number(998)),
    ("clerk", "MedicalEnrollment", world.id_number(7), world.id_number(998)),
    ("clerk", "Household", "H4", "H9"),
    ("clerk", "Case", "C07", "C99"),
    ("clerk", "CaseEvent", "C07", "C99"),
    ("clerk", "Enterprise", "91320411MA00000002", "91320411MA00000009"),
    ("grid", "Resident", world.id_number(4), world.id_number(998)),
    ("officer", "Case", "C07", "C99"),
    ("officer", "Resident", world.id_number(0), world.id_number(998)),
    ("two", "Resident", world.id_number(4), world.id_number(998)),
    ("administrator", "Resident", world.id_number(7), world.id_number(998)),
    ("administrator", "Case", "C07", "C99"),
    ("administrator", "MedicalEnrollment", world.id_number(7), world.id_number(998)),
    ("county auditor", "Resident", world.id_number(7), world.id_number(998)),
    ("county auditor", "CaseEvent", "C07", "C99"),
]


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize(("account", "entity", "there", "nowhere"), OUTSIDE)
async def test_what_is_out_of_reach_and_what_does_not_exist_are_one_answer_by_the_same_questions(
    account: str, entity: str, there: str, nowhere: str, shared: bool
) -> None:
    graphs = [graph_over(world.ROWS, shared=shared) for _ in range(2)]
    hidden = await told(account, entity, there, graphs[0])
    none = await told(account, entity, nowhere, graphs[1])

    assert hidden.body == none.body
    assert hidden.data["visible"] is False
    assert hidden.data["depth"] == "OFFICE"
    assert hidden.data["fields"] == []
    assert absent(hidden.asked, there) == absent(none.asked, nowhere)


@pytest.mark.parametrize("as_", [CLERK, {"role": "grid_worker", "scope": f"{world.XIBEI}001"}])
@pytest.mark.parametrize("account", ["administrator", "county auditor"])
async def test_in_the_place_of_another_the_reach_stays_ones_own(
    account: str, as_: Mapping[str, str]
) -> None:
    hidden = await told(account, "Resident", world.id_number(9), as_=as_)
    none = await told(account, "Resident", ABSENT, as_=as_)

    assert hidden.body == none.body


async def test_changes_out_of_reach_change_no_byte_and_no_question() -> None:
    keys = [*(row["idNumber"] for row in world.RESIDENTS), ABSENT]
    seen = 0
    for account, seed in product(("clerk", "two"), range(4)):
        changed = changed_outside(Random(f"{account} {seed}"), account)
        for key in keys:
            entity = ("Resident", "MedicalEnrollment")[seed % 2]
            one = await told(account, entity, str(key))
            other = await told(account, entity, str(key), graph_over(changed))
            assert one.body == other.body
            assert one.asked == other.asked
            seen += one.data["visible"] is True
    assert seen > 15


async def test_a_clerk_is_told_which_role_opens_a_row_and_what_of_it_is_masked() -> None:
    answer = await told("clerk", "Resident", world.id_number(0))

    assert [answer.data["visible"], answer.data["depth"], answer.truths] == [
        True,
        "OFFICE",
        ["TRUE"],
    ]
    assert answer.data["clauses"][0]["parts"] == []
    shown = {each["field"]: (each["shown"], each["mask"]) for each in answer.data["fields"]}
    assert shown == {"idNumber": ("MASKED", "citizen_number"), "phone": ("MASKED", "mobile")}
    assert "X-Purpose" in answer.data["fields"][0]["how"]


async def test_a_record_is_explained_by_the_person_it_follows_and_its_system_is_not_asked() -> None:
    answer = await told("clerk", "MedicalEnrollment", world.id_number(0))

    assert answer.data["visible"] is True
    assert {each["field"] for each in answer.data["fields"]} == {"idNumber", "balance"}
    assert answer.asked["medical_insurance"] == []


async def test_an_administrator_is_told_clauses_and_no_division() -> None:
    answer = await told("administrator", "Resident", world.id_number(6), as_=CLERK)

    parts = answer.data["clauses"][0]["parts"]
    assert [part["field"] for part in parts] == ["residenceDivision", "registeredDivision"]
    assert [part["truth"] for part in parts] == ["FALSE", "TRUE"]
    assert [part["division"] for part in parts] == [None, None]
    assert [answer.data["depth"], answer.data["visible"]] == ["CLAUSES", True]


async def test_an_auditor_is_told_divisions_too() -> None:
    answer = await told("county auditor", "Resident", world.id_number(6), as_=CLERK)

    parts = answer.data["clauses"][0]["parts"]
    assert [part["division"] for part in parts] == [world.DONGHU, world.XIBEI]
    assert answer.data["depth"] == "VALUES"


async def test_a_division_that_is_missing_makes_a_clause_unknown() -> None:
    rows = {
        **world.ROWS,
        "Resident": [world.person(30, "无", None, registeredDivision=world.DONGHU)],
    }
    answer = await told("county auditor", "Resident", world.id_number(30), graph_over(rows), CLERK)

    assert [answer.truths, answer.data["visible"]] == [["UNKNOWN"], False]


async def test_nothing_personal_stands_in_any_depth() -> None:
    public = {world.XIBEI, world.DONGHU, world.BENNIU}
    for account, as_ in (("clerk", None), ("administrator", CLERK), ("county auditor", CLERK)):
        for row in world.RESIDENTS:
            answer = await told(account, "Resident", str(row["idNumber"]), as_=as_)
            text = answer.body.decode()
            values = {v for v in row.values() if isinstance(v, str) and len(v) > 2} - public
            villages = {row["village"]}
            assert not [value for value in values - villages if value in text], account
            if account != "county auditor":
                assert '"division":"' not in text


@pytest.mark.parametrize("account", ["nobody", "misplaced", "statistician"])
async def test_who_is_told_nothing_is_refused_before_any_system_is_asked(account: str) -> None:
    known = WHO.get(account) or Principal("s", ("statistician",), ("320205",))
    graph = graph_over(world.ROWS)
    context = RequestContext(known, graph.gate, graph.identity, Seal(SECRET, "cursor"))
    variables = {"type": "Resident", "key": world.id_number(0)}

    result = await graph.schema.execute(EXPLAIN, variable_values=variables, context_value=context)

    answer = Told(graph, context, result)
    assert [answer.codes, graph.reads()] == [["FORBIDDEN"], []]
    assert [sorted(reading.named()) for reading in answer.readings] == [["Resident.idNumber"]]


@pytest.mark.parametrize(
    ("account", "as_"),
    [
        ("clerk", CLERK),
        ("administrator", {"role": "township_clerk", "scope": world.BENNIU}),
        ("administrator", {"role": "province_officer", "scope": "32"}),
        ("county auditor", {"role": "nobody_knows", "scope": world.XIBEI}),
    ],
)
async def test_nobody_asks_in_the_place_of_roles_beyond_the_own_scope(
    account: str, as_: Mapping[str, str]
) -> None:
    graph = graph_over(world.ROWS)
    answer = await told(account, "Resident", world.id_number(0), graph, as_)

    assert [answer.codes, graph.reads()] == [["FORBIDDEN"], []]


@pytest.mark.parametrize(
    ("entity", "key"), [("Nothing", "1"), ("Resident", "1" * 501), ("Query", "1")]
)
async def test_what_cannot_be_explained_is_refused_before_any_system_is_asked(
    entity: str, key: str
) -> None:
    graph = graph_over(world.ROWS)
    answer = await told("clerk", entity, key, graph)

    assert [answer.codes, graph.reads()] == [["BAD_USER_INPUT"], []]


@pytest.mark.parametrize("account", ["clerk", "administrator", "county auditor"])
async def test_a_system_that_is_down_leaves_it_undecided(account: str) -> None:
    graph = graph_over(world.ROWS)
    down = dict(graph.sources)
    down["population"] = Recording(DownSource(graph.sources["population"]))
    built = _over(graph, down)

    answers = [await told(account, "Resident", key, built) for key in (world.id_number(0), ABSENT)]

    assert [answer.data["visible"] for answer in answers] == [None, None]
    assert "无法判定:“population”" in answers[0].data["message"]
    assert answers[0].body == answers[1].body


def _over(graph: Graph, systems: Mapping[str, Recording]) -> Graph:
    gate = Gate(policy(), Federation(graph.entities, systems.values()))
    return replace(graph, gate=gate, sources=systems)


async def test_it_is_on_record_of_whom_it_was_explained_and_by_which_fields() -> None:
    answer = await told("county auditor", "Resident", world.id_number(6), as_=CLERK)

    (reading,) = answer.readings
    assert list(reading.subjects) == [world.id_number(6)]
    assert sorted(reading.named()) == [
        "Resident.idNumber",
        "Resident.registeredDivision",
        "Resident.residenceDivision",
    ]


@pytest.mark.parametrize("account", ["clerk", "administrator", "county auditor"])
async def test_a_number_that_is_tried_counts_as_a_look_up(account: str) -> None:
    throttle = Throttle()
    codes = []
    for key in (world.id_number(0), world.id_number(7), ABSENT):
        spending = Spending(throttle, account, {"lookups": {60: 2}})
        asked = {"type": "Resident", "key": key}
        answer = await spent(graph_over(world.ROWS), account, asked, spending)
        codes.append(answer.codes)

    assert codes == [[], [], ["RATE_LIMITED"]]


@pytest.mark.parametrize("line", ['explain = "everything"', 'plan = "everybodys_questions"'])
def test_a_depth_that_nobody_knows_is_refused_at_start_up(tmp_path: Path, line: str) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(f'[role.clerk]\ntitle = "办事员"\nlevels = ["township"]\n{line}\n', "utf-8")

    with pytest.raises(Mistakes) as caught:
        load_policy(file, {}, frozenset())

    assert [mistake.line for mistake in caught.value.mistakes] == [4]


def test_a_role_without_a_line_is_told_nothing(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text('[role.clerk]\ntitle = "办事员"\nlevels = ["township"]\n', "utf-8")
    loaded = load_policy(file, {}, frozenset())
    clerk = Principal("clerk", ("clerk",), (world.XIBEI,))

    assert [depth_of(loaded, clerk), loaded.sees_plan(clerk)] == [("nobody", (world.XIBEI,)), False]
