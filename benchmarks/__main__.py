"""The commands: `peers` compares with other servers, `permission` tells what permission costs."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final

import orjson
from cyclopts import App, Parameter
from rich.console import Console
from rich.table import Table

from benchmarks.collapse import Collapsed, Short, refuse_collapse, shares
from benchmarks.collapse import record as record_shares
from benchmarks.data import Scale
from benchmarks.endurance import held
from benchmarks.growth import CURVES, Ground, Sizes
from benchmarks.load import LoadFailed, Until
from benchmarks.npm import ONE_DATABASE, TWO_DATABASES, divided, from_npm, two_databases
from benchmarks.permission import agree_but_for_permission, guarded_and_unguarded
from benchmarks.plot import drawn
from benchmarks.processes import ServerFailed, cores
from benchmarks.province import CLIENTS, Day, Whole, a_day, day_of, sustained
from benchmarks.province import told as told_of
from benchmarks.questions import TOWNSHIP
from benchmarks.rounds import Plan, Rounds, line, measured, mixed, pin_generator, ratios, summary
from benchmarks.stage import Disagreement, Ready, Stage, agree, peers, staged
from demo.process import ServerFailed as SystemFailed

console: Final = Console(stderr=True, highlight=False)
app: Final = App(name="benchmarks", help=__doc__)


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """What every measurement needs to know."""

    state: Annotated[Path, Parameter(help="Where data is kept.")] = Path(".state/benchmarks")
    out: Annotated[Path, Parameter(help="Where figures go.")] = Path("build/bench.json")
    seconds: Annotated[float, Parameter(help="Of each load.")] = 10.0
    rounds: Annotated[int, Parameter(help="How often each load is repeated.")] = 3
    warm: Annotated[float, Parameter(help="Seconds of load before each measured one.")] = 1.0
    only: Annotated[tuple[str, ...], Parameter(help="Questions; all by default.")] = ()
    people: Annotated[int, Parameter(help="Residents who are asked about.")] = 500
    samples: Annotated[int, Parameter(help="Answers compared before, of each question.")] = 25
    scale: Annotated[Scale, Parameter(name="*")] = field(default_factory=Scale)


# Subclasses, for the defaults of a type are those that an option beside them leaves in force.
@Parameter(name="*")
@dataclass(frozen=True, kw_only=True, slots=True)
class OfProvince(Options):
    """The same, of the whole province."""

    scale: Annotated[Whole, Parameter(name="*")] = field(default_factory=Whole)


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True, slots=True)
class InShort(Options):
    """The same, in some seconds."""

    seconds: float = 1.5
    rounds: int = 2
    warm: float = 0.5
    people: int = 20
    samples: int = 10
    scale: Annotated[Short, Parameter(name="*")] = field(default_factory=Short)


_FEW: Final = 8
_OPTIONS: Final = Options()
_OF_PROVINCE: Final = OfProvince()
_IN_SHORT: Final = InShort()
_SIZES: Final = Sizes()
_DAY: Final = Day()


@app.default
@app.command(name="peers")
def peers_command(clients: int = 16, *, npm: bool = False, options: Options = _OPTIONS) -> None:
    """Measure this server beside idiomatic Strawberry, the hand-written limit and those of npm."""
    plan = Plan(clients, options.seconds, options.rounds, options.warm)
    with _staged(options) as stage, _beside(stage, npm=npm) as servers:
        compared = agree(servers, options.samples)
        _say(f"{compared} answers are equal at all {len(servers)} servers")
        right = mixed(servers, clients, Until(options.seconds * 2, 2000))
        _say(f"right under {clients} clients with mixed scopes: {right}")
        rounds = measured(servers, _questions(options), plan, _say)
    about = {**_about(plan, options), "compared": compared, "right": right}
    against = {name: ratios(rounds, own, name) for own, name in _pairs(servers)}
    _write(options.out, {**summary(rounds), "about": about, "township_against": against})
    _show(rounds)


def _beside(stage: Stage, *, npm: bool) -> AbstractContextManager[list[Ready]]:
    if not npm:
        return stage.started([stage.township(), *peers()])
    stage = divided(stage)
    own = [stage.township(), two_databases(stage)]
    return stage.started([*own, *peers(), *from_npm((*ONE_DATABASE, *TWO_DATABASES))])


def _pairs(servers: Sequence[Ready]) -> Iterator[tuple[str, str]]:
    """Give each other server after the one of ours that has as many databases."""
    for name in (server.server.name for server in servers):
        if not name.startswith("township"):
            yield ("township_two" if name in TWO_DATABASES else "township"), name


@app.command(name="permission")
def permission_command(clients: int = 64, options: Options = _OPTIONS) -> None:
    """Measure this server beside itself with a policy that opens all and without a ledger."""
    plan = Plan(clients, options.seconds, options.rounds, options.warm)
    with _staged(options) as stage, stage.started(guarded_and_unguarded(stage)) as servers:
        compared = agree_but_for_permission(servers)
        _say(f"{compared} answers are equal but for permission")
        rounds = measured(servers, _questions(options), plan, _say)
    share = ratios(rounds, "guarded", "unguarded")
    found = {**summary(rounds), "guarded_against_unguarded": share}
    _write(options.out, {"permission": {**found, "about": _about(plan, options)}})
    _show(rounds)
    _say(f"guarded / unguarded: {share}")


@app.command(name="growth")
def growth_command(
    clients: int = 16, *, sizes: Sizes = _SIZES, options: Options = _OPTIONS
) -> None:
    """Measure how cost grows; `--only` names curves: objects, depth, sources, accounts, …."""
    plan = Plan(clients, options.seconds, 1, options.warm)
    ground = Ground(options.state, options.scale, options.people, plan, sizes)
    _pin()
    curves: dict[str, object] = dict(_written(options.out).get("growth", {}))
    for name, measure in CURVES.items():
        if not options.only or name in options.only:
            for key, curve in measure(ground).items():
                curves[key] = curve.told()
                _say(f"{key}: {curve.line()}")
    _write(options.out, {"growth": {**curves, "about": _about(plan, options)}})


@app.command(name="province")
def province_command(*, day: Day = _DAY, options: OfProvince = _OF_PROVINCE) -> None:
    """Measure a working day of all townships and accounts of the province at once."""
    plan = Plan(max(CLIENTS), options.seconds, 1, options.warm)
    with _staged(options) as stage, a_day(stage, day).started([day_of(stage)]) as servers:
        _say(f"{len(servers[0].shots):,} accounts of {options.scale.townships:,} townships")
        agree(servers, day.accounts)
        figures = sustained(servers[0], plan, CLIENTS)
    for clients, figure in figures.items():
        _say(f"{clients} clients: {line(figure)}, {figure.rss_mb:.0f} MB")
    found = told_of(figures, day)
    _write(options.out, {"province": {**found, "about": _about(plan, options)}})
    _say(f"servers at the busiest hour: {found['servers_at_the_busiest_hour']}")


@app.command(name="endurance")
def endurance_command(
    requests: int = 20_000, clients: int = 16, *, options: Options = _OPTIONS
) -> None:
    """Ask that many mixed questions, and tell what the server holds in memory meanwhile."""
    with _staged(options) as stage, stage.started([stage.township()]) as servers:
        found = held(servers[0], clients, requests, _say)
    _write(options.out, {"endurance": found})
    _say(f"growth after warm-up: {found['growth_after_warm']:.1%}")


@app.command(name="collapse")
def collapse_command(*, record: bool = False, options: InShort = _IN_SHORT) -> None:
    """Measure in short beside Strawberry; fail where a ratio is half of that recorded."""
    plan = Plan(_FEW, options.seconds, options.rounds, options.warm)
    with _staged(options) as stage, stage.started([stage.township(), peers()[0]]) as servers:
        agree(servers, options.samples)
        found = shares(measured(servers, tuple(TOWNSHIP), plan, _say))
    _say(f"CPU of Strawberry by that of this server: {found}")
    _write(options.out, {"collapse": found})
    if record:
        record_shares(found)
    refuse_collapse(found)


@app.command(name="plot")
def plot_command(
    out: Path = Path("docs/performance.svg"), figures: Path = Path("build/bench.json")
) -> None:
    """Draw the ratios of the last `peers` run."""
    out.write_text(drawn(orjson.loads(figures.read_bytes())["township_against"]), "utf-8")
    _say(f"wrote {out}")


def _pin() -> None:
    pinned = cores()
    pin_generator(pinned[1] if pinned else None)


def _staged(options: Options) -> Any:
    _pin()
    return staged(options.state, options.scale, options.people)


def _questions(options: Options) -> tuple[str, ...]:
    return tuple(name for name in TOWNSHIP if not options.only or name in options.only)


def _about(plan: Plan, options: Options) -> dict[str, object]:
    return {
        **asdict(plan),
        "scale": asdict(options.scale),
        "cores": os.cpu_count(),
        "load_before": os.getloadavg()[2],
    }


def _write(path: Path, figures: dict[str, object]) -> None:
    """Add the figures to those of other measurements."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(orjson.dumps({**_written(path), **figures}, option=orjson.OPT_INDENT_2))
    _say(f"wrote {path}")


def _written(path: Path) -> Any:
    return orjson.loads(path.read_bytes()) if path.exists() else {}


def _show(rounds: Rounds) -> None:
    table = Table("question", "server", "requests/s", "± %", "CPU ms", "p50 ms", "p99 ms", "MB")
    for question, servers in summary(rounds).items():
        for name, figure in servers.items():
            table.add_row(
                question,
                name,
                f"{figure['requests_per_second']:,.0f}",
                f"{figure['requests_per_second_spread'] * 50:.0f}",
                f"{figure['cpu_ms']:.2f}",
                f"{figure['p50_ms']:.0f}",
                f"{figure['p99_ms']:.0f}",
                f"{figure['rss_mb']:.0f}",
            )
    console.print(table)


def _say(text: str) -> None:
    console.print(text, markup=False, soft_wrap=True)


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return the status of the process."""
    try:
        app(arguments, result_action="return_value")
    except (Collapsed, Disagreement, LoadFailed, ServerFailed, SystemFailed, OSError) as error:
        console.print(str(error), style="red", markup=False)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
