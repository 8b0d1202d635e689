"""What a system over HTTP may do wrong: with what it is asked, what it says, or how it says it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, TypeAlias

import orjson

from contract.entity import Kind
from tests.loopback import Delivery, Reply
from tests.scenes.drill.http_proxy import Asked, Fault, Proxied
from tests.scenes.drill.modes import Mode

Json: TypeAlias = Any

_LOGIN = "<!DOCTYPE html><html><body>统一身份认证 请登录</body></html>".encode()
_MEGABYTE = b" " * 1024 * 1024
_MOST_ROWS = 100
_NO_NUMBERS = {str: "NaN", int: "-Infinity", float: "Infinity"}


def _strangers_too(there: Proxied, asked: Asked) -> None:
    """Ask for keys that the caller may not see, beside those that were asked for."""
    for parameter in {*there.key_parameters} & {*asked}:
        own = asked[parameter]
        lists = isinstance(own, list)
        asked[parameter] = [*own, *there.strangers] if lists else ",".join((own, *there.strangers))
        return
    _unfiltered(there, asked)


def _unfiltered(there: Proxied, asked: Asked) -> None:
    """Ask for more keys and by nothing else."""
    for parameter in {*there.endpoint.parameters.values()} - {*there.key_parameters}:
        asked.pop(parameter, None)
    if {*there.key_parameters} & {*asked}:
        _strangers_too(there, asked)


def _unlimited(there: Proxied, asked: Asked) -> None:
    size = there.paging.size_parameter
    asked[size] = type(asked[size])(_MOST_ROWS)


def _first_again(there: Proxied, asked: Asked) -> None:
    place = there.paging.parameter
    if there.paging.style == "cursor":
        asked.pop(place, None)
    else:
        asked[place] = type(asked[place])(there.paging.first)


def changed(change: Callable[[Proxied, Json], None]) -> Callable[[Proxied, Reply], Reply]:
    """Return a fault of the document as a whole."""

    def say(there: Proxied, reply: Reply) -> Reply:
        document = orjson.loads(reply.body)
        change(there, document)
        return replace(reply, body=orjson.dumps(document))

    return say


def rows_changed(
    change: Callable[[Proxied, list[Json]], list[Json]],
) -> Callable[[Proxied, Reply], Reply]:
    """Return a fault of the list of rows."""

    def apply(there: Proxied, document: Json) -> None:
        place, last = _place(document, there.endpoint.rows)
        place[last] = change(there, place[last])

    return changed(apply)


def _place(document: Json, path: str) -> tuple[Json, str]:
    *outer, last = path.split(".")
    for name in outer:
        document = document.get(name) or {}
    return document, last


def _values(there: Proxied, row: Json) -> dict[str, Any]:
    """Return the members of a row that are neither its key nor whose it is."""
    names = {*there.mapped.entity.key, *there.endpoint.by_key}
    kept = {there.mapped.columns[name].native for name in names}
    return {name: value for name, value in row.items() if name not in kept}


def _wrong_types(there: Proxied, rows: list[Json]) -> list[Json]:
    return [
        {**row, **{name: _other_type(value) for name, value in _values(there, row).items()}}
        for row in rows
    ]


def _other_type(value: Any) -> Any:
    match value:
        case bool():
            return "maybe"
        case int() | float():
            return ["seven"]
        case str():
            return {"text": value}
        case None:
            return []
        case _:
            return "object"


def _keys_of_wrong_type(there: Proxied, rows: list[Json]) -> list[Json]:
    values = [_values(there, row) for row in rows]
    return [
        {name: value if name in kept else [value] for name, value in row.items()}
        for row, kept in zip(rows, values, strict=True)
    ]


def _values_missing(there: Proxied, rows: list[Json]) -> list[Json]:
    return [{n: v for n, v in row.items() if n not in _values(there, row)} for row in rows]


def _keys_missing(there: Proxied, rows: list[Json]) -> list[Json]:
    return [_values(there, row) for row in rows]


def _without_total(there: Proxied, document: Json) -> None:
    place, last = _place(document, there.endpoint.total)
    del place[last]


def _more_members(there: Proxied, document: Json) -> None:
    document["traceId"] = "x"
    place, last = _place(document, there.endpoint.rows)
    place["extra"] = {"rows": [], "total": 0}
    place[last] = [{**row, "EXTRA_": 1, "extra": {"a": [None]}} for row in place[last]]


def _twice(_: Proxied, rows: list[Json]) -> list[Json]:
    return [row for row in rows for _ in range(2)]


def _twice_in_part(there: Proxied, document: Json) -> None:
    """Put the first row in the place of the last: as many rows as before, one of them twice."""
    place, last = _place(document, there.endpoint.rows)
    if len(place[last]) > 1:
        place[last] = [*place[last][:-1], place[last][0]]


def _in_two_minds(there: Proxied, rows: list[Json]) -> list[Json]:
    return [each for row in rows for each in (row, _wrong_types(there, [row])[0])]


def _total(step: int) -> Callable[[Proxied, Json], None]:
    def change(there: Proxied, document: Json) -> None:
        place, last = _place(document, there.endpoint.total)
        place[last] = max(0, place[last] + step)

    return change


def _cut_by_rows(there: Proxied, rows: list[Json]) -> list[Json]:
    return rows[:-1]


def _not_a_number(_: Proxied, reply: Reply) -> Reply:
    """Put NaN where a number is, and beside the rows where there is none."""
    spoilt = re.sub(rb":\s?-?\d+(?=[,}])", b":NaN", reply.body)
    return replace(reply, body=spoilt if spoilt != reply.body else b'{"n":NaN,' + reply.body[1:])


def _infinite(there: Proxied, rows: list[Json]) -> list[Json]:
    """Spell NaN and infinity as texts and numbers do, where numbers and days are."""
    wanted = [
        column.native
        for column in there.mapped.columns.values()
        if column.field.kind in (Kind.DECIMAL, Kind.INTEGER, Kind.DATE, Kind.DATETIME)
    ]
    for row in rows:
        for path in wanted:
            place, last = _place(row, path)
            if last in place:
                place[last] = _NO_NUMBERS.get(type(place[last]), place[last])
    return rows


def _deep_member(levels: int) -> Callable[[Proxied, Reply], Reply]:
    def say(_: Proxied, reply: Reply) -> Reply:
        deep = b"[" * levels + b"]" * levels
        return replace(reply, body=b'{"deep":' + deep + b"," + reply.body[1:])

    return say


def _at_another_time(there: Proxied, reply: Reply) -> Reply:
    """Say everything a year late, in the header and in each row's own time of change."""
    later = datetime.now(UTC) + timedelta(days=365)
    date = ("Date", format_datetime(later, usegmt=True))
    expires = ("Expires", "Thu, 01 Jan 1970 00:00:00 GMT")
    as_of = there.mapped.entity.as_of
    changed_at = there.mapped.columns[as_of].native if as_of else ""
    document = orjson.loads(reply.body)
    place, last = _place(document, there.endpoint.rows)
    for row in place[last]:
        if changed_at in row:
            row[changed_at] = _year_later(row[changed_at])
    return replace(reply, body=orjson.dumps(document), headers=(*reply.headers, date, expires))


def _year_later(native: Any) -> Any:
    if isinstance(native, int):
        return native + 365 * 86_400_000
    if native is None:
        return None
    return re.sub(r"^\d{4}", lambda year: str(int(year[0]) + 1), native)


def _refused_for_the_time(_: Proxied, reply: Reply) -> Reply:
    """Say what a system says whose clock does not agree with the time of the signature."""
    return replace(reply, status=401, body='{"message":"请求已过期或重复"}'.encode())


def _status(status: int, *headers: tuple[str, str]) -> Callable[[Proxied, Reply], Reply]:
    def say(_: Proxied, reply: Reply) -> Reply:
        return Reply(b'{"message":"busy"}', status, (*reply.headers, *headers))

    return say


def _delivered(delivery: Delivery) -> Callable[[Proxied, Reply], Reply]:
    return lambda _, reply: replace(reply, delivery=delivery)


def _login_page(_: Proxied, reply: Reply) -> Reply:
    return Reply(_LOGIN, 200, (("Content-Type", "text/html; charset=utf-8"),))


def _half(_: Proxied, reply: Reply) -> Reply:
    return replace(reply, body=reply.body[: len(reply.body) // 2])


def _giant(delivery: Delivery) -> Callable[[Proxied, Reply], Reply]:
    return lambda _, reply: replace(reply, body=reply.body + _MEGABYTE, delivery=delivery)


FAULTS: Mapping[Mode, Mapping[str, Fault]] = {
    Mode.HANG: {
        "no answer": Fault(say=_delivered(Delivery.HANG)),
    },
    Mode.DRIP: {
        "a byte at a time": Fault(say=_delivered(Delivery.DRIP)),
        "a header without an end": Fault(say=_delivered(Delivery.HEADER_DRIP)),
    },
    Mode.FAILED: {"500": Fault(say=_status(500)), "503": Fault(say=_status(503))},
    Mode.BUSY: {"429": Fault(say=_status(429, ("Retry-After", "60")))},
    Mode.RESET: {"half the body": Fault(say=_delivered(Delivery.RESET))},
    Mode.HTML: {"a login page": Fault(say=_login_page)},
    Mode.TRUNCATED: {
        "half the body": Fault(say=_half),
        "a row less": Fault(say=rows_changed(_cut_by_rows)),
    },
    Mode.WRONG_TYPES: {
        "values": Fault(say=rows_changed(_wrong_types)),
        "keys": Fault(say=rows_changed(_keys_of_wrong_type)),
    },
    Mode.MISSING_KEYS: {
        "values": Fault(say=rows_changed(_values_missing)),
        "keys": Fault(say=rows_changed(_keys_missing)),
        "the total": Fault(say=changed(_without_total)),
    },
    Mode.EXTRA_KEYS: {"everywhere": Fault(say=changed(_more_members))},
    Mode.DUPLICATES: {
        "each row twice": Fault(say=rows_changed(_twice)),
        "one row twice, one not": Fault(say=changed(_twice_in_part)),
        "twice and different": Fault(say=rows_changed(_in_two_minds)),
    },
    Mode.OUT_OF_SCOPE: {"other people's too": Fault(ask=_strangers_too)},
    Mode.IGNORED_FILTER: {"whatever was asked": Fault(ask=_unfiltered)},
    Mode.IGNORED_LIMIT: {"all on a page": Fault(ask=_unlimited)},
    Mode.REPEATED_PAGE: {"the first one always": Fault(ask=_first_again)},
    Mode.WRONG_TOTAL: {
        "one more": Fault(say=changed(_total(1))),
        "one less": Fault(say=changed(_total(-1))),
    },
    Mode.GIANT: {
        "with its length": Fault(say=_giant(Delivery.WHOLE)),
        "in chunks": Fault(say=_giant(Delivery.CHUNKED)),
    },
    Mode.NAN: {
        "numbers": Fault(say=_not_a_number),
        "texts": Fault(say=rows_changed(_infinite)),
    },
    Mode.DEEP: {
        "65 levels": Fault(say=_deep_member(65)),
        "20,000 levels": Fault(say=_deep_member(20_000)),
    },
    Mode.CLOCK: {
        "a year later": Fault(say=_at_another_time),
        "signatures out of time": Fault(say=_refused_for_the_time),
    },
}
