"""Two systems of the demo write the bureau's codes, some of which nobody can translate."""

from collections import Counter

import asyncpg  # type: ignore[import-untyped]

from contract.predicate import INVALID, TRUE, Predicate, Within
from contract.read import ForEach, Order, Read
from demo.bureau import bureau_township
from demo.systems import Systems
from sources.assembly import Assembly
from sources.divisions import division_tree

HERE, THERE = "320205106", "320205107"


async def natives(running: Systems) -> dict[str, str]:
    url = running.environment["HEALTH_URL"].replace("+asyncpg", "")
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch("SELECT arc_no, org_area FROM ehr_archive")
    finally:
        await connection.close()
    return {row["arc_no"]: row["org_area"] for row in rows}


async def records(assembly: Assembly, where: Predicate) -> dict[object, object]:
    read = Read("HealthRecord", ("number", "division"), where, (Order("number"),))
    return dict((await assembly.guards["health"].read(read)).rows)  # type: ignore[arg-type] # pairs


async def test_the_same_digits_are_another_township_and_show_its_rows_to_nobody_else(
    running: Systems, assembly: Assembly
) -> None:
    raw = await natives(running)

    here, there = [await records(assembly, Within("division", code)) for code in (HERE, THERE)]

    assert bureau_township(THERE) == HERE  # the bureau gives the digits of one to the other
    assert set(here) == {n for n, code in raw.items() if code.startswith(bureau_township(HERE))}
    assert set(there) == {n for n, code in raw.items() if code.startswith(HERE)}
    assert min(len(here), len(there)) > 10
    assert {len(str(code)) for code in here.values()} == {9, 12}


async def test_what_cannot_be_translated_is_no_place_at_all(
    running: Systems, assembly: Assembly
) -> None:
    raw = await natives(running)

    whole, province = [await records(assembly, part) for part in (TRUE, Within("division", "32"))]

    lost = {number for number, code in whole.items() if code is INVALID}
    known = {str(code) for number, code in whole.items() if number not in lost}
    assert set(whole) == set(raw)
    assert lost == set(whole) - set(province)
    assert 5 < len(lost) < len(whole) / 20
    assert [code for code in known if division_tree().get(code) is None] == []


async def test_tax_says_the_township_as_the_population_system_does(assembly: Assembly) -> None:
    people = Read(
        "Resident", ("idNumber", "residenceDivision"), Within("residenceDivision", HERE), limit=90
    )
    living = (await assembly.guards["population"].read(people)).rows
    numbers = tuple((row[0],) for row in living if isinstance(row[0], str))

    paid = Read(
        "ContributionPayment",
        ("idNumber", "division", "township"),
        for_each=ForEach(("idNumber",), numbers),
    )
    rows = (await assembly.guards["tax"].read(paid)).rows

    places = Counter((division, township) for _, division, township in rows)
    assert places[HERE[:6], HERE] > 20
    assert {township for _, township in places} <= {HERE, INVALID}
