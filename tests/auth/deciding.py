"""What administrators want of accounts, and two who decide it."""

from collections.abc import Awaitable

from auth.administration import Kind, Outcome, Wanted
from contract.errors import BadInput, Forbidden
from store.accounts import Roles
from tests.accounts import DONGGANG, NOW, XIBEI, Town

CLERK = (("township_clerk", XIBEI),)
OTHER = (("township_clerk", DONGGANG),)
COVER = Wanted(Kind.DELEGATE, "clerk-xibei", cover="clerk-donggang", ends_at=NOW + 3600)


async def done(
    place: Town, wanted: Wanted, by: str = "admin-one", second: str = "admin-two"
) -> Outcome:
    """Do what needs two, with two."""
    asked = await place.as_(by).change(wanted)
    return await place.as_(second).approve(asked.change.id)


async def refused(work: Awaitable[object]) -> type[Exception] | None:
    try:
        await work
    except (Forbidden, BadInput) as error:
        return type(error)
    return None


def roles_of(place: Town, name: str) -> Roles:
    account = place.standing.find(name)
    assert account is not None
    held = place.standing.now(account)
    return tuple(zip(held.roles, held.scopes, strict=True))
