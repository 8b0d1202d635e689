"""
Plugs the executor into Strawberry: `Schema(execution_context_class=BreadthFirstContext)`.

A field whose resolver was made by `set_resolver` is called once a level, with all parents; a field
without a resolver is read for the whole level; every other field is called as Strawberry does.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from inspect import Parameter, Signature
from operator import attrgetter
from typing import Any, Final

import strawberry
from strawberry import UNSET
from strawberry.execution import optimized_is_awaitable
from strawberry.extensions import SchemaExtension
from strawberry.relay import GlobalID
from strawberry.schema.base import BaseSchema
from strawberry.schema.compat import is_scalar
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types import Info
from strawberry.types.arguments import convert_argument
from strawberry.types.base import StrawberryList, StrawberryMaybe, StrawberryOptional
from strawberry.types.enum import StrawberryEnumDefinition
from strawberry.types.field import StrawberryField

from execution import resolving
from execution.executor import TOLD_BY_TYPE, BreadthFirst
from execution.leaves import Column
from execution.plan import PlannedField
from execution.pooling import pooled
from execution.run import SetInfo, called

TOLD_BY_TYPE.add(optimized_is_awaitable)  # type: ignore[arg-type] # a guard that says less

SetResolver = Callable[..., Sequence[Any] | Awaitable[Sequence[Any]]]
_SET: Final = "resolve_set"
_NONE: Final[Mapping[str, Any]] = {}
_COLUMN: Final = "column"


def set_field(
    resolve: SetResolver, returns: Any, arguments: Mapping[str, Any] = _NONE, **options: Any
) -> Any:
    """
    Return a Strawberry field that is resolved for all parents of a level at once.

    `resolve(parents, info, **arguments)` gives one value for each parent, in their order, an
    exception for a parent whose value could not be had. `info._raw_info.at(index)` is the info of
    one parent. Where something is called for every field of every object, the calls are pooled.
    `returns` and `arguments` are annotations, `options` those of `strawberry.field`.
    """

    async def for_one(root: Any, info: Any, **arguments: Any) -> Any:
        return await pooled(resolve, root, info, arguments)

    setattr(for_one, _SET, resolve)
    sign(for_one, {"root": Any, "info": Info}, arguments, returns)
    return strawberry.field(resolver=for_one, **options)


def sign(
    resolve: Callable[..., Any],
    reserved: Mapping[str, Any],
    arguments: Mapping[str, Any],
    returns: Any,
) -> None:
    """Give a resolver the signature that Strawberry reads: arguments that may be left out."""
    signature = Signature(
        [
            *(
                Parameter(name, Parameter.POSITIONAL_OR_KEYWORD, annotation=annotation)
                for name, annotation in reserved.items()
            ),
            *(
                Parameter(name, Parameter.KEYWORD_ONLY, default=UNSET, annotation=annotation)
                for name, annotation in arguments.items()
            ),
        ],
        return_annotation=returns,
    )
    resolve.__signature__ = signature  # type: ignore[attr-defined] # read by inspect.signature


def column_reader(read: Callable[[Column, str], Column]) -> Callable[[Any], Any]:
    """Return a decorator for a default resolver: `read(objects, name)` is the same for a level."""

    def decorated(one: Any) -> Any:
        setattr(one, _COLUMN, read)
        return one

    return decorated


class BreadthFirstContext(BreadthFirst, StrawberryGraphQLCoreExecutionContext):
    """Runs a Strawberry schema level by level."""

    def plan(self, field: PlannedField) -> None:
        """Choose how the field is resolved."""
        super().plan(field)
        strawberry_field = field.definition.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
        if field.resolve is not resolving.each or self._is_hooked or not _is_own(field):
            return
        if isinstance(strawberry_field, StrawberryField):
            schema: BaseSchema = self.schema._strawberry_schema  # type: ignore[attr-defined]  # noqa: SLF001 -- set by Strawberry
            self._plan(field, strawberry_field, schema)

    def _plan(self, field: PlannedField, declared: StrawberryField, schema: Any) -> None:
        if type(declared).get_result is not StrawberryField.get_result:
            return  # somebody's own kind of field
        resolver = declared.base_resolver
        if resolver is None:
            if declared.is_basic_field:
                field.call, field.resolve = _reader(declared), resolving.attribute
            return
        resolve = getattr(resolver.wrapped_func, _SET, None)
        if resolve is None or declared.extensions or schema.exception_handlers:
            return
        info_class = schema.config.info_class

        def call(parents: Column, info: SetInfo, **arguments: Any) -> Any:
            return resolve(parents, info_class(_raw_info=info, _field=declared), **arguments)

        field.call, field.resolve = call, resolving.together
        field.bind = _binding(declared, schema)


def as_given(_: type, given: Mapping[str, Any], __: object) -> Mapping[str, Any]:
    """Be the `from_input` of inputs that resolvers get as they came: what is given, by name."""
    return given


def _binding(
    declared: StrawberryField, schema: Any
) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """Return what converts coerced arguments as Strawberry does, by their names in Python."""
    name_of, registry = schema.config.name_converter.from_argument, schema.schema_converter
    convert = partial(
        convert_argument, scalar_registry=registry.scalar_registry, config=schema.config
    )
    names: dict[str, str] = {}
    types: dict[str, Any] = {}
    for argument in declared.arguments:
        name = name_of(argument)
        names[name] = str(argument.python_name)
        if not _stays(argument.type, registry.scalar_registry):
            types[name] = argument.type

    def bind(given: Mapping[str, Any]) -> dict[str, Any]:
        return {
            names[name]: convert(value, types[name], path=(name,)) if name in types else value
            for name, value in given.items()
        }

    return bind


def _stays(kind: Any, scalars: Any) -> bool:
    """Return whether values of an argument's type are what they were coerced to."""
    while isinstance(kind, (StrawberryList, StrawberryOptional)):
        if isinstance(kind, StrawberryMaybe):
            return False
        kind = kind.of_type
    definition = getattr(kind, "__strawberry_definition__", None)
    if isinstance(kind, StrawberryEnumDefinition) or isinstance(
        definition, StrawberryEnumDefinition
    ):
        return True
    return getattr(definition, "from_input", None) is as_given or (
        kind is not GlobalID and is_scalar(kind, scalars)
    )


def _is_own(field: PlannedField) -> bool:
    """Return whether Strawberry made the resolver, and nobody put another around it."""
    return getattr(field.call, "__module__", "") == "strawberry.schema.schema_converter"


def _reader(declared: StrawberryField) -> Callable[[Column], Column]:
    """Return what reads a field without a resolver for a whole level."""
    read, name = declared.default_resolver, declared.python_name
    column = getattr(read, _COLUMN, None)
    if column is not None:
        return partial(_read, column, name)
    one = attrgetter(name) if read is getattr else lambda value: read(value, name)
    return partial(called, one)


def _read(column: Callable[[Column, str], Column], name: str, objects: Column) -> Column:
    return column(objects, name)


def field_hooks(extensions: Sequence[Any]) -> list[str]:
    """
    Return the names of the extensions that are called for each field of each object.

    With one of them nothing runs level by level: a field takes about ten times as long.
    """
    return [
        kind.__name__
        for kind in map(_kind, extensions)
        if getattr(kind, "resolve", SchemaExtension.resolve) is not SchemaExtension.resolve
    ]


def _kind(extension: Any) -> Any:
    while isinstance(extension, partial):
        extension = extension.func
    return extension if inspect.isclass(extension) else type(extension)
