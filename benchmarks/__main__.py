"""The commands: `peers` compares with other servers, `permission` tells what permission costs."""

import os
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final

import orjson
from cyclopts import App, Parameter
from rich.console import Console
from rich.table import Table

from benchmarks.data import Scale
from benchmarks.load import LoadFailed
from benchmarks.permission import agree_but_for_permission, guarded_and_unguarded
from benchmarks.processes import ServerFailed, cores
from benchmarks.questions import TOWNSHIP
from benchmarks.rounds import Plan, Rounds, measured, mixed, pin_generator, ratios, summary
from benchmarks.stage import Disagreement, agree, peers, staged
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


_OPTIONS: Final = Options()


@app.default
@app.command(name="peers")
def peers_command(clients: int = 16, options: Options = _OPTIONS) -> None:
    """Measure this server, idiomatic Strawberry and the hand-written limit side by side."""
    plan = Plan(clients, options.seconds, options.rounds, options.warm)
    with _staged(options) as stage, stage.started([stage.township(), *peers()]) as servers:
        compared = agree(servers, options.samples)
        _say(f"{compared} answers are equal at all {len(servers)} servers")
        right = mixed(servers, clients, min(5.0, options.seconds))
        _say(f"right under {clients} clients with mixed scopes: {right}")
        rounds = measured(servers, _questions(options), plan, _say)
    found = summary(rounds)
    about = {**_about(plan, options), "compared": compared, "right": right}
    against = {name: ratios(rounds, "township", name) for name in ("strawberry", "hand_written")}
    _write(options.out, {**found, "about": about, "township_against": against})
    _show(rounds)


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


def _staged(options: Options) -> Any:
    pinned = cores()
    pin_generator(pinned[1] if pinned else None)
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
    before = orjson.loads(path.read_bytes()) if path.exists() else {}
    path.write_bytes(orjson.dumps({**before, **figures}, option=orjson.OPT_INDENT_2))
    _say(f"wrote {path}")


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
    except (Disagreement, LoadFailed, ServerFailed, SystemFailed, OSError) as error:
        console.print(str(error), style="red", markup=False)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
