"""
The one table that a principal may count of an entity, and which cells of it a question picks.

A question picks whole cells or is refused: it names fields of the table at its levels or wider
ones, filters by whole values or divisions, and wants numbers and sums.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from auth.aggregates import DIGITS, AggregateGrant
from auth.principal import is_division
from contract.entity import Entity, Field, Kind
from contract.errors import Forbidden
from contract.predicate import Comparison, In, Operator, Predicate, Within, conjuncts
from resolvers.dimensions import Cell, Dimension, Node, Path, depth_of, is_coarser, path_of
from resolvers.tabulation import Figure, TableAsk

_ADDED: Final = frozenset({Figure.COUNT, Figure.SUM, Figure.AVERAGE})


@dataclass(frozen=True, slots=True)
class Picked:
    """
    Which cells of the table a question picks.

    `depths`: how fine the fields that are grouped by are, in the question's order; `limits`: of
    each field that is filtered by, sets of nodes, one of each must be met.
    """

    depths: Mapping[int, int]
    limits: Mapping[int, Sequence[frozenset[Node]]]

    def holds(self, paths: Sequence[Path]) -> bool:
        """Return whether a leaf is among the rows meant."""
        return all(
            not nodes.isdisjoint(paths[place])
            for place, several in self.limits.items()
            for nodes in several
        )

    def key(self, paths: Sequence[Path]) -> tuple[object, ...]:
        """Return the group of a leaf, as its key."""
        return tuple(paths[place][depth][1] for place, depth in self.depths.items())

    def cell(self, paths: Sequence[Path], *, grouped: bool) -> Cell:
        """Return the widest cell around a leaf that lies within its group and the filter."""
        return tuple(
            max(self._nodes(place, path, grouped=grouped)) for place, path in enumerate(paths)
        )

    def _nodes(self, place: int, path: Path, *, grouped: bool) -> Iterator[Node]:
        yield path[self.depths.get(place, 0) if grouped else 0]
        for nodes in self.limits.get(place, ()):
            yield next(node for node in path if node in nodes)


@dataclass(frozen=True, slots=True)
class Frame:
    """The fields of the table with their finest levels, the same for all questions."""

    entity: Entity
    by: tuple[Dimension, ...]
    sums: frozenset[str]

    @classmethod
    def of(cls, entity: Entity, grants: Sequence[AggregateGrant]) -> "Frame":
        """Return what all grants of the principal allow: one table, whichever they are."""
        first, *others = grants
        by = []
        for name, level in sorted(first.by.items()):
            levels = [level, *(grant.by.get(name) for grant in others)]
            if None not in levels:
                field = entity.fields[name]
                finest = min((str(each) for each in levels), key=lambda each: depth_of(field, each))
                by.append(Dimension(name, finest))
        sums = first.sums.intersection(*(grant.sums for grant in others))
        return cls(entity, tuple(by), sums)

    def picked(self, ask: TableAsk) -> Picked:
        """
        Return the cells that a question picks.

        Raises: Forbidden for everything that is not whole cells of the table.
        """
        for wanted in ask.wanted:
            if wanted.figure not in _ADDED or (wanted.field and wanted.field not in self.sums):
                raise Forbidden
        places = [self._place(each.field) for each in ask.by]
        if len(set(places)) < len(places):
            raise Forbidden
        for place, each in zip(places, ask.by, strict=True):
            if not is_coarser(self._field(place), each.level, self.by[place].level):
                raise Forbidden
        depths = {
            place: depth_of(self._field(place), each.level)
            for place, each in zip(places, ask.by, strict=True)
        }
        limits: dict[int, list[frozenset[Node]]] = {}
        for part in conjuncts(ask.where):
            place, nodes = self._nodes(part)
            limits.setdefault(place, []).append(nodes)
        return Picked(depths, limits)

    def paths(self) -> list[Callable[[object], Path]]:
        """Return, for each field, what gives the path of a value."""
        return [path_of(self.entity.fields[each.field], each.level) for each in self.by]

    def _nodes(self, part: Predicate) -> tuple[int, frozenset[Node]]:
        match part:
            case Within(field, code):
                place = self._place(field)
                return place, frozenset({self._division(place, code)})
            case Comparison(field, Operator.EQ, operand):
                return self._values(field, (operand,))
            case In(field, operands):
                return self._values(field, operands)
            case _:
                raise Forbidden

    def _values(self, field: str, operands: Sequence[object]) -> tuple[int, frozenset[Node]]:
        place = self._place(field)
        if self.by[place].level:
            raise Forbidden  # a single day or code is no cell of a table by months or townships
        return place, frozenset((1, operand) for operand in operands)

    def _division(self, place: int, code: str) -> Node:
        field = self._field(place)
        level = next((level for level, size in DIGITS.items() if size == len(code)), "")
        if field.kind is not Kind.DIVISION or not is_division(code):
            raise Forbidden
        if not is_coarser(field, level, self.by[place].level):
            raise Forbidden
        return depth_of(field, level), code

    def _place(self, name: str) -> int:
        for place, each in enumerate(self.by):
            if each.field == name:
                return place
        raise Forbidden

    def _field(self, place: int) -> Field:
        return self.entity.fields[self.by[place].field]
