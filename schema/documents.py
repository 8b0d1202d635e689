"""
Documents that were asked lately: parsed, weighed and validated once.

Programs ask the same few texts again and again. A document depends on its text alone, what it
weighs on the limits besides, whether it is valid on the schema: each is remembered by what decides
it, of so many characters of text: a document takes up to 150 times the memory of its text, and its
plans several times that.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, Final, Generic, Protocol, TypeAlias, TypeVar

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    get_operation_ast,
    parse,
)
from strawberry.schema.schema import validate_document

from schema.limits import Limits, Weight, check_limits, check_text

_CHARACTERS: Final = 20_000
_CHARACTERS_IN_ALL: Final = 200_000
_DOCUMENTS: Final = 256

Found = TypeVar("Found")
Rules: TypeAlias = tuple[Any, ...]


class Validate(Protocol):
    """Says what is wrong with a document."""

    def __call__(self, text: str, document: DocumentNode, rules: Rules) -> list[GraphQLError]:
        """Return the errors; none where it is valid."""


class Operation:
    """One operation of a document; `name` is its own, whatever it was asked by."""

    __slots__ = ("_asked", "_document", "_limits", "_weight", "kind", "name")

    def __init__(
        self,
        document: DocumentNode,
        node: OperationDefinitionNode,
        asked: str | None,
        limits: Limits,
    ) -> None:
        self.kind: OperationType = node.operation
        self.name = node.name.value if node.name else None
        self._document = document
        self._asked = asked
        self._limits = limits
        self._weight: Weight | None = None

    def weight(self, variables: Mapping[str, object] | None) -> Weight:
        """
        Return what it weighs, found anew only where variables have a say.

        Raises: TooComplex.
        """
        if self._weight is not None:
            return self._weight
        found = check_limits(self._document, self._asked, variables, self._limits)
        if not found.varies:
            self._weight = found.operation
        return found.operation


class Document:
    """A text that may be parsed, and its operations."""

    __slots__ = ("_limits", "_operations", "node")

    def __init__(self, text: str, limits: Limits) -> None:
        check_text(text, limits)
        self.node = parsed(text)
        self._limits = limits
        self._operations: dict[str | None, Operation] = {}

    def operation(self, name: str | None) -> Operation | None:
        """Return the operation of this name, or the only one; None where it is not there."""
        known = self._operations.get(name)
        if known is None:
            node = get_operation_ast(self.node, name)
            if node is None:
                return None
            known = self._operations[name] = Operation(self.node, node, name, self._limits)
        return known


class Lately(Generic[Found]):
    """What is found of texts, remembered of those that were asked lately and are not long."""

    def __init__(self, find: Callable[..., Found]) -> None:
        self._find = find
        self._known: OrderedDict[tuple[Any, ...], Found] = OrderedDict()
        self._characters = 0

    def __call__(self, text: str, *besides: object) -> Found:
        """Return what is found of the text and what decides besides."""
        asked = (text, *besides)
        if asked in self._known:
            self._known.move_to_end(asked)
            return self._known[asked]
        found = self._find(text, *besides)
        if len(text) <= _CHARACTERS:
            self._known[asked] = found
            self._characters += len(text)
            self._forget()
        return found

    def _forget(self) -> None:
        while self._characters > _CHARACTERS_IN_ALL or len(self._known) > _DOCUMENTS:
            asked, _ = self._known.popitem(last=False)
            self._characters -= len(asked[0])


class Documents:
    """The documents asked lately, under the same limits."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._known = Lately(self._read)

    def read(self, text: str) -> Document:
        """
        Return the document.

        Raises: TooComplex, BadInput, GraphQLSyntaxError.
        """
        return self._known(text)

    def _read(self, text: str) -> Document:
        return Document(text, self._limits)


_parsed: Final = Lately(parse)


def parsed(text: str) -> DocumentNode:
    """
    Return the document, the same object where it is remembered.

    Raises: GraphQLSyntaxError.
    """
    return _parsed(text)


def validated_by(schema: GraphQLSchema) -> Validate:
    """Return what validates documents; what it remembers ends with the schema."""
    known = Lately(lambda text, rules: validate_document(schema, parsed(text), rules))

    def validated(text: str, document: DocumentNode, rules: Rules) -> list[GraphQLError]:
        is_known = len(text) <= _CHARACTERS and document is parsed(text)
        return known(text, rules) if is_known else validate_document(schema, document, rules)

    return validated
