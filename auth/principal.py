"""Who asks, as every room knows them; how they proved it is not told."""

import re
from dataclasses import dataclass, field
from typing import Final

from auth.openings import Opening

DIVISION: Final = re.compile(
    r"[1-9][0-9](?:[0-9]{2}){0,2}|[1-9][0-9]{5}[0-9]{3}|[1-9][0-9]{5}[0-9]{6}"
)
"""A division code of significant digits: province 2, city 4, county 6, township 9, village 12."""


def is_division(code: str) -> bool:
    """Return whether the text is a division code whose last group is not padding."""
    padding = "000" if len(code) > 6 else "00"
    return DIVISION.fullmatch(code) is not None and not code.endswith(padding)


@dataclass(frozen=True, slots=True)
class Principal:
    """
    The authenticated caller.

    Role i is held in the division of scope i; a province's officer holds "32". No role is held
    nowhere: whoever has no scope has no role. `purpose` is what they said they ask for, `case` the
    number of the case where that is the purpose, `openings` what is opened beyond the roles.
    `citizen` is the caller's own citizen number, for those who may see their own record.
    """

    account: str
    roles: tuple[str, ...]
    scopes: tuple[str, ...]
    department: str = ""
    purpose: str = ""
    case: str = ""
    openings: tuple[Opening, ...] = ()
    citizen: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if len(self.roles) != len(self.scopes):
            raise ValueError("every role needs the scope it is held in")
        if not all(is_division(scope) for scope in self.scopes):
            raise ValueError("a scope is a division code of significant digits")
