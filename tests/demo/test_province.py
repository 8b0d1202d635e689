"""The synthetic province makes sense, and a seed makes it always the same."""

import os
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from stdnum.cn import ric

from demo import scene
from demo.cases import Case
from demo.land import CORE, townships
from demo.people import Household, Person
from demo.province import Records, province
from demo.working_days import TODAY

ROOT = Path(__file__).parents[2]
DIGEST = """
from hashlib import sha256
from demo.province import province
digest = sha256()
for records in province(2_000, {seed}):
    digest.update(repr(records).encode())
print(digest.hexdigest())
"""


@cache
def made(residents: int = 12_000, seed: int = 7) -> tuple[Records, ...]:
    return tuple(province(residents, seed))


def people() -> list[Person]:
    return [person for records in made() for person in records.people]


def households() -> list[Household]:
    return [household for records in made() for household in records.households]


def cases() -> list[Case]:
    return [case for records in made() for case in records.cases]


def digest(seed: int, hash_seed: str) -> str:
    return subprocess.run(  # noqa: S603 -- our own text
        [sys.executable, "-c", DIGEST.format(seed=seed)],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def test_a_seed_always_gives_the_same_bytes_and_another_seed_gives_others() -> None:
    first = digest(7, "1")

    assert digest(7, "2") == first
    assert digest(8, "1") != first


@pytest.mark.parametrize("residents", [1_000, 2_001])
def test_there_are_exactly_as_many_residents_as_asked_for(residents: int) -> None:
    assert sum(len(records.people) for records in made(residents)) == residents


@pytest.mark.parametrize(("residents", "count"), [(1_000, 24), (60_000, 24), (100_000, 40)])
def test_townships_are_added_as_the_province_grows(residents: int, count: int) -> None:
    chosen = townships(residents)

    assert len(chosen) == count
    assert sum(township.residents for township in chosen) == residents
    assert set(CORE) <= {township.code for township in chosen}


def test_five_million_residents_live_in_every_township_there_is() -> None:
    chosen = townships(5_000_000)

    assert len(chosen) == 1_238
    assert sum(township.residents for township in chosen) == 5_000_000


@pytest.mark.parametrize("residents", [0, 999, 5_000_001])
def test_a_province_too_small_or_too_large_is_refused(residents: int) -> None:
    with pytest.raises(ValueError, match="1000 to 5000000"):
        next(province(residents, 7))


def test_the_smallest_demo_has_three_cities_of_two_counties_each() -> None:
    counties = {township.county for township in townships(1_000)}

    assert Counter(county[:4] for county in counties) == {"3201": 2, "3202": 2, "3204": 2}


def test_every_citizen_number_is_valid_marked_as_fake_and_given_once() -> None:
    numbers = [person.id_number for person in people()]

    assert len(set(numbers)) == len(numbers)
    assert {number[2:4] for number in numbers} == {"99"}
    assert all(number[-1] == ric.calc_check_digit(number) for number in numbers)


def test_a_citizen_number_tells_the_birth_date_and_the_sex() -> None:
    for person in people():
        assert ric.get_birth_date(person.id_number) == person.birth
        assert (int(person.id_number[16]) % 2 == 0) == person.female


def test_every_key_is_given_once() -> None:
    keys = [person.number for person in people()] + [each.number for each in households()]
    keys += [case.number for case in cases()]
    keys += [row.number for records in made() for row in records.enterprises]
    keys += [row.number for records in made() for row in records.assistances]
    keys += [row.number for records in made() for row in records.social_insurances]

    assert [key for key, count in Counter(keys).items() if count > 1] == []


def test_every_family_has_one_living_head_and_a_collective_household_has_none() -> None:
    for household in households():
        heads = [member for member in household.members if member.relation == "HEAD"]
        assert heads == ([household.head] if household.kind == "FAMILY" else [])
        assert household.head is None or household.head.death is None


def test_members_know_their_household() -> None:
    for household in households():
        assert {member.household for member in household.members} == {household.number}


def test_children_are_younger_and_parents_older_than_the_head() -> None:
    years = {"SON": (15, 80), "DAUGHTER": (15, 80), "GRANDCHILD": (35, 90), "PARENT": (-80, -15)}

    for household in households():
        for member in household.members:
            if household.head and member.relation in years:
                least, most = years[member.relation]
                assert least <= member.birth.year - household.head.birth.year <= most


def test_nobody_is_born_or_dies_after_the_last_day() -> None:
    for person in people():
        assert person.birth <= (person.death or TODAY) <= TODAY
        assert person.age <= 103


def test_about_one_in_twelve_is_registered_elsewhere_and_some_in_other_provinces() -> None:
    everyone = people()
    elsewhere = [person for person in everyone if person.registered != person.residence]
    far = [person for person in everyone if not person.registered.startswith("32")]

    assert 0.06 < len(elsewhere) / len(everyone) < 0.11
    assert 0.02 < len(far) / len(everyone) < 0.06
    assert all(person.id_number[:2] == person.registered[:2] for person in far)


def test_villages_are_in_the_township_of_residence() -> None:
    for person in people():
        assert person.village is None or person.village.startswith(person.residence or "none")


def test_about_two_in_a_hundred_households_have_assistance_under_their_head() -> None:
    heads = {household.head.id_number for household in households() if household.head}
    grants = [grant for records in made() for grant in records.assistances]
    known = [grant for grant in grants if grant.head_id_number.upper() in heads]

    assert 0.012 < len(grants) / len(households()) < 0.04
    assert len(known) >= len(grants) - 3


def test_assistance_of_every_kind_is_paid_in_months_after_approval() -> None:
    grants = [grant for records in made(40_000) for grant in records.assistances]

    assert len({grant.kind for grant in grants}) == 8
    for grant in grants:
        for payment in grant.payments:
            assert payment.first_month >= grant.approved.replace(day=1)
            assert payment.amount == grant.monthly > 0


def test_insurances_fit_age_and_work() -> None:
    by_person = {person.number[1:]: person for person in people()}

    for records in made():
        for row in records.social_insurances:
            person = by_person[row.insured.number[1:]]
            assert person.age >= 16
            assert (row.employer is not None) == (person.occupation == "EMPLOYEE")
            assert person.birth <= row.started <= TODAY


def test_a_headcount_is_at_least_the_number_of_residents_employed() -> None:
    for records in made():
        employed = Counter(
            row.employer.number
            for row in records.social_insurances
            if row.employer and row.number.endswith("1")
        )
        for enterprise in records.enterprises:
            assert enterprise.headcount >= employed[enterprise.number]


def test_there_is_a_case_for_about_every_sixth_resident() -> None:
    assert 0.15 < len(cases()) / len(people()) < 0.18


def test_cases_run_forward_in_time() -> None:
    for case in cases():
        moments = [case.applied_at, case.accepted_at, case.closed_at]
        known = [moment for moment in moments if moment]
        assert known == sorted(known)
        assert all(moment.date() <= TODAY and moment.weekday() < 5 for moment in known)
        assert [event.started_at for event in case.events] == sorted(
            event.started_at for event in case.events
        )


def test_only_decided_cases_have_a_result() -> None:
    decided = {"CLOSED", "APPROVED", "REJECTED", "NOT_ACCEPTED", "TERMINATED", "OTHER"}

    for case in cases():
        assert not case.results or case.status in decided
        assert case.status != "CLOSED" or len(case.results) == 1


def test_about_one_case_in_twelve_is_accepted_elsewhere() -> None:
    elsewhere = sum(
        case.division != records.township.code for records in made() for case in records.cases
    )

    assert 0.05 < elsewhere / len(cases()) < 0.11


def test_cases_carry_the_materials_of_their_matter() -> None:
    for case in cases():
        assert tuple(material.name for material in case.materials) == case.matter.materials


def test_the_mess_is_there() -> None:
    records = made(40_000)
    names = {person.name for each in records for person in each.people}
    keyed = {row.insured.id_number for each in records for row in each.social_insurances}
    right = {person.id_number for each in records for person in each.people}

    assert {"𠮷田𬱖", "<script>alert(1)</script>", "阿依古丽·买买提"} <= names
    assert any(name.startswith("欧阳") for name in names)
    assert any(number.endswith("x") for number in keyed)
    assert 0 < len({number.upper() for number in keyed} - right) < len(keyed) / 1_000


def test_the_scene_family_is_the_same_for_every_seed_and_size() -> None:
    for residents, seed in ((1_000, 1), (2_001, 7), (12_000, 7)):
        (home,) = (r for r in made(residents, seed) if r.township.code == scene.TOWNSHIP)
        assert home.households[0] == scene.HOUSEHOLD
        assert home.assistances[:2] == scene.assistances()
        assert home.cases[:3] == scene.cases()
        assert home.social_insurances[:2] == scene.social_insurances()
        assert home.medical_enrollments[:3] == scene.medical_enrollments()


def test_the_scene_family_has_the_numbers_the_documentation_gives() -> None:
    assert [(member.name, member.id_number) for member in scene.HOUSEHOLD.members] == [
        ("华桂英", "329900195304129028"),
        ("尤根大", "329900194908209059"),
        ("尤建明", "329900197606039078"),
        ("尤子轩", "329900201209019099"),
    ]
    assert scene.HEAD.age == 73
    assert [(case.number, case.status, case.matter.name) for case in scene.cases()] == [
        ("20260302999999941", "CLOSED", "最低生活保障"),
        ("20260907999999942", "CLOSED", "临时救助"),
        ("20261026999999943", "ACCEPTED", "社会保障卡申领补换"),
    ]
