"""A proxy before a system over HTTP that can ask it for something else and change what it says."""

import http.client
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, urlencode

import orjson

from sources.declaration import Department, Endpoint, MappedEntity, Paging
from sources.signature import Signer
from tests.loopback import Received, Reply

Asked: TypeAlias = dict[str, Any]
"""The parameters of a request by their dotted names; keys that go together are one value."""

INTROSPECTION = b"__schema"


@dataclass(frozen=True, slots=True)
class Fault:
    """What the proxy does: `ask` with other parameters, `say` another reply."""

    ask: Callable[["Proxied", Asked], None] | None = None
    say: Callable[["Proxied", Reply], Reply] | None = None


HONEST = Fault()


@dataclass(slots=True)
class Proxied:
    """One system behind the proxy; `struck` counts the replies that were not the honest ones."""

    department: Department
    mapped: MappedEntity
    port: int
    strangers: tuple[str, ...] = ()
    fault: Fault = HONEST
    struck: int = 0

    @property
    def endpoint(self) -> Endpoint:
        assert self.mapped.endpoint is not None
        return self.mapped.endpoint

    @property
    def paging(self) -> Paging:
        assert self.endpoint.paging is not None
        return self.endpoint.paging

    @property
    def key_parameters(self) -> tuple[str, ...]:
        return tuple(parameter for parameter, _ in self.endpoint.by_key.values())

    def __call__(self, received: Received) -> Reply:
        honest = self._forwarded(received)
        if INTROSPECTION in received.body:
            return honest
        reply = honest
        if self.fault.ask is not None:
            reply = self._forwarded(self._asking_otherwise(received, self.fault.ask))
            assert reply.status == 200, reply.body
        if self.fault.say is not None:
            reply = self.fault.say(self, reply)
        self.struck += reply != honest
        return reply

    def _forwarded(self, received: Received) -> Reply:
        signed = Signer(self.department.signature).headers(
            received.method, received.path, received.raw_query, received.body
        )
        kept = {n: v for n, v in received.headers.items() if n in ("content-type", "accept")}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        target = f"{received.path}?{received.raw_query}" if received.raw_query else received.path
        connection.request(received.method, target, received.body, {**kept, **dict(signed)})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return Reply(body, answer.status)

    def _asking_otherwise(
        self, received: Received, change: Callable[["Proxied", Asked], None]
    ) -> Received:
        if received.method == "GET":
            asked: Asked = dict(parse_qsl(received.raw_query, keep_blank_values=True))
            change(self, asked)
            return replace(received, raw_query=urlencode(asked))
        document = orjson.loads(received.body)
        graphql = self.department.kind == "graphql"
        asked = document["variables"] if graphql else document["input"]
        flat = _flat(asked) if graphql else dict(asked)
        change(self, flat)
        asked.clear()
        asked.update(_deep(flat) if graphql else flat)
        return replace(received, body=orjson.dumps(document))


def _flat(asked: Asked, above: str = "") -> Asked:
    flat: Asked = {}
    for name, value in asked.items():
        inner = _flat(value, f"{above}{name}.") if isinstance(value, dict) else None
        flat |= inner if inner is not None else {f"{above}{name}": value}
    return flat


def _deep(flat: Asked) -> Asked:
    deep: Asked = {}
    for path, value in flat.items():
        *outer, last = path.split(".")
        place = deep
        for name in outer:
            place = place.setdefault(name, {})
        place[last] = value
    return deep
