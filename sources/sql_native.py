"""
A predicate over fields turned into one over native columns: its shape, and apart from it, operands.

Two predicates that differ in operands alone have the same shape, so one statement serves both. To
keep shapes few, lists are filled to a power of two with their last operand. Knows no SQL.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain, product
from typing import Final, TypeAlias, TypeVar, assert_never

from contract.entity import UNKNOWN, Kind
from contract.predicate import (
    And,
    Comparison,
    Constant,
    Contains,
    Exists,
    In,
    IsNull,
    Leaf,
    Not,
    Operator,
    Or,
    Predicate,
    StartsWith,
    Truth,
    Within,
)
from contract.read import ForEach
from sources.codec import compared
from sources.declaration import Branch, Column, MappedEntity
from sources.sql_rows import is_plain_text

Operand = TypeVar("Operand")

GROUP: Final = 16
"""So many ranges stand side by side; more of them stand in groups, each within its own limits."""
_SMALLEST: Final = -(2**63)
_GREATEST: Final = 2**63 - 1
_LAST: Final = "\U0010ffff"


class Form(StrEnum):
    """What a test does with the native value; the operators of ranges as SQL writes them."""

    LT = "<"
    LTE = "<="
    GT = ">"
    GTE = ">="
    ONE_OF = "one of"
    NO_KNOWN = "no known code"
    NEVER = "false, or unknown for null"
    NULL = "null"
    CONTAINS = "contains"
    AMONG = "in one of so many ranges"


@dataclass(frozen=True, slots=True)
class Test:
    """A column against as many operands."""

    field: str
    form: Form
    operands: int = 0


@dataclass(frozen=True, slots=True)
class Always:
    """A truth that depends on no row."""

    truth: Truth


@dataclass(frozen=True, slots=True)
class Joined:
    """All of the parts, or any of them."""

    word: str  # AND, OR
    parts: tuple["Shape", ...]


@dataclass(frozen=True, slots=True)
class Negated:
    """The negation of a part."""

    part: "Shape"


@dataclass(frozen=True, slots=True)
class Related:
    """Some related row for which the part is true."""

    relationship: str
    part: "Shape"


@dataclass(frozen=True, slots=True)
class Scoped:
    """A division's texts; what no part holds is no place of the scope, or none at all."""

    field: str
    part: "Shape"


Shape: TypeAlias = Test | Always | Joined | Negated | Related | Scoped

_RANGES: Final = {
    Operator.LT: Form.LT,
    Operator.LTE: Form.LTE,
    Operator.GT: Form.GT,
    Operator.GTE: Form.GTE,
}
_INCLUSIVE: Final = {Form.LT: Form.LTE, Form.GTE: Form.GT}  # against what lies just below
_EXCLUSIVE: Final = {Form.LTE: Form.LT, Form.GT: Form.GTE}  # against what lies just above


class Lowering:
    """One predicate on its way; `operands` fill up in the order of the shape."""

    def __init__(self, entities: Mapping[str, MappedEntity], holds: Callable[[str], bool]) -> None:
        self.operands: list[object] = []
        self._entities = entities
        self._holds = holds

    def shape(self, predicate: Predicate, entity: MappedEntity) -> Shape:
        """Return the predicate over the entity's native columns."""
        match predicate:
            case Constant(truth):
                return Always(truth)
            case Not(inner):
                return Negated(self.shape(inner, entity))
            case And(parts):
                return Joined("AND", tuple(self.shape(part, entity) for part in parts))
            case Or(parts):
                return Joined("OR", tuple(self.shape(part, entity) for part in parts))
            case Exists(name, inner):
                target = entity.entity.relationships[name].target
                return Related(name, self.shape(inner, self._entities[target]))
            case _:
                return self._leaf(predicate, entity.columns[predicate.field])

    def keys(self, for_each: ForEach, entity: MappedEntity) -> tuple[object, ...]:
        """Return every native spelling of the keys as operands."""
        columns = [entity.columns[field] for field in for_each.fields]
        if len(columns) == 1:
            (column,) = columns
            values = [value for (value,) in for_each.keys]
            return _filled(tuple(dict.fromkeys(self._spelled(column, values))))
        spelled: dict[tuple[object, ...], None] = {}
        for key in for_each.keys:
            parts = zip(columns, key, strict=True)
            spelled |= dict.fromkeys(product(*(self._natives(*part) for part in parts)))
        return tuple(chain.from_iterable(_filled(tuple(spelled))))

    def _spelled(self, column: Column, values: list[object]) -> Iterable[object]:
        """Return every native spelling of the values, which often are texts and their own."""
        plain = is_plain_text(column) and set(map(type, values)) == {str}
        if plain and self._storable("".join(values)):  # type: ignore[arg-type] # texts all
            return values
        return chain.from_iterable(self._natives(column, value) for value in values)

    def _leaf(self, leaf: Leaf, column: Column) -> Shape:
        match leaf:
            case Comparison(field, Operator.EQ, operand):
                return self._one_of(field, column, (operand,))
            case Comparison(field, operator, operand):
                return self._range(field, column, _RANGES[operator], operand)
            case In(field, operands):
                return self._one_of(field, column, operands)
            case IsNull(field):
                return Test(field, Form.NULL)
            case StartsWith(field, prefix):
                return self._beginning(field, prefix)
            case Within(field, division):
                return self._within(field, column, division)
            case Contains(field, text):
                return self._taken(field, Form.CONTAINS, text)
            case _:
                assert_never(leaf)

    def _one_of(self, field: str, column: Column, operands: Iterable[object]) -> Shape:
        operands = tuple(operands)
        natives = dict.fromkeys(
            native for operand in operands for native in self._natives(column, operand)
        )
        parts: list[Shape] = []
        if natives:
            parts.append(self._listed(field, natives))
        if column.field.kind is Kind.CODE and UNKNOWN in operands:
            parts.append(Test(field, Form.NO_KNOWN))
        return _joined("OR", parts) if parts else Test(field, Form.NEVER)

    def _listed(self, field: str, natives: Iterable[object]) -> Test:
        filled = _filled(tuple(natives))
        self.operands += filled
        return Test(field, Form.ONE_OF, len(filled))

    def _natives(self, column: Column, value: object) -> list[object]:
        return [native for native in column.codec.encode(value) if self._storable(native)]

    def _storable(self, native: object) -> bool:
        if isinstance(native, str):
            return self._holds(native) and _surrogate(native) is None
        return not isinstance(native, int) or _SMALLEST <= native <= _GREATEST

    def _range(self, field: str, column: Column, form: Form, operand: object) -> Shape:
        if column.codec.ordered:
            operator, native = compared(column.codec, Operator[form.name], operand)
            form = _RANGES[operator]
        else:
            native = operand  # a number that the system writes as one and we as a text
        if isinstance(native, str):
            return self._text_range(field, form, native)
        if isinstance(native, int) and native > _GREATEST:
            return self._taken(field, _INCLUSIVE.get(form, form), _GREATEST)
        if isinstance(native, int) and native < _SMALLEST:
            return self._taken(field, _EXCLUSIVE.get(form, form), _SMALLEST)
        return self._taken(field, form, native)

    def _text_range(self, field: str, form: Form, bound: str) -> Test:
        """Compare with the nearest text that the system can hold."""
        broken = _surrogate(bound)
        if broken is not None:
            bound, form = bound[:broken] + "\ue000", _EXCLUSIVE.get(form, form)
        if not self._holds(bound):
            bound, form = bound[: bound.index("\0")], _INCLUSIVE.get(form, form)
        return self._taken(field, form, bound)

    def _beginning(self, field: str, prefix: str) -> Shape:
        if not self._storable(prefix):
            return Test(field, Form.NEVER)
        parts: list[Shape] = [self._taken(field, Form.GTE, prefix)]
        behind = _after(prefix)
        if behind:
            parts.append(self._taken(field, Form.LT, behind))
        return _joined("AND", parts)

    def _within(self, field: str, column: Column, division: str) -> Shape:
        places = column.codec.places
        if places is None or not self._storable(division):
            return Test(field, Form.NEVER)
        span = places.within(division)
        plain = tuple(branch.prefix for branch in span.branches if not branch.without)
        parts = [self._among(field, plain)] if plain else []
        parts += [self._pruned(field, branch) for branch in span.branches if branch.without]
        if parts and span.but:
            parts = [Joined("AND", (_joined("OR", parts), Negated(self._listed(field, span.but))))]
        if span.among:
            parts.append(self._listed(field, span.among))
        return Scoped(field, _joined("OR", parts)) if parts else Test(field, Form.NEVER)

    def _pruned(self, field: str, branch: Branch) -> Shape:
        whole = self._among(field, (branch.prefix,))
        return Joined("AND", (whole, Negated(self._among(field, branch.without))))

    def _among(self, field: str, prefixes: tuple[str, ...]) -> Shape:
        """Ask for everything that begins with one of the prefixes, which are in order."""
        ranges = merged(prefixes)
        if not ranges[-1][1]:  # the empty prefix, or one behind which there is no text
            return self._taken(field, Form.GTE, ranges[0][0])
        self.operands += limits(_filled(ranges))
        return Test(field, Form.AMONG, 1 << (len(ranges) - 1).bit_length())

    def _taken(self, field: str, form: Form, operand: object) -> Test:
        if isinstance(operand, str) and form is Form.CONTAINS and not self._storable(operand):
            return Test(field, Form.NEVER)
        self.operands.append(operand)
        return Test(field, form, 1)


def merged(prefixes: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Return the half-open ranges of texts that begin so, those put together that touch."""
    ranges: list[tuple[str, str]] = []
    for prefix in prefixes:
        if ranges and ranges[-1][1] == prefix:
            ranges[-1] = (ranges[-1][0], _after(prefix))
        else:
            ranges.append((prefix, _after(prefix)))
    return tuple(ranges)


def limits(ranges: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    """Return the ranges' limits in the order of a statement, the limits of a group before it."""
    if len(ranges) <= GROUP:
        return tuple(chain.from_iterable(ranges))
    groups = [ranges[start : start + GROUP] for start in range(0, len(ranges), GROUP)]
    return tuple(
        chain.from_iterable((group[0][0], group[-1][1], *limits(group)) for group in groups)
    )


def _filled(operands: tuple[Operand, ...]) -> tuple[Operand, ...]:
    if not operands:
        return ()
    wanted = 1 << (len(operands) - 1).bit_length()
    return operands + operands[-1:] * (wanted - len(operands))


def _joined(word: str, parts: list[Shape]) -> Shape:
    return parts[0] if len(parts) == 1 else Joined(word, tuple(parts))


def _surrogate(text: str) -> int | None:
    """Return where half a character stands, which no encoding can write."""
    if text.isascii():
        return None
    return next((at for at, char in enumerate(text) if "\ud800" <= char <= "\udfff"), None)


def _after(prefix: str) -> str:
    """Return the first text behind all that begin with the prefix; empty where there is none."""
    kept = prefix.rstrip(_LAST)
    if not kept:
        return ""
    following = "\ue000" if kept[-1] == "\ud7ff" else chr(ord(kept[-1]) + 1)
    return kept[:-1] + following
