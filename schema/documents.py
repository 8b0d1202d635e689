"""
Documents that were asked lately: parsed, weighed and validated once.

Programs ask the same few texts again and again. A document depends on its text alone, what it
weighs on the limits besides, whether it is valid on the schema: each is remembered by what decides
it, of so many texts, none of them long.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, Protocol, TypeAlias

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

_DOCUMENTS: Final = 256
_CHARACTERS: Final = 20_000

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


class Documents:
    """The documents asked lately, under the same limits."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._known = lru_cache(maxsize=_DOCUMENTS)(self._read)

    def read(self, text: str) -> Document:
        """
        Return the document.

        Raises: TooComplex, BadInput, GraphQLSyntaxError.
        """
        return self._known(text) if _is_kept(text) else self._read(text)

    def _read(self, text: str) -> Document:
        return Document(text, self._limits)


def parsed(text: str) -> DocumentNode:
    """
    Return the document, the same object where it is remembered.

    Raises: GraphQLSyntaxError.
    """
    return _parsed(text) if _is_kept(text) else parse(text)


def validated_by(schema: GraphQLSchema) -> Validate:
    """Return what validates documents; what it remembers ends with the schema."""

    @lru_cache(maxsize=_DOCUMENTS)
    def known(text: str, rules: Rules) -> list[GraphQLError]:
        return validate_document(schema, parsed(text), rules)

    def validated(text: str, document: DocumentNode, rules: Rules) -> list[GraphQLError]:
        return known(text, rules) if _is_kept(text) else validate_document(schema, document, rules)

    return validated


@lru_cache(maxsize=_DOCUMENTS)
def _parsed(text: str) -> DocumentNode:
    return parse(text)


def _is_kept(text: str) -> bool:
    return len(text) <= _CHARACTERS
