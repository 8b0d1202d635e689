"""Signing in while a password is changed, an account is shut, or others try what they can."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from threading import Event

import pytest

from auth.administration import Kind, Wanted
from store.sign_ins import Session
from tests.accounts import PASSWORD, Statements, Town
from tests.auth.deciding import done
from tests.web.clients import UNAUTHENTICATED
from tests.web.test_sign_in import CLERK, NEW, REFUSED, WRONG, claims, desk


async def _reset(town: Town) -> None:
    await done(town, Wanted(Kind.RESET_PASSWORD, CLERK))


async def _changed(town: Town) -> None:
    await town.sign_in.change_password(CLERK, PASSWORD, NEW)


async def _disabled(town: Town) -> None:
    await town.as_("admin-one").change(Wanted(Kind.DISABLE, CLERK))


async def _disabled_and_enabled(town: Town) -> None:
    await _disabled(town)
    await done(town, Wanted(Kind.ENABLE, CLERK))


def _meanwhile(town: Town, work: Callable[[Town], Awaitable[None]]) -> None:
    """Do something once, between the password that was right and the session it begins."""
    note, waiting = town.sign_in._note, [work]

    async def noting(record: Mapping[str, object]) -> object:
        told = await note(record)
        if record["action"] == "signed_in" and waiting:
            await waiting.pop()(town)
        return told

    town.sign_in._note = noting


@pytest.mark.parametrize("work", [_reset, _changed, _disabled, _disabled_and_enabled])
async def test_a_password_that_ends_while_it_is_tried_begins_no_session(
    tmp_path: Path, work: Callable[[Town], Awaitable[None]]
) -> None:
    async with desk(tmp_path) as place:
        _meanwhile(place.town, work)
        answer = await place.sign_in()
        async with place.town.engine.connect() as connection:
            asked = "SELECT count(*) FROM account_session WHERE NOT is_ended"
            open_sessions = (await connection.exec_driver_sql(asked)).scalar_one()

    assert answer == (401, REFUSED)
    assert open_sessions == (1 if work is _changed else 0)  # whoever changed it has one


async def test_a_token_that_is_renewed_while_the_password_is_reset_is_worth_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with desk(tmp_path) as place:
        town, token = place.town, await place.token()
        session = await town.sign_in._sessions.session(str(claims(token)["sid"]))
        assert session is not None

        async def found(_: str) -> Session:
            await _reset(town)
            return session  # as it was before

        monkeypatch.setattr(town.sign_in._sessions, "session", found)
        status, answer = await place.post("/sign-in/renew", token)
        asked = await place.asked(answer["token"])

    assert (status, asked) == (200, (401, UNAUTHENTICATED))


async def test_of_many_at_the_same_time_those_who_are_sent_away_are_not_counted(
    tmp_path: Path,
) -> None:
    held = Event()
    async with desk(tmp_path, waiting=1) as place:
        passwords, locks = place.town.office.passwords, place.town.office.locks
        work = [passwords._in_thread(lambda: held.wait(20)) for _ in range(2)]
        holding = [asyncio.create_task(each) for each in work]
        trying = {asyncio.create_task(place.sign_in(CLERK, WRONG)) for _ in range(10)}
        waiting = trying
        while len(waiting) > 1:
            _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        held.set()
        statuses = sorted([(await each)[0] for each in trying])
        counted = await locks.store.failures(locks.name_hash(CLERK))
        await asyncio.gather(*holding)

    assert statuses == [401, *[429] * 9]
    assert counted.count == 1


@pytest.mark.parametrize("name", [f"{CLERK}\0", "\0", "x" * 257])
async def test_what_no_store_can_hold_is_no_name_and_nothing_is_asked(
    tmp_path: Path, name: str
) -> None:
    async with desk(tmp_path) as place:
        statements = Statements.of(place.town.engine)
        status, answer = await place.sign_in(name)

    assert (status, answer["errors"][0]["extensions"]["code"]) == (400, "BAD_USER_INPUT")
    assert statements.seen == []


@pytest.mark.parametrize(
    "name",
    [CLERK.upper(), f"{CLERK} ", f"\u200b{CLERK}", CLERK.replace("c", "с", 1), "ｃlerk-xibei"],
)
async def test_a_name_that_only_looks_like_another_is_not_that_one(
    tmp_path: Path, name: str
) -> None:
    async with desk(tmp_path) as place:
        answers = [await place.sign_in(name) for _ in range(6)]
        right, _ = await place.sign_in()

    assert answers == [(401, REFUSED)] * 6
    assert right == 200  # what locked the other name did not lock this one
