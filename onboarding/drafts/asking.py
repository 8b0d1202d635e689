"""How a system over HTTP is asked, as guesses: keys, filters and pages from its parameters."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from contract.entity import Kind
from contract.predicate import Operator
from onboarding.drafts.field import Guessed
from onboarding.drafts.model import MISSING, Line, Lines, Native
from onboarding.drafts.names import identifying, words
from sources.declaration import ASKABLE

_PAGE: Final = frozenset({"page", "pageno", "pagenum", "pagenumber", "pageindex", "current"})
_OFFSET: Final = frozenset({"offset", "skip", "start", "startindex"})
_CURSOR: Final = frozenset({"cursor", "after", "pagetoken", "continuation", "nexttoken"})
_SIZE: Final = frozenset({"pagesize", "size", "limit", "perpage", "first", "count", "rows", "max"})
_STYLES: Final = (("cursor", _CURSOR), ("offset", _OFFSET), ("page", _PAGE))
_TOTAL: Final = frozenset(
    {"total", "totalcount", "count", "totalelements", "totalrows", "totalnum"}
)
_NEXT: Final = frozenset(
    {"next", "nextcursor", "cursor", "endcursor", "nextpagetoken", "nexttoken"}
)
_MORE: Final = frozenset({"more", "hasmore", "hasnext", "hasnextpage"})
_ENDS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("from", "start", "begin", "min", "since", "gte", "ge"), Operator.GTE),
    **dict.fromkeys(("to", "end", "max", "until", "lte", "le"), Operator.LTE),
    **dict.fromkeys(("contains", "like", "keyword"), Operator.CONTAINS),
    **dict.fromkeys(("in", "list", "s"), Operator.IN),
    "gt": Operator.GT,
    "lt": Operator.LT,
}
_SIZE_OF_PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class Parameter:
    """
    A parameter or argument; `name`: what it asks about, `path`: how it is written.

    `operator`: what it says, where the system says that. `most`: values at once.
    """

    path: str
    name: str
    operator: str = ""
    takes_list: bool = False
    most: int = 1
    is_required: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """Where the rows are in an answer, and the other values that it has, by path."""

    rows: str
    beside: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asking:
    """The lines of an entity's tables: how it is asked, and what can be pushed down."""

    how: Lines
    pushdown: Lines

    def tables(self, name: str) -> dict[str, Lines]:
        """Return the tables that have a line; `name`: rest or graphql."""
        return {
            table: lines
            for table, lines in ((name, self.how), ("pushdown", self.pushdown))
            if lines
        }


def asking(
    parameters: Sequence[Parameter], answer: Answer, natives: Sequence[Native], guessed: Guessed
) -> Asking:
    """Return how the entity is asked for, as far as names tell it."""
    pages = _paging(parameters, answer)
    used = {pages["parameter"], pages.get("size_parameter", "")} if pages else set()
    others = [parameter for parameter in parameters if parameter.path not in used]
    keys, filters = _asked(others, natives, guessed)
    asked = {key["parameter"] for key in keys}
    unasked = [each for each in others if each.is_required and each.path not in asked]
    how = (
        *_named_line("rows", answer.rows),
        *_named_line("total", _beside(answer, _TOTAL, "integer")),
        *_pages(pages),
        *_scan(others, unasked, keys),
    )
    return Asking(how, _pushdown(keys, filters))


def _named_line(name: str, value: str) -> Lines:
    return (Line(name, value),) if value else ()


def _paging(parameters: Sequence[Parameter], answer: Answer) -> dict[str, Any]:
    for style, names in _STYLES:
        found = _first(parameters, names)
        if found is None:
            continue
        size = _first(parameters, _SIZE)
        pages: dict[str, Any] = {"style": style, "parameter": found.path}
        if size is not None:
            pages |= {"size_parameter": size.path}
            pages |= {"size": size.most if size.most > 1 else _SIZE_OF_PAGE}
        if style == "cursor":
            pages["next"] = _beside(answer, _NEXT, "string") or MISSING
            more = _beside(answer, _MORE, "boolean")
            pages |= {"more": more} if more else {}
        return pages
    return {}


def _pages(pages: dict[str, Any]) -> Lines:
    note = "guess: how pages follow each other, by the names; decide: the size the system allows"
    return (Line("paging", pages, (note,)),) if pages else ()


def _scan(
    others: Sequence[Parameter], unasked: Sequence[Parameter], keys: Sequence[object]
) -> Lines:
    if unasked:
        fixed = {parameter.path: MISSING for parameter in unasked}
        note = "These parameters must always be given."
        return (Line("fixed", fixed, (note,), is_open=True),)
    if any(parameter.is_required for parameter in others):
        return ()
    if keys:
        note = "Where it may be listed without a key, as no parameter must be given:"
        return (Line("scan", True, (note,), is_open=True),)  # noqa: FBT003 -- a value of a file
    note = "guess: may be listed, as no parameter must be given"
    return (Line("scan", True, (note,)),)  # noqa: FBT003 -- a value of a file


def _asked(
    parameters: Iterable[Parameter], natives: Sequence[Native], guessed: Guessed
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    keys: list[dict[str, Any]] = []
    filters: dict[str, str] = {}
    kinds = _kinds(guessed)
    for parameter in parameters:
        found = _matched(parameter, natives)
        if found is None:
            continue
        native, operator = found
        name = guessed.names[native.name]
        if _is_key(parameter, native, operator):
            keys.append({"field": name, "parameter": parameter.path, "batch": parameter.most})
        elif kinds[name] in ASKABLE[operator]:
            filters[f"{name}.{operator}"] = parameter.path
    return keys, filters


def _is_key(parameter: Parameter, native: Native, operator: str) -> bool:
    if operator not in (Operator.EQ, Operator.IN):
        return False
    return (
        native.is_key
        or bool(identifying(native.name))
        or (parameter.takes_list and not native.codes and not parameter.operator)
    )


def _pushdown(keys: Sequence[dict[str, Any]], filters: Mapping[str, str]) -> Lines:
    note = "guess: by the names of the parameters; `check` proves or disproves it"
    lines: list[Line] = []
    if keys:
        lines.append(Line("by_key", keys[0] if len(keys) == 1 else list(keys), (note,)))
    if filters:
        lines.append(Line("filters", dict(filters), (note,)))
    return tuple(lines)


def _matched(parameter: Parameter, natives: Sequence[Native]) -> tuple[Native, str] | None:
    named = words(parameter.name)
    readings = [
        (named, parameter.operator or (Operator.IN if parameter.takes_list else Operator.EQ))
    ]
    if not parameter.operator and len(named) > 1:
        readings += [(named[:-1], _ENDS.get(named[-1], "")), (named[1:], _ENDS.get(named[0], ""))]
    flat = "".join(named)
    if flat.endswith("s"):
        readings.append(((flat[:-1],), Operator.IN))
    for parts, operator in readings:
        found = next((each for each in natives if _is_called(each, "".join(parts))), None)
        if operator and found is not None:
            return found, str(operator)
    return None


def _is_called(native: Native, flat: str) -> bool:
    whole, last = "".join(words(native.name)), "".join(words(native.name.rpartition(".")[2]))
    return bool(flat) and flat in (whole, last)


def _first(parameters: Sequence[Parameter], names: frozenset[str]) -> Parameter | None:
    return next((each for each in parameters if "".join(words(each.path)) in names), None)


def _beside(answer: Answer, names: frozenset[str], kind: str) -> str:
    return next(
        (
            path
            for path, typed in answer.beside.items()
            if typed in (kind, "") and "".join(words(path.rpartition(".")[2])) in names
        ),
        "",
    )


def _kinds(guessed: Guessed) -> dict[str, Kind]:
    kinds: dict[str, Kind] = {}
    for line in guessed.lines:
        options = line.value if isinstance(line.value, dict) else {}
        typed = options.get("type", "code" if "codes" in options else "string")
        kinds[line.name] = Kind("decimal" if typed == "money" else typed)
    return kinds
