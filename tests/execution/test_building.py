"""Objects are made by functions that are remembered by their keys, unless these are long."""

import pytest

from execution.plan import builder


@pytest.mark.parametrize("length", [1, 100, 60_000])
def test_objects_have_the_values_of_their_keys_however_long_these_are(length: int) -> None:
    keys = ("a" * length, "b")

    for _ in range(2):
        assert builder(keys)([1, 2], [3, 4]) == [{keys[0]: 1, "b": 3}, {keys[0]: 2, "b": 4}]


def test_what_is_remembered_of_objects_is_bounded() -> None:
    short, long = ("a" * 100, "b"), ("a" * 60_000, "b")

    assert builder(short) is builder(short)
    assert builder(long) is not builder(long)
