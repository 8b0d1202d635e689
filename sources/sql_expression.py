# ruff: noqa: S608 -- names are declared, values are bound
"""Columns as SQL compares, sorts and checks them with our meaning. Knows no values."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from contract.entity import Kind
from contract.predicate import Operator
from sources.declaration import Column, MappedEntity, Storage
from sources.sql_dialect import Dialect
from sources.sql_native import (
    GROUP,
    Always,
    Form,
    Joined,
    Negated,
    Related,
    Scoped,
    Shape,
    Test,
    limits,
    merged,
)

_RANGES: Final = frozenset({Operator.LT, Operator.LTE, Operator.GT, Operator.GTE})
_FORMS: Final = {"20010201": "yyyymmdd", "200102": "yyyymm", "2001-02-01": "iso"}
_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_LAST: Final = datetime.max.replace(tzinfo=UTC)
_INTEGERS: Final = {"yyyymmdd": (10101, 99991231, 8), "yyyymm": (101, 999912, 6)}


@dataclass(frozen=True, slots=True)
class Expressions:
    """What stands for a column in a statement."""

    dialect: Dialect

    def raw(self, column: Column, alias: str) -> str:
        """Return the column itself."""
        return f"{alias}.{self.dialect.quoted(column.native)}"

    def equatable(self, column: Column, raw: str) -> str:
        """Return what equals a native value exactly where the values are equal."""
        value = _trimmed(column, raw)
        return self.dialect.equatable(value) if column.codec.storage == "text" else value

    def ranged(self, column: Column, raw: str) -> str:
        """Return what compares in our order."""
        if is_numeral(column):
            return self.dialect.by_code_point(self.dialect.written(raw))
        value = _trimmed(column, raw)
        return self.dialect.by_code_point(value) if column.codec.storage == "text" else value

    def known(self, column: Column, raw: str, expression: str) -> str:
        """Return the expression, null where the native value stands for null or is INVALID."""
        guard = self.guard(column, raw)
        return f"CASE WHEN {guard} THEN {expression} END" if guard else expression

    def guard(self, column: Column, raw: str) -> str:
        """Return whether a native value that is not NULL is one of ours; empty where all are."""
        nulls = ", ".join(map(_literal, column.codec.nulls))
        checks = [f"{self.equatable(column, raw)} NOT IN ({nulls})"] if nulls else []
        if self._checked(column):
            checks.append(_valid(self.dialect, column, _trimmed(column, raw)))
        return " AND ".join(checks)

    def sized(self, column: Column, raw: str) -> list[str]:
        """Return what a division's text has to be beside beginning right: of the right length."""
        nulls = ", ".join(map(_literal, column.codec.nulls))
        blank = [f"{self.equatable(column, raw)} NOT IN ({nulls})"] if nulls else []
        return [*blank, *_sized(column, _trimmed(column, raw))]

    def missing(self, column: Column, raw: str) -> str:
        """Return whether the value is null."""
        guard = self.guard(column, raw)
        return f"({guard}) IS NOT TRUE" if guard else f"{raw} IS NULL"

    def is_text(self, column: Column) -> bool:
        """Return whether what compares in our order is a text."""
        return column.codec.storage == "text" or is_numeral(column)

    def operators(self, column: Column) -> frozenset[Operator]:
        """Return what may be asked of the column with our meaning."""
        codec = column.codec
        if codec.storage in self.dialect.unreadable or not self._checkable(column):
            return frozenset()
        claimed = {Operator.IS_NULL}
        if codec.exact:
            claimed |= {Operator.EQ, Operator.IN}
        if self.sorts(column):
            claimed |= _RANGES
        if codec.textual:
            claimed |= {Operator.STARTS_WITH, Operator.CONTAINS}
        if codec.places is not None:
            claimed.add(Operator.WITHIN)
        return frozenset(claimed)

    def sorts(self, column: Column) -> bool:
        """Return whether the column sorts in our order."""
        able = column.codec.storage not in self.dialect.unreadable and self._checkable(column)
        return able and (column.codec.ordered or is_numeral(column))

    def _checked(self, column: Column) -> bool:
        loose = column.codec.storage == "date" and self.dialect.marker(1, "date") == "?"
        return loose or not column.codec.total

    def _checkable(self, column: Column) -> bool:
        return not self._checked(column) or bool(_valid(self.dialect, column, ""))


class Conditions:
    """Writes one statement's conditions; parameters are numbered as they appear."""

    def __init__(self, expressions: Expressions, entities: Mapping[str, MappedEntity]) -> None:
        self.expressions = expressions
        self.dialect = expressions.dialect
        self._entities = entities
        self._parameters = 0
        self._aliases = 0

    def marker(self, storage: Storage | None = None) -> str:
        """Return the place of the next parameter."""
        self._parameters += 1
        return self.dialect.marker(self._parameters, storage)

    def markers(self, column: Column, count: int) -> list[str]:
        """Return the places of so many native values of the column."""
        return [self.marker(column.codec.storage) for _ in range(count)]

    def alias(self) -> str:
        """Return a name for one more table of the statement."""
        self._aliases += 1
        return f"t{self._aliases}"

    def condition(
        self, shape: Shape, entity: MappedEntity, alias: str, *, exact: bool = False
    ) -> str:
        """
        Return the condition; `exact`: unknown is NULL as beneath a NOT, else it may be false.

        Where unknown may be false an equality stands bare, so that an index can serve it.
        """
        match shape:
            case Always(truth):
                return {True: "1 = 1", False: "1 = 0", None: "1 = NULL"}[truth]
            case Negated(part):
                return f"NOT ({self.condition(part, entity, alias, exact=True)})"
            case Joined(word, parts):
                inner = (self.condition(part, entity, alias, exact=exact) for part in parts)
                return f"({f' {word} '.join(inner)})"
            case Related():
                return self._related(shape, entity, alias)
            case Scoped(field, part):
                return self._scoped(part, entity.columns[field], alias, exact=exact)
            case Test():
                return self._test(shape, entity.columns[shape.field], alias, exact=exact)

    def _related(self, shape: Related, entity: MappedEntity, alias: str) -> str:
        relationship = entity.entity.relationships[shape.relationship]
        target, there = self._entities[relationship.target], self.alias()
        joins = [
            self._column(target, other, there) + " = " + self._column(entity, own, alias)
            for own, other in relationship.on
        ]
        inner = self.condition(shape.part, target, there)
        table = f"{self.dialect.quoted(target.native)} {there}"
        return f"EXISTS (SELECT 1 FROM {table} WHERE {' AND '.join((*joins, inner))})"

    def _column(self, entity: MappedEntity, field: str, alias: str) -> str:
        column = entity.columns[field]
        return self.expressions.equatable(column, self.expressions.raw(column, alias))

    def _test(self, test: Test, column: Column, alias: str, *, exact: bool) -> str:
        raw = self.expressions.raw(column, alias)
        if test.form is Form.NULL:
            return self.expressions.missing(column, raw)
        condition = self._bare(test, column, raw)
        guard = self.expressions.guard(column, raw)
        if not guard or (test.form is Form.ONE_OF and not exact):
            return condition
        if exact:
            return f"CASE WHEN {guard} THEN {condition} END"
        return f"({condition} AND {guard})"

    def _scoped(self, part: Shape, column: Column, alias: str, *, exact: bool) -> str:
        """Write a scope; outside a NOT its own texts say all, but for their length."""
        raw = self.expressions.raw(column, alias)
        condition = self._unguarded(part, column, raw)
        if exact:
            guard = self.expressions.guard(column, raw)
            return f"CASE WHEN {guard} THEN {condition} END" if guard else condition
        sized = self.expressions.sized(column, raw)
        return f"({' AND '.join((condition, *sized))})"

    def _unguarded(self, part: Shape, column: Column, raw: str) -> str:
        match part:
            case Joined(word, parts):
                texts = [self._unguarded(each, column, raw) for each in parts]
                return f"({f' {word} '.join(texts)})"
            case Negated(each):
                return f"NOT ({self._unguarded(each, column, raw)})"
            case Test():
                return self._bare(part, column, raw)
            case _:
                raise TypeError("a scope is made of texts alone")

    def _bare(self, test: Test, column: Column, raw: str) -> str:
        match test.form:
            case Form.AMONG:
                bounds = self.markers(column, 2 * _limits(test.operands))
                return _among(self.expressions.ranged(column, raw), bounds, test.operands)
            case Form.ONE_OF:
                markers = ", ".join(self.markers(column, test.operands))
                return f"{self.expressions.equatable(column, raw)} IN ({markers})"
            case Form.NO_KNOWN:
                known = ", ".join(map(_literal, column.codec.known))
                value = self.expressions.equatable(column, raw)
                return f"{value} NOT IN ({known})" if known else f"{raw} = {raw}"
            case Form.NEVER:
                return f"{raw} <> {raw}"
            case Form.CONTAINS:
                return self.dialect.contains(_trimmed(column, raw), self.marker("text"))
            case _:
                storage = "text" if is_numeral(column) else column.codec.storage
                value = self.expressions.ranged(column, raw)
                return f"{value} {test.form} {self.marker(storage)}"


def is_numeral(column: Column) -> bool:
    """Return whether the system keeps as a number what is a text for us."""
    return column.field.kind is Kind.STRING and column.codec.storage == "integer"


def _trimmed(column: Column, raw: str) -> str:
    return f"RTRIM({raw})" if column.codec.blanks else raw


def _literal(native: object) -> str:
    if isinstance(native, str):
        return "'" + native.replace("'", "''") + "'"
    return str(int(str(native)))


def _valid(dialect: Dialect, column: Column, raw: str) -> str:
    """Return whether a native value can be decoded; empty where SQL cannot say."""
    check = _CHECKS.get(column.field.kind)
    return check(dialect, column, raw) if check else ""


def _valid_date(dialect: Dialect, column: Column, raw: str) -> str:
    written = column.codec.bound(date(2001, 2, 1))
    form = _FORMS.get(str(written), "")
    if not isinstance(written, int):
        return dialect.is_date(raw, form) if form else ""
    low, high, width = _INTEGERS[form]
    check = dialect.is_date(dialect.written(raw, width), form)
    return f"{raw} BETWEEN {low} AND {high} AND {check}"


def _valid_time(dialect: Dialect, column: Column, raw: str) -> str:
    if not column.codec.ordered:
        return ""
    text = column.codec.storage == "text"
    value = dialect.by_code_point(raw) if text else raw
    ends = ((">=", _FIRST), ("<=", _LAST))
    limits = [f"{value} {sign} {_literal(column.codec.bound(when))}" for sign, when in ends]
    return " AND ".join([*([dialect.is_date(raw, "plain")] if text else []), *limits])


def _valid_truth(dialect: Dialect, column: Column, raw: str) -> str:
    natives = (*column.codec.encode(True), *column.codec.encode(False))  # noqa: FBT003 -- values
    return f"{raw} IN ({', '.join(map(_literal, natives))})"


def _valid_number(dialect: Dialect, column: Column, raw: str) -> str:
    storage = column.codec.storage
    return "" if storage == "text" else dialect.is_amount(raw, storage)


def _valid_integer(dialect: Dialect, column: Column, raw: str) -> str:
    number = _valid_number(dialect, column, raw)
    return f"{number} AND {raw} = FLOOR({raw})" if number else ""


def _valid_division(dialect: Dialect, column: Column, raw: str) -> str:
    places = column.codec.places
    checks = _sized(column, raw)
    if places is None or places.readable is None:
        return " AND ".join(checks)
    span, value = places.readable(), dialect.by_code_point(raw)
    plain = merged(branch.prefix for branch in span.branches if not branch.without)
    parts = [_ranges(value, plain)] if plain else []
    for branch in span.branches:
        if branch.without:
            holes = _ranges(value, merged(branch.without))
            parts.append(f"({_ranges(value, merged((branch.prefix,)))} AND NOT {holes})")
    if span.among:
        parts.append(_listed(dialect, raw, span.among))
    listed = f"({' OR '.join(parts)})"
    but = [f"NOT {_listed(dialect, raw, span.but)}"] if span.but else []
    return " AND ".join((*checks, listed, *but))


def _sized(column: Column, raw: str) -> list[str]:
    """Return the check of the length: in characters with every engine, whatever they are."""
    places = column.codec.places
    return [f"{raw} LIKE '{'_' * places.digits}'"] if places and places.digits else []


def _listed(dialect: Dialect, raw: str, natives: Iterable[str]) -> str:
    return f"{dialect.equatable(raw)} IN ({', '.join(map(_literal, natives))})"


def _ranges(value: str, ranges: tuple[tuple[str, str], ...]) -> str:
    if not ranges[-1][1]:
        return f"{value} >= {_literal(ranges[0][0])}"
    return _among(value, list(map(_literal, limits(ranges))), len(ranges))


def _limits(ranges: int) -> int:
    """Return how many pairs of limits so many ranges have, those of their groups included."""
    return ranges + (-(-ranges // GROUP) if ranges > GROUP else 0)


def _among(value: str, bounds: list[str], ranges: int) -> str:
    pairs = [
        f"{value} >= {low} AND {value} < {high}"
        for low, high in zip(bounds[::2], bounds[1::2], strict=True)
    ]
    if ranges <= GROUP:
        return f"({' OR '.join(pairs)})"
    groups = [pairs[start : start + GROUP + 1] for start in range(0, len(pairs), GROUP + 1)]
    inner = [f"({first} AND ({' OR '.join(rest)}))" for first, *rest in groups]
    return f"({' OR '.join(inner)})"


_CHECKS: Final[Mapping[Kind, Callable[[Dialect, Column, str], str]]] = {
    Kind.DATE: _valid_date,
    Kind.DATETIME: _valid_time,
    Kind.BOOLEAN: _valid_truth,
    Kind.DECIMAL: _valid_number,
    Kind.INTEGER: _valid_integer,
    Kind.DIVISION: _valid_division,
}
