"""
Check characters of identifiers: citizen numbers (GB 11643) and organisation codes (GB 32100).

Both are a weighted sum of all characters that must be 1 modulo 11, or 0 modulo 31.
"""

import re
from datetime import date
from typing import Final

_CITIZEN: Final = re.compile(r"[1-9][0-9]{5}([0-9]{4})([0-9]{2})([0-9]{2})[0-9]{3}[0-9X]")
_ORGANISATION: Final = re.compile(r"[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}")
_CHARACTERS: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def is_citizen_number(text: str) -> bool:
    """Return whether the text is an 18-character citizen number, X in upper case."""
    parts = _CITIZEN.fullmatch(text)
    if parts is None or not _is_date(*map(int, parts.groups())):
        return False
    weighed = (
        (10 if character == "X" else int(character)) * pow(2, 17 - position, 11)
        for position, character in enumerate(text)
    )
    return sum(weighed) % 11 == 1


def is_organisation_code(text: str) -> bool:
    """Return whether the text is a unified social credit code of 18 characters."""
    if _ORGANISATION.fullmatch(text) is None:
        return False
    weighed = (
        _CHARACTERS.index(character) * pow(3, position, 31)
        for position, character in enumerate(text[:17])
    )
    return (sum(weighed) + _CHARACTERS.index(text[17])) % 31 == 0


def _is_date(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True
