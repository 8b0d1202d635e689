"""Mapping files of dropped files, and facets that follow something else than a person."""

from pathlib import Path

import pytest

from contract.document import Mistakes
from contract.entity import Relationship, Sensitivity
from sources.declaration import Drop
from sources.mapping import load_departments
from tests.mapped import CORE, write

FILE = """\
name = "visits"
title = "走访"
department = "政法"
kind = "file"
url = "file:${VISITS}"
refresh = "30s"
[entity.Visit]
description = "走访 | Visit"
attach = { to = "Case", field = "visits", by = { "办件" = "number" } }
native = "visits-*.csv"
key = ["号"]
subject = { to = "Case", by = { "办件" = "number" } }
[entity.Visit.file]
encoding = "gbk"
[entity.Visit.fields]
number = { native = "号", description = "编号 | Number" }
caseNumber = { native = "办件", description = "办件 | Case" }
"""
WHERE = {"VISITS": "/drops"}


def mistakes(folder: Path, text: str) -> list[str]:
    with pytest.raises(Mistakes) as caught:
        load_departments(write(folder, visits=text), CORE, WHERE)
    return [str(each).removeprefix(f"{folder}/") for each in caught.value.mistakes]


def test_a_file_is_found_and_read_as_its_mapping_says(tmp_path: Path) -> None:
    options = 'encoding = "gb18030"\ndelimiter = ";"\nheader_row = 2\nnull = "-"\nrows = 9\n'
    text = FILE.replace('encoding = "gbk"\n', f'{options}newest = "modified"\n')

    (department,) = load_departments(write(tmp_path, visits=text), CORE, WHERE)

    assert (department.url, department.refresh_seconds) == ("file:/drops", 30.0)
    assert department.entities["Visit"].drop == Drop(
        "visits-*.csv", "gb18030", ";", "", 2, "-", "modified", 9
    )


def test_a_workbook_needs_no_options(tmp_path: Path) -> None:
    text = FILE.replace('[entity.Visit.file]\nencoding = "gbk"\n', "").replace(".csv", ".xlsx")

    (department,) = load_departments(write(tmp_path, visits=text), CORE, WHERE)

    assert department.entities["Visit"].drop == Drop("visits-*.xlsx")


def test_a_facet_may_follow_what_it_is_about(tmp_path: Path) -> None:
    (department,) = load_departments(write(tmp_path, visits=FILE), CORE, WHERE)
    entity = department.entities["Visit"].entity

    assert entity.relationships == {
        "subject": Relationship(
            "subject",
            "Case",
            (("caseNumber", "number"),),
            description="所属对象 | What it is about",
        )
    }
    assert {each.sensitivity for each in entity.fields.values()} == {Sensitivity.OPEN}


def test_what_is_about_households_or_people_is_personal(tmp_path: Path) -> None:
    text = FILE.replace('{ to = "Case", by', '{ to = "Resident", by')

    (department,) = load_departments(write(tmp_path, visits=text), CORE, WHERE)
    fields = department.entities["Visit"].entity.fields.values()

    assert {each.sensitivity for each in fields} == {Sensitivity.PERSONAL}


WRONG = {
    "no directory": (
        ('"file:${VISITS}"', '"${VISITS}"'),
        "5: url is no address of a system of kind file. "
        'Write "file:" and the directory that files are dropped in.',
    ),
    "refresh elsewhere": (
        ('kind = "file"\nurl = "file:${VISITS}"', 'kind = "sql"\nurl = "sqlite+aiosqlite:///x"'),
        "6: refresh is for systems of kind file alone. Leave refresh out.",
    ),
    "another directory": (
        ('"visits-*.csv"', '"more/visits-*.csv"'),
        '10: native is no name of files to read. Write a name such as "visits-*.csv" or '
        '"visits-*.xlsx".',
    ),
    "an option of workbooks": (
        ('encoding = "gbk"', 'sheet = "一"'),
        "14: sheet does not go with visits-*.csv. Leave sheet out.",
    ),
    "an option of texts": (
        (".csv", ".xlsx"),
        "14: encoding does not go with visits-*.xlsx. Leave encoding out.",
    ),
    "a subject nobody knows": (
        (
            'subject = { to = "Case", by = { "办件" = "number" } }',
            'subject = { to = "Firm", by = { "办件" = "number" } }',
        ),
        "12: the schema has no Firm.number for a subject. Leave subject out.",
    ),
}


@pytest.mark.parametrize("title", WRONG)
def test_what_is_wrong_is_told(tmp_path: Path, title: str) -> None:
    (before, after), said = WRONG[title]
    assert FILE.count(before) == 1

    assert f"visits.toml:{said}" in mistakes(tmp_path, FILE.replace(before, after))


def test_other_kinds_have_no_files(tmp_path: Path) -> None:
    text = FILE.replace('"file:${VISITS}"', '"sqlite+aiosqlite:///x"').replace(
        'kind = "file"', 'kind = "sql"'
    )

    assert mistakes(tmp_path, text.replace('refresh = "30s"\n', "")) == [
        "visits.toml:12: file is for systems of kind file alone. Leave [entity.….file] out."
    ]


def test_files_have_no_endpoint(tmp_path: Path) -> None:
    text = FILE + '[entity.Visit.pushdown]\nby_key = { field = "number", parameter = "n" }\n'

    assert mistakes(tmp_path, text) == [
        "visits.toml:18: pushdown is for systems of kind rest or graphql alone. "
        "Leave [entity.….pushdown] out."
    ]
