"""
How a read is put to a database and its answer read: the statement, its operands, the columns.

A plan is made of everything but the keys. Those of reads that recur are kept, the least used
forgotten; a read that names somebody recurs not, so nothing of a person stays here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final, NamedTuple

from contract.predicate import Predicate
from contract.read import ForEach, Order, Read
from sources.declaration import Column, MappedEntity
from sources.sql_dialect import Dialect
from sources.sql_doubt import Doubt
from sources.sql_native import Lowering
from sources.sql_rows import ReadColumn, column_reader, spelled_once
from sources.sql_statement import Question, Statements

_KEPT: Final = 1_000


class _Asked(NamedTuple):
    """A read without its keys."""

    entity: str
    fields: tuple[str, ...]
    where: Predicate
    order_by: tuple[Order, ...]
    limit: int | None
    key_fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """
    How one read is asked, whatever its keys.

    `operands` stand behind those of the keys. `cuts`: a key has several native spellings, each of
    which the system takes so many rows of.
    """

    question: Question
    operands: tuple[object, ...]
    columns: tuple[ReadColumn, ...]
    doubt: Doubt
    cuts: bool
    texts: dict[int, str] = field(default_factory=dict)  # by the number of keys, a power of two


class Plans:
    """Plans of the reads of one source."""

    def __init__(
        self,
        entities: Mapping[str, MappedEntity],
        dialect: Dialect,
        statements: Statements,
        rows_allowed: int,
    ) -> None:
        self._entities = entities
        self._dialect = dialect
        self._statements = statements
        self._rows_allowed = rows_allowed
        self._readers = {name: _readers(entity.columns) for name, entity in entities.items()}
        self._kept: Callable[[_Asked], Plan] = lru_cache(_KEPT)(self._made)

    def of(self, read: Read) -> Plan:
        """Return the plan of the read."""
        key_fields = read.for_each.fields if read.for_each else ()
        asked = _Asked(read.entity, read.fields, read.where, read.order_by, read.limit, key_fields)
        return self._kept(asked) if read.recurs else self._made(asked)

    def keys(self, for_each: ForEach, entity: str) -> Sequence[object]:
        """Return the operands of the keys: every native spelling, filled to a power of two."""
        lowering = Lowering(self._entities, self._dialect.holds)
        return self._dialect.bound(lowering.keys(for_each, self._entities[entity]))

    def text(self, plan: Plan, operands: int) -> str:
        """Return the statement of a plan for so many operands of keys."""
        text = plan.texts.get(operands)
        if text is None:
            question = plan.question
            if operands:
                question = replace(question, keys=operands // len(question.key_fields))
            text = plan.texts[operands] = self._statements.text(question)
        return text

    def _made(self, asked: _Asked) -> Plan:
        mapped = self._entities[asked.entity]
        lowering = Lowering(self._entities, self._dialect.holds)
        where = lowering.shape(asked.where, mapped)
        limits = self._limits(asked)
        limited = len(limits) > 1
        several = not all(spelled_once(mapped.columns[name]) for name in asked.key_fields)
        return Plan(
            Question(
                asked.entity, asked.fields, where, asked.order_by, asked.key_fields, 0, limited
            ),
            tuple(self._dialect.bound([*lowering.operands, *limits])),
            tuple(map(self._readers[asked.entity].__getitem__, asked.fields)),
            Doubt.of(asked.fields, asked.where, mapped.entity.key, asked.key_fields),
            cuts=limited and several,
        )

    def _limits(self, asked: _Asked) -> tuple[int, ...]:
        """Return how many rows are wanted, of each key first; one more than are allowed."""
        allowed = self._rows_allowed + 1
        if asked.limit is None:
            return (allowed,)
        return (asked.limit, allowed) if asked.key_fields else (min(asked.limit, allowed),)


def _readers(columns: Mapping[str, Column]) -> Mapping[str, ReadColumn]:
    return {name: column_reader(column) for name, column in columns.items()}
