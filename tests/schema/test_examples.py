"""The page's example questions are questions this graph answers."""

import re
from pathlib import Path

import pytest
from graphql import build_schema as read_schema
from graphql import parse, validate

from schema.graph import build_schema, core_entities
from schema.limits import Limits, check_limits, check_text

PAGE = Path(__file__).parents[2] / "web" / "graphiql" / "examples.js"
EXAMPLES = re.findall(r"`(.*?)`", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_fits_the_schema_and_its_limits(example: str) -> None:
    check_text(example, Limits())
    document = parse(example)
    check_limits(document, None, {}, Limits())

    assert validate(read_schema(build_schema(core_entities()).as_str()), document) == []


def test_there_are_examples_and_each_says_in_chinese_what_it_is_for() -> None:
    first_lines = [example.splitlines()[0] for example in EXAMPLES]

    assert [len(EXAMPLES), [line for line in first_lines if not re.match(r"# [一-鿿]", line)]] == [
        6,
        [],
    ]
