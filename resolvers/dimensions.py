"""
What rows are told apart by: a field, as it is or cut to a level, as a division to its county.

A value cut to a level is a node; what lies above it, up to everything, is its path. Times are cut
as a calendar in Shanghai has them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

from auth.aggregates import DIGITS, levels_of
from contract.entity import Field, Kind
from contract.errors import BadInput
from contract.predicate import INVALID

Node: TypeAlias = tuple[int, object]
"""How fine, and the value; two nodes of one value and different depth are different."""

Path: TypeAlias = tuple[Node, ...]
"""The nodes of a value, from everything down to the finest."""
Cell: TypeAlias = tuple[Node, ...]
"""One node of each dimension; a leaf cell has the finest of each."""
Cut: TypeAlias = Callable[[object], object]
"""What a value is at a level."""
ROOT: Final[Node] = (0, None)
ZONE: Final = ZoneInfo("Asia/Shanghai")

_LETTERS: Final[Mapping[str, int]] = {"year": 4, "month": 7, "day": 10}


@dataclass(frozen=True, slots=True)
class Dimension:
    """One field that rows are told apart by; `level` "" leaves its values as they are."""

    field: str
    level: str = ""


def cutter(field: Field, level: str) -> Cut:
    """
    Return what cuts a field's values to a level; what nobody can read is null.

    Raises: BadInput for a field that cannot be grouped by, or not at this level.
    """
    levels = levels_of(field)
    if field.kind is Kind.DECIMAL or (field.kind is Kind.DATETIME and not level):
        raise BadInput(f"不能按 {field.name} 分组;时间字段请写明年、月或日。")
    if level and level not in levels:
        raise BadInput(f"{field.name} 不能按该级别分组。")
    if not level:
        return _known
    return _division_cutter(DIGITS[level]) if level in DIGITS else _time_cutter(_LETTERS[level])


def cut_column(cut: Cut, column: Sequence[object]) -> Sequence[object]:
    """Return a column cut to a level, each of its values once."""
    values = set(column)
    if cut is _known and INVALID not in values:
        return column
    known = {value: cut(value) for value in values}
    return [known[value] for value in column]


def path_of(field: Field, level: str) -> Callable[[object], Path]:
    """Return what gives the nodes of a value, from everything down to the finest level."""
    levels = levels_of(field)
    finest = levels[: levels.index(level) + 1] if level else ("",)
    cutters = [cutter(field, each) for each in finest]
    depths = [depth_of(field, each) for each in finest]

    def path(value: object) -> Path:
        return (ROOT, *((depth, cut(value)) for depth, cut in zip(depths, cutters, strict=True)))

    return path


def depth_of(field: Field, level: str) -> int:
    """Return how deep the nodes of a level are; 1 for a field that has no levels."""
    return levels_of(field).index(level) + 1 if level else 1


def is_coarser(field: Field, level: str, finest: str) -> bool:
    """Return whether a level is the finest one allowed or wider; both are the field's own."""
    if not level or not finest:
        return level == finest
    levels = levels_of(field)
    return level in levels and levels.index(level) <= levels.index(finest)


def _known(value: object) -> object:
    return None if value is INVALID else value


def _division_cutter(digits: int) -> Cut:
    def cut(value: object) -> object:
        return str(value)[:digits] if _known(value) is not None else None

    return cut


def _time_cutter(letters: int) -> Cut:
    def cut(value: object) -> object:
        if isinstance(value, datetime):
            return _local(value)[:letters] or None
        return value.isoformat()[:letters] if isinstance(value, date) else None

    return cut


def _local(moment: datetime) -> str:
    try:
        return moment.astimezone(ZONE).isoformat()
    except OverflowError:  # the end of time, as some systems write what has no end
        return ""
