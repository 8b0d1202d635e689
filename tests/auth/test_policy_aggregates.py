"""What a policy may say of rows that are counted and never listed, and what it grants."""

from pathlib import Path

import pytest

from auth.aggregates import AggregateGrant
from auth.difference import differences
from auth.policy import Policy
from auth.policy_file import load_policy
from auth.principal import Principal
from contract.document import Mistakes
from contract.predicate import Exists, Within, any_of
from tests.graph import graph_entities

ENTITIES = graph_entities()
HEAD = """[role.counter]
title = "统计"
levels = ["county"]
"""


def loaded(path: Path, text: str) -> Policy:
    path.write_text(text, "utf-8")
    return load_policy(path, ENTITIES, frozenset({"MedicalEnrollment"}))


def counter(scope: str = "320205") -> Principal:
    return Principal("counter", ("counter",), (scope,))


def test_a_table_is_granted_within_the_scope_and_opens_no_row(tmp_path: Path) -> None:
    policy = loaded(
        tmp_path / "policy.toml",
        f"""{HEAD}
[role.counter.aggregates]
Household = {{ within = "division", by = ["division.township", "kind"], sums = ["size"] }}
""",
    )

    assert policy.aggregate_grants(counter(), "Household") == (
        AggregateGrant(
            0,
            Within("division", "320205"),
            {"division": "township", "kind": ""},
            frozenset({"size"}),
        ),
    )
    assert policy.grants(counter(), "Household") == ()
    assert policy.aggregate_grants(counter(), "Resident") == ()
    assert policy.aggregate_grants(counter("3202"), "Household") == ()


def test_a_facet_is_counted_by_where_its_subject_lives(tmp_path: Path) -> None:
    policy = loaded(
        tmp_path / "policy.toml",
        f"""{HEAD}
[role.counter.aggregates]
MedicalEnrollment = {{ within = "subject.residenceDivision", by = ["kind"] }}
""",
    )

    (grant,) = policy.aggregate_grants(counter(), "MedicalEnrollment")
    assert grant.rows == any_of(Exists("subject", Within("residenceDivision", "320205")))


def test_a_role_counts_what_the_role_it_is_like_counts_but_for_its_own_lines(
    tmp_path: Path,
) -> None:
    policy = loaded(
        tmp_path / "policy.toml",
        f"""{HEAD}
[role.counter.aggregates]
Resident = {{ within = "residenceDivision", by = ["sex"] }}
Household = {{ within = "division", by = ["kind"] }}

[role.other]
title = "统计"
like = "counter"
levels = ["city"]
aggregates = {{ Household = {{ within = "division" }} }}
""",
    )

    tables = policy.roles["other"].aggregates
    assert {name: dict(terms.by) for name, terms in tables.items()} == {
        "Resident": {"sex": ""},
        "Household": {},
    }


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ('Resdent = { within = "residenceDivision" }', 'there is no entity "Resdent"'),
        ('Resident = { within = "name" }', "Resident.name is no division"),
        ('Resident = { within = "nobody.village" }', "Resident.nobody.village is no division"),
        (
            'Resident = { within = "village", by = ["idNumber"] }',
            'rows of Resident cannot be told apart by "idNumber"',
        ),
        (
            'Resident = { within = "village", by = ["birthDate"] }',
            'rows of Resident cannot be told apart by "birthDate"',
        ),
        (
            'Resident = { within = "village", by = ["birthDate.township"] }',
            'rows of Resident cannot be told apart by "birthDate.township"',
        ),
        (
            'Resident = { within = "village", sums = ["name"] }',
            "Resident.name is no number",
        ),
        (
            'Case = { within = "acceptingDivision", by = ["status", "channel", "department",'
            ' "handler", "applicantType"] }',
            "the table of Case has more than 4 fields",
        ),
        ('Resident = { within = "village", having = 1 }', "the key"),
    ],
)
def test_a_wrong_table_is_told_with_its_line(tmp_path: Path, line: str, what: str) -> None:
    with pytest.raises(Mistakes) as raised:
        loaded(tmp_path / "policy.toml", f"{HEAD}\n[role.counter.aggregates]\n{line}\n")

    (mistake,) = raised.value.mistakes
    assert mistake.line == 6
    assert mistake.what.startswith(what)


def test_a_threshold_that_protects_nobody_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Mistakes) as raised:
        loaded(tmp_path / "policy.toml", f"[suppression]\nthreshold = 2\n{HEAD}")

    assert [mistake.line for mistake in raised.value.mistakes] == [2]


def test_the_threshold_is_five_where_the_policy_does_not_say(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"

    thresholds = [
        loaded(path, text + HEAD).threshold for text in ("", "[suppression]\nthreshold = 9\n")
    ]

    assert thresholds == [5, 9]


TABLE = 'Household = { within = "division", by = ["division.county", "kind"], sums = ["size"] }'
NARROWER = (
    'Household = { within = "division", by = ["division.county"], sums = ["size"] }',
    'Household = { within = "division", by = ["division.city", "kind"], sums = ["size"] }',
    'Household = { within = "division", by = ["division.county", "kind"] }',
    "",
)


@pytest.mark.parametrize("narrower", NARROWER)
def test_a_difference_of_policies_says_whether_a_table_opens_or_closes(
    tmp_path: Path, narrower: str
) -> None:
    texts = (f"{HEAD}\n[role.counter.aggregates]\n{line}\n" for line in (TABLE, narrower))
    wide, narrow = (loaded(tmp_path / "policy.toml", text) for text in texts)

    assert _changed(wide, narrow) == [("aggregates", "Household", False, True)]
    assert _changed(narrow, wide) == [("aggregates", "Household", True, False)]


def test_a_lower_threshold_opens(tmp_path: Path) -> None:
    table = f"{HEAD}\n[role.counter.aggregates]\n{TABLE}\n"
    texts = (table, f"[suppression]\nthreshold = 10\n{table}")
    five, ten = (loaded(tmp_path / "policy.toml", text) for text in texts)

    assert _changed(five, ten) == [("aggregates", "Household", False, True)]
    assert _changed(ten, five) == [("aggregates", "Household", True, False)]
    assert _changed(five, five) == []


def _changed(before: Policy, after: Policy) -> list[tuple[str, str, bool, bool]]:
    return [
        (change.what, change.entity, change.opens, change.closes)
        for change in differences(before, after, ENTITIES)
    ]
