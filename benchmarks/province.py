"""
The reform's own size: every township of the province, its accounts, and a working day's questions.

All townships ask at once. What an hour needs is worked out from what one server sustains and from
how much is asked, which nobody has measured: an assumption, told beside the figure.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import ceil
from random import Random
from typing import Annotated, Final

from cyclopts import Parameter

from benchmarks.data import Scale, every_township, identifiers, townships
from benchmarks.questions import TOWNSHIP, Asked, Texts
from benchmarks.rounds import Figure, Plan, loaded
from benchmarks.stage import Contestant, Ready, Stage


@dataclass(frozen=True, slots=True)
class Whole(Scale):
    """The province as large as the reform found it."""

    townships: int = len(every_township())
    households: int = 700_000
    residents: int = 2_000_000
    cases: int = 472_400


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True, slots=True)
class Day:
    """Who asks on a working day, and how much."""

    accounts: Annotated[int, Parameter(help="Clerks, spread over all townships.")] = 25_828
    hourly: Annotated[float, Parameter(help="Questions of each at the busiest hour.")] = 60.0
    busy: Annotated[float, Parameter(help="Share of a server that may be used.")] = 0.6


CLIENTS: Final = (4, 16, 64)
_ABOUT: Final = {
    "Q1": ("id_number", "resident"),
    "Case": ("number", "case_file"),
    "Family": ("number", "household"),
}
_MIX: Final = {
    "Q1": 45,  # who stands at the window
    "Case": 20,
    "Waiting": 15,
    "Family": 10,
    "Q2": 7,
    "Q3": 3,
}
"""Of a hundred questions, how many of each."""

TEXTS: Final[Texts] = {
    **TOWNSHIP,
    "Case": """\
query Case($id: String!) {
  case(number: $id) {
    number status appliedAt promisedOn
    matter { code name }
    applicant { idNumber name birthDate }
  }
}""",
    "Waiting": """\
query Waiting($township: DivisionCode!) {
  cases(
    where: { acceptingDivision: { within: $township }, status: { eq: ACCEPTED } }
    orderBy: [{ promisedOn: ASC }]
    first: 20
  ) {
    nodes { number promisedOn matter { name } applicant { name } }
  }
}""",
    "Family": """\
query Family($id: String!) {
  household(number: $id) { number address members { name sex birthDate relationToHead } }
}""",
}


def a_day(stage: Stage, day: Day) -> Stage:
    """Return the stage with one question of each account, drawn by the mix of a day."""
    chance = Random(7)
    known = {name: list(each) for name, each in _known(stage, day.accounts)}
    drawn = chance.choices(list(_MIX), weights=list(_MIX.values()), k=day.accounts)
    asked = [replace(chance.choice(known[name]), clerk=n) for n, name in enumerate(drawn)]
    return replace(stage, asked=asked)


def _known(stage: Stage, count: int) -> Iterator[tuple[str, Iterator[Asked]]]:
    """Give every question with all it may be about."""
    for name, named in _ABOUT.items():
        address = stage.environment["REGISTRY_URL"].replace("+asyncpg", "")
        found = asyncio.run(identifiers(address, count, *named))
        yield name, (Asked(name, township, about) for about, township in found)
    codes = townships(stage.scale.townships)
    for name in ("Waiting", "Q2", "Q3"):
        yield name, (Asked(name, code, code) for code in codes)


def day_of(stage: Stage) -> Contestant:
    """Return this server with the texts of the day."""
    return replace(stage.township(), texts=TEXTS)


def sustained(server: Ready, plan: Plan, levels: Sequence[int]) -> dict[int, Figure]:
    """Measure the day's mix with so many clients at once, of all townships."""
    shots = list(server.shots.values())
    return {clients: loaded(server, shots, replace(plan, clients=clients)) for clients in levels}


def told(figures: Mapping[int, Figure], day: Day) -> dict[str, object]:
    """Return what is told of the scenario, with the servers of the busiest hour."""
    most = max(figure.requests_per_second for figure in figures.values())
    hour = day.accounts * day.hourly / 3600
    return {
        **asdict(day),
        "mix": dict(_MIX),
        "clients": {str(clients): asdict(figure) for clients, figure in figures.items()},
        "requests_per_second": most,
        "busiest_hour_requests_per_second": hour,
        "servers_at_the_busiest_hour": ceil(hour / (most * day.busy)),
    }
