"""What a new policy opens and closes: nothing that opens may be missed."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.difference import Change, differences, implies
from auth.policy import Policy
from auth.policy_file import load_policy
from auth.wording import words
from contract.entity import Entity, Field, Kind, Relationship, Sensitivity
from contract.predicate import (
    FALSE,
    TRUE,
    Comparison,
    Exists,
    Operator,
    Predicate,
    Within,
    all_of,
    any_of,
    evaluator,
)

HOME, WORK = "home", "work"
PERSON = Entity(
    "Person",
    {
        "number": Field("number", Kind.STRING, sensitivity=Sensitivity.PERSONAL),
        "home": Field("home", Kind.DIVISION),
        "work": Field("work", Kind.DIVISION),
        "bureau": Field("bureau", Kind.STRING),
    },
    ("number",),
)
CARD = Entity(
    "Card",
    {"owner": Field("owner", Kind.STRING)},
    ("owner",),
    {"subject": Relationship("subject", "Person", (("owner", "number"),))},
)
ENTITIES: Mapping[str, Entity] = {"Person": PERSON, "Card": CARD}
POLICY = """\
[entity.Person]
own_division = ["home", "work"]
own_village = ["home"]
own_department = "bureau"

[facet]
follows = "subject"

[role.clerk]
title = "办事员"
levels = ["county", "township"]
facets = "follows"
rows = { Person = "own_division" }
fields = { "Person.number" = "citizen_number" }
lookup = { fields = ["Person.number"] }
"""
ALL = "home or work within the scope"
WIDE = f"own_division: {ALL}"
FOLLOWS = "follows: whose subject has"
BOTH = "clerk in county and township"


def compared(folder: Path, *texts: str) -> list[str]:
    """Return the changes in words, the effect first."""
    policies: list[Policy] = []
    for text in texts:
        path = folder / f"{len(policies)}.toml"
        path.write_text(text, "utf-8")
        policies.append(load_policy(path, ENTITIES, {"Card"}))
    before, after = policies
    return [said(change) for change in differences(before, after, ENTITIES)]


def said(change: Change) -> str:
    effect = {(True, False): "+", (False, True): "-", (True, True): "+-"}
    what = f"{change.entity} {change.what} {' '.join(change.fields)}".strip()
    who = f"{change.role} in {' and '.join(change.levels)}"
    turn = f"{change.before} -> {change.after}"
    return f"{effect[change.opens, change.closes]} {who}, {what}: {turn}"


CASES: dict[str, tuple[str, str, list[str]]] = {
    "a narrower rule closes, of what follows it too": (
        'Person = "own_division"',
        'Person = "own_village"',
        [
            f"- {BOTH}, Person rows: {WIDE} -> own_village: home within the scope",
            f"- {BOTH}, Card rows: {FOLLOWS} {ALL} -> {FOLLOWS} home within the scope",
        ],
    ),
    "fewer fields of a rule close": (
        '["home", "work"]',
        '["work"]',
        [
            f"- {BOTH}, Person rows: {WIDE} -> own_division: work within the scope",
            f"- {BOTH}, Card rows: {FOLLOWS} {ALL} -> {FOLLOWS} work within the scope",
        ],
    ),
    "a mask that cannot be compared opens and closes": (
        '"citizen_number"',
        '"mobile"',
        [f"+- {BOTH}, Person fields number: citizen_number -> mobile"],
    ),
    "a mask that leaves nothing closes": (
        '"citizen_number"',
        '"everything"',
        [f"- {BOTH}, Person fields number: citizen_number -> everything"],
    ),
    "a look-up closes": (
        '["Person.number"]',
        "[]",
        [f"- {BOTH}, Person look-up number: yes -> no"],
    ),
    "what is seen of systems opens": (
        'facets = "follows"',
        'facets = "follows"\noperations = "everyone"\nusage = "own_department"',
        [
            f"+ {BOTH}, operations: nobody -> everyone",
            f"+ {BOTH}, usage: nobody -> own_department",
        ],
    ),
    "a level closes at that level alone": (
        'levels = ["county", "township"]\nfacets = "follows"',
        'levels = ["township"]',
        [
            f"- clerk in county, Person rows: {WIDE} -> no row",
            "- clerk in county, Person fields number: citizen_number -> hidden",
            "- clerk in county, Person fields home work bureau: shown -> hidden",
            "- clerk in county, Person look-up number: yes -> no",
            f"- {BOTH}, Card rows: {FOLLOWS} {ALL} -> no row",
            f"- {BOTH}, Card fields owner: shown -> hidden",
        ],
    ),
    "a department's rows are fewer": (
        'Person = "own_division"',
        'Person = "own_department"',
        [
            f"- {BOTH}, Person rows: {WIDE} -> own_department: bureau is their own and ({ALL})",
            f"- {BOTH}, Card rows: {FOLLOWS} {ALL} -> {FOLLOWS} bureau is their own and ({ALL})",
        ],
    ),
    "a role that goes closes all it sees": (
        POLICY[POLICY.index("[role.clerk]") :],
        '[role.x]\ntitle = "员"\nlevels = ["city"]\n',
        [
            f"- {BOTH}, Person rows: {WIDE} -> no row",
            f"- {BOTH}, Person fields number: citizen_number -> hidden",
            f"- {BOTH}, Person fields home work bureau: shown -> hidden",
            f"- {BOTH}, Person look-up number: yes -> no",
            f"- {BOTH}, Card rows: {FOLLOWS} {ALL} -> no row",
            f"- {BOTH}, Card fields owner: shown -> hidden",
        ],
    ),
}


@pytest.mark.parametrize("title", CASES)
def test_each_change_is_named(tmp_path: Path, title: str) -> None:
    old, new, wanted = CASES[title]

    assert compared(tmp_path, POLICY, POLICY.replace(old, new)) == wanted


@pytest.mark.parametrize("title", CASES)
def test_a_change_taken_back_opens_what_it_closed(tmp_path: Path, title: str) -> None:
    old, new, wanted = CASES[title]
    turned = str.maketrans("+-", "-+")

    back = compared(tmp_path, POLICY.replace(old, new), POLICY)

    effects = [sorted(change.split()[0].translate(turned)) for change in back]
    assert sorted(effects) == sorted(sorted(change.split()[0]) for change in wanted)


codes = st.sampled_from(("32", "3202", "320205"))
withins = st.builds(Within, st.sampled_from((HOME, WORK)), codes)
bureaus = st.builds(
    Comparison, st.just("bureau"), st.just(Operator.EQ), st.sampled_from(("公安", "民政"))
)
rules: st.SearchStrategy[Predicate] = st.recursive(
    st.one_of(withins, bureaus, st.sampled_from((TRUE, FALSE))),
    lambda inner: st.lists(inner, max_size=3).flatmap(
        lambda parts: st.sampled_from((all_of(*parts), any_of(*parts)))
    ),
    max_leaves=5,
)
ROWS = [
    (home, work, bureau)
    for home in ("32", "3202", "320205", "3301", None)
    for work in ("3202", "3301", None)
    for bureau in ("公安", "民政", None)
]


@given(rules, rules)
def test_what_implies_another_has_no_other_row(narrow: Predicate, wide: Predicate) -> None:
    few, many = (evaluator(rule, (HOME, WORK, "bureau")) for rule in (narrow, wide))

    outside = [row for row in ROWS if few(row) is True and many(row) is not True]

    assert not (implies(narrow, wide) and outside)


@given(rules, rules)
def test_a_rule_implies_itself_and_what_is_wider(one: Predicate, other: Predicate) -> None:
    wider = (one, any_of(one, other), TRUE)

    assert [implies(one, rule) for rule in wider] == [True] * 3
    assert implies(Exists("subject", all_of(one, other)), Exists("subject", one))
    assert not implies(Exists("subject", one), Exists("holder", one))


def test_rows_are_worded_with_a_division_named_once() -> None:
    rows = any_of(
        Within(HOME, "32"),
        all_of(Comparison("bureau", Operator.EQ, "公安"), Within(WORK, "3202")),
        Within(WORK, "32"),
    )

    text = words(Exists("subject", rows), lambda name: f"<{name}>")

    wanted = "home or work within <32> or (bureau is <公安> and work within <3202>)"
    assert text == f"whose subject has {wanted}"
