"""
Questions about sampled values, for `check`: each leaf of a predicate that a source claims to run.

Values are chosen so that an answer tells something: rare ones, ones at the edge of a range, parts
that not all values share, and the same text in other letters or with a blank behind it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from contract.entity import UNKNOWN, Kind
from contract.predicate import (
    Comparison,
    Contains,
    In,
    IsNull,
    Leaf,
    Operator,
    StartsWith,
    Within,
)
from contract.source import split
from onboarding.trial import Trial
from sources.declaration import ASKABLE

_LEVELS: Final = (2, 4, 6, 9, 12)
_MANY: Final = 200


def by_kind(trial: Trial, fields: Iterable[str]) -> list[str]:
    """Return the fields so that the first ones have different kinds."""
    seen: Counter[str] = Counter()
    ranked: list[tuple[int, str]] = []
    for field in sorted(set(fields) & trial.mapped.columns.keys()):
        kind = trial.mapped.columns[field].field.kind
        ranked.append((seen[kind], field))
        seen[kind] += 1
    return [field for _, field in sorted(ranked)]


def leaves(trial: Trial) -> Iterator[tuple[Leaf, Operator]]:
    """Yield questions about sampled values: every operator on every kind of field comes first."""
    seen: Counter[tuple[str, str]] = Counter()
    ranked: list[tuple[int, int, str, Operator]] = []
    claimed = trial.capabilities.operators
    for field in by_kind(trial, claimed):
        kind = trial.mapped.columns[field].field.kind
        for place, operator in enumerate(ASKABLE):
            if operator in claimed[field] and kind in ASKABLE[operator]:
                ranked.append((seen[kind, operator], place, field, Operator(operator)))
                seen[kind, operator] += 1
    for _, _, field, operator in sorted(ranked):
        leaf = leaf_of(trial, field, operator)
        if leaf and split(trial.capabilities, leaf).pushed == leaf:
            yield leaf, operator


def odd_leaves(trial: Trial) -> Iterator[tuple[str, Leaf]]:
    """Yield questions about texts that no row has: in other letters, with a blank behind."""
    claimed = trial.capabilities.operators
    for field in by_kind(trial, claimed):
        if trial.mapped.columns[field].field.kind is not Kind.STRING:
            continue
        texts = [str(value) for value in trial.sample.values(field) if value]
        cased = next((text for text in texts if text.swapcase() not in (text, *texts)), None)
        if cased and Operator.EQ in claimed[field]:
            yield f"{field}.eq other letters", Comparison(field, Operator.EQ, cased.swapcase())
        if texts and Operator.EQ in claimed[field] and f"{texts[0]} " not in texts:
            yield f"{field}.eq blank behind", Comparison(field, Operator.EQ, f"{texts[0]} ")
        if cased and Operator.CONTAINS in claimed[field]:
            yield f"{field}.contains other letters", Contains(field, cased.swapcase())


def many_leaves(trial: Trial) -> Iterator[tuple[str, Leaf]]:
    """Yield questions with as many operands as the sample and the source allow."""
    most = min(trial.capabilities.batch, _MANY)
    for field in by_kind(trial, trial.capabilities.operators):
        if Operator.IN in trial.capabilities.operators[field]:
            excluded = {UNKNOWN, "", *trial.capabilities.excluded.get(field, ())}
            known = dict.fromkeys(trial.sample.values(field))
            operands: list[Any] = [value for value in known if value not in excluded][:most]
            if operands[2:]:
                yield f"{field}.in many", In(field, tuple(operands))


def leaf_of(trial: Trial, field: str, operator: Operator) -> Leaf | None:
    """Return a question about a sampled value of the field; None where there is none."""
    if operator is Operator.IS_NULL:
        return IsNull(field)
    excluded = {UNKNOWN, "", *trial.capabilities.excluded.get(field, ())}
    values: list[Any] = [each for each in trial.sample.values(field) if each not in excluded]
    if not values:
        return None
    rarest = [value for value, _ in reversed(Counter(values).most_common())]
    match operator:
        case Operator.EQ:
            return Comparison(field, operator, rarest[0])
        case Operator.IN:
            return In(field, tuple(rarest[:2]))
        case Operator.LT | Operator.LTE:
            return Comparison(field, operator, sorted(values)[len(values) // 4])
        case Operator.GT | Operator.GTE:
            return Comparison(field, operator, sorted(values)[len(values) * 3 // 4])
        case _:
            return _part(field, operator, [str(value) for value in rarest])


def _part(field: str, operator: Operator, values: list[str]) -> Leaf | None:
    """Return a question about part of the first value, the shortest that not all values share."""
    value, parts = values[0], range(1, len(values[0]) + 1)
    match operator:
        case Operator.STARTS_WITH:
            starts = (value[:part] for part in parts)
            return StartsWith(field, _telling(starts, values, str.startswith))
        case Operator.CONTAINS:
            ends = (value[-part:] for part in parts)
            return Contains(field, _telling(ends, values, str.__contains__))
        case Operator.WITHIN:
            above = (value[:level] for level in _LEVELS if level <= len(value))
            return Within(field, _telling(above, values, str.startswith))
        case _:
            return None


def _telling(parts: Iterable[str], values: list[str], fits: Callable[[str, str], bool]) -> str:
    part = values[0]
    for part in parts:
        if not all(fits(value, part) for value in values):
            return part
    return part
