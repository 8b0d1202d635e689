"""
Aggregates of a database: computed there where its groups and sums are ours, else from a histogram.

The database groups by native values; groups whose keys decode to the same are merged here. Where a
measure cannot be merged or computed there, the database counts rows by native values of the
measured fields too, and the measure is computed from these counts.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, TypeAlias

from contract.entity import Kind
from contract.predicate import INVALID
from contract.read import Aggregate, Function, Measure, Rows
from sources.declaration import Column, MappedEntity
from sources.merging import Row, grouped
from sources.sql_dialect import Dialect
from sources.sql_expression import is_numeral
from sources.sql_native import Shape
from sources.sql_rows import NativeColumn, decoded, reader, spelled_once
from sources.sql_statement import Tally

Weighed: TypeAlias = tuple[object, int]
_CHECKED: Final = frozenset({Kind.BOOLEAN, Kind.DIVISION})
_COUNTS: Final = frozenset({Function.COUNT, Function.COUNT_DISTINCT})
_HISTOGRAM: Final = ((Function.COUNT, None),)


@dataclass(frozen=True, slots=True)
class Tallying:
    """One aggregate over one entity: what the database is asked and what becomes of the answer."""

    aggregate: Aggregate
    entity: MappedEntity
    dialect: Dialect

    def tally(self, where: Shape) -> Tally:
        """Return the shape of what the database is asked."""
        by, measures = self.aggregate.group_by, self.aggregate.measures
        if self._direct:
            asked = tuple((measure.function, measure.field) for measure in measures)
            return Tally(self.aggregate.entity, by, asked, where)
        return Tally(self.aggregate.entity, (*by, *self._measured), _HISTOGRAM, where)

    def rows(self, natives: Sequence[NativeColumn]) -> Rows:
        """Return the answer from the database's groups, which are given by columns."""
        measures = self.aggregate.measures
        names = (*self.aggregate.group_by, *(measure.name for measure in measures))
        return Rows(names, self._merged(natives) if self._direct else self._counted(natives))

    @property
    def _measured(self) -> tuple[str, ...]:
        fields = (measure.field for measure in self.aggregate.measures)
        return tuple(dict.fromkeys(field for field in fields if field))

    @property
    def _direct(self) -> bool:
        merges = not all(map(spelled_once, self._columns(self.aggregate.group_by)))
        return all(self._computes(part, merges=merges) for part in self.aggregate.measures)

    def _computes(self, measure: Measure, *, merges: bool) -> bool:
        """Return whether the database computes the measure as we do."""
        if measure.field is None:
            return True
        column = self.entity.columns[measure.field]
        match measure.function:
            case Function.COUNT:
                return not self._opaque(column)
            case Function.COUNT_DISTINCT:
                return spelled_once(column) and not merges
            case Function.SUM:
                return self._sums(column)
            case _:
                return column.codec.ordered and not self._opaque(column)

    def _opaque(self, column: Column) -> bool:
        """Return whether the database cannot tell which native values are values of ours."""
        codec = column.codec
        ordered = codec.ordered and codec.storage not in self.dialect.unreadable
        return not (codec.total or ordered or column.field.kind in _CHECKED)

    def _sums(self, column: Column) -> bool:
        number = column.field.kind in (Kind.INTEGER, Kind.DECIMAL) and not is_numeral(column)
        exact = column.codec.storage == "integer" or self.dialect.exact_decimals
        return number and exact and column.codec.storage in ("integer", "decimal")

    def _columns(self, fields: Iterable[str]) -> list[Column]:
        return [self.entity.columns[field] for field in fields]

    def _merged(self, natives: Sequence[NativeColumn]) -> list[Row]:
        """Put groups of the database together whose keys are the same for us."""
        by, measures = self.aggregate.group_by, self.aggregate.measures
        columns = [column.natives for column in natives[len(by) :]] or [()] * len(measures)
        read = [self._read(part, column) for part, column in zip(measures, columns, strict=True)]
        functions = [measure.function for measure in measures]
        return grouped(decoded(self._columns(by), natives), functions, read)

    def _read(self, measure: Measure, natives: Row) -> Row:
        if measure.field is None or measure.function in _COUNTS:
            return natives
        values = map(reader(self.entity.columns[measure.field]), natives)
        return tuple(None if value is INVALID else value for value in values)

    def _counted(self, natives: Sequence[NativeColumn]) -> list[Row]:
        """Compute the measures from how often each combination of values occurs."""
        width = len(self.aggregate.group_by)
        groups: dict[Row, list[Row]] = {} if width else {(): []}
        values = decoded(self._columns((*self.aggregate.group_by, *self._measured)), natives)
        times = natives[-1].natives if natives else ()
        for value, count in zip(values, times, strict=True):
            groups.setdefault(value[:width], []).append((*value[width:], count))
        return [(*key, *self._computed(group)) for key, group in groups.items()]

    def _computed(self, group: list[Row]) -> Iterable[object]:
        for part in self.aggregate.measures:
            yield _FUNCTIONS[part.function](list(self._weighed(part, group)))

    def _weighed(self, measure: Measure, group: list[Row]) -> Iterable[Weighed]:
        place = self._measured.index(measure.field) if measure.field else -1
        for row in group:
            times = row[-1]
            missing = row[place] is None or row[place] is INVALID
            if isinstance(times, int) and not missing:
                yield row[place], times


def _total(values: list[Weighed]) -> object:
    products = [value * times for value, times in values if isinstance(value, int | Decimal)]
    return sum(products[1:], products[0]) if products else None


def _least(values: list[Weighed]) -> object:
    return min((value for value, _ in values), default=None)  # type: ignore[type-var] # they compare


def _greatest(values: list[Weighed]) -> object:
    return max((value for value, _ in values), default=None)  # type: ignore[type-var] # they compare


_FUNCTIONS: Final[dict[Function, Callable[[list[Weighed]], object]]] = {
    Function.COUNT: lambda values: sum(times for _, times in values),
    Function.COUNT_DISTINCT: lambda values: len({value for value, _ in values}),
    Function.SUM: _total,
    Function.MIN: _least,
    Function.MAX: _greatest,
}
