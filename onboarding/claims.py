"""
Capabilities proved or disproved by asking.

For each claimed operator a question is asked about a sampled value, and the answer is compared
with what the contract's own evaluation keeps of the sample. Where the sample is not the whole
entity, the question is confined to sampled keys, so that the comparison stays exact and the reads
small.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Final

from contract.errors import SourceFailure
from contract.keyset import rows_after
from contract.predicate import (
    FALSE,
    INVALID,
    TRUE,
    Comparison,
    Leaf,
    Operator,
    Predicate,
    any_of,
    fields_of,
    negation,
    relates,
)
from contract.read import ForEach, Order, Rows
from contract.source import pushes, split
from onboarding.leaves import by_kind, leaves, many_leaves, odd_leaves
from onboarding.trial import Claim, Exhausted, Question, Trial, Verdict
from sources import rowset

_FILTERS: Final = 26
_ODD: Final = 6
_MANY: Final = 3
_OTHERS: Final = 4
_CONFINED: Final = 50
_PER_KEY: Final = 100
_FEW: Final = 5
_PAGE: Final = 7
_NEGATED: Final = 3


async def tried(trial: Trial) -> tuple[Claim, ...]:
    """
    Return what became of the entity's claims; none where there are no rows to ask about.

    Reads:  the entity, at most 60 times; claims beyond that are left out.
    """
    if not trial.sample.rows.rows:
        return ()
    claims = await _repeated(trial)
    if all(claim.verdict is Verdict.PROVED for claim in claims):
        claims += [Claim(name, await trial.judged(ask)) for name, ask in _questions(trial)]
    return tuple(claims)


async def _repeated(trial: Trial) -> list[Claim]:
    """Return whether rows are the same again; what differs by itself says nothing else."""
    try:
        verdict = await _again(trial) if _can_repeat(trial) else Verdict.UNDECIDED
    except (SourceFailure, Exhausted):
        verdict = Verdict.UNDECIDED
    return [] if verdict is Verdict.UNDECIDED else [Claim("same rows again", verdict)]


def _can_repeat(trial: Trial) -> bool:
    capabilities, listed = trial.capabilities, trial.sample.asked is None
    return listed and capabilities.limit and set(trial.key) <= capabilities.order_by


def _questions(trial: Trial) -> Iterator[Question]:
    asked = list(islice(leaves(trial), _FILTERS))
    for leaf, operator in asked:
        yield f"{leaf.field}.{operator}", partial(_filter, trial, leaf)
    odd = (each for each in odd_leaves(trial) if split(trial.capabilities, each[1]).pushed != TRUE)
    for name, leaf in (*islice(odd, _ODD), *islice(many_leaves(trial), _MANY)):
        yield name, partial(_filter, trial, leaf)
    yield from _joined(trial, [leaf for leaf, operator in asked if operator is Operator.EQ])
    for fields in _joins(trial):
        yield f"for each {', '.join(fields)}", partial(_for_each, trial, fields)
    if trial.sample.asked is None:
        yield from _listing(trial)


def _listing(trial: Trial) -> Iterator[Question]:
    """Yield questions about the order, the limit and the pages of rows that are not confined."""
    others = by_kind(trial, trial.capabilities.order_by)
    sortable = sorted(others[:_OTHERS] + _lettered(trial, others[_OTHERS:]), key=others.index)
    for field in sortable:
        yield f"order by {field}", partial(_order, trial, Order(field))
    for field in sortable[:1]:
        yield f"order by {field} descending", partial(_order, trial, Order(field, descending=True))
    if trial.capabilities.limit:
        yield "limit", partial(_limit, trial)
        if set(trial.key) <= trial.capabilities.order_by:
            for field in [name for name in sortable if name not in trial.key][-2:]:
                yield f"pages by {field}", partial(_pages, trial, field)


def _lettered(trial: Trial, fields: list[str]) -> list[str]:
    """Return the field whose order shows most of a collation: texts of more than digits."""
    telling = {field: sum(map(_tells, trial.sample.values(field))) for field in fields}
    most = max(fields, key=lambda field: telling[field], default="")
    return [most] if telling.get(most) else []


def _tells(value: object) -> bool:
    return isinstance(value, str) and not value.isdigit() and value != value.upper()


def _joined(trial: Trial, leaves: list[Leaf]) -> Iterator[Question]:
    if leaves and trial.capabilities.negation:
        # A negation tells most where values are missing.
        telling = sorted(leaves, key=lambda leaf: _is_full(trial, leaf.field))[:_NEGATED]
        together = any_of(*telling) if trial.capabilities.disjunction else telling[0]
        yield "not", partial(_filter, trial, negation(together))
    if leaves[1:] and trial.capabilities.disjunction:
        yield "or", partial(_filter, trial, any_of(*leaves[:2]))


def _is_full(trial: Trial, field: str) -> bool:
    return len(trial.sample.values(field)) == len(trial.sample.rows.rows)


def _joins(trial: Trial) -> list[tuple[str, ...]]:
    relationships = trial.mapped.entity.relationships.values()
    used = {trial.key, *(relationship.own_fields for relationship in relationships)}
    used |= {tuple(own for own, _ in each.on) for each in trial.mapped.attachments}
    claimed = trial.capabilities.for_each
    return sorted(claimed, key=lambda fields: (fields not in used, len(fields), fields))[:_OTHERS]


async def _filter(trial: Trial, where: Predicate) -> Verdict:
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


def _confined(trial: Trial, where: Predicate) -> ForEach | None:
    asked = trial.sample.asked
    fields = asked.fields if asked else trial.key
    if fields not in trial.capabilities.for_each:
        return None
    rows = trial.sample.rows
    kept: dict[tuple[object, ...], set[bool]] = {}
    for key, truth in zip(_keys(rows, fields), rowset.truths(rows, where), strict=True):
        if relates(key):
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


async def _for_each(trial: Trial, fields: tuple[str, ...]) -> Verdict:
    rows = trial.sample.rows
    counts = Counter(key for key in _keys(rows, fields) if relates(key))
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


async def _order(trial: Trial, order: Order) -> Verdict:
    field = order.field
    limit = trial.sample.most if trial.capabilities.limit else None
    if limit is None and not trial.sample.whole:
        return Verdict.UNDECIDED
    answer = await trial.ask(replace(trial.read(field), order_by=(order,), limit=limit))
    everything = trial.sample.rows if trial.sample.whole else answer
    expected = _values(rowset.ordered(everything, (order,)), field)
    if _values(answer, field) != expected[:limit]:
        return Verdict.DISPROVED
    return Verdict.PROVED if len(set(expected)) > 1 else Verdict.UNDECIDED


async def _limit(trial: Trial) -> Verdict:
    sampled = len(trial.sample.rows.rows)
    limit = min(2, sampled)
    answer = await trial.ask(replace(trial.read(), limit=limit))
    if len(answer.rows) != limit:
        return Verdict.DISPROVED
    return Verdict.PROVED if sampled > limit else Verdict.UNDECIDED


async def _again(trial: Trial) -> Verdict:
    """Ask the same twice: the same keys have the same rows, unless keys are made when asked."""
    order = tuple(map(Order, trial.key))
    read = replace(trial.read(*trial.mapped.columns), order_by=order, limit=trial.sample.most)
    for _ in range(2):
        first, second = await trial.ask(read), await trial.ask(read)
        again = set(map(repr, second.rows))
        changed = sum(repr(row) not in again for row in first.rows)
        if changed * 2 <= len(first.rows):
            return Verdict.PROVED if first.rows else Verdict.UNDECIDED
    return Verdict.DISPROVED


async def _pages(trial: Trial, field: str) -> Verdict:
    """Ask for two pages, the second by the last row of the first, and for both at once."""
    order = (Order(field), *map(Order, trial.key))
    read = replace(trial.read(field), order_by=order, limit=_PAGE)
    first = await trial.ask(read)
    if len(first.rows) < _PAGE:
        return Verdict.UNDECIDED
    last = rowset.picker(first.fields, tuple(each.field for each in order))(first.rows[-1])
    fields = trial.mapped.entity.fields.values()
    behind = rows_after(order, last, {each.name for each in fields if not each.nullable})
    if not pushes(trial.capabilities, behind):
        return Verdict.UNDECIDED
    second = await trial.ask(replace(read, where=behind))
    both = await trial.ask(replace(read, limit=2 * _PAGE))
    same = [*first.rows, *second.rows] == list(both.rows)
    return Verdict.PROVED if same else Verdict.DISPROVED


def _of(rows: Rows, for_each: ForEach | None) -> Rows:
    return rowset.of_keys(rows, for_each) if for_each else rows


def _keys(rows: Rows, fields: tuple[str, ...]) -> Iterator[tuple[object, ...]]:
    return map(rowset.picker(rows.fields, fields), rows.rows)


def _values(rows: Rows, field: str) -> list[object]:
    place = rows.fields.index(field)
    return [None if row[place] is INVALID else row[place] for row in rows.rows]
