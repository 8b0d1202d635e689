"""A faulty proxy before a database: it holds, drips, cuts or replaces what the server says."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import TypeAlias

Tamper: TypeAlias = Callable[["Wire", bytes, asyncio.StreamWriter], Awaitable[bool]]
"""Does something else with what the server says; False: the connection is at its end."""

DRIP_SECONDS = 0.02
_RESET = struct.pack("ii", 1, 0)
PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<!DOCTYPE html><html></html>"


class Wire:
    """Passes bytes on, or lets `tamper` do; a greeting is all that new connections get."""

    def __init__(self, port: int) -> None:
        self.port = 0
        self.tamper: Tamper | None = None
        self.greeting = b""
        self.struck = 0
        self._target = port
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.well = asyncio.Event()

    def drop(self) -> None:
        """Close every connection."""
        for writer in tuple(self._writers):
            writer.close()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client until one side closes."""
        if self.greeting:
            self.struck += 1
            await _greeted(self.greeting, reader, writer)
            return
        there = await asyncio.open_connection("127.0.0.1", self._target)
        pair = {writer, there[1]}
        self._writers |= pair
        tasks = [
            asyncio.create_task(self._pass(reader, there[1])),
            asyncio.create_task(self._answer(there[0], writer)),
        ]
        self._tasks.update(tasks)
        await asyncio.wait(tasks)
        self._tasks.difference_update(tasks)
        self._writers -= pair

    async def close(self) -> None:
        """Stop passing and close every connection."""
        self.drop()
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                if self.tamper is not None:
                    self.struck += 1
                    if not await self.tamper(self, data, writer):
                        break
                    continue
                writer.write(data)
                await writer.drain()
        writer.close()


async def _greeted(
    greeting: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    with suppress(ConnectionError):
        if greeting[:1] == b"E":  # PostgreSQL's client speaks first
            await reader.read(1024)
        writer.write(greeting)
        await writer.drain()
    writer.close()


async def held(wire: Wire, data: bytes, writer: asyncio.StreamWriter) -> bool:
    """Say nothing until the system is well again."""
    await wire.well.wait()
    writer.write(data)
    return True


async def dripped(wire: Wire, data: bytes, writer: asyncio.StreamWriter) -> bool:
    """Say a byte at a time until the system is well again."""
    for place in range(len(data)):
        if writer.is_closing():
            return False
        if wire.well.is_set():
            writer.write(data[place:])
            break
        writer.write(data[place : place + 1])
        with suppress(TimeoutError):
            async with asyncio.timeout(DRIP_SECONDS):
                await wire.well.wait()
    return True


async def reset(_: Wire, data: bytes, writer: asyncio.StreamWriter) -> bool:
    """Say half, then reset the connection."""
    writer.write(data[: len(data) // 2])
    await writer.drain()
    raw: socket.socket = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
    return False


async def cut(_: Wire, data: bytes, writer: asyncio.StreamWriter) -> bool:
    """Say half, then close the connection in good order."""
    writer.write(data[: len(data) // 2])
    await writer.drain()
    return False


async def a_web_page(_: Wire, __: bytes, writer: asyncio.StreamWriter) -> bool:
    """Say what a web server says."""
    writer.write(PAGE)
    await writer.drain()
    return False


def too_many(engine: str) -> bytes:
    """Return what a server says that has no place for another client."""
    if engine == "postgresql":
        parts = (b"SFATAL", b"VFATAL", b"C53300", b"Msorry, too many clients already", b"")
        text = b"".join(part + b"\0" for part in parts)
        return b"E" + struct.pack("!i", len(text) + 4) + text
    text = b"\xff" + struct.pack("<H", 1040) + b"Too many connections"
    return struct.pack("<I", len(text))[:3] + b"\0" + text


@asynccontextmanager
async def tampered(wire: Wire, tamper: Tamper) -> AsyncIterator[None]:
    """Let the proxy tamper while it is entered."""
    wire.well.clear()
    wire.tamper = tamper
    try:
        yield
    finally:
        wire.tamper = None
        wire.well.set()


@asynccontextmanager
async def turned_away(wire: Wire, greeting: bytes) -> AsyncIterator[None]:
    """End all connections and answer new ones with nothing but a greeting."""
    wire.greeting = greeting
    wire.drop()
    try:
        yield
    finally:
        wire.greeting = b""


@asynccontextmanager
async def wired(port: int) -> AsyncIterator[Wire]:
    """Open a proxy before a port."""
    wire = Wire(port)
    server = await asyncio.start_server(wire.accept, "127.0.0.1", 0)
    wire.port = server.sockets[0].getsockname()[1]
    try:
        yield wire
    finally:
        server.close()
        await wire.close()
        await server.wait_closed()
