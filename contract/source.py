"""
The contract of a source: two methods, and capabilities as data.

A source may be handed only what it claims; what it claims it runs with the meaning of
`contract.predicate`. The rest of a predicate is the residual, which the caller runs. Two laws hold:
pushed AND residual keeps exactly what `where` keeps; the answer equals materialise-then-filter.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol, TypeAlias

from contract.predicate import (
    And,
    Comparison,
    Constant,
    Exists,
    In,
    IsNull,
    Leaf,
    Not,
    Operator,
    Or,
    Predicate,
    StartsWith,
    Within,
    all_of,
    conjuncts,
)
from contract.read import Aggregate, Function, Read, Rows


@dataclass(frozen=True, slots=True)
class Capabilities:
    """
    What a source runs with our meaning, for one entity; absent means unsupported.

    `scan` false: a read needs `for_each`, or a pushed EQ or IN on a field of `for_each`.
    `exists`: relationships, to entities of the same source, that Exists may be asked of; what it
    asks there must be pushable there.
    `batch`: keys of a `for_each`, and operands of an IN, the source takes at once (it is the
    caller who cuts). `excluded`: operands that cannot be pushed for a field. `trusted` false: rows
    are checked again against the whole predicate.
    """

    operators: Mapping[str, frozenset[Operator]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    negation: bool = False
    disjunction: bool = False
    exists: frozenset[str] = frozenset()
    order_by: frozenset[str] = frozenset()
    limit: bool = False
    for_each: frozenset[tuple[str, ...]] = frozenset()
    for_each_limit: bool = False
    batch: int = 1000
    scan: bool = True
    functions: frozenset[Function] = frozenset()
    group_by: frozenset[str] = frozenset()
    excluded: Mapping[str, frozenset[object]] = field(default_factory=lambda: MappingProxyType({}))
    trusted: bool = True


@dataclass(frozen=True, slots=True)
class Split:
    """A predicate in two: what the source runs and what is left to run."""

    pushed: Predicate
    residual: Predicate


class Source(Protocol):
    """One department's system; it does not know who asks."""

    @property
    def name(self) -> str:
        """Return the name used in errors, completeness and mapping files."""

    @property
    def title(self) -> str:
        """Return what a clerk calls the system."""

    @property
    def entities(self) -> Mapping[str, Capabilities]:
        """Return what it holds and what it can do with each."""

    async def read(self, read: Read) -> Rows:
        """
        Return the rows asked for.

        Raises: SourceFailure, and nothing else, when the system does not answer as agreed.
        """

    async def aggregate(self, aggregate: Aggregate) -> Rows:
        """
        Return the measures asked for.

        Raises: SourceFailure, and nothing else, when the system does not answer as agreed.
        """


RunsExists: TypeAlias = Callable[[Exists], bool]


def runs_no_exists(_: Exists) -> bool:
    """Say that no question about related rows runs at the source."""
    return False


def split(
    capabilities: Capabilities, where: Predicate, runs_exists: RunsExists = runs_no_exists
) -> Split:
    """Return what of the predicate the source runs, conjunct by conjunct, and what is left."""
    pushed: list[Predicate] = []
    residual: list[Predicate] = []
    for part in conjuncts(where):
        (pushed if pushes(capabilities, part, runs_exists) else residual).append(part)
    return Split(all_of(*pushed), all_of(*residual))


def pushes(
    capabilities: Capabilities, predicate: Predicate, runs_exists: RunsExists = runs_no_exists
) -> bool:
    """Return whether the source runs the whole predicate with our meaning."""
    match predicate:
        case Constant():
            return True
        case Not(inner):
            return capabilities.negation and pushes(capabilities, inner, runs_exists)
        case And(parts):
            return all(pushes(capabilities, part, runs_exists) for part in parts)
        case Or(parts):
            return capabilities.disjunction and all(
                pushes(capabilities, part, runs_exists) for part in parts
            )
        case Exists():
            return runs_exists(predicate)
        case _:
            return _pushes_leaf(capabilities, predicate)


def operator_of(leaf: Leaf) -> Operator:
    """Return the operator a capability for this leaf is claimed by."""
    match leaf:
        case Comparison(_, operator, _):
            return operator
        case In():
            return Operator.IN
        case IsNull():
            return Operator.IS_NULL
        case StartsWith():
            return Operator.STARTS_WITH
        case Within():
            return Operator.WITHIN
        case _:
            return Operator.CONTAINS


def _pushes_leaf(capabilities: Capabilities, leaf: Leaf) -> bool:
    if operator_of(leaf) not in capabilities.operators.get(leaf.field, frozenset()):
        return False
    excluded = capabilities.excluded.get(leaf.field, frozenset())
    if isinstance(leaf, In) and len(leaf.operands) > capabilities.batch:
        return False
    return not excluded.intersection(_operands(leaf))


def _operands(leaf: Leaf) -> Iterable[object]:
    match leaf:
        case Comparison(_, _, operand):
            return (operand,)
        case In(_, operands):
            return operands
        case _:
            return ()
