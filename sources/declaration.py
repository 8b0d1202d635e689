"""What a mapping file says, as data: the words between `mapping` and the kinds of source."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from contract.document import Document
from contract.entity import Entity, Field, Kind
from contract.predicate import Operator, Predicate, Value
from sources.maintenance import NO_MAINTENANCE, Maintenance

Options: TypeAlias = Mapping[str, object]
Storage: TypeAlias = Literal[
    "text", "integer", "decimal", "float", "boolean", "date", "timestamp", "timestamptz"
]
_EVERY: Final = frozenset(Kind)
_ORDERED: Final = _EVERY - {Kind.CODE, Kind.BOOLEAN, Kind.DIVISION}
ASKABLE: Final[Mapping[str, frozenset[Kind]]] = {
    Operator.EQ: _EVERY,
    Operator.IN: _EVERY,
    Operator.IS_NULL: _EVERY,
    Operator.LT: _ORDERED,
    Operator.LTE: _ORDERED,
    Operator.GT: _ORDERED,
    Operator.GTE: _ORDERED,
    Operator.STARTS_WITH: frozenset({Kind.STRING}),
    Operator.CONTAINS: frozenset({Kind.STRING}),
    Operator.WITHIN: frozenset({Kind.DIVISION}),
}
"""The kinds of field that each operator says something of."""
REFRESH_SECONDS: Final = 10.0
System: TypeAlias = Literal["MCA-2025", "NBS-2023"]
Form: TypeAlias = Literal["", "yyyymmdd", "yyyymm", "iso", "plain", "epoch_ms"]


@dataclass(frozen=True, slots=True)
class Branch:
    """Everything that begins with the prefix, but for what begins with one of `without`."""

    prefix: str
    without: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Span:
    """Native texts: those of the branches, but for `but`, and those of `among`."""

    branches: tuple[Branch, ...]
    among: tuple[str, ...]
    but: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Places:
    """
    How a codec of divisions asks for a place and all beneath it.

    `within` gives the native texts of a scope, `cover` few native codes that have all of them at or
    beneath them, and where `exact` says so of the scope, nothing else. `readable`: all native texts
    that are a division; None where every text of the right length is one. `digits`: the length; 0
    for any.
    """

    within: Callable[[str], Span]
    cover: Callable[[str], tuple[str, ...]]
    exact: Callable[[str], bool]
    readable: Callable[[], Span] | None = None
    digits: int = 0


@dataclass(frozen=True, slots=True)
class Codec:
    """
    How a field's native values are read and asked for.

    `decode` takes a native value that is not None and gives ours, None (native blank) or INVALID.
    `encode` gives every native value that decodes to ours; none where nothing does.
    `bound` gives the greatest native value that is not above ours, to compare with by <, <=, >, >=
    where `ordered`; where `encode` gives none, < is asked as <= and >= as > (see codec.compared).
    `ordered`: native order is our order, so ranges and sorting may be pushed.
    `textual`: the native text is the value, so startsWith and contains may be pushed.
    `blanks`: trailing blanks of the native text do not count (compare through RTRIM).
    `known`: for codes, the native values that have a canonical code; all others are UNKNOWN.
    `exact`: `encode` leaves none out; where false, equality may not be pushed.
    `nulls`: native values that stand for null, besides NULL itself.
    `total`: every other native value is a value; where false, some are INVALID, for which a pushed
    range, a negation or a sort would not have our meaning.
    `form`: of dates and times kept as text or number, the format; others are INVALID.
    `storage`: the native type, as the driver wants its parameters.
    `places`: of divisions, how a scope is asked for.
    """

    decode: Callable[[object], object]
    encode: Callable[[object], tuple[object, ...]]
    bound: Callable[[object], object]
    ordered: bool = True
    textual: bool = False
    blanks: bool = False
    known: tuple[object, ...] = ()
    exact: bool = True
    nulls: tuple[object, ...] = ()
    total: bool = True
    form: Form = ""
    storage: Storage = "text"
    places: Places | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """A field of the graph and where its values come from; `native`: a column or a dotted path."""

    field: Field
    native: str
    codec: Codec
    identifier: Literal["", "citizen_number", "organisation_code"] = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    """Where a facet hangs: `field` of the core entity `to`, by own field -> field of `to`."""

    to: str
    field: str
    on: tuple[tuple[str, str], ...]
    many: bool = True


@dataclass(frozen=True, slots=True)
class Endpoint:
    """
    How one entity is asked for at a system over HTTP; see docs/adding.md for each option.

    `path`: of a GraphQL service, the root field; its parameters are dotted paths of arguments.
    `parameters`: (field, operator) -> parameter name, for filters the system is declared to run.
    `by_key`: field -> (parameter, batch size).  `rows`: path of the list in the answer.
    `total`: path of the count of rows that match, `answered`: path of the keys it answered for.
    `refusal`: path that is absent, null or empty in an answer that is one.
    """

    method: Literal["GET", "POST"] = "GET"
    path: str = ""
    body: Options = field(default_factory=lambda: MappingProxyType({}))
    parameters_at: str = ""
    fixed: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    by_key: Mapping[str, tuple[str, int]] = field(default_factory=lambda: MappingProxyType({}))
    key_separator: str = ","
    parameters: Mapping[tuple[str, str], str] = field(default_factory=lambda: MappingProxyType({}))
    rows: str = ""
    total: str = ""
    answered: str = ""
    success: tuple[tuple[str, object], ...] = ()
    refusal: str = ""
    paging: "Paging | None" = None
    scan: bool = False
    trusted: bool = False


@dataclass(frozen=True, slots=True)
class Paging:
    """
    How a system over HTTP is asked for the next page.

    Of style "cursor", `next` is the path of the next cursor in the answer; it is absent or null at
    the end, unless `more` is a path that says whether there is one.
    """

    style: Literal["page", "offset", "cursor"]
    parameter: str
    size_parameter: str = ""
    size: int = 100
    first: int = 1
    next: str = ""
    more: str = ""


@dataclass(frozen=True, slots=True)
class Drop:
    """
    Where an entity's file is among those dropped in a directory, and how it is read.

    `pattern`: names of files with * and ?, of which the newest counts. `sheet`: of a workbook; the
    first when empty. `header_row`: the line with the names of the columns, from 1.
    `null`: the text that stands for no value. `rows`: the most that one file may have.
    """

    pattern: str
    encoding: Literal["utf-8", "gbk", "gb18030"] = "utf-8"
    delimiter: str = ","
    sheet: str = ""
    header_row: int = 1
    null: str = ""
    newest: Literal["name", "modified"] = "name"
    rows: int = 1_000_000


@dataclass(frozen=True, slots=True)
class Cache:
    """How long answers about an entity count; `whole`: all of its rows are kept, as one answer."""

    seconds: float
    whole: bool = False


@dataclass(frozen=True, slots=True)
class MappedEntity:
    """
    One entity as one department holds it.

    `constants`: fields that its own rows do not have, with the one value they have in all of them.
    `home`: of an entity that several systems hold, the rows that are this system's own; those that
    are no other's where it is not said. `cache`: how answers are kept; they are not by default.
    """

    entity: Entity
    native: str  # table or view for SQL; empty where there is an `endpoint`
    columns: Mapping[str, Column]
    attachments: tuple[Attachment, ...] = ()
    endpoint: Endpoint | None = None
    line: int = 0
    drop: Drop | None = None
    constants: Mapping[str, Value] = field(default_factory=lambda: MappingProxyType({}))
    home: Predicate | None = None
    cache: Cache | None = None


@dataclass(frozen=True, slots=True)
class Budget:
    """
    What one read may cost: seconds, reads at once, rows; bytes of one answer over HTTP.

    `queue` reads may wait for a place. `retries`: how often one is asked again that did not reach
    the system. After `failures` in a row it is left alone for `pause_seconds`. A copy not older
    than `stale_seconds` may stand in for an answer that did not come; none may by default.
    """

    seconds: float = 2.0
    concurrency: int = 8
    rows: int = 20_000
    bytes: int = 16 * 1024 * 1024
    queue: int = 256
    retries: int = 1
    failures: int = 10
    pause_seconds: float = 1.0
    stale_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Signature:
    """How a request over HTTP is authenticated: a fixed header, or an HMAC of a canonical text."""

    style: Literal["none", "header", "hmac"] = "none"
    header: str = ""
    value: str = field(default="", repr=False)
    key: str = ""
    secret: str = field(default="", repr=False)
    digest: Literal["sha256", "sm3"] = "sha256"


@dataclass(frozen=True, slots=True)
class Department:
    """One mapping file."""

    name: str
    title: str
    department: str
    kind: Literal["sql", "rest", "graphql", "file"]
    url: str = field(repr=False)
    entities: Mapping[str, MappedEntity]
    budget: Budget = Budget()
    divisions: System = "MCA-2025"  # the code system of its division codes
    divisions_since: date | None = None  # they were all in force on that day, or given later
    codes_fingerprint: int = 0  # of how they are read; the code system's tables may change
    coverage: tuple[str, ...] = ()  # divisions it covers; none: all
    freshness_seconds: float | None = None
    binary_collation: bool = False  # its texts already compare by code point
    signature: Signature = Signature()
    time_zone: str = "Asia/Shanghai"
    file: str = ""
    refresh_seconds: float = REFRESH_SECONDS  # how often to look for new files
    maintenance: Maintenance = NO_MAINTENANCE  # when it is not asked
    written: Document | None = field(default=None, repr=False, compare=False)  # with its lines
