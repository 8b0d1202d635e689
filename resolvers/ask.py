"""What the gate is asked: which rows, in which order, what of them, and by whom."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from auth.principal import Principal
from auth.reading import Reading
from contract.entity import Relationship
from contract.predicate import TRUE, Predicate, one_of
from contract.read import Order
from resolvers.record import Record
from resolvers.spending import Spending, refusing
from sources.federation import Calls


@dataclass(frozen=True, slots=True)
class Selection:
    """What of an entity's rows is wanted: fields to show, relationships to follow."""

    entity: str
    fields: frozenset[str] = frozenset()
    relationships: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Ask:
    """
    One question: which rows, in which order, and what of them.

    `beyond` of the limit's rows only tell whether there are more; they stand in no answer.
    `through`: the relationship that the rows are seen through, where they are listed by it.
    """

    selection: Selection
    where: Predicate = TRUE
    order_by: tuple[Order, ...] = ()
    limit: int | None = None
    beyond: int = 0
    through: str = ""


@dataclass(frozen=True, slots=True)
class Asker:
    """
    Who asks, and the lists that calls to sources and readings of people are noted in.

    `spending`: the account's quota of look-ups and people; nothing where nobody says.
    """

    principal: Principal
    calls: Calls = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    spending: Spending = field(default_factory=refusing)


@dataclass(frozen=True, slots=True)
class Reached:
    """
    Rows found from parents the principal sees; `parents` maps a join key to its tags.

    `tags`: every set of grants that opens one of the parents; the keys themselves are no part of
    what is compared.
    """

    parent: str
    relationship: Relationship
    parents: Mapping[tuple[object, ...], frozenset[int]] = field(compare=False)
    tags: frozenset[frozenset[int]]

    @property
    def is_alike(self) -> bool:
        """Return whether the same grants open all parents."""
        return len(self.tags) < 2

    def without_keys(self) -> "Reached":
        """Return what is true of any such parents, where the same grants open all."""
        return Reached(self.parent, self.relationship, {}, self.tags)

    def beneath(self, number: int) -> Predicate:
        """Return what is true of the rows whose parent the grant of this number opens."""
        keys = [key for key, tags in self.parents.items() if number in tags]
        if len(keys) == len(self.parents):
            return TRUE
        return one_of(self.relationship.target_fields, keys)


def reached_from(
    relationship: Relationship,
    parents: Sequence[Record],
    keys: Sequence[tuple[object, ...] | None],
) -> Reached:
    """
    Return how rows are reached from the parents.

    Shape:  parents (n), their join keys (n), None where a parent relates to nothing.
    """
    tags: dict[tuple[object, ...], frozenset[int]] = {}
    for parent, key in zip(parents, keys, strict=True):
        if key is not None:
            # Two parents with one key: only what both are seen by is safe to say of the rows.
            tags[key] = tags[key] & parent.grants if key in tags else parent.grants
    name = parents[0].entity if parents else ""
    return Reached(name, relationship, tags, frozenset(tags.values()))
