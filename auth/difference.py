"""
What a new policy opens and closes against the one before, role by role and level by level.

Two policies are compared by what they grant to one holder, not by how they are written. Where it
cannot be told that nothing opens, it is said to open.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from auth.policy import EVERYONE, HIDDEN, LEVELS, NOBODY, OWN_DEPARTMENT, SHOWN, Grant, Policy
from auth.principal import Principal
from auth.wording import words
from contract.predicate import FALSE, TRUE, And, Exists, Or, Predicate, Within

What: TypeAlias = Literal["rows", "fields", "look-up", "operations", "usage"]

_DEPARTMENT: Final = "部门"
_REACHES: Final = (NOBODY, OWN_DEPARTMENT, EVERYONE)
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
        for field, turn in (*_fields(*grants), *_lookups(*grants)):
            yield _Found(role, entity, field, turn)
    for turn in _reaches(before, after, holder):
        yield _Found(role, "", "", turn)


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


def _access(grant: Grant | None) -> Mapping[str, str]:
    return {} if grant is None else grant.access


def _openness(access: str) -> int:
    """Return how much is seen; two masks that leave something cannot be told apart."""
    return {HIDDEN: 0, _BARE: 1, SHOWN: 3}.get(access, 2)


def _reaches(before: Policy, after: Policy, holder: Principal) -> Iterator[_Turn]:
    was, becomes = _reach(before, holder), _reach(after, holder)
    for what in was:
        less, more = _REACHES.index(was[what]), _REACHES.index(becomes[what])
        if less != more:
            yield _Turn(what, was[what], becomes[what], more > less, less > more)


def _reach(policy: Policy, holder: Principal) -> Mapping[What, str]:
    """Return of which departments' systems the holder sees how they run, and who asked them."""
    role = policy.roles.get(holder.roles[0])
    if role is None or LEVELS[len(holder.scopes[0])] not in role.levels:
        return {"operations": NOBODY, "usage": NOBODY}
    return {"operations": role.operations, "usage": role.usage}
