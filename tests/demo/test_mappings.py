"""The mapping files of the demo read their systems: no value that nobody can read, no row lost."""

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest
from rich.progress import Progress

from contract.entity import UNKNOWN, Entity, Kind
from contract.predicate import INVALID, Comparison, Operator, Within
from contract.read import ForEach, Order, Read
from demo import mariadb, scene, systems
from demo.systems import Systems
from sources.assembly import Assembly
from tests.demo.conftest import RESIDENTS, SEED, assembly_of

LISTED = (
    *("Resident", "Household", "Case", "CaseEvent", "CaseMaterial", "CaseResult"),
    *("SocialInsurance", "Assistance", "AssistancePayment", "InsuredEmployer"),
    *("HealthRecord", "FamilyPlanningSupport", "HouseholdVisit"),
)
KEYED = {
    "Enterprise": ("creditCode", "Enterprise", "creditCode"),
    "FoodLicence": ("creditCode", "Enterprise", "creditCode"),
    "HousingFundAccount": ("idNumber", "Resident", "idNumber"),
    "ContributionPayment": ("idNumber", "Resident", "idNumber"),
    "WaterAccount": ("householdNumber", "Household", "number"),
    "ElectricityAccount": ("householdNumber", "Household", "number"),
    "GasAccount": ("householdNumber", "Household", "number"),
}
"""What is asked by key: the field, and the entity and field that give the keys."""
MINISTRY = "MCA-2025"


async def read(assembly: Assembly, question: Read) -> list[dict[str, object]]:
    rows = await assembly.federation.read(question, [])
    return [dict(zip(rows.fields, row, strict=True)) for row in rows.rows]


async def of_head(assembly: Assembly, entity: str, fields: tuple[str, ...], by: str) -> object:
    question = Read(entity, (*fields, by), for_each=ForEach((by,), ((scene.HEAD.id_number,),)))
    rows = await read(assembly, question)
    return sorted(tuple(row[field] for field in fields) for row in rows)


@pytest.mark.parametrize("entity", LISTED)
async def test_every_value_can_be_read(assembly: Assembly, entity: str) -> None:
    known = assembly.entities[entity].fields
    order = (Order("number"),)
    rows = await read(assembly, Read(entity, tuple(known), order_by=order, limit=5_000))

    assert rows
    assert faults(rows, assembly.entities[entity]) <= untranslatable(assembly, entity)


@pytest.mark.parametrize("entity", KEYED)
async def test_every_value_that_is_asked_by_key_can_be_read(
    assembly: Assembly, entity: str
) -> None:
    field, of, by = KEYED[entity]
    keys = [(row[by],) for row in await read(assembly, Read(of, (by,))) if row[by]]
    known = tuple(assembly.entities[entity].fields)
    rows = [
        row
        for start in range(0, len(keys), 100)
        for row in await read(
            assembly,
            Read(entity, known, for_each=ForEach((field,), tuple(keys[start : start + 100]))),
        )
    ]

    assert rows
    assert faults(rows, assembly.entities[entity]) <= untranslatable(assembly, entity)


def faults(rows: list[dict[str, object]], entity: Entity) -> set[str]:
    return {
        name
        for name, field in entity.fields.items()
        for values in [{row[name] for row in rows}]
        if INVALID in values
        or (field.kind is Kind.CODE and not values <= {*field.codes, UNKNOWN, None})
    }


def untranslatable(assembly: Assembly, entity: str) -> set[str]:
    return {
        name
        for department in assembly.departments
        if department.divisions != MINISTRY and entity in department.entities
        for name, column in department.entities[entity].columns.items()
        if column.field.kind is Kind.DIVISION
    }


async def test_all_enterprises_are_listed_and_those_of_a_division(assembly: Assembly) -> None:
    here = Within("division", scene.TOWNSHIP)

    everything = await read(assembly, Read("Enterprise", ("number", "division")))
    found = await read(assembly, Read("Enterprise", ("number", "division"), here))

    assert found == [row for row in everything if row["division"] == scene.TOWNSHIP]
    assert 0 < len(found) < len(everything)


async def test_unknown_native_codes_are_a_few_per_thousand(assembly: Assembly) -> None:
    fields, unknown = ("number", "kind"), Comparison("kind", Operator.EQ, UNKNOWN)
    rows = await read(assembly, Read("SocialInsurance", fields))

    found = await read(assembly, Read("SocialInsurance", fields, unknown))

    assert 0 < len(found) < len(rows) / 100
    assert found == [row for row in rows if row["kind"] == UNKNOWN]


async def test_the_head_of_the_scene_is_in_every_system(assembly: Assembly) -> None:
    assert await of_head(assembly, "Resident", ("name", "householdNumber"), "idNumber") == [
        ("华桂英", "H999999940")
    ]
    assert await of_head(assembly, "SocialInsurance", ("kind", "state"), "idNumber") == [
        ("RESIDENT_PENSION", "ACTIVE")
    ]
    assert await of_head(assembly, "MedicalEnrollment", ("kind", "state"), "idNumber") == [
        ("RESIDENT", "ACTIVE")
    ]
    assert await of_head(assembly, "Assistance", ("kind", "state"), "headIdNumber") == [
        ("RURAL_MINIMUM_ALLOWANCE", "ACTIVE"),
        ("TEMPORARY", "ENDED"),
    ]
    assert await of_head(assembly, "HealthRecord", ("chronicDisease",), "idNumber") == [
        ("HYPERTENSION",)
    ]
    assert await of_head(assembly, "FamilyPlanningSupport", ("kind",), "idNumber") == [
        ("RURAL_REWARD",)
    ]
    assert await of_head(assembly, "ContributionPayment", ("year", "amount"), "idNumber") == [
        ("2025", Decimal("400.00")),
        ("2026", Decimal("0.00")),
    ]
    assert await of_head(assembly, "HousingFundAccount", ("number",), "idNumber") == []
    assert await of_head(assembly, "Case", ("number", "status"), "applicantIdNumber") == [
        ("20260302999999941", "CLOSED"),
        ("20260907999999942", "CLOSED"),
        ("20261026999999943", "ACCEPTED"),
    ]


def made_without_mariadb(state: Path) -> Systems:
    with Progress(disable=True) as progress:
        systems.build(state, RESIDENTS, SEED, progress)
    return systems.start(state)


async def test_without_mariadb_the_same_file_reads_civil_affairs_from_postgresql(
    assembly: Assembly, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mariadb, "program", lambda: None)
    fallback = await asyncio.to_thread(made_without_mariadb, tmp_path)
    other = assembly_of(fallback)
    try:
        for entity in ("Assistance", "AssistancePayment", "Case"):
            fields = tuple(assembly.entities[entity].fields)
            question = Read(entity, fields, order_by=(Order("number"),))
            assert await read(other, question) == await read(assembly, question)
    finally:
        await other.aclose()
        fallback.stop()

    assert fallback.environment["CIVIL_AFFAIRS_URL"].startswith("postgresql+asyncpg://")
