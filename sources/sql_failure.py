"""What a database's error means for the one who asked: a timeout, out of reach, or refused."""

from typing import Final

from sqlalchemy.exc import DBAPIError

from contract.errors import SourceFailure, SourceRefused, SourceTimeout, SourceUnavailable

_TIMED_OUT: Final = frozenset({"57014", "55P03", "1969", "1205", "SQLITE_BUSY", "SQLITE_INTERRUPT"})
_REFUSED_STATES: Final = ("22", "42", "0A", "54")
_LOST_STATES: Final = ("08", "57P")
_LOST_NUMBERS: Final = frozenset({"1053", "1927", "4031"})
_REFUSED_NUMBERS: Final = range(1046, 1700)
_REFUSED_SQLITE: Final = ("SQLITE_ERROR", "SQLITE_MISMATCH", "SQLITE_TOOBIG", "SQLITE_READONLY")
_UNREACHABLE: Final = frozenset(
    {"1049", "1129", "1130", "1152", "1158", "1159", "1160", "1161", "1203"}
)


def told(error: BaseException) -> str:
    """Return what the log may know: drivers put values into their texts."""
    cause = _cause(error)
    return f"{type(cause).__name__} {_code(cause)}".strip()


def kind(error: BaseException) -> type[SourceFailure]:
    """Return what the error means, by SQLSTATE, error number or SQLite's own name."""
    error = _cause(error)
    code = _code(error)
    if code in _TIMED_OUT or isinstance(error, TimeoutError):
        return SourceTimeout
    if code.startswith("SQLITE_"):
        return SourceRefused if code.startswith(_REFUSED_SQLITE) else SourceUnavailable
    if len(code) == len("42P01"):
        return SourceRefused if code.startswith(_REFUSED_STATES) else SourceUnavailable
    if code.isdigit() and int(code) in _REFUSED_NUMBERS:
        return SourceUnavailable if code in _UNREACHABLE else SourceRefused
    values = isinstance(error, ValueError | TypeError | ArithmeticError | LookupError)
    return SourceRefused if values and not code else SourceUnavailable


def is_lost(error: BaseException) -> bool:
    """Return whether the connection is gone, or knows the system as it was: a new one may do."""
    code = _code(_cause(error))
    if kind(error) is not SourceUnavailable:
        return False
    if len(code) == len("2013"):
        return code in _LOST_NUMBERS or code.startswith("2")  # the client's own
    return not code or (len(code) == len("08003") and code.startswith(_LOST_STATES))


def is_answered(error: BaseException) -> bool:
    """Return whether the system itself said what is wrong: its connection is as good as before."""
    return isinstance(error, Exception) and bool(_code(_cause(error))) and not is_lost(error)


def _cause(error: BaseException) -> BaseException:
    """Return the driver's own error: SQLAlchemy wraps what goes wrong while it opens."""
    return error.orig if isinstance(error, DBAPIError) and error.orig is not None else error


def _code(error: BaseException) -> str:
    first = error.args[0] if error.args else ""
    if isinstance(first, int) and not isinstance(error, OSError):
        return str(first)  # MariaDB's own number says more than its SQLSTATE
    for name in ("sqlstate", "sqlite_errorname"):
        code = getattr(error, name, None)
        if code:
            return str(code)
    cause = error.__cause__
    return _code(cause) if cause is not None else ""
