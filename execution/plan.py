"""
A compiled operation: what each selection resolves, and how its values become the response.

A plan is made once from what graphql-core collected of a selection; selections beneath abstract
types are compiled when a type is first seen.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import Enum, auto
from functools import lru_cache
from typing import Any, Final

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLOutputType,
    ValueNode,
    VariableNode,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    print_ast,
)

from execution.leaves import Bulk, Column, bulk_for

Build = Callable[..., Column]
Resolve = Callable[..., Any]
"""(run, field, objects, positions) -> a column, or one that is awaited."""


class Kind(Enum):
    """What a value is."""

    LEAF = auto()
    OBJECT = auto()
    ABSTRACT = auto()
    LIST = auto()


class Completion:
    """How values of a type become what the response has; `selections` are kept per object type."""

    __slots__ = ("bulk", "is_required", "item", "kind", "selections", "type", "whole")

    def __init__(self, whole: GraphQLOutputType) -> None:
        self.whole = whole
        self.is_required = is_non_null_type(whole)
        inner: Any = whole.of_type if is_non_null_type(whole) else whole
        self.type: Any = inner
        self.kind = _kind(inner)
        self.item = Completion(inner.of_type) if self.kind is Kind.LIST else None
        self.bulk: Bulk = bulk_for(inner) if self.kind is Kind.LEAF else _never
        self.selections: dict[GraphQLObjectType, Selection] = {}


class PlannedField:
    """
    One field of a selection: `resolve` gives its column, `call` is what it calls.

    A set resolver gets `bind` of its coerced arguments, each by itself: those that are `varying`,
    by variables, for each execution, and the others once, `bound`. `known` is what follows from the
    selection for whoever resolves the field; it lives as long as the plan. `asked` are the nodes of
    all fields of the selection that ask the same as it does, of which there `are_more` or not.
    """

    __slots__ = (
        "are_more",
        "asked",
        "bind",
        "bound",
        "call",
        "completion",
        "definition",
        "details",
        "key",
        "known",
        "name",
        "nodes",
        "number",
        "parent_type",
        "resolve",
        "varying",
    )

    def __init__(
        self, number: int, details: Any, definition: GraphQLField, parent_type: GraphQLObjectType
    ) -> None:
        self.number = number
        self.details = details
        self.nodes: list[FieldNode] = [detail.node for detail in details]
        self.key = (self.nodes[0].alias or self.nodes[0].name).value
        self.name = self.nodes[0].name.value
        self.definition = definition
        self.parent_type = parent_type
        self.completion = Completion(definition.type)
        self.call: Any = definition.resolve
        self.asked = self.nodes
        self.are_more = False
        self.varying = tuple(
            each.name.value
            for each in self.nodes[0].arguments or ()
            if each.name.value in definition.args and _names_variable(each.value)
        )
        self.bind: Callable[[dict[str, Any]], Mapping[str, Any]] = dict
        self.bound: Mapping[str, Any] | None = None
        self.known: dict[Any, Any] = {}
        self.resolve: Resolve = _unplanned

    @property
    def parent_name(self) -> str:
        """Return the name of the type it belongs to."""
        return self.parent_type.name

    @property
    def is_required(self) -> bool:
        """Return whether it is never null."""
        return self.completion.is_required

    @property
    def has_arguments(self) -> bool:
        """Return whether it may be given any, or is."""
        return bool(self.definition.args or self.nodes[0].arguments)


class Selection:
    """The fields of one object type; `build` makes objects of their columns."""

    __slots__ = ("build", "fields", "required", "type")

    def __init__(self, parent_type: GraphQLObjectType, fields: Sequence[PlannedField]) -> None:
        self.type = parent_type
        self.fields = fields
        self.build = builder(tuple(field.key for field in fields))
        self.required = [number for number, field in enumerate(fields) if field.is_required]


def builder(keys: tuple[str, ...]) -> Build:
    """
    Return a function from columns to objects with these keys; remembered, unless they are long.

    Its source holds the keys' representations and nothing else of a request: names of GraphQL are
    letters, digits and underscores. A display of a dict is made 9 % faster than dict(zip()).
    """
    is_kept = sum(map(len, keys)) <= _CHARACTERS
    return _known(keys) if is_kept else _builder(keys)


def _builder(keys: tuple[str, ...]) -> Build:
    if not keys:
        return list
    columns = ", ".join(f"column_{number}" for number in range(len(keys)))
    values = ", ".join(f"value_{number}" for number in range(len(keys)))
    pairs = ", ".join(f"{key!r}: value_{number}" for number, key in enumerate(keys))
    rows = f"zip({columns})" if len(keys) > 1 else "column_0"
    made: dict[str, Build] = {}
    exec(f"def build({columns}): return [{{{pairs}}} for {values} in {rows}]", {"zip": zip}, made)  # noqa: S102 -- see above
    return made["build"]


_CHARACTERS: Final = 2_000
_known: Final = lru_cache(maxsize=4096)(_builder)


def note_alike(fields: Sequence[PlannedField]) -> None:
    """Note of fields under several names of the response that they ask the same, and share it."""
    groups: dict[object, list[PlannedField]] = {}
    for field in fields:
        groups.setdefault(field.name, []).append(field)
    several = [field for group in groups.values() if len(group) > 1 for field in group]
    groups.clear()
    for field in several:
        given = sorted(print_ast(argument) for argument in field.nodes[0].arguments or ())
        scope = id(field.details[0].fragment_variable_values)
        groups.setdefault((field.name, scope, *given), []).append(field)
    for group in groups.values():
        asked = [node for field in group for node in field.nodes]
        for field in group:
            field.asked, field.are_more = asked, len(group) > 1


def _names_variable(value: ValueNode) -> bool:
    waiting: list[Any] = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, VariableNode):
            return True
        waiting += getattr(value, "values", None) or ()  # of a list
        waiting += [field.value for field in getattr(value, "fields", None) or ()]
    return False


def _kind(inner: Any) -> Kind:
    if is_list_type(inner):
        return Kind.LIST
    if is_leaf_type(inner):
        return Kind.LEAF
    return Kind.ABSTRACT if is_abstract_type(inner) else Kind.OBJECT


def _never(_: Column, __: object) -> None:
    return None


def _unplanned(*_: object) -> Column:
    raise NotImplementedError
