"""One function per mask: what of a value somebody sees who may not see the whole."""

import re
from collections.abc import Callable, Mapping
from typing import Final

_COMPOUND_SURNAMES: Final = re.compile(
    "欧阳|太史|端木|上官|司马|东方|独孤|南宫|夏侯|诸葛|尉迟|公孙|慕容|令狐|司徒|司空|皇甫|轩辕|宇文|长孙|澹台|淳于"
)


def citizen_number(value: str) -> str:
    """Keep the first 3 and the last 4 of a citizen number."""
    return _middle_hidden(value, 3, 4)


def mobile(value: str) -> str:
    """Keep the first 3 and the last 4 of a telephone number."""
    return _middle_hidden(value, 3, 4)


def name(value: str) -> str:
    """Keep the surname."""
    compound = _COMPOUND_SURNAMES.match(value) is not None and len(value) > 2
    length = 2 if compound else 1
    return value[:length] + "*" * max(len(value) - length, 1)


def bank_card(value: str) -> str:
    """Keep the last 4."""
    return _middle_hidden(value, 0, 4)


def everything(value: str) -> str:
    """Keep nothing, not even the length."""
    return "***" if value else value


MASKS: Final[Mapping[str, Callable[[str], str]]] = {
    "citizen_number": citizen_number,
    "mobile": mobile,
    "name": name,
    "bank_card": bank_card,
    "everything": everything,
}
"""Every mask by the name a policy uses."""


def _middle_hidden(value: str, first: int, last: int) -> str:
    hidden = len(value) - first - last
    if hidden < 4:
        return "*" * len(value)
    return value[:first] + "*" * hidden + value[-last:]
