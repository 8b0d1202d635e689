"""Township Graph: assembles every room into a server and its commands."""

import asyncio
import logging
import os
import sys
import tomllib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Annotated, Final

import uvloop
from cyclopts import App, Parameter
from cyclopts.config import Env, Toml
from rich.console import Console
from starlette.types import ASGIApp
from strawberry.schema.base import BaseSchema

from auth.access_log import AccessLog
from auth.authenticate import Authenticator
from auth.issuer import EmbeddedIssuer, issuers_file
from auth.keys import fetch_over
from auth.retention import kept_for
from auth.trust import load_issuers
from contract.document import Mistakes
from gateway.account_command import account as account_commands
from gateway.account_command import known_account
from gateway.accounts import Given, KeptAccounts, given_nothing, kept_accounts
from gateway.audit_command import audit
from gateway.auditing import auditing
from gateway.graph import Files, OpenGraph, printed_schema
from gateway.keeping import pruning
from gateway.living import Living
from gateway.looking import looking
from gateway.onboarding_command import check_command, draft_command
from gateway.policies import app as policy_commands
from gateway.revealing import Reveal, reveal_nothing, revealing
from gateway.secret import read_secret
from gateway.settings import (
    DEMONSTRATING,
    ISSUERS,
    SERVING,
    SETTINGS_FILE,
    CommandRefused,
    Demonstrating,
    Serving,
    State,
    check_settings_file,
    store_in,
)
from gateway.verification import LedgerBroken
from resolvers.context import Accesses, RequestContext
from schema.graph import list_fields
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
from web.endpoint import Asking, ContextFactory, Keep, Spend, keep_nothing, spend_nothing
from web.serving import Listen, WhenReady, serve

logger = logging.getLogger(__name__)
_PROJECT: Final = Path(__file__).with_name("pyproject.toml")


@dataclass(frozen=True, slots=True)
class Graph:
    """What the edge serves: the schema, a context for each question, and how the sources are."""

    schema: BaseSchema
    context_for: ContextFactory
    health: CheckHealth = always_ready
    limits: Limits = field(default_factory=Limits)
    reasons: Reasons = tuple
    spend: Spend = spend_nothing


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
app.command(account_commands)
app.command(check_command, name="check")
app.command(draft_command, name="draft")


@app.command(name="serve")
def serve_command(options: Serving = SERVING) -> None:
    """Serve your departments' systems to holders of tokens; nothing of the demo is needed."""
    if options.issuers == ISSUERS and not ISSUERS.exists():
        EmbeddedIssuer.opened(ISSUERS.parent)
    uvloop.run(_serve(options, os.environ, _say_where))


@app.command
def demo(options: Demonstrating = DEMONSTRATING) -> None:
    """Build a synthetic province with real systems, serve it, and ask one question of it."""
    from demo import command  # noqa: PLC0415 -- its drivers are extras that serving does without

    serving = Serving(
        listen=options.listen,
        store=store_in(options.state),
        issuers=issuers_file(options.state),
        key_file=options.state / "key",
    )
    province = command.Province(options.state, options.residents, options.seed, options.ready_file)
    command.run(province, lambda environment, show: _serve(serving, environment, show))


@app.command
def schema(options: Serving = SERVING) -> None:
    """Print the schema in SDL, facets of your mapping files included."""
    print(printed_schema(Files(options.departments, options.policy)))  # noqa: T201 -- the answer


@app.command
def token(
    *,
    account: Annotated[str, Parameter(help="Name of the account.")],
    ttl: Annotated[timedelta, Parameter(help="How long it works, such as 15m or 8h.")] = timedelta(
        minutes=15
    ),
    state: State = Path(".state/demo"),
    store: Annotated[str, Parameter(help="Database of the server; in the folder by default.")] = "",
) -> None:
    """Print a token for an account of the embedded issuer; for operators."""
    principal = asyncio.run(known_account(store or store_in(state), account))
    issuer = EmbeddedIssuer.opened(state)
    print(issuer.token(principal, int(ttl.total_seconds())))  # noqa: T201 -- the answer


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
            pruning(kept.log.journal, kept.heads, kept_for(options.keep_records)),
            kept_accounts(store, options, kept.ledger.note) as accounts,
            revealing(store, options, kept.ledger, options.durations) as reveals,
            _applications(options, kept.keep, accounts) as application,
        ):
            standing = accounts.standing
            edge = partial(
                _edge_of,
                others=lambda: (*kept.ledger.reasons, *standing.reasons),
                given=accounts.given,
                reveal=reveals.given,
                log=kept.log,
            )
            living = Living(files, environment, secret, lambda g: application(edge(g)))
            accounts.drop_from(lambda: living.graph)
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
    options: Serving, keep: Keep = keep_nothing, accounts: KeptAccounts | None = None
) -> AsyncIterator[Callable[[Graph], ASGIApp]]:
    """Give what makes an application of a graph, for holders of the configured issuers' tokens."""
    issuers = load_issuers(options.issuers)
    async with HttpClient() as client:
        standing = accounts.standing if accounts else None
        fetch = fetch_over(client)
        authenticator = Authenticator(issuers, fetch, options.now, standing=standing)
        doors = accounts.doors(authenticator) if accounts else None

        def application(graph: Graph) -> ASGIApp:
            settings = Settings(
                version(),
                options.origins,
                graph.limits,
                graph.health,
                graph.reasons,
                keep,
                graph.spend,
                doors,
            )
            context_for = graph.context_for
            return create_app(graph.schema, authenticator.authenticate, context_for, settings)

        yield application


def _edge_of(
    graph: OpenGraph,
    others: Reasons = tuple,
    given: Given = given_nothing,
    reveal: Reveal = reveal_nothing,
    log: AccessLog | None = None,
) -> Graph:
    async def context(asking: Asking) -> RequestContext:
        context = graph.context(
            asking.principal,
            asking.request_id,
            provenance=asking.provenance,
            explain=asking.explain,
        )
        own = context.principal
        principal, reveals = await reveal(graph, context, asking.purpose)
        administration, drop_copies = given(graph, own)
        return replace(
            context,
            principal=principal,
            revealing=reveals,
            administration=administration,
            drop_copies=drop_copies,
            accesses=Accesses(graph.policy.ledger(own), log) if log else None,
        )

    def reasons() -> tuple[str, ...]:
        return (*graph.reasons, *others())

    async def health() -> Health:
        return Health.DEGRADED if reasons() else Health.READY

    limits = Limits(lists=list_fields(graph.schema))
    return Graph(graph.schema, context, health, limits, reasons, graph.spend)


async def _say_where(url: str) -> None:
    console.print(f"serving {url}/graphql", markup=False)


def version() -> str:
    """Return the version of the project."""
    return str(tomllib.loads(_PROJECT.read_text(encoding="utf-8"))["project"]["version"])


def configure_logging() -> None:
    """Log to standard error."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", force=True
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
