"""
The predicate algebra: one language for a user's filter and a policy's row rule.

Truth is three-valued as in SQL (True, False, None for unknown), written once, in `evaluator`:

    comparison with null            unknown
    not unknown                     unknown
    false and unknown = false       true or unknown = true
    a row is kept                   only where the predicate is true

Strings compare by code point, case and trailing blanks count. Decimals compare by value, times by
instant. An INVALID value is null in every respect: what nobody can read, nobody can ask for.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from operator import attrgetter, eq, ge, gt, le, lt
from typing import Any, Final, TypeAlias, TypeVar, assert_never, dataclass_transform

Value: TypeAlias = str | int | Decimal | bool | date | datetime
Truth: TypeAlias = bool | None
Row: TypeAlias = Sequence[object]


class _Invalid:
    """What a source sent and nobody can read; there is one."""

    def __repr__(self) -> str:
        return "INVALID"


INVALID: Final = _Invalid()


class Operator(StrEnum):
    """What a leaf of a predicate does; the names a capability is claimed by."""

    EQ = "eq"
    LT = "lt"
    LTE = "lte"
    GT = "gt"
    GTE = "gte"
    IN = "in"
    IS_NULL = "isNull"
    STARTS_WITH = "startsWith"
    CONTAINS = "contains"
    WITHIN = "within"
    EXISTS = "exists"


Made = TypeVar("Made")


class _Hashed:
    """Room for a hash, so that asking what is remembered of a predicate walks it once."""

    __slots__ = ("_hash",)


@dataclass_transform(frozen_default=True)
def _predicate(kind: type[Made]) -> type[Made]:
    """Make a frozen dataclass whose objects compute their hash once."""
    made: Any = dataclass(frozen=True, slots=True)(kind)
    values = attrgetter(*made.__match_args__)

    def hash_once(self: Any) -> int:
        try:
            found: int = self._hash
        except AttributeError:
            found = hash((kind.__name__, values(self)))
            object.__setattr__(self, "_hash", found)
        return found

    made.__hash__ = hash_once
    hashed: type[Made] = made
    return hashed


@_predicate
class Constant(_Hashed):
    """A truth that depends on no row."""

    truth: Truth


@_predicate
class Comparison(_Hashed):
    """A field against one operand, by EQ, LT, LTE, GT or GTE."""

    field: str
    operator: Operator
    operand: Value


@_predicate
class In(_Hashed):
    """A field equal to one of the operands; false for none of them."""

    field: str
    operands: tuple[Value, ...]


@_predicate
class IsNull(_Hashed):
    """A field that has no value."""

    field: str


@_predicate
class StartsWith(_Hashed):
    """A text field that begins with the prefix."""

    field: str
    prefix: str


@_predicate
class Contains(_Hashed):
    """A text field that has the text in it."""

    field: str
    text: str


@_predicate
class Within(_Hashed):
    """A division field at or beneath the division (a code of significant digits)."""

    field: str
    division: str


@_predicate
class Not(_Hashed):
    """The negation; unknown stays unknown."""

    predicate: "Predicate"


@_predicate
class And(_Hashed):
    """Every one of the predicates; build it with `all_of`."""

    predicates: tuple["Predicate", ...]


@_predicate
class Or(_Hashed):
    """At least one of the predicates; build it with `any_of`."""

    predicates: tuple["Predicate", ...]


@_predicate
class Exists(_Hashed):
    """
    Some related row for which the predicate is true; never unknown.

    `by_key`: the related rows may be asked for by key alone and never be listed, since what the
    caller may see of them is told by the row asked about.
    """

    relationship: str
    predicate: "Predicate"
    by_key: bool = False


Leaf: TypeAlias = Comparison | In | IsNull | StartsWith | Contains | Within
Predicate: TypeAlias = Constant | Leaf | Not | And | Or | Exists

TRUE: Final = Constant(truth=True)
FALSE: Final = Constant(truth=False)

Test: TypeAlias = Callable[[Row], Truth]
Related: TypeAlias = Callable[[Exists], Test]

_COMPARE: Final[Mapping[Operator, Callable[[Any, Any], bool]]] = {
    Operator.EQ: eq,
    Operator.LT: lt,
    Operator.LTE: le,
    Operator.GT: gt,
    Operator.GTE: ge,
}


def all_of(*predicates: Predicate) -> Predicate:
    """Return what is true where every predicate is; TRUE where there is none."""
    parts: dict[Predicate, None] = {}
    for predicate in predicates:
        for part in predicate.predicates if isinstance(predicate, And) else (predicate,):
            parts[part] = None
    if FALSE in parts:
        return FALSE
    parts.pop(TRUE, None)
    return _joined(And, tuple(parts), TRUE)


def any_of(*predicates: Predicate) -> Predicate:
    """Return what is true where some predicate is; FALSE where there is none."""
    parts: dict[Predicate, None] = {}
    for predicate in predicates:
        for part in predicate.predicates if isinstance(predicate, Or) else (predicate,):
            parts[part] = None
    if TRUE in parts:
        return TRUE
    parts.pop(FALSE, None)
    return _joined(Or, tuple(parts), FALSE)


def one_of(fields: Sequence[str], keys: Iterable[Sequence[object]]) -> Predicate:
    """Return what is true of the rows whose fields equal one of the keys; no key has a null."""
    if len(fields) == 1:
        return In(fields[0], tuple(key[0] for key in keys))  # type: ignore[misc] # values of a field
    pairs = (zip(fields, key, strict=True) for key in keys)
    return any_of(*(all_of(*(_equal(*pair) for pair in key)) for key in pairs))


def relates(key: Sequence[object]) -> bool:
    """Return whether a key can have a related row: null and what nobody can read have none."""
    return None not in key and INVALID not in key


def _equal(field: str, value: object) -> Predicate:
    return Comparison(field, Operator.EQ, value)  # type: ignore[arg-type] # a value of the field


def negation(predicate: Predicate) -> Predicate:
    """Return what is true where the predicate is false."""
    if isinstance(predicate, Constant):
        return Constant(None if predicate.truth is None else not predicate.truth)
    return predicate.predicate if isinstance(predicate, Not) else Not(predicate)


def conjuncts(predicate: Predicate) -> tuple[Predicate, ...]:
    """Return the predicates that must all be true; none for TRUE."""
    if predicate == TRUE:
        return ()
    return predicate.predicates if isinstance(predicate, And) else (predicate,)


def walk(predicate: Predicate) -> Iterator[Predicate]:
    """Yield the predicate and what it is made of, without what Exists says of other rows."""
    yield predicate
    match predicate:
        case Not(inner):
            yield from walk(inner)
        case And(parts) | Or(parts):
            for part in parts:
                yield from walk(part)
        case _:
            pass


def fields_of(predicate: Predicate) -> frozenset[str]:
    """Return the fields of the entity's own row that the predicate names."""
    return frozenset(part.field for part in walk(predicate) if isinstance(part, Leaf))


def relations_of(predicate: Predicate) -> tuple[Exists, ...]:
    """Return every question the predicate asks of related rows, outermost ones only."""
    return tuple(part for part in walk(predicate) if isinstance(part, Exists))


def rewritten(predicate: Predicate, change: Callable[[Predicate], Predicate]) -> Predicate:
    """Return the predicate with `change` applied to every leaf, constant and Exists."""
    match predicate:
        case Not(inner):
            return negation(rewritten(inner, change))
        case And(parts):
            return all_of(*(rewritten(part, change) for part in parts))
        case Or(parts):
            return any_of(*(rewritten(part, change) for part in parts))
        case _:
            return change(predicate)


def evaluate(predicate: Predicate, row: Mapping[str, object]) -> Truth:
    """Return the truth of the predicate for one row given by name."""
    return evaluator(predicate, tuple(row))(tuple(row.values()))


def evaluator(predicate: Predicate, fields: Sequence[str], related: Related | None = None) -> Test:
    """
    Return a function from a row to the predicate's truth.

    Shape:  rows are sequences in the order of `fields`; `related` answers Exists for a row.
    Raises: KeyError for a field that the rows do not have; TypeError for Exists without `related`.
    """
    places = {name: place for place, name in enumerate(fields)}
    return _compiled(predicate, places, related)


def _compiled(predicate: Predicate, places: Mapping[str, int], related: Related | None) -> Test:
    match predicate:
        case Constant(truth):
            return lambda row: truth
        case Not(inner):
            return _not(_compiled(inner, places, related))
        case And(parts):
            return _and([_compiled(part, places, related) for part in parts])
        case Or(parts):
            return _or([_compiled(part, places, related) for part in parts])
        case Exists():
            if related is None:
                raise TypeError("Exists needs the related rows")
            return related(predicate)
        case IsNull(field):
            place = places[field]
            return lambda row: row[place] is None or row[place] is INVALID
        case _:
            return _known(places[predicate.field], _leaf(predicate))


def _leaf(
    leaf: Comparison | In | StartsWith | Contains | Within,
) -> Callable[[object], bool]:
    match leaf:
        case Comparison(_, operator, operand):
            compare = _COMPARE[operator]
            return lambda value: compare(value, operand)
        case In(_, operands):
            wanted = frozenset(operands)
            return lambda value: value in wanted
        case StartsWith(_, prefix) | Within(_, prefix):
            return lambda value: str(value).startswith(prefix)
        case Contains(_, text):
            return lambda value: text in str(value)
        case _:
            assert_never(leaf)


def _known(place: int, test: Callable[[object], bool]) -> Test:
    def truth(row: Row) -> Truth:
        value = row[place]
        return None if value is None or value is INVALID else test(value)

    return truth


def _not(test: Test) -> Test:
    def truth(row: Row) -> Truth:
        inner = test(row)
        return None if inner is None else not inner

    return truth


def _and(tests: list[Test]) -> Test:
    def truth(row: Row) -> Truth:
        answer: Truth = True
        for test in tests:
            part = test(row)
            if part is False:
                return False
            if part is None:
                answer = None
        return answer

    return truth


def _or(tests: list[Test]) -> Test:
    def truth(row: Row) -> Truth:
        answer: Truth = False
        for test in tests:
            part = test(row)
            if part:
                return True
            if part is None:
                answer = None
        return answer

    return truth


def _joined(join: type[And] | type[Or], parts: tuple[Predicate, ...], empty: Constant) -> Predicate:
    if not parts:
        return empty
    return parts[0] if len(parts) == 1 else join(parts)
