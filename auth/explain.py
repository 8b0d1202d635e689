"""
Why a row may or may not be seen: the clauses of a policy, in words and with their truth.

Knows no source. What is told of a row is which clause is true of it and, to those who may know it,
in which division it is; no other value.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from auth.policy import HIDDEN, SHOWN, Grant, Policy, Role
from auth.principal import Principal
from contract.entity import Entity, Kind, Sensitivity
from contract.predicate import (
    And,
    Comparison,
    Constant,
    Exists,
    Or,
    Predicate,
    Truth,
    Within,
    evaluate,
)

OFFICE: Final = "office"
CLAUSES: Final = "clauses"
VALUES: Final = "values"
DEPTHS: Final = ("nobody", OFFICE, CLAUSES, VALUES)

TruthOf = Callable[[Predicate], Truth]


@dataclass(frozen=True, slots=True)
class Part:
    """One comparison of a clause; `division` where the row's own may be told."""

    field: str
    words: str
    truth: Truth = None
    is_decided: bool = False
    division: str | None = None


@dataclass(frozen=True, slots=True)
class Clause:
    """What one role in one scope says of a row."""

    role: str
    title: str
    scope: str
    rule: str
    words: str
    truth: Truth = None
    is_decided: bool = False
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class FieldAccess:
    """How a field is shown on a row that is open; `how` says what opens it."""

    field: str
    access: str
    how: str


@dataclass(frozen=True, slots=True)
class Anchored:
    """An entity, and the one whose row decides about it, over the relationships it follows."""

    entity: Entity
    anchor: Entity
    through: tuple[str, ...]


def depth_of(policy: Policy, principal: Principal) -> tuple[str, tuple[str, ...]]:
    """Return how far access is explained to the principal, and the scopes that this holds in."""
    held = [(role.explain, scope) for role, scope in policy.held(principal)]
    deepest = max((depth for depth, _ in held), key=DEPTHS.index, default=DEPTHS[0])
    return deepest, tuple(scope for depth, scope in held if depth == deepest)


def anchored(policy: Policy, entities: Mapping[str, Entity], name: str) -> Anchored:
    """Return the entity with the one that it follows, and that one follows, to the last."""
    entity, through = entities[name], []
    anchor = entity
    while (follows := policy.follows(anchor.name)) in anchor.relationships:
        through.append(follows)
        anchor = entities[anchor.relationships[follows].target]
    return Anchored(entity, anchor, tuple(through))


def unfolded(rows: Predicate, through: Sequence[str]) -> Predicate | None:
    """Return what the rule says of the row at the end of the way; None where it asks another."""
    for name in through:
        if isinstance(rows, Constant):
            return rows
        if not isinstance(rows, Exists) or rows.relationship != name:
            return None
        rows = rows.predicate
    return rows


def clauses(
    policy: Policy, principal: Principal, place: Anchored, row: Mapping[str, object] | None
) -> list[Clause]:
    """Return what each role says, and of the row where there is one to be told of."""
    grants = {grant.number: grant for grant in policy.grants(principal, place.entity.name)}
    held = enumerate(zip(principal.roles, principal.scopes, strict=True))
    return [
        _clause(policy, (name, scope), place, grants.get(number), row)
        for number, (name, scope) in held
    ]


def _clause(
    policy: Policy,
    held: tuple[str, str],
    place: Anchored,
    grant: Grant | None,
    row: Mapping[str, object] | None,
) -> Clause:
    name, scope = held
    role = policy.roles.get(name)
    title = role.title if role else name
    rule = policy.rule(role, place.entity.name) if role else "nobody"
    if grant is None:
        words = "该岗位看不到任何一条" if role else "没有这个岗位"
        return Clause(name, title, scope, rule, words, truth=False, is_decided=True)
    rows = unfolded(grant.rows, place.through)
    if rows is None:
        return Clause(name, title, scope, rule, "取决于该条信息自身,须先看到它才能说明")
    words = said(rows, place.anchor)
    if row is None:
        return Clause(name, title, scope, rule, words)
    parts = tuple(_parts(rows, place.anchor, row))
    return Clause(
        name, title, scope, rule, words, evaluate(rows, row), is_decided=True, parts=parts
    )


def _parts(rows: Predicate, anchor: Entity, row: Mapping[str, object]) -> list[Part]:
    match rows:
        case And(several) | Or(several):
            return [part for each in several for part in _parts(each, anchor, row)]
        case Within(field, _):
            value = row.get(field)
            division = str(value) if isinstance(value, str) else None
            truth = evaluate(rows, row)
            return [Part(field, said(rows, anchor), truth, is_decided=True, division=division)]
        case Comparison(field, _, _):
            return [Part(field, said(rows, anchor), evaluate(rows, row), is_decided=True)]
        case _:
            return []


def said(rows: Predicate, anchor: Entity) -> str:
    """Return the rule in words for a clerk; it names the caller's own scope and nothing of rows."""
    match rows:
        case Constant(truth):
            return "全部" if truth else "无"
        case Within(field, division):
            return f"{_called(anchor, field)}在 {division} 之内"
        case Comparison(field, _, operand) if field in anchor.fields:
            personal = anchor.fields[field].sensitivity is not Sensitivity.OPEN
            return f"{_called(anchor, field)}为{'指定的值' if personal else f'“{operand}”'}"
        case Or(parts):
            return "或".join(said(part, anchor) for part in parts)
        case And(parts):
            return "且".join(f"({said(part, anchor)})" for part in parts)
        case _:
            return "其他条件"


def named(rows: Predicate) -> frozenset[str]:
    """Return the fields that the words of a rule are about."""
    match rows:
        case And(parts) | Or(parts):
            return frozenset().union(*map(named, parts))
        case Within(field, _) | Comparison(field, _, _):
            return frozenset((field,))
        case _:
            return frozenset()


def field_accesses(
    entity: Entity, grants: Sequence[Grant], roles: Sequence[Role]
) -> list[FieldAccess]:
    """Return the fields that the grants do not show whole, and what may open each."""
    found = []
    for name in entity.fields:
        accesses = [grant.access.get(name, HIDDEN) for grant in grants]
        if SHOWN not in accesses:
            masks = sorted({access for access in accesses if access != HIDDEN})
            how = _how(f"{entity.name}.{name}", roles)
            found.append(FieldAccess(name, masks[0] if masks else HIDDEN, how))
    return found


def _how(field: str, roles: Sequence[Role]) -> str:
    purposes = {
        str(purpose) for role in roles for purpose, names in role.reveal.items() if field in names
    }
    ways = {
        "case": "办理该人员的在办事项时,用请求头 X-Purpose: case:<办件编号> 打开",
        "window": "该人员在窗口时,凭依据用 openResident 打开",
        "emergency": "紧急情况下说明理由打开,事后由审计人员复核",
    }
    known = [ways[purpose] for purpose in ways if purpose in purposes]
    return ";".join(known) if known else "您的岗位不能打开;如工作需要,请向本单位管理员申请"


def _called(anchor: Entity, field: str) -> str:
    described = anchor.fields[field].description if field in anchor.fields else ""
    return described.partition(" | ")[0] or field


def divisions_of(anchor: Entity, names: frozenset[str]) -> frozenset[str]:
    """Return those of the fields that hold divisions."""
    return frozenset(n for n in names if anchor.fields[n].kind is Kind.DIVISION)
