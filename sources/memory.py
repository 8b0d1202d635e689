"""The reference source: rows in memory, everything claimed but Exists, run as the contract says."""

from collections.abc import Mapping, Sequence
from itertools import permutations

from contract.entity import Entity
from contract.predicate import Operator
from contract.read import Aggregate, Function, Read, Rows
from contract.source import Capabilities
from sources import rowset


class MemorySource:
    """Entities and their rows by name; a value that is not given is null."""

    def __init__(
        self,
        name: str,
        title: str,
        entities: Mapping[str, Entity],
        rows: Mapping[str, Sequence[Mapping[str, object]]],
    ) -> None:
        self.name = name
        self.title = title
        self.entities = {key: _capabilities(entity) for key, entity in entities.items()}
        self._rows = {key: _tuples(entity, rows.get(key, ())) for key, entity in entities.items()}

    async def read(self, read: Read) -> Rows:
        """Return the rows asked for."""
        rows = rowset.keep(self._rows[read.entity], read.where)
        if read.for_each is not None:
            rows = rowset.of_keys(rows, read.for_each)
        rows = rowset.limited(rowset.ordered(rows, read.order_by), read.limit, read.for_each)
        return rowset.project(rows, read.fields)

    async def aggregate(self, aggregate: Aggregate) -> Rows:
        """Return the measures asked for."""
        return rowset.aggregated(
            rowset.keep(self._rows[aggregate.entity], aggregate.where), aggregate
        )


def _tuples(entity: Entity, rows: Sequence[Mapping[str, object]]) -> Rows:
    fields = tuple(entity.fields)
    return Rows(fields, [tuple(row.get(name) for name in fields) for row in rows])


def _capabilities(entity: Entity) -> Capabilities:
    every = frozenset(operator for operator in Operator if operator is not Operator.EXISTS)
    names = frozenset(entity.fields)
    return Capabilities(
        operators=dict.fromkeys(names, every),
        negation=True,
        disjunction=True,
        order_by=names,
        limit=True,
        for_each=key_sets(entity),
        for_each_limit=True,
        functions=frozenset(Function),
        group_by=names,
    )


def key_sets(entity: Entity, able: frozenset[str] | None = None) -> frozenset[tuple[str, ...]]:
    """Return what `for_each` may ask by: each able field, each two of them, the entity's key."""
    names = [name for name in entity.fields if able is None or name in able]
    key = {entity.key} if set(entity.key) <= set(names) else set()
    return frozenset({*((name,) for name in names), *permutations(names, 2), *key})
