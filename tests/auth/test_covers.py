"""Leave cover: one account has the roles of another one, for a while."""

from dataclasses import replace
from pathlib import Path

import pytest

from auth.administration import LONGEST_COVER_SECONDS, Kind, Wanted
from auth.policy import Policy
from auth.principal import Principal
from contract.errors import BadInput, Forbidden
from store.account_changes import State
from tests.accounts import NOW, PEOPLE, XIBEI, XISHAN, town
from tests.auth.deciding import CLERK, COVER, OTHER, done, refused, roles_of


@pytest.mark.parametrize(
    ("absent", "cover", "error"),
    [
        ("clerk-xibei", "admin-one", Forbidden),  # to oneself
        ("clerk-xibei", "clerk-far", BadInput),  # to another county
        ("clerk-far", "clerk-xibei", BadInput),  # from another county
        ("officer-county", "clerk-xibei", BadInput),  # wider roles
        ("clerk-xibei", "clerk-xibei", BadInput),
        ("clerk-xibei", "admin-two", BadInput),
        ("clerk-xibei", "ghost", BadInput),
    ],
)
async def test_a_cover_is_between_two_accounts_of_the_county_and_never_oneself(
    tmp_path: Path, absent: str, cover: str, error: type[Exception]
) -> None:
    wanted = Wanted(Kind.DELEGATE, absent, cover=cover, ends_at=NOW + 3600)
    async with town(tmp_path) as place:
        found = await refused(place.as_("admin-one").change(wanted))

    assert [found, place.records] == [error, []]


@pytest.mark.parametrize("ends_at", [None, NOW, NOW - 1, NOW + LONGEST_COVER_SECONDS + 1])
async def test_a_cover_ends_in_thirty_days_at_most(tmp_path: Path, ends_at: float | None) -> None:
    async with town(tmp_path) as place:
        found = await refused(place.as_("admin-one").change(replace(COVER, ends_at=ends_at)))

    assert found is BadInput


async def test_a_cover_lasts_until_its_end_or_until_it_is_ended(tmp_path: Path) -> None:
    end = Wanted(Kind.END_COVER, "clerk-xibei", cover="clerk-donggang")
    async with town(tmp_path) as place:
        await done(place, COVER)
        covering = roles_of(place, "clerk-donggang")
        place.clock.now = NOW + 3600
        over = roles_of(place, "clerk-donggang")
        place.clock.now = NOW
        ended = await place.as_("admin-one").change(end)
        after = roles_of(place, "clerk-donggang")

    assert [covering, over, after] == [(*OTHER, *CLERK), OTHER, OTHER]
    assert ended.change.state == State.APPROVED


@pytest.mark.parametrize("department", ["人社局", ""])
async def test_a_role_that_rests_on_the_department_is_not_lent_into_another_one(
    tmp_path: Path, department: str
) -> None:
    officer = Principal("officer", ("department_officer",), (XISHAN,), "民政局")
    same = Principal("same", ("township_clerk",), (XIBEI,), "民政局")
    other = Principal("other", ("township_clerk",), (XIBEI,), department)
    cover = Wanted(Kind.DELEGATE, "officer", cover="other", ends_at=NOW + 3600)
    async with town(tmp_path, people=[*PEOPLE.values(), officer, same, other]) as place:
        place.policy = _giving(place.policy, "department_officer")
        found = await refused(place.as_("admin-one").change(cover))
        told = list(place.records)
        await done(place, replace(cover, cover="same"))
        roles = roles_of(place, "same")
        clerk = await place.as_("admin-one").change(
            replace(cover, account="same", cover="clerk-xibei")
        )

    assert [found, told] == [BadInput, []]
    assert roles == (*CLERK, ("department_officer", XISHAN))
    assert clerk.change.state == State.PENDING  # clerks are clerks in every department


def _giving(policy: Policy, *roles: str) -> Policy:
    administrator = policy.roles["county_administrator"]
    gives = administrator.gives | set(roles)
    changed = {**policy.roles, "county_administrator": replace(administrator, gives=gives)}
    return Policy(changed, policy._terms, policy._entities, policy._facets, policy.threshold)


async def test_what_is_lent_is_not_lent_on(tmp_path: Path) -> None:
    on = Wanted(Kind.DELEGATE, "clerk-donggang", cover="grid-xibei", ends_at=NOW + 3600)
    async with town(tmp_path) as place:
        await done(place, COVER)
        await done(place, on)
        roles = roles_of(place, "grid-xibei")

    assert roles == (("grid_worker", f"{XIBEI}001"), *OTHER)


async def test_what_the_absent_account_has_lost_is_lent_no_more(tmp_path: Path) -> None:
    async with town(tmp_path) as place:
        await done(place, COVER)
        covering = roles_of(place, "clerk-donggang")
        await done(place, Wanted(Kind.MOVE, "clerk-xibei", OTHER))
        after = roles_of(place, "clerk-donggang")

    assert [covering, after] == [(*OTHER, *CLERK), OTHER]


async def test_disabling_ends_covers_and_sessions_for_good(tmp_path: Path) -> None:
    async with town(tmp_path) as place:
        await done(place, COVER)
        await place.as_("admin-one").change(Wanted(Kind.DISABLE, "clerk-donggang"))
        await done(place, Wanted(Kind.ENABLE, "clerk-donggang"))
        roles = roles_of(place, "clerk-donggang")

    assert roles == OTHER
