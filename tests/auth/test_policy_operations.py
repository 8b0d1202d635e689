"""Of which departments' systems a role sees how they run, and who asked them."""

from pathlib import Path

import pytest

from auth.policy import LedgerView, Policy
from auth.policy_file import load_policy
from auth.principal import Principal
from contract.document import Mistakes
from tests.graph import ROOT, graph_entities

ENTITIES = graph_entities()
ROLES = """\
[role.officer]
title = "部门"
levels = ["city"]
operations = "own_department"
usage = "own_department"

[role.silent]
title = "无权"
levels = ["city"]

[role.alike]
title = "同部门"
like = "officer"
levels = ["county"]

[role.less]
title = "较少"
like = "officer"
levels = ["city"]
usage = "nobody"

[role.all]
title = "全部"
levels = ["province"]
operations = "everyone"

[role.watch]
title = "审计"
levels = ["city"]
ledger = "own_division"
plan = "own_questions"
"""


def loaded(path: Path) -> Policy:
    return load_policy(path, ENTITIES, frozenset({"MedicalEnrollment"}))


@pytest.mark.parametrize(
    ("role", "scope", "department", "sees"),
    [
        ("officer", "3202", "民政", (True, True)),
        ("officer", "3202", "医保", (False, False)),
        ("officer", "3202", "", (False, False)),
        ("officer", "32", "民政", (False, False)),
        ("silent", "3202", "民政", (False, False)),
        ("alike", "320205", "民政", (True, True)),
        ("less", "3202", "民政", (True, False)),
        ("all", "32", "", (True, False)),
        ("unknown", "3202", "民政", (False, False)),
    ],
)
def test_a_role_sees_of_systems_what_the_policy_says_and_else_nothing(
    tmp_path: Path, role: str, scope: str, department: str, sees: tuple[bool, bool]
) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(ROLES, "utf-8")
    policy, who = loaded(path), Principal("somebody", (role,), (scope,), department)

    assert (policy.sees_operations(who, "民政"), policy.sees_usage(who, "民政")) == sees
    assert not policy.sees_usage(who, "")


@pytest.mark.parametrize(("scope", "sees"), [("3202", True), ("32", False), ("320205", False)])
def test_a_role_in_a_scope_that_it_may_not_have_reads_no_ledger_and_is_told_no_plan(
    tmp_path: Path, scope: str, sees: bool
) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(ROLES, "utf-8")
    policy, who = loaded(path), Principal("somebody", ("watch",), (scope,))

    view = policy.ledger(who)

    assert view == LedgerView(divisions=frozenset((scope,) if sees else ()))
    assert (view.searches, policy.sees_plan(who)) == (sees, sees)


def test_the_shipped_policy_opens_own_systems_to_officers_and_all_to_auditors() -> None:
    policy = loaded(ROOT / "auth" / "policy.toml")
    holders = {name: Principal("x", (name,), ("32",), "民政") for name in policy.roles}

    operations = {name for name, who in holders.items() if policy.sees_operations(who, "民政")}
    usage = {name for name, who in holders.items() if policy.sees_usage(who, "民政")}

    assert operations == {"department_officer", "auditor"}
    assert usage == {"department_officer"}


@pytest.mark.parametrize("line", ['usage = "everyone"', 'operations = "all"'])
def test_another_word_is_a_mistake_at_its_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(f'[role.x]\ntitle = "某岗"\nlevels = ["city"]\n{line}\n', "utf-8")

    with pytest.raises(Mistakes) as caught:
        loaded(path)

    assert [(mistake.line, mistake.write) for mistake in caught.value.mistakes] == [
        (4, "See docs/policy.md for the format.")
    ]
