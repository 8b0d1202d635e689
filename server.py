"""Township Graph: assembles every room into a server and its commands."""

import asyncio
import logging
import os
import sys
import time
import tomllib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from functools import partial
from json import dumps
from pathlib import Path
from typing import Annotated, Final, TypeAlias

from cyclopts import App, Parameter
from cyclopts.config import Env, Toml
from rich.console import Console
from starlette.types import ASGIApp
from strawberry.schema.base import BaseSchema

from auth.accounts import load_accounts
from auth.authenticate import Authenticator
from auth.issuer import EmbeddedIssuer, issuers_file
from auth.keys import fetch_over
from auth.trust import load_issuers
from contract.document import Mistake, Mistakes
from gateway.audit_command import audit
from gateway.auditing import Keeping, LedgerBroken, auditing
from gateway.graph import Files, OpenGraph, open_graph, printed_schema
from gateway.living import Living
from gateway.looking import looking
from gateway.onboarding import check_files
from gateway.policies import app as policy_commands
from gateway.secret import read_secret
from onboarding.check import Report
from onboarding.drafts.draft import Wanted, drafted
from onboarding.scorecard import document, render, render_changes
from resolvers.context import RequestContext
from schema.graph import core_entities, list_fields
from schema.limits import Limits
from store.database import StoreUnavailable, open_store
from transport.http import HttpClient
from web.application import (
    CheckHealth,
    Health,
    InForce,
    Reasons,
    Settings,
    always_ready,
    create_app,
)
from web.endpoint import Asking, ContextFactory, Keep, keep_nothing
from web.serving import Listen, WhenReady, serve

logger = logging.getLogger(__name__)
SETTINGS_FILE: Final = Path("township.toml")
_ISSUERS: Final = Path(".state/issuers.toml")
_PROJECT: Final = Path(__file__).with_name("pyproject.toml")

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
        _ISSUERS
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


@dataclass(frozen=True, slots=True)
class Graph:
    """What the edge serves: the schema, a context for each question, and how the sources are."""

    schema: BaseSchema
    context_for: ContextFactory
    health: CheckHealth = always_ready
    limits: Limits = field(default_factory=Limits)
    reasons: Reasons = tuple


console: Final = Console(stderr=True, highlight=False)

app: Final = App(
    name="server.py",
    help="""\
One GraphQL endpoint over the systems of many departments, with row permission down to the township.

Begin with `python server.py demo`: it builds a synthetic province and prints a question to ask.
For your own departments write one mapping file for each system, prove it with `check`, then
`serve`.

Every option can also be given as an environment variable (`--ready-file` as
`TOWNSHIP_READY_FILE`) or as a line of `township.toml` (`ready-file = "…"`); the command line wins,
then the environment.
""",
    config=[
        Env("TOWNSHIP_", command=False),
        Toml(SETTINGS_FILE, use_commands_as_keys=False, allow_unknown=True),
    ],
    version=lambda: version(),
)
app.command(policy_commands)
app.command(audit)


@app.command(name="serve")
def serve_command(options: Serving = Serving()) -> None:
    """Serve your departments' systems to holders of tokens; nothing of the demo is needed."""
    if options.issuers == _ISSUERS and not _ISSUERS.exists():
        EmbeddedIssuer.opened(_ISSUERS.parent)
    asyncio.run(_serve(options, os.environ, _say_where))


@app.command
def demo(options: Demonstrating = Demonstrating()) -> None:
    """Build a synthetic province with real systems, serve it, and ask one question of it."""
    from demo import command  # noqa: PLC0415 -- its drivers are extras that serving does without

    serving = Serving(
        listen=options.listen,
        store=f"sqlite+aiosqlite:///{(options.state / 'store.db').absolute()}",
        issuers=issuers_file(options.state),
        key_file=options.state / "key",
    )
    province = command.Province(options.state, options.residents, options.seed, options.ready_file)
    command.run(province, lambda environment, show: _serve(serving, environment, show))


@app.command(name="check")
def check_command(
    *files: Annotated[Path, Parameter(help="Mapping files; all of the folder by default.")],
    keys: Annotated[
        Path | None, Parameter(help="CSV of keys, for a system that is asked by key alone.")
    ] = None,
    json: Annotated[bool, Parameter(help="Print one JSON document.", negative="")] = False,
    options: Serving = Serving(),
) -> None:
    """Prove mapping files against the live systems; prints what is wrong and what to change."""
    reports, mistakes = asyncio.run(_check(files, keys, options))
    if json:
        print(dumps(document(reports, mistakes), ensure_ascii=False, indent=2))  # noqa: T201 -- the answer
    else:
        for shown in (render(reports), *render_changes(reports)):
            Console(width=160).print(shown)
        for mistake in mistakes:
            console.print(str(mistake), style="red", markup=False, soft_wrap=True)
    if mistakes or not all(report.is_sound for report in reports):
        raise CommandRefused("some system does not answer, or is not as its mapping file says")


@app.command
def draft(
    url: Annotated[str, Parameter(help="Database, description or service; may be '${NAME}'.")],
    *,
    name: Annotated[str, Parameter(help="Name of the system; from its address by default.")] = "",
    out: Annotated[Path | None, Parameter(help="File to write, never over another one.")] = None,
    header: Annotated[str, Parameter(help="A header sent with the value of NAME_TOKEN.")] = "",
    only: Annotated[
        tuple[str, ...], Parameter(help="Tables, paths or fields; all by default.")
    ] = (),
) -> None:
    """Write a first mapping file from a database, an OpenAPI description or a GraphQL service."""
    named = name or (out.stem if out else "")
    text = asyncio.run(
        drafted(Wanted(url, named, header, only), tuple(core_entities()), os.environ)
    )
    if out is None:
        print(text, end="")  # noqa: T201 -- the answer
        return
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise CommandRefused(f"{out} is there already; name another file") from None
    console.print(f"wrote {out}; what is to be decided stands in it", markup=False)


@app.command
def schema(options: Serving = Serving()) -> None:
    """Print the schema in SDL, facets of your mapping files included."""
    print(printed_schema(Files(options.departments, options.policy)))  # noqa: T201 -- the answer


@app.command
def token(
    *,
    account: Annotated[str, Parameter(help="Name of the account, as in accounts.toml.")],
    ttl: Annotated[timedelta, Parameter(help="How long it works, such as 15m or 8h.")] = timedelta(
        minutes=15
    ),
    state: State = Path(".state/demo"),
) -> None:
    """Print a token for an account of the embedded issuer."""
    accounts = load_accounts(state / "accounts.toml")
    if account not in accounts:
        raise CommandRefused(f"no account {account!r}; there are: {', '.join(sorted(accounts))}")
    issuer = EmbeddedIssuer.opened(state)
    print(issuer.token(accounts[account], int(ttl.total_seconds())))  # noqa: T201 -- the answer


async def serve_graph(graph: Graph, options: Serving, when_ready: WhenReady) -> None:
    """
    Serve the graph to holders of tokens until SIGTERM or SIGINT.

    Raises: Mistakes, OSError, ValueError when an option cannot be used.
    """
    listen = _listen(options)
    async with _applications(options) as application:
        await serve(application(graph), listen, when_ready)


async def _serve(options: Serving, environment: Mapping[str, str], when_ready: WhenReady) -> None:
    files = Files(options.departments, options.policy)
    listen, secret = _listen(options), read_secret(options.key_file)
    store = await open_store(options.store)
    try:
        async with (
            auditing(store, options) as kept,
            _applications(options, kept.keep) as application,
        ):
            edge = partial(_edge_of, others=lambda: kept.ledger.reasons)
            living = Living(files, environment, secret, lambda g: application(edge(g)))
            looks = looking(living, options.reload_every, options.check_every)
            async with aclosing(living), looks:
                for mistake in await living.graph.mistakes():
                    logger.error("%s", mistake)
                await serve(InForce(living.serving), listen, when_ready)
    finally:
        await store.dispose()


def _listen(options: Serving) -> Listen:
    return replace(
        Listen.at(options.listen),
        receive_seconds=options.receive_seconds,
        drain_seconds=options.drain_seconds,
    )


@asynccontextmanager
async def _applications(
    options: Serving, keep: Keep = keep_nothing
) -> AsyncIterator[Callable[[Graph], ASGIApp]]:
    """Give what makes an application of a graph, for holders of the configured issuers' tokens."""
    issuers = load_issuers(options.issuers)
    async with HttpClient() as client:
        authenticate = Authenticator(issuers, fetch_over(client), options.now).authenticate

        def application(graph: Graph) -> ASGIApp:
            settings = Settings(
                version(), options.origins, graph.limits, graph.health, graph.reasons, keep
            )
            return create_app(graph.schema, authenticate, graph.context_for, settings)

        yield application


def _edge_of(graph: OpenGraph, others: Reasons = tuple) -> Graph:
    async def context(asking: Asking) -> RequestContext:
        return graph.context(asking.principal, asking.request_id, provenance=asking.provenance)

    def reasons() -> tuple[str, ...]:
        return (*graph.reasons, *others())

    async def health() -> Health:
        return Health.DEGRADED if reasons() else Health.READY

    limits = Limits(lists=list_fields(graph.schema))
    return Graph(graph.schema, context, health, limits, reasons)


async def _check(
    files: tuple[Path, ...], keys: Path | None, options: Serving
) -> tuple[tuple[Report, ...], tuple[Mistake, ...]]:
    if files or keys:
        named = files or tuple(sorted(options.departments.glob("*.toml")))
        checked = await check_files(named, options.departments, os.environ, keys)
        return checked.reports, checked.mistakes
    every = Files(options.departments, options.policy)
    async with aclosing(open_graph(every, os.environ, bytes(32))) as graph:
        return await graph.check(), await graph.mistakes()


async def _say_where(url: str) -> None:
    console.print(f"serving {url}/graphql", markup=False)


class CommandRefused(Exception):
    """A command that cannot be done; the text says what to do instead."""


def version() -> str:
    """Return the version of the project."""
    return str(tomllib.loads(_PROJECT.read_text(encoding="utf-8"))["project"]["version"])


def configure_logging() -> None:
    """Log to standard error."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", force=True
    )


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


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return the status of the process."""
    try:
        check_settings_file()
        app(arguments, result_action="return_value")
    except (CommandRefused, LedgerBroken, Mistakes, StoreUnavailable, OSError, ValueError) as error:
        console.print(str(error), style="red", markup=False)
        return 1
    return 0


if __name__ == "__main__":
    configure_logging()
    sys.exit(main())
