"""A real HTTP server on the loopback that answers as a function says."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from enum import Enum, auto
from urllib.parse import parse_qsl, urlsplit

DRIP_SECONDS = 0.02


class Delivery(Enum):
    """How an answer goes over the wire."""

    WHOLE = auto()
    CHUNKED = auto()
    HANG = auto()  # nothing, until the client leaves
    DRIP = auto()  # the body, a byte at a time
    HEADER_DRIP = auto()  # a header that never ends
    RESET = auto()  # half the body, then the connection is cut


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it came."""

    method: str
    path: str
    raw_query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def query(self) -> list[tuple[str, str]]:
        return parse_qsl(self.raw_query, keep_blank_values=True)

    @property
    def parameters(self) -> dict[str, str]:
        return dict(self.query)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer and how it is delivered."""

    body: bytes = b""
    status: int = 200
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)
    delivery: Delivery = Delivery.WHOLE


def json_reply(document: object, status: int = 200) -> Reply:
    return Reply(json.dumps(document, ensure_ascii=False).encode(), status)


Handler = Callable[[Received], Reply]


class Loopback:
    """An HTTP/1.1 server on an ephemeral port of 127.0.0.1."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.received: list[Received] = []
        self.connections = 0
        self.url = ""
        self._tasks: set[asyncio.Task[None]] = set()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.connections += 1
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while await self._answered(reader, writer):
                pass
        writer.close()
        with suppress(ConnectionError, asyncio.CancelledError):
            await writer.wait_closed()

    async def _answered(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        received = await _received(reader)
        self.received.append(received)
        return await _deliver(self.handler(received), reader, writer)

    async def stop(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def serving(
    handler: Handler, tls: ssl.SSLContext | None = None, port: int = 0
) -> AsyncIterator[Loopback]:
    """Serve until the block ends; a client that hangs is cut off."""
    loopback = Loopback(handler)
    server = await asyncio.start_server(
        loopback._connected, "127.0.0.1", port, backlog=1024, ssl=tls
    )
    port = server.sockets[0].getsockname()[1]
    loopback.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    try:
        yield loopback
    finally:
        server.close()
        await loopback.stop()
        await server.wait_closed()


async def _received(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ")
    headers = {
        name.lower(): value.strip(" ")
        for name, _, value in (line.partition(":") for line in head[1:])
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    parts = urlsplit(target)
    return Received(method, parts.path, parts.query, headers, body)


async def _deliver(
    reply: Reply, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> bool:
    if reply.delivery is Delivery.HANG:
        await reader.read()
        return False
    writer.write(_head(reply))
    if reply.delivery is Delivery.HEADER_DRIP:
        await _drip(b"x" * 100_000, reader, writer)
        return False
    writer.write(b"\r\n")
    return await _DELIVERIES[reply.delivery](reply.body, reader, writer)


def _head(reply: Reply) -> bytes:
    length = ("Content-Length", str(len(reply.body)))
    chunked = ("Transfer-Encoding", "chunked")
    framing = chunked if reply.delivery is Delivery.CHUNKED else length
    lines = [f"{name}: {value}\r\n" for name, value in (*reply.headers, framing)]
    end = "X-Drip: " if reply.delivery is Delivery.HEADER_DRIP else ""
    return f"HTTP/1.1 {reply.status} -\r\n{''.join(lines)}{end}".encode()


async def _whole(body: bytes, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    writer.write(body)
    await writer.drain()
    return True


async def _chunked(body: bytes, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    for start in range(0, len(body), 65536):
        part = body[start : start + 65536]
        writer.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
        await writer.drain()
    writer.write(b"0\r\n\r\n")
    return True


async def _drip(body: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    for byte in body:
        writer.write(bytes((byte,)))
        with suppress(TimeoutError):
            async with asyncio.timeout(DRIP_SECONDS):
                await reader.read()
                return False
    return True


async def _reset(body: bytes, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    writer.write(body[: len(body) // 2])
    await writer.drain()
    writer.transport.abort()
    return False


_DELIVERIES: Mapping[
    Delivery,
    Callable[[bytes, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[bool]],
] = {
    Delivery.WHOLE: _whole,
    Delivery.CHUNKED: _chunked,
    Delivery.DRIP: _drip,
    Delivery.RESET: _reset,
}
