"""
Filters and orders: the inputs of every entity, made from its fields, and their way into predicates.

`{field: {operator: value}}` are conjuncts; `and`, `or`, `not` combine; a relationship's name asks
for some related row. Nothing is simplified here: the gate must see all that was named. Size is
refused here, before anything is planned.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from keyword import iskeyword
from typing import Any, Final, Optional

import strawberry
from strawberry.utils.str_converters import to_snake_case

from contract.entity import Entity, Field, Kind
from contract.errors import BadInput, TooComplex
from contract.predicate import (
    TRUE,
    And,
    Comparison,
    Contains,
    Exists,
    In,
    IsNull,
    Not,
    Operator,
    Or,
    Predicate,
    StartsWith,
    Value,
    Within,
)
from contract.read import Extreme, Function, Order
from execution.adapter import as_given
from schema.scalars import VALUES

MAX_DEPTH: Final = 8
MAX_NODES: Final = 200
MAX_OPERANDS: Final = 1_000
MAX_TEXT: Final = 500

_EQUALITY: Final = ("eq", "ne", "in", "notIn", "isNull")
_RANGES: Final = ("lt", "lte", "gt", "gte")
_OPERATORS: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.STRING: (*_EQUALITY, *_RANGES, "startsWith", "contains"),
    Kind.INTEGER: (*_EQUALITY, *_RANGES),
    Kind.DECIMAL: (*_EQUALITY, *_RANGES),
    Kind.BOOLEAN: ("eq", "ne", "isNull"),
    Kind.DATE: (*_EQUALITY, *_RANGES),
    Kind.DATETIME: (*_EQUALITY, *_RANGES),
    Kind.CODE: _EQUALITY,
    Kind.DIVISION: (*_EQUALITY, "within"),
}
_MEANINGS: Final[Mapping[str, str]] = {
    "eq": "等于 | Equal to",
    "ne": "不等于 | Not equal to",
    "in": "等于其中之一 | One of",
    "notIn": "不等于其中任何一个 | None of",
    "isNull": "是否为空 | Whether there is no value",
    "lt": "小于 | Less than",
    "lte": "小于或等于 | At most",
    "gt": "大于 | Greater than",
    "gte": "大于或等于 | At least",
    "startsWith": "以……开头 | Begins with",
    "contains": "包含 | Has in it",
    "within": "在该区划内(含本级) | At or beneath the division",
}


_FIRST_OF: Final = "降序取其中最大、升序取最小,一个都没有的排在最后:"


@strawberry.enum(description="排序方向,空值总在最后 | Direction; nulls come last either way")
class Direction(Enum):
    ASC = strawberry.enum_value("ASC", description="升序 | Ascending")
    DESC = strawberry.enum_value("DESC", description="降序 | Descending")


@dataclass(frozen=True, slots=True)
class Inputs:
    """The input types of one entity; `order` is None where nothing can be sorted by."""

    where: Any
    order: Any


def input_types(
    entities: Mapping[str, Entity], enums: Mapping[tuple[str, str], Any]
) -> dict[str, Inputs]:
    """
    Return each entity's `where` and `orderBy` types.

    `enums` gives the enum of each code field, by entity and field.
    """
    wheres: dict[str, Any] = {
        name: type(f"{name}Where", (), {"__annotations__": {}}) for name in entities
    }
    filters = {kind: _filter(_name(kind), kind, value) for kind, value in VALUES.items()}
    coded: dict[str, Any] = {}
    for entity in entities.values():
        members = [
            (field.name, _filter_of(field, entity.name, filters, enums, coded), field.description)
            for field in entity.fields.values()
            if field.description
        ]
        members += [
            (name, wheres[relationship.target], f"有符合条件的:{relationship.description}")
            for name, relationship in entity.relationships.items()
            if relationship.description and relationship.target in wheres
        ]
        _complete(wheres[entity.name], members, f"筛选条件 | Filter over {entity.name}")
    orders = _orders(entities)
    return {name: Inputs(wheres[name], orders.get(name)) for name in entities}


def predicate_of(entity: str, given: object, entities: Mapping[str, Entity]) -> Predicate:
    """
    Return the predicate of a `where` input; TRUE for none.

    Raises: BadInput, TooComplex.
    """
    if given is None or given is strawberry.UNSET:
        return TRUE
    return _Reading(entities).where(entities[entity], given, 1)


def order_of(given: object) -> tuple[Order, ...]:
    """
    Return the order of an `orderBy` input.

    Raises: BadInput for a field named twice.
    """
    if given is None or given is strawberry.UNSET:
        return ()
    orders = [_one_order(*_named(part)) for part in given]  # type: ignore[attr-defined] # a list of order inputs
    if len({order.field for order in orders}) < len(orders):
        raise BadInput("orderBy 中同一字段只能出现一次。")
    if any(order.extreme for order in orders[1:]):
        raise BadInput("按关联信息排序只能放在 orderBy 的第一项。")
    return tuple(orders)


def _one_order(name: str, given: object) -> Order:
    if isinstance(given, Direction):
        return Order(name, descending=given is Direction.DESC)
    field, direction = _named(given)
    if not isinstance(direction, Direction):
        raise BadInput("按关联信息排序只能隔一层,如 {cases: {appliedAt: DESC}}。")
    descending = direction is Direction.DESC
    extreme = Extreme(name, field, Function.MAX if descending else Function.MIN)
    return Order(extreme.name, descending, extreme=extreme)


def _named(given: Any) -> tuple[str, object]:
    """Return the one member of a oneOf input that is given."""
    (named,) = given.items()
    return named  # type: ignore[no-any-return] # a name and what is given


class _Reading:
    """One `where` on its way into a predicate; counts what it has read."""

    def __init__(self, entities: Mapping[str, Entity]) -> None:
        self._entities = entities
        self._nodes = 0

    def where(self, entity: Entity, given: Any, depth: int) -> Predicate:
        if depth > MAX_DEPTH:
            raise TooComplex(f"筛选条件嵌套超过{MAX_DEPTH}层,请简化。")
        return _every([self._part(entity, name, value, depth) for name, value in given.items()])

    def _part(self, entity: Entity, name: str, value: Any, depth: int) -> Predicate:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise TooComplex(f"筛选条件超过{MAX_NODES}项,请简化。")
        if value is None:
            raise BadInput(f"筛选条件 {name} 不能为 null;查空值请用 isNull。")
        match name:
            case "and":
                return _every([self.where(entity, part, depth + 1) for part in value])
            case "or":
                return Or(tuple(self.where(entity, part, depth + 1) for part in value))
            case "not":
                return Not(self.where(entity, value, depth + 1))
            case _:
                pass
        if name in entity.relationships:
            target = self._entities[entity.relationships[name].target]
            return Exists(name, self.where(target, value, depth + 1))
        return self._comparisons(entity.fields[name], value)

    def _comparisons(self, field: Field, given: Any) -> Predicate:
        self._nodes += len(given)
        return _every([_comparison(field, name, value) for name, value in given.items()])


def _every(parts: list[Predicate]) -> Predicate:
    """Join predicates and drop none, so that the gate sees every field that was named."""
    flat = tuple(inner for part in parts for inner in _conjuncts(part))
    return flat[0] if len(flat) == 1 else And(flat)


def _conjuncts(part: Predicate) -> tuple[Predicate, ...]:
    return part.predicates if isinstance(part, And) else (part,)


def _comparison(field: Field, operator: str, value: object) -> Predicate:
    if value is None:
        raise BadInput(f"{field.name}.{operator} 不能为 null;查空值请用 isNull。")
    if operator == "isNull":
        return IsNull(field.name) if value else Not(IsNull(field.name))
    if operator in ("in", "notIn"):
        return _among(field, operator, value)
    return _LEAVES[operator](field.name, _operand(field, value))


def _among(field: Field, operator: str, values: Any) -> Predicate:
    if len(values) > MAX_OPERANDS:
        raise TooComplex(f"{field.name} 一次最多列出{MAX_OPERANDS}个值,请分批查询。")
    operands = tuple(dict.fromkeys(_operand(field, value) for value in values))
    among = In(field.name, operands)
    return among if operator == "in" else Not(among)


def _operand(field: Field, value: object) -> Value:
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, str):
        return _text(field, value)
    if isinstance(value, datetime) and value.tzinfo is None:
        raise BadInput(f"{field.name} 的时间要带时区,如 2026-01-01T08:00:00+08:00。")
    if isinstance(value, Decimal) and (not value.is_finite() or abs(value.adjusted()) > 30):
        raise BadInput(f"{field.name} 的数值超出范围。")
    if value is None:
        raise BadInput(f"{field.name} 的取值不能为 null。")
    return value  # type: ignore[return-value] # a scalar of the schema


def _text(field: Field, value: str) -> str:
    if len(value) > MAX_TEXT:
        raise BadInput(f"{field.name} 的文字最多{MAX_TEXT}个字。")
    if "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise BadInput(f"{field.name} 的文字含有无效字符。")
    return value


def _compare(operator: Operator) -> Callable[[str, Any], Predicate]:
    return lambda name, operand: Comparison(name, operator, operand)


_LEAVES: Final[Mapping[str, Callable[[str, Any], Predicate]]] = {
    "eq": _compare(Operator.EQ),
    "ne": lambda name, operand: Not(Comparison(name, Operator.EQ, operand)),
    "lt": _compare(Operator.LT),
    "lte": _compare(Operator.LTE),
    "gt": _compare(Operator.GT),
    "gte": _compare(Operator.GTE),
    "startsWith": StartsWith,
    "contains": Contains,
    "within": Within,
}


def _name(kind: Kind) -> str:
    names = {Kind.DATETIME: "DateTime", Kind.INTEGER: "Int"}
    return f"{names.get(kind, kind.value.capitalize())}Filter"


def _filter(name: str, kind: Kind, value: Any) -> Any:
    cls: Any = type(name, (), {"__annotations__": {}})
    for operator in _OPERATORS[kind]:
        several = operator in ("in", "notIn")
        typed = bool if operator == "isNull" else list[value] if several else value
        _add(cls, operator, Optional[typed], _MEANINGS[operator])
    return _input(cls, name=name, description=f"{name}:比较条件 | Comparisons")


def _filter_of(
    field: Field,
    entity: str,
    filters: Mapping[Kind, Any],
    enums: Mapping[tuple[str, str], Any],
    coded: dict[str, Any],
) -> Any:
    if field.kind is not Kind.CODE:
        return filters[field.kind]
    enum = enums[entity, field.name]
    name = f"{enum.__strawberry_definition__.name}Filter"
    if name not in coded:
        coded[name] = _filter(name, Kind.CODE, enum)
    return coded[name]


def _complete(cls: Any, members: list[tuple[str, Any, str]], description: str) -> None:
    for name, typed, meaning in members:
        _add(cls, name, Optional[typed], meaning)
    _add(cls, "and", Optional[list[cls]], "全部成立 | All of them")
    _add(cls, "or", Optional[list[cls]], "至少一个成立 | At least one of them")
    _add(cls, "not", Optional[cls], "不成立 | Not this")
    _input(cls, description=description)


def _orders(entities: Mapping[str, Entity]) -> dict[str, Any]:
    """Return the order type of each entity that has something to sort by."""
    sortable = {name: fields for name in entities if (fields := _sortable(entities[name]))}
    classes: dict[str, Any] = {
        name: type(f"{name}Order", (), {"__annotations__": {}}) for name in sortable
    }
    for name, cls in classes.items():
        for field in sortable[name]:
            _add(cls, field.name, Optional[Direction], field.description)
        for relationship in entities[name].relationships.values():
            if relationship.description and relationship.target in classes:
                meaning = f"{_FIRST_OF}{relationship.description}"
                _add(cls, relationship.name, Optional[classes[relationship.target]], meaning)
        _input(cls, one_of=True, description=f"排序,每项一个字段 | Order of {name}, a field each")
    return classes


def _sortable(entity: Entity) -> list[Field]:
    fields = entity.fields.values()
    return [field for field in fields if field.kind is not Kind.CODE and field.description]


def _add(cls: Any, name: str, typed: Any, description: str) -> None:
    attribute = to_snake_case(name)
    attribute += "_" if iskeyword(attribute) else ""
    cls.__annotations__[attribute] = typed
    member = strawberry.field(name=name, default=strawberry.UNSET, description=description)
    setattr(cls, attribute, member)


def _input(cls: Any, **options: Any) -> Any:
    """Make a class an input that stays what it came as: what is given, by its name in the graph."""
    made: Any = strawberry.input(cls, **options)
    made.__strawberry_definition__.from_input = as_given
    return made
