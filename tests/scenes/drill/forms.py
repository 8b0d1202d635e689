"""Which form each mode has for each kind of system, and in words why one has none."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager
from pathlib import Path
from typing import Final, TypeAlias

from tests.scenes.drill import file_faults, http_faults, sql_faults, tcp_faults
from tests.scenes.drill.http_proxy import HONEST, Fault
from tests.scenes.drill.modes import Mode
from tests.scenes.drill.stand import Stand
from tests.scenes.drill.tcp_faults import Tamper

Form: TypeAlias = Callable[[Stand], AbstractAsyncContextManager[object]]
"""Makes a system faulty while it is entered."""

Forms: TypeAlias = Mapping[Mode, Mapping[str, Form]]


def _over_http(fault: Fault) -> Form:
    @asynccontextmanager
    async def form(stand: Stand) -> AsyncIterator[None]:
        there = stand.proxied
        there.fault, there.struck = fault, 0
        try:
            yield
        finally:
            there.fault = HONEST
        assert there.struck, "the fault changed nothing that was said"

    return form


def _on_the_wire(tamper: Tamper) -> Form:
    @asynccontextmanager
    async def form(stand: Stand) -> AsyncIterator[None]:
        stand.wire.struck = 0
        async with tcp_faults.tampered(stand.wire, tamper):
            yield
        assert stand.wire.struck, "the fault changed nothing that was said"

    return form


def _at_the_door(greeting: Callable[[str], bytes]) -> Form:
    @asynccontextmanager
    async def form(stand: Stand) -> AsyncIterator[None]:
        stand.wire.struck = 0
        async with tcp_faults.turned_away(stand.wire, greeting(stand.database.engine)):
            yield
        assert stand.wire.struck, "nobody came to the door"

    return form


def _in_the_view(form: sql_faults.Form) -> Form:
    return lambda stand: sql_faults.viewed(
        stand.database, stand.table, form(stand.table, stand.database.engine)
    )


def _with_files(fault: Callable[[Path], AbstractContextManager[object]]) -> Form:
    @asynccontextmanager
    async def form(stand: Stand) -> AsyncIterator[None]:
        with fault(stand.path):
            yield

    return form


def _other_file(change: Callable[[bytes], bytes]) -> Form:
    return _with_files(lambda path: file_faults.instead(path, change(path.read_bytes())))


def _drop(change: file_faults.Change, end: str = "\n") -> Form:
    return _with_files(lambda path: file_faults.dropped_lines(path, change, end))


def _drop_of(content: str) -> Form:
    return _with_files(lambda path: file_faults.dropped(path, content))


def _drop_of_another_time(seconds: int) -> Form:
    return _with_files(lambda path: file_faults.dropped_at(path, seconds))


def _cut(lines: list[str]) -> list[str]:
    return [*lines[:-1], lines[-1][:9]]


def _cut_in_quotes(lines: list[str]) -> list[str]:
    return [*lines, 'V1,某人,H1,20260101,正常,1,"']


_HTTP: Final[Forms] = {
    mode: {name: _over_http(fault) for name, fault in faults.items()}
    for mode, faults in http_faults.FAULTS.items()
}
_VIEWS: Final[Forms] = {
    mode: {name: _in_the_view(form) for name, form in forms.items()}
    for mode, forms in sql_faults.VIEWS.items()
}
_SERVER: Final[Forms] = {
    **_VIEWS,
    Mode.HANG: {"no answer": _on_the_wire(tcp_faults.held)},
    Mode.DRIP: {"a byte at a time": _on_the_wire(tcp_faults.dripped)},
    Mode.BUSY: {"too many connections": _at_the_door(tcp_faults.too_many)},
    Mode.RESET: {"half an answer": _on_the_wire(tcp_faults.reset)},
    Mode.HTML: {
        "in the place of an answer": _on_the_wire(tcp_faults.a_web_page),
        "at the door": _at_the_door(lambda _: tcp_faults.PAGE),
    },
    Mode.TRUNCATED: {"half an answer, then the end": _on_the_wire(tcp_faults.cut)},
}
_SQLITE: Final[Forms] = {
    **_VIEWS,
    Mode.HANG: {"a lock": _with_files(file_faults.locked)},
    Mode.DRIP: {"a slow view": _in_the_view(sql_faults.SLOW)},
    Mode.FAILED: {"broken pages": _other_file(file_faults.corrupted)},
    Mode.RESET: {"the file is gone": _with_files(file_faults.away)},
    Mode.HTML: {"a page for a file": _other_file(lambda _: file_faults.PAGE.encode())},
    Mode.TRUNCATED: {"half the file": _other_file(lambda content: content[: len(content) // 2])},
}
_FILE: Final[Forms] = {
    **{
        mode: {name: _drop(change) for name, change in changes.items()}
        for mode, changes in file_faults.CHANGES.items()
    },
    Mode.HANG: {
        "the share does not answer": _with_files(file_faults.hanging),
        "a pipe": _with_files(file_faults.piped),
    },
    Mode.DRIP: {"written where it is read": _with_files(file_faults.growing)},
    Mode.FAILED: {"the share is gone": _with_files(file_faults.away)},
    Mode.RESET: {"cut off in a line": _drop(_cut, end="")},
    Mode.HTML: {"a page for a file": _drop_of(file_faults.PAGE)},
    Mode.TRUNCATED: {"cut off in a text": _drop(_cut_in_quotes), "empty": _drop_of("")},
    Mode.CLOCK: {
        "of 1970": _drop_of_another_time(0),
        "of 2099": _drop_of_another_time(4_100_000_000),
    },
}

FORMS: Final[Mapping[str, Forms]] = {
    "rest": _HTTP,
    "graphql": _HTTP,
    "postgresql": _SERVER,
    "mariadb": _SERVER,
    "sqlite": _SQLITE,
    "file": _FILE,
}

_NO_SERVER: Final = "there is no server that could turn anybody away; a lock is the mode hang"
_ENGINE: Final = "the engine itself runs the statement: no program of the department could ignore"
_NO_PAGES: Final = "one statement has one result, which comes whole: there are no pages"
_NO_COUNT: Final = "no count comes with the rows that could differ from them"
_OURS: Final = "a file is loaded whole and asked here, in a database of ours: nobody could ignore"
NO_FORM: Final[Mapping[str, Mapping[Mode, str]]] = {
    "rest": {},
    "graphql": {},
    "postgresql": {
        Mode.IGNORED_LIMIT: f"{_ENGINE} its LIMIT",
        Mode.REPEATED_PAGE: _NO_PAGES,
        Mode.WRONG_TOTAL: _NO_COUNT,
    },
    "mariadb": {
        Mode.IGNORED_LIMIT: f"{_ENGINE} its LIMIT",
        Mode.REPEATED_PAGE: _NO_PAGES,
        Mode.WRONG_TOTAL: _NO_COUNT,
    },
    "sqlite": {
        Mode.BUSY: _NO_SERVER,
        Mode.IGNORED_LIMIT: f"{_ENGINE} its LIMIT",
        Mode.REPEATED_PAGE: _NO_PAGES,
        Mode.WRONG_TOTAL: _NO_COUNT,
    },
    "file": {
        Mode.BUSY: _NO_SERVER,
        Mode.IGNORED_FILTER: f"{_OURS} a filter",
        Mode.IGNORED_LIMIT: f"{_OURS} a limit",
    },
}
