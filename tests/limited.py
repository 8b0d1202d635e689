"""Sources that claim less than they can, or do not answer."""

from collections.abc import Mapping
from dataclasses import replace
from random import Random

from contract.errors import SourceUnavailable
from contract.predicate import TRUE, Operator
from contract.read import Aggregate, Read, Rows
from contract.source import Capabilities, Source, pushes


class LimitedSource:
    """A source with some of its capabilities taken away, by chance of the seed."""

    def __init__(self, source: Source, seed: int) -> None:
        chance = Random(seed)
        self._source = source
        self.name = source.name
        self.title = source.title
        self.entities: Mapping[str, Capabilities] = {
            entity: _fewer(capabilities, chance) for entity, capabilities in source.entities.items()
        }

    async def read(self, read: Read) -> Rows:
        able = self.entities[read.entity]
        assert pushes(able, read.where)
        assert all(order.field in able.order_by for order in read.order_by)
        if read.for_each is None:
            assert read.limit is None or able.limit
        else:
            assert read.limit is None or able.for_each_limit
            assert len(read.for_each.keys) <= able.batch
        if not able.trusted:
            # It says that it filters, and does not.
            read = Read(read.entity, read.fields, TRUE, read.order_by, None, read.for_each)
        return await self._source.read(read)

    async def aggregate(self, aggregate: Aggregate) -> Rows:
        able = self.entities[aggregate.entity]
        assert pushes(able, aggregate.where)
        assert {measure.function for measure in aggregate.measures} <= able.functions
        if not able.trusted:
            aggregate = replace(aggregate, where=TRUE)
        return await self._source.aggregate(aggregate)


class DownSource:
    """A source that does not answer any more."""

    def __init__(self, source: Source) -> None:
        self.name = source.name
        self.title = source.title
        self.entities = source.entities

    async def read(self, read: Read) -> Rows:
        raise SourceUnavailable(self.name, self.title, read.entity)

    async def aggregate(self, aggregate: Aggregate) -> Rows:
        raise SourceUnavailable(self.name, self.title, aggregate.entity)


def _fewer(able: Capabilities, chance: Random) -> Capabilities:
    operators = {
        field: frozenset(name for name in sorted(operators) if chance.random() < 0.7)
        for field, operators in able.operators.items()
        if chance.random() < 0.8
    }
    compared = frozenset({Operator.EQ, Operator.IN})
    return Capabilities(
        operators={field: names | compared for field, names in operators.items()},
        negation=chance.random() < 0.5,
        disjunction=chance.random() < 0.5,
        order_by=frozenset(name for name in sorted(able.order_by) if chance.random() < 0.6),
        limit=chance.random() < 0.6,
        for_each=able.for_each,
        for_each_limit=chance.random() < 0.5,
        batch=chance.choice((1, 3, 1000)),
        functions=able.functions if chance.random() < 0.5 else frozenset(),
        group_by=able.group_by,
        trusted=chance.random() < 0.7,
    )
