"""How parameters become a request of a REST system: query or body, spelling, signature."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

import orjson

from sources.declaration import Endpoint
from sources.parameter import Parameter, Selection, spelled
from sources.signature import Headers, Signer
from transport.http import HttpRequest

_ACCEPT: Final = ("Accept", "application/json")
_CONTENT: Final = ("Content-Type", "application/json")


@dataclass(frozen=True, slots=True)
class RestRequests:
    """Makes the requests of one entity; `max_bytes` is the cap on each answer."""

    url: str
    endpoint: Endpoint
    signer: Signer
    max_bytes: int

    def writable(self, parameter: str, native: object) -> bool:
        """Return whether the native value can be sent: a query takes any."""
        return True

    def request(self, _: Selection, parameters: Iterable[Parameter], seconds: float) -> HttpRequest:
        """Return the signed request for the parameters, the fixed ones included."""
        parameters = (*self.endpoint.fixed.items(), *parameters)
        if self.endpoint.method == "GET":
            return self._signed(_query(parameters, self.endpoint.key_separator), b"", seconds)
        return self._signed("", _body(self.endpoint, parameters), seconds)

    def _signed(self, query: str, body: bytes, seconds: float) -> HttpRequest:
        method = self.endpoint.method
        address = self.url.rstrip("/") + quote(self.endpoint.path, safe="/%")
        signed = self.signer.headers(method, urlsplit(address).path or "/", query, body)
        headers: Headers = (_ACCEPT, *((_CONTENT,) if body else ()), *signed)
        url = f"{address}?{query}" if query else address
        return HttpRequest(method, url, headers, body, seconds, self.max_bytes)


def _query(parameters: Iterable[Parameter], separator: str) -> str:
    pairs: list[tuple[str, str]] = []
    for name, value in parameters:
        values = [spelled(one) for one in value] if isinstance(value, tuple) else [spelled(value)]
        pairs.extend((name, text) for text in ([separator.join(values)] if separator else values))
    # quote, not quote_plus: a blank is %20 for every reader; sorted, as it is signed.
    return urlencode(sorted(pairs), quote_via=quote, safe="")


def _body(endpoint: Endpoint, parameters: Iterable[Parameter]) -> bytes:
    values = {name: _json(value, endpoint.key_separator) for name, value in parameters}
    path = tuple(endpoint.parameters_at.split(".")) if endpoint.parameters_at else ()
    return orjson.dumps(_merged(endpoint.body, path, values))


def _merged(
    document: Mapping[str, object], path: tuple[str, ...], values: Mapping[str, object]
) -> dict[str, object]:
    if not path:
        return {**document, **values}
    inner = document.get(path[0], {})
    below = inner if isinstance(inner, Mapping) else {}
    return {**document, path[0]: _merged(below, path[1:], values)}


def _json(value: object, separator: str) -> object:
    if isinstance(value, tuple):
        if separator:
            return separator.join(spelled(one) for one in value)
        return [_json(one, separator) for one in value]
    if isinstance(value, Decimal):
        return orjson.Fragment(spelled(value))
    return value if isinstance(value, str | int | float) else spelled(value)
