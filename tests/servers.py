"""A department's REST system over fixed rows that misbehaves on demand."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from tests.loopback import Delivery, Received, Reply, json_reply

Record = Mapping[str, object]


class Fault(Enum):
    """What a department's system may do wrong."""

    NONE = auto()
    HANG = auto()
    DRIP = auto()
    HEADER_DRIP = auto()
    RESET = auto()
    FAILED = auto()
    BUSY = auto()
    UNAUTHORISED = auto()
    REDIRECT = auto()
    PACKED = auto()
    HTML = auto()
    EMPTY = auto()
    TRUNCATED = auto()
    NAN = auto()
    DEEP = auto()
    NOT_UTF8 = auto()
    REPEATED_NAME = auto()
    GIANT = auto()
    GIANT_CHUNKED = auto()
    NO_ROWS = auto()
    NULL_ROWS = auto()
    ROWS_NOT_A_LIST = auto()
    ROW_NOT_AN_OBJECT = auto()
    NOT_SUCCESSFUL = auto()
    WRONG_TYPES = auto()
    WRONG_KEY_TYPE = auto()
    NULL_KEY = auto()
    MISSING_KEY = auto()
    MISSING_VALUE = auto()
    EXTRA_KEYS = auto()
    DUPLICATE_ROWS = auto()
    CONFLICTING_ROWS = auto()
    FOREIGN_ROWS = auto()
    IGNORED_FILTER = auto()
    IGNORED_LIMIT = auto()
    REPEATED_PAGE = auto()
    SHORT_PAGE = auto()
    ENDLESS = auto()
    WRONG_TOTAL = auto()
    NO_TOTAL = auto()
    UNANSWERED_KEY = auto()


@dataclass(slots=True)
class Department:
    """
    A department's REST system over fixed rows, and what it does wrong.

    It answers `{"infcode": 0, "output": {"rows", "total", "answered", "next"}}`; takes the key
    (comma separated), the filters, and pages by pageNum and pageSize, offset and limit, or cursor
    and limit.
    """

    rows: Sequence[Record]
    fault: Fault = Fault.NONE
    key: str = "certno"
    filters: tuple[str, ...] = ("insutype",)
    asked: list[dict[str, str]] = field(default_factory=list)

    def __call__(self, received: Received) -> Reply:
        parameters = received.parameters
        if received.method == "POST":
            parameters = {name: _text(value) for name, value in _posted(received.body).items()}
        self.asked.append(parameters)
        return self.answer(parameters)

    def answer(self, parameters: Mapping[str, str]) -> Reply:
        if self.fault in _REPLIES:
            return _REPLIES[self.fault]
        document = self._document(parameters)
        if self.fault in _DOCUMENTS:
            _DOCUMENTS[self.fault](document)
        reply = json_reply(document)
        return _WIRE[self.fault](reply) if self.fault in _WIRE else reply

    def _document(self, parameters: Mapping[str, str]) -> "Document":
        rows = [row for row in self.rows if self._matches(row, parameters)]
        page, following = self._page(rows, parameters)
        output: Document = {"rows": [dict(row) for row in page], "total": len(rows)}
        if self.key in parameters:
            output["answered"] = parameters[self.key].split(",")
        if following is not None:
            output["next"] = following
        return {"infcode": 0, "output": output}

    def _matches(self, row: Record, parameters: Mapping[str, str]) -> bool:
        asked = parameters.get(self.key)
        if asked is not None and row.get(self.key) not in asked.split(","):
            return self.fault is Fault.FOREIGN_ROWS
        return self.fault is Fault.IGNORED_FILTER or all(
            parameters.get(name, row.get(name)) == row.get(name) for name in self.filters
        )

    def _page(
        self, rows: Sequence[Record], parameters: Mapping[str, str]
    ) -> tuple[Sequence[Record], str | None]:
        size = int(parameters.get("pageSize", parameters.get("limit", "0"))) or len(rows)
        if self.fault is Fault.IGNORED_LIMIT:
            return rows, None
        start = _start(parameters, size)
        if self.fault is Fault.REPEATED_PAGE:
            start = 0
        if self.fault is Fault.SHORT_PAGE:
            following = str(start + size) if start + size < len(rows) else None
            return rows[start : start + size - 1], following
        if self.fault is Fault.ENDLESS:
            return [{**rows[0], "psn_no": f"E{start + n}"} for n in range(size)], str(start + size)
        end = start + size
        return rows[start:end], str(end) if end < len(rows) else None


Document = dict[str, object]


def _posted(body: bytes) -> Mapping[str, object]:
    document = json.loads(body)
    inner = document.get("data", document)
    assert isinstance(inner, dict)
    return inner


def _text(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _start(parameters: Mapping[str, str], size: int) -> int:
    if "pageNum" in parameters:
        return (int(parameters["pageNum"]) - 1) * size
    return int(parameters.get("offset", parameters.get("cursor", "0")))


def _rows(document: Document) -> list[Document]:
    output = document["output"]
    assert isinstance(output, dict)
    rows = output["rows"]
    assert isinstance(rows, list)
    return rows


def _output(name: str, value: object) -> Callable[[Document], None]:
    def change(document: Document) -> None:
        output = document["output"]
        assert isinstance(output, dict)
        output[name] = value

    return change


def _without(name: str) -> Callable[[Document], None]:
    def change(document: Document) -> None:
        output = document["output"]
        assert isinstance(output, dict)
        del output[name]

    return change


def _value(name: str, value: object) -> Callable[[Document], None]:
    def change(document: Document) -> None:
        for row in _rows(document)[:1]:
            row[name] = value

    return change


def _without_value(name: str) -> Callable[[Document], None]:
    def change(document: Document) -> None:
        for row in _rows(document)[:1]:
            del row[name]

    return change


def _extra_keys(document: Document) -> None:
    document["extra"] = {"infcode": 9}
    for row in _rows(document):
        row["extra"] = [{"certno": "X"}]


def _duplicate(document: Document) -> None:
    rows = _rows(document)
    rows.extend([dict(row) for row in rows])
    _output("total", len(rows))(document)


def _conflict(document: Document) -> None:
    rows = _rows(document)
    rows.append({**rows[0], "balc": "-1"})
    _output("total", len(rows))(document)


def _unsuccessful(document: Document) -> None:
    document["infcode"] = -1


def _row_not_an_object(document: Document) -> None:
    rows: list[object] = [*_rows(document), 7]
    _output("rows", rows)(document)


def _unanswered(document: Document) -> None:
    _output("answered", [])(document)


_REPLIES: Mapping[Fault, Reply] = {
    Fault.HANG: Reply(delivery=Delivery.HANG),
    Fault.HEADER_DRIP: Reply(delivery=Delivery.HEADER_DRIP),
    Fault.FAILED: json_reply({"error": "boom"}, 500),
    Fault.BUSY: json_reply({"error": "later"}, 429),
    Fault.UNAUTHORISED: json_reply({"error": "who"}, 401),
    Fault.REDIRECT: Reply(status=302, headers=(("Location", "/elsewhere"),)),
    Fault.PACKED: Reply(b"\x1f\x8b", headers=(("Content-Encoding", "gzip"),)),
    Fault.HTML: Reply("<html>请登录</html>".encode(), headers=(("Content-Type", "text/html"),)),
    Fault.EMPTY: Reply(),
    Fault.DEEP: Reply(b'{"infcode": 0, "output": ' + b"[" * 100 + b"]" * 100 + b"}"),
    Fault.GIANT: Reply(b" " * 2_000_000),
    Fault.GIANT_CHUNKED: Reply(b" " * 2_000_000, delivery=Delivery.CHUNKED),
}

_DOCUMENTS: Mapping[Fault, Callable[[Document], None]] = {
    Fault.NO_ROWS: _without("rows"),
    Fault.NULL_ROWS: _output("rows", None),
    Fault.ROWS_NOT_A_LIST: _output("rows", {"0": {}}),
    Fault.ROW_NOT_AN_OBJECT: _row_not_an_object,
    Fault.NOT_SUCCESSFUL: _unsuccessful,
    Fault.WRONG_TYPES: _value("balc", {"amount": 1}),
    Fault.WRONG_KEY_TYPE: _value("psn_no", {"number": 1}),
    Fault.NULL_KEY: _value("psn_no", None),
    Fault.MISSING_KEY: _without_value("psn_no"),
    Fault.MISSING_VALUE: _without_value("balc"),
    Fault.EXTRA_KEYS: _extra_keys,
    Fault.DUPLICATE_ROWS: _duplicate,
    Fault.CONFLICTING_ROWS: _conflict,
    Fault.WRONG_TOTAL: _output("total", 99),
    Fault.NO_TOTAL: _without("total"),
    Fault.UNANSWERED_KEY: _unanswered,
}

_WIRE: Mapping[Fault, Callable[[Reply], Reply]] = {
    Fault.DRIP: lambda reply: Reply(reply.body, delivery=Delivery.DRIP),
    Fault.RESET: lambda reply: Reply(reply.body, delivery=Delivery.RESET),
    Fault.TRUNCATED: lambda reply: Reply(reply.body[:-9]),
    Fault.NAN: lambda reply: Reply(reply.body.replace(b'"balc": "', b'"balc": NaN, "was": "')),
    Fault.NOT_UTF8: lambda reply: Reply(reply.body.replace(b'"certno": "', b'"certno": "\xff')),
    Fault.REPEATED_NAME: lambda reply: Reply(
        reply.body.replace(b'"psn_no"', b'"psn_no": "P0", "psn_no"', 1)
    ),
}
