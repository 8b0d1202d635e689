"""
HTTP as it arrives: a deadline for requests that come by drops, and bounds for what is not yet read.

A request, head and body, is whole within the deadline of its connection or its first byte, or the
connection is closed; while an earlier request of the connection is not answered, its time stands
still. uvicorn itself waits for ever, and its parser keeps a head of any size.
"""

import asyncio
from typing import ClassVar, Final

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

MAXIMUM_UNREAD_BYTES: Final = 16 * 1024
"""The most that may arrive without an end: of a head, of a chunk's size, of trailers."""
MOST_WAITING: Final = 100
"""The most requests of a connection that wait for the answer to the first of them."""
_VERSIONS: Final = frozenset({"1.0", "1.1"})
_CODING: Final = b"transfer-encoding"
_FRAMED: Final[tuple[list[bytes], ...]] = ([], [b"chunked"])
_REFUSED: Final = "Invalid HTTP request received."


class Refused(Exception):
    """A request that is none; raised within the parser, which says so as its own error."""


class Deadline(HttpToolsProtocol):
    """uvicorn's HTTP protocol with a deadline for receiving each request."""

    seconds: ClassVar[float] = 10
    _timer: asyncio.TimerHandle | None = None
    _is_whole = False
    _is_in_head = True
    _unread = 0
    _answered: RequestResponseCycle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start with the connection: a client may send nothing at all."""
        super().connection_made(transport)
        self._start()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop with the connection; uvicorn itself tells the last request alone."""
        self._stop()
        super().connection_lost(exc)
        if self._answered is not None:
            self._answered.disconnected = True

    def data_received(self, data: bytes) -> None:
        """Start with a request's first byte and stop with its last."""
        self._unset_keepalive_if_required()
        self._is_whole = False
        self._unread += len(data)
        try:
            self._feed(data)
        except httptools.HttpParserError:
            self._refuse()
            return
        if self._unread > MAXIMUM_UNREAD_BYTES:
            self._refuse()
            return
        self._watch()

    def on_message_begin(self) -> None:
        """Begin to read a head."""
        super().on_message_begin()
        self._is_whole = False
        self._is_in_head = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take over a line of the head; what stands behind a body counts for nothing."""
        if self._is_in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """
        Ask the application.

        Raises: Refused.
        """
        if self.parser.should_upgrade():
            return  # to be read anew
        self._check_head()
        self._is_in_head = False
        self._unread = 0
        super().on_headers_complete()
        if not self.pipeline:
            self._answered = self.cycle
        if len(self.pipeline) > MOST_WAITING:
            raise Refused

    def on_body(self, body: bytes) -> None:
        """Hand over a piece of the body."""
        self._unread = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Know that the request is whole."""
        if self.parser.should_upgrade():
            return
        self._is_in_head = True
        self._is_whole = not self.cycle.response_complete  # else the next one is awaited
        self._unread = 0
        self._stop()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Go on with the next request, whose time is counted from here where it had to wait."""
        if self.pipeline:
            self._answered = self.pipeline[-1][0]
        super().on_response_complete()
        self._watch()

    def _feed(self, data: bytes) -> None:
        """
        Parse what came; to another protocol than HTTP/1.1 nothing is ever switched.

        The parser passes over the body of a request that proposes it (as some clients do with each
        first one), so such a request is read anew without the proposal.
        Raises: HttpParserError.
        """
        while True:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as proposal:
                data = self._head_alone() + data[proposal.args[0] :]
                self.parser = httptools.HttpRequestParser(self)
            else:
                return

    def _head_alone(self) -> bytes:
        method = self.parser.get_method()
        if method == b"CONNECT":
            raise httptools.HttpParserError
        version = self.parser.get_http_version().encode()
        lines = [b"%b: %b\r\n" % each for each in self.headers if each[0] != b"upgrade"]
        return b"%b %b HTTP/%b\r\n%b\r\n" % (method, self.url, version, b"".join(lines))

    def _check_head(self) -> None:
        version = self.parser.get_http_version()
        hosts = sum(name == b"host" for name, _ in self.headers)
        codings = [text.strip().lower() for name, text in self.headers if name == _CODING]
        is_addressed = hosts == 1 or (not hosts and version == "1.0")
        is_framed = codings in _FRAMED  # a proxy may see another end of any other body
        if version not in _VERSIONS or not is_addressed or not is_framed:
            raise Refused

    def _refuse(self) -> None:
        self.logger.warning(_REFUSED)
        self.send_400_response(_REFUSED)

    def _watch(self) -> None:
        if self._is_whole or self._has_to_wait():
            self._stop()
        else:
            self._start()

    def _has_to_wait(self) -> bool:
        """Return whether what arrives is answered only after an earlier request."""
        if self.pipeline or not self._is_in_head:
            return bool(self.pipeline)
        return self.cycle is not None and not self.cycle.response_complete  # type: ignore[redundant-expr] # none before the first request

    def _start(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(self.seconds, self._expire)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _expire(self) -> None:
        self._timer = None
        self.transport.close()


def deadline_protocol(seconds: float) -> type[Deadline]:
    """Return the protocol for this deadline."""
    return type("Deadline", (Deadline,), {"seconds": seconds})
