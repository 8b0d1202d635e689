"""
What an administrator of accounts may reach: accounts of the own division, and roles to give there.

An account is within reach when every role it has is one that the administrator gives, held within
the administrator's division. What is not within reach is not known to exist.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from auth.claims import MAXIMUM_ROLES
from auth.policy import LEVELS, Policy
from auth.principal import Principal, is_division
from store.account_changes import AccountChange
from store.accounts import Account, Roles

Place: TypeAlias = Callable[[str], str | None]
"""Returns the code by which a division is known now; None where there is none."""

NAME: Final = re.compile(r"[a-z][a-z0-9._-]{2,63}")


@dataclass(frozen=True, slots=True)
class Authority:
    """One administrator: which roles may be given in which divisions."""

    account: str
    administers: tuple[tuple[str, frozenset[str]], ...]
    policy: Policy
    place: Place

    @classmethod
    def of(cls, policy: Policy, principal: Principal, place: Place) -> "Authority":
        """Return what the principal administers, nothing where the policy says nothing."""
        scopes = tuple(place(scope) or scope for scope in principal.scopes)
        said = principal.department, principal.purpose
        now = Principal(principal.account, principal.roles, scopes, *said)
        return cls(principal.account, policy.administers(now), policy, place)

    @property
    def is_some(self) -> bool:
        """Return whether it is an administrator at all."""
        return bool(self.administers)

    def reaches(self, account: Account) -> bool:
        """Return whether the account is one that it administers; the own one never is."""
        return account.name != self.account and self.may_give(account.roles)

    def may_give(self, roles: Roles) -> bool:
        """Return whether these are roles, and only such, as it gives within its divisions."""
        return bool(roles) and all(self._gives(role, scope) for role, scope in roles)

    def knows(self, change: AccountChange) -> bool:
        """Return whether a change is of its own divisions; it may be of nobody else's."""
        return self.may_give(change.roles)

    def is_held(self, roles: Roles) -> bool:
        """Return whether each role may be held where it is: a place there is, of a fit level."""
        known = self.policy.roles
        return 0 < len(roles) <= MAXIMUM_ROLES and all(
            role in known
            and is_division(scope)
            and self.place(scope) == scope
            and LEVELS[len(scope)] in known[role].levels
            for role, scope in roles
        )

    def _gives(self, role: str, scope: str) -> bool:
        where = self.place(scope) or scope
        return any(role in gives and where.startswith(own) for own, gives in self.administers)


def is_narrower(after: Roles, before: Roles) -> bool:
    """Return whether nothing opens: each role was held before, there or in a wider division."""
    return all(
        any(role == held and scope.startswith(wide) for held, wide in before)
        for role, scope in after
    )
