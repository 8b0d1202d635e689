"""
What a document may cost, decided before anything is validated or read.

`check_text` scans the text once, so that parsing it is cheap. `check_limits` weighs each selection
once and each fragment once, after the fragments it spreads; a spread then costs one look-up,
however often it occurs. The work is linear in the document; fragments in a circle weigh nothing.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
    NullValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
)

from contract.errors import BadInput, TooComplex

CEILING: Final = 10**9
"""Beyond it numbers are all the same: far too many."""

MAXIMUM_DIGITS: Final = 19

_LEXEME: Final = re.compile(
    r'"""(?:\\"""|(?!""").)*+(?:"""|\Z)|"(?:\\.|[^"\\\n])*+"?|\#[^\n]*|[\w.]+|[^\s,]', re.DOTALL
)
_INTROSPECTION: Final = frozenset({"__schema", "__type"})
_PAGE: Final = frozenset({"nodes", "edges"})
_WRAPPERS: Final = frozenset({"nodes", "edges", "node", "pageInfo"})


@dataclass(frozen=True, slots=True)
class Limits:
    """
    How large a question may be.

    `nodes`: the objects it could return, pages within pages multiplied; a connection without
    `first` or `last` counts `page_size`, a plain list (its field is in `lists`) `list_size`.
    `nesting`: selection sets within one another, fragments included. `repeats`: fields of one
    selection set with the same name in the answer.
    """

    depth: int = 12
    aliases: int = 50
    root_fields: int = 20
    nodes: int = 10_000
    page_size: int = 20
    lists: frozenset[str] = frozenset()
    list_size: int = 5
    fields: int = 1_000
    fragments: int = 50
    repeats: int = 5
    nesting: int = 64
    introspection_depth: int = 16
    tokens: int = 5_000


@dataclass(slots=True)
class Weight:
    """What a selection amounts to with all its fragments; `is_page` where it has nodes or edges."""

    depth: int = 0
    introspection_depth: int = 0
    nesting: int = 0
    aliases: int = 0
    fields: int = 0
    root_fields: int = 0
    nodes: int = 0
    repeats: int = 0
    is_page: bool = False

    @property
    def cost(self) -> int:
        """Return what a question weighs for its account: the objects it may return, and fields."""
        return max(1, self.nodes + self.fields)

    def add(self, other: "Weight") -> None:
        """Put another selection beside it: depths do not add up, amounts do."""
        self.depth = max(self.depth, other.depth)
        self.introspection_depth = max(self.introspection_depth, other.introspection_depth)
        self.nesting = max(self.nesting, other.nesting)
        self.aliases = min(self.aliases + other.aliases, CEILING)
        self.fields = min(self.fields + other.fields, CEILING)
        self.root_fields = min(self.root_fields + other.root_fields, CEILING)
        self.nodes = min(self.nodes + other.nodes, CEILING)
        self.repeats = max(self.repeats, other.repeats)
        self.is_page = self.is_page or other.is_page

    def cover(self, other: "Weight") -> None:
        """Be no less than what may be counted in it already, as a fragment where it is spread."""
        self.nesting = max(self.nesting, other.nesting)
        self.aliases = max(self.aliases, other.aliases)
        self.fields = max(self.fields, other.fields)
        self.repeats = max(self.repeats, other.repeats)


@dataclass(frozen=True, slots=True)
class Measures:
    """The weight of the chosen operation and of everything; whether variables have a say in it."""

    operation: Weight
    document: Weight
    fragments: int
    visits: int
    varies: bool


def check_text(source: str, limits: Limits) -> None:
    """
    Refuse a text that would be costly to parse.

    Raises: TooComplex, BadInput.
    """
    level = 0
    for count, match in enumerate(_LEXEME.finditer(source)):
        if count >= limits.tokens:
            raise TooComplex(f"查询语句过长(超过 {limits.tokens} 个词),请分成几次查询。")
        lexeme = match[0]
        if lexeme in "{[(":
            level += 1
            if level > limits.nesting:
                raise TooComplex(f"查询语句括号嵌套超过 {limits.nesting} 层,请减少嵌套。")
        elif lexeme in "}])":
            level -= 1
        elif len(lexeme) > MAXIMUM_DIGITS and lexeme.isdigit():
            raise BadInput(f"查询语句中的整数最多 {MAXIMUM_DIGITS} 位;编号请加引号写成文本。")


def check_limits(
    document: DocumentNode,
    operation_name: str | None,
    variables: Mapping[str, object] | None,
    limits: Limits,
) -> Measures:
    """
    Refuse a document that asks for more than one answer may cost; return what it amounts to.

    Raises: TooComplex, saying what to narrow.
    """
    found = measures(document, operation_name, variables, limits)
    operation, everything = found.operation, found.document
    told = (
        (found.fragments, limits.fragments, "片段(fragment)过多,最多 {} 个,请合并片段。"),
        (everything.repeats, limits.repeats, "同一字段重复出现过多,最多 {} 次,请去掉重复的字段。"),
        (everything.nesting, limits.nesting, "片段套用超过 {} 层,请减少片段的层层引用。"),
        (everything.aliases, limits.aliases, "别名过多,最多 {} 个,请减少别名或分成几次查询。"),
        (everything.fields, limits.fields, "查询的字段过多,最多 {} 个,请只查询需要的字段。"),
        (operation.root_fields, limits.root_fields, "最外层最多 {} 项,请分成几次查询。"),
        (operation.depth, limits.depth, "查询最多嵌套 {} 层,请去掉最里层内容或分成几次查询。"),
        (
            operation.introspection_depth,
            limits.introspection_depth,
            "结构查询(__schema、__type)最多嵌套 {} 层,请减少 ofType 等的嵌套。",
        ),
        (
            operation.nodes,
            limits.nodes,
            "查询可能返回超过 {:,} 条记录,请减小 first 或 last、去掉内层列表或缩小区划范围。",
        ),
    )
    for amount, limit, message in told:
        if amount > limit:
            raise TooComplex(message.format(limit))
    return found


def measures(
    document: DocumentNode,
    operation_name: str | None,
    variables: Mapping[str, object] | None,
    limits: Limits,
) -> Measures:
    """Return what the document amounts to; an operation that is not there weighs nothing."""
    fragments = {
        node.name.value: node
        for node in document.definitions
        if isinstance(node, FragmentDefinitionNode)
    }
    operations = [
        node for node in document.definitions if isinstance(node, OperationDefinitionNode)
    ]
    chosen = _chosen(operations, operation_name)
    scale = _Scale(_numbers(chosen, variables), limits)
    for name in _dependencies_first(fragments):
        scale.fragments[name] = scale.weigh(fragments[name].selection_set)
    weights = [scale.weigh(node.selection_set) for node in operations]
    operation = weights[operations.index(chosen)] if chosen else Weight()
    everything = _together(weights)
    for weight in scale.fragments.values():
        everything.cover(weight)
    return Measures(operation, everything, len(fragments), scale.visits, scale.varies)


class _Scale:
    """Weighs selections, each once."""

    def __init__(self, numbers: Mapping[str, object], limits: Limits) -> None:
        self.fragments: dict[str, Weight] = {}
        self.visits = 0
        self.varies = False
        self._numbers = numbers
        self._limits = limits

    def weigh(self, selection_set: SelectionSetNode) -> Weight:
        total = _together(self._selection(node) for node in selection_set.selections)
        total.nesting += 1
        total.repeats = max(total.repeats, _repeats(selection_set))
        return total

    def _selection(self, node: SelectionNode) -> Weight:
        self.visits += 1
        match node:
            case FieldNode():
                return self._field(node)
            case FragmentSpreadNode():
                return self.fragments.get(node.name.value, Weight())
            case InlineFragmentNode():
                return self.weigh(node.selection_set)
            case _:
                return Weight()

    def _field(self, node: FieldNode) -> Weight:
        name = node.name.value
        inner = self.weigh(node.selection_set) if node.selection_set else Weight()
        is_introspection = name in _INTROSPECTION
        deeper = min(inner.depth + 1, CEILING)
        return Weight(
            depth=0 if is_introspection else deeper,
            introspection_depth=deeper if is_introspection else inner.introspection_depth,
            nesting=inner.nesting,
            aliases=min(inner.aliases + (node.alias is not None), CEILING),
            fields=min(inner.fields + 1, CEILING),
            root_fields=1,
            nodes=0 if is_introspection else self._nodes(node, inner),
            repeats=inner.repeats,
            is_page=name in _PAGE,
        )

    def _nodes(self, node: FieldNode, inner: Weight) -> int:
        if node.selection_set is None:
            return 0
        is_wrapper = node.name.value in _WRAPPERS and not node.arguments
        own = 0 if is_wrapper else 1
        return min(self._size(node, inner) * (own + inner.nodes), CEILING)

    def _size(self, node: FieldNode, inner: Weight) -> int:
        sizes = [
            self._number(argument.value)
            for argument in node.arguments or ()
            if argument.name.value in {"first", "last"}
        ]
        given = [size for size in sizes if size is not None]
        if given:
            return max(given)
        if inner.is_page:
            return self._limits.page_size
        return self._limits.list_size if node.name.value in self._limits.lists else 1

    def _number(self, node: ValueNode) -> int | None:
        page_size = self._limits.page_size
        value: object = node
        if isinstance(node, VariableNode):
            value, self.varies = self._numbers.get(node.name.value), True
        if isinstance(value, IntValueNode):
            value = int(value.value) if len(value.value) <= MAXIMUM_DIGITS else CEILING
        if isinstance(value, bool) or not isinstance(value, int):
            return None if value is None or isinstance(value, NullValueNode) else page_size
        return min(value, CEILING) if value >= 0 else page_size


def _together(weights: Iterable[Weight]) -> Weight:
    total = Weight()
    for weight in weights:
        total.add(weight)
    return total


def _repeats(selection_set: SelectionSetNode) -> int:
    names = [
        (node.alias or node.name).value
        for node in selection_set.selections
        if isinstance(node, FieldNode)
    ]
    if len(set(names)) == len(names):
        return 1
    return max(Counter(names).values())


def _chosen(
    operations: list[OperationDefinitionNode], name: str | None
) -> OperationDefinitionNode | None:
    if name is None:
        return operations[0] if len(operations) == 1 else None
    return next((node for node in operations if node.name and node.name.value == name), None)


def _numbers(
    operation: OperationDefinitionNode | None, variables: Mapping[str, object] | None
) -> Mapping[str, object]:
    defaults: dict[str, object] = {
        node.variable.name.value: node.default_value
        for node in (operation.variable_definitions or () if operation else ())
    }
    return {**defaults, **(variables or {})}


def _dependencies_first(fragments: Mapping[str, FragmentDefinitionNode]) -> list[str]:
    ordered: dict[str, None] = {}
    seen: set[str] = set()
    stack = [(name, False) for name in fragments]
    while stack:
        name, is_done = stack.pop()
        if is_done:
            ordered[name] = None
        elif name in fragments and name not in seen:
            seen.add(name)
            stack.append((name, True))
            stack.extend((spread, False) for spread in _spreads(fragments[name]))
    return list(ordered)


def _spreads(fragment: FragmentDefinitionNode) -> set[str]:
    names: set[str] = set()
    pending = [fragment.selection_set]
    while pending:
        for node in pending.pop().selections:
            if isinstance(node, FragmentSpreadNode):
                names.add(node.name.value)
            elif isinstance(node, FieldNode | InlineFragmentNode) and node.selection_set:
                pending.append(node.selection_set)
    return names
