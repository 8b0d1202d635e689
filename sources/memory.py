"""The reference source: rows in memory, everything claimed but Exists, run as the contract says."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import permutations
from typing import Self, TypeAlias

from contract.entity import Entity
from contract.predicate import Comparison, In, Operator, conjuncts
from contract.read import Aggregate, Function, Read, Rows
from contract.source import Capabilities
from sources import rowset

Index: TypeAlias = Mapping[tuple[object, ...], list[tuple[object, ...]]]


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
        self.entities = {key: able_to_all(entity) for key, entity in entities.items()}
        self._rows = {key: _tuples(entity, rows.get(key, ())) for key, entity in entities.items()}
        self._indexes: dict[tuple[str, tuple[str, ...]], Index] = {}

    @classmethod
    def of(cls, name: str, title: str, entity: Entity, rows: Rows) -> Self:
        """Return a source with these rows of one entity."""
        source = cls(name, title, {entity.name: entity}, {})
        source._rows[entity.name] = rows
        return source

    async def read(self, read: Read) -> Rows:
        """Return the rows asked for."""
        rows = rowset.keep(self._candidates(read), read.where)
        rows = rowset.limited(rowset.ordered(rows, read.order_by), read.limit, read.for_each)
        return rowset.project(rows, read.fields)

    async def aggregate(self, aggregate: Aggregate) -> Rows:
        """Return the measures asked for."""
        return rowset.aggregated(
            rowset.keep(self._rows[aggregate.entity], aggregate.where), aggregate
        )

    def _candidates(self, read: Read) -> Rows:
        """Return the rows of the keys asked for, by an index; all of them without such a key."""
        fields, keys = _keys(read)
        rows = self._rows[read.entity]
        if not fields:
            return rows
        index = self._index(read.entity, fields)
        return Rows(rows.fields, [row for key in keys for row in index.get(key, ())])

    def _index(self, entity: str, fields: tuple[str, ...]) -> Index:
        index = self._indexes.get((entity, fields))
        if index is None:
            rows = self._rows[entity]
            index = self._indexes[entity, fields] = rowset.indexed(rows, fields)
        return index


def _keys(read: Read) -> tuple[tuple[str, ...], Iterable[tuple[object, ...]]]:
    """Return what a read asks by: its `for_each`, or an equality that every row must pass."""
    if read.for_each is not None:
        return read.for_each.fields, dict.fromkeys(read.for_each.keys)
    for part in conjuncts(read.where):
        if isinstance(part, In):
            return (part.field,), [(operand,) for operand in dict.fromkeys(part.operands)]
        if isinstance(part, Comparison) and part.operator is Operator.EQ:
            return (part.field,), [(part.operand,)]
    return (), ()


def _tuples(entity: Entity, rows: Sequence[Mapping[str, object]]) -> Rows:
    fields = tuple(entity.fields)
    return Rows(fields, [tuple(row.get(name) for name in fields) for row in rows])


def able_to_all(entity: Entity) -> Capabilities:
    """Return what can be done with the rows of an entity where they are at hand."""
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
