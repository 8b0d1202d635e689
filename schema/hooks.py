"""
Strawberry's hooks around an operation, without the work for those that no extension has.

What is known of a document is handed over where Strawberry would parse and validate it.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import lru_cache
from inspect import isgeneratorfunction
from types import TracebackType
from typing import Any, Final, TypeAlias

from strawberry.extensions import SchemaExtension
from strawberry.extensions.runner import SchemaExtensionsRunner
from strawberry.types import ExecutionContext
from strawberry.utils.await_maybe import await_maybe

from schema.documents import Validate, parsed

_HOOKS: Final = ("on_operation", "on_parse", "on_validate", "on_execute")
_NOTHING: Final = nullcontext()

Kinds: TypeAlias = tuple[type[SchemaExtension], ...]
Enter: TypeAlias = Callable[[SchemaExtension], AbstractContextManager[None]]


class Hooks(SchemaExtensionsRunner):
    """Runs the hooks of one request's extensions."""

    def __init__(
        self, context: ExecutionContext, extensions: list[SchemaExtension], validate: Validate
    ) -> None:
        super().__init__(context, extensions)
        self._hooked = _hooked(tuple(map(type, extensions)))
        self._validate = validate

    def operation(self) -> Any:
        """Return what surrounds the operation."""
        return self._around("on_operation", super().operation)

    def parsing(self) -> Any:
        """
        Return what surrounds parsing; there is nothing to parse, unless an extension sees to it.

        Raises: GraphQLSyntaxError.
        """
        context = self.execution_context
        if "on_parse" not in self._hooked and context.query and not context.parse_options:
            context.graphql_document = context.graphql_document or parsed(context.query)
        return self._around("on_parse", super().parsing)

    def validation(self) -> Any:
        """Return what surrounds validation; its result is there, unless an extension sees to it."""
        context = self.execution_context
        text, document, rules = context.query, context.graphql_document, context.validation_rules
        if "on_validate" not in self._hooked and text and document is not None and rules:
            context.pre_execution_errors = self._validate(text, document, rules)
        return self._around("on_validate", super().validation)

    def executing(self) -> Any:
        """Return what surrounds the execution."""
        return self._around("on_execute", super().executing)

    async def get_extensions_results(self, ctx: ExecutionContext) -> dict[str, Any]:
        """Return what the extensions add to the answer."""
        data: dict[str, Any] = {}
        for extension in self.extensions:
            found = extension.get_results()
            data.update(found if type(found) is dict else await await_maybe(found))
        data.update(ctx.extensions_results)
        return data

    def _around(self, name: str, several: Callable[[], Any]) -> Any:
        hook = self._hooked.get(name)
        if hook is None:
            return _NOTHING
        place, enter = hook
        return several() if enter is None else _Around(enter(self.extensions[place]))


class _Around:
    """One hook as Strawberry enters and leaves it; nothing it does hides an error."""

    __slots__ = ("_hook",)

    def __init__(self, hook: AbstractContextManager[None]) -> None:
        self._hook = hook

    async def __aenter__(self) -> None:
        self._hook.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._hook.__exit__(kind, error, trace)


@lru_cache(maxsize=64)
def _hooked(kinds: Kinds) -> Mapping[str, tuple[int, Enter | None]]:
    """
    Return the hooks that extensions of these kinds have, by name.

    Each with the place of the first extension that has it, and what enters it where that is the
    only one and a plain generator.
    """
    found = {}
    for name in _HOOKS:
        plain = getattr(SchemaExtension, name)
        hooks = [getattr(kind, name) for kind in kinds]
        places = [place for place, hook in enumerate(hooks) if hook is not plain]
        if places:
            hook = hooks[places[0]]
            is_simple = len(places) == 1 and isgeneratorfunction(hook)
            found[name] = (places[0], contextmanager(hook) if is_simple else None)
    return found
