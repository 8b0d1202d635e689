"""The stand-in services, asked over the wire: who is let in, pages, keys, and what they refuse."""

import sqlite3
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import pytest

from demo import scene, utilities
from demo.market_regulation import SERVICE as REGISTRY
from demo.stand_ins import STAND_INS
from demo.systems import Systems
from sources.declaration import Signature
from sources.signature import Signer

HEAD = scene.HEAD.id_number
PATHS = {
    "housing_fund": ("/gjj/grzh", {"ZJHM": scene.SON.id_number}),
    "market_regulation": ("/ent/baseinfo", {}),
    "tax": ("/sbf/jfxx", {"sfzjhm": HEAD}),
    **{name: ("/accounts", {"hh_no": scene.HOUSEHOLD.number}) for name in utilities.UTILITIES},
}
SERVICES = {each.name: each.description for each in STAND_INS if each.description is not None}


def ask(
    systems: Systems,
    name: str,
    path: str,
    parameters: Mapping[str, object],
    headers: Mapping[str, str] | None = None,
) -> httpx.Response:
    query = urlencode(sorted(parameters.items()))
    url = f"{systems.environment[f'{name.upper()}_URL']}{path}?{query}"
    proof = signed(systems, name, url) if headers is None else headers
    return httpx.get(url, headers=proof, trust_env=False)


def signed(systems: Systems, name: str, url: str) -> dict[str, str]:
    service = SERVICES[name]
    if service.style == "header":
        return {service.header: systems.environment[f"{name.upper()}_TOKEN"]}
    secret = systems.environment[f"{name.upper()}_SECRET"]
    signer = Signer(Signature("hmac", service.header, "", service.key, secret))
    parts = urlsplit(url)
    return dict(signer.headers("GET", parts.path, parts.query, b""))


def registry(systems: Systems, path: str = "/ent/baseinfo", **parameters: object) -> dict[str, Any]:
    answer: dict[str, Any] = ask(systems, "market_regulation", path, parameters).json()
    assert answer["CODE"] == "200"
    found: dict[str, Any] = answer["DATA"]
    return found


def cases(systems: Systems, **parameters: object) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = registry(systems, "/ent/caseinfo", **parameters)["LIST"]
    return found


def pages(
    systems: Systems, size: int, path: str = "/ent/baseinfo", **parameters: object
) -> Iterator[dict[str, Any]]:
    cursor: dict[str, object] = {}
    while True:
        page = registry(systems, path, **parameters, **cursor, PAGESIZE=size)
        yield page
        if page["NEXT"] is None:
            return
        cursor = {"CURSOR": page["NEXT"]}


@pytest.mark.parametrize("name", PATHS)
def test_nobody_is_let_in_without_the_secret(running: Systems, name: str) -> None:
    path, parameters = PATHS[name]
    header = SERVICES[name].header

    answers = [
        ask(running, name, path, parameters, headers)
        for headers in ({}, {header: "guessed"}, {header: ""})
    ]

    assert [answer.status_code for answer in answers] == [401, 401, 401]


def test_a_signature_counts_once_and_for_what_it_was_made(running: Systems) -> None:
    path, parameters = PATHS["housing_fund"]
    query = urlencode(parameters)
    proof = signed(running, "housing_fund", f"http://127.0.0.1{path}?{query}")

    answers = [
        ask(running, "housing_fund", path, asked, proof).status_code
        for asked in ({"ZJHM": HEAD}, parameters, parameters)
    ]

    assert answers == [401, 401, 401]
    assert ask(running, "housing_fund", path, parameters).status_code == 200


def test_a_signature_grows_old(running: Systems) -> None:
    path, parameters = PATHS["housing_fund"]
    service = SERVICES["housing_fund"]
    signature = Signature(
        "hmac", service.header, "", service.key, running.environment["HOUSING_FUND_SECRET"]
    )
    old = Signer(signature, clock=lambda: time.time_ns() // 1_000_000 - 301_000)
    proof = dict(old.headers("GET", path, urlencode(parameters), b""))

    assert ask(running, "housing_fund", path, parameters, proof).status_code == 401


def test_the_son_has_a_sealed_account(running: Systems) -> None:
    path, parameters = PATHS["housing_fund"]

    assert ask(running, "housing_fund", path, parameters).json() == {
        "success": True,
        "message": "",
        "data": {
            "rows": [
                {
                    "GRZH": "3202000099990",
                    "XINGMING": "尤建明",
                    "ZJHM": "329900197606039078",
                    "DWMC": "无锡市锡山区华泰纺织有限公司",
                    "GRJCJS": "3200.00",
                    "GRYJCE": "512.00",
                    "GRZHYE": 2874630,
                    "GRZHZT": "02",
                    "KHRQ": "20030901",
                    "JZNY": "201204",
                    "GXSJ": "2012-05-08 10:15:00",
                }
            ],
            "total": 1,
        },
    }


@pytest.mark.parametrize(("path", "key"), [("/ent/baseinfo", "REGNO"), ("/ent/caseinfo", "CASENO")])
def test_cursors_lead_through_the_whole_registry_once(
    running: Systems, path: str, key: str
) -> None:
    whole = registry(running, path)
    together = list(pages(running, 7, path))

    numbers = [row[key] for page in together for row in page["LIST"]]
    assert numbers == [row[key] for row in whole["LIST"]] == sorted(set(numbers))
    assert len(together) > 1
    assert {page["TOTAL"] for page in together} == {whole["TOTAL"]} == {len(numbers)}


def test_the_registry_knows_more_than_social_security(running: Systems) -> None:
    file = running.processes["social_security"].address
    connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    employers = {code for (code,) in connection.execute("SELECT AAB998 FROM AB01")}
    connection.close()

    known = {row["UNISCID"] for row in registry(running)["LIST"]}

    assert employers < known


@pytest.mark.parametrize("code", ["320205106000", "320205000000", "320200000000", "320000000000"])
def test_the_registry_lists_what_is_beneath_a_division(running: Systems, code: str) -> None:
    start = code.rstrip("0")
    everything = registry(running)["LIST"]

    found = registry(running, REGORGUNDER=code)["LIST"]

    assert found == [row for row in everything if row["REGORG"].startswith(start)]
    assert found


def test_the_registry_answers_by_key_and_by_part_of_a_name(running: Systems) -> None:
    everything = registry(running)["LIST"]
    codes = [row["UNISCID"] for row in everything[:3]]

    by_code = registry(running, UNISCID=",".join([*codes, "nobody"]))["LIST"]
    by_name = registry(running, ENTNAME="面馆")["LIST"]

    assert by_code == everything[:3]
    assert by_name == [row for row in everything if "面馆" in row["ENTNAME"]]


def test_cases_are_asked_for_by_key_state_division_and_time(running: Systems) -> None:
    everything = cases(running)
    told, here = everything[0], everything[0]["ACCORG"][:6]
    times = sorted(row["APPTIME"] for row in everything if row["APPTIME"])
    first, last = times[2], times[-3]

    assert cases(running, CASENO=f"{told['CASENO']},nobody") == [told]
    assert cases(running, CERNO=HEAD) == []
    assert cases(running, ITEMCODE=told["ITEMCODE"], ACCORG=told["ACCORG"]) == [
        row
        for row in everything
        if (row["ITEMCODE"], row["ACCORG"]) == (told["ITEMCODE"], told["ACCORG"])
    ]
    assert cases(running, ACCORGUNDER=here.ljust(12, "0")) == [
        row for row in everything if row["ACCORG"].startswith(here)
    ]
    assert cases(running, CASESTATE="FINISH,ARCHIVE") == [
        row for row in everything if row["CASESTATE"] in ("FINISH", "ARCHIVE")
    ]
    assert cases(running, APPTIMEFROM=first, APPTIMETO=last) == [
        row for row in everything if first <= row["APPTIME"] <= last
    ]


def test_a_time_that_has_not_come_is_in_no_range(running: Systems) -> None:
    file = Path(running.processes["social_security"].address).with_name("market_regulation.sqlite")
    connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    (drafts,) = connection.execute("SELECT count(*) FROM E_CASEINFO WHERE APPTIME = ''").fetchone()
    connection.close()

    until_ever = cases(running, APPTIMETO="9999-12-31 23:59:59")

    assert all(row["APPTIME"] for row in until_ever)
    assert len(cases(running)) == len(until_ever) + drafts


REFUSED: Mapping[str, tuple[str, str, Mapping[str, object]]] = {
    "no key": ("tax", "/sbf/jfxx", {}),
    "an empty key": ("tax", "/sbf/jfxx", {"sfzjhm": ""}),
    "too many keys": ("tax", "/sbf/jfxx", {"sfzjhm": ",".join(map(str, range(101)))}),
    "an unknown parameter": ("tax", "/sbf/jfxx", {"sfzjhm": HEAD, "name": "x"}),
    "a page too large": ("tax", "/sbf/jfxx", {"sfzjhm": HEAD, "pageSize": 201}),
    "page zero": ("tax", "/sbf/jfxx", {"sfzjhm": HEAD, "pageNo": 0}),
    "no number": ("tax", "/sbf/jfxx", {"sfzjhm": HEAD, "pageNo": "一"}),
    "a broken cursor": ("market_regulation", "/ent/baseinfo", {"CURSOR": "!"}),
}


@pytest.mark.parametrize("title", REFUSED)
def test_what_is_not_agreed_is_refused(running: Systems, title: str) -> None:
    name, path, parameters = REFUSED[title]

    assert ask(running, name, path, parameters).status_code == 400


def test_another_path_is_not_there(running: Systems) -> None:
    assert ask(running, "water", "/bills", {}).status_code == 404


def test_pages_by_number_and_by_offset_are_the_whole(running: Systems) -> None:
    numbers = ",".join(member.id_number for member in scene.HOUSEHOLD.members)
    paid = [
        ask(running, "tax", "/sbf/jfxx", {"sfzjhm": numbers, "pageNo": page, "pageSize": 4})
        for page in (1, 2, 3)
    ]
    accounts = [
        ask(running, "housing_fund", "/gjj/grzh", {"ZJHM": numbers, "start": start, "limit": 1})
        for start in (0, 1)
    ]

    assert [len(answer.json()["result"]["list"]) for answer in paid] == [4, 2, 0]
    assert {answer.json()["result"]["totalCount"] for answer in paid} == {6}
    assert [len(answer.json()["data"]["rows"]) for answer in accounts] == [1, 0]


@pytest.mark.parametrize("name", utilities.UTILITIES)
def test_a_household_on_minimum_living_allowance_pays_less(running: Systems, name: str) -> None:
    path, parameters = PATHS[name]

    (account,) = ask(running, name, path, parameters).json()["data"]["items"]

    assert 0 < float(account["discount"]) < float(account["fee"])


def test_the_day_s_visits_are_a_file_in_gbk(running: Systems) -> None:
    (file,) = Path(running.processes["grid_visits"].address).iterdir()
    header, *lines = file.read_text(encoding="gbk").splitlines()

    assert (file.name, header) == (
        "wgzf-20261030.csv",
        "走访编号,网格员,户编号,走访日期,走访情况,照片数,备注",
    )
    assert [line for line in lines if scene.HOUSEHOLD.number in line] == [
        "V999999941,浦建芳,H999999940,20260818,需要帮扶,2,住院后生活困难，建议申请临时救助",
        "V999999942,浦建芳,H999999940,20260916,正常,1,临时救助金已到账",
        "V999999943,浦建芳,H999999940,20261020,正常,1,",
    ]


def test_every_listed_question_has_a_key_of_its_own() -> None:
    assert {question.key for question in REGISTRY.questions.values()} == {
        "REGNO",
        "LICNO",
        "CASENO",
    }
