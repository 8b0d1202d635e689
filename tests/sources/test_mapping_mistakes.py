"""What is said of wrong mapping files, all at once and without a secret."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.document import Mistake, Mistakes
from sources.mapping import load_departments
from tests.mapped import CASE, CORE, GOOD, GRAPHQL, HEAD, REST, write


def mistakes(folder: Path, environment: Mapping[str, str] | None = None) -> list[str]:
    with pytest.raises(Mistakes) as caught:
        load_departments(folder, CORE, environment or {})
    return [str(each).removeprefix(f"{folder}/") for each in caught.value.mistakes]


def test_secrets_are_in_no_repr(tmp_path: Path) -> None:
    text = REST.replace("http://127.0.0.1:1", "http://u:${PASSWORD}@127.0.0.1") + (
        '[signature]\nstyle = "hmac"\nheader = "X"\nkey = "k"\nsecret = "${SECRET}"\n'
    )
    (tmp_path / "secret.txt").write_text("s3cr3t\n", "utf-8")
    environment = {"PASSWORD": "pa55", "SECRET_FILE": str(tmp_path / "secret.txt")}

    (department,) = load_departments(write(tmp_path, two=text), CORE, environment)

    assert (department.url, department.signature.secret) == ("http://u:pa55@127.0.0.1", "s3cr3t")
    assert re.findall("pa55|s3cr3t", repr(department)) == []


def test_a_wrong_value_from_the_environment_is_never_shown(tmp_path: Path) -> None:
    text = HEAD.replace("sqlite+aiosqlite:///one.db", "${ADDRESS}") + "[entity]\n"

    assert mistakes(write(tmp_path, one=text), {"ADDRESS": "pa55"}) == [
        "one.toml:5: url is no address of a system of kind sql. "
        'Write an address with an async driver, such as "postgresql+asyncpg://…".'
    ]


def test_a_missing_variable_is_named(tmp_path: Path) -> None:
    text = HEAD.replace("sqlite+aiosqlite:///one.db", "${ADDRESS}${SECRET}") + "[entity]\n"

    assert mistakes(write(tmp_path, one=text), {"SECRET_FILE": str(tmp_path / "absent")}) == [
        "one.toml:5: the variable ADDRESS is not set. "
        "Set ADDRESS, or ADDRESS_FILE to the path of a file with it.",
        "one.toml:5: the variable SECRET cannot be read from the file named by SECRET_FILE. "
        "Set SECRET, or SECRET_FILE to the path of a file with it.",
    ]


WRONG = tomllib.loads(Path(__file__).with_name("mistakes.toml").read_text("utf-8"))["wrong"]


@pytest.mark.parametrize("case", WRONG, ids=[case["said"][0] for case in WRONG])
def test_what_is_wrong_is_told_with_what_to_write(tmp_path: Path, case: dict[str, Any]) -> None:
    good = {"one": GOOD, "two": REST, "three": GRAPHQL}[case["file"]]
    assert case["before"] in good
    folder = write(tmp_path, **{case["file"]: good.replace(case["before"], case["after"])})

    assert mistakes(folder) == [f"{case['file']}.toml:{each}" for each in case["said"]]


def test_a_misspelt_core_entity_is_told_its_name(tmp_path: Path) -> None:
    text = GOOD.replace("entity.Resident", "entity.Residnt")

    said = mistakes(write(tmp_path, one=text))

    assert said[0] == (
        "one.toml:7: Residnt is no entity of the schema and has no attach. Write [entity.Resident]."
    )


def test_all_mistakes_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    one = GOOD.replace('native = "XB"', "native = 1").replace('= "idNumber" } }', '= "idNo" } }')
    two = REST.replace('kind = "rest"', 'kind = "rset"').replace('native = "v",', "")

    assert mistakes(write(tmp_path, one=one, two=two, three="= 1\n")) == [
        'one.toml:12: native has the wrong type. Write a text in "quotes".',
        'one.toml:18: Resident has no field "idNo". Write idNumber.',
        'three.toml:1: this is not TOML: invalid statement. Write key = value, texts in "quotes", '
        "each key once.",
        "two.toml:4: kind has a value that is not allowed. "
        'Write "sql", "rest", "graphql" or "file".',
        'two.toml:10: "v" is neither a field of this entity nor the native of one. '
        'Add a field with native = "v".',
        'two.toml:12: the key "native" is missing. Write native = ….',
    ]


def test_an_entity_and_an_attached_field_belong_to_one_file(tmp_path: Path) -> None:
    two = REST.replace("[entity.Visit", "[entity.Grant").replace(
        'to = "Case", field = "visits", by = { c = "number" }',
        'to = "Resident", field = "grants", by = { c = "number" }',
    )

    assert mistakes(write(tmp_path, one=GOOD, two=two)) == [
        f"two.toml:6: Grant is already given by {tmp_path}/one.toml:16. "
        "Give a facet in one file only.",
        f"two.toml:8: Resident.grants is already taken by {tmp_path}/one.toml:18. "
        "Write another name for the field.",
    ]


def test_a_folder_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(Mistakes) as caught:
        load_departments(tmp_path / "absent", CORE, {})

    assert str(caught.value) == (
        f"{tmp_path}/absent:1: there is no such folder. "
        "Name the folder that holds the mapping files."
    )


VALUES = ["1", '""', "[]", "{}", "true", '"x"', "1.5", "2020-01-01", "[[1]]", "{ a = 1 }", '"${X}"']
PLACES = [
    (text, match.start(1), match.end(1))
    for text in (GOOD, REST, GRAPHQL)
    for match in re.finditer(r"""(?<== )("[^"]*"|\[[^]]*\]|\{[^}]*\}|true)""", text)
]


@given(st.sampled_from(PLACES), st.sampled_from(VALUES), st.integers(0, 25))
def test_any_other_value_is_accepted_or_a_mistake_in_a_line_of_the_file(
    place: tuple[str, int, int], value: str, left_out: int
) -> None:
    text, start, end = place
    lines = (text[:start] + value + text[end:]).splitlines()
    del lines[left_out : left_out + 1]

    with TemporaryDirectory() as folder:
        write(Path(folder), one="\n".join(lines))
        told: tuple[Mistake, ...] = ()
        try:
            load_departments(Path(folder), CORE, {})
        except Mistakes as error:
            told = error.mistakes

    assert [each for each in told if not 1 <= each.line <= len(lines)] == []


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ("entity = 1", "entity has the wrong type. Write a table: { key = … }."),
        ("entity = { Grant = 1 }", "Grant has the wrong type. Write a table: { key = … }."),
        (
            'entity = { Case = { native = "c", fields = { number = 1 } } }',
            "number has the wrong type. Write a table: { key = … }.",
        ),
        (
            'entity = { Case = { native = "c", fields = {} } }',
            "fields is empty. Write at least one.",
        ),
    ],
)
def test_a_value_where_a_table_belongs_is_a_mistake(tmp_path: Path, tables: str, said: str) -> None:
    assert mistakes(write(tmp_path, one=f"{HEAD}{tables}\n")) == [f"one.toml:6: {said}"]


def test_a_subject_needs_people_in_the_schema(tmp_path: Path) -> None:
    folder = write(tmp_path, two=REST.replace('key = ["v"]', 'key = ["v"]\nsubject = "c"'))
    with pytest.raises(Mistakes) as caught:
        load_departments(folder, {"Case": CASE}, {})

    assert str(caught.value) == (
        f"{folder}/two.toml:11: the schema has no Resident.idNumber for a subject. "
        "Leave subject out."
    )
