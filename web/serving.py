"""Runs the application on an address until it is told to stop, and then stops cleanly."""

import asyncio
import gc
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from socket import socket
from typing import Final, TypeAlias

import uvicorn
from starlette.types import ASGIApp

from web.deadline import deadline_protocol

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
_COLLECT_AFTER: Final = (50_000, 20, 100)

WhenReady: TypeAlias = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Listen:
    """Where to listen and how long to wait, in seconds; port 0 takes any free one."""

    host: str = "127.0.0.1"
    port: int = 8000
    receive_seconds: float = 10
    drain_seconds: int = 10
    backlog: int = 1024

    @classmethod
    def at(cls, address: str) -> "Listen":
        """
        Return where HOST:PORT says.

        Raises: ValueError for any other text.
        """
        host, colon, port = address.rpartition(":")
        if not colon or not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
            raise ValueError(f"write HOST:PORT, such as 127.0.0.1:8000, not {address!r}")
        return cls(host.strip("[]"), int(port))


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, when_ready: WhenReady) -> None:
        super().__init__(config)
        self._when_ready = when_ready

    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            await self._when_ready(self._url())

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # `serve` handles them, and ends with status 0

    def stop(self) -> None:
        self.force_exit = self.should_exit  # asked twice: at once
        self.should_exit = True

    def _url(self) -> str:
        host = self.config.host
        port = self.servers[0].sockets[0].getsockname()[1]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def serve(app: ASGIApp, listen: Listen, when_ready: WhenReady) -> None:
    """
    Serve until SIGTERM or SIGINT; requests that have begun are answered first.

    Raises: OSError when the address cannot be used.
    """
    _leave_start_up_alone()
    server = _Server(_config(app, listen), when_ready)
    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, server.stop)
    try:
        await server.serve()
    except SystemExit:
        raise OSError(f"{listen.host}:{listen.port} cannot be used for listening") from None
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)


def _leave_start_up_alone() -> None:
    """Collect garbage less often, and never look at what start-up made: a third of a page's CPU."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)


def _config(app: ASGIApp, listen: Listen) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=listen.host,
        port=listen.port,
        http=deadline_protocol(listen.receive_seconds),
        ws="none",
        lifespan="off",
        backlog=listen.backlog,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=listen.drain_seconds,
    )
