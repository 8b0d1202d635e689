"""Administrators of accounts: their own county alone, and nothing wider without a second one."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from auth.administration import CHANGE_SECONDS, Kind, Wanted
from auth.principal import Principal
from contract.errors import AuditUnavailable, BadInput, Forbidden
from store.account_changes import State
from store.accounts import Roles, Status
from tests.accounts import (
    LONGHUTANG,
    NOW,
    PASSWORD,
    PEOPLE,
    XIBEI,
    XINBEI,
    XISHAN,
    town,
)
from tests.auth.deciding import CLERK, COVER, OTHER, done, refused, roles_of

NEW = Wanted(Kind.CREATE, "new-clerk", CLERK)


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("admin-one", ["clerk-donggang", "clerk-xibei", "grid-xibei"]),
        ("admin-far", ["clerk-far"]),
        ("clerk-xibei", Forbidden),
        ("officer-county", Forbidden),
        ("auditor", Forbidden),
    ],
)
async def test_an_administrator_sees_the_accounts_of_the_own_county_alone(
    tmp_path: Path, name: str, seen: Sequence[str] | type[Exception]
) -> None:
    async with town(tmp_path) as place:
        if isinstance(seen, type):
            assert await refused(place.as_(name).accounts()) is seen
            assert await refused(place.as_(name).changes(State.PENDING)) is seen
        else:
            assert [account.name for account in await place.as_(name).accounts()] == seen


async def test_an_account_is_made_when_a_second_administrator_approves(tmp_path: Path) -> None:
    async with town(tmp_path) as place:
        asked = await place.as_("admin-one").change(NEW)
        waiting = place.standing.find("new-clerk"), asked.change.state, asked.password
        outcome = await place.as_("admin-two").approve(asked.change.id)
        account = place.standing.find("new-clerk")
        begun = await place.sign_in.change_password("new-clerk", outcome.password, PASSWORD)
        noted = place.noted("action", "step", "account", "by")

    assert waiting == (None, State.PENDING, "")
    assert account is not None
    assert [account.roles, account.must_change, outcome.change.decided_by] == [
        CLERK,
        True,
        "admin-two",
    ]
    assert begun.seconds == 900
    assert noted[:2] == [
        ("create", "asked", "new-clerk", "admin-one"),
        ("create", "approved", "new-clerk", "admin-two"),
    ]


@pytest.mark.parametrize(
    "wanted",
    [
        NEW,
        Wanted(Kind.MOVE, "clerk-xibei", OTHER),
        Wanted(Kind.MOVE, "clerk-xibei", (*CLERK, *OTHER)),
        Wanted(Kind.RESET_PASSWORD, "clerk-xibei"),
        COVER,
    ],
    ids=lambda wanted: wanted.kind,
)
async def test_whatever_opens_more_opens_nothing_before_a_second_one_approves(
    tmp_path: Path, wanted: Wanted
) -> None:
    async with town(tmp_path) as place:
        before = {account.name: account for account in place.standing}
        asked = await place.as_("admin-one").change(wanted)
        own = await refused(place.as_("admin-one").approve(asked.change.id))
        far = await refused(place.as_("admin-far").approve(asked.change.id))
        clerk = await refused(place.as_("clerk-donggang").approve(asked.change.id))
        unchanged = {account.name: account for account in place.standing} == before
        listed = [change.id for change in await place.as_("admin-two").changes(State.PENDING)]
        elsewhere = await place.as_("admin-far").changes(State.PENDING)
        outcome = await place.as_("admin-two").approve(asked.change.id)
        twice = await refused(place.as_("admin-two").approve(asked.change.id))

    assert [own, far, clerk] == [Forbidden, BadInput, Forbidden]
    assert [unchanged, listed, elsewhere] == [True, [asked.change.id], []]
    assert [outcome.change.state, twice] == [State.APPROVED, BadInput]


async def test_a_role_that_opens_nothing_where_it_is_held_is_not_narrowed_by_one(
    tmp_path: Path,
) -> None:
    # A township's role in a county opens nothing; in a township of that county it does.
    idle = Principal("idle", ("township_clerk",), (XISHAN,))
    async with town(tmp_path, people=[*PEOPLE.values(), idle]) as place:
        asked = await place.as_("admin-one").change(Wanted(Kind.MOVE, "idle", CLERK))
        before = roles_of(place, "idle")
        await place.as_("admin-two").approve(asked.change.id)
        after = roles_of(place, "idle")

    assert asked.change.state == State.PENDING
    assert [before, after] == [(("township_clerk", XISHAN),), CLERK]


async def test_changes_that_others_ask_for_do_not_push_the_own_ones_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auth.administration.MAXIMUM_LISTED", 2)
    async with town(tmp_path) as place:
        own = await place.as_("admin-one").change(NEW)
        for number in range(5):
            place.clock.now += 1
            far = Wanted(Kind.CREATE, f"far-{number}", (("township_clerk", LONGHUTANG),))
            await place.as_("admin-far").change(far)
        seen = await place.as_("admin-two").changes(State.PENDING)
        theirs = await place.as_("admin-far").changes(State.PENDING)

    assert [change.id for change in seen] == [own.change.id]
    assert [change.account for change in theirs] == ["far-4", "far-3"]


async def test_an_account_is_enabled_by_two_and_disabled_by_one(tmp_path: Path) -> None:
    disable, enable = (Wanted(kind, "clerk-xibei") for kind in (Kind.DISABLE, Kind.ENABLE))
    async with town(tmp_path) as place:
        once = await place.as_("admin-one").change(disable)
        closed = place.standing.find("clerk-xibei")
        asked = await place.as_("admin-one").change(enable)
        still = place.standing.find("clerk-xibei")
        await place.as_("admin-two").approve(asked.change.id)
        opened = place.standing.find("clerk-xibei")
        noted = place.noted("action", "step", "by")

    assert once.change.state == State.APPROVED
    assert [each and each.status for each in (closed, still, opened)] == [
        Status.DISABLED,
        Status.DISABLED,
        Status.ACTIVE,
    ]
    assert opened is not None
    assert opened.tokens_from == int(NOW) + 1
    assert noted == [
        ("disable", "done", "admin-one"),
        ("enable", "asked", "admin-one"),
        ("enable", "approved", "admin-two"),
    ]


async def test_a_move_that_opens_nothing_is_done_at_once(tmp_path: Path) -> None:
    async with town(tmp_path) as place:
        await done(place, Wanted(Kind.MOVE, "clerk-xibei", (*CLERK, *OTHER)))
        outcome = await place.as_("admin-one").change(Wanted(Kind.MOVE, "clerk-xibei", OTHER))
        roles = roles_of(place, "clerk-xibei")

    assert [outcome.change.state, roles] == [State.APPROVED, OTHER]


@pytest.mark.parametrize(
    ("roles", "error"),
    [
        ((("township_clerk", LONGHUTANG),), Forbidden),  # another county's township
        ((*CLERK, ("township_clerk", LONGHUTANG)), Forbidden),
        ((("county_officer", XISHAN),), Forbidden),  # a role that is not given
        ((("county_administrator", XISHAN),), Forbidden),
        ((("auditor", XISHAN),), Forbidden),
        ((("auditor", "32"),), Forbidden),
        ((("township_clerk", XISHAN),), BadInput),  # a scope of another level
        ((("township_clerk", "320205999"),), BadInput),  # no such township
        ((("grid_worker", f"{XIBEI}000"),), BadInput),
        ((("nothing", XIBEI),), BadInput),
        ((), BadInput),
        (CLERK * 17, BadInput),
    ],
)
@pytest.mark.parametrize("kind", [Kind.CREATE, Kind.MOVE])
async def test_roles_are_given_in_the_own_county_and_only_those_that_may_be(
    tmp_path: Path, kind: Kind, roles: Roles, error: type[Exception]
) -> None:
    name = "new-clerk" if kind is Kind.CREATE else "clerk-xibei"
    async with town(tmp_path) as place:
        found = await refused(place.as_("admin-one").change(Wanted(kind, name, roles)))
        waiting = await place.as_("admin-two").changes(State.PENDING)

    assert [found, waiting, place.records] == [error, [], []]


@pytest.mark.parametrize("name", ["clerk-far", "officer-county", "admin-two", "auditor", "ghost"])
@pytest.mark.parametrize(
    "kind", [Kind.DISABLE, Kind.ENABLE, Kind.RESET_PASSWORD, Kind.MOVE, Kind.DELEGATE]
)
async def test_who_is_out_of_reach_is_answered_like_nobody(
    tmp_path: Path, name: str, kind: Kind
) -> None:
    wanted = Wanted(kind, name, CLERK if kind is Kind.MOVE else (), "", "clerk-xibei", NOW + 9)
    async with town(tmp_path) as place:
        with pytest.raises(BadInput) as caught:
            await place.as_("admin-one").change(wanted)
        account = place.standing.find(name)

    assert str(caught.value) == "没有这个账号,或不在您的管辖范围内。"
    assert account is None or account.status == Status.ACTIVE
    assert place.records == []


@pytest.mark.parametrize("kind", list(Kind))
async def test_nobody_changes_their_own_account(tmp_path: Path, kind: Kind) -> None:
    roles = CLERK if kind in (Kind.CREATE, Kind.MOVE) else ()
    wanted = Wanted(kind, "admin-one", roles, "", "clerk-xibei", NOW + 9)
    async with town(tmp_path) as place:
        found = await refused(place.as_("admin-one").change(wanted))

    assert [found, place.records] == [Forbidden, []]


async def test_who_gains_by_a_change_does_not_approve_it(tmp_path: Path) -> None:
    two = (("county_administrator", XISHAN), ("township_clerk", XIBEI))
    people = [
        *PEOPLE.values(),
        Principal("both", tuple(role for role, _ in two), tuple(scope for _, scope in two)),
    ]
    async with town(tmp_path, people=people) as place:
        asked = await place.as_("admin-one").change(COVER)
        change = replace(asked.change, id="forged", cover="both")
        await place.office.changes.ask(change)  # as if it had been asked for
        found = await refused(place.as_("both").approve("forged"))
        outcome = await place.as_("both").approve(asked.change.id)

    assert found is Forbidden
    assert outcome.change.state == State.APPROVED


@pytest.mark.parametrize(
    "meanwhile",
    ["the account was changed", "who asked was disabled", "it is a week old", "it was taken back"],
)
async def test_a_change_is_approved_only_as_long_as_it_is_what_was_asked_for(
    tmp_path: Path, meanwhile: str
) -> None:
    async with town(tmp_path) as place:
        asked = await place.as_("admin-one").change(Wanted(Kind.MOVE, "clerk-xibei", OTHER))
        match meanwhile:
            case "the account was changed":
                await done(place, Wanted(Kind.RESET_PASSWORD, "clerk-xibei"))
            case "who asked was disabled":
                async with place.standing.store.changing() as changing:
                    admin = await changing.find("admin-one")
                    assert admin is not None
                    await changing.put(replace(admin, status=Status.DISABLED))
            case "it is a week old":
                place.clock.now += CHANGE_SECONDS + 1
            case _:
                await place.as_("admin-one").refuse(asked.change.id)
        found = await refused(place.as_("admin-two").approve(asked.change.id))
        roles = roles_of(place, "clerk-xibei")

    assert found in (BadInput, Forbidden)
    assert roles == CLERK


async def test_two_who_approve_at_once_do_it_once(tmp_path: Path) -> None:
    people = [*PEOPLE.values(), Principal("admin-three", ("county_administrator",), (XISHAN,))]
    async with town(tmp_path, people=people) as place:
        asked = await place.as_("admin-one").change(NEW)
        tries = await asyncio.gather(
            *(
                refused(place.as_(name).approve(asked.change.id))
                for name in ("admin-two", "admin-three")
            )
        )
        steps = place.noted("step")

    assert sorted(map(str, tries)) == sorted(map(str, (None, BadInput)))
    assert steps.count(("approved",)) - steps.count(("failed",)) == 1


async def test_an_administrator_that_was_disabled_a_moment_ago_changes_nothing(
    tmp_path: Path,
) -> None:
    async with town(tmp_path) as place:
        admin = place.as_("admin-one")
        async with place.standing.store.changing() as changing:
            account = await changing.find("admin-one")
            assert account is not None
            await changing.put(replace(account, status=Status.DISABLED))
        found = await refused(admin.change(Wanted(Kind.DISABLE, "clerk-xibei")))

    assert [found, place.records] == [Forbidden, []]


async def test_a_token_of_another_issuer_in_an_administrators_name_changes_nothing(
    tmp_path: Path,
) -> None:
    async with town(tmp_path) as place:
        admin = place.as_("admin-one")
        for foreign in (
            Principal("admin-one", ("township_clerk",), (XIBEI,)),
            Principal("admin-one", ("county_administrator",), (XINBEI,)),
        ):
            named = replace(admin, principal=foreign)
            assert await refused(named.accounts()) is Forbidden
        nobody = Principal("stranger", ("county_administrator",), (XISHAN,))
        assert await refused(replace(admin, principal=nobody).accounts()) is Forbidden


async def test_what_cannot_be_recorded_is_not_done(tmp_path: Path) -> None:
    async def unavailable(_: object) -> None:
        raise AuditUnavailable

    async with town(tmp_path) as place:
        admin = place.as_("admin-one")
        deaf = replace(admin, office=replace(place.office, note=unavailable))
        for wanted in (Wanted(Kind.DISABLE, "clerk-xibei"), NEW):
            with pytest.raises(AuditUnavailable):
                await deaf.change(wanted)
        waiting = await admin.changes(State.PENDING)
        account = place.standing.find("clerk-xibei")

    assert waiting == []
    assert account is not None
    assert account.status == Status.ACTIVE


@pytest.mark.parametrize("name", ["ab", "Clerk", "1clerk", "x" * 65, "张三", "a b c", "clerk\n"])
async def test_a_name_is_short_plain_and_new(tmp_path: Path, name: str) -> None:
    async with town(tmp_path) as place:
        admin = place.as_("admin-one")
        found = await refused(admin.change(replace(NEW, account=name)))
        taken = await refused(admin.change(replace(NEW, account="clerk-far")))

    assert [found, taken] == [BadInput, BadInput]


async def test_a_reset_opens_the_lock_ends_every_token_and_gives_a_password_once(
    tmp_path: Path,
) -> None:
    async with town(tmp_path) as place:
        await place.give_password("clerk-xibei")
        for _ in range(5):
            with pytest.raises(Exception, match="账号或密码不正确"):
                await place.sign_in.sign_in("clerk-xibei", "wrong")
        locked = await place.as_("admin-one").locked_until(["clerk-xibei", "clerk-far"])
        outcome = await done(place, Wanted(Kind.RESET_PASSWORD, "clerk-xibei"))
        begun = await place.sign_in.change_password("clerk-xibei", outcome.password, PASSWORD)
        changes = await place.as_("admin-one").changes(State.APPROVED)

    assert locked == {"clerk-xibei": NOW + 60}
    assert begun.token
    assert outcome.password not in str(place.records)
    assert [change.kind for change in changes] == [Kind.RESET_PASSWORD]
