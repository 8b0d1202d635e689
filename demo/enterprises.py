"""The companies and shops of a township, and who of its residents works for which company."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Final

from demo.identifiers import credit_code, scattered
from demo.land import Township
from demo.names import COMPANY_KINDS, company_name, shop_name
from demo.people import PER_TOWNSHIP_AT_MOST, Person
from demo.working_days import TODAY

_RESIDENTS_PER_ENTERPRISE: Final = 45
_RESIDENTS_PER_SHOP: Final = 70
_FIRST_SHOP: Final = 50_000
_ROADS: Final = ("振兴路", "创业路", "科技路", "人民路")


@dataclass(frozen=True, slots=True)
class Enterprise:
    """A company, or a shop that insures nobody."""

    number: str
    credit_code: str
    name: str
    division: str
    kind: str
    established: date
    address: str
    headcount: int


@dataclass(frozen=True, slots=True)
class Workforce:
    """A township's companies, and the employer of each employed resident by their number."""

    enterprises: tuple[Enterprise, ...]
    employers: dict[str, Enterprise]


def workforce(township: Township, people: tuple[Person, ...], county: int, seed: int) -> Workforce:
    """Return the companies and who works where; `county` is the place in the companies' codes."""
    random = Random(f"{seed} enterprises {township.code}")
    count = len(people) // _RESIDENTS_PER_ENTERPRISE + 1
    workers = [person for person in people if person.occupation == "EMPLOYEE"]
    # The square gives a few large companies and many small ones.
    places = [int(random.random() ** 2 * count) for _ in workers]
    heads = Counter(places)
    companies = tuple(
        _enterprise(random, township, (county, index), heads[index]) for index in range(count)
    )
    employers = {w.number: companies[at] for w, at in zip(workers, places, strict=True)}
    return Workforce(companies, employers)


def shops(township: Township, residents: int, county: int, seed: int) -> tuple[Enterprise, ...]:
    """Return the shops of a township; `county` is the place in their codes."""
    random = Random(f"{seed} shops {township.code}")
    count = residents // _RESIDENTS_PER_SHOP + 1
    return tuple(_shop(random, township, county, index) for index in range(count))


def _shop(random: Random, township: Township, county: int, index: int) -> Enterprise:
    serial = township.rank * PER_TOWNSHIP_AT_MOST + _FIRST_SHOP + index
    return Enterprise(
        number=f"E{scattered(serial):09}",
        credit_code=credit_code(county, serial),
        name=shop_name(random, township.county_name[:-1]),
        division=township.code,
        kind="个体工商户",
        established=TODAY - timedelta(days=random.randrange(30, 6_000)),
        address=f"{township.place}{random.choice(_ROADS)}{random.randint(1, 400)}号",
        headcount=0,
    )


def _enterprise(
    random: Random, township: Township, place: tuple[int, int], workers: int
) -> Enterprise:
    county, index = place
    serial = township.rank * PER_TOWNSHIP_AT_MOST + index
    (kind,) = random.choices(tuple(COMPANY_KINDS), (72, 6, 14, 8))
    return Enterprise(
        number=f"E{scattered(serial):09}",
        credit_code=credit_code(county, serial),
        name=company_name(random, township.county_name[:-1], kind),
        division=township.code,
        kind=kind,
        established=TODAY - timedelta(days=random.randrange(200, 9_000)),
        address=f"{township.place}{random.choice(_ROADS)}{random.randint(1, 400)}号",
        headcount=workers + random.randrange(0, 6),
    )
