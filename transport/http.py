"""
The one road to other systems over HTTP; nobody else imports httpx.

A request runs in a task of its own that nobody cancels and that its deadline ends: httpx 0.28 leaks
a place in its pool for each request cancelled at the wrong moment, and wedges once all are gone
(encode/httpcore 1093). Who is cancelled while waiting leaves the task behind. httpx's transport is
used without its client: the client would follow the environment's proxies, keep cookies, and log
addresses, which may hold citizen numbers.

    TransportFailure
    ├── Unreachable    no connection, or it broke before the answer was whole
    ├── TooSlow        the deadline passed
    ├── TooLarge       the answer has more bytes than the request allows
    ├── Unreadable     the answer is packed in a way nobody asked for
    └── BadStatus      the answer is not 2xx; redirects are not followed
"""

import asyncio
import ssl
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final, Self, TypeAlias

import httpcore
import httpx

_IDLE_SECONDS: Final = 3.0  # under the five seconds after which common servers hang up

_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)


class TransportFailure(Exception):
    """No whole 2xx answer came; the text holds no part of the request or the answer."""


class Unreachable(TransportFailure):
    """There was no connection, or it broke before the answer was whole."""


class TooSlow(TransportFailure):
    """The deadline passed before the answer was whole."""


class TooLarge(TransportFailure):
    """The answer has more bytes than the request allows."""


class Unreadable(TransportFailure):
    """The answer is packed in a way nobody asked for."""


class BadStatus(TransportFailure):
    """The answer's status is not 2xx."""

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(f"status {status}")


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request; `seconds` is the time for all of it, waiting for a free connection included."""

    method: str
    url: str = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)
    seconds: float = 2.0
    max_bytes: int = 16 * 1024 * 1024


Outcome: TypeAlias = bytes | TransportFailure


class HttpClient:
    """Sends requests over at most `connections` connections; belongs to one event loop."""

    def __init__(self, connections: int = 16) -> None:
        self._transport = _Transport(connections)
        self._slots = asyncio.Semaphore(connections)
        self._running: set[asyncio.Task[Outcome]] = set()
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def send(self, request: HttpRequest) -> bytes:
        """
        Return the body of the answer.

        Raises: TransportFailure when no whole 2xx answer came before the deadline.
        """
        deadline = _now() + request.seconds
        await self._slot(request.seconds)
        # From here to the start of the task nothing waits, so a slot is never lost.
        task = asyncio.create_task(_exchange(self._transport, request, deadline))
        self._running.add(task)
        task.add_done_callback(self._ended)
        # `wait` leaves the task alone when the time is up or the caller is cancelled.
        await asyncio.wait((task,), timeout=max(0.0, deadline - _now()))
        outcome = task.result() if task.done() else TooSlow("deadline")
        if isinstance(outcome, TransportFailure):
            raise outcome
        return outcome

    async def drain(self) -> None:
        """Wait until nothing runs any more, abandoned requests included."""
        while self._running:
            await asyncio.wait(self._running)

    async def aclose(self) -> None:
        """Take no more requests, wait for those that run, close the connections."""
        self._closed = True
        await self.drain()
        await self._transport.aclose()

    async def _slot(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._slots.acquire()
        except TimeoutError:
            raise TooSlow("no free connection") from None
        if self._closed:
            self._slots.release()
            raise Unreachable("closed")

    def _ended(self, task: asyncio.Task[Outcome]) -> None:
        self._running.discard(task)
        self._slots.release()


async def _exchange(transport: httpx.AsyncBaseTransport, asked: HttpRequest, end: float) -> Outcome:
    _deadline.set(end)
    try:
        response = await transport.handle_async_request(_native(asked))
        try:
            return await _body(response, asked.max_bytes)
        finally:
            await response.aclose()
    except TransportFailure as failure:
        return failure
    except (httpx.TransportError, httpx.InvalidURL) as error:
        return failure_of(error)


def failure_of(error: httpx.TransportError | httpx.InvalidURL) -> TransportFailure:
    """Return our word for an error of httpx."""
    if isinstance(error, httpx.TimeoutException):
        return TooSlow(type(error).__name__)
    # The text of an invalid address repeats it.
    told = "" if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol) else f": {error}"
    return Unreachable(f"{type(error).__name__}{told}")


def _native(asked: HttpRequest) -> httpx.Request:
    headers = [("Accept-Encoding", "identity"), ("User-Agent", "township-graph"), *asked.headers]
    encoded = [(name.encode(), value.encode()) for name, value in headers]
    return httpx.Request(asked.method, asked.url, headers=encoded, content=asked.body or None)


async def _body(response: httpx.Response, max_bytes: int) -> bytes:
    if not response.is_success:
        raise BadStatus(response.status_code)
    # A packed answer could unpack to any size.
    if response.headers.get("content-encoding", "identity") != "identity":
        raise Unreadable("content encoding")
    if _declared_length(response) > max_bytes:
        raise TooLarge("declared length")
    parts: list[bytes] = []
    size = 0
    async for part in response.aiter_raw():
        size += len(part)
        if size > max_bytes:
            raise TooLarge("length")
        parts.append(part)
    return b"".join(parts)


def _declared_length(response: httpx.Response) -> int:
    declared = response.headers.get("content-length", "")
    return int(declared) if declared.isdecimal() else 0


class _Transport(httpx.AsyncHTTPTransport):
    """httpx's transport over connections whose every step ends with the request's deadline."""

    def __init__(self, connections: int) -> None:
        context = ssl.create_default_context()
        super().__init__(verify=context, trust_env=False)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=context,
            max_connections=connections,
            keepalive_expiry=_IDLE_SECONDS,
            network_backend=_Network(),
        )


class _Network(httpcore.AsyncNetworkBackend):
    """
    Connects and reads until the deadline of the request whose task asks.

    httpx's own timeouts begin anew with each piece read, so a slow drip would outlive them.
    """

    def __init__(self) -> None:
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 -- httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        stream = await self._network.connect_tcp(
            host, port, _left(timeout), local_address, socket_options
        )
        return _Stream(stream)


class _Stream(httpcore.AsyncNetworkStream):
    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 -- httpcore's signature
        return await self._stream.read(max_bytes, _left(timeout))

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 -- httpcore's signature
        await self._stream.write(buffer, _left(timeout))

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 -- httpcore's signature
    ) -> httpcore.AsyncNetworkStream:
        return _Stream(await self._stream.start_tls(ssl_context, server_hostname, _left(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(timeout: float | None) -> float | None:
    deadline = _deadline.get()
    return timeout if deadline is None else max(0.0, deadline - _now())


def _now() -> float:
    return asyncio.get_running_loop().time()
