"""Quotas at the edge: the status, the header, and that nothing is done for who has none left."""

from collections.abc import Mapping
from typing import Any

import pytest

from auth.principal import Principal
from auth.quota import COST, QUESTIONS
from auth.throttle import Throttle
from contract.errors import RateLimited, TooComplex
from schema.limits import Limits
from tests.web.clients import TOKEN, UNAUTHENTICATED, client
from web.application import Settings
from web.media import GRAPHQL, JSON


class Purse:
    """What the edge spends, at a time that the test sets."""

    def __init__(self, **limits: int) -> None:
        self.now = 1_000_000.0
        self.spent: list[tuple[str, str, int]] = []
        self._limits = limits
        self._throttle = Throttle(lambda: self.now)

    def spend(self, principal: Principal, kind: str, amount: int) -> None:
        self.spent.append((principal.account, kind, amount))
        if kind in self._limits:
            self._throttle.spend(principal.account, kind, {60: self._limits[kind]}, amount)

    @property
    def settings(self) -> Settings:
        return Settings(limits=Limits(nodes=100), spend=self.spend)


def refused(message: str, seconds: int) -> dict[str, Any]:
    extensions = {"code": "RATE_LIMITED", "retryAfterSeconds": seconds}
    return {"errors": [{"message": message, "extensions": extensions}]}


@pytest.mark.parametrize("accept", [JSON, GRAPHQL])
async def test_a_question_beyond_the_quota_is_429_and_says_when_to_ask_again(accept: str) -> None:
    purse = Purse(questions=2)
    async with client(purse.settings, {**TOKEN, "accept": accept}) as http:
        answers = [await http.post("/graphql", json={"query": "{me}"}) for _ in range(3)]
        purse.now += 65
        again = await http.post("/graphql", json={"query": "{me}"})

    last = answers[2]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert last.json() == refused("提问次数已达上限,请65秒后再试。", 65)
    assert (last.headers["retry-after"], last.headers["content-type"]) == (
        "65",
        f"{accept}; charset=utf-8",
    )
    assert (again.status_code, "retry-after" in again.headers) == (200, False)


@pytest.mark.parametrize(
    "body", [{"query": "{me}"}, {"query": "{"}, {"query": "{nobody}"}, {}, {"query": "mutation{x}"}]
)
async def test_whatever_is_asked_counts_as_a_question(body: Mapping[str, str]) -> None:
    purse = Purse(questions=1)
    async with client(purse.settings) as http:
        await http.post("/graphql", json=body)
        answer = await http.get("/graphql", params={"query": "{me}"})

    assert answer.status_code == 429


async def test_who_is_not_known_spends_nothing() -> None:
    purse = Purse(questions=1)
    async with client(purse.settings, {"authorization": "Bearer bad"}) as http:
        answers = [await http.post("/graphql", json={"query": "{me}"}) for _ in range(3)]

    assert [(answer.status_code, answer.json()) for answer in answers] == [
        (401, UNAUTHENTICATED)
    ] * 3
    assert purse.spent == []


async def test_a_question_costs_the_objects_it_may_return_and_its_fields() -> None:
    purse = Purse()
    async with client(purse.settings) as http:
        for query in ("{me}", "{a:me b:greeting}", "{people(first:7){nodes{name}}}"):
            await http.post("/graphql", json={"query": query})

    assert purse.spent == [
        ("clerk", QUESTIONS, 1),
        ("clerk", COST, 1),
        ("clerk", QUESTIONS, 1),
        ("clerk", COST, 2),
        ("clerk", QUESTIONS, 1),
        ("clerk", COST, 7 + 3),
    ]


async def test_a_question_that_costs_too_much_now_is_not_run() -> None:
    purse = Purse(cost=19)
    question = {"query": 'mutation{a:note(text:"1") b:note(text:"2")}'}
    wide = {"query": "{people(first:7){nodes{name}} broken}"}
    async with client(purse.settings) as http:
        first = await http.post("/graphql", json=wide)
        second = await http.post("/graphql", json=wide)
        small = await http.post("/graphql", json=question)

    assert (first.status_code, first.json()["data"]["broken"]) == (200, None)
    assert (second.status_code, second.json()) == (
        429,
        refused("查询的数据量已达上限,请65秒后再试。", 65),
    )
    assert small.json() == {"data": {"a": "1", "b": "2"}}


async def test_a_document_that_is_too_large_by_itself_costs_nothing() -> None:
    purse = Purse(cost=1)
    async with client(purse.settings) as http:
        answer = await http.post("/graphql", json={"query": "{people(first:101){nodes{name}}}"})

    assert answer.json()["errors"][0]["extensions"]["code"] == TooComplex.code
    assert purse.spent == [("clerk", QUESTIONS, 1)]


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "1秒"),
        (120, "120秒"),
        (121, "3分钟"),
        (7_200, "120分钟"),
        (7_201, "3小时"),
        (93_600, "26小时"),
    ],
)
def test_the_time_to_wait_is_told_in_words(seconds: int, told: str) -> None:
    assert RateLimited("people", seconds).message == f"查看人员信息的数量已达上限,请{told}后再试。"
