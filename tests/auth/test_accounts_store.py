"""Accounts in the store, and how every process knows them: by a number, and what is behind it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.exc import SQLAlchemyError

from auth.accounts import Taken, take_in
from auth.authenticate import Authenticator
from auth.claims import Claims
from auth.issuer import issuers_file
from auth.principal import Principal
from auth.standing import MAXIMUM_AGE_SECONDS, UNKNOWN, Standing
from auth.trust import load_issuers
from contract.errors import AccountsUnavailable, Unauthenticated
from demo.postgres import Postgres
from sources.divisions import division_tree
from store.account_changes import AccountChange, AccountChanges, State, decided
from store.accounts import Account, Accounts, Delegation, Status
from store.database import open_store
from store.revisions import Revisions
from store.sign_ins import Failures, Session, SignIns
from tests.accounts import NOW, PEOPLE, XIBEI, Statements, Town, town
from tests.auth.tokens import CLERK, ISSUER, OURS, Endpoint, token

KINDS = ("sqlite", "postgresql")
ACCOUNT = Account("clerk", (("township_clerk", XIBEI),), "民政", created_at=NOW, changed_at=NOW)


@asynccontextmanager
async def database(kind: str, folder: Path, request: pytest.FixtureRequest) -> AsyncIterator[str]:
    if kind == "sqlite":
        yield f"sqlite+aiosqlite:///{folder / 'store.db'}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = request.node.name.partition("[")[0][-40:]
    await asyncio.to_thread(server.create_database, name)
    yield server.url(name)


@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_written_is_read_again_from_the_revision_it_was_written_in(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    async with database(kind, tmp_path, request) as url:
        engine = await open_store(url)
        accounts = Accounts(engine)
        for _ in range(2):
            await accounts.create()
        async with accounts.changing() as changing:
            await changing.add([ACCOUNT, replace(ACCOUNT, name="other")])
        async with accounts.changing() as changing:
            await changing.put(replace(ACCOUNT, status=Status.DISABLED))
            await changing.delegate(Delegation("d", "other", "clerk", ACCOUNT.roles, NOW))
        whole, later = await accounts.since(0), await accounts.since(1)
        await engine.dispose()

    gone = replace(ACCOUNT, status=Status.DISABLED, revision=2)
    assert sorted(account.name for account in whole.accounts) == ["clerk", "other"]
    assert later.accounts == [gone]
    assert later.delegations == [Delegation("d", "other", "clerk", ACCOUNT.roles, NOW, revision=2)]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_change_is_decided_once_and_sessions_and_failures_are_kept(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    async with database(kind, tmp_path, request) as url:
        engine = await open_store(url)
        accounts, changes, sign_ins = Accounts(engine), AccountChanges(engine), SignIns(engine)
        for each in (accounts, changes, sign_ins):
            await each.create()
        change = AccountChange("c", "move", "clerk", ACCOUNT.roles, "admin", NOW)
        await changes.ask(change)
        async with accounts.changing() as changing:
            approved = State.APPROVED, "second", NOW
            tries = [await decided(changing.connection, change, approved) for _ in range(2)]
        refused = await changes.refuse(change, "third", NOW)
        found, waiting = await changes.find("c"), await changes.latest(State.PENDING, _any, 9)
        counts = [
            await sign_ins.attempt("h", NOW, lambda f: replace(f, count=f.count + 1, last_at=NOW))
            for _ in range(2)
        ]
        await sign_ins.begin(Session("s", "clerk", NOW, NOW + 9))
        await sign_ins.end_all("clerk")
        session = await sign_ins.session("s")
        await engine.dispose()

    assert [tries, refused, waiting] == [[True, False], False, []]
    assert found == replace(change, state=State.APPROVED, decided_by="second", decided_at=NOW)
    assert counts == [Failures(1, NOW, 0.0), Failures(2, NOW, 0.0)]
    assert session == Session("s", "clerk", NOW, NOW + 9, is_ended=True)


async def test_what_fails_half_way_changes_nothing(tmp_path: Path) -> None:
    async with town(tmp_path) as place:

        async def fail() -> None:
            async with place.standing.store.changing() as changing:
                await changing.put(replace(ACCOUNT, name="never"))
                raise KeyError("half way")

        with pytest.raises(KeyError, match="half way"):
            await fail()
        found = await place.standing.store.find("never")

    assert found is None


async def test_a_file_taken_in_again_changes_nothing_and_lets_nobody_in_again(
    tmp_path: Path,
) -> None:
    async with town(tmp_path) as place:
        store = place.standing.store
        async with store.changing() as changing:
            clerk = await changing.find("clerk-xibei")
            assert clerk is not None
            await changing.put(replace(clerk, status=Status.DISABLED, password="kept"))  # noqa: S106 -- a hash
        again = await take_in(store, PEOPLE.values(), NOW)
        moved = Principal("clerk-xibei", ("township_clerk",), ("320205001",))
        other = await take_in(store, [moved], NOW + 1)
        found = await store.find("clerk-xibei")

    assert [again, other] == [Taken(0, 0), Taken(0, 1)]
    assert found is not None
    kept = found.roles, found.status, found.password
    assert kept == ((("township_clerk", "320205001"),), Status.DISABLED, "kept")


def accepting(place: Town) -> Authenticator:
    folder = place.issuer_folder
    return Authenticator(
        load_issuers(issuers_file(folder)), Endpoint(), place.clock, standing=place.standing
    )


def bearer(place: Town, name: str) -> str:
    return f"Bearer {place.issuer.token(PEOPLE[name], 3600)}"


async def put(place: Town, name: str, **changes: object) -> None:
    """Change an account as another process does: through the store alone."""
    async with Accounts(place.engine).changing() as changing:
        account = await changing.find(name)
        assert account is not None
        await changing.put(replace(account, **changes))  # type: ignore[arg-type] # by name


async def test_a_disabled_account_is_refused_when_the_store_was_looked_at_again(
    tmp_path: Path,
) -> None:
    async with town(tmp_path) as place:
        accept, token = accepting(place), bearer(place, "clerk-xibei")
        before = await accept.authenticate(token)
        await put(place, "clerk-xibei", status=Status.DISABLED)
        await place.standing.refresh()

        with pytest.raises(Unauthenticated):
            await accept.authenticate(token)
        neighbour = await accept.authenticate(bearer(place, "clerk-donggang"))

    assert [before, neighbour] == [PEOPLE["clerk-xibei"], PEOPLE["clerk-donggang"]]


async def test_roles_are_those_of_the_store_whatever_the_token_says(tmp_path: Path) -> None:
    async with town(tmp_path) as place:
        forged = replace(PEOPLE["clerk-xibei"], roles=("province_officer",), scopes=("32",))
        said = f"Bearer {place.issuer.token(forged)}"
        unknown = f"Bearer {place.issuer.token(replace(forged, account='ghost'))}"
        accept = accepting(place)
        principal = await accept.authenticate(said)
        await put(place, "clerk-xibei", roles=(("township_clerk", "320205107"),))
        await place.standing.refresh()
        moved = await accept.authenticate(said)
        with pytest.raises(Unauthenticated):
            await accept.authenticate(unknown)

    assert [principal.roles, principal.scopes] == [("township_clerk",), (XIBEI,)]
    assert moved.scopes == ("320205107",)


async def test_tokens_of_before_a_disabling_stay_worthless_when_the_account_is_enabled(
    tmp_path: Path,
) -> None:
    async with town(tmp_path) as place:
        accept, old = accepting(place), bearer(place, "clerk-xibei")
        await put(place, "clerk-xibei", tokens_from=int(NOW) + 1)
        await place.standing.refresh()
        with pytest.raises(Unauthenticated):
            await accept.authenticate(old)
        place.clock.now += 2
        fresh = await accept.authenticate(bearer(place, "clerk-xibei"))

    assert fresh == PEOPLE["clerk-xibei"]


async def test_nobody_is_let_in_when_the_store_was_silent_for_a_minute(tmp_path: Path) -> None:
    async with town(tmp_path) as place:
        accept, token = accepting(place), bearer(place, "clerk-xibei")
        await place.engine.dispose()
        (tmp_path / "store.db").rename(tmp_path / "gone.db")
        with pytest.raises(SQLAlchemyError):
            await place.standing.refresh()
        place.seconds.now = MAXIMUM_AGE_SECONDS
        still, late = await accept.authenticate(token), place.standing.reasons
        place.seconds.now += 0.1
        with pytest.raises(AccountsUnavailable):
            await accept.authenticate(token)
        await place.engine.dispose()
        (tmp_path / "store.db").unlink()
        (tmp_path / "gone.db").rename(tmp_path / "store.db")
        await place.standing.refresh()
        again = await accept.authenticate(token)

    assert [still, again] == [PEOPLE["clerk-xibei"]] * 2
    assert late == (UNKNOWN,)


async def test_another_issuers_account_is_shut_out_by_its_name_alone(tmp_path: Path) -> None:
    async with town(tmp_path) as place:
        accept = Authenticator([ISSUER], Endpoint(OURS), place.clock, standing=place.standing)
        said = f"Bearer {token()}"
        before = await accept.authenticate(said)
        async with place.standing.store.changing() as changing:
            await changing.put(Account(CLERK.account, (), status=Status.DISABLED))
        await place.standing.refresh()
        with pytest.raises(Unauthenticated):
            await accept.authenticate(said)

    assert before == CLERK


async def test_a_cover_lends_what_the_absent_account_has_until_it_ends(tmp_path: Path) -> None:
    async with town(tmp_path) as place:
        standing, roles = place.standing, (("township_clerk", XIBEI),)
        async with standing.store.changing() as changing:
            cover = Delegation("d", "clerk-donggang", "clerk-xibei", roles, NOW + 60)
            await changing.delegate(cover)
        await standing.refresh()
        account = standing.find("clerk-donggang")
        assert account is not None
        covering = standing.now(account).scopes
        place.clock.now = NOW + 59.9
        lasting = standing.now(account).scopes
        place.clock.now = NOW + 60
        ended = standing.now(account).scopes
        place.clock.now = NOW
        await put(place, "clerk-xibei", status=Status.DISABLED)
        await standing.refresh()
        disabled = standing.now(account).scopes

    assert [covering, lasting] == [("320205107", XIBEI)] * 2
    assert [ended, disabled] == [("320205107",)] * 2


def many() -> list[Principal]:
    """Return as many accounts as the province has clerks, in every township."""
    tree, pending = division_tree(), ["32"]
    townships: list[str] = []
    while pending:
        for child in tree.children(pending.pop()):
            (townships if len(child.code) == 9 else pending).append(child.code)
    return [
        Principal(f"clerk-{number}", ("township_clerk",), (townships[number % len(townships)],))
        for number in range(25_828)
    ]


async def test_a_provinces_accounts_are_loaded_by_three_statements_and_checked_by_none(
    tmp_path: Path,
) -> None:
    people = many()
    async with town(tmp_path, people=people) as place:
        statements = Statements.of(place.engine)
        standing = Standing(place.standing.store, place.clock, place.seconds)
        await standing.refresh()
        loaded = len(statements.seen)
        principals = [standing.now(account) for account in standing]
        await standing.refresh()
        quiet = len(statements.seen) - loaded
        await put(place, people[7].account, status=Status.DISABLED)
        before = len(statements.seen)
        await standing.refresh()
        changed = len(statements.seen) - before
        standing.principal(_claims(people[9]))
        asked = len(statements.seen) - before - changed

    assert [len(standing), principals[:3], loaded] == [25_828, people[:3], 3]
    assert [quiet, changed, asked] == [1, 3, 0]
    gone = standing.find(people[7].account)
    assert gone is not None
    assert gone.status == Status.DISABLED


def _any(_: AccountChange) -> bool:
    return True


def _claims(principal: Principal) -> Claims:
    return Claims(
        iss="township-graph",
        aud="township-graph",
        sub=principal.account,
        iat=int(NOW),
        exp=int(NOW) + 900,
        roles=list(principal.roles),
        scopes=list(principal.scopes),
        department="",
        purpose="",
    )


async def test_processes_that_change_accounts_at_once_lose_nothing(tmp_path: Path) -> None:
    async with town(tmp_path) as place:
        other = await open_store(f"sqlite+aiosqlite:///{tmp_path / 'store.db'}")

        async def add(number: int) -> None:
            store = Accounts((place.engine, other)[number % 2])
            async with store.changing() as changing:
                await changing.put(Account(f"new-{number}", ACCOUNT.roles))

        await asyncio.gather(*(add(number) for number in range(10)))
        await place.standing.refresh()
        found = [place.standing.find(f"new-{number}") for number in range(10)]
        await other.dispose()

    assert sorted(account.revision for account in found if account) == list(range(2, 12))


async def test_a_process_that_runs_hears_of_others_and_outlives_a_store_that_fails(
    tmp_path: Path,
) -> None:
    heard, failed = asyncio.Event(), asyncio.Event()
    async with town(tmp_path) as place:
        standing, numbers = place.standing, place.standing.store.revisions.numbers

        async def hear(name: str) -> None:
            if name == "copies x":
                heard.set()

        async def fail_once() -> Mapping[str, int]:
            if failed.is_set():
                return await numbers()
            failed.set()
            raise OSError

        standing.heard = hear
        standing.store.revisions.numbers = fail_once  # type: ignore[method-assign] # it fails once
        running = asyncio.create_task(standing.run(0))
        async with asyncio.timeout(20):
            await failed.wait()
            await put(place, "clerk-xibei", status=Status.DISABLED)
            await Revisions(place.engine).advance("copies x")
            await heard.wait()
        account = standing.find("clerk-xibei")
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    assert account is not None
    assert account.status == Status.DISABLED


async def test_a_resident_is_who_the_store_says(tmp_path: Path) -> None:
    number = "11010519491231002X"
    resident = Principal("resident", ("resident",), ("32",), citizen=number)
    async with town(tmp_path, people=[resident]) as place:
        told = f"Bearer {place.issuer.token(resident)}"
        found = await accepting(place).authenticate(told)
        await put(place, "resident", citizen="")
        await place.standing.refresh()
        nobody = await accepting(place).authenticate(told)

    assert [found, nobody] == [resident, replace(resident, citizen="")]
