"""
A department's database as a source: any that SQLAlchemy reaches by asyncpg, aiosqlite or asyncmy.

Statements are written once per shape of a question; see sql_native (predicates over native
columns), sql_statement (their text) and sql_connection (budget and failures). Knows no principal.
"""

from collections.abc import Mapping, Sequence

from contract.entity import Kind, Relationship
from contract.errors import SourceFailure, SourceRefused
from contract.predicate import INVALID, Operator
from contract.read import Aggregate, ForEach, Function, Read, Rows
from contract.source import Capabilities
from sources import rowset
from sources.declaration import Department, MappedEntity
from sources.memory import key_sets
from sources.sql_connection import Connections
from sources.sql_dialect import DIALECTS, Dialect
from sources.sql_doubt import doubt
from sources.sql_expression import Expressions
from sources.sql_native import Lowering
from sources.sql_rows import decoded, is_plain_text, length, spelled_once
from sources.sql_statement import Question, Statements
from sources.sql_tally import Tallying


class SqlSource:
    """One database behind the contract."""

    def __init__(self, department: Department) -> None:
        self.name = department.name
        self.title = department.title
        self.connections = Connections(department)
        self._rows_allowed = department.budget.rows
        self._bytes_allowed = department.budget.bytes
        self._mapped = department.entities
        self._dialect = _dialect(self.connections, binary=department.binary_collation)
        self._statements = Statements(self._dialect, department.entities)
        expressions = Expressions(self._dialect)
        self.entities: Mapping[str, Capabilities] = {
            name: _capabilities(entity, department, expressions)
            for name, entity in department.entities.items()
        }

    async def read(self, read: Read) -> Rows:
        """
        Return the rows asked for.

        Raises: SourceFailure, and nothing else, when the system does not answer as agreed.
        """
        mapped = self._mapped[read.entity]
        lowering = Lowering(self._mapped, self._dialect.holds)
        question = self._question(read, mapped, lowering)
        if read.for_each is not None and not question.keys:
            return Rows(read.fields, ())
        columns = [mapped.columns[field] for field in read.fields]
        natives = await self._answer(self._statements.text(question), lowering.operands)
        rows = Rows(read.fields, decoded(columns, natives))
        self._refuse_broken_keys(rows, mapped)
        doubted = doubt(rows, read, mapped.entity.key)
        if doubted:
            raise self._refused(f"{mapped.entity.name}: {doubted}")
        return self._cut_to_keys(rows, read, mapped)

    async def aggregate(self, aggregate: Aggregate) -> Rows:
        """
        Return the measures asked for.

        Raises: SourceFailure, and nothing else, when the system does not answer as agreed.
        """
        mapped = self._mapped[aggregate.entity]
        lowering = Lowering(self._mapped, self._dialect.holds)
        where = lowering.shape(aggregate.where, mapped)
        tallying = Tallying(aggregate, mapped, self._dialect)
        lowering.operands.append(self._rows_allowed + 1)
        text = self._statements.text(tallying.tally(where))
        return tallying.rows(await self._answer(text, lowering.operands))

    async def aclose(self) -> None:
        """Close every connection."""
        await self.connections.close()

    def _question(self, read: Read, mapped: MappedEntity, lowering: Lowering) -> Question:
        for_each = read.for_each or ForEach((), ())
        keys = lowering.keys(for_each, mapped) if read.for_each else 0
        where = lowering.shape(read.where, mapped)
        limited = bool(read.for_each) and read.limit is not None
        if limited:
            lowering.operands.append(read.limit)
        allowed = self._rows_allowed + 1
        whole = allowed if limited or read.limit is None else min(read.limit, allowed)
        lowering.operands.append(whole)
        return Question(
            read.entity, read.fields, where, read.order_by, for_each.fields, keys, limited
        )

    async def _answer(self, text: str, operands: Sequence[object]) -> Sequence[Sequence[object]]:
        bound = [self._dialect.bound(operand) for operand in operands]
        natives = await self.connections.rows(text, bound)
        if len(natives) > self._rows_allowed:
            raise self._refused(f"more than {self._rows_allowed} rows")
        if length(natives) > self._bytes_allowed:
            raise self._refused(f"texts of more than {self._bytes_allowed} bytes")
        return natives

    def _refuse_broken_keys(self, rows: Rows, mapped: MappedEntity) -> None:
        for field in set(mapped.entity.key).intersection(rows.fields):
            place = rows.fields.index(field)
            if any(row[place] is None or row[place] is INVALID for row in rows.rows):
                raise self._refused(f"{mapped.entity.name}.{field}: a key cannot be read")

    def _cut_to_keys(self, rows: Rows, read: Read, mapped: MappedEntity) -> Rows:
        """Take so many rows of each key, where the system took as many of each native spelling."""
        if read.for_each is None or read.limit is None:
            return rows
        if all(spelled_once(mapped.columns[field]) for field in read.for_each.fields):
            return rows
        return rowset.limited(rows, read.limit, read.for_each)

    def _refused(self, detail: str) -> SourceFailure:
        return self.connections.failure(SourceRefused, detail)


def _dialect(connections: Connections, *, binary: bool) -> Dialect:
    dialect = connections.engine.dialect
    if dialect.name not in DIALECTS:
        raise ValueError(f"{dialect.name}: use postgresql, sqlite, mysql or mariadb")
    return DIALECTS[dialect.name](dialect.identifier_preparer.quote, binary=binary)


def _capabilities(
    entity: MappedEntity, department: Department, expressions: Expressions
) -> Capabilities:
    columns = entity.columns
    operators = {name: expressions.operators(column) for name, column in columns.items()}
    equal = frozenset(
        name
        for name, column in columns.items()
        if Operator.EQ in operators[name] and column.field.kind is not Kind.CODE
    )
    return Capabilities(
        operators=operators,
        negation=True,
        disjunction=True,
        exists=frozenset(
            relationship.name
            for relationship in entity.entity.relationships.values()
            if _comparable(relationship, entity, department)
        ),
        order_by=frozenset(name for name, column in columns.items() if expressions.sorts(column)),
        limit=True,
        for_each=key_sets(entity.entity, equal),
        for_each_limit=True,
        functions=frozenset(Function),
        group_by=frozenset(columns),
    )


def _comparable(relationship: Relationship, entity: MappedEntity, department: Department) -> bool:
    """Return whether the system compares both ends of the join as we do."""
    target = department.entities.get(relationship.target)
    if target is None:
        return False
    return all(
        is_plain_text(entity.columns[own]) and is_plain_text(target.columns[other])
        for own, other in relationship.on
        if own in entity.columns and other in target.columns
    )
