"""What a policy does not say, nobody gets."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from auth.policy import HIDDEN, SHOWN, Grant, Policy
from auth.policy_file import load_policy
from auth.principal import Principal
from auth.rules import RULES, Holder, Terms
from contract.entity import Entity, Relationship
from contract.predicate import FALSE, TRUE, Exists
from tests.graph import graph_entities

ENTITIES = graph_entities()
WHO = Principal("somebody", ("clerk",), ("320205106",))
BARE = """
[entity.Resident]
own_division = ["residenceDivision"]
[entity.CaseEvent]
follows = "case"
[entity.Case]
own_division = ["acceptingDivision"]
[facet]
follows = "subject"
[role.clerk]
title = "办事员"
levels = ["township"]
facets = "follows"
[role.clerk.rows]
Resident = "own_division"
Case = "own_division"
"""


def policy(folder: Path, entities: Mapping[str, Entity] = ENTITIES) -> Policy:
    file = folder / "policy.toml"
    file.write_text(BARE, "utf-8")
    return load_policy(file, entities, frozenset({"MedicalEnrollment"}))


def test_a_role_that_says_nothing_of_a_sensitivity_hides_it(tmp_path: Path) -> None:
    (grant,) = policy(tmp_path).grants(WHO, "Resident")

    names = ("residenceDivision", "name", "idNumber")
    assert [grant.access[name] for name in names] == [SHOWN, HIDDEN, HIDDEN]


def test_only_facets_follow_without_a_line_of_their_own(tmp_path: Path) -> None:
    read = policy(tmp_path)

    assert read.grants(WHO, "CaseEvent") == ()
    assert len(read.grants(WHO, "MedicalEnrollment")) == 1


def test_a_facet_without_a_subject_has_no_rows(tmp_path: Path) -> None:
    facet = replace(ENTITIES["MedicalEnrollment"], relationships=MappingProxyType({}))

    found = policy(tmp_path, {**ENTITIES, "MedicalEnrollment": facet}).grants(
        WHO, "MedicalEnrollment"
    )

    assert found == ()


def test_a_role_that_is_held_nowhere_opens_nothing() -> None:
    terms = Terms(("division",), ("village",), ("department",))

    found = [
        RULES[rule](Holder("", "民政"), terms)
        for rule in ("own_division", "own_village", "own_department")
    ]

    assert found == [FALSE, FALSE, FALSE]


def test_rows_reached_by_other_fields_than_they_follow_by_are_asked_for() -> None:
    facet, rows = ENTITIES["MedicalEnrollment"], Exists("subject", TRUE)
    grant = Grant(0, rows, {}, frozenset(), "subject")
    own = Relationship("enrolments", facet.name, (("idNumber", "idNumber"),), many=True)
    other = Relationship("strangers", facet.name, (("phone", "idNumber"),), many=True)

    assert grant.rows_reached(facet, "Resident", own) == TRUE
    assert grant.rows_reached(facet, "Resident", other) == rows
    assert grant.rows_reached(facet, "Household", own) == rows
