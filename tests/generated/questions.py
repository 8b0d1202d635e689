"""Questions by chance: lists, single rows and rows by id, with what hangs on them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final, TypeAlias

from contract.entity import Entity, Field, Kind
from contract.predicate import INVALID
from tests.generated.worlds import ENTITIES, OWN_VALUES, PLACES, values_of

Where: TypeAlias = Mapping[str, Any]
Order: TypeAlias = Sequence[Mapping[str, Any]]

ROOTS: Final = {
    "Resident": ("residents", "resident", "idNumber"),
    "Household": ("households", "household", "number"),
    "Case": ("cases", "case", "number"),
    "Enterprise": ("enterprises", "enterprise", "creditCode"),
}
CONNECTIONS: Final = frozenset({("Resident", "cases")})
_RANGES: Final = ("lt", "lte", "gt", "gte")
OPERATORS: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.STRING: ("eq", "ne", "ne", *_RANGES, "startsWith", "contains"),
    Kind.INTEGER: ("eq", "ne", *_RANGES),
    Kind.DECIMAL: ("eq", "ne", *_RANGES),
    Kind.DATE: ("eq", "ne", *_RANGES),
    Kind.DATETIME: ("eq", "ne", *_RANGES),
    Kind.CODE: ("eq", "ne", "ne"),
    Kind.DIVISION: ("eq", "ne", "within", "within", "within"),
}


@dataclass(frozen=True, slots=True)
class Selection:
    """What of each row is wanted."""

    fields: tuple[str, ...]
    nested: tuple["Nested", ...] = ()


@dataclass(frozen=True, slots=True)
class Nested:
    """What of related rows is wanted; `first` is None for all."""

    relationship: str
    selection: Selection
    where: Where
    order: Order
    first: int | None


@dataclass(frozen=True, slots=True)
class Question:
    """
    One root field: a list, a single row by a value (`by`), or a row by its id (`key`).

    A list gives `first` rows (`last` where negative); `pages` of it are asked one after the other.
    """

    entity: str
    selection: Selection
    where: Where
    order: Order
    first: int = 20
    pages: int = 1
    by: str = ""
    key: str = ""


def drawn_question(chance: Random) -> Question:
    """Return a question of one of the kinds."""
    entity = chance.choice(sorted(ROOTS))
    selection = _selection(chance, ENTITIES[entity], 2)
    kind = chance.random()
    if kind < 0.05:
        by = ROOTS[entity][2]
        return Question(entity, selection, {}, (), by=str(_known(chance, ENTITIES[entity], by)))
    if kind < 0.1:
        return Question(entity, selection, {}, (), key=f"{entity[0]}{chance.randrange(16):02}")
    where = _where(chance, ENTITIES[entity], 2)
    size = chance.choice((1, 2, 5, 20))
    if chance.random() < 0.1:
        return Question(entity, selection, where, _order(chance, entity), -size)
    pages = 2 if chance.random() < 0.25 else 1
    return Question(entity, selection, where, _order(chance, entity), size, pages)


def _known(chance: Random, entity: Entity, name: str) -> object:
    if name in entity.key:
        return f"{entity.name[0]}{chance.randrange(12):02}"
    return chance.choice(values_of(entity.fields[name]))


def _selection(chance: Random, entity: Entity, depth: int) -> Selection:
    names = [name for name, field in entity.fields.items() if field.description]
    fields = tuple(name for name in names if chance.random() < 0.4)
    nested = []
    reachable = () if entity.subject else entity.relationships.values()  # of a facet nothing hangs
    for relationship in reachable:
        if relationship.target in ENTITIES and depth and chance.random() < 0.35:
            nested.append(_nested(chance, relationship.name, relationship.target, depth))
            if not relationship.many:
                nested[-1] = Nested(relationship.name, nested[-1].selection, {}, (), None)
    return Selection(fields, tuple(nested))


def _nested(chance: Random, name: str, target: str, depth: int) -> Nested:
    entity = ENTITIES[target]
    where = _where(chance, entity, 1) if chance.random() < 0.5 else {}
    order = _order(chance, target) if chance.random() < 0.4 else ()
    first = chance.choice((None, 1, 3))
    return Nested(name, _selection(chance, entity, depth - 1), where, order, first)


def _where(chance: Random, entity: Entity, depth: int) -> dict[str, Any]:
    where: dict[str, Any] = {}
    for _ in range(chance.choice((0, 0, 0, 1, 1, 2))):
        kind = chance.random()
        relationships = [r for r in entity.relationships.values() if r.target in ENTITIES]
        if depth and kind < 0.12:
            joined = [_where(chance, entity, depth - 1) for _ in range(chance.choice((1, 2)))]
            where[chance.choice(("and", "or"))] = joined
        elif depth and kind < 0.2:
            where["not"] = _where(chance, entity, depth - 1)
        elif depth and kind < 0.4 and relationships:
            relationship = chance.choice(relationships)
            where[relationship.name] = _where(chance, ENTITIES[relationship.target], depth - 1)
        else:
            field = _field(chance, entity)
            where[field.name] = _comparison(chance, entity, field)
    return where


def _field(chance: Random, entity: Entity) -> Field:
    named = [field for field in entity.fields.values() if field.description]
    asked = [field for field in named if field.name in ("idNumber", "phone", "contactPhone")]
    return chance.choice(asked) if asked and chance.random() < 0.15 else chance.choice(named)


def _comparison(chance: Random, entity: Entity, field: Field) -> dict[str, object]:
    if chance.random() < 0.1:
        return {"isNull": chance.random() < 0.5}
    values = _operands(entity, field)
    if chance.random() < 0.15:
        several = chance.sample(values, min(len(values), 2))
        return {chance.choice(("in", "notIn")): [plain(v) for v in chance.choice((several, []))]}
    operator = chance.choice(OPERATORS[field.kind])
    value = plain(chance.choice(values))
    if operator in ("startsWith", "contains"):
        value = str(value)[: chance.choice((1, 3, 18))]
    return {operator: value}


def _operands(entity: Entity, field: Field) -> Sequence[object]:
    if field.kind is Kind.DIVISION:
        return (*PLACES, "32", "320205106", "320205001")
    if field.name in entity.key:
        return tuple(f"{entity.name[0]}{serial:02}" for serial in range(9))
    return OWN_VALUES.get(field.name) or values_of(field)


def _order(chance: Random, name: str) -> list[dict[str, Any]]:
    names = _sortable(ENTITIES[name])
    chosen = chance.sample(names, min(len(names), chance.choice((0, 1, 2))))
    order: list[dict[str, Any]] = [{field: _direction(chance)} for field in chosen]
    related = [r for r in ENTITIES[name].relationships.values() if r.target in ENTITIES]
    if related and chance.random() < 0.15:
        relationship = chance.choice(related)
        field = chance.choice(_sortable(ENTITIES[relationship.target]))
        order.insert(0, {relationship.name: {field: _direction(chance)}})
    return order


def _direction(chance: Random) -> str:
    return chance.choice(("ASC", "DESC"))


def _sortable(entity: Entity) -> list[str]:
    fields = entity.fields.values()
    return [f.name for f in fields if f.description and f.kind is not Kind.CODE]


def plain(value: object) -> object:
    """Return a value as it stands in JSON."""
    if value is None or isinstance(value, int | str | bool) or value is INVALID:
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


class Written:
    """A question as a GraphQL document with variables."""

    def __init__(self, question: Question, sealed: str = "") -> None:
        self.variables: dict[str, object] = {}
        self._declared: list[str] = []
        many, one, by = ROOTS[question.entity]
        if question.by:
            arguments = f"({by}: {self._given('String', question.by)})"
            inner = self._selected(question.entity, question.selection)
            field = f"{one}{arguments} {{ {inner} }}"
        elif question.key:
            inner = self._selected(question.entity, question.selection)
            given = self._given("ID!", sealed)
            field = f"node(id: {given}) {{ ... on {question.entity} {{ {inner} }} }}"
        else:
            field = self._listed(many, question)
        declared = f"({', '.join(self._declared)})" if self._declared else ""
        self.text = f"query{declared} {{ found: {field} }}"

    def _listed(self, root: str, question: Question) -> str:
        if question.first < 0:
            given = [f"last: {self._given('Int', -question.first)}"]
        else:
            given = [f"first: {self._given('Int', question.first)}", f"after: {self._after()}"]
        arguments = ", ".join(
            (*self._filters(question.entity, question.where, question.order), *given)
        )
        inner = self._selected(question.entity, question.selection)
        pages = "pageInfo { hasNextPage hasPreviousPage endCursor }"
        return f"{root}({arguments}) {{ totalCount {pages} nodes {{ {inner} }} }}"

    def _after(self) -> str:
        self._declared.append("$after: String")
        return "$after"

    def _filters(self, entity: str, where: Where, order: Order) -> Iterator[str]:
        if where:
            yield f"where: {self._given(f'{entity}Where', where)}"
        if order:
            yield f"orderBy: {self._given(f'[{entity}Order!]', order)}"

    def _given(self, kind: str, value: object) -> str:
        name = f"v{len(self._declared)}"
        self._declared.append(f"${name}: {kind}")
        self.variables[name] = value
        return f"${name}"

    def _selected(self, entity: str, selection: Selection) -> str:
        nested = (self._nested(entity, each) for each in selection.nested)
        return " ".join(("__typename", *selection.fields, *nested))

    def _nested(self, entity: str, nested: Nested) -> str:
        relationship = ENTITIES[entity].relationships[nested.relationship]
        given = [*self._filters(relationship.target, nested.where, nested.order)]
        if nested.first is not None:
            given.append(f"first: {self._given('Int', nested.first)}")
        arguments = f"({', '.join(given)})" if given else ""
        inner = self._selected(relationship.target, nested.selection)
        if (entity, nested.relationship) in CONNECTIONS:
            inner = f"totalCount pageInfo {{ hasNextPage }} nodes {{ {inner} }}"
        return f"{nested.relationship}{arguments} {{ {inner} }}"
