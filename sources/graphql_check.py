"""
A mapping file against the schema of the GraphQL service it speaks of.

Everything the mapping names must be there with a type that fits; what is not is told with its place
in the file and what to write instead.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from graphql import (
    GraphQLField,
    GraphQLInputType,
    GraphQLOutputType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_enum_type,
    is_leaf_type,
    is_list_type,
    is_required_argument,
)

from contract.document import Document, Mistake, Place
from contract.predicate import Operator
from sources.declaration import Column, Endpoint, MappedEntity
from sources.finding import instead
from sources.graphql_request import below_root
from sources.graphql_schema import (
    argument_type,
    can_be_given,
    fields_in,
    inputs_in,
    root_field,
    takes_list,
)

_EXACT: Final = frozenset({Operator.EQ, Operator.IN})


def contradictions(
    schema: GraphQLSchema, mapped: MappedEntity, endpoint: Endpoint, written: Document
) -> tuple[Mistake, ...]:
    """Return what the mapping says of the entity that the service's schema does not."""
    checking = _Checking(mapped, endpoint, written)
    root = checking.root(schema)
    if root is not None:
        checking.arguments(root)
        checking.answer(root)
    return tuple(sorted(checking.mistakes, key=lambda mistake: mistake.line))


@dataclass(frozen=True, slots=True)
class _Checking:
    mapped: MappedEntity
    endpoint: Endpoint
    written: Document
    mistakes: list[Mistake] = field(default_factory=list)

    def wrong(self, place: Place, what: str, write: str) -> None:
        at = ("entity", self.mapped.entity.name, *place)
        self.mistakes.append(self.written.mistake(at, what, write))

    def root(self, schema: GraphQLSchema) -> GraphQLField | None:
        kind: GraphQLOutputType | None = schema.query_type
        *outer, last = self.endpoint.path.split(".")
        for name in outer:
            kind = self._selected(kind, name, ("native",))
        if last not in fields_in(kind):
            self._no_field(kind, last, ("native",))
        return root_field(schema, self.endpoint.path)

    def arguments(self, root: GraphQLField) -> None:
        for place, path in _sent(self.endpoint):
            self._argument(root, path, place)
        for place, path, name, operator in _asked(self.endpoint):
            kind = self._argument(root, path, place)
            if kind is not None:
                self._operand(kind, path, place, (self.mapped.columns[name], operator))
                self._narrow(root, kind, place, (name, operator))
        self._required(root)

    def answer(self, root: GraphQLField) -> None:
        rows = self._walked(root.type, self.endpoint.rows, ("graphql", "rows"))
        if rows is not None:
            self._rows(rows)
        for place, path in _told(self.endpoint):
            kind = self._walked(root.type, path, place)
            if kind is not None:
                self._leaf(kind, path, place)

    def _rows(self, rows: GraphQLOutputType) -> None:
        bare = get_nullable_type(rows)
        if not is_list_type(bare):
            told = below_root(self.endpoint, self.endpoint.rows) or self.endpoint.path
            what = f'the service gives no list at "{told}"'
            self.wrong(("graphql", "rows"), what, "Write the path of a list below the root field.")
            return
        for name, column in self.mapped.columns.items():
            self._column(bare.of_type, name, column)

    def _column(self, row: GraphQLOutputType, name: str, column: Column) -> None:
        place = ("fields", name, "native")
        kind = self._native(row, column.native, place)
        if kind is None or not self._leaf(kind, column.native, place):
            return
        named = get_named_type(kind)
        if is_enum_type(named):
            for native in column.codec.known:
                if native not in named.values:
                    what = f'the enum {named.name} of the service has no value "{native}"'
                    at = ("fields", name, "codes", str(native))
                    self.wrong(at, what, instead(str(native), named.values))

    def _native(self, row: GraphQLOutputType, path: str, place: Place) -> GraphQLOutputType | None:
        kind: GraphQLOutputType | None = row
        for name in path.split("."):
            kind = self._selected(kind, name, place)
            if kind is None:
                return None
        return kind

    def _walked(self, kind: GraphQLOutputType, path: str, place: Place) -> GraphQLOutputType | None:
        below = below_root(self.endpoint, path)
        return self._native(kind, below, place) if below else kind

    def _selected(
        self, kind: GraphQLOutputType | None, name: str, place: Place
    ) -> GraphQLOutputType | None:
        found = fields_in(kind).get(name)
        if found is None:
            self._no_field(kind, name, place)
            return None
        needed = [key for key, each in found.args.items() if is_required_argument(each)]
        if needed:
            what = f'the field "{name}" of the service needs the argument {needed[0]}'
            self.wrong(place, what, "Write a field without arguments that must be given.")
            return None
        return found.type

    def _no_field(self, kind: GraphQLOutputType | None, name: str, place: Place) -> None:
        if kind is not None and is_list_type(get_nullable_type(kind)):
            what = f'"{name}" lies within a list of the service'
            self.wrong(place, what, "Write a path without lists in it.")
            return
        within = str(get_named_type(kind)) if kind else "query"
        what = f'the type {within} of the service has no field "{name}"'
        self.wrong(place, what, instead(name, fields_in(kind)))

    def _leaf(self, kind: GraphQLOutputType, path: str, place: Place) -> bool:
        many = place == ("graphql", "answered")
        bare = get_nullable_type(kind)
        inner = get_nullable_type(bare.of_type) if many and is_list_type(bare) else bare
        if is_leaf_type(inner) and is_list_type(bare) is many:
            return True
        told = below_root(self.endpoint, path)
        what = f'"{told}" of the service is {kind}, no {"list of values" if many else "value"}'
        known = fields_in(kind)
        write = f"Write one of {', '.join(f'{told}.{name}' for name in known)}."
        self.wrong(place, what, write if known else "Write the path of another field.")
        return False

    def _argument(self, root: GraphQLField, path: str, place: Place) -> GraphQLInputType | None:
        known: Mapping[str, object] = root.args
        names = path.split(".")
        for depth, name in enumerate(names):
            if name not in known:
                within = ".".join((self.endpoint.path, *names[:depth]))
                what = f'{within} of the service takes no argument "{name}"'
                self.wrong(place, what, instead(name, known))
                return None
            kind = argument_type(root, ".".join(names[: depth + 1]))
            known = inputs_in(kind) if kind else {}
        return argument_type(root, path)

    def _operand(
        self,
        kind: GraphQLInputType,
        path: str,
        place: Place,
        asked: tuple[Column, str],
    ) -> None:
        column, operator = asked
        if operator == Operator.IN and not takes_list(kind):
            what = f'the argument "{path}" of the service takes one value ({kind}), not many'
            self.wrong(place, what, "Write an argument that takes a list.")
        storage = "boolean" if operator == Operator.IS_NULL else column.codec.storage
        if not can_be_given(kind, storage):
            what = f'the argument "{path}" of the service is {kind}, but the values are {storage}'
            self.wrong(place, what, "Write another argument, or the storage that the service has.")

    def _narrow(
        self, root: GraphQLField, kind: GraphQLInputType, place: Place, asked: tuple[str, str]
    ) -> None:
        """Note an argument that cannot say every value that rows may have."""
        name, operator = asked
        named = get_named_type(kind)
        row = self._row(root)
        if operator not in _EXACT or not (named.name == "Int" or is_enum_type(named)) or not row:
            return
        found: GraphQLOutputType | None = row
        for step in self.mapped.columns[name].native.split("."):
            inner = fields_in(found).get(step)
            found = inner.type if inner else None
        if found is not None and get_named_type(found) is not named:
            what = f"the service gives {name} as {get_named_type(found)}, but asks by {named}"
            self.wrong(place, what, "Write an argument of the field's own type.")

    def _row(self, root: GraphQLField) -> GraphQLOutputType | None:
        kind: GraphQLOutputType | None = root.type
        for name in filter(None, below_root(self.endpoint, self.endpoint.rows).split(".")):
            inner = fields_in(kind).get(name)
            kind = inner.type if inner else None
        bare = get_nullable_type(kind) if kind else None
        return bare.of_type if is_list_type(bare) else None

    def _required(self, root: GraphQLField) -> None:
        always = {path.split(".")[0] for _, path in _sent(self.endpoint)}
        keys = {parameter.split(".")[0] for parameter, _ in self.endpoint.by_key.values()}
        if len(self.endpoint.by_key) == 1 and not self.endpoint.scan:
            always |= keys
        for name, argument in root.args.items():
            if is_required_argument(argument) and name not in always:
                what = f'the argument "{name}" of the service must always be given'
                write = f"Write {name} = … in fixed under [entity.….graphql]."
                self.wrong(("graphql",), what, write)


def _sent(endpoint: Endpoint) -> Iterator[tuple[Place, str]]:
    """Yield the arguments that every question has, and where the file says so."""
    for path in endpoint.fixed:
        yield ("graphql", "fixed", *path.split(".")), path
    paging = endpoint.paging
    if paging and paging.size_parameter:
        yield ("graphql", "paging", "size_parameter"), paging.size_parameter
    if paging:
        yield ("graphql", "paging", "parameter"), paging.parameter


def _asked(endpoint: Endpoint) -> Iterator[tuple[Place, str, str, str]]:
    """Yield the arguments that keys and filters use, with field and operator."""
    for position, (name, (parameter, _)) in enumerate(endpoint.by_key.items()):
        yield ("pushdown", "by_key", position, "parameter"), parameter, name, Operator.IN
    for (name, operator), parameter in endpoint.parameters.items():
        yield ("pushdown", "filters", f"{name}.{operator}"), parameter, name, operator


def _told(endpoint: Endpoint) -> Iterator[tuple[Place, str]]:
    """Yield what is read of an answer besides its rows."""
    paging = endpoint.paging
    paths = {
        ("graphql", "total"): endpoint.total,
        ("graphql", "answered"): endpoint.answered,
        ("graphql", "paging", "next"): paging.next if paging else "",
        ("graphql", "paging", "more"): paging.more if paging else "",
    }
    return ((place, path) for place, path in paths.items() if path)
