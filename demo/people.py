"""The residents of a township, household by household."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Final

from demo.family import Member, dormitory, family
from demo.identifiers import CitizenNumbers, phone, scattered
from demo.land import Township
from demo.names import full_name, surname
from demo.working_days import TODAY
from sources.divisions import Division

PER_TOWNSHIP_AT_MOST: Final = 100_000
HOME: Final = "32"

_AWAY: Final = ("341122", "340421", "341523", "411522", "411724", "421126", "360428", "510722")
"""Counties of other provinces that migrants are registered in."""
_GONE: Final = ("310115", "310114", "330106", "440305")
"""Places outside the province where residents of ours went to live."""
_ENDINGS: Final = {"居民委员会": "社区", "居委会": "社区", "村民委员会": "村", "村委会": "村"}
_NATIONS: Final = ("03", "06", "11", "15", "17", "05", "08")


@dataclass(frozen=True, slots=True)
class Person:
    """A resident; divisions are in significant digits, `residence` is null where it is unknown."""

    number: str
    id_number: str
    name: str
    female: bool
    nation: str
    birth: date
    household: str
    relation: str
    registered: str
    residence: str | None
    village: str | None
    address: str
    phone: str | None
    death: date | None
    occupation: str
    serial: int

    @property
    def age(self) -> int:
        """Return the years of age on the demo's last day, or at death."""
        last = self.death or TODAY
        return last.year - self.birth.year - ((last.month, last.day) < _day(self.birth))


@dataclass(frozen=True, slots=True)
class Household:
    """Who lives at an address; a collective household has no head."""

    number: str
    kind: str
    head: Person | None
    members: tuple[Person, ...]
    township: str
    village: str | None
    address: str

    @property
    def size(self) -> int:
        """Return how many of the members are alive."""
        return sum(member.death is None for member in self.members)


@dataclass(frozen=True, slots=True)
class _Home:
    number: str
    village: Division | None
    address: str
    registered: str
    surname: str

    @property
    def province(self) -> str:
        return self.registered[:2]


class Census:
    """Makes the households of one township, as many as it has residents for."""

    def __init__(
        self, township: Township, elsewhere: tuple[str, ...], numbers: CitizenNumbers, seed: int
    ) -> None:
        self._township = township
        self._elsewhere = elsewhere
        self._numbers = numbers
        self._random = Random(f"{seed} people {township.code}")
        self._households = 0
        self._people = 0

    def households(self, residents: int) -> Iterator[Household]:
        """Yield households until so many residents are there; the last one may be cut short."""
        while (room := residents - self._people) > 0:
            if self._random.random() < 0.004:
                yield self._household(dormitory(self._random)[:room], "COLLECTIVE")
            else:
                yield self._household(family(self._random)[:room], "FAMILY")

    def _household(self, members: tuple[Member, ...], kind: str) -> Household:
        home = self._home(kind)
        people = tuple(self._person(member, home) for member in members)
        return Household(
            number=home.number,
            kind=kind,
            head=people[0] if kind == "FAMILY" else None,
            members=people,
            township=self._township.code,
            village=home.village.code if home.village else None,
            address=home.address,
        )

    def _home(self, kind: str) -> _Home:
        self._households += 1
        villages = self._township.villages
        village = self._random.choice(villages) if villages else None
        return _Home(
            number=f"H{scattered(_serial(self._township, self._households)):09}",
            village=village,
            address=self._address(village, kind),
            registered=self._registered(kind),
            surname=surname(self._random),
        )

    def _registered(self, kind: str) -> str:
        chance = self._random.random()
        if kind == "COLLECTIVE" or chance < 0.026:
            return self._random.choice(_AWAY)
        if chance < 0.056:
            return self._random.choice(self._elsewhere)
        return self._township.code

    def _address(self, village: Division | None, kind: str) -> str:
        place = self._township.place + (_short(village.name) if village else "人民路")
        number = self._random.randint(1, 188)
        if kind == "COLLECTIVE":
            return f"{place}{number}号职工宿舍"
        if self._township.is_urban:
            return (
                f"{place}{number % 40 + 1}幢{number % 3 + 1}单元{self._random.randint(1, 18)}02室"
            )
        return f"{place}{self._random.randint(1, 24)}组{number}号"

    def _person(self, member: Member, home: _Home) -> Person:
        self._people += 1
        random = self._random
        serial = _serial(self._township, self._people)
        birth = _birth(random, member.age)
        residence, village = self._residence(member, home)
        return Person(
            number=f"R{scattered(serial):09}",
            id_number=self._numbers.next(home.province, birth, female=member.female),
            name=full_name(
                random, _family_name(random, member, home), birth.year, female=member.female
            ),
            female=member.female,
            nation="01" if random.random() < 0.988 else random.choice(_NATIONS),
            birth=birth,
            household=home.number,
            relation=member.relation,
            registered=self._own_registration(home),
            residence=residence,
            village=village,
            address=home.address,
            phone=_phone(random, member.age, serial),
            death=_death(random, member, birth),
            occupation=_occupation(random, member.age, urban=self._township.is_urban),
            serial=serial,
        )

    def _residence(self, member: Member, home: _Home) -> tuple[str | None, str | None]:
        chance = self._random.random()
        if member.relation != "HEAD" and chance < 0.010:
            return (self._random.choice(_GONE) if chance < 0.007 else None), None
        return self._township.code, home.village.code if home.village else None

    def _own_registration(self, home: _Home) -> str:
        if home.registered == self._township.code and self._random.random() < 0.008:
            return self._random.choice(self._elsewhere)
        return home.registered


def _serial(township: Township, count: int) -> int:
    return township.rank * PER_TOWNSHIP_AT_MOST + count


def _day(day: date) -> tuple[int, int]:
    return day.month, day.day


def _short(village: str) -> str:
    for ending, kind in _ENDINGS.items():
        if village.endswith(ending):
            return village.removesuffix(ending).removesuffix(kind) + kind
    return village


def _birth(random: Random, age: int) -> date:
    return TODAY - timedelta(days=int(age * 365.2425) + random.randrange(1, 364))


def _family_name(random: Random, member: Member, home: _Home) -> str:
    married_in = member.relation in ("SPOUSE", "OTHER") or (
        member.relation == "PARENT" and member.female
    )
    return surname(random) if married_in else home.surname


def _phone(random: Random, age: int, serial: int) -> str | None:
    return phone(serial) if age >= 14 and random.random() < 0.9 else None


def _death(random: Random, member: Member, birth: date) -> date | None:
    # A head who died would have been replaced, so only others are on record as dead.
    likely = 0.045 if member.age >= 68 else 0.002
    if member.relation == "HEAD" or random.random() > likely:
        return None
    return max(birth, TODAY - timedelta(days=random.randrange(10, 3 * 365)))


def _occupation(random: Random, age: int, *, urban: bool) -> str:
    if age < 6:
        return "CHILD"
    if age < 18 or (age < 23 and random.random() < 0.7):
        return "STUDENT"
    if age >= 60:
        return "RETIRED_EMPLOYEE" if random.random() < (0.65 if urban else 0.3) else "RETIRED"
    weights = (70, 16, 3, 11) if urban else (48, 17, 25, 10)
    return random.choices(("EMPLOYEE", "FLEXIBLE", "FARMER", "NONE"), weights)[0]
