"""The stand-in of the medical insurance service, asked over the wire."""

from typing import Any

import httpx
import pytest

from demo import scene
from demo.province import province
from demo.systems import Systems
from tests.demo.conftest import RESIDENTS, SEED

NUMBERS = [
    row.insured.id_number
    for records in province(RESIDENTS, SEED)
    for row in records.medical_enrollments
]


def ask(systems: Systems, asked: dict[str, object], token: str | None = None) -> httpx.Response:
    address, secret = (
        systems.environment[f"MEDICAL_INSURANCE_{part}"] for part in ("URL", "TOKEN")
    )
    envelope = {"infno": "5101", "msgid": "m1", "insuplc_admdvs": "320000", "input": asked}
    headers = {"X-Token": secret if token is None else token}
    return httpx.post(f"{address}/psn/insu", json=envelope, headers=headers, trust_env=False)


def output(systems: Systems, **asked: object) -> dict[str, Any]:
    answer: dict[str, Any] = ask(systems, asked).json()
    assert answer["infcode"] == 0
    found: dict[str, Any] = answer["output"]
    return found


def test_it_answers_with_the_envelope_it_was_asked_in(running: Systems) -> None:
    number = scene.HEAD.id_number

    assert ask(running, {"certno": number}).json() == {
        "infno": "5101",
        "msgid": "m1",
        "insuplc_admdvs": "320000",
        "infcode": 0,
        "err_msg": "",
        "output": {
            "insuinfo": [
                {
                    "psn_no": "8999999941",
                    "certno": number,
                    "psn_name": "华桂英",
                    "gend": "2",
                    "insutype": "390",
                    "psn_insu_stas": "1",
                    "psn_insu_date": "20100101",
                    "emp_name": None,
                    "balc": None,
                    "insuplc_admdvs": "320205",
                    "updt_time": 1767575700000,
                }
            ],
            "total": 1,
            "certnos": [number],
        },
    }


def test_pages_together_are_the_whole_batch(running: Systems) -> None:
    batch = ",".join(dict.fromkeys(NUMBERS[:40]))

    whole = output(running, certno=batch)
    pages = [output(running, certno=batch, pageNum=n, pageSize=20) for n in (1, 2, 3, 4)]

    assert [row for page in pages for row in page["insuinfo"]] == whole["insuinfo"]
    assert {page["total"] for page in pages} == {len(whole["insuinfo"])}


def test_it_answers_for_numbers_it_does_not_know(running: Systems) -> None:
    assert output(running, certno="329900190001010019") == {
        "insuinfo": [],
        "total": 0,
        "certnos": ["329900190001010019"],
    }


def test_a_number_is_matched_character_by_character(running: Systems) -> None:
    number = next(number for number in NUMBERS if number.endswith("x"))

    assert output(running, certno=number.upper())["total"] == 0
    assert output(running, certno=number)["total"] > 0


def test_the_kind_is_a_filter(running: Systems) -> None:
    batch = ",".join(dict.fromkeys(NUMBERS[:60]))

    kinds = {row["insutype"] for row in output(running, certno=batch, insutype="310")["insuinfo"]}

    assert kinds == {"310"}


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({}, "certno必填,且不超过100个"),
        ({"certno": ",".join(map(str, range(101)))}, "certno必填,且不超过100个"),
        ({"certno": "1", "pageNum": 0}, "pageNum从1开始,pageSize不超过200"),
        ({"certno": "1", "pageSize": 201}, "pageNum从1开始,pageSize不超过200"),
    ],
)
def test_a_wrong_question_is_refused(
    running: Systems, asked: dict[str, object], message: str
) -> None:
    answer = ask(running, asked).json()

    assert (answer["infcode"], answer["err_msg"], answer["output"]) == (-1, message, None)


def test_what_is_not_json_is_refused(running: Systems) -> None:
    environment = running.environment
    answer = httpx.post(
        f"{environment['MEDICAL_INSURANCE_URL']}/psn/insu",
        content=b"<html>",
        headers={"X-Token": environment["MEDICAL_INSURANCE_TOKEN"]},
        trust_env=False,
    )

    assert (answer.status_code, answer.json()["err_msg"]) == (200, "报文不是JSON")


def test_a_wrong_token_gets_nothing(running: Systems) -> None:
    answer = ask(running, {"certno": scene.HEAD.id_number}, token="wrong")  # noqa: S106 -- not one

    assert (answer.status_code, answer.json()["output"]) == (401, None)
