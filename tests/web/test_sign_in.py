"""Sign-in: a token for a password, and one and the same refusal for everything else."""

import asyncio
import base64
import json
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest

from auth.authenticate import Authenticator
from auth.issuer import issuers_file
from auth.passwords import MAXIMUM_CHARACTERS, check_password
from auth.trust import load_issuers
from contract.errors import BadInput, SignInRefused, TooManyRequests
from gateway.accounts import Doors
from store.accounts import Status
from tests.accounts import NOW, PASSWORD, PEOPLE, Statements, Town, town
from tests.auth.tokens import Endpoint
from tests.tiny import SCHEMA, context_for
from tests.web.clients import UNAUTHENTICATED
from web.application import Settings, create_app

CLERK = "clerk-xibei"
NEW = "another long password"
WRONG = "not the right password"
REFUSED = {
    "errors": [
        {"message": SignInRefused.message, "extensions": {"code": "UNAUTHENTICATED"}},
    ]
}


@dataclass(frozen=True)
class Desk:
    """A client of a server with sign-in, and what stands behind it."""

    http: httpx.AsyncClient
    town: Town

    async def post(self, path: str, token: str = "", **body: str) -> tuple[int, Any]:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        sent = {"json": body} if body else {}
        answer = await self.http.post(path, headers=headers, **sent)  # type: ignore[arg-type] # by name
        return answer.status_code, answer.json() if answer.content else None

    async def sign_in(self, name: str = CLERK, password: str = PASSWORD) -> tuple[int, Any]:
        return await self.post("/sign-in", account=name, password=password)

    async def token(self) -> str:
        status, answer = await self.sign_in()
        assert status == 200, answer
        return str(answer["token"])

    async def asked(self, token: str) -> tuple[int, Any]:
        headers = {"authorization": f"Bearer {token}"}
        answer = await self.http.post("/graphql", json={"query": "{me}"}, headers=headers)
        return answer.status_code, answer.json()

    async def change(self, name: str, **changes: Any) -> None:
        async with self.town.standing.store.changing() as changing:
            account = await changing.find(name)
            assert account is not None
            await changing.put(replace(account, **changes))
        await self.town.standing.refresh()


@asynccontextmanager
async def desk(folder: Path, waiting: int = 32) -> AsyncIterator[Desk]:
    async with town(folder, waiting=waiting) as place:
        issuers = load_issuers(issuers_file(folder))
        standing = place.standing
        authenticator = Authenticator(issuers, Endpoint(), place.clock, standing=standing)
        settings = Settings(doors=Doors(place.sign_in, authenticator))
        app = create_app(SCHEMA, authenticator.authenticate, context_for, settings)
        await place.give_password(CLERK)
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://graph") as http:
            yield Desk(http, place)


def raw_bytes(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file())


def claims(token: str) -> Mapping[str, Any]:
    part = token.split(".")[1]
    said: Mapping[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return said


async def test_a_password_gives_a_token_for_a_quarter_of_an_hour_with_the_roles_of_the_store(
    tmp_path: Path,
) -> None:
    async with desk(tmp_path) as place:
        status, answer = await place.sign_in()
        asked = await place.asked(answer["token"])
        said = claims(answer["token"])
        records = place.town.noted("kind", "action", "account")

    assert [status, answer["expiresIn"], asked] == [200, 900, (200, {"data": {"me": CLERK}})]
    assert [said["exp"] - said["iat"], said["roles"], said["scopes"]] == [
        900,
        ["township_clerk"],
        ["320205106"],
    ]
    assert records == [("account", "signed_in", CLERK)]


async def test_whatever_is_wrong_the_answer_is_the_same_and_so_is_the_work(tmp_path: Path) -> None:
    answers, works = [], []
    async with desk(tmp_path) as place:
        await place.town.give_password("clerk-donggang")
        await place.change("clerk-donggang", status=Status.DISABLED)
        statements, passwords = Statements.of(place.town.engine), place.town.office.passwords
        for name, password in (
            (CLERK, WRONG),
            ("nobody-at-all", WRONG),
            ("clerk-donggang", WRONG),
            ("clerk-donggang", PASSWORD),
            ("clerk-far", WRONG),  # an account without a password
        ):
            before, tried = len(statements.seen), passwords.tried
            answers.append(await place.sign_in(name, password))
            works.append((passwords.tried - tried, statements.since(before)))

    assert answers == [(401, REFUSED)] * 5
    assert [works[0][0], len(works[0][1])] == [1, 4]
    assert works == [works[0]] * 5


async def test_names_that_nobody_has_are_locked_like_any_other(tmp_path: Path) -> None:
    seen: dict[str, list[Any]] = {}
    async with desk(tmp_path) as place:
        statements, passwords = Statements.of(place.town.engine), place.town.office.passwords
        for name in (CLERK, "nobody-at-all"):
            seen[name] = []
            for _ in range(7):
                before, tried = len(statements.seen), passwords.tried
                answer = await place.sign_in(name, WRONG)
                seen[name].append((answer, passwords.tried - tried, statements.since(before)))
        right = await place.sign_in()
        records = place.town.noted("action", "failures")
        named = [record["account"] for record in place.town.records]

    assert seen[CLERK] == seen["nobody-at-all"]
    assert [answer for answer, *_ in seen[CLERK]] == [(401, REFUSED)] * 7
    assert right == (401, REFUSED)
    assert records == [("locked", 5), ("locked", 5)]
    assert named[0] == CLERK
    assert named[1].startswith("#")
    assert "nobody" not in named[1]


async def test_a_lock_ends_grows_and_is_forgotten_with_the_right_password(tmp_path: Path) -> None:
    async with desk(tmp_path) as place:
        clock = place.town.clock
        for _ in range(5):
            await place.sign_in(CLERK, WRONG)
        clock.now = NOW + 59.9
        locked = await place.sign_in()
        clock.now = NOW + 60
        await place.sign_in(CLERK, WRONG)
        clock.now = NOW + 60 + 119
        longer = await place.sign_in()
        clock.now = NOW + 60 + 120
        opened, _ = await place.sign_in()
        for _ in range(4):
            await place.sign_in(CLERK, WRONG)
        again, _ = await place.sign_in()

    assert [locked, longer] == [(401, REFUSED)] * 2
    assert [opened, again] == [200, 200]


async def test_attempts_at_the_same_time_are_no_more_than_one_after_the_other(
    tmp_path: Path,
) -> None:
    async with desk(tmp_path) as place:
        answers = await asyncio.gather(*(place.sign_in(CLERK, WRONG) for _ in range(20)))
        right = await place.sign_in()
        locked = place.town.noted("action")

    assert {status for status, _ in [*answers, right]} == {401}
    assert locked == [("locked",)]


async def test_too_many_at_once_are_sent_away_before_anything_is_counted(tmp_path: Path) -> None:
    held, begun = Event(), Event()
    async with desk(tmp_path, waiting=1) as place:
        passwords = place.town.office.passwords

        def hold() -> bool:
            begun.set()
            return held.wait(20)

        holding = [asyncio.create_task(passwords._in_thread(hold)) for _ in range(3)]
        await asyncio.to_thread(begun.wait, 20)
        statements = Statements.of(place.town.engine)
        answer = await place.sign_in()
        asked = list(statements.seen)
        held.set()
        await asyncio.gather(*holding)
        after, _ = await place.sign_in()

    assert answer[0] == 429
    assert answer[1]["errors"][0]["extensions"] == {"code": TooManyRequests.code}
    assert [asked, after] == [[], 200]


async def test_a_token_is_renewed_as_long_as_its_session_lasts(tmp_path: Path) -> None:
    async with desk(tmp_path) as place:
        clock, token = place.town.clock, await place.token()
        statuses = []
        for _ in range(12 * 6):
            clock.now += 600
            status, answer = await place.post("/sign-in/renew", token)
            statuses.append(status)
            token = answer.get("token", token)
        last = await place.post("/sign-in/renew", token)

    assert statuses == [200] * 71 + [401]
    assert last == (401, UNAUTHENTICATED)


@pytest.mark.parametrize("sid", ["", "forged", "of somebody else"])
async def test_no_token_is_renewed_without_a_session_of_its_own(tmp_path: Path, sid: str) -> None:
    async with desk(tmp_path) as place:
        await place.town.give_password("clerk-donggang")
        _, other = await place.sign_in("clerk-donggang")
        session = claims(other["token"])["sid"] if sid == "of somebody else" else sid
        token = place.town.issuer.token(PEOPLE[CLERK], session=session)
        good = await place.asked(token)
        answer = await place.post("/sign-in/renew", token)

    assert good[0] == 200
    assert answer == (401, UNAUTHENTICATED)


async def test_a_session_that_was_ended_is_not_renewed(tmp_path: Path) -> None:
    async with desk(tmp_path) as place:
        token = await place.token()
        ended = await place.post("/sign-out", token)
        answer = await place.post("/sign-in/renew", token)

    assert [ended, answer] == [(204, None), (401, UNAUTHENTICATED)]


async def test_a_disabled_account_has_no_session_any_more(tmp_path: Path) -> None:
    async with desk(tmp_path) as place:
        token = await place.token()
        await place.change(CLERK, status=Status.DISABLED, tokens_from=int(NOW) + 1)
        asked = await place.asked(token)
        renewed = await place.post("/sign-in/renew", token)
        signed_in = await place.sign_in()
        await place.change(CLERK, status=Status.ACTIVE)
        again = await place.asked(token)

    assert [asked, renewed, again] == [(401, UNAUTHENTICATED)] * 3
    assert signed_in == (401, REFUSED)


async def test_a_password_is_changed_by_who_knows_it_and_ends_every_other_token(
    tmp_path: Path,
) -> None:
    body = {"account": CLERK, "password": PASSWORD, "newPassword": NEW}
    async with desk(tmp_path) as place:
        old = await place.token()
        wrong = await place.post("/sign-in/password", **{**body, "password": WRONG})
        status, answer = await place.post("/sign-in/password", **body)
        tokens = [await place.asked(old), await place.asked(answer["token"])]
        renewed = await place.post("/sign-in/renew", old)
        before, after = await place.sign_in(), await place.sign_in(password=NEW)
        records = place.town.noted("action")

    assert [wrong, status] == [(401, REFUSED), 200]
    assert [code for code, _ in tokens] == [401, 200]
    assert [renewed, before, after[0]] == [(401, UNAUTHENTICATED), (401, REFUSED), 200]
    assert records[:3] == [("signed_in",), ("password_changed",), ("signed_in",)]


@pytest.mark.parametrize("why", ["too old", "given by somebody"])
async def test_a_password_that_has_to_be_changed_opens_nothing_before(
    tmp_path: Path, why: str
) -> None:
    body = {"account": CLERK, "password": PASSWORD, "newPassword": NEW}
    async with desk(tmp_path) as place:
        if why == "too old":
            place.town.clock.now += 90 * 24 * 3600 + 1
        else:
            await place.change(CLERK, must_change=True)
        status, answer = await place.sign_in()
        wrong = await place.sign_in(password=WRONG)
        changed, _ = await place.post("/sign-in/password", **body)
        after, _ = await place.sign_in(password=NEW)

    assert [status, answer["errors"][0]["extensions"]["code"]] == [401, "PASSWORD_EXPIRED"]
    assert [wrong, changed, after] == [(401, REFUSED), 200, 200]


async def test_a_given_password_counts_for_a_short_time_alone(tmp_path: Path) -> None:
    async with desk(tmp_path) as place:
        await place.change(CLERK, must_change=True, password_ends_at=NOW + 60)
        place.town.clock.now = NOW + 60
        answer = await place.sign_in()

    assert answer == (401, REFUSED)


@pytest.mark.parametrize(
    "new",
    [
        "short",
        "x" * (MAXIMUM_CHARACTERS + 1),
        "1q2w3e4r5t",
        "QWERTYUIOP",
        "aabbaabbaabb",
        f"my {CLERK} 1",
        PASSWORD,
    ],
)
async def test_a_password_that_is_easily_guessed_is_refused(tmp_path: Path, new: str) -> None:
    with pytest.raises(BadInput):
        check_password(new, CLERK, PASSWORD)
    async with desk(tmp_path) as place:
        body = {"account": CLERK, "password": PASSWORD, "newPassword": new}
        status, answer = await place.post("/sign-in/password", **body)
        still, _ = await place.sign_in()

    assert [status, still] == [400, 200]
    assert new not in json.dumps(answer, ensure_ascii=False)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ('{"account": "a", "password": "b"}', "text/plain"),
        ('{"account": "a", "password": "b"}', "application/x-www-form-urlencoded"),
        ("account=a&password=b", "application/json"),
        ('{"account": "a"}', "application/json"),
        ('{"account": "a", "password": "b", "more": "c"}', "application/json"),
        ('{"account": "a", "password": 1}', "application/json"),
        ('{"account": "a", "password": ""}', "application/json"),
        ('["a", "b"]', "application/json"),
        ('{"account": "a", "password": "' + "b" * 5000 + '"}', "application/json"),
    ],
)
async def test_any_other_body_is_refused_and_nothing_is_tried(
    tmp_path: Path, body: str, kind: str
) -> None:
    async with desk(tmp_path) as place:
        tried = place.town.office.passwords.tried
        headers = {"content-type": kind}
        answer = await place.http.post("/sign-in", content=body, headers=headers)
        after = place.town.office.passwords.tried

    assert [answer.status_code, after] == [400, tried]
    assert answer.json()["errors"][0]["extensions"] == {"code": "BAD_USER_INPUT"}


async def test_sign_in_is_by_post_alone_and_not_there_without_the_embedded_issuer(
    tmp_path: Path,
) -> None:
    async with desk(tmp_path) as place:
        got = await place.http.get("/sign-in?account=a&password=b")
        kept = await place.http.post("/sign-in", json={"account": CLERK, "password": WRONG})
    app = create_app(SCHEMA, Authenticator([], Endpoint()).authenticate, context_for, Settings())
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="http://graph"
    ) as http:
        absent = await http.post("/sign-in", json={"account": CLERK, "password": PASSWORD})

    assert [got.status_code, absent.status_code] == [405, 404]
    assert kept.headers["cache-control"] == "no-store"
    assert "set-cookie" not in kept.headers


async def test_no_password_no_token_and_no_wrong_name_is_in_the_log_or_the_store(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)  # as the server logs; a driver's own texts are below that
    async with desk(tmp_path) as place:
        token = await place.token()
        await place.sign_in(PASSWORD, CLERK)  # typed into the wrong fields
        for _ in range(6):
            await place.sign_in("my-secret-word", WRONG)
        await place.post("/sign-in/renew", token[:-4] + "AAAA")
        records = str(place.town.records)
    files = raw_bytes(tmp_path)

    for secret in (PASSWORD, WRONG, "my-secret-word", token):
        assert secret not in caplog.text
        assert secret not in records
        assert secret.encode() not in files
