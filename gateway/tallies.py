"""
Counts on the live systems how many rows two policies open, township by township.

Only what opens otherwise is counted, through the gate, by roles as their holders would ask.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from auth.difference import Change
from auth.policy import LEVELS, Grant, Policy
from auth.principal import Principal
from contract.errors import Failure
from gateway.graph import OpenGraph
from resolvers.ask import Ask, Asker, Selection
from resolvers.gate import Gate
from sources.divisions import DivisionTree

LARGEST: Final = 60  # townships of one division; the largest county has fewer
_DIGITS: Final[Mapping[str, int]] = {level: digits for digits, level in LEVELS.items()}


@dataclass(frozen=True, slots=True)
class Tally:
    """How many rows of an entity a role sees in a scope; None where that could not be counted."""

    role: str
    scope: str
    department: str
    entity: str
    before: int | None
    after: int | None


@dataclass(frozen=True, slots=True)
class Counting:
    """Two policies over the same open systems."""

    graph: OpenGraph
    before: Policy
    after: Policy

    async def tallies(self, changes: Iterable[Change], division: str) -> tuple[Tally, ...]:
        """
        Return what the roles of the changes see under either policy, in each township's scope.

        A role of a wider level is counted in the division of its level around the townships. Where
        there is no row before and after, nothing is said.
        Reads:  each entity twice for each scope.
        Raises: ValueError for a division with no township, or with too many.
        """
        tree = self.graph.systems.tree
        townships = townships_of(tree, division)
        asked = (
            (holder, change.entity)
            for change in changes
            if change.what == "rows"
            for holder in self._holders(change, tree, townships)
        )
        found = [await self._tally(*each) for each in asked]
        return tuple(tally for tally in found if (tally.before, tally.after) != (0, 0))

    def _holders(
        self, change: Change, tree: DivisionTree, townships: tuple[str, ...]
    ) -> Iterator[Principal]:
        for level in change.levels:
            scopes = (_scope(tree, township, level) for township in townships)
            for scope in dict.fromkeys(filter(None, scopes)):
                holder = Principal("", (change.role,), (scope,))
                yield from self._by_department(holder, change.entity)

    def _by_department(self, holder: Principal, entity: str) -> Iterator[Principal]:
        """Yield the holder, once for each department where departments see different rows."""
        names = sorted({each.department for each in self.graph.assembly.departments})
        holders = [Principal("", holder.roles, holder.scopes, name) for name in names]
        if all(self._grants(each, entity) == self._grants(holder, entity) for each in holders):
            holders = [holder]
        yield from holders

    def _grants(self, holder: Principal, entity: str) -> tuple[tuple[Grant, ...], ...]:
        return self.before.grants(holder, entity), self.after.grants(holder, entity)

    async def _tally(self, holder: Principal, entity: str) -> Tally:
        federation = self.graph.assembly.federation
        gates = (Gate(policy, federation) for policy in (self.before, self.after))
        counts = await asyncio.gather(*(_count(gate, holder, entity) for gate in gates))
        return Tally(holder.roles[0], holder.scopes[0], holder.department, entity, *counts)


def townships_of(tree: DivisionTree, division: str) -> tuple[str, ...]:
    """
    Return the townships of a division, or the township that it is.

    Raises: ValueError where there is none, or too many.
    """
    codes = sorted(each.code for each in tree if each.level == "township")
    found = tuple(code for code in codes if code.startswith(division))
    if not 0 < len(found) <= LARGEST:
        raise ValueError(f"{division} has {len(found)} townships; name a county or a township")
    return found


def _scope(tree: DivisionTree, township: str, level: str) -> str:
    """Return the division of the level around the township, or the first beneath it."""
    if level != "village":
        return township[: _DIGITS[level]]
    return next((village.code for village in tree.children(township)), "")


async def _count(gate: Gate, holder: Principal, entity: str) -> int | None:
    try:
        return await gate.count(Asker(holder), Ask(Selection(entity)))
    except Failure:
        return None
