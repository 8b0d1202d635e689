"""
What a GraphQL service says of itself, and how our native values are written for its arguments.

The answer to the introspection is no more trusted than any other.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final, TypeAlias, cast

import orjson
from graphql import (
    GraphQLError,
    GraphQLField,
    GraphQLInputType,
    GraphQLOutputType,
    GraphQLSchema,
    build_client_schema,
    get_introspection_query,
    get_named_type,
    get_nullable_type,
    is_enum_type,
    is_input_object_type,
    is_interface_type,
    is_list_type,
    is_object_type,
)

from sources.http_answer import Mistrusted, Refusal, strict_json, value_at
from sources.parameter import spelled

INTROSPECTION: Final = get_introspection_query(descriptions=False)
_INT: Final = range(-(2**31), 2**31)
_LONG: Final = range(-(2**63), 2**63)
_NUMBERS: Final = frozenset({"integer", "decimal", "float"})
_STORED: Final[Mapping[str, frozenset[str]]] = {
    "Int": _NUMBERS,
    "Float": _NUMBERS,
    "Boolean": frozenset({"boolean"}),
}

Outputs: TypeAlias = Mapping[str, GraphQLField]


def schema_in(body: bytes) -> GraphQLSchema:
    """
    Return the schema that an answer to the introspection describes.

    Raises: Mistrusted when it describes none.
    """
    document = strict_json(body)
    if isinstance(document, dict) and document.get("errors"):
        raise Refusal("errors in the answer to the introspection")
    described = value_at(document, ("data",))
    try:
        return build_client_schema(cast(Any, described))
    except (GraphQLError, TypeError, KeyError, ValueError, AttributeError):
        raise Mistrusted("the answer to the introspection describes no schema") from None


def fields_in(kind: GraphQLOutputType | None) -> Outputs:
    """Return the fields that can be selected of a value of the type; none of a list."""
    bare = get_nullable_type(kind) if kind else None
    return bare.fields if is_object_type(bare) or is_interface_type(bare) else {}


def root_field(schema: GraphQLSchema, path: str) -> GraphQLField | None:
    """Return the field of the query type at the path."""
    kind: GraphQLOutputType | None = schema.query_type
    field: GraphQLField | None = None
    for name in path.split("."):
        field = fields_in(kind).get(name)
        kind = field.type if field else None
    return field


def inputs_in(kind: GraphQLInputType) -> Mapping[str, GraphQLInputType]:
    """Return the parts of an argument of the type, with their own types."""
    bare = get_nullable_type(kind)
    if not is_input_object_type(bare):
        return {}
    return {name: field.type for name, field in bare.fields.items()}


def argument_type(field: GraphQLField, path: str) -> GraphQLInputType | None:
    """Return the type of the argument, or part of one, at the path."""
    known: Mapping[str, GraphQLInputType] = {
        name: argument.type for name, argument in field.args.items()
    }
    found: GraphQLInputType | None = None
    for name in path.split("."):
        found = known.get(name)
        known = inputs_in(found) if found else {}
    return found


def takes_list(kind: GraphQLInputType) -> bool:
    """Return whether the argument takes several values."""
    return bool(is_list_type(get_nullable_type(kind)))


def can_be_given(kind: GraphQLInputType, storage: str) -> bool:
    """Return whether natives of the storage can be written for the argument."""
    named = get_named_type(kind)
    allowed = frozenset({"text"}) if is_enum_type(named) else _STORED.get(named.name)
    return (allowed is None or storage in allowed) and not is_input_object_type(named)


def holds(kind: GraphQLInputType, native: object) -> bool:
    """Return whether a value of the argument's type can be the native."""
    named = get_named_type(kind)
    if is_enum_type(named):
        return native in named.values
    if named.name != "Int":
        return True
    return isinstance(native, int | float | Decimal) and native % 1 == 0 and int(native) in _INT


def given(kind: GraphQLInputType, value: object) -> object:
    """Return what JSON holds for a native value, or for a tuple of them."""
    if isinstance(value, tuple):
        return [given(kind, one) for one in value]
    name = get_named_type(kind).name
    if name in ("String", "ID"):
        return spelled(value)
    if name == "Int" and not isinstance(value, bool | str):
        return int(cast(Any, value))
    return _number(value)


def _number(value: object) -> object:
    if isinstance(value, Decimal) or (type(value) is int and value not in _LONG):
        return orjson.Fragment(spelled(value))
    return spelled(value) if isinstance(value, date) else value


def placed(parameters: Iterable[tuple[str, object]]) -> dict[str, Any]:
    """Return the values of dotted paths as one document."""
    document: dict[str, Any] = {}
    for path, value in parameters:
        *outer, name = path.split(".")
        level = document
        for step in outer:
            level = level.setdefault(step, {})
        level[name] = value
    return document
