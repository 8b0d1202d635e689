# ruff: noqa: S608 -- names are declared, values are bound
"""Statements, written once per shape of a question and kept. Knows no values and no connection."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from contract.read import Function, Order
from sources.declaration import Column, MappedEntity
from sources.sql_dialect import Dialect
from sources.sql_expression import Conditions, Expressions
from sources.sql_native import Shape


@dataclass(frozen=True, slots=True)
class Question:
    """
    The shape of a read: all of it but its operands.

    Parameters come in this order: keys, those of `where`, the limit per key, the limit.
    """

    entity: str
    fields: tuple[str, ...]
    where: Shape
    order_by: tuple[Order, ...] = ()
    key_fields: tuple[str, ...] = ()
    keys: int = 0
    limited: bool = False  # so many rows per key


@dataclass(frozen=True, slots=True)
class Tally:
    """The shape of an aggregate: groups and measures over native columns."""

    entity: str
    group_by: tuple[str, ...]
    measures: tuple[tuple[Function, str | None], ...]
    where: Shape


class Statements:
    """The texts of one source's statements, the least used of them forgotten."""

    def __init__(
        self, dialect: Dialect, entities: Mapping[str, MappedEntity], size: int = 1000
    ) -> None:
        self._expressions = Expressions(dialect)
        self._entities = entities
        self._texts: OrderedDict[Question | Tally, str] = OrderedDict()
        self._size = size

    def text(self, shape: Question | Tally) -> str:
        """Return the statement for the shape."""
        text = self._texts.get(shape)
        if text is None:
            text = self._written(shape)
            self._texts[shape] = text
            if len(self._texts) > self._size:
                self._texts.popitem(last=False)
        else:
            self._texts.move_to_end(shape)
        return text

    def _written(self, shape: Question | Tally) -> str:
        conditions = Conditions(self._expressions, self._entities)
        entity = self._entities[shape.entity]
        if isinstance(shape, Tally):
            return _Grouped(shape, entity, conditions).text()
        select = _Select(shape, entity, conditions)
        if not shape.limited:
            return select.plain()
        return select.lateral() if conditions.dialect.lateral else select.windowed()


class _Writing:
    """What both kinds of statement write."""

    def __init__(self, entity: MappedEntity, conditions: Conditions) -> None:
        self.entity = entity
        self.conditions = conditions
        self.expressions = conditions.expressions
        self.dialect = conditions.dialect
        self.alias = conditions.alias()
        self.table = f"{self.dialect.quoted(entity.native)} {self.alias}"

    def column(self, field: str) -> tuple[Column, str]:
        """Return the column and its name in the statement."""
        column = self.entity.columns[field]
        return column, self.expressions.raw(column, self.alias)


class _Select(_Writing):
    """Rows; `plain`, or so many per key by one of two ways."""

    def __init__(self, question: Question, entity: MappedEntity, conditions: Conditions) -> None:
        super().__init__(entity, conditions)
        self.question = question

    def plain(self) -> str:
        """Write a statement over one table."""
        columns = ", ".join(self.column(field)[1] for field in self.question.fields) or "1"
        order = self._order(self._sorted)
        where = self._where([self._of_keys()] if self.question.key_fields else [])
        return f"SELECT {columns} FROM {self.table}{where}{order}{self._limit()}"

    def lateral(self) -> str:
        """Write a statement that asks the table once per key: each key's first rows by index."""
        markers = self._key_markers()
        names = [f"k{place}" for place in range(len(self.question.key_fields))]
        keys = f"(VALUES {', '.join(markers)}) v({', '.join(names)})"
        keys = f"(SELECT DISTINCT * FROM {keys}) k"
        equal = [
            f"{self.expressions.equatable(*self.column(field))} = k.{name}"
            for field, name in zip(self.question.key_fields, names, strict=True)
        ]
        where, order = self._where(equal), self._order(self._sorted)
        inner = f"SELECT {self._named()} FROM {self.table}{where}{order}{self._limit()}"
        return f"SELECT {self._outer()} FROM {keys} CROSS JOIN LATERAL ({inner}) r{self._end()}"

    def windowed(self) -> str:
        """Write a statement that numbers the rows of each key."""
        keys = [self.expressions.equatable(*self.column(name)) for name in self.question.key_fields]
        number = f"PARTITION BY {', '.join(keys)}{self._order(self._sorted)}"
        columns = f"{self._named()}, ROW_NUMBER() OVER ({number}) AS n"
        inner = f"SELECT {columns} FROM {self.table}{self._where([self._of_keys()])}"
        wanted = f"WHERE r.n <= {self.conditions.marker('integer')}"
        return f"SELECT {self._outer()} FROM ({inner}) r {wanted}{self._end()}"

    def _where(self, conditions: list[str]) -> str:
        parts = [
            *conditions,
            self.conditions.condition(self.question.where, self.entity, self.alias),
        ]
        return f" WHERE {' AND '.join(parts)}"

    def _key_markers(self) -> list[str]:
        columns = [self.entity.columns[field] for field in self.question.key_fields]
        return [
            f"({', '.join(self.conditions.marker(column.codec.storage) for column in columns)})"
            for _ in range(self.question.keys)
        ]

    def _of_keys(self) -> str:
        columns = [self.column(field) for field in self.question.key_fields]
        names = [self.expressions.equatable(*column) for column in columns]
        if len(names) > 1:
            return self.dialect.tuple_of(names, self._key_markers())
        markers = self.conditions.markers(columns[0][0], self.question.keys)
        return f"{names[0]} IN ({', '.join(markers)})"

    def _named(self) -> str:
        columns = [self.column(field)[1] for field in self.question.fields]
        sorted_by = [self._sorted(order) for order in self.question.order_by]
        return ", ".join(
            [f"{column} AS c{place}" for place, column in enumerate(columns)]
            + [f"{term} AS s{place}" for place, term in enumerate(sorted_by)]
        )

    def _outer(self) -> str:
        return ", ".join(f"r.c{place}" for place in range(len(self.question.fields)))

    def _end(self) -> str:
        """Sort once more, since neither way keeps the inner order, and bound the whole."""
        places = {order: place for place, order in enumerate(self.question.order_by)}
        return self._order(lambda order: self._again(order, places[order])) + self._limit()

    def _again(self, order: Order, place: int) -> str:
        column = self.entity.columns[order.field]
        text = self.expressions.is_text(column)
        return self.dialect.by_code_point(f"r.s{place}") if text else f"r.s{place}"

    def _sorted(self, order: Order) -> str:
        column, raw = self.column(order.field)
        return self.expressions.known(column, raw, self.expressions.ranged(column, raw))

    def _order(self, expression: Callable[[Order], str]) -> str:
        terms = [self._term(order, expression(order)) for order in self.question.order_by]
        return f" ORDER BY {', '.join(terms)}" if terms else ""

    def _term(self, order: Order, expression: str) -> str:
        column, raw = self.column(order.field)
        some = column.field.nullable or bool(self.expressions.guard(column, raw))
        nulls = ("FIRST" if order.nulls_first else "LAST") if some else ""
        return self.dialect.sorted(expression, descending=order.descending, nulls=nulls)

    def _limit(self) -> str:
        return f" LIMIT {self.conditions.marker('integer')}"


class _Grouped(_Writing):
    """Measures by group, over native columns."""

    def __init__(self, tally: Tally, entity: MappedEntity, conditions: Conditions) -> None:
        super().__init__(entity, conditions)
        self.tally = tally

    def text(self) -> str:
        """Write the statement."""
        groups = [self._group(field) for field in self.tally.group_by]
        measures = [self._measure(*measure) for measure in self.tally.measures]
        where = self.conditions.condition(self.tally.where, self.entity, self.alias)
        by = f" GROUP BY {', '.join(groups)}" if groups else ""
        limit = f" LIMIT {self.conditions.marker('integer')}"
        columns = ", ".join((*groups, *measures))
        return f"SELECT {columns} FROM {self.table} WHERE {where}{by}{limit}"

    def _group(self, field: str) -> str:
        column, raw = self.column(field)
        return self.dialect.equatable(raw) if column.codec.storage == "text" else raw

    def _measure(self, function: Function, field: str | None) -> str:
        if field is None:
            return "COUNT(*)"
        column, raw = self.column(field)
        distinct = function is Function.COUNT_DISTINCT
        value = self.expressions.ranged(column, raw) if function in _EXTREMES else raw
        value = self.expressions.equatable(column, raw) if distinct else value
        return _SQL[function].format(self.expressions.known(column, raw, value))


_EXTREMES: Final = frozenset({Function.MIN, Function.MAX})
_SQL: Final = {
    Function.COUNT: "COUNT({})",
    Function.COUNT_DISTINCT: "COUNT(DISTINCT {})",
    Function.SUM: "SUM({})",
    Function.MIN: "MIN({})",
    Function.MAX: "MAX({})",
}
