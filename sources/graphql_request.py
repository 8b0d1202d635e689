"""How a question becomes an operation of a GraphQL service: text, variables, signature."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import orjson
from graphql import GraphQLField

from sources.declaration import Endpoint
from sources.graphql_document import Shape, document
from sources.graphql_schema import argument_type, given, holds, placed
from sources.parameter import Parameter, Selection
from sources.signature import Signer
from transport.http import HttpRequest

_HEADERS: Final = (
    ("Accept", "application/graphql-response+json, application/json"),
    ("Content-Type", "application/json"),
)


@dataclass(frozen=True, slots=True)
class Post:
    """Where and how a service is sent anything; `max_bytes` is the cap on each answer."""

    url: str
    signer: Signer
    max_bytes: int

    def request(self, text: str, variables: dict[str, object], seconds: float) -> HttpRequest:
        """Return the signed request for one operation."""
        body = orjson.dumps({"query": text, "variables": variables})
        parts = urlsplit(self.url)
        signed = self.signer.headers("POST", parts.path or "/", parts.query, body)
        return HttpRequest("POST", self.url, (*_HEADERS, *signed), body, seconds, self.max_bytes)


@dataclass(frozen=True, slots=True)
class GraphqlRequests:
    """Makes the operations of one entity; `root` is the field its rows come from."""

    post: Post
    endpoint: Endpoint
    root: GraphQLField

    def writable(self, parameter: str, native: object) -> bool:
        """Return whether a value of the argument's type can be the native."""
        kind = argument_type(self.root, parameter)
        return kind is not None and holds(kind, native)

    def request(
        self, selection: Selection, parameters: Iterable[Parameter], seconds: float
    ) -> HttpRequest:
        """Return the signed operation, the fixed arguments included."""
        given_ones = [(path, self._given(path, value)) for path, value in parameters]
        variables = placed((*self.endpoint.fixed.items(), *given_ones))
        arguments = tuple(
            (name, str(argument.type))
            for name, argument in self.root.args.items()
            if name in variables
        )
        shape = Shape(self.endpoint.path, arguments, self._selected(selection))
        return self.post.request(document(shape), variables, seconds)

    def _given(self, path: str, value: object) -> object:
        kind = argument_type(self.root, path)
        return value if kind is None else given(kind, value)

    def _selected(self, selection: Selection) -> tuple[str, ...]:
        paging = self.endpoint.paging
        rows = below_root(self.endpoint, self.endpoint.rows)
        wanted = (f"{rows}.{native}" if rows else native for native in selection)
        others = (self.endpoint.total, self.endpoint.answered)
        pages = (paging.next, paging.more) if paging else ()
        return (
            *wanted,
            *(below_root(self.endpoint, path) for path in (*others, *pages) if path),
        )


def below_root(endpoint: Endpoint, path: str) -> str:
    """Return a path of the answer as it is below the root field."""
    return path.removeprefix(f"data.{endpoint.path}").removeprefix(".")
