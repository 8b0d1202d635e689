"""
Everything about the synthetic province, township by township: the same seed gives the same bytes.

Memory is bounded by one county: a township is made, handed on and forgotten.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from random import Random
from typing import Final

from demo import scene
from demo.assistance import Assistance, CivilAffairs
from demo.cases import Case, Docket
from demo.enterprises import Enterprise, shops, workforce
from demo.identifiers import CitizenNumbers
from demo.insurance import Insurers, MedicalEnrollment, SocialInsurance
from demo.land import PROVINCE, Township, townships
from demo.people import Census, Household, Person
from sources.divisions import division_tree

FEWEST: Final = 1_000
MOST: Final = 5_000_000


@dataclass(frozen=True, slots=True)
class Records:
    """What all departments together know of one township's people; `seed` is for what follows."""

    seed: int
    township: Township
    households: tuple[Household, ...]
    people: tuple[Person, ...]
    enterprises: tuple[Enterprise, ...]
    shops: tuple[Enterprise, ...]
    social_insurances: tuple[SocialInsurance, ...]
    medical_enrollments: tuple[MedicalEnrollment, ...]
    assistances: tuple[Assistance, ...]
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class _Maker:
    seed: int
    townships: tuple[Township, ...]
    county: int
    numbers: CitizenNumbers

    def records(self, township: Township) -> Records:
        households = self._households(township)
        people = tuple(person for household in households for person in household.members)
        work = workforce(township, people, self.county, self.seed)
        insurers = Insurers(township.county, work.employers, self._random("insurance", township))
        theirs = tuple(p for p in people if p.household != scene.HOUSEHOLD.number)
        return _with_scene(
            Records(
                seed=self.seed,
                township=township,
                households=households,
                people=people,
                enterprises=work.enterprises,
                shops=shops(township, len(people), self.county, self.seed),
                social_insurances=tuple(
                    row for person in theirs for row in insurers.social(person)
                ),
                medical_enrollments=tuple(
                    row for person in theirs for row in insurers.medical(person)
                ),
                assistances=self._assistances(township, households),
                cases=self._cases(township, theirs, work.enterprises),
            )
        )

    def _households(self, township: Township) -> tuple[Household, ...]:
        census = Census(township, self._others(township), self.numbers, self.seed)
        family = (scene.HOUSEHOLD,) if township.code == scene.TOWNSHIP else ()
        known = sum(len(household.members) for household in family)
        return (*family, *census.households(township.residents - known))

    def _assistances(
        self, township: Township, households: tuple[Household, ...]
    ) -> tuple[Assistance, ...]:
        civil = CivilAffairs(self._random("assistance", township), urban=township.is_urban)
        return tuple(
            row
            for household in households
            if household is not scene.HOUSEHOLD
            for row in civil.assistances(household)
        )

    def _cases(
        self, township: Township, people: tuple[Person, ...], enterprises: tuple[Enterprise, ...]
    ) -> tuple[Case, ...]:
        others = tuple(other for other in self.townships if other is not township)
        return Docket(township, others, self.seed).cases(people, enterprises)

    def _others(self, township: Township) -> tuple[str, ...]:
        return tuple(other.code for other in self.townships if other is not township)

    def _random(self, system: str, township: Township) -> Random:
        return Random(f"{self.seed} {system} {township.code}")


def province(residents: int, seed: int) -> Iterator[Records]:
    """
    Yield the records of each township, by code.

    Raises: ValueError for a number of residents that is not between 1,000 and 5,000,000.
    """
    if not FEWEST <= residents <= MOST:
        raise ValueError(f"residents: {FEWEST} to {MOST}, not {residents}")
    chosen, places = townships(residents), _places()
    for county, group in groupby(chosen, key=lambda township: township.county):
        maker = _Maker(seed, chosen, places[county], CitizenNumbers(places[county]))
        yield from map(maker.records, group)


def _places() -> dict[str, int]:
    """Return two digits for each county, by which its citizen numbers differ from the others'."""
    tree = division_tree()
    counties = (county for city in tree.children(PROVINCE) for county in tree.children(city.code))
    return {county.code: place for place, county in enumerate(counties, 1)}


def _with_scene(records: Records) -> Records:
    if records.township.code != scene.TOWNSHIP:
        return records
    return replace(
        records,
        social_insurances=(*scene.social_insurances(), *records.social_insurances),
        medical_enrollments=(*scene.medical_enrollments(), *records.medical_enrollments),
        assistances=(*scene.assistances(), *records.assistances),
        cases=(*scene.cases(), *records.cases),
    )
