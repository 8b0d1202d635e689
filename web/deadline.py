"""
A deadline for requests that arrive by drops.

A request, head and body, is whole within the deadline of its connection or its first byte, or the
connection is closed. uvicorn itself waits for ever.
"""

import asyncio
from typing import ClassVar, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

_WHOLE: Final = frozenset({h11.DONE, h11.MUST_CLOSE, h11.CLOSED, h11.ERROR, h11.SWITCHED_PROTOCOL})


class Deadline(H11Protocol):
    """uvicorn's HTTP protocol with a deadline for receiving each request."""

    seconds: ClassVar[float] = 10
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start with the connection: a client may send nothing at all."""
        super().connection_made(transport)
        self._start()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop with the connection."""
        self._stop()
        super().connection_lost(exc)

    def handle_events(self) -> None:
        """Start with a request's first byte and stop with its last."""
        super().handle_events()
        if self.conn.their_state in _WHOLE:
            self._stop()
        elif self.conn.their_state is not h11.IDLE or self.conn.trailing_data[0]:
            self._start()

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
