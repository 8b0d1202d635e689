"""The options of the commands, as an operator gives them."""

import time
import tomllib
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Final, TypeAlias

from cyclopts import Parameter

from gateway.auditing import Keeping
from resolvers.openings import Durations

SETTINGS_FILE: Final = Path("township.toml")
ISSUERS: Final = Path(".state/issuers.toml")

State: TypeAlias = Annotated[
    Path, Parameter(help="Folder for what the server keeps: keys, accounts, its own database.")
]
Address: TypeAlias = Annotated[str, Parameter(help="HOST:PORT to listen on; port 0 takes any.")]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True, slots=True)
class Serving(Keeping):
    """What `serve`, `check` and `schema` need to know."""

    listen: Address = "127.0.0.1:8000"
    departments: Annotated[
        Path, Parameter(help="Folder of mapping files, one for each department's system.")
    ] = Path("departments")
    policy: Annotated[Path, Parameter(help="Which role sees which rows and fields.")] = Path(
        "auth/policy.toml"
    )
    issuers: Annotated[Path, Parameter(help="Whose tokens are accepted; see docs/tokens.md.")] = (
        ISSUERS
    )
    clock: Annotated[
        datetime | None,
        Parameter(help="A fixed time for token checks, to repeat an answer."),
    ] = None
    origins: Annotated[
        tuple[str, ...],
        Parameter(help="Web origins that may call the server from a browser; none by default."),
    ] = ()
    receive_seconds: Annotated[
        float, Parameter(help="A request that takes longer to arrive is cut off.")
    ] = 10.0
    drain_seconds: Annotated[
        int, Parameter(help="On SIGTERM, how long requests that have begun may take.")
    ] = 10
    reload_every: Annotated[
        str, Parameter(help="How often to look for newer files; never: on SIGHUP alone.")
    ] = "5s"
    check_every: Annotated[
        str, Parameter(help="How often to look whether systems are as mapped, or never.")
    ] = "6h"

    break_glass_for: Annotated[
        timedelta, Parameter(help="How long an emergency opens a person's record.")
    ] = timedelta(minutes=15)
    window_for: Annotated[
        timedelta, Parameter(help="How long a person at the window has their record opened.")
    ] = timedelta(minutes=30)

    @property
    def durations(self) -> Durations:
        """Return how long openings last."""
        return Durations(self.break_glass_for.total_seconds(), self.window_for.total_seconds())

    def now(self) -> float:
        """Return the time in seconds since 1970, fixed where an operator fixed it."""
        return time.time() if self.clock is None else self.clock.timestamp()


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True, slots=True)
class Demonstrating:
    """What `demo` needs to know."""

    listen: Address = "127.0.0.1:8000"
    state: State = Path(".state/demo")
    residents: Annotated[int, Parameter(help="How many people the province has.")] = 60_000
    seed: Annotated[int, Parameter(help="The same seed gives the same province.")] = 1
    ready_file: Annotated[
        Path | None,
        Parameter(help="JSON file written once it answers: addresses, processes, tokens."),
    ] = None


def store_in(state: Path) -> str:
    """Return the address of the database in the folder of what a server keeps."""
    return f"sqlite+aiosqlite:///{(state / 'store.db').absolute()}"


SERVING: Final = Serving()
DEMONSTRATING: Final = Demonstrating()


class CommandRefused(Exception):
    """A command that cannot be done; the text says what to do instead."""


def check_settings_file(path: Path = SETTINGS_FILE) -> None:
    """
    Refuse a settings file with a name that no command knows.

    Raises: CommandRefused.
    """
    if not path.exists():
        return
    known = {
        field.name.replace("_", "-") for kind in (Serving, Demonstrating) for field in fields(kind)
    }
    unknown = tomllib.loads(path.read_text(encoding="utf-8")).keys() - known
    if unknown:
        raise CommandRefused(
            f"{path}: unknown: {', '.join(sorted(unknown))}; known: {', '.join(sorted(known))}"
        )
