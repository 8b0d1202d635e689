"""The twenty ways in which a department's system may answer wrongly, late or not at all."""

from enum import StrEnum


class Mode(StrEnum):
    """What is wrong; each kind of system has its own form of it, or a word why there is none."""

    HANG = "hang"
    DRIP = "slow drip"
    FAILED = "500"
    BUSY = "429"
    RESET = "reset mid-body"
    HTML = "HTML"
    TRUNCATED = "truncated JSON"
    WRONG_TYPES = "wrong types"
    MISSING_KEYS = "missing keys"
    EXTRA_KEYS = "extra keys"
    DUPLICATES = "duplicate rows"
    OUT_OF_SCOPE = "rows out of scope"
    IGNORED_FILTER = "ignored filter"
    IGNORED_LIMIT = "ignored limit"
    REPEATED_PAGE = "repeated page"
    WRONG_TOTAL = "wrong total"
    GIANT = "giant body"
    NAN = "NaN"
    DEEP = "deep JSON"
    CLOCK = "clock skew"
