"""Check characters against python-stdnum, which is an oracle for tests alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import uscc
from stdnum.iso7064 import mod_11_2

from contract.identifier import is_citizen_number, is_organisation_code

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
DATES = st.dates().map(lambda day: f"{day.year:04}{day:%m%d}")
STEMS = st.tuples(st.integers(100000, 999999), DATES, st.integers(0, 999)).map(
    lambda parts: f"{parts[0]}{parts[1]}{parts[2]:03}"
)


@given(STEMS, st.sampled_from("0123456789X"))
def test_citizen_numbers_are_right_where_iso_7064_says_so(stem: str, check: str) -> None:
    assert is_citizen_number(stem + check) == mod_11_2.is_valid(stem + check)


@given(STEMS)
def test_every_stem_has_one_check_character(stem: str) -> None:
    assert sum(is_citizen_number(stem + check) for check in "0123456789X") == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "11010519491231002x",  # small letter
        "11010519490231002X",  # 31 February
        "110105194912310021",
        "110105491231002",  # 15 digits
        "1101051949123100２X",
        "11010519491231002X\n",
        "X1010519491231002X",
    ],
)
def test_these_are_no_citizen_numbers(text: str) -> None:
    assert not is_citizen_number(text)


def test_the_standards_own_example_is_right() -> None:
    assert is_citizen_number("11010519491231002X")


@given(
    st.text(ALPHABET, min_size=2, max_size=2),
    st.integers(0, 999999),
    st.text(ALPHABET, min_size=10, max_size=10),
)
def test_organisation_codes_are_right_where_stdnum_says_so(
    start: str, place: int, end: str
) -> None:
    code = f"{start}{place:06}{end}"
    completed = code[:17] + uscc.calc_check_digit(code[:17])

    assert is_organisation_code(code) == (code == completed)
    assert is_organisation_code(completed)


@pytest.mark.parametrize(
    "text", ["", "91110000600037341", "9111000060003734IL", "91110000600037341l"]
)
def test_these_are_no_organisation_codes(text: str) -> None:
    assert not is_organisation_code(text)


def test_a_published_organisation_code_is_right() -> None:
    assert is_organisation_code("91110000600037341L")
