"""
A load generator: so many connections, each asking its next question when the last is answered.

One thread over plain sockets. Every answer is compared with the bytes that the same server gave to
the same question when nobody else asked, so a mix-up between requests cannot pass as speed.
"""

import selectors
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from random import Random
from time import perf_counter, process_time
from typing import Final

from httptools import HttpResponseParser

_CHUNK: Final = 262_144
_PATIENCE: Final = 60.0
_OK: Final = 200


class LoadFailed(Exception):
    """A server that closed a connection, fell silent or answered something else."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One request, and the body that is the right answer; any body where none is known yet."""

    request: bytes
    answer: bytes | None = None


@dataclass(frozen=True, slots=True)
class Until:
    """How long a load lasts: for so many seconds, or so many requests, whichever is first."""

    seconds: float = inf
    requests: float = inf


@dataclass(frozen=True, slots=True)
class Measured:
    """
    What came of a load: seconds of each answer and in all, how many were wrong, and CPU of ours.

    Where the generator is busy nearly all the time, it is what was measured, and not the server.
    """

    times: Sequence[float]
    seconds: float
    wrong: int
    busy: float = 0.0


class _Client:
    """A connection; the parser calls `on_body` and `on_message_complete`."""

    __slots__ = ("_done", "_parser", "_parts", "asked_at", "connection", "shot")

    def __init__(self, address: tuple[str, int]) -> None:
        self.connection = socket.create_connection(address, _PATIENCE)
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._parser = HttpResponseParser(self)
        self.shot, self.asked_at = Shot(b""), 0.0
        self._parts: list[bytes] = []
        self._done = False

    def ask(self, shot: Shot) -> None:
        self.shot, self._parts, self._done = shot, [], False
        self.asked_at = perf_counter()
        self.connection.sendall(shot.request)  # smaller than any buffer

    def is_answered(self) -> bool:
        """Read what has come; return whether that was the rest."""
        chunk = self.connection.recv(_CHUNK)
        if not chunk:
            raise LoadFailed("the server closed a connection")
        self._parser.feed_data(chunk)
        status = self._parser.get_status_code()
        if self._done and status != _OK:
            raise LoadFailed(f"the server said: {status} {self.body()[:2000]!r}")
        return self._done

    def body(self) -> bytes:
        return self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)

    def on_body(self, part: bytes) -> None:
        self._parts.append(part)

    def on_message_complete(self) -> None:
        self._done = True


def answers(address: tuple[str, int], requests: Sequence[bytes]) -> list[bytes]:
    """
    Return the bodies of the answers, asked one after the other on one connection.

    Raises: LoadFailed, OSError.
    """
    client = _Client(address)
    with client.connection:
        bodies = []
        for request in requests:
            client.ask(Shot(request))
            while not client.is_answered():
                pass
            bodies.append(client.body())
        return bodies


def load(
    address: tuple[str, int], shots: Sequence[Shot], clients: int, until: Until, seed: int = 1
) -> Measured:
    """
    Ask shots by chance on so many connections, until it is enough and all are answered.

    Raises: LoadFailed, OSError.
    """
    chance, times, wrong, asked = Random(seed), list[float](), 0, clients
    with selectors.DefaultSelector() as selector:
        begun, used = perf_counter(), process_time()
        for _ in range(clients):
            client = _Client(address)
            selector.register(client.connection, selectors.EVENT_READ, client)
            client.ask(chance.choice(shots))
        try:
            while selector.get_map():
                for client in _ready(selector):
                    if not client.is_answered():
                        continue
                    now = perf_counter()
                    times.append(now - client.asked_at)
                    wrong += client.shot.answer not in (None, client.body())
                    if now - begun < until.seconds and asked < until.requests:
                        asked += 1
                        client.ask(chance.choice(shots))
                    else:
                        selector.unregister(client.connection)
                        client.connection.close()
            lasted = perf_counter() - begun
            return Measured(times, lasted, wrong, (process_time() - used) / lasted)
        finally:
            for key in tuple(selector.get_map().values()):
                key.data.connection.close()


def _ready(selector: selectors.BaseSelector) -> list[_Client]:
    events = selector.select(_PATIENCE)
    if not events:
        raise LoadFailed(f"the server gave no answer within {_PATIENCE:.0f} seconds")
    return [key.data for key, _ in events]
