"""
Whether every system can be asked for the rows of a scope alone.

A system that cannot would send rows out of scope to be dropped here; how many there are would then
decide how much is fetched, and so whether a question is refused as too wide.
"""

from collections.abc import Iterator

from auth.policy import Policy
from contract.source import pushes
from sources.federation import Federation


def unasked_scopes(policy: Policy, federation: Federation) -> Iterator[tuple[str, str, str]]:
    """Yield each role and entity, and a system of that entity that does not run its row rule."""
    for role, entity, rows in policy.own_rules():
        for holding in federation.holders(entity):
            if not pushes(holding.capabilities, rows):
                yield role, entity, holding.source.name
