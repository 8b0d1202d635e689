"""Scene: whose data a clerk looks at, of when, and what another system says otherwise."""

import pytest

from demo import scene
from tests.scenes.desk import CLERK, ELSEWHERE, Desk

pytestmark = pytest.mark.asyncio(loop_scope="session")

OF_ONE = """
query Sources($idNumber: String!) {
  resident(idNumber: $idNumber) {
    name address phone
    _provenance { field source title asOf conflicts { source title value asOf } }
    household { address _provenance { field source conflicts { source value } } }
  }
}
"""
PLACES = """
query Places($idNumber: String!) {
  resident(idNumber: $idNumber) { name assistances { amount } cases { nodes { status } } }
}
"""
HEAD = scene.HEAD.id_number
NOW, THEN = (f"江苏省无锡市锡山区锡北镇斗山村6组{number}号" for number in (18, 16))


async def test_a_former_address_of_another_system_stands_beside_the_one_in_force(
    desk: Desk,
) -> None:
    resident = (await desk.ask(CLERK, OF_ONE, idNumber=HEAD)).data["resident"]

    home = {"source": "population", "title": "公安人口信息系统"}
    as_of = {"asOf": "2025-10-05T19:06:29+00:00"}
    former = {
        "source": "civil_affairs",
        "title": "民政社会救助系统",
        "value": THEN,
        "asOf": "2026-09-09T06:33:39+00:00",
    }
    assert resident["_provenance"] == [
        {"field": "address", **home, **as_of, "conflicts": [former]},
        {"field": "name", **home, **as_of, "conflicts": []},
        {"field": "phone", **home, **as_of, "conflicts": []},
        {"field": "updatedAt", **home, **as_of, "conflicts": []},
    ]
    assert resident["address"] == NOW
    assert resident["household"]["_provenance"][0] == {
        "field": "address",
        "source": "population",
        "conflicts": [{"source": "civil_affairs", "value": THEN}],
    }


async def test_the_sources_of_a_whole_answer_are_given_on_request(desk: Desk) -> None:
    question = {"query": PLACES, "variables": {"idNumber": HEAD}}

    plain = await desk.post(CLERK, question)
    told = await desk.post(CLERK, {**question, "extensions": {"provenance": True}})

    assert told.data == plain.data
    assert "provenance" not in plain.body["extensions"]
    assert [
        (entry["path"], entry["source"], entry["fields"], entry["rows"], entry["asOf"])
        for entry in told.body["extensions"]["provenance"]
    ] == [
        (
            ["resident"],
            "population",
            ["name", "updatedAt"],
            1,
            {"oldest": "2025-10-05T19:06:29+00:00", "newest": "2025-10-05T19:06:29+00:00"},
        ),
        (
            ["resident", "assistances"],
            "civil_affairs",
            ["amount", "updatedAt"],
            2,
            {"oldest": "2026-04-09T07:30:15+00:00", "newest": "2026-09-09T06:33:39+00:00"},
        ),
        (
            ["resident", "cases"],
            "civil_affairs",
            ["status", "updatedAt"],
            2,
            {"oldest": "2026-04-09T07:30:15+00:00", "newest": "2026-09-09T06:33:39+00:00"},
        ),
    ]


async def test_who_may_not_see_the_person_is_told_no_source(desk: Desk) -> None:
    question = {
        "query": PLACES,
        "variables": {"idNumber": HEAD},
        "extensions": {"provenance": True},
    }

    answer = await desk.post(ELSEWHERE, question)

    assert answer.data == {"resident": None}
    assert answer.body["extensions"]["provenance"] == []
