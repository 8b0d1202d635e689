"""How cost grows with what is asked, and with what there is."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Final, TypeAlias

from cyclopts import Parameter

from benchmarks.data import Scale, townships
from benchmarks.fitting import Curve, Point
from benchmarks.inside import Question, costs
from benchmarks.load import Shot, answers
from benchmarks.questions import TOWNSHIP
from benchmarks.rounds import Figure, Plan, loaded
from benchmarks.stage import DEPARTMENTS, Ready, Stage, staged

Curves: TypeAlias = Mapping[str, Curve]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True, slots=True)
class Sizes:
    """The sizes of each curve."""

    objects: Annotated[tuple[int, ...], Parameter(help="In one answer, about.")] = (
        10,
        100,
        1_000,
        10_000,
        100_000,
    )
    depth: tuple[int, ...] = (1, 2, 4, 8, 16)
    sources: tuple[int, ...] = (1, 2, 4, 8, 16)
    accounts: tuple[int, ...] = (1, 100, 5_000, 25_828)
    rows: Annotated[tuple[int, ...], Parameter(help="Residents of the province.")] = (
        60_000,
        200_000,
        600_000,
    )
    clients: tuple[int, ...] = (1, 4, 16, 64, 256, 512)


@dataclass(frozen=True, slots=True)
class Ground:
    """What every curve is measured on."""

    state: Path
    scale: Scale
    people: int
    plan: Plan
    sizes: Sizes

    @contextmanager
    def serving(self, scale: Scale) -> Iterator[tuple[Stage, Ready]]:
        """Give this server over data of a scale."""
        with (
            staged(self.state, scale, self.people) as stage,
            stage.started([stage.township()]) as servers,
        ):
            yield stage, servers[0]


_PAGE: Final = 100  # the largest there is
_YEARS: Final = 68  # in which people of the data are born
_EACH: Final = 2  # a case and its matter
_DENSE: Final = Scale(townships=1, households=200, residents=1_000, cases=120_000)
"""One township where everybody has some 120 cases, so that one answer can be large."""

_LISTED: Final = """\
  p%d: residents(
    where: {
      residenceDivision: { within: $township }
      birthDate: { gte: "%d-01-01", lt: "%d-01-01" }
    }
    first: %d
  ) { nodes { name sex cases(first: %d) { nodes { number status matter { code name } } } } }
"""


def of_objects(ground: Ground) -> Curves:
    """Return what an answer costs by the objects in it: residents, their cases, and matters."""
    with staged(ground.state, _DENSE, 1) as stage:
        township = townships(1)[0]
        variables = {"township": township}
        asked = [Question(_large(size), variables, township) for size in ground.sizes.objects]
        found = costs(stage, DEPARTMENTS, asked)
    cpu = [Point(cost.objects, cost.cpu) for cost in found]
    clock = [Point(cost.objects, cost.clock) for cost in found]
    of = "objects in the answer"
    return {
        "objects": Curve(of, "milliseconds of CPU", cpu),
        "objects_clock": Curve(of, "milliseconds, database included", clock),
    }


def _large(objects: int) -> str:
    """Return a question with about so many objects in its answer."""
    cases = min(_PAGE, max(2, int((objects / _EACH) ** 0.5)))
    people = max(1, round(objects / (2 + _EACH * cases)))
    pages = [min(_PAGE, people - at) for at in range(0, people, _PAGE)]
    years = _YEARS // len(pages)
    born = (1940 + years * at for at in range(len(pages)))  # nobody is on two pages
    listed = (
        _LISTED % (at, year, year + years, size, cases)
        for at, (year, size) in enumerate(zip(born, pages, strict=True))
    )
    return f"query Large($township: DivisionCode!) {{\n{''.join(listed)}}}"


def of_depth(ground: Ground) -> Curves:
    """Return what an answer costs by its depth, twenty objects on each level."""
    with staged(ground.state, ground.scale, 1) as stage:
        township = townships(1)[0]
        asked = [
            Question(_deep(depth), {"township": township}, township) for depth in ground.sizes.depth
        ]
        found = costs(stage, DEPARTMENTS, asked)
    points = [Point(size, cost.cpu) for size, cost in zip(ground.sizes.depth, found, strict=True)]
    return {"depth": Curve("levels of household and member", "milliseconds of CPU", points)}


def _deep(depth: int) -> str:
    inner = "name"
    for _ in range(depth):
        inner = f"name household {{ address members(first: 1) {{ {inner} }} }}"
    where = "where: { residenceDivision: { within: $township } } first: 20"
    return (
        f"query Deep($township: DivisionCode!) {{ residents({where}) {{ nodes {{ {inner} }} }} }}"
    )


def of_sources(ground: Ground) -> Curves:
    """Return what a page of twenty costs by the systems that give something of each person."""
    with staged(ground.state, ground.scale, 1) as stage:
        township, largest = townships(1)[0], max(ground.sizes.sources)
        departments = _systems(stage.directory / "systems", largest)
        asked = [
            Question(_wide(count), {"township": township}, township)
            for count in ground.sizes.sources
        ]
        found = costs(stage, departments, asked)
    points = [Point(size, cost.cpu) for size, cost in zip(ground.sizes.sources, found, strict=True)]
    return {"sources": Curve("systems beside that of residents", "milliseconds of CPU", points)}


_SYSTEM: Final = """\
name = "system_%(letters)s"
title = "性能测试系统%(n)d"
department = "数据"
kind = "sql"
url = "${REGISTRY_URL}"
collation = "binary"

[entity.Register%(n)d]
description = "登记%(n)d | Register %(n)d"
attach = { to = "Resident", field = "register%(n)d", by = { applicant_id_number = "idNumber" } }
native = "public.case_file"
key = ["number"]
subject = "applicant_id_number"

[entity.Register%(n)d.fields]
number = { native = "number", nullable = false, description = "编号 | Number" }
state = { native = "status", description = "状态 | State" }

[entity.Register%(n)d.fields.idNumber]
native = "applicant_id_number"
identifier = "citizen_number"
description = "公民身份号码 | Citizen number"
"""


def _systems(folder: Path, count: int) -> Path:
    """Write the mapping files of so many systems beside the registry's."""
    folder.mkdir(exist_ok=True)
    (folder / "registry.toml").write_bytes((DEPARTMENTS / "registry.toml").read_bytes())
    for number in range(1, count + 1):
        letters = chr(ord("a") + number // 26) + chr(ord("a") + number % 26)
        text = _SYSTEM % {"n": number, "letters": letters}
        (folder / f"system_{letters}.toml").write_text(text, encoding="utf-8")
    return folder


def _wide(count: int) -> str:
    facets = " ".join(f"register{n} {{ number state }}" for n in range(1, count + 1))
    where = "where: { residenceDivision: { within: $township } } first: 20"
    return (
        f"query Wide($township: DivisionCode!)"
        f" {{ residents({where}) {{ nodes {{ name {facets} }} }} }}"
    )


def of_accounts(ground: Ground) -> Curves:
    """Return what Q1 costs by the accounts that ask it by turns."""
    points = []
    with ground.serving(ground.scale) as (stage, server):
        for count in ground.sizes.accounts:
            shots = by_accounts(stage, server, count)
            answers(server.server.address, [shot.request for shot in shots])  # each once before
            points.append(Point(count, loaded(server, shots, ground.plan).cpu_ms))
    return {"accounts": Curve("accounts", "milliseconds of CPU of Q1", points)}


def by_accounts(stage: Stage, server: Ready, count: int) -> list[Shot]:
    """Return Q1 asked by so many clerks, each about a resident of the own township."""
    known = [(asked, shot) for asked, shot in server.shots.items() if asked.question == "Q1"]
    shots = []
    for number in range(count):
        asked, shot = known[number % len(known)]
        own = replace(asked, clerk=number)
        token = stage.token(own.township, own.clerk)
        shots.append(Shot(own.request(TOWNSHIP, token), shot.answer))
    return shots


def of_rows(ground: Ground) -> Curves:
    """Return what each question costs by the residents of the province, in as many townships."""
    costs: dict[str, list[Point]] = {}
    alone = replace(ground.plan, clients=1)
    for count in ground.sizes.rows:
        share = count / ground.scale.residents
        scale = replace(
            ground.scale,
            households=round(ground.scale.households * share),
            residents=count,
            cases=round(ground.scale.cases * share),
        )
        with ground.serving(scale) as (_, server):
            for question in TOWNSHIP:
                figure = loaded(server, server.of(question), alone)
                name = f"rows_{question.lower()}"
                costs.setdefault(f"{name}_cpu", []).append(Point(count, figure.cpu_ms))
                costs.setdefault(f"{name}_clock", []).append(Point(count, figure.p50_ms))
    return {name: Curve("residents", _unit(name), points) for name, points in costs.items()}


def _unit(name: str) -> str:
    return "milliseconds of CPU" if name.endswith("cpu") else "milliseconds, database included"


def of_clients(ground: Ground) -> Curves:
    """Return what Q1 costs, and how long it takes, by the clients that ask at once."""
    figures: list[Figure] = []
    with ground.serving(ground.scale) as (_, server):
        for count in ground.sizes.clients:
            plan = replace(ground.plan, clients=count)
            figures.append(loaded(server, server.of("Q1"), plan))
    shown = {
        "clients_cpu": ("milliseconds of CPU of Q1", "cpu_ms"),
        "clients_rate": ("requests per second", "requests_per_second"),
        "clients_p99": ("milliseconds, the slowest hundredth", "p99_ms"),
    }
    return {
        name: Curve("clients", cost, _points(ground.sizes.clients, figures, attribute))
        for name, (cost, attribute) in shown.items()
    }


def _points(sizes: Sequence[int], figures: Sequence[Figure], attribute: str) -> list[Point]:
    costs = [getattr(figure, attribute) for figure in figures]
    return [Point(size, cost) for size, cost in zip(sizes, costs, strict=True)]


CURVES: Final[Mapping[str, Callable[[Ground], Curves]]] = {
    "objects": of_objects,
    "depth": of_depth,
    "sources": of_sources,
    "accounts": of_accounts,
    "rows": of_rows,
    "clients": of_clients,
}
