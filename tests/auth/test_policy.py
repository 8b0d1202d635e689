"""Principal by entity: the rows a policy opens, as a table."""

from pathlib import Path

import pytest

from auth.policy import HIDDEN, SHOWN, Policy
from auth.policy_file import load_policy
from auth.principal import Principal
from contract.document import Mistakes
from contract.predicate import (
    TRUE,
    Comparison,
    Exists,
    Operator,
    Predicate,
    Within,
    all_of,
    any_of,
)
from tests.graph import ROOT, graph_entities

ENTITIES = graph_entities()
XIBEI = "320205106"


def policy() -> Policy:
    return load_policy(ROOT / "auth/policy.toml", ENTITIES, frozenset({"MedicalEnrollment"}))


def of_resident(scope: str) -> Predicate:
    return any_of(Within("residenceDivision", scope), Within("registeredDivision", scope))


def who(role: str, scope: str, department: str = "") -> Principal:
    return Principal("somebody", (role,), (scope,), department)


@pytest.mark.parametrize(
    ("principal", "entity", "rows"),
    [
        (who("township_clerk", XIBEI), "Resident", of_resident(XIBEI)),
        (who("township_clerk", XIBEI), "Household", Within("division", XIBEI)),
        (who("township_clerk", XIBEI), "Case", Within("acceptingDivision", XIBEI)),
        (who("township_clerk", XIBEI), "Enterprise", Within("division", XIBEI)),
        (who("township_clerk", XIBEI), "Matter", TRUE),
        (
            who("township_clerk", XIBEI),
            "CaseEvent",
            Exists("case", Within("acceptingDivision", XIBEI)),
        ),
        (
            who("township_clerk", XIBEI),
            "MedicalEnrollment",
            Exists("subject", of_resident(XIBEI)),
        ),
        (who("grid_worker", f"{XIBEI}001"), "Resident", Within("village", f"{XIBEI}001")),
        (who("county_officer", "320205"), "Resident", of_resident("320205")),
        (who("city_officer", "3202"), "Resident", of_resident("3202")),
        (who("province_officer", "32"), "Resident", of_resident("32")),
        (
            who("department_officer", "3202", "民政"),
            "Case",
            all_of(
                Comparison("department", Operator.EQ, "民政"), Within("acceptingDivision", "3202")
            ),
        ),
        (who("auditor", "32"), "Division", TRUE),
    ],
)
def test_a_role_opens_the_rows_of_its_scope(
    principal: Principal, entity: str, rows: Predicate
) -> None:
    assert [grant.rows for grant in policy().grants(principal, entity)] == [rows]


@pytest.mark.parametrize(
    ("principal", "entity"),
    [
        (who("auditor", "32"), "Resident"),
        (who("auditor", "32"), "MedicalEnrollment"),
        (who("grid_worker", f"{XIBEI}001"), "Case"),
        (who("grid_worker", f"{XIBEI}001"), "CaseEvent"),
        (who("department_officer", "32"), "Case"),  # of no department
        (who("department_officer", "32", "民政"), "Resident"),
        (who("department_officer", "32", "民政"), "MedicalEnrollment"),
        (who("township_clerk", "3202"), "Resident"),
        (who("township_clerk", f"{XIBEI}001"), "Resident"),
        (who("county_officer", XIBEI), "Resident"),
        (who("no_such_role", XIBEI), "Resident"),
        (who("no_such_role", XIBEI), "Matter"),
        (Principal("nobody", (), ()), "Matter"),
    ],
)
def test_whoever_has_no_line_or_no_such_scope_gets_no_grant(
    principal: Principal, entity: str
) -> None:
    assert policy().grants(principal, entity) == ()


def test_a_field_is_shown_by_its_line_and_else_by_its_sensitivity() -> None:
    (clerk,) = policy().grants(who("township_clerk", XIBEI), "Resident")
    (facet,) = policy().grants(who("township_clerk", XIBEI), "MedicalEnrollment")

    assert {name: clerk.access[name] for name in ("idNumber", "phone", "name", "village")} == {
        "idNumber": "citizen_number",
        "phone": "mobile",
        "name": SHOWN,
        "village": SHOWN,
    }
    assert facet.access == {
        "personNumber": SHOWN,
        "idNumber": HIDDEN,
        "kind": SHOWN,
        "balance": HIDDEN,
    }
    assert not clerk.clear("no such field")


def test_every_role_holds_its_grant_by_its_own_number() -> None:
    principal = Principal("two", ("auditor", "township_clerk"), ("32", XIBEI))

    grants = policy().grants(principal, "Resident")

    assert [(grant.number, grant.rows) for grant in grants] == [(1, of_resident(XIBEI))]


REVEAL = """\
[role.clerk]
title = "甲"
levels = ["township"]
rows = { Resident = "everyone", Case = "everyone" }

[role.clerk.reveal]
%s
"""
WRONG = [
    (
        '[entity.Residentt]\nown_division = ["a"]',
        1,
        'there is no entity "Residentt". Write Resident.',
    ),
    (
        '[entity.Resident]\nown_division = ["residenceDivison"]',
        2,
        'there is no field "residenceDivison". Write residenceDivision.',
    ),
    (
        '[entity.Resident]\nown_division = ["name"]',
        2,
        "Resident.name is no division. Name fields that hold division codes.",
    ),
    (
        '[entity.Case]\nown_department = "departmnt"',
        2,
        'there is no field "departmnt". Write department.',
    ),
    (
        '[entity.Resident]\nown_record = "idNumbr"',
        2,
        'there is no field "idNumbr". Write idNumber.',
    ),
    (
        '[role.self]\ntitle = "甲"\nlevels = ["province"]\nrows = { Resident = "own_record" }',
        4,
        "the rule own_record needs to know what it means for Resident."
        " Write [entity.Resident] with own_record = ….",
    ),
    ('[entity.CaseEvent]\nfollows = "cas"', 2, 'there is no relationship "cas". Write case.'),
    (
        '[entity.CaseEvent]\nfollows = "case"\n[entity.Case]\nfollows = "events"',
        2,
        "CaseEvent follows a row that follows it. Give one of them a rule of its own.",
    ),
    (
        '[role.clerk]\ntitle = "甲"\nlevels = ["township"]\nrows = { Resident = "own_divison" }',
        4,
        'there is no rule "own_divison". Write own_division.',
    ),
    (
        '[role.clerk]\ntitle = "甲"\nlevels = ["township"]\nrows = { Resident = "own_division" }',
        4,
        "the rule own_division needs to know what it means for Resident."
        " Write [entity.Resident] with own_division = ….",
    ),
    (
        '[role.clerk]\ntitle = "甲"\nlevels = ["township"]\nfields = { "Resident.name" = "nam" }',
        4,
        'there is no mask "nam". Write name.',
    ),
    (
        '[role.clerk]\ntitle = "甲"\nlevels = ["township"]\nfields = { "Resident.sex" = "name" }',
        4,
        'Resident.sex is a code, of which a mask leaves none. Write "shown" or "hidden".',
    ),
    (
        '[role.clerk]\ntitle = "甲"\nlevels = ["township"]\nlookup = { fields = ["Resident.nam"] }',
        4,
        'there is no field "nam". Write name.',
    ),
    (
        '[role.clerk]\ntitle = "甲"\nlevels = ["township"]\n'
        'lookup = { fields = ["Resident.phone"] }',
        1,
        "Resident.phone is hidden from clerk and may be looked up."
        " Write [role.….lookup] without it, or mask the field.",
    ),
    (
        '[role.clerk]\ntitle = "甲"\nlevels = ["township"]\nlike = "boss"',
        4,
        '"boss" is no role that stands for itself. Name a role that has no like.',
    ),
    (
        '[role.clerk]\ntitle = "甲"\nlevels = ["township"]\nrow = {}',
        4,
        'the key "role.clerk.row" is not known here. Leave it out, or correct it.',
    ),
    (
        REVEAL % 'case = ["Resident.phon"]',
        7,
        'there is no field "phon". Write phone.',
    ),
    (
        REVEAL % 'emergency = ["Household.headIdNumber"]',
        7,
        "clerk reveals Household.headIdNumber and opens no row of Household. Leave it out.",
    ),
    (
        REVEAL % 'window = ["Case.contactPhone"]',
        7,
        "Case.contactPhone cannot be revealed for window: no row of Case is one person's alone."
        " Name fields of Resident and of facets whose subject is a resident.",
    ),
    (
        REVEAL % 'audit = ["Resident.phone"]',
        7,
        'the key "role.clerk.reveal.audit" is not known here. Leave it out, or correct it.',
    ),
]


@pytest.mark.parametrize(("text", "line", "said"), WRONG)
def test_a_policy_that_names_what_does_not_exist_is_refused_with_its_line(
    tmp_path: Path, text: str, line: int, said: str
) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(text + ("" if "[role" in text else "\n[role]\n"), encoding="utf-8")

    with pytest.raises(Mistakes) as caught:
        load_policy(path, ENTITIES, frozenset())

    assert str(caught.value).splitlines()[0] == f"{path}:{line}: {said}"
