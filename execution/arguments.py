"""The arguments of a set resolver: those that stand in the document are coerced once a plan."""

from collections.abc import Iterable, Mapping
from typing import Any

from graphql.execution.values import coerce_argument

from execution.plan import PlannedField
from execution.run import Run


def bound(run: Run, field: PlannedField) -> Mapping[str, Any]:
    """
    Return what the field's set resolver is called with, besides its parents.

    Raises: GraphQLError.
    """
    if field.bound is None:
        fixed = [name for name in field.definition.args if name not in field.varying]
        field.bound = field.bind(_coerced(run, field, fixed))
    if not field.varying:
        return field.bound
    return {**field.bound, **field.bind(_coerced(run, field, field.varying))}


def _coerced(run: Run, field: PlannedField, names: Iterable[str]) -> dict[str, Any]:
    detail, executor = field.details[0], run.executor
    given = {node.name.value: node for node in detail.node.arguments or ()}
    coerced: dict[str, Any] = {}
    for name in names:
        coerce_argument(
            coerced,
            detail.node,
            name,
            field.definition.args[name],
            given.get(name),
            executor.variable_values,
            detail.fragment_variable_values,
            executor.hide_suggestions,
        )
    return coerced
