"""
A source whose rows have the same value in fields that it does not keep.

A department's own list of cases does not say which department it is: every row says it by being
there. What such a field is compared with is decided here, before the source is asked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, TypeAlias

from contract.predicate import (
    FALSE,
    Constant,
    Leaf,
    Operator,
    Predicate,
    Value,
    evaluate,
    rewritten,
)
from contract.read import Aggregate, Function, Measure, Read, Rows
from contract.source import Capabilities, Source
from sources import rowset

Constants: TypeAlias = Mapping[str, Value | None]

_COUNTED: Final = Measure("#rows", Function.COUNT)
_EVERY: Final = frozenset(operator for operator in Operator if operator is not Operator.EXISTS)


@dataclass(frozen=True, slots=True)
class Completed:
    """A source with the constant fields of its entities; itself a source."""

    source: Source
    constants: Mapping[str, Constants]

    @property
    def name(self) -> str:
        """Return the source's name."""
        return self.source.name

    @property
    def title(self) -> str:
        """Return the source's title."""
        return self.source.title

    @property
    def entities(self) -> Mapping[str, Capabilities]:
        """Return what the source holds, able to do everything with a constant."""
        return MappingProxyType(
            {
                entity: _widened(capabilities, self.constants.get(entity, {}))
                for entity, capabilities in self.source.entities.items()
            }
        )

    async def read(self, read: Read) -> Rows:
        """Return the rows asked for, the constants among them."""
        constants = self.constants.get(read.entity, {})
        where = decided(read.where, constants)
        if where == FALSE:
            return Rows(read.fields, ())
        asked = replace(
            read,
            fields=_kept(read.fields, constants),
            where=where,
            order_by=tuple(order for order in read.order_by if order.field not in constants),
        )
        return filled(await self.source.read(asked), read.fields, constants)

    async def aggregate(self, aggregate: Aggregate) -> Rows:
        """Return the measures asked for, also over constants and grouped by them."""
        constants = self.constants.get(aggregate.entity, {})
        where = decided(aggregate.where, constants)
        named = {*aggregate.group_by, *(measure.field for measure in aggregate.measures)}
        if not named.intersection(constants):
            return await self.source.aggregate(replace(aggregate, where=where))
        asked = replace(
            aggregate,
            where=where,
            group_by=_kept(aggregate.group_by, constants),
            measures=(
                *(part for part in aggregate.measures if part.field not in constants),
                _COUNTED,
            ),
        )
        return _assembled(await self.source.aggregate(asked), aggregate, constants)


def _widened(capabilities: Capabilities, constants: Constants) -> Capabilities:
    names = frozenset(constants)
    return replace(
        capabilities,
        operators={**capabilities.operators, **dict.fromkeys(names, _EVERY)},
        order_by=capabilities.order_by | names,
        group_by=capabilities.group_by | names,
    )


def decided(where: Predicate, constants: Constants) -> Predicate:
    """Return what is left to ask where these fields have these values."""

    def decide(part: Predicate) -> Predicate:
        if isinstance(part, Leaf) and part.field in constants:
            return Constant(evaluate(part, {part.field: constants[part.field]}))
        return part

    return rewritten(where, decide)


def _kept(fields: Sequence[str], constants: Constants) -> tuple[str, ...]:
    return tuple(field for field in fields if field not in constants)


def filled(rows: Rows, fields: tuple[str, ...], constants: Constants) -> Rows:
    """Return the rows with these fields, the constants among them."""
    missing = tuple(field for field in fields if field in constants)
    if not missing:
        return rows
    values = tuple(constants[field] for field in missing)
    whole = Rows((*rows.fields, *missing), [(*row, *values) for row in rows.rows])
    return replace(rows, fields=fields, rows=rowset.project(whole, fields).rows)


def _assembled(rows: Rows, aggregate: Aggregate, constants: Constants) -> Rows:
    """Return the groups that have rows, with their constants and what is measured of constants."""
    names = (*aggregate.group_by, *(measure.name for measure in aggregate.measures))
    answers = []
    for row in rows.rows:
        known = {**constants, **dict(zip(rows.fields, row, strict=True))}
        counted = known[_COUNTED.name]
        for measure in aggregate.measures:
            if measure.field in constants:
                known[measure.name] = _of_constant(measure, constants[str(measure.field)], counted)
        if counted or not aggregate.group_by:
            answers.append(tuple(known[name] for name in names))
    return replace(rows, fields=names, rows=answers)


def _of_constant(measure: Measure, value: Value | None, counted: object) -> object:
    """Return a measure over so many rows that all have the value."""
    there = bool(counted) and value is not None
    match measure.function:
        case Function.COUNT:
            return counted if there else 0
        case Function.COUNT_DISTINCT:
            return int(there)
        case _:
            return value if there else None
