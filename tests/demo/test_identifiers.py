"""Numbers that pass their checks and belong to nobody."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import numdb
from stdnum.cn import ric, uscc

from contract.identifier import is_citizen_number, is_organisation_code
from demo.identifiers import (
    CitizenNumbers,
    card,
    citizen_number,
    credit_code,
    phone,
    scattered,
)

SERIALS = st.integers(0, 999_999_936)


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.integers(1, 999))
def test_a_citizen_number_passes_the_check_of_gb_11643(birth: date, sequence: int) -> None:
    number = citizen_number("329912", birth, sequence)

    assert number[-1] == ric.calc_check_digit(number)
    assert ric.get_birth_date(number) == birth
    assert is_citizen_number(number)


@given(st.integers(1, 95), SERIALS)
def test_a_credit_code_passes_the_check_of_gb_32100(place: int, serial: int) -> None:
    code = credit_code(place, serial)

    assert uscc.validate(code) == code
    assert is_organisation_code(code)
    assert code[2:6] == "3299"


def test_a_place_of_birth_with_the_mark_exists_nowhere() -> None:
    places = numdb.get("cn/loc")
    marked = [f"{province}99{place:02}" for province in range(11, 83) for place in range(100)]

    assert [place for place in marked if any("county" in p for _, p in places.info(place))] == []


def test_a_county_never_gives_a_number_twice_and_the_sequence_tells_the_sex() -> None:
    numbers = CitizenNumbers(12)

    women = [numbers.next("32", date(1990, 1, 1), female=True) for _ in range(300)]
    men = [numbers.next("32", date(1990, 1, 1), female=False) for _ in range(300)]

    assert len({*women, *men}) == 600
    assert {int(number[16]) % 2 for number in women} == {0}
    assert {int(number[16]) % 2 for number in men} == {1}


def test_a_county_says_so_when_a_day_has_no_numbers_left() -> None:
    numbers = CitizenNumbers(12)
    for _ in range(449):
        numbers.next("32", date(1990, 1, 1), female=True)

    with pytest.raises(OverflowError):
        numbers.next("32", date(1990, 1, 1), female=True)


@given(SERIALS, SERIALS)
def test_scattered_numbers_differ_where_serials_differ(one: int, other: int) -> None:
    assert (scattered(one) == scattered(other)) == (one == other)


@given(SERIALS)
def test_telephones_and_cards_carry_their_marks(serial: int) -> None:
    assert (phone(serial)[:3], len(phone(serial))) == ("129", 11)
    assert (card(serial)[:4], len(card(serial))) == ("0000", 19)
