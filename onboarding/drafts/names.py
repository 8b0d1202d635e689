"""Names and descriptions of a draft, from what the system calls things."""

import re
from collections.abc import Collection, Iterable
from typing import Final

from onboarding.drafts.model import MISSING

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_HAN: Final = re.compile(r"[\u4e00-\u9fff]")
_LATIN: Final = re.compile(r"[A-Za-z]")
_VOWEL: Final = re.compile(r"[aeiouy]")
_LONGEST: Final = 80
_IDENTIFYING: Final = {
    "citizen_number": re.compile(
        "((cert|certificate|id|idcard|identity)(no|num|number)|idcard|sfz(h|hm|jhm)?|gmsfhm|zjhm"
        "|身份证号?|证件号码|公民身份号码)$"
    ),
    "organisation_code": re.compile("(uscc|uniscid|credit(code|no)|tyshxydm|统一社会信用代码)$"),
}
_RESERVED_FIELDS: Final = frozenset({"subject", "true", "false", "null"})
_RESERVED_TYPES: Final = frozenset(
    {"Query", "Mutation", "Subscription", "String", "Int", "Float", "Boolean", "ID"}
    | {"Date", "DateTime", "Decimal", "Node", "PageInfo", "Order"}
)


def words(native: str) -> tuple[str, ...]:
    """Return the words of a native name in small letters; none of a name without Latin letters."""
    return tuple(word.lower() for word in _WORD.findall(native))


def identifying(native: str) -> str:
    """Return which identifier a native name that ends so is likely to be."""
    flat = "".join(words(native)) or native
    return next((kind for kind, ends in _IDENTIFYING.items() if ends.search(flat)), "")


def field_name(native: str, taken: Collection[str]) -> str:
    """Return a name for the graph that is not taken yet."""
    parts = words(native)
    if parts in (("id",), ("no",)):
        parts = ("number",)
    if not parts or parts[0].isdigit():
        parts = ("field", *parts)
    name = parts[0] + "".join(part.capitalize() for part in parts[1:])
    return _free(f"{name}Value" if name in _RESERVED_FIELDS else name, taken)


def entity_name(native: str, taken: Collection[str], core: Collection[str]) -> str:
    """Return a name for a facet; what the schema has already is nobody's by chance."""
    parts = words(native.rpartition(".")[2].rpartition("/")[2])
    if not parts or parts[0].isdigit():
        parts = ("entity", *parts)
    name = "".join(part.capitalize() for part in parts)
    return _free(f"{name}Record" if name in core or name in _RESERVED_TYPES else name, taken)


def many(name: str) -> str:
    """Return the field of a core entity that gives the facet's rows."""
    plural = name if name.endswith("s") else f"{name}s"
    return plural[0].lower() + plural[1:]


def file_name(parts: Iterable[str]) -> str:
    """Return the name of a mapping file from the first of some texts that gives one."""
    for part in parts:
        name = "_".join(word for word in words(part) if not word.isdigit())
        if name:
            return name
    return "department"


def described(native: str, comment: str) -> str:
    """Return "中文 | English" as far as the native name and its comment give them."""
    told = " ".join(comment.replace("|", " ").split())[:_LONGEST].strip()
    chinese = told if _HAN.search(told) else MISSING
    english = told if _LATIN.search(told) and chinese == MISSING else _spelled(words(native))
    return f"{chinese} | {english}"


def _spelled(parts: tuple[str, ...]) -> str:
    readable = bool(parts) and all(
        _VOWEL.search(part) and len(part) > 1 for part in parts if not part.isdigit()
    )
    return " ".join(parts).capitalize() if readable else MISSING


def _free(name: str, taken: Collection[str]) -> str:
    number, free = 2, name
    while free in taken:
        free, number = f"{name}{number}", number + 1
    return free
