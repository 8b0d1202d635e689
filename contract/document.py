"""Files that operators write, with the line of everything in them, and what is wrong where."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

Step: TypeAlias = str | int
Place: TypeAlias = tuple[Step, ...]

_TOKEN: Final = re.compile(
    r"""
      (?P<blank> [ \t\r]+ | \#[^\n]* )
    | (?P<newline> \n )
    | (?P<text> \"{3}(?:\\.|[^\\])*?\"{3,5} | '{3}.*?'{3,5} | "(?:\\.|[^"\\])*" | '[^']*' )
    | (?P<mark> [=.,\[\]{}] )
    | (?P<word> [^\s=.,\[\]{}"'\#]+ )
    """,
    re.VERBOSE | re.DOTALL,
)
_AT_LINE: Final = re.compile(r"\s*\(at line (\d+), column \d+\)$")
_AT_END: Final = re.compile(r"\s*\(at end of document\)$")


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong in a file, where, and what to write instead."""

    file: str
    line: int
    what: str
    write: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}. {self.write}"


class Mistakes(Exception):
    """Everything that is wrong, at once."""

    def __init__(self, mistakes: tuple[Mistake, ...]) -> None:
        self.mistakes = mistakes
        super().__init__("\n".join(map(str, mistakes)))


@dataclass(frozen=True, slots=True)
class Document:
    """A TOML file: its data, and the line each part of it stands on."""

    file: str
    data: Mapping[str, Any]
    lines: Mapping[Place, int]

    def line_of(self, *place: Step) -> int:
        """Return the line of a key or table, or of the nearest table around it."""
        found: Place = ()
        line = 1
        for step in place:
            inner = (*found, step)
            if inner in self.lines:
                found, line = inner, self.lines[inner]
            elif isinstance(step, str):
                break
        return line

    def mistake(self, place: Place, what: str, write: str) -> Mistake:
        """Return what is wrong at a place of this file."""
        return Mistake(self.file, self.line_of(*place), what, write)


def load(path: Path) -> Document:
    """
    Return the file's data with its lines.

    Raises: Mistakes, with one mistake, for a file that cannot be read as TOML.
    """
    try:
        text = path.read_bytes().decode("utf-8").replace("\r\n", "\n")
    except OSError as error:
        reason = error.strerror or "it cannot be opened"
        raise _unreadable(path, 1, f"the file cannot be read: {reason}", "Check it.") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise _unreadable(path, line, "this is not UTF-8", "Save the file as UTF-8.") from error
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _not_toml(path, text, str(error)) from error
    return Document(str(path), data, _Lines(text).read())


def _unreadable(path: Path, line: int, what: str, write: str) -> Mistakes:
    return Mistakes((Mistake(str(path), line, what, write),))


def _not_toml(path: Path, text: str, message: str) -> Mistakes:
    place = _AT_LINE.search(message)
    line = int(place[1]) if place else text.rstrip("\n").count("\n") + 1
    reason = _AT_END.sub("", _AT_LINE.sub("", message))
    what = f"this is not TOML: {reason[:1].lower()}{reason[1:]}"
    write = 'Write key = value, texts in "quotes", each key once.'
    return _unreadable(path, line, what, write)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    line: int


class _Lines:
    """Reads a text that is known to be TOML a second time, for its lines alone."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._next = 0
        self._lines: dict[Place, int] = {}
        self._last: dict[Place, int] = {}  # the number of the newest table of each array of tables

    def read(self) -> dict[Place, int]:
        table: Place = ()
        while self._kind() != "end":
            if self._kind() == "newline":
                self._next += 1
            elif self._mark() == "[":
                table = self._header()
            else:
                self._entry(table)
        return self._lines

    def _header(self) -> Place:
        line = self._tokens[self._next].line
        self._next += 1
        array = self._mark() == "["
        self._next += array
        *outer, name = self._key()
        self._next += 1 + array
        place = self._inside((), outer, line)
        place = (*place, name)
        if not array:
            place = self._newest(place)
            self._lines[place] = line
            return place
        self._lines.setdefault(place, line)
        self._last[place] = self._last.get(place, -1) + 1
        place = (*place, self._last[place])
        self._lines[place] = line
        return place

    def _entry(self, table: Place) -> None:
        line = self._tokens[self._next].line
        *outer, name = self._key()
        place = (*self._inside(table, outer, line), name)
        self._lines[place] = line
        self._next += 1  # =
        self._value(place)

    def _inside(self, place: Place, names: list[str], line: int) -> Place:
        for name in names:
            place = self._newest((*place, name))
            self._lines.setdefault(place, line)
        return place

    def _newest(self, place: Place) -> Place:
        return (*place, self._last[place]) if place in self._last else place

    def _key(self) -> list[str]:
        names = [self._name()]
        while self._mark() == ".":
            self._next += 1
            names.append(self._name())
        return names

    def _name(self) -> str:
        token = self._tokens[self._next]
        self._next += 1
        return str(tomllib.loads(f"k={token.text}")["k"]) if token.kind == "text" else token.text

    def _value(self, place: Place) -> None:
        match self._mark():
            case "{":
                self._collection(place, "}")
            case "[":
                self._collection(place, "]")
            case _:
                while self._kind() in ("text", "word") or self._mark() == ".":
                    self._next += 1

    def _collection(self, place: Place, closing: str) -> None:
        self._next += 1
        position = 0
        while self._mark() != closing:
            if self._kind() == "newline" or self._mark() == ",":
                self._next += 1
            elif closing == "}":
                self._entry(place)
            else:
                self._lines[(*place, position)] = self._tokens[self._next].line
                self._value((*place, position))
                position += 1
        self._next += 1

    def _kind(self) -> str:
        return self._tokens[self._next].kind

    def _mark(self) -> str:
        token = self._tokens[self._next]
        return token.text if token.kind == "mark" else ""


def _tokens(text: str) -> Iterator[_Token]:
    line = 1
    for match in _TOKEN.finditer(text):
        kind = str(match.lastgroup)
        if kind != "blank":
            yield _Token(kind, match.group(), line)
        line += match.group().count("\n")
    yield _Token("end", "", line)
