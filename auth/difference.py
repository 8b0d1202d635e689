"""
What a new policy opens and closes against the one before, role by role and level by level.

Two policies are compared by what they grant to one holder, not by how they are written. Where it
cannot be told that nothing opens, it is said to open.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from auth.aggregates import AggregateGrant
from auth.openings import Purpose
from auth.policy import (
    EVERYONE,
    HIDDEN,
    LEVELS,
    NOBODY,
    OWN_DEPARTMENT,
    OWN_QUESTIONS,
    SHOWN,
    Grant,
    Policy,
    Role,
)
from auth.principal import Principal
from auth.quota import Limits, worded
from auth.wording import words
from contract.predicate import FALSE, TRUE, And, Exists, Or, Predicate, Within

What: TypeAlias = Literal[
    "rows",
    "fields",
    "look-up",
    "reveal",
    "operations",
    "usage",
    "explain",
    "plan",
    "accounts",
    "quota",
    "aggregates",
]

_DEPARTMENT: Final = "部门"
_REACHES: Final = (NOBODY, OWN_DEPARTMENT, EVERYONE)
_STEPS: Final[Mapping[What, Sequence[str]]] = {
    "explain": (NOBODY, "office", "clauses", "values"),
    "plan": (NOBODY, OWN_QUESTIONS),
}
_BARE: Final = "everything"  # the mask that leaves nothing of a value


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that a role sees otherwise, in scopes of these levels."""

    role: str
    levels: tuple[str, ...]
    entity: str
    what: What
    fields: tuple[str, ...]
    before: str
    after: str
    opens: bool
    closes: bool


@dataclass(frozen=True, slots=True)
class _Turn:
    """A change of one thing, whoever has it and of whichever field."""

    what: What
    before: str
    after: str
    opens: bool
    closes: bool


@dataclass(frozen=True, slots=True)
class _Found:
    role: str
    entity: str
    field: str
    turn: _Turn


def differences(before: Policy, after: Policy, entities: Iterable[str]) -> tuple[Change, ...]:
    """Return what each role sees otherwise under the second policy, in the policies' order."""
    named = tuple(entities)
    levels: dict[_Found, list[str]] = {}
    for role in dict.fromkeys((*before.roles, *after.roles)):
        for digits, level in LEVELS.items():
            holder = Principal("", (role,), ("3" * digits,), _DEPARTMENT)
            for found in _found(before, after, holder, named):
                levels.setdefault(found, []).append(level)
    fields: dict[tuple[str, tuple[str, ...], str, _Turn], list[str]] = {}
    for found, lasting in levels.items():
        key = (found.role, tuple(lasting), found.entity, found.turn)
        fields.setdefault(key, []).append(found.field)
    return tuple(_change(*key, tuple(filter(None, names))) for key, names in fields.items())


def implies(narrow: Predicate, wide: Predicate) -> bool:
    """Return whether every row of the one is certainly a row of the other; false where unsure."""
    if narrow in (wide, FALSE) or wide == TRUE:
        return True
    if isinstance(narrow, Or):
        return all(implies(part, wide) for part in narrow.predicates)
    if isinstance(wide, And):
        return all(implies(narrow, part) for part in wide.predicates)
    return _some_part(narrow, wide) or _one(narrow, wide)


def _some_part(narrow: Predicate, wide: Predicate) -> bool:
    stronger = narrow.predicates if isinstance(narrow, And) else ()
    weaker = wide.predicates if isinstance(wide, Or) else ()
    return any(implies(part, wide) for part in stronger) or any(
        implies(narrow, part) for part in weaker
    )


def _one(narrow: Predicate, wide: Predicate) -> bool:
    match narrow, wide:
        case Within(field, inner), Within(other, outer):
            return field == other and inner.startswith(outer)
        case Exists(relationship, inner), Exists(other, outer):
            return relationship == other and implies(inner, outer)
        case _:
            return False


def _change(
    role: str, levels: tuple[str, ...], entity: str, turn: _Turn, fields: tuple[str, ...]
) -> Change:
    said = turn.what, fields, turn.before, turn.after
    return Change(role, levels, entity, *said, turn.opens, turn.closes)


def _found(
    before: Policy, after: Policy, holder: Principal, entities: Sequence[str]
) -> Iterator[_Found]:
    (role,) = holder.roles
    for entity in entities:
        grants = _grant(before, holder, entity), _grant(after, holder, entity)
        said = (_said(policy, role, entity) for policy in (before, after))
        for turn in _rows(*grants, *said):
            yield _Found(role, entity, "", turn)
        revealed = _reveals(before, after, holder, entity)
        for field, turn in (*_fields(*grants), *_lookups(*grants), *revealed):
            yield _Found(role, entity, field, turn)
        for turn in _tables(before, after, holder, entity):
            yield _Found(role, entity, "", turn)
    for turn in (*_reaches(before, after, holder), *_gives(before, after, holder)):
        yield _Found(role, "", "", turn)
    for kind, turn in _quotas(_in_force(before, holder), _in_force(after, holder)):
        yield _Found(role, "", kind, turn)


def _grant(policy: Policy, holder: Principal, entity: str) -> Grant | None:
    return next(iter(policy.grants(holder, entity)), None)


def _said(policy: Policy, role: str, entity: str) -> str:
    return policy.rule(policy.roles[role], entity) if role in policy.roles else ""


def _rows(before: Grant | None, after: Grant | None, rule: str, new_rule: str) -> Iterator[_Turn]:
    old, new = (FALSE if grant is None else grant.rows for grant in (before, after))
    if old != new:
        texts = _worded(rule, old), _worded(new_rule, new)
        yield _Turn("rows", *texts, not implies(new, old), not implies(old, new))


def _worded(rule: str, rows: Predicate) -> str:
    if rows == FALSE:
        return "no row"
    return f"{rule}: {words(rows, _own)}"


def _own(named: str) -> str:
    return "their own" if named == _DEPARTMENT else "the scope"


def _fields(before: Grant | None, after: Grant | None) -> Iterator[tuple[str, _Turn]]:
    old, new = _access(before), _access(after)
    for field in dict.fromkeys((*old, *new)):
        was, becomes = old.get(field, HIDDEN), new.get(field, HIDDEN)
        if was != becomes:
            less, more = _openness(was), _openness(becomes)
            yield field, _Turn("fields", was, becomes, more >= less, less >= more)


def _lookups(before: Grant | None, after: Grant | None) -> Iterator[tuple[str, _Turn]]:
    known, found = (frozenset() if grant is None else grant.lookup for grant in (before, after))
    for field in sorted(known ^ found):
        opens = field in found
        yield (
            field,
            _Turn("look-up", *(("no", "yes") if opens else ("yes", "no")), opens, not opens),
        )


def _tables(before: Policy, after: Policy, holder: Principal, entity: str) -> Iterator[_Turn]:
    """Yield the change of what is counted without being seen, and of what of it is published."""
    old, new = (
        next(iter(policy.aggregate_grants(holder, entity)), None) for policy in (before, after)
    )
    least = before.threshold, after.threshold
    if (old, least[0]) != (new, least[1]) and (old or new):
        opens = new is not None and not (old and _says_no_more(new, old) and least[1] >= least[0])
        closes = old is not None and not (new and _says_no_more(old, new) and least[0] >= least[1])
        texts = _counted(old, least[0]), _counted(new, least[1])
        yield _Turn("aggregates", *texts, opens, closes)


def _says_no_more(table: AggregateGrant, other: AggregateGrant) -> bool:
    return implies(table.rows, other.rows) and table.is_within(other)


def _counted(table: AggregateGrant | None, threshold: int) -> str:
    if table is None:
        return "no table"
    return f"{words(table.rows, _own)} {table.words()}; cells of {threshold} people at least"


def _access(grant: Grant | None) -> Mapping[str, str]:
    return {} if grant is None else grant.access


def _openness(access: str) -> int:
    """Return how much is seen; two masks that leave something cannot be told apart."""
    return {HIDDEN: 0, _BARE: 1, SHOWN: 3}.get(access, 2)


def _reveals(
    before: Policy, after: Policy, holder: Principal, entity: str
) -> Iterator[tuple[str, _Turn]]:
    """Yield the fields that may be opened of one person for other purposes than before."""
    for purpose in Purpose:
        was, becomes = (policy.ceiling(holder, 0, purpose) for policy in (before, after))
        for name in sorted(was ^ becomes):
            owner, _, field = name.partition(".")
            if owner == entity:
                opens = name in becomes
                said = ("no", purpose.value) if opens else (purpose.value, "no")
                yield field, _Turn("reveal", *said, opens, not opens)


def _reaches(before: Policy, after: Policy, holder: Principal) -> Iterator[_Turn]:
    was, becomes = _reach(before, holder), _reach(after, holder)
    for what in was:
        steps = _STEPS.get(what, _REACHES)
        less, more = steps.index(was[what]), steps.index(becomes[what])
        if less != more:
            yield _Turn(what, was[what], becomes[what], more > less, less > more)


def _reach(policy: Policy, holder: Principal) -> Mapping[What, str]:
    """Return of which systems the holder sees how they run and are asked, and what is explained."""
    role = policy.roles.get(holder.roles[0])
    if role is None or LEVELS[len(holder.scopes[0])] not in role.levels:
        return dict.fromkeys(("operations", "usage", *_STEPS), NOBODY)
    return {
        "operations": role.operations,
        "usage": role.usage,
        "explain": role.explain,
        "plan": role.plan,
    }


def _gives(before: Policy, after: Policy, holder: Principal) -> Iterator[_Turn]:
    """Yield the change of the roles that the holder may give to accounts."""
    old, new = (
        frozenset[str]().union(*(gives for _, gives in policy.administers(holder)))
        for policy in (before, after)
    )
    if old != new:
        yield _Turn("accounts", _given(old), _given(new), bool(new - old), bool(old - new))


def _given(roles: Iterable[str]) -> str:
    return f"gives {', '.join(sorted(roles)) or 'nothing'}"


def _in_force(policy: Policy, holder: Principal) -> Role | None:
    role = policy.roles.get(holder.roles[0])
    return role if role and LEVELS[len(holder.scopes[0])] in role.levels else None


def _quotas(before: Role | None, after: Role | None) -> Iterator[tuple[str, _Turn]]:
    """Yield by kind how much more or less a role may ask; a role that is new or gone says it."""
    if before is None or after is None:
        return
    for kind in sorted({*before.quota, *after.quota}):
        old, new = before.quota.get(kind, {}), after.quota.get(kind, {})
        if old != new:
            texts = worded(old), worded(new)
            yield kind, _Turn("quota", *texts, _is_wider(new, old), _is_wider(old, new))


def _is_wider(wide: Limits, narrow: Limits) -> bool:
    """Return whether the one allows something in some stretch of time that the other does not."""
    return any(seconds not in wide or wide[seconds] > narrow[seconds] for seconds in narrow)
