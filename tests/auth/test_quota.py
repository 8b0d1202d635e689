"""Quotas in the policy file: what holds for whom, and what is refused."""

from pathlib import Path

import pytest

from auth.difference import differences
from auth.policy import Policy
from auth.policy_file import load_policy
from auth.principal import Principal
from auth.quota import BUILT_IN, narrowest, widest, worded
from contract.document import Mistakes
from tests.graph import graph_entities

ENTITIES = graph_entities()
ROLES = """\
[role.clerk]
title = "办事员"
levels = ["township"]

[role.clerk.quota]
lookups = "30/minute"
questions = ["100/minute", "1000/hour"]

[role.window_clerk]
title = "窗口"
like = "clerk"
levels = ["township"]
quota = { lookups = "90/minute" }

[role.inspector]
title = "督查"
levels = ["county"]
quota = { lookups = ["10/minute", "5000/day"] }
"""


def policy_of(folder: Path, text: str) -> Policy:
    file = folder / "policy.toml"
    file.write_text(text, "utf-8")
    return load_policy(file, ENTITIES, frozenset())


def holder(*held: tuple[str, str]) -> Principal:
    return Principal("a", tuple(role for role, _ in held), tuple(scope for _, scope in held))


CLERK, WINDOW = ("clerk", "320205106"), ("window_clerk", "320205106")
INSPECTOR, MISPLACED = ("inspector", "320205"), ("inspector", "320205106")


def test_a_role_has_its_own_limits_over_those_of_the_role_it_is_like_over_those_of_all(
    tmp_path: Path,
) -> None:
    policy = policy_of(tmp_path, f'[quota]\npeople = "7/day"\nlookups = "50/hour"\n{ROLES}')

    quota = policy.quota(holder(WINDOW))

    assert quota == {
        "questions": {60: 100, 3_600: 1_000, 86_400: BUILT_IN["questions"][86_400]},
        "cost": BUILT_IN["cost"],
        "lookups": {60: 90, 3_600: 50, 86_400: BUILT_IN["lookups"][86_400]},
        "people": {86_400: 7},
    }
    assert worded(quota["lookups"]) == "90/minute, 50/hour, 600/day"


def test_who_has_several_roles_has_the_largest_of_each_limit(tmp_path: Path) -> None:
    policy = policy_of(tmp_path, ROLES)

    quota = policy.quota(holder(CLERK, INSPECTOR))

    assert quota["lookups"] == {60: 30, 86_400: 5_000}
    assert quota["questions"] == BUILT_IN["questions"]  # the inspector's role has no limit an hour


def test_a_role_that_is_not_in_force_adds_nothing(tmp_path: Path) -> None:
    policy = policy_of(tmp_path, ROLES)

    assert policy.quota(holder(CLERK, MISPLACED)) == policy.quota(holder(CLERK))
    assert policy.quota(holder(CLERK, ("unknown", "32"))) == policy.quota(holder(CLERK))


def test_without_a_role_in_force_the_smallest_limits_of_all_roles_hold(tmp_path: Path) -> None:
    policy = policy_of(tmp_path, ROLES)

    for principal in (holder(), holder(MISPLACED), holder(("unknown", "32"))):
        assert policy.quota(principal)["lookups"] == {60: 10, 86_400: 600}
        assert policy.quota(principal)["questions"][3_600] == 1_000


def test_a_file_that_says_nothing_has_limits_for_everything(tmp_path: Path) -> None:
    text = '[role.clerk]\ntitle = "办事员"\nlevels = ["township"]\n'

    assert policy_of(tmp_path, text).quota(holder(CLERK)) == BUILT_IN
    assert {kind: min(limits.values()) > 0 for kind, limits in BUILT_IN.items()} == dict.fromkeys(
        ("questions", "cost", "lookups", "people"), True
    )


def test_the_widest_lacks_what_one_does_not_limit_and_the_narrowest_has_it() -> None:
    one, other = {"lookups": {60: 1, 3_600: 9}}, {"lookups": {60: 2}, "people": {60: 3}}

    assert widest([one, other]) == {"lookups": {60: 2}}
    assert narrowest([one, other]) == {"lookups": {60: 1, 3_600: 9}, "people": {60: 3}}
    assert narrowest([]) == BUILT_IN


WRITE = 'Write "60/minute", or a list: minute, hour and day, each once.'


@pytest.mark.parametrize(
    ("written", "what"),
    [
        ('lookups = "60"', 'lookups: "60" is no limit'),
        ('lookups = "0/minute"', 'lookups: "0/minute" is no limit'),
        ('lookups = "-1/minute"', 'lookups: "-1/minute" is no limit'),
        ('lookups = "60/second"', 'lookups: "60/second" is no limit'),
        ('lookups = "60 / minute"', 'lookups: "60 / minute" is no limit'),
        ('lookups = "1000000000/minute"', 'lookups: "1000000000/minute" is no limit'),
        ('lookups = "６0/minute"', 'lookups: "６0/minute" is no limit'),
        ('lookups = ["1/day", "2/day"]', "lookups: there are two limits for a day"),
        ("lookups = []", "lookups: there is no limit in it"),
    ],
)
def test_what_is_no_limit_is_told_with_its_line(tmp_path: Path, written: str, what: str) -> None:
    for table in ("[quota]", "[role.other]\ntitle = '甲'\nlevels = ['city']\n[role.other.quota]"):
        with pytest.raises(Mistakes) as caught:
            policy_of(tmp_path, f"{ROLES}\n{table}\n{written}\n")
        line = len(f"{ROLES}\n{table}\n{written}".splitlines())
        (mistake,) = caught.value.mistakes
        assert (mistake.line, mistake.what, mistake.write) == (line, what, WRITE)


@pytest.mark.parametrize("written", ["lookups = 60", "look_ups = '60/minute'", "cost = [1]"])
def test_another_shape_is_refused(tmp_path: Path, written: str) -> None:
    with pytest.raises(Mistakes) as caught:
        policy_of(tmp_path, f"{ROLES}\n[quota]\n{written}\n")

    assert {mistake.line for mistake in caught.value.mistakes} == {21}


def test_a_larger_limit_opens_a_smaller_one_closes_and_both_are_told(tmp_path: Path) -> None:
    before = policy_of(tmp_path, ROLES)
    after = policy_of(
        tmp_path,
        ROLES.replace("30/minute", "31/minute")
        .replace('"100/minute", "1000/hour"', '"90/minute", "2000/hour"')
        .replace('"10/minute", "5000/day"', '"10/minute", "4000/day"'),
    )

    changes = differences(before, after, ENTITIES)

    told = [(each.role, each.levels, each.what, each.fields) for each in changes]
    assert told == [
        ("clerk", ("township",), "quota", ("lookups",)),
        ("clerk", ("township",), "quota", ("questions",)),
        ("window_clerk", ("township",), "quota", ("questions",)),
        ("inspector", ("county",), "quota", ("lookups",)),
    ]
    assert [(each.opens, each.closes) for each in changes] == [
        (True, False),
        (True, True),
        (True, True),
        (False, True),
    ]
    assert (changes[0].before, changes[0].after) == ("30/minute, 600/day", "31/minute, 600/day")
