"""Whose accounts a role administers, and which roles it may give them."""

from pathlib import Path

import pytest

from auth.authority import is_narrower
from auth.difference import differences
from auth.policy import Policy
from auth.policy_file import load_policy
from auth.principal import Principal
from contract.document import Mistakes
from store.accounts import Roles
from tests.graph import ROOT, graph_entities

ENTITIES = graph_entities()
POLICY = """\
[entity.Resident]
own_division = ["residenceDivision"]

[role.clerk]
title = "办事员"
levels = ["township"]
rows = { Resident = "own_division", Division = "everyone" }

[role.other]
title = "另一岗位"
levels = ["township"]

[role.admin]
title = "账号管理员"
levels = ["county"]
accounts = "own_division"
gives = ["clerk"]

[role.alike]
title = "同岗"
like = "admin"
levels = ["county"]

[role.wide]
title = "全省"
levels = ["province"]
rows = { Resident = "everyone" }

[role.running]
title = "运行"
levels = ["province"]
operations = "everyone"
"""


def loaded(folder: Path, text: str) -> Policy:
    path = folder / "policy.toml"
    path.write_text(text, "utf-8")
    return load_policy(path, ENTITIES, frozenset({"MedicalEnrollment"}))


@pytest.mark.parametrize(
    ("role", "scope", "administers"),
    [
        ("admin", "320205", (("320205", frozenset({"clerk"})),)),
        ("admin", "3202", ()),  # not at this level
        ("alike", "320205", ()),  # to be like somebody is not to administer
        ("clerk", "320205106", ()),
        ("unknown", "320205", ()),
    ],
)
def test_who_administers_says_so_itself(
    tmp_path: Path, role: str, scope: str, administers: object
) -> None:
    policy = loaded(tmp_path, POLICY)

    assert policy.administers(Principal("a", (role,), (scope,))) == administers


@pytest.mark.parametrize(
    ("gives", "what"),
    [
        ('accounts = "own_division"', "admin has one of accounts and gives without the other"),
        ('gives = ["clerk"]', "admin has one of accounts and gives without the other"),
        ('accounts = "own_division"\ngives = ["clerc"]', 'there is no role "clerc"'),
        ('accounts = "own_division"\ngives = ["admin"]', "admin administers accounts itself"),
        ('accounts = "own_division"\ngives = ["wide"]', "wide sees every row of Resident"),
        ('accounts = "own_division"\ngives = ["running"]', "running sees beyond any division"),
        ('accounts = "everyone"\ngives = ["clerk"]', "role.admin.accounts: input should be"),
    ],
)
def test_a_policy_by_which_a_division_would_be_left_is_refused(
    tmp_path: Path, gives: str, what: str
) -> None:
    text = POLICY.replace('accounts = "own_division"\ngives = ["clerk"]', gives)

    with pytest.raises(Mistakes) as caught:
        loaded(tmp_path, text)

    assert what in str(caught.value)


def test_a_new_gift_opens_and_one_taken_back_closes(tmp_path: Path) -> None:
    before = loaded(tmp_path, POLICY)
    after = loaded(tmp_path, POLICY.replace('gives = ["clerk"]', 'gives = ["clerk", "other"]'))
    none = loaded(tmp_path, POLICY.replace('accounts = "own_division"\ngives = ["clerk"]', ""))

    def said(one: Policy, other: Policy) -> list[tuple[object, ...]]:
        return [
            (each.role, each.levels, each.what, each.before, each.after, each.opens, each.closes)
            for each in differences(one, other, ENTITIES)
        ]

    place = ("admin", ("county",), "accounts")
    assert said(before, after) == [(*place, "gives clerk", "gives clerk, other", True, False)]
    assert said(after, before) == [(*place, "gives clerk, other", "gives clerk", False, True)]
    assert said(before, none) == [(*place, "gives clerk", "gives nothing", False, True)]


def test_the_shipped_administrator_gives_what_a_county_needs_and_sees_nobody() -> None:
    path = ROOT / "auth" / "policy.toml"
    policy = load_policy(path, ENTITIES, frozenset({"MedicalEnrollment"}))
    holder = Principal("a", ("county_administrator",), ("320205",))

    gives = frozenset({"township_clerk", "grid_worker"})
    assert policy.administers(holder) == (("320205", gives),)
    assert [name for name in ENTITIES if policy.grants(holder, name)] == [
        "Matter",
        "MatterElement",
        "Material",
        "Division",
    ]


CLERK: Roles = (("clerk", "320205106"),)


@pytest.mark.parametrize(
    ("after", "before", "narrower"),
    [
        (CLERK, CLERK, True),
        (CLERK, (("clerk", "320205"),), True),
        (CLERK, (("other", "320205106"), *CLERK), True),
        (CLERK, (("other", "320205106"),), False),
        (CLERK, (("clerk", "320205107"),), False),
        ((("clerk", "320205"),), CLERK, False),
        ((*CLERK, ("clerk", "320205107")), CLERK, False),
    ],
)
def test_what_was_held_before_there_or_wider_opens_nothing(
    after: Roles, before: Roles, narrower: bool
) -> None:
    assert is_narrower(after, before) is narrower
