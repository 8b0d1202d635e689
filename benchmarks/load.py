"""
A load generator: so many connections, each asking its next question when the last is answered.

One thread over plain sockets. Every answer is compared with the bytes that the same server gave to
the same question when nobody else asked, so a mix-up between requests cannot pass as speed.
"""

import selectors
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from time import perf_counter
from typing import Final

_HEAD_ENDS: Final = b"\r\n\r\n"
_LENGTH: Final = b"content-length:"
_CHUNK: Final = 262_144
_PATIENCE: Final = 60.0


class LoadFailed(Exception):
    """A server that closed a connection, fell silent or answered something else."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One request, and the body that is the right answer; any body where none is known yet."""

    request: bytes
    answer: bytes | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """What came of a load: seconds of each answer, in all, and how many were wrong."""

    times: Sequence[float]
    seconds: float
    wrong: int


@dataclass(slots=True)
class _Client:
    connection: socket.socket
    shot: Shot
    asked_at: float = 0.0
    received: bytearray = field(default_factory=bytearray)
    body_at: int = 0
    whole: int = 0

    def ask(self, shot: Shot) -> None:
        self.shot, self.asked_at = shot, perf_counter()
        self.received.clear()
        self.body_at = self.whole = 0
        self.connection.sendall(shot.request)  # smaller than any buffer

    def is_answered(self) -> bool:
        """Read what has come; return whether that was the rest."""
        chunk = self.connection.recv(_CHUNK)
        if not chunk:
            raise LoadFailed("the server closed a connection")
        self.received += chunk
        if not self.whole:
            self._look_at_head()
        return bool(self.whole) and len(self.received) >= self.whole

    def body(self) -> bytes:
        return bytes(self.received[self.body_at :])

    def _look_at_head(self) -> None:
        ends = self.received.find(_HEAD_ENDS)
        if ends < 0:
            return
        head = bytes(self.received[:ends]).lower()
        if not head.startswith(b"http/1.1 200"):
            raise LoadFailed(f"the server said: {bytes(self.received)[:2000]!r}")
        stands = head.index(_LENGTH) + len(_LENGTH)
        self.body_at = ends + len(_HEAD_ENDS)
        self.whole = self.body_at + int(head[stands:].split(b"\r\n", 1)[0])


def answers(address: tuple[str, int], requests: Sequence[bytes]) -> list[bytes]:
    """
    Return the bodies of the answers, asked one after the other on one connection.

    Raises: LoadFailed, OSError.
    """
    with socket.create_connection(address, _PATIENCE) as connection:
        client = _Client(connection, Shot(b""))
        bodies = []
        for request in requests:
            client.ask(Shot(request))
            while not client.is_answered():
                pass
            bodies.append(client.body())
        return bodies


def load(
    address: tuple[str, int], shots: Sequence[Shot], clients: int, seconds: float, seed: int = 1
) -> Measured:
    """
    Ask shots by chance on so many connections, until the time is up and all are answered.

    Raises: LoadFailed, OSError.
    """
    chance, times, wrong = Random(seed), list[float](), 0
    with selectors.DefaultSelector() as selector:
        begun = perf_counter()
        for _ in range(clients):
            client = _Client(socket.create_connection(address, _PATIENCE), shots[0])
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
                    if now - begun < seconds:
                        client.ask(chance.choice(shots))
                    else:
                        selector.unregister(client.connection)
                        client.connection.close()
            return Measured(times, perf_counter() - begun, wrong)
        finally:
            for key in tuple(selector.get_map().values()):
                key.data.connection.close()


def _ready(selector: selectors.BaseSelector) -> list[_Client]:
    events = selector.select(_PATIENCE)
    if not events:
        raise LoadFailed(f"the server gave no answer within {_PATIENCE:.0f} seconds")
    return [key.data for key, _ in events]
