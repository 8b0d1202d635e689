"""What a database's error means: the failure it is, and what becomes of its connection."""

import asyncio

import pytest

from contract.errors import SourceFailure, SourceRefused, SourceTimeout, SourceUnavailable
from sources.sql_failure import is_answered, is_lost, kind, told


class Coded(Exception):
    """An error as asyncpg and aiosqlite raise them."""

    def __init__(self, text: str, code: str) -> None:
        super().__init__(text)
        self.sqlstate = code


class Numbered(Exception):
    """An error as asyncmy raises them: a number, then the text."""


KEPT, DROPPED, LOST = "kept", "dropped", "lost"
MEANINGS: list[tuple[Exception, type[SourceFailure], str]] = [
    (Coded("undefined column", "42703"), SourceRefused, KEPT),
    (Coded("statement timeout", "57014"), SourceTimeout, KEPT),
    (Coded("read-only transaction", "25006"), SourceUnavailable, KEPT),
    (Coded("an error within a view", "P0001"), SourceUnavailable, KEPT),
    (Coded("terminated by an administrator", "57P01"), SourceUnavailable, LOST),
    (Coded("closed in the middle", "08003"), SourceUnavailable, LOST),
    (Coded("locked", "SQLITE_BUSY"), SourceTimeout, KEPT),
    (Coded("cannot be read", "SQLITE_IOERR"), SourceUnavailable, KEPT),
    (Coded("no such table", "SQLITE_ERROR"), SourceRefused, KEPT),
    (Numbered(1054, "unknown column"), SourceRefused, KEPT),
    (Numbered(1969, "max_statement_time"), SourceTimeout, KEPT),
    (Numbered(1792, "read only transaction"), SourceUnavailable, KEPT),
    (Numbered(1927, "killed"), SourceUnavailable, LOST),
    (Numbered(2013, "lost connection"), SourceUnavailable, LOST),
    (ConnectionResetError(104, "reset"), SourceUnavailable, LOST),
    (TimeoutError(), SourceTimeout, DROPPED),
    (ValueError("what cannot be read"), SourceRefused, DROPPED),
]


@pytest.mark.parametrize(("error", "failure", "fate"), MEANINGS, ids=lambda each: str(each))
def test_an_error_says_what_it_is_and_what_becomes_of_the_connection(
    error: Exception, failure: type[SourceFailure], fate: str
) -> None:
    assert kind(error) is failure
    assert (is_answered(error), is_lost(error)) == (fate == KEPT, fate == LOST)


def test_who_goes_away_says_nothing_of_the_system() -> None:
    assert not is_answered(asyncio.CancelledError())


def test_the_log_hears_of_the_kind_and_the_code_and_of_no_value() -> None:
    assert told(Coded("invalid input: 329900195104080020", "22P02")) == "Coded 22P02"
