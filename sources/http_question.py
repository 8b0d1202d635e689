"""What a read becomes for a system over HTTP: batches of keys and parameters. Sends nothing."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, product
from typing import Final, TypeAlias

from contract.entity import UNKNOWN, Kind
from contract.predicate import (
    TRUE,
    And,
    Comparison,
    Constant,
    Contains,
    In,
    IsNull,
    Leaf,
    Operator,
    Predicate,
    StartsWith,
    Within,
    all_of,
)
from contract.read import ForEach, Read
from contract.source import Capabilities, operator_of
from sources.codec import compared
from sources.declaration import Budget, Column, Endpoint, MappedEntity
from sources.divisions import canonical
from sources.parameter import Parameter, spelled

_MOST_KEYS: Final = 1000
_FEWEST_KEYS: Final = 100
_EQUALITY: Final = frozenset({Operator.EQ, Operator.IN})
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_RANGES: Final = frozenset({Operator.LT, Operator.LTE, Operator.GT, Operator.GTE})


Writable: TypeAlias = Callable[[str, object], bool]


class Unclaimed(Exception):
    """The read asks for what the capabilities do not claim."""


def any_native(_parameter: str, _native: object) -> bool:
    """Say that a parameter can hold any native value."""
    return True


@dataclass(frozen=True, slots=True)
class Question:
    """What one series of pages asks for; `keys` are ours, None where it does not ask by key."""

    parameters: tuple[Parameter, ...]
    keys: frozenset[object] | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """
    The questions of a read.

    `by` is the field whose keys are asked for. `checks` is what does not go along with exactly our
    meaning and is run on the rows: all equalities on a key but one, what cannot be spelled as a
    parameter, and ranges that a trusted system runs over natives that are INVALID to us.
    """

    questions: tuple[Question, ...]
    by: str | None = None
    checks: Predicate = TRUE


def capabilities_of(mapped: MappedEntity, endpoint: Endpoint, budget: Budget) -> Capabilities:
    """Return what the system is declared to run and our codecs can ask for."""
    keys = [name for name in endpoint.by_key if mapped.columns[name].codec.exact]
    operators: dict[str, set[Operator]] = {name: set(_EQUALITY) for name in keys}
    for field, name in endpoint.parameters:
        operator = Operator(name)
        if _askable(mapped.columns[field], operator):
            operators.setdefault(field, set()).add(operator)
    codes = [name for name in operators if mapped.columns[name].field.kind is Kind.CODE]
    batches = [batch for _, batch in endpoint.by_key.values()]
    together = min(batches, default=_MOST_KEYS) * budget.concurrency
    return Capabilities(
        operators={name: frozenset(claimed) for name, claimed in operators.items()},
        # An unknown code is no key that could be asked for.
        for_each=frozenset((name,) for name in keys if name not in codes),
        batch=max(_FEWEST_KEYS, min(_MOST_KEYS, together)),
        scan=endpoint.scan,
        limit=endpoint.scan,  # no more pages are asked for than are needed
        excluded={name: frozenset({UNKNOWN}) for name in codes},
        trusted=endpoint.trusted,
    )


def plan(
    mapped: MappedEntity, endpoint: Endpoint, read: Read, writable: Writable = any_native
) -> Plan:
    """
    Return the questions that a read becomes; none where nothing can match.

    `writable` says whether a parameter can hold a native value; what it cannot hold is in no row.
    Raises: Unclaimed for what the capabilities do not claim.
    """
    if read.order_by or (read.for_each is not None and read.limit is not None):
        raise Unclaimed("order, or so many rows of a key")
    leaves = tuple(_leaves(read.where))
    wanted = tuple(leaf for leaf in leaves if leaf is not None)
    if len(wanted) < len(leaves):
        return Plan(())
    keys = tuple(key for leaf in wanted if (key := _asked_keys(endpoint, leaf)))
    filters = tuple(leaf for leaf in wanted if _asked_keys(endpoint, leaf) is None)
    driving = _driving(endpoint, keys, read.for_each)
    asker = _Asker(mapped, endpoint, writable)
    asked = tuple(_each_parameter_once(asker.asked(leaf) for leaf in filters))
    return Plan(
        tuple(
            Question((*batch.parameters, *chain.from_iterable(way)), batch.keys)
            for batch in asker.batches(driving)
            for way in product(*(each.ways for each in asked))
        ),
        driving.field if driving else None,
        all_of(*keys, *(leaf for leaf, each in zip(filters, asked, strict=True) if not each.exact)),
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    """Every way to ask for a filter, one for each native value; not `exact`: wider than it is."""

    ways: tuple[tuple[Parameter, ...], ...]
    exact: bool = True


_NOT_ASKED: Final = _Asked(((),), exact=False)


@dataclass(frozen=True, slots=True)
class _Asker:
    """Puts keys and filters into the words of one system."""

    mapped: MappedEntity
    endpoint: Endpoint
    writable: Writable

    def batches(self, driving: In | None) -> Iterator[Question]:
        """Yield a question for each batch of keys; one without keys where none are asked for."""
        if driving is None:
            yield Question(())
            return
        parameter, size = self.endpoint.by_key[driving.field]
        column = self.mapped.columns[driving.field]
        keys = dict.fromkeys(driving.operands)
        natives = [
            (native, key) for key in keys for native in self._natives(column, key, parameter)
        ]
        for start in range(0, len(natives), size):
            batch = natives[start : start + size]
            together = _together((native for native, _ in batch), self.endpoint.key_separator)
            yield Question(((parameter, together),), frozenset(key for _, key in batch))

    def asked(self, leaf: Leaf) -> _Asked:
        """Return how a filter is asked for."""
        operator = operator_of(leaf)
        column = self.mapped.columns.get(leaf.field)
        parameter = self.endpoint.parameters.get((leaf.field, operator))
        if column is None or parameter is None or not _askable(column, operator):
            raise Unclaimed(f"{operator} of {leaf.field}")
        if isinstance(leaf, Comparison) and operator in _RANGES:
            return self._range(column, leaf)
        if isinstance(leaf, Within):
            return self._scope(column, leaf.division, parameter)
        operands = self._operands(column, leaf, parameter)
        # An empty parameter means "any" to many systems.
        if any("" in (value if isinstance(value, tuple) else (value,)) for value in operands):
            return _NOT_ASKED
        return _Asked(tuple(((parameter, value),) for value in operands))

    def _range(self, column: Column, leaf: Comparison) -> _Asked:
        parameters = self.endpoint.parameters
        operator, native = compared(column.codec, leaf.operator, leaf.operand)
        parameter = parameters.get((leaf.field, operator))
        own = parameters[leaf.field, leaf.operator]
        if not (_encodable(native) and self.writable(parameter or own, native)):
            return _NOT_ASKED
        if parameter is not None:
            sure = column.codec.total or not self.endpoint.trusted
            return _Asked((((parameter, native),),), exact=sure)
        if operator is Operator.LTE:
            return _NOT_ASKED
        # No native equals the operand, so >= from the native below it asks for one value too many.
        return _Asked((((own, native),),), exact=False)

    def _scope(self, column: Column, scope: str, parameter: str) -> _Asked:
        places = column.codec.places
        if places is None or canonical(scope) != scope:
            return _NOT_ASKED
        natives = (native for native in places.cover(scope) if self.writable(parameter, native))
        return _Asked(
            tuple(((parameter, native),) for native in natives), exact=places.exact(scope)
        )

    def _operands(self, column: Column, leaf: Leaf, parameter: str) -> tuple[object, ...]:
        match leaf:
            case Comparison(_, _, operand):
                return self._natives(column, operand, parameter)
            case In(_, operands):
                natives = [
                    native
                    for operand in operands
                    for native in self._natives(column, operand, parameter)
                ]
                return (_together(natives, self.endpoint.key_separator),) if natives else ()
            case IsNull():
                return (True,)
            case StartsWith(_, text) | Contains(_, text):
                return (text,) if _encodable(text) else ()
            case Within():
                raise TypeError("a scope has native codes, not operands")

    def _natives(self, column: Column, value: object, parameter: str) -> tuple[object, ...]:
        if column.field.kind is Kind.CODE and value == UNKNOWN:
            raise Unclaimed("an unknown code as operand")
        return tuple(
            native
            for native in column.codec.encode(value)
            if _encodable(native) and self.writable(parameter, native)
        )


def _leaves(predicate: Predicate) -> Iterator[Leaf | None]:
    """Yield the conjuncts; None for one that is never true."""
    match predicate:
        case Constant(truth):
            if truth is not True:
                yield None
        case And(parts):
            for part in parts:
                yield from _leaves(part)
        case _ if isinstance(predicate, Leaf):
            yield predicate
        case _:
            raise Unclaimed(type(predicate).__name__)


def _asked_keys(endpoint: Endpoint, leaf: Leaf) -> In | None:
    match leaf:
        case Comparison(name, Operator.EQ, operand) if name in endpoint.by_key:
            return In(name, (operand,))
        case In(name, _) if name in endpoint.by_key:
            return leaf
        case _:
            return None


def _driving(endpoint: Endpoint, keys: tuple[In, ...], for_each: ForEach | None) -> In | None:
    if for_each is not None:
        if len(for_each.fields) != 1 or for_each.fields[0] not in endpoint.by_key:
            raise Unclaimed("the keys of for_each")
        return In(for_each.fields[0], tuple(key for (key,) in for_each.keys))  # type: ignore[misc] # keys are values
    if not keys and not endpoint.scan:
        raise Unclaimed("a read without a key")
    return keys[0] if keys else None


def _each_parameter_once(asked: Iterable[_Asked]) -> Iterator[_Asked]:
    """Yield how filters are asked for, none by a parameter that has a value already."""
    used: set[str] = set()
    for each in asked:
        names = {name for way in each.ways for name, _ in way}
        yield _NOT_ASKED if names & used else each
        used |= names


def _askable(column: Column, operator: Operator) -> bool:
    codec = column.codec
    match operator:
        case Operator.EQ | Operator.IN:
            return codec.exact
        case Operator.STARTS_WITH | Operator.CONTAINS:
            return codec.textual
        case Operator.WITHIN:
            return codec.places is not None
        case Operator.IS_NULL:
            return not codec.nulls  # the system would not find its blanks
        case _:
            return codec.ordered


def _encodable(native: object) -> bool:
    """Return whether UTF-8 has the text; one that it lacks is in no system's rows."""
    return not isinstance(native, str) or native.isascii() or not _SURROGATE.search(native)


def _together(natives: Iterable[object], separator: str) -> tuple[object, ...]:
    values = tuple(natives)
    if separator and any(separator in spelled(value) for value in values):
        raise Unclaimed("the separator within an operand")
    return values
