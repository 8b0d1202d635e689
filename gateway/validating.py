"""Remembers which documents fit a schema, for as long as there is that schema."""

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any, Final

from strawberry.extensions import SchemaExtension, ValidationCache
from strawberry.schema.schema import validate_document

_DOCUMENTS: Final = 256


class Validating(ValidationCache):
    """Strawberry's cache is one for all schemas and would keep every schema there ever was."""

    def __init__(self, validate: Callable[..., Any]) -> None:
        SchemaExtension.__init__(self)
        self.cached_validate_document = validate


def validating() -> Callable[[], SchemaExtension]:
    """Return the extension with a cache of its own, for one schema."""
    return partial(Validating, lru_cache(maxsize=_DOCUMENTS)(validate_document))
