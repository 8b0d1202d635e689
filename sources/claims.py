"""
Capabilities proved or disproved by asking.

For each claimed operator a question is asked about a sampled value, and the answer is compared
with what the contract's own evaluation keeps of the sample. Where the sample is not the whole
entity, the question is confined to sampled keys, so that the comparison stays exact and the reads
small.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from itertools import islice
from typing import Any, Final, TypeAlias

from contract.entity import UNKNOWN
from contract.errors import SourceFailure, SourceRefused
from contract.predicate import (
    FALSE,
    INVALID,
    Comparison,
    Contains,
    In,
    IsNull,
    Leaf,
    Operator,
    Predicate,
    StartsWith,
    Within,
    any_of,
    fields_of,
    negation,
)
from contract.read import ForEach, Order, Read, Rows
from contract.source import Capabilities, Source, split
from sources import rowset
from sources.declaration import ASKABLE, MappedEntity
from sources.sample import Sample

Keys: TypeAlias = Counter[tuple[object, ...]]
Question: TypeAlias = tuple[str, Callable[[], Awaitable["Verdict"]]]

_FILTERS: Final = (
    26  # with the rest below and the sample's own reads at most 40 questions an entity
)
_OTHERS: Final = 4
_CONFINED: Final = 50
_PER_KEY: Final = 100
_FEW: Final = 5
_LEVELS: Final = (2, 4, 6, 9, 12)


class Verdict(StrEnum):
    """What the answer to a question says of a claim."""

    PROVED = "proved"
    DISPROVED = "disproved"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Claim:
    """One claimed capability, such as `kind.eq`, and what became of it."""

    name: str
    verdict: Verdict


async def tried(source: Source, mapped: MappedEntity, sample: Sample) -> tuple[Claim, ...]:
    """
    Return what became of the entity's claims; none where there are no rows to ask about.

    Reads:  the entity, at most 40 times; claims beyond that are left out.
    """
    trial = _Trial(source, mapped, sample)
    if not sample.rows.rows:
        return ()
    return tuple([Claim(name, await _judged(ask)) for name, ask in _questions(trial)])


async def _judged(ask: Callable[[], Awaitable[Verdict]]) -> Verdict:
    try:
        return await ask()
    except SourceRefused:
        return Verdict.DISPROVED
    except SourceFailure:
        return Verdict.UNDECIDED


@dataclass(frozen=True, slots=True)
class _Trial:
    source: Source
    mapped: MappedEntity
    sample: Sample

    @property
    def capabilities(self) -> Capabilities:
        return self.source.entities[self.mapped.entity.name]

    @property
    def key(self) -> tuple[str, ...]:
        return self.mapped.entity.key

    async def ask(self, read: Read) -> Rows:
        joined = read.for_each.fields if read.for_each else ()
        fields = dict.fromkeys((*read.fields, *self.key, *joined))
        return await self.source.read(replace(read, fields=tuple(fields)))

    def read(self, *fields: str) -> Read:
        return Read(self.mapped.entity.name, fields)

    def identities(self, rows: Rows) -> Keys:
        return Counter(map(rowset.picker(rows.fields, self.key), rows.rows))


def _questions(trial: _Trial) -> Iterator[Question]:
    leaves = list(islice(_leaves(trial), _FILTERS))
    for leaf, operator in leaves:
        yield f"{leaf.field}.{operator}", partial(_filter, trial, leaf)
    yield from _joined(trial, [leaf for leaf, operator in leaves if operator is Operator.EQ])
    for fields in _joins(trial):
        yield f"for each {', '.join(fields)}", partial(_for_each, trial, fields)
    if trial.sample.asked is None:
        for field in islice(_by_kind(trial, trial.capabilities.order_by), _OTHERS):
            yield f"order by {field}", partial(_order, trial, field)
        if trial.capabilities.limit:
            yield "limit", partial(_limit, trial)


def _joined(trial: _Trial, leaves: list[Leaf]) -> Iterator[Question]:
    if leaves and trial.capabilities.negation:
        yield "not", partial(_filter, trial, negation(leaves[0]))
    if leaves[1:] and trial.capabilities.disjunction:
        yield "or", partial(_filter, trial, any_of(*leaves[:2]))


def _joins(trial: _Trial) -> list[tuple[str, ...]]:
    relationships = trial.mapped.entity.relationships.values()
    used = {trial.key, *(relationship.own_fields for relationship in relationships)}
    used |= {tuple(own for own, _ in each.on) for each in trial.mapped.attachments}
    claimed = trial.capabilities.for_each
    return sorted(claimed, key=lambda fields: (fields not in used, len(fields), fields))[:_OTHERS]


def _by_kind(trial: _Trial, fields: Iterable[str]) -> list[str]:
    seen: Counter[str] = Counter()
    ranked: list[tuple[int, str]] = []
    for field in sorted(set(fields) & trial.mapped.columns.keys()):
        kind = trial.mapped.columns[field].field.kind
        ranked.append((seen[kind], field))
        seen[kind] += 1
    return [field for _, field in sorted(ranked)]


def _leaves(trial: _Trial) -> Iterator[tuple[Leaf, Operator]]:
    """Yield questions about sampled values: every operator on every kind of field comes first."""
    seen: Counter[tuple[str, str]] = Counter()
    ranked: list[tuple[int, int, str, Operator]] = []
    claimed = trial.capabilities.operators
    for field in _by_kind(trial, claimed):
        kind = trial.mapped.columns[field].field.kind
        for place, operator in enumerate(ASKABLE):
            if operator in claimed[field] and kind in ASKABLE[operator]:
                ranked.append((seen[kind, operator], place, field, Operator(operator)))
                seen[kind, operator] += 1
    for _, _, field, operator in sorted(ranked):
        leaf = _leaf(trial, field, operator)
        if leaf and split(trial.capabilities, leaf).pushed == leaf:
            yield leaf, operator


def _leaf(trial: _Trial, field: str, operator: Operator) -> Leaf | None:
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


async def _filter(trial: _Trial, where: Predicate) -> Verdict:
    fields = tuple(sorted(fields_of(where)))
    for_each = None if trial.sample.whole else _confined(trial, where)
    small = trial.sample.whole or (trial.capabilities.limit and trial.sample.asked is None)
    if for_each is None and not small:
        return Verdict.UNDECIDED
    universe = _of(trial.sample.rows, for_each)
    expected = rowset.keep(universe, where)
    limit = None if for_each or not trial.capabilities.limit else trial.sample.most
    read = replace(trial.read(*fields), where=where, for_each=for_each, limit=limit)
    answer = await trial.ask(read)
    if len(rowset.keep(answer, where).rows) < len(answer.rows):
        return Verdict.DISPROVED
    exact = trial.sample.whole or for_each is not None
    missing = trial.identities(expected) - trial.identities(answer)
    extra = trial.identities(answer) - trial.identities(expected)
    cut = limit is not None and len(answer.rows) >= limit
    if (missing and not cut) or (extra and exact):
        return Verdict.DISPROVED
    noticed = len(expected.rows) < len(universe.rows)
    return Verdict.PROVED if noticed and not cut else Verdict.UNDECIDED


def _confined(trial: _Trial, where: Predicate) -> ForEach | None:
    asked = trial.sample.asked
    fields = asked.fields if asked else trial.key
    if fields not in trial.capabilities.for_each:
        return None
    rows = trial.sample.rows
    kept: dict[tuple[object, ...], set[bool]] = {}
    for key, truth in zip(_keys(rows, fields), rowset.truths(rows, where), strict=True):
        if _is_key(key):
            kept.setdefault(key, set()).add(truth is True)
    edge = set(_keys(rowset.keep(rows, _edge(where)), fields))
    telling = sorted(kept, key=lambda key: (key not in edge, -len(kept[key])))
    found = [key for key in telling if True in kept[key]]
    others = [key for key in telling if True not in kept[key]]
    most = min(_CONFINED, trial.capabilities.batch)
    keys = (*found[: (most + 1) // 2], *others[: most // 2])
    return ForEach(fields, keys) if keys else None


def _edge(where: Predicate) -> Predicate:
    if isinstance(where, Comparison):
        return Comparison(where.field, Operator.EQ, where.operand)
    return FALSE


async def _for_each(trial: _Trial, fields: tuple[str, ...]) -> Verdict:
    rows = trial.sample.rows
    counts = Counter(key for key in _keys(rows, fields) if _is_key(key))
    keys = tuple(key for key, _ in reversed(counts.most_common()))
    for_each = ForEach(fields, keys[: min(_FEW, trial.capabilities.batch)])
    limit = _PER_KEY if trial.capabilities.for_each_limit else None
    small = trial.sample.whole or trial.sample.asked or limit
    if not for_each.keys or not (small or max(counts.values()) <= _FEW):
        return Verdict.UNDECIDED
    answer = await trial.ask(replace(trial.read(*fields), for_each=for_each, limit=limit))
    expected = _of(rows, for_each)
    if len(_of(answer, for_each).rows) < len(answer.rows):
        return Verdict.DISPROVED
    cut = limit is not None and len(answer.rows) >= limit
    if trial.identities(expected) - trial.identities(answer) and not cut:
        return Verdict.DISPROVED
    noticed = len(keys) > len(for_each.keys)
    return Verdict.PROVED if noticed and not cut else Verdict.UNDECIDED


async def _order(trial: _Trial, field: str) -> Verdict:
    limit = trial.sample.most if trial.capabilities.limit else None
    if limit is None and not trial.sample.whole:
        return Verdict.UNDECIDED
    order = (Order(field),)
    answer = await trial.ask(replace(trial.read(field), order_by=order, limit=limit))
    everything = trial.sample.rows if trial.sample.whole else answer
    expected = _values(rowset.ordered(everything, order), field)
    if _values(answer, field) != expected[:limit]:
        return Verdict.DISPROVED
    return Verdict.PROVED if len(set(expected)) > 1 else Verdict.UNDECIDED


async def _limit(trial: _Trial) -> Verdict:
    sampled = len(trial.sample.rows.rows)
    limit = min(2, sampled)
    answer = await trial.ask(replace(trial.read(), limit=limit))
    if len(answer.rows) != limit:
        return Verdict.DISPROVED
    return Verdict.PROVED if sampled > limit else Verdict.UNDECIDED


def _of(rows: Rows, for_each: ForEach | None) -> Rows:
    return rowset.of_keys(rows, for_each) if for_each else rows


def _keys(rows: Rows, fields: tuple[str, ...]) -> Iterator[tuple[object, ...]]:
    return map(rowset.picker(rows.fields, fields), rows.rows)


def _is_key(key: tuple[object, ...]) -> bool:
    return None not in key and INVALID not in key


def _values(rows: Rows, field: str) -> list[object]:
    place = rows.fields.index(field)
    return [None if row[place] is INVALID else row[place] for row in rows.rows]
