"""Everything that stands before the first measurement: data, tokens, and servers that agree."""

import asyncio
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, TypeAlias

import orjson

from benchmarks import data
from benchmarks.clerks import TokenOf, issued, issuers_file
from benchmarks.data import Scale
from benchmarks.load import Shot, answers
from benchmarks.processes import ROOT, Program, Running, cores, running
from benchmarks.questions import PEERS, TOWNSHIP, Asked, Texts, about, samples
from demo.postgres import Postgres

DEPARTMENTS: Final = ROOT / "benchmarks" / "departments"
_DATABASE: Final = "registry"
_LIMIT: Final = re.compile(r'"\d+/(minute|hour|day)"')


Translation: TypeAlias = Callable[[Any], Any]
"""Makes the data that one server gives what the others give."""


def _as_it_is(data: Any) -> Any:
    return data


class Disagreement(Exception):
    """Two servers that do not answer the same; nothing is measured then."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """A server to be measured, the questions in its schema, and its answers in that of others."""

    program: Program
    texts: Texts
    translated: Translation = _as_it_is


@dataclass(frozen=True, slots=True)
class Ready:
    """A server that runs, and each question to it with the answer that is right."""

    server: Running
    shots: Mapping[Asked, Shot]
    translated: Translation = _as_it_is

    def of(self, question: str) -> list[Shot]:
        """Return everything of one question."""
        return [shot for asked, shot in self.shots.items() if asked.question == question]


@dataclass(frozen=True, slots=True)
class Stage:
    """The database that all servers read, and who asks."""

    directory: Path
    environment: Mapping[str, str]
    scale: Scale
    asked: Sequence[Asked]
    token: TokenOf

    def township(self, name: str = "township", departments: Path = DEPARTMENTS) -> Contestant:
        """Return this server as it is run in production, with permission, masks and ledger."""
        arguments = {
            "listen": "127.0.0.1:0",
            "departments": str(departments),
            "policy": str(unlimited(self.directory / "policy.toml")),
            "issuers": str(issuers_file(self.directory)),
            "store": f"sqlite+aiosqlite:///{self.directory / name}.db",
            "key-file": str(self.directory / f"{name}.key"),
        }
        return Contestant(Program(name, ("server.py", "serve", *_options(arguments))), TOWNSHIP)

    def unguarded(self, texts: Texts) -> Contestant:
        """Return this server with a policy that opens everything, and without a ledger."""
        arguments = {
            "departments": str(DEPARTMENTS),
            "policy": "benchmarks/policies/everyone.toml",
            "issuers": str(issuers_file(self.directory)),
        }
        program = ("-m", "benchmarks.unguarded", *_options(arguments))
        return Contestant(Program("unguarded", program), texts)

    @contextmanager
    def started(self, contestants: Sequence[Contestant]) -> Iterator[list[Ready]]:
        """
        Give the servers, each with its own answers to everything that will be asked.

        Raises: ServerFailed, LoadFailed.
        """
        pinned = cores()
        programs = [contestant.program for contestant in contestants]
        core = pinned[0] if pinned else None
        with running(programs, self.environment, self.directory, core) as servers:
            yield [
                self._ready(server, contestant)
                for server, contestant in zip(servers, contestants, strict=True)
            ]

    def _ready(self, server: Running, contestant: Contestant) -> Ready:
        texts = contestant.texts
        requests = [
            asked.request(texts, self.token(asked.township, asked.clerk)) for asked in self.asked
        ]
        found = answers(server.address, requests)
        shots = dict(zip(self.asked, map(Shot, requests, found), strict=True))
        return Ready(server, shots, contestant.translated)


@contextmanager
def staged(state: Path, scale: Scale, people: int) -> Iterator[Stage]:
    """
    Give the stage; data is built once for a scale and kept in the folder.

    Raises: what starting PostgreSQL raises.
    """
    directory = (state / _fingerprint(scale)).absolute()
    directory.mkdir(parents=True, exist_ok=True)
    postgres = Postgres.start(directory / "postgres")
    try:
        address = _built(postgres, directory, scale)
        residents = asyncio.run(data.identifiers(address, people))
        asked = about(residents, data.townships(scale.townships))
        environment = {"REGISTRY_URL": postgres.url(_DATABASE), "PYTHONPATH": str(ROOT)}
        yield Stage(directory, environment, scale, asked, issued(directory))
    finally:
        postgres.stop()


def told(answer: bytes) -> Any:
    """
    Return the data of an answer.

    Raises: Disagreement for an answer with errors.
    """
    document = orjson.loads(answer)
    if "errors" in document:
        raise Disagreement(f"a server answered: {document['errors']}")
    return document["data"]


def agree(servers: Sequence[Ready], count: int) -> int:
    """
    Compare the servers' answers as JSON, so many of each question; return how many were compared.

    Raises: Disagreement.
    """
    compared = samples(tuple(servers[0].shots), count, seed=25)
    for asked in compared:
        first, *others = (server.translated(told(_answer(server, asked))) for server in servers)
        for server, other in zip(servers[1:], others, strict=True):
            if other != first:
                raise Disagreement(
                    f"{server.server.name} answers {asked} otherwise than {servers[0].server.name}:"
                    f"\n{other}\n{first}"
                )
    return len(compared)


def _answer(server: Ready, asked: Asked) -> bytes:
    return server.shots[asked].answer or b""


def peers() -> tuple[Contestant, ...]:
    """Return the servers to compare with."""
    return (
        Contestant(Program("strawberry", ("-m", "benchmarks.idiomatic")), PEERS),
        Contestant(Program("hand_written", ("-m", "benchmarks.handwritten")), PEERS),
    )


def _built(postgres: Postgres, directory: Path, scale: Scale) -> str:
    address = postgres.url(_DATABASE).replace("+asyncpg", "")
    built = directory / "built"
    if not built.exists():
        postgres.create_database(_DATABASE)
        asyncio.run(data.build(address, scale))
        built.touch()
    return address


def unlimited(path: Path) -> Path:
    """Write the shipped policy with quotas that no load reaches; they are counted all the same."""
    shipped = (ROOT / "auth" / "policy.toml").read_text(encoding="utf-8")
    path.write_text(_LIMIT.sub(r'"999999999/\1"', shipped), encoding="utf-8")
    return path


def _fingerprint(scale: Scale) -> str:
    """Return what tells data of this scale and of this program from any other."""
    program = Path(data.__file__).read_bytes()
    return sha256(json.dumps(asdict(scale)).encode() + program).hexdigest()[:12]


def _options(arguments: Mapping[str, str]) -> Iterator[str]:
    for name, value in arguments.items():
        yield from (f"--{name}", value)
