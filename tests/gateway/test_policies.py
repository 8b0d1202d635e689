"""`policy show` and `policy diff`: what an account sees, and what a new file changes."""

import json
from pathlib import Path

import pytest

from server import main
from sources.divisions import division_tree
from tests.accounts import take_in
from tests.gateway.town import CLERK, POLICY, files_of, script

ACCOUNTS = f"""\
[account.both]
roles = ["township_clerk", "department_officer", "mayor", "auditor"]
scopes = ["{CLERK}", "32", "32", "{CLERK}"]
department = "公安"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    _, environment = files_of(tmp_path)
    for name, address in environment.items():
        monkeypatch.setenv(name, address)
    (tmp_path / "accounts.toml").write_text(ACCOUNTS, "utf-8")
    monkeypatch.chdir(tmp_path)
    take_in(tmp_path)
    return tmp_path


def show(*arguments: str) -> int:
    return main(["policy", "show", "--policy", "policy.toml", *arguments])


def diff(folder: Path, policy: str, *arguments: str) -> int:
    (folder / "new.toml").write_text(policy, "utf-8")
    return main(["policy", "diff", "policy.toml", "new.toml", *arguments])


BOTH = """\
┏━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┓
┃ role               ┃ title        ┃ scope            ┃ state                                      ┃
┡━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┩
│ township_clerk     │ 办事员       │ 320205106 锡北镇 │ in force                                   │
│ department_officer │ 部门工作人员 │ 32 江苏省        │ in force                                   │
│ mayor              │              │ 32 江苏省        │ opens nothing: the policy has no such role │
│ auditor            │ 审计人员     │ 320205106 锡北镇 │ opens nothing: its scope is a township     │
└────────────────────┴──────────────┴──────────────────┴────────────────────────────────────────────┘
┏━━━━━━━━━━┳━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┳━━━━━━━━━━┳━━━━━━━━━━━━┓
┃ entity   ┃ role           ┃ rows                                                   ┃ shown                           ┃ masked        ┃ hidden   ┃ look-up by ┃
┡━━━━━━━━━━╇━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━╇━━━━━━━━━━╇━━━━━━━━━━━━┩
│ Resident │ township_clerk │ own_division: residenceDivision within 320205106       │ number, name, residenceDivision │ phone: mobile │ idNumber │            │
│          │                │ 锡北镇                                                 │                                 │               │          │            │
├──────────┼────────────────┼────────────────────────────────────────────────────────┼─────────────────────────────────┼───────────────┼──────────┼────────────┤
│ Aid      │ township_clerk │ follows: whose subject has residenceDivision within    │ number, idNumber, kind          │               │          │            │
│          │                │ 320205106 锡北镇                                       │                                 │               │          │            │
└──────────┴────────────────┴────────────────────────────────────────────────────────┴─────────────────────────────────┴───────────────┴──────────┴────────────┘
no row of: Matter, MatterElement, Material, Division
quota: cost 600000/minute, 20000000/day; lookups 60/minute, 600/day; people 50000/day; questions 1200/minute, 200000/day
"""  # noqa: E501 -- as it is printed
OTHER = (
    POLICY.replace('"Resident.phone" = "mobile"', '"Resident.phone" = "everything"')
    .replace('"Resident.name" = "shown"', '"Resident.name" = "name"\n"Aid.kind" = "hidden"')
    .replace('operations = "everyone"', 'operations = "own_department"')
    .replace('levels = ["township"]', 'levels = ["township", "village"]')
)
CLOSER = POLICY.replace('"Resident.phone" = "mobile"', '"Resident.phone" = "everything"')
REWRITTEN = POLICY.replace("[role.auditor]", '[role.auditor]\nrows = { Resident = "nobody" }')
OPENS = "new.toml opens what policy.toml does not"
NOTHING = """\
┏━━━━━━━━━━━━━━━━┳━━━━━━━━┳━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┓
┃ role           ┃ title  ┃ scope     ┃ state                                  ┃
┡━━━━━━━━━━━━━━━━╇━━━━━━━━╇━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┩
│ township_clerk │ 办事员 │ 32 江苏省 │ opens nothing: its scope is a province │
└────────────────┴────────┴───────────┴────────────────────────────────────────┘
┏━━━━━━━━┳━━━━━━┳━━━━━━┳━━━━━━━┳━━━━━━━━┳━━━━━━━━┳━━━━━━━━━━━━┓
┃ entity ┃ role ┃ rows ┃ shown ┃ masked ┃ hidden ┃ look-up by ┃
┡━━━━━━━━╇━━━━━━╇━━━━━━╇━━━━━━━╇━━━━━━━━╇━━━━━━━━╇━━━━━━━━━━━━┩
└────────┴──────┴──────┴───────┴────────┴────────┴────────────┘
no row of: Resident, Matter, MatterElement, Material, Division, Aid
quota: cost 600000/minute, 20000000/day; lookups 60/minute, 600/day; people 50000/day; questions 1200/minute, 200000/day
"""  # noqa: E501 -- as it is printed
CHANGES = """\
┏━━━━━━━━━━━━━━━━┳━━━━━━━━━━┳━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━┓
┃ role           ┃ levels   ┃ entity   ┃ what                              ┃ before   ┃ after                                                         ┃ effect ┃
┡━━━━━━━━━━━━━━━━╇━━━━━━━━━━╇━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━┩
│ township_clerk │ township │ Resident │ fields: name                      │ shown    │ name                                                          │ closes │
├────────────────┼──────────┼──────────┼───────────────────────────────────┼──────────┼───────────────────────────────────────────────────────────────┼────────┤
│ township_clerk │ township │ Resident │ fields: phone                     │ mobile   │ everything                                                    │ closes │
├────────────────┼──────────┼──────────┼───────────────────────────────────┼──────────┼───────────────────────────────────────────────────────────────┼────────┤
│ township_clerk │ township │ Aid      │ fields: kind                      │ shown    │ hidden                                                        │ closes │
├────────────────┼──────────┼──────────┼───────────────────────────────────┼──────────┼───────────────────────────────────────────────────────────────┼────────┤
│ township_clerk │ village  │ Resident │ rows                              │ no row   │ own_division: residenceDivision within the scope              │ opens  │
├────────────────┼──────────┼──────────┼───────────────────────────────────┼──────────┼───────────────────────────────────────────────────────────────┼────────┤
│ township_clerk │ village  │ Resident │ fields: number, residenceDivision │ hidden   │ shown                                                         │ opens  │
├────────────────┼──────────┼──────────┼───────────────────────────────────┼──────────┼───────────────────────────────────────────────────────────────┼────────┤
│ township_clerk │ village  │ Resident │ fields: name                      │ hidden   │ name                                                          │ opens  │
├────────────────┼──────────┼──────────┼───────────────────────────────────┼──────────┼───────────────────────────────────────────────────────────────┼────────┤
│ township_clerk │ village  │ Resident │ fields: phone                     │ hidden   │ everything                                                    │ opens  │
├────────────────┼──────────┼──────────┼───────────────────────────────────┼──────────┼───────────────────────────────────────────────────────────────┼────────┤
│ township_clerk │ village  │ Aid      │ rows                              │ no row   │ follows: whose subject has residenceDivision within the scope │ opens  │
├────────────────┼──────────┼──────────┼───────────────────────────────────┼──────────┼───────────────────────────────────────────────────────────────┼────────┤
│ township_clerk │ village  │ Aid      │ fields: number, idNumber          │ hidden   │ shown                                                         │ opens  │
├────────────────┼──────────┼──────────┼───────────────────────────────────┼──────────┼───────────────────────────────────────────────────────────────┼────────┤
│ auditor        │ province │          │ operations                        │ everyone │ own_department                                                │ closes │
└────────────────┴──────────┴──────────┴───────────────────────────────────┴──────────┴───────────────────────────────────────────────────────────────┴────────┘
"""  # noqa: E501 -- as it is printed


def test_an_account_sees_what_each_of_its_roles_opens(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = show("--account", "both", "--state", ".")

    assert (status, capsys.readouterr().out) == (0, BOTH)


def test_a_role_in_a_scope_needs_no_account(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = show("--role", "township_clerk", "--scope", "32")

    assert (status, capsys.readouterr().out) == (0, NOTHING)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "name an account with --account, or a role with --role and --scope"),
        (
            ("--role", "auditor"),
            "name an account with --account, or a role with --role and --scope",
        ),
        (("--account", "x", "--state", "."), "no account 'x' in use; there are: both"),
        (("--role", "auditor", "--scope", "3"), "a scope is a division code of significant digits"),
    ],
)
def test_a_view_of_nobody_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], told: str
) -> None:
    status = show(*arguments)

    assert (status, *capsys.readouterr()) == (1, "", f"{told}\n")


def test_what_opens_and_closes_is_listed_and_opening_is_the_status(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = diff(folder, OTHER)

    assert (status, *capsys.readouterr()) == (1, CHANGES, f"{OPENS}\n")


def test_a_policy_that_only_closes_is_no_failure(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = diff(folder, CLOSER, "--json")

    assert status == 0
    assert json.loads(capsys.readouterr().out) == {
        "opens": False,
        "closes": True,
        "changes": [
            {
                "role": "township_clerk",
                "levels": ["township"],
                "entity": "Resident",
                "what": "fields",
                "fields": ["phone"],
                "before": "mobile",
                "after": "everything",
                "opens": False,
                "closes": True,
            }
        ],
        "counts": [],
    }


def test_a_policy_written_otherwise_is_the_same(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = diff(folder, REWRITTEN)

    assert (status, *capsys.readouterr()) == (0, "nothing changes\n", "")


def test_a_policy_with_a_mistake_is_told_its_line(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = diff(folder, POLICY.replace("Resident.phone", "Resident.phones"))

    line = next(n for n, text in enumerate(POLICY.splitlines(), 1) if "Resident.phone" in text)
    assert status == 1
    assert capsys.readouterr().err.startswith(f'new.toml:{line}: there is no field "phones"')


TOWNSHIPS = [each for each in division_tree() if each.level == "township"]
PEOPLE = "INSERT INTO people VALUES ('2', '', '民政', '', '320205106001'), ('3', '', '', '', '33')"
OTHER_ROWS = (
    POLICY.replace('Resident = "own_division"', 'Resident = "nobody"')
    .replace("[facet]", 'own_department = "name"\n\n[facet]')
    .replace('operations = "own', 'rows = { Resident = "own_department" }\noperations = "own')
    .replace('operations = "everyone"', 'rows = { Resident = "everyone" }')
)
VILLAGES = """\
┏━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━┳━━━━━━━━━━━━┳━━━━━━━━━━┳━━━━━━━━━━━━━┳━━━━━━━━━━━━┓
┃ role           ┃ scope        ┃ department ┃ entity   ┃ rows before ┃ rows after ┃
┡━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━╇━━━━━━━━━━━━╇━━━━━━━━━━╇━━━━━━━━━━━━━╇━━━━━━━━━━━━┩
│ township_clerk │ 320205106001 │            │ Resident │ 0           │ 1          │
└────────────────┴──────────────┴────────────┴──────────┴─────────────┴────────────┘
"""
UNCOUNTED = """\
┏━━━━━━━━━━━━━━━━┳━━━━━━━━━━━┳━━━━━━━━━━━━┳━━━━━━━━━━┳━━━━━━━━━━━━━┳━━━━━━━━━━━━┓
┃ role           ┃ scope     ┃ department ┃ entity   ┃ rows before ┃ rows after ┃
┡━━━━━━━━━━━━━━━━╇━━━━━━━━━━━╇━━━━━━━━━━━━╇━━━━━━━━━━╇━━━━━━━━━━━━━╇━━━━━━━━━━━━┩
│ township_clerk │ 320205106 │            │ Resident │ not counted │ 0          │
│ township_clerk │ 320205106 │            │ Aid      │ not counted │ 0          │
└────────────────┴───────────┴────────────┴──────────┴─────────────┴────────────┘
"""
COUNTS = [
    ("township_clerk", CLERK, "", "Resident", 2, 0),
    ("township_clerk", CLERK, "", "Aid", 1, 0),
    ("department_officer", "32", "民政", "Resident", 0, 1),
    ("auditor", "32", "", "Resident", 0, 3),
]


def test_rows_are_counted_in_the_scopes_around_a_township(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script(folder / "population.db", PEOPLE)

    diff(folder, OTHER_ROWS, "--within", CLERK, "--json")

    counts = json.loads(capsys.readouterr().out)["counts"]
    assert [tuple(count.values()) for count in counts] == COUNTS


def test_a_village_is_counted_for_a_role_that_is_held_in_villages(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script(folder / "population.db", PEOPLE)

    diff(folder, OTHER, "--within", CLERK)

    assert capsys.readouterr().out == CHANGES + VILLAGES


def test_rows_of_a_system_that_fails_are_not_counted(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script(folder / "population.db", "DROP TABLE people")

    diff(folder, POLICY.replace('"own_division"', '"nobody"'), "--within", CLERK)

    assert capsys.readouterr().out.endswith(UNCOUNTED)


@pytest.mark.parametrize(("division", "townships"), [("32", len(TOWNSHIPS)), ("9", 0)])
def test_a_division_of_no_township_or_of_too_many_is_not_counted(
    folder: Path, capsys: pytest.CaptureFixture[str], division: str, townships: int
) -> None:
    status = diff(folder, OTHER, "--within", division)

    told = f"{division} has {townships} townships; name a county or a township\n"
    assert (status, *capsys.readouterr()) == (1, "", told)
