"""What is opened behind the masks by a whole server: for a case, an emergency, the window."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import orjson
import pytest
from sqlalchemy import text

from contract.errors import AuditUnavailable
from resolvers.case_purpose import REFUSED
from resolvers.openings import MOST_LIVE, Durations, Openings
from resolvers.revealing import NOBODY_TO_OPEN
from resolvers.seal import Seal
from tests.gateway.office import (
    ABSENT,
    AWAY,
    AWAY_PHONE,
    CLEAR,
    CLOSED,
    CLOSING,
    COMPANY,
    GLASS,
    INVISIBLE,
    LIVE,
    MASKED,
    OPENED,
    OWN,
    PEOPLE,
    PHONE,
    UNKNOWN,
    WINDOW,
    codes,
    office,
)
from tests.gateway.town import SECRET, _principal, script


async def test_a_live_case_opens_its_applicant_for_the_request_that_names_it(
    tmp_path: Path,
) -> None:
    async with office(tmp_path) as place:
        one, other, with_it = await asyncio.gather(
            place.ask(PEOPLE), place.ask(PEOPLE), place.by_case(LIVE)
        )
        script(tmp_path / "service.db", CLOSING)
        after = await place.by_case(LIVE)
        records = await place.records()

    assert with_it["data"]["residents"]["nodes"] == OPENED
    assert one["data"]["residents"]["nodes"] == other["data"]["residents"]["nodes"] == MASKED
    assert (codes(after), after["errors"][0]["message"]) == (["FORBIDDEN"], REFUSED)
    named = [each for each in records if "case" in each]
    assert [(each["purpose"], each["case"], each["outcome"]) for each in named] == [
        ("case", LIVE, ["OK"]),
        ("case", LIVE, ["FORBIDDEN"]),
    ]
    assert named[0]["readings"][0]["fields"]["restricted"]["phone"] == "shown"


async def test_cases_that_open_nothing_are_one_refusal_and_on_record(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        numbers = (UNKNOWN, INVISIBLE, CLOSED, COMPANY)
        answers = [
            await place.post(PEOPLE, headers=[("x-purpose", f"case:{number}")])
            for number in numbers
        ]
        records = await place.records()

    assert {(each.status_code, each.content) for each in answers} == {
        (answers[0].status_code, answers[0].content)
    }
    assert answers[0].status_code == 403
    assert [(each["case"], each["sources"], each["outcome"]) for each in records] == [
        (number, ["service"], ["FORBIDDEN"]) for number in numbers
    ]


WRONG: Sequence[Sequence[tuple[str, str]]] = (
    [("x-purpose", OWN + "/" + PHONE)],
    [("x-purpose", "case:" + OWN * 5)],
    [("x-purpose", f"case:{LIVE}"), ("x-purpose", f"case:{LIVE}")],
    [("x-purpose", "")],
)


async def test_a_purpose_of_another_form_is_refused_and_not_repeated(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with office(tmp_path) as place:
        answers = [await place.post(PEOPLE, headers=headers) for headers in WRONG]
        records = await place.records()

    assert [codes(each.json()) for each in answers] == [["BAD_USER_INPUT"]] * len(WRONG)
    said = "".join(each.text for each in answers) + caplog.text
    assert [value for value in CLEAR if value in said] == []
    assert records == []


async def test_an_emergency_opens_one_person_until_its_end_and_tells_the_auditors(
    tmp_path: Path,
) -> None:
    queue = "{ breakGlassQueue { id account role scope subject reason } }"
    async with office(tmp_path) as place:
        given = (await place.ask(GLASS, n=OWN))["data"]["breakGlass"]
        during = await place.people()
        queued = (await place.ask(queue, "auditor"))["data"]["breakGlassQueue"]
        refused = [await place.ask(queue), await place.ask(ACKNOWLEDGE, id=given["id"])]
        seen = [(await place.ask(ACKNOWLEDGE, "auditor", id=given["id"]))["data"] for _ in "12"]
        left = (await place.ask(queue, "auditor"))["data"]["breakGlassQueue"]
        place.seconds += 15 * 60
        after = await place.people()
        records = await place.records()

    assert (during, after) == (OPENED, MASKED)
    assert given["purpose"] == "EMERGENCY"
    opening = next(each for each in records if each["kind"] == "opening")
    assert queued == [
        {
            "id": given["id"],
            "account": "clerk",
            "role": "township_clerk",
            "scope": "320205106",
            "subject": opening["person"],
            "reason": "邻居报警,电话 #",
        }
    ]
    assert [codes(each) for each in refused] == [["FORBIDDEN"]] * 2
    assert seen == [{"acknowledgeBreakGlass": True}, {"acknowledgeBreakGlass": False}]
    assert left == []
    used = [each["openings"] for each in records if "openings" in each]
    assert [(each["purpose"], each["basis"]) for each in used[0]] == [
        ("emergency", "邻居报警,电话 #")
    ]


ACKNOWLEDGE = "mutation($id: ID!) { acknowledgeBreakGlass(id: $id) }"


async def test_whoever_is_absent_and_whoever_may_not_be_opened_are_one_answer(
    tmp_path: Path,
) -> None:
    by_id = 'mutation { breakGlass(id: "x", reason: "邻居报警") { id } }'
    async with office(tmp_path) as place:
        glass = [await place.post(GLASS, n=number) for number in (AWAY, ABSENT)]
        window = await place.ask(WINDOW, n=ABSENT)
        unknown = await place.ask(by_id)
        roleless = [await place.ask(each, "auditor", n=OWN) for each in (GLASS, WINDOW)]
        people = await place.people()
        records = await place.records()

    assert glass[0].content == glass[1].content
    messages = [each["errors"][0]["message"] for each in (glass[0].json(), window, unknown)]
    assert messages == [NOBODY_TO_OPEN] * 3
    assert [codes(each) for each in roleless] == [["FORBIDDEN"]] * 2
    assert people == MASKED
    assert [each["kind"] for each in records] == ["answer"] * 7


async def test_a_person_at_the_window_is_opened_alone_and_closed_again(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        given = (await place.ask(WINDOW, n=AWAY.lower()))["data"]["openResident"]
        during = await place.people()
        others = [await place.ask(PEOPLE, account) for account in ("both", "grid")]
        live = (await place.ask("{ openings { id purpose } }"))["data"]["openings"]
        close = "mutation($id: ID!) { closeOpening(id: $id) }"
        closed = [
            (await place.ask(close, account, id=given["id"]))["data"]["closeOpening"]
            for account in ("both", "clerk", "clerk")
        ]
        after = await place.people()

    away = {"name": "李远", "phone": AWAY_PHONE, "idNumber": "110***********0038"}
    assert during == [*MASKED, away]
    assert [each["data"]["residents"]["nodes"] for each in others] == [MASKED, []]
    assert live == [{"id": given["id"], "purpose": "WINDOW"}]
    assert closed == [False, True, False]
    assert after == MASKED


async def test_an_opening_ends_with_the_role_it_was_given_under(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        await place.ask(GLASS, n=OWN)
        policy, openings = place.graph.policy, place.reveals.openings
        own = await _principal("clerk")
        moved = replace(own, scopes=("320411107",))
        found = [await openings.of(policy, each) for each in (own, moved)]

    assert [len(each) for each in found] == [1, 0]


async def test_an_opening_ends_although_the_store_was_not_read_again(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        await place.ask(GLASS, n=OWN)
        own, slow = place.reveals.openings, Durations(fresh=3600.0)
        openings = Openings(own.store, Seal(SECRET, "t"), own.book, slow, lambda: place.seconds)
        during = await openings.live("clerk")
        place.seconds += 15 * 60
        after = await openings.live("clerk")

    assert [len(during), len(after)] == [1, 0]


async def test_an_opening_that_is_put_in_the_name_of_another_account_opens_nothing(
    tmp_path: Path,
) -> None:
    async with office(tmp_path) as place:
        await place.ask(GLASS, n=OWN)
        opened = await place.people()
        async with place.store.begin() as connection:
            await connection.execute(text("UPDATE opening SET account = 'both'"))
        put = [await place.ask(PEOPLE, account) for account in ("both", "clerk")]

    assert opened == OPENED
    assert [each["data"]["residents"]["nodes"] for each in put] == [MASKED, MASKED]


BAD = (
    'mutation { breakGlass(reason: "邻居报警") { id } }',
    'mutation { breakGlass(idNumber: "1", reason: "邻居报警") { id } }',
    f'mutation {{ breakGlass(idNumber: "{OWN}", reason: " 急 ") {{ id }} }}',
    f'mutation {{ openResident(idNumber: "{OWN}", basis: "") {{ id }} }}',
    f'mutation {{ openResident(idNumber: "x{OWN}", basis: "办理社保") {{ id }} }}',
)


async def test_openings_need_a_whole_number_and_a_reason(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        answers = [await place.ask(query) for query in BAD]
        records = await place.records()

    assert [codes(each) for each in answers] == [["BAD_USER_INPUT"]] * len(BAD)
    assert records == []


async def test_nobody_has_more_than_some_people_open(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        answers = [await place.ask(WINDOW, n=AWAY) for _ in range(21)]

    assert ["errors" in each for each in answers] == [False] * 20 + [True]
    assert codes(answers[-1]) == ["BAD_USER_INPUT"]


async def test_whoever_has_too_many_open_is_not_told_who_is_there(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        for _ in range(MOST_LIVE):
            await place.ask(WINDOW, n=AWAY)
        there, absent = [await place.ask(WINDOW, n=number) for number in (AWAY, ABSENT)]
        own, nobody = [await place.ask(GLASS, n=number) for number in (OWN, ABSENT)]

    assert (there, own) == (absent, nobody)
    assert [codes(each) for each in (there, own)] == [["BAD_USER_INPUT"]] * 2
    assert [each["extensions"] for each in (there, own)] == [{"completeness": []}] * 2


async def test_people_who_are_opened_at_the_same_time_are_no_more_than_others(
    tmp_path: Path,
) -> None:
    async with office(tmp_path) as place:
        asked = (place.ask(WINDOW, n=AWAY) for _ in range(MOST_LIVE + 5))
        answers = await asyncio.gather(*asked)
        live = await place.ask("{ openings { id } }")

    assert ["errors" in each for each in answers].count(True) == 5
    assert len(live["data"]["openings"]) == MOST_LIVE


async def test_no_clear_value_is_in_the_answers_the_log_the_counts_or_the_store(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "")
    caplog.set_level(logging.INFO, "aiosqlite")
    texts: list[str] = []
    async with office(tmp_path) as place:
        texts.append((await place.post(PEOPLE)).text)
        cases = "{ cases { nodes { number contactPhone applicantIdNumber } } }"
        texts.append((await place.post(cases)).text)
        texts.append((await place.post(WINDOW, n=AWAY)).text)
        texts.append((await place.post(GLASS, n=OWN)).text)
        await place.by_case(LIVE)
        await place.people()
        await place.by_case(OWN)
        texts.append((await place.post("{ sourceUsage { source purpose } }", "officer")).text)
        texts.append((await place.post("{ breakGlassQueue { reason subject } }", "auditor")).text)
        texts.append(repr([asked for asked, _ in place.graph.observed.usage.since(None)]))
        texts.append(repr(place.reveals.openings._known))
        texts.append(orjson.dumps(await place.records()).decode())
        content = place.lines()

    said = "".join(texts) + caplog.text
    assert "138****0001" in said
    assert [value for value in CLEAR if value in said] == []
    assert [value for value in CLEAR if value.encode() in content] == []
    assert [value for value in (LIVE, "13812345678") if value in texts[-4]] == []


async def test_what_cannot_be_recorded_opens_nothing(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        book = place.reveals.openings.book
        place.reveals.openings.book = _Full(book.name_of)
        refused = await place.ask(GLASS, n=OWN)
        after = await place.people()

    assert codes(refused) == ["AUDIT_UNAVAILABLE"]
    assert after == MASKED


@dataclass
class _Full:
    """A ledger that cannot be written."""

    name_of: Callable[[str], str]

    async def note(self, _: Mapping[str, object]) -> object:
        raise AuditUnavailable
