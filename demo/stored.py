"""How a citizen number ends up in a department's system: mostly right, not always upper case."""

from random import Random
from typing import Final

_WRONG_IN: Final = 4_000
_LOWER_SHARE: Final = 0.3


def stored_number(random: Random, id_number: str) -> str:
    """Return the number as somebody keyed it in: a few have a lower-case x, fewer are wrong."""
    if not random.randrange(_WRONG_IN):
        return id_number[:16] + f"{(int(id_number[16]) + 2) % 10}" + id_number[17]
    if id_number.endswith("X") and random.random() < _LOWER_SHARE:
        return id_number[:-1] + "x"
    return id_number


def padded_name(random: Random, name: str, width: int) -> str:
    """Return the name, one in twelve filled up with blanks as fixed-width systems do."""
    return name.ljust(width) if random.random() < 1 / 12 else name
