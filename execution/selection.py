"""What a field's selection names, fragments opened and @skip/@include obeyed."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLIncludeDirective,
    GraphQLResolveInfo,
    GraphQLSkipDirective,
    InlineFragmentNode,
    SelectionNode,
    SelectionSetNode,
    get_directive_values,
)


def selected(info: GraphQLResolveInfo[Any], *paths: tuple[str, ...]) -> frozenset[str]:
    """
    Return the names of the fields selected beneath the field, at the ends of the paths.

    A path is field names from the field down: ("edges", "node"); () is the field itself. Type
    conditions are not looked at: what is named for any type is named.
    """
    return frozenset(
        name for path in paths for name in _beneath(info, tuple(info.field_nodes), path)
    )


def _beneath(
    info: GraphQLResolveInfo[Any], nodes: tuple[FieldNode, ...], path: tuple[str, ...]
) -> Iterable[str]:
    children: dict[str, list[FieldNode]] = {}
    for node in nodes:
        if node.selection_set is not None:
            for child in _fields(info, node.selection_set, set()):
                children.setdefault(child.name.value, []).append(child)
    if not path:
        return children
    return _beneath(info, tuple(children.get(path[0], ())), path[1:])


def _fields(
    info: GraphQLResolveInfo[Any], selection: SelectionSetNode, opened: set[str]
) -> Iterator[FieldNode]:
    for node in selection.selections:
        if not _included(node, info.variable_values):
            continue
        if isinstance(node, FieldNode):
            yield node
            continue
        inner = _inner(node, info.fragments, opened)
        if inner is not None:
            yield from _fields(info, inner, opened)


def _inner(
    node: SelectionNode, fragments: Mapping[str, Any], opened: set[str]
) -> SelectionSetNode | None:
    if isinstance(node, InlineFragmentNode):
        return node.selection_set
    if not isinstance(node, FragmentSpreadNode) or node.name.value in opened:
        return None
    opened.add(node.name.value)
    fragment = fragments[node.name.value]
    definition = getattr(fragment, "definition", fragment)
    return definition.selection_set if isinstance(definition, FragmentDefinitionNode) else None


def _included(node: SelectionNode, variables: Any) -> bool:
    skip = get_directive_values(GraphQLSkipDirective, node, variables)
    if skip and skip["if_" if "if_" in skip else "if"] is True:
        return False
    include = get_directive_values(GraphQLIncludeDirective, node, variables)
    return not (include and include["if_" if "if_" in include else "if"] is False)
