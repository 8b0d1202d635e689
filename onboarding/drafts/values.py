"""
What a few sampled values say of a column: identifiers, dates, divisions, codes.

What it returns holds no value but codes: few, short, often repeated, and not like a person's.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal, TypeAlias

from contract.identifier import is_citizen_number, is_organisation_code
from onboarding.drafts.model import Native
from onboarding.drafts.names import words
from sources.declaration import Codec, Form
from sources.divisions import canonical, division_tree
from sources.times import calendar, instant

Identifier: TypeAlias = Literal["citizen_number", "organisation_code"]

_IDENTIFIERS: Final[Mapping[Identifier, Callable[[str], bool]]] = {
    "citizen_number": is_citizen_number,
    "organisation_code": is_organisation_code,
}
_MOST: Final = 0.8  # of the values have to agree
_DATES: Final[tuple[tuple[Form, re.Pattern[str]], ...]] = (
    ("yyyymmdd", re.compile(r"(0|00000000|(19|20)[0-9]{6})?")),
    ("iso", re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})?")),
    ("yyyymm", re.compile(r"(0|000000|(19|20)[0-9]{4})?")),
)
_TIMES: Final[tuple[Form, ...]] = ("plain", "iso")
_EPOCHS: Final = range(10**11, 10**13)  # from 1973 to 2286, in milliseconds
_MIDNIGHT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T]00:00(:00(\.0+)?)?")
_YES: Final = (("Y", "N"), ("y", "n"), ("T", "F"), ("true", "false"), ("是", "否"))
_CODE_ROWS: Final = 20
_CODES: Final = 12
_SHORT_CODES: Final = 32
_REPEATED: Final = 3
_CODE: Final = re.compile(r"[0-9]{1,4}|[A-Z]{1,3}|[A-Z][0-9]{1,3}")
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,19}|[\u4e00-\u9fff]{1,8}|[0-9A-Z]{1,8}")
_CODED: Final = frozenset(
    words(
        """type kind status state stat flag code category class level grade mode channel stage
        result lx lb zt dm jb dj fs xz qk insutype flg tp typ cd"""
    )
)
_CODED_HAN: Final = ("类", "状态", "代码", "级", "种", "方式", "标志", "标识", "结果")
_DIVISIONS: Final = ("xzqh", "admdv", "division", "areacode", "regioncode", "xzqdm", "qhdm")


@dataclass(frozen=True, slots=True)
class Share:
    """How many of how many values agree."""

    agree: int
    values: int

    def __str__(self) -> str:
        return f"{self.agree} of {self.values} values"

    @property
    def is_most(self) -> bool:
        """Return whether that is enough to propose something."""
        return self.agree > 0 and self.agree >= _MOST * self.values


def identifier(values: Sequence[object]) -> tuple[Identifier, Share] | None:
    """Return which identifier the values are by their check digits."""
    texts = _texts(values)
    for name, is_right in _IDENTIFIERS.items():
        share = Share(sum(is_right(text.strip().upper()) for text in texts), len(texts))
        if share.is_most:
            return name, share
    return None


def date_form(values: Sequence[object]) -> Form:
    """Return the format that all values are dates in."""
    found = _texts(values) or [str(value) for value in values if type(value) is int]
    texts = [text.rstrip(" ") for text in found]
    for form, shape in _DATES:
        codec = calendar(form)
        if any(texts) and all(shape.fullmatch(text) and _is_read(codec, text) for text in texts):
            return form
    return ""


def time_form(values: Sequence[object]) -> Form:
    """Return the format that all values are times in."""
    numbers = [value for value in values if type(value) is int]
    if numbers and all(number in _EPOCHS for number in numbers):
        return "epoch_ms"
    texts = [text.rstrip(" ") for text in _texts(values)]
    for form in _TIMES:
        codec = instant(form, "UTC")
        if any(texts) and all(
            not text or isinstance(codec.decode(text), datetime) for text in texts
        ):
            return form if all(len(text) > 10 for text in texts if text) else ""
    return ""


def at_midnight(values: Sequence[object]) -> bool:
    """Return whether all values are times that are the beginning of a day."""
    times = [str(value).rstrip(" ") for value in values if isinstance(value, str | datetime)]
    return bool(times) and all(_MIDNIGHT.fullmatch(time) for time in times)


def divisions(native: Native) -> Share | None:
    """Return how many values are division codes, where they are."""
    texts = [text.strip() for text in _texts(native.values)]
    tree = division_tree()
    codes = [canonical(text) for text in texts]
    share = Share(
        sum(code is not None and tree.get(code) is not None for code in codes), len(codes)
    )
    flat = "".join(words(native.name))
    named = any(part in flat for part in _DIVISIONS) or "区划" in native.name + native.comment
    long = all(len(text) > 4 for text in texts)
    return share if share.is_most and long and (named or len(set(texts)) > 1) else None


def padded(values: Sequence[object]) -> int | None:
    """Return the width that all division codes are padded to."""
    widths = {len(text.strip()) for text in _texts(values)}
    filled = any(text.strip().endswith("000") for text in _texts(values))
    return widths.pop() if len(widths) == 1 and filled else None


def spelled(values: Sequence[object]) -> tuple[str, str] | None:
    """Return how yes and no are spelled."""
    found = {text.rstrip(" ") for text in _texts(values)}
    return next((pair for pair in _YES if found and found <= set(pair)), None)


def coded(native: Native) -> tuple[object, ...]:
    """Return the codes that the values are, in order; none where they may be anything else."""
    values = [value.rstrip(" ") if isinstance(value, str) else value for value in native.values]
    counted = Counter(value for value in values if value != "")
    short = all(_CODE.fullmatch(str(value)) for value in counted)
    shape = _WORD if _is_coded(native) else _CODE
    most = _SHORT_CODES if short else _CODES
    few = 1 < len(counted) <= most and len(values) >= max(_CODE_ROWS, _REPEATED * len(counted))
    whole = native.type == "integer" and not _is_coded(native)
    if not few or whole or not all(shape.fullmatch(str(value)) for value in counted):
        return ()
    return tuple(sorted(counted, key=str))


def canonical_codes(natives: Collection[object]) -> dict[str, str]:
    """Return a code of the graph for each native one, as like it as can be."""
    codes: dict[str, str] = {}
    for position, native in enumerate(natives, 1):
        plain = re.sub(r"[^A-Z0-9]+", "_", re.sub(r"([a-z])([A-Z])", r"\1_\2", str(native)).upper())
        plain = plain.strip("_") or str(position)
        code = plain if plain[0].isalpha() else f"CODE_{plain}"
        codes[str(native)] = code if code not in codes.values() else f"{code}_{position}"
    return codes


def _is_coded(native: Native) -> bool:
    named = words(native.name)
    flat = "".join(named)
    return (
        not _CODED.isdisjoint(named)
        or any(flat.endswith(word) for word in _CODED if len(word) > 3)
        or any(part in native.name + native.comment for part in _CODED_HAN)
    )


def _texts(values: Sequence[object]) -> list[str]:
    return [value for value in values if isinstance(value, str)]


def _is_read(codec: Codec, text: str) -> bool:
    value = codec.decode(text)
    return value is None or isinstance(value, date)
