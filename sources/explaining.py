"""
What a plan was, for those who ask for it: what each system was asked, and which side moved and why.

Collected only where somebody asked; predicates are kept as they were and put into words at the end.
"""

from dataclasses import dataclass
from enum import StrEnum

from contract.predicate import TRUE, Predicate
from contract.read import ForEach, Order


class Direction(StrEnum):
    """Which side of a question across systems is read first."""

    DRIVING = "driving"  # the related rows are listed, and their keys ask for these
    FOLLOWING = "following"  # rows found ask for what they are related to; the keys were too many
    BY_KEY = "by_key"  # the same, since the related side cannot be listed, or runs it itself
    WALKING = "walking"  # related rows are listed page by page, and their keys ask for these


@dataclass(frozen=True, slots=True)
class Decision:
    """
    How rows of an entity were found by rows they are related to.

    `keys`: how many of these there are, as far as known; `rows`: how many rows there are on the
    entity's own side, where both were compared.
    """

    entity: str
    relationship: str
    target: str
    direction: Direction
    keys: int | None = None
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What one call was asked, what was left to be run here, and how long it took."""

    pushed: Predicate
    residual: Predicate = TRUE
    order_by: tuple[Order, ...] = ()
    limit: int | None = None
    for_each: ForEach | None = None
    milliseconds: float = 0.0
    aggregated: bool = False
