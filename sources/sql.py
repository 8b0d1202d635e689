"""
A department's database as a source: any that SQLAlchemy reaches by asyncpg, aiosqlite or asyncmy.

Statements are written once per shape of a question; see sql_plan (what is kept of a question),
sql_native (predicates over native columns), sql_statement (their text) and sql_connection (budget
and failures). Knows no principal.
"""

from collections.abc import Mapping, Sequence

from contract.entity import Kind, Relationship
from contract.errors import SourceFailure, SourceRefused
from contract.predicate import Operator
from contract.read import Aggregate, Function, Read, Rows
from contract.source import Capabilities
from sources import rowset
from sources.declaration import Department, MappedEntity
from sources.memory import key_sets
from sources.sql_connection import Connections
from sources.sql_dialect import DIALECTS, Dialect
from sources.sql_driver import Natives
from sources.sql_expression import Expressions
from sources.sql_native import Lowering
from sources.sql_plan import Plan, Plans
from sources.sql_rows import NativeColumn, columns_of, is_plain_text
from sources.sql_statement import Statements
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
        self._plans = Plans(
            department.entities, self._dialect, self._statements, department.budget.rows
        )
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
        plan = self._plans.of(read)
        keys = self._plans.keys(read.for_each, read.entity) if read.for_each else ()
        if read.for_each is not None and not keys:
            return Rows(read.fields, ())
        text = self._plans.text(plan, len(keys))
        return self._believed(plan, read, await self._answer(text, [*keys, *plan.operands]))

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
        natives = await self._answer(text, self._dialect.bound(lowering.operands))
        return tallying.rows(self._columns(natives))

    async def aclose(self) -> None:
        """Close every connection."""
        await self.connections.close()

    async def _answer(self, text: str, operands: Sequence[object]) -> Natives:
        natives = await self.connections.rows(text, operands)
        if len(natives) > self._rows_allowed:
            raise self._refused(f"more than {self._rows_allowed} rows")
        return natives

    def _columns(self, natives: Natives) -> list[NativeColumn]:
        columns = columns_of(natives)
        if sum(column.length for column in columns) > self._bytes_allowed:
            raise self._refused(f"texts of more than {self._bytes_allowed} bytes")
        return columns

    def _believed(self, plan: Plan, read: Read, natives: Natives) -> Rows:
        """Return our values of the rows, unless something speaks against them."""
        columns = self._columns(natives)
        if not columns:
            return Rows(read.fields, [])
        values = [decode(column) for decode, column in zip(plan.columns, columns, strict=False)]
        rows = list(zip(*values, strict=True)) if values else [() for _ in natives]
        keys = read.for_each.keys if read.for_each else ()
        doubted = plan.doubt.why(values, rows, keys)
        if doubted:
            raise self._refused(f"{read.entity}{doubted}")
        if plan.cuts:
            return rowset.limited(Rows(read.fields, rows), read.limit, read.for_each)
        return Rows(read.fields, rows)

    def _refused(self, detail: str) -> SourceFailure:
        return self.connections.failure(SourceRefused, detail)


def _dialect(connections: Connections, *, binary: bool) -> Dialect:
    dialect = connections.engine.dialect
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
