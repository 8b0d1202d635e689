"""What a field's selection names, fragments opened and @skip/@include obeyed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from graphql import (
    BooleanValueNode,
    EnumValueNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLResolveInfo,
    InlineFragmentNode,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
)


def selected(
    info: GraphQLResolveInfo[Any], *paths: tuple[str, ...], beside: bool = False
) -> frozenset[str]:
    """
    Return the names of the fields selected beneath the field, at the ends of the paths.

    A path is field names from the field down: ("edges", "node"); () is the field itself. Type
    conditions are not looked at: what is named for any type is named. `beside`: for a set
    resolver, also what is named by fields beside it that ask the same.
    """
    known: dict[Any, frozenset[str]] = getattr(info, "known", {})  # of a set resolver
    names = known.get((beside, paths))
    if names is None:
        nodes = tuple(getattr(info, "asked" if beside else "field_nodes", info.field_nodes))
        found = (name for path in paths for name in _beneath(info, nodes, path))
        names = known[beside, paths] = frozenset(found)
    return names


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
    for directive in node.directives or ():
        name = directive.name.value
        if name in ("skip", "include"):
            (argument,) = directive.arguments or ()
            if _truth(argument.value, variables) is (name == "skip"):
                return False
    return True


def _truth(value: ValueNode, variables: Any) -> bool:
    if isinstance(value, VariableNode):
        # graphql-core keeps them with where they came from, Strawberry as they are.
        known: Mapping[str, object] = getattr(variables, "coerced", variables)
        return known.get(value.name.value) is True
    return isinstance(value, BooleanValueNode) and value.value


def named(info: GraphQLResolveInfo[Any], *path: str) -> Sequence[FieldNode]:
    """Return the fields selected beneath a path of names, each as the document has it."""
    nodes: Sequence[FieldNode] = info.field_nodes
    for step in (*path, ""):
        children = [
            child
            for node in nodes
            if node.selection_set is not None
            for child in _fields(info, node.selection_set, set())
        ]
        nodes = [child for child in children if child.name.value == step] if step else children
    return nodes


def argument_of(info: GraphQLResolveInfo[Any], node: FieldNode, name: str) -> object:
    """Return the name or value that a field's argument is given as an enum; None for none."""
    given = next((each.value for each in node.arguments or () if each.name.value == name), None)
    if isinstance(given, EnumValueNode):
        return given.value
    if isinstance(given, VariableNode):
        variables: Any = info.variable_values
        found: object = getattr(variables, "coerced", variables).get(given.name.value)
        return found
    return None
