"""What a policy says of what may be opened of one person, and what a newer one changes of it."""

from dataclasses import replace
from pathlib import Path
from typing import Final

from auth.difference import differences
from auth.openings import Opening, Purpose
from auth.policy import HIDDEN, SHOWN, Policy
from auth.policy_file import load_policy
from auth.principal import Principal
from contract.predicate import Comparison, Exists, Operator, all_of
from tests.graph import ROOT, graph_entities
from tests.world import XIBEI, id_number

SHIPPED: Final = (ROOT / "auth" / "policy.toml").read_text("utf-8")
FIELDS_AT_THE_WINDOW: Final = {"Resident.idNumber", "Resident.phone"}
FIELDS: Final = frozenset({"Resident.phone", "MedicalEnrollment.balance"})


def loaded(folder: Path, text: str) -> Policy:
    path = folder / "policy.toml"
    path.write_text(text, "utf-8")
    return load_policy(path, graph_entities(), frozenset({"MedicalEnrollment"}))


def holding(*openings: Opening, role: str = "township_clerk") -> Principal:
    return Principal("clerk", (role,), (XIBEI,), openings=openings)


def test_a_line_more_in_reveal_opens_and_a_line_less_closes(tmp_path: Path) -> None:
    line = 'emergency = ["Resident.idNumber", "Resident.phone"]'
    less = loaded(tmp_path, SHIPPED.replace(line, 'emergency = ["Resident.phone"]'))
    shipped = loaded(tmp_path, SHIPPED)

    more = differences(less, shipped, graph_entities())
    fewer = differences(shipped, less, graph_entities())

    assert {(each.what, each.entity, each.fields, each.before, each.after) for each in more} == {
        ("reveal", "Resident", ("idNumber",), "no", "emergency")
    }
    assert {(each.opens, each.closes) for each in more} == {(True, False)}
    assert {(each.opens, each.closes) for each in fewer} == {(False, True)}


def test_an_opening_is_a_grant_of_its_own_behind_those_of_the_roles(tmp_path: Path) -> None:
    policy = loaded(tmp_path, SHIPPED)
    given = Opening(id_number(1), Purpose.WINDOW, 0, FIELDS, 0.0)
    person = Comparison("idNumber", Operator.EQ, id_number(1))

    resident = policy.grants(holding(given), "Resident")
    facet = policy.grants(holding(given), "MedicalEnrollment")

    assert [grant.number for grant in (*resident, *facet)] == [0, 1, 0, 1]
    assert (resident[1].rows, facet[1].rows) == (person, person)
    assert [resident[1].access[name] for name in ("phone", "idNumber", "name")] == [
        SHOWN,
        "citizen_number",
        SHOWN,
    ]
    assert [facet[1].access[name] for name in ("balance", "idNumber")] == [SHOWN, HIDDEN]
    assert [len(policy.grants(holding(given), name)) for name in ("Household", "Case")] == [1, 1]


def test_an_opening_inside_the_rows_of_the_role_says_that_they_have_them_all(
    tmp_path: Path,
) -> None:
    policy = loaded(tmp_path, SHIPPED)
    given = Opening(id_number(1), Purpose.EMERGENCY, 0, FIELDS, 0.0, inside=True)
    person = Comparison("idNumber", Operator.EQ, id_number(1))

    own, opened = policy.grants(holding(given), "Resident")
    facet_own, facet = policy.grants(holding(given), "MedicalEnrollment")

    assert (opened.rows, opened.within) == (all_of(own.rows, person), own.number)
    assert (facet.rows, facet.follows) == (all_of(facet_own.rows, person), "subject")


def test_for_a_case_nothing_personal_goes_with_what_its_materials_need(tmp_path: Path) -> None:
    policy = loaded(tmp_path, SHIPPED)
    given = Opening(id_number(1), Purpose.CASE, 0, FIELDS | {"Case.contactPhone"}, 0.0, case="C1")

    resident = policy.grants(holding(given), "Resident")[1]

    shown = {name for name, access in resident.access.items() if access != HIDDEN}
    open_to_all = {"number", "residenceDivision", "registeredDivision", "village", "updatedAt"}
    assert shown == {"phone", *open_to_all}
    assert len(policy.grants(holding(given), "Case")) == 1
    assert policy.person_rows("CaseEvent", "", "C1") == Exists(
        "case", Comparison("number", Operator.EQ, "C1")
    )


def test_an_opening_under_a_role_that_opens_no_rows_opens_none(tmp_path: Path) -> None:
    policy = loaded(tmp_path, SHIPPED)
    given = Opening(id_number(1), Purpose.WINDOW, 0, FIELDS, 0.0)

    for role in ("auditor", "no such role", "county_officer"):
        assert policy.grants(holding(given, role=role), "Resident") == ()
        assert policy.ceiling(holding(role=role), 0, Purpose.WINDOW) == frozenset()
    for role, scope in (("auditor", "320205"), ("statistician", "320205")):
        there = replace(holding(given, role=role), scopes=(scope,))
        assert policy.roles[role].levels >= {"county"}
        assert policy.grants(there, "Resident") == ()
    assert policy.ceiling(holding(), 0, Purpose.WINDOW) == FIELDS_AT_THE_WINDOW


def test_who_watches_over_emergencies_is_said_by_the_policy(tmp_path: Path) -> None:
    policy = loaded(tmp_path, SHIPPED)
    auditor = Principal("auditor", ("auditor",), ("320205",))

    seen = [policy.sees_break_glass(auditor, scope) for scope in (XIBEI, "320411107", "3202")]

    assert seen == [True, False, False]
    assert not policy.sees_break_glass(holding(), XIBEI)
