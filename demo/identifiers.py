"""
Numbers that are well formed and belong to nobody: citizens, organisations, telephones, cards.

The marks: digits 3 and 4 of a citizen number are 99, a city that no province has ever had;
so are digits 5 and 6 of an organisation's code; telephones begin with 129, where mobile numbers
begin with 13 to 19; card numbers begin with 0000, which no bank was ever given.
"""

from datetime import date
from typing import Final

NOWHERE: Final = "99"
PHONE_MARK: Final = "129"
CARD_MARK: Final = "0000"
RESERVED: Final = 900
"""Sequence numbers from here on are never given by `CitizenNumbers`."""

_CITIZEN_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CITIZEN_CHECKS: Final = "10X98765432"
_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CODE_WEIGHTS: Final = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_ORGANISATION_WEIGHTS: Final = (3, 7, 9, 10, 5, 8, 4, 2)
_MODULUS: Final = (
    999_999_937  # a prime, so that multiplying moves every number somewhere of its own
)
_FACTOR: Final = 618_033_989


class CitizenNumbers:
    """Gives the numbers of one county, none of them twice."""

    def __init__(self, place: int) -> None:
        self._place = place
        self._given: dict[tuple[date, bool], int] = {}

    def next(self, province: str, birth: date, *, female: bool) -> str:
        """
        Return a number that nobody else has.

        Raises: OverflowError when a county has more births in a day than there are numbers.
        """
        given = self._given.get((birth, female), 0)
        self._given[birth, female] = given + 1
        sequence = 2 * given + (2 if female else 1)
        if sequence >= RESERVED:
            raise OverflowError(f"no citizen numbers left for {birth}")
        return citizen_number(f"{province}{NOWHERE}{self._place:02}", birth, sequence)


def citizen_number(place: str, birth: date, sequence: int) -> str:
    """Return the 18 characters of GB 11643."""
    digits = f"{place}{birth:%Y%m%d}{sequence:03}"
    weighted = sum(int(d) * w for d, w in zip(digits, _CITIZEN_WEIGHTS, strict=True))
    return digits + _CITIZEN_CHECKS[weighted % 11]


def credit_code(place: int, serial: int) -> str:
    """Return the 18 characters of GB 32100 of a company."""
    code = f"9132{NOWHERE}{place:02}{_organisation_code(serial)}"
    weighted = sum(
        _ALPHABET.index(character) * weight
        for character, weight in zip(code, _CODE_WEIGHTS, strict=True)
    )
    return code + _ALPHABET[(31 - weighted) % 31]


def phone(serial: int) -> str:
    """Return a telephone number of 11 digits."""
    return f"{PHONE_MARK}{scattered(serial) % 100_000_000:08}"


def card(serial: int) -> str:
    """Return a bank card number of 19 digits."""
    return f"{CARD_MARK}{serial:015}"


def scattered(serial: int) -> int:
    """
    Return a number of at most nine digits, another for every serial below 999,999,937.

    A key must not follow the township: a planner that takes keys and townships for independent
    would walk a whole key index to find the rows of the last one.
    """
    return serial * _FACTOR % _MODULUS


def _organisation_code(serial: int) -> str:
    digits = f"{scattered(serial) % 100_000_000:08}"
    weighted = sum(int(d) * w for d, w in zip(digits, _ORGANISATION_WEIGHTS, strict=True))
    check = 11 - weighted % 11
    return digits + {10: "X", 11: "0"}.get(check, str(check))
