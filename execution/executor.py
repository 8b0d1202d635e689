"""
The executor: graphql-core's own, with everything beneath the root selection run level by level.

graphql-core goes on coercing variables, choosing the operation, building the response, and running
what is not ours: @defer and @stream, and executions that can be aborted.
"""

from collections.abc import Awaitable
from typing import Any, Final
from weakref import ref

from graphql import (
    FragmentDefinitionNode,
    GraphQLObjectType,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
)
from graphql.execution import Executor
from graphql.execution.executor import default_field_resolver
from graphql.execution.incremental import IncrementalExecutor
from graphql.pyutils.is_awaitable import is_awaitable

from execution import resolving
from execution.leaves import Column
from execution.plan import PlannedField, Selection, note_alike
from execution.positions import Root
from execution.run import NULLED, Pending, Run
from execution.selecting import selected, serially

TOLD_BY_TYPE: Final = {is_awaitable}
"""The functions that tell by a value's type alone whether it is awaited."""

_INTERNALS: Final = (
    "complete_leaf_value",
    "complete_list_item_value",
    "complete_value",
    "execute_field",
    "execute_fields",
    "execute_fields_serially",
    "handle_field_error",
)
_PLANS: Final = "breadth-first plans"
_MOST_VARIANTS: Final = 8  # a plan takes up to 200 times the memory of its text


class Compiled:
    """
    What is known of an operation, as long as its document lives.

    `steering` are the variables that decide in @skip and @include; for each of their values there
    is a plan, for as many of them as may be kept.
    """

    __slots__ = ("is_incremental", "is_kept", "plans", "steering")

    def __init__(
        self,
        operation: OperationDefinitionNode,
        fragments: dict[str, FragmentDefinitionNode],
    ) -> None:
        self.plans: dict[tuple[Any, ...], Selection] = {}
        self.is_kept = not any(each.variable_definitions for each in fragments.values())
        selections = [operation.selection_set, *(each.selection_set for each in fragments.values())]
        directives = [each for selection in selections for each in _directives(selection)]
        self.is_incremental = any(each.name.value in ("defer", "stream") for each in directives)
        self.steering = tuple(
            dict.fromkeys(
                argument.value.name.value
                for each in directives
                if each.name.value in ("skip", "include")
                for argument in each.arguments or ()
                if isinstance(argument.value, VariableNode)
            )
        )


class Operations:
    """
    What is known of the operations of documents that are still there.

    By identity: operations that are written alike may stand in other places of their documents.
    """

    def __init__(self) -> None:
        self._known: dict[int, tuple[ref[OperationDefinitionNode], Compiled]] = {}

    def compiled(
        self,
        operation: OperationDefinitionNode,
        fragments: dict[str, FragmentDefinitionNode],
    ) -> Compiled:
        """Return what is known of an operation, looked at once."""
        place = id(operation)
        known = self._known.get(place)
        if known is None:
            watched = ref(operation, lambda _: self._known.pop(place, None))
            known = self._known[place] = (watched, Compiled(operation, fragments))
        return known[1]


class BreadthFirst(Executor[Any]):
    """
    A graphql-core executor that runs set resolvers, and every other field, level by level.

    A field's definition may have `resolve_set(parents, info, **arguments)`.
    """

    def execute_root_grouped_field_set(
        self,
        root_type: GraphQLObjectType,
        root_value: Any,
        grouped_field_set: Any,
        serially: bool,  # noqa: FBT001 -- graphql-core's
        position_context: Any,
    ) -> Any:
        """Return the operation's data, or an awaitable of it."""
        compiled = self._operation()
        if (
            compiled.is_incremental
            or self.abort_signal is not None
            or position_context is not None
            or _is_changed(type(self))
        ):
            return self.depth_first(
                root_type, root_value, grouped_field_set, serially, position_context
            )
        selection = self._planned(compiled, root_type, grouped_field_set)
        return self._run(selection, root_value, is_serial=serially)

    def depth_first(self, *given: Any) -> Any:
        """Return the operation's data as graphql-core's own executor finds it."""
        return super().execute_root_grouped_field_set(*given)

    def planned_beneath(self, runtime: GraphQLObjectType, field: PlannedField) -> Selection:
        """
        Return the plan of what is selected beneath a field of an object type.

        Raises: GraphQLError where selections are nested too deeply.
        """
        return self._selection(runtime, self.collect_subfields(runtime, field.details)[0])

    def plan(self, field: PlannedField) -> None:
        """Choose how the field is resolved."""
        definition = field.definition
        together = getattr(definition, "resolve_set", None)
        if field.name == "__typename":
            field.resolve = resolving.typename
        elif self._is_hooked:
            field.resolve = resolving.each
        elif together is not None:
            field.call, field.resolve = together, resolving.together
        elif definition.resolve is None and self.field_resolver is default_field_resolver:
            field.resolve = resolving.default
        else:
            field.resolve = resolving.each

    @property
    def _is_hooked(self) -> bool:
        """Return whether something wants to be called for each field of each object."""
        return bool(self.middleware_manager and self.middleware_manager.middlewares)

    def _operation(self) -> Compiled:
        extensions = self.schema.extensions  # so that plans end with their schema
        known = extensions.get(_PLANS)
        if known is None:
            known = extensions[_PLANS] = Operations()
        return known.compiled(self.operation, self.fragment_definitions)

    def _planned(self, compiled: Compiled, root_type: GraphQLObjectType, grouped: Any) -> Selection:
        known = self.variable_values.coerced
        resolver = self.field_resolver
        variant = (
            self._is_hooked,
            None if resolver is default_field_resolver else resolver,
            *(known.get(name) for name in compiled.steering),
        )
        selection = compiled.plans.get(variant) if compiled.is_kept else None
        if selection is None:
            selection = self._selection(root_type, grouped)
            if compiled.is_kept:
                if len(compiled.plans) >= _MOST_VARIANTS:
                    compiled.plans.clear()
                compiled.plans[variant] = selection
        return selection

    def _selection(self, parent: GraphQLObjectType, grouped: Any) -> Selection:
        fields: list[PlannedField] = []
        for details in grouped.values():
            definition = self.schema.get_field(parent, details[0].node.name.value)
            if definition is not None:
                field = PlannedField(len(fields), details, definition, parent)
                self.plan(field)
                fields.append(field)
        note_alike([field for field in fields if field.resolve is resolving.together])
        return Selection(parent, fields)

    def _run(self, selection: Selection, root: Any, *, is_serial: bool) -> Any:
        told = self.is_awaitable
        is_sync = getattr(told, "__name__", "") == "assume_not_awaitable"
        run = Run(self, by_type=told in TOLD_BY_TYPE, is_sync=is_sync)
        if is_serial:
            answer = serially(run, selection, root, Root())
        else:
            answer = selected(run, selection, [root], Root())
        if type(answer) is Pending:
            return self._ended_later(run, answer.work)
        return self._ended(run, answer)  # type: ignore[arg-type] # the union's other half

    async def _ended_later(self, run: Run, work: Awaitable[Column]) -> Any:
        return self._ended(run, await work)

    def _ended(self, run: Run, column: Column) -> Any:
        """
        Return the operation's data.

        Raises: GraphQLError, the one that makes the whole of it null.
        """
        data = column[0]
        if run.has_errors:
            errors = run.report()
            fatal = errors.pop() if data is NULLED else None
            self.collected_errors.errors.extend(errors)
            if fatal is not None:
                raise fatal
        return data


class BreadthFirstExecutor(BreadthFirst, IncrementalExecutor):
    """For plain graphql-core: `execute(…, executor_class=BreadthFirstExecutor)`."""


def _is_changed(executor: type[Executor[Any]]) -> bool:
    """Return whether somebody has rewritten what we would go around."""
    return any(getattr(executor, name) is not getattr(Executor, name) for name in _INTERNALS)


def _directives(selection_set: SelectionSetNode) -> list[Any]:
    found: list[Any] = []
    waiting = [selection_set]
    while waiting:
        for node in waiting.pop().selections:
            found.extend(node.directives or ())
            inner = getattr(node, "selection_set", None)
            if inner is not None:
                waiting.append(inner)
    return found
