"""
Compiles policy.toml: from a principal to the rows and fields that each role opens of an entity.

Denied by default at both grains: an entity without a line opens no rows, a personal or restricted
field without a line is hidden. A grant belongs to one role in one scope, numbered by its place in
the principal, so that rows and fields of different roles never mix.
"""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Final, Literal

from auth.aggregates import THRESHOLD, AggregateGrant, AggregateTerms
from auth.masking import MASKS
from auth.openings import BEYOND, CASE, CASE_NUMBER, Opening, person_field
from auth.principal import Principal
from auth.quota import BUILT_IN, Quota, narrowest, widest
from auth.rules import RULES, Holder, Terms
from contract.entity import Entity, Field, Relationship, Sensitivity
from contract.predicate import (
    FALSE,
    TRUE,
    Comparison,
    Exists,
    Operator,
    Predicate,
    all_of,
    any_of,
)

Level = Literal["province", "city", "county", "township", "village"]
LEVELS: Final[Mapping[int, Level]] = MappingProxyType(
    {2: "province", 4: "city", 6: "county", 9: "township", 12: "village"}
)

SHOWN: Final = "shown"
HIDDEN: Final = "hidden"
EVERYONE: Final = "everyone"
OWN_DEPARTMENT: Final = "own_department"
OWN_DIVISION: Final = "own_division"
OWN_QUESTIONS: Final = "own_questions"
OWN_RECORD: Final = "own_record"
NOBODY: Final = "nobody"


@dataclass(frozen=True, slots=True)
class Role:
    """
    What policy.toml says of one role, its `like` resolved.

    `operations` and `usage`: of which departments' systems it sees how they run, and who asked them
    how much. `reveal`: for each purpose the fields, written `Entity.field`, that may be opened of
    one person; `break_glass`: whether it watches over who does so without a case. `explain`: how
    far it is told why a row is seen or not; `plan`: whether it is told how questions are answered.
    `ledger`: which records of the access ledger it sees.
    """

    title: str
    levels: frozenset[str]
    rows: Mapping[str, str]
    facets: str
    sensitivity: Mapping[str, str]
    fields: Mapping[str, str]
    lookup: frozenset[str]
    operations: str = NOBODY
    usage: str = NOBODY
    accounts: str = NOBODY
    gives: frozenset[str] = frozenset()
    quota: Quota = field(default_factory=lambda: BUILT_IN)
    aggregates: Mapping[str, AggregateTerms] = field(default_factory=dict)
    reveal: Mapping[str, frozenset[str]] = field(default_factory=dict)
    break_glass: str = NOBODY
    explain: str = NOBODY
    plan: str = NOBODY
    ledger: str = NOBODY


@dataclass(frozen=True, slots=True)
class LedgerView:
    """
    Which records of the access ledger somebody sees: all, those of offices in divisions, or own.

    `citizen` is the person of whom it is told who read them.
    """

    everyone: bool = False
    divisions: frozenset[str] = frozenset()
    citizen: str = ""

    @property
    def searches(self) -> bool:
        """Return whether records may be searched."""
        return self.everyone or bool(self.divisions)


@dataclass(frozen=True, slots=True)
class Grant:
    """
    What one role in one scope opens of one entity.

    `access` says of each field SHOWN, HIDDEN or the name of a mask. `follows` names the
    relationship whose row decides, where that is the rule.
    """

    number: int
    rows: Predicate
    access: Mapping[str, str]
    lookup: frozenset[str]
    follows: str = ""
    within: int | None = None  # the number of a grant that opens all these rows too

    def clear(self, field: str) -> bool:
        """Return whether the field is shown whole."""
        return self.access.get(field, HIDDEN) == SHOWN

    def rows_reached(self, entity: Entity, parent: str, relationship: Relationship) -> Predicate:
        """Return the rows opened among those reached over `relationship` from an open `parent`."""
        if not self.follows:
            return self.rows
        back = entity.relationships[self.follows]
        returns = {(other, own) for own, other in relationship.on} == set(back.on)
        return TRUE if returns and back.target == parent else self.rows


class Policy:
    """Every role's matrix, over the entities of the graph."""

    def __init__(
        self,
        roles: Mapping[str, Role],
        terms: Mapping[str, Terms],
        entities: Mapping[str, Entity],
        facets: AbstractSet[str],
        threshold: int = THRESHOLD,
    ) -> None:
        self.roles = roles
        self.threshold = threshold
        self._terms = terms
        self._entities = entities
        self._facets = facets
        self._granted = lru_cache(maxsize=65_536)(self._grant)
        self._quota = lru_cache(maxsize=4_096)(self._quota_of)

    def grants(self, principal: Principal, entity: str) -> tuple[Grant, ...]:
        """Return the grants that open rows of the entity; none where nothing says so."""
        held = enumerate(zip(principal.roles, principal.scopes, strict=True))
        found = (
            self._granted(
                number, role, Holder(scope, principal.department, principal.citizen), entity
            )
            for number, (role, scope) in held
        )
        granted = tuple(grant for grant in found if grant is not None and grant.rows != FALSE)
        return (*granted, *self._opened(principal, entity)) if principal.openings else granted

    def aggregate_grants(self, principal: Principal, entity: str) -> tuple[AggregateGrant, ...]:
        """Return what the principal may count of an entity beyond the rows that are open."""
        held = enumerate(zip(principal.roles, principal.scopes, strict=True))
        return tuple(
            AggregateGrant(number, terms.rows(scope), terms.by, terms.sums)
            for number, (name, scope) in held
            if (terms := self._counted(name, scope, entity)) is not None
        )

    def sees_operations(self, principal: Principal, department: str) -> bool:
        """Return whether a role of the principal sees how the department's systems run."""
        rules = {role.operations for role in self._held(principal)}
        return _reaches(rules, principal, department)

    def sees_usage(self, principal: Principal, department: str) -> bool:
        """Return whether a role of the principal sees who asked the department's systems."""
        rules = {role.usage for role in self._held(principal)}
        return _reaches(rules, principal, department)

    def rests_on_department(self, name: str) -> bool:
        """Return whether what a role opens is decided by the department of who holds it."""
        role = self.roles.get(name)
        return role is not None and OWN_DEPARTMENT in {
            *role.rows.values(),
            role.operations,
            role.usage,
        }

    def ledger(self, principal: Principal) -> LedgerView:
        """Return which records of the access ledger the principal sees."""
        held = zip(principal.roles, principal.scopes, strict=True)
        found = [
            (role.ledger, scope)
            for name, scope in held
            if (role := self.roles.get(name)) and LEVELS.get(len(scope)) in role.levels
        ]
        rules = {rule for rule, _ in found}
        divisions = frozenset(scope for rule, scope in found if rule == OWN_DIVISION)
        return LedgerView(
            EVERYONE in rules, divisions, principal.citizen if OWN_RECORD in rules else ""
        )

    def quota(self, principal: Principal) -> Quota:
        """
        Return how much the account may ask, its roles together.

        Roles add up, so of each limit the largest that one of them has. An account of which no role
        is in force has the smallest of all roles.
        """
        held = zip(principal.roles, principal.scopes, strict=True)
        return self._quota(frozenset((role, len(scope)) for role, scope in held))

    def administers(self, principal: Principal) -> tuple[tuple[str, frozenset[str]], ...]:
        """Return the divisions whose accounts the principal administers, and the roles it gives."""
        held = zip(principal.roles, principal.scopes, strict=True)
        return tuple(
            (scope, role.gives)
            for name, scope in held
            if (role := self.roles.get(name)) and LEVELS.get(len(scope)) in role.levels
            if role.accounts == OWN_DIVISION
        )

    def sees_plan(self, principal: Principal) -> bool:
        """Return whether a role of the principal is told how its questions are answered."""
        return any(role.plan == OWN_QUESTIONS for role in self._held(principal))

    def held(self, principal: Principal) -> Iterator[tuple[Role, str]]:
        """Yield the roles that are in force, each with the scope it is held in."""
        for name, scope in zip(principal.roles, principal.scopes, strict=True):
            role = self.roles.get(name)
            if role is not None and LEVELS.get(len(scope)) in role.levels:
                yield role, scope

    def follows(self, entity: str) -> str:
        """Return the relationship whose row decides about the entity's; nothing where none does."""
        return self._follows(entity)

    def reach(self, entity: str, scope: str) -> Predicate:
        """Return the rows that are in a division, or belong to what is, whoever asks."""
        return RULES["own_division"](Holder(scope, ""), self._terms.get(entity, Terms()))

    def rule(self, role: Role, entity: str) -> str:
        """Return the name of the rule by which the role opens rows of the entity."""
        default = role.facets if entity in self._facets else "nobody"
        return role.rows.get(entity, default)

    def own_rules(self) -> Iterator[tuple[str, str, Predicate]]:
        """Yield role, entity and rows for every rule that looks at the entity's own fields."""
        for name, role in self.roles.items():
            level = next(digits for digits, level in LEVELS.items() if level in role.levels)
            holder = Holder("3" * level, "部门", "本人")
            for entity, rule in role.rows.items():
                if rule in RULES and self._entities[entity].fields:
                    rows = RULES[rule](holder, self._terms.get(entity, Terms()))
                    yield name, entity, rows
                    yield from self._beyond(name, entity, rows)
            for entity, terms in role.aggregates.items():
                if self._entities[entity].fields and "." not in terms.within:
                    yield name, entity, terms.rows(holder.scope)

    def ceiling(self, principal: Principal, held: int, purpose: str) -> frozenset[str]:
        """Return the fields that the role at this place may be shown of a person for a purpose."""
        role = self.roles.get(principal.roles[held])
        if role is None or LEVELS.get(len(principal.scopes[held])) not in role.levels:
            return frozenset()
        return role.reveal.get(purpose, frozenset())

    def sees_break_glass(self, principal: Principal, scope: str) -> bool:
        """Return whether the principal watches over who breaks the glass in the scope."""
        held = zip(principal.roles, principal.scopes, strict=True)
        return any(
            role.break_glass == OWN_DIVISION and scope.startswith(own)
            for name, own in held
            if (role := self.roles.get(name)) and LEVELS.get(len(own)) in role.levels
        )

    def person_rows(self, entity: str, subject: str, case: str = "") -> Predicate:
        """Return the rows of the entity that are one person's, or belong to the case; else none."""
        known = self._entities[entity]
        if entity == CASE:
            return Comparison(CASE_NUMBER, Operator.EQ, case) if case else FALSE
        own = person_field(known)
        if own is not None:
            return Comparison(own, Operator.EQ, subject)
        name = self._follows(entity)
        relationship = known.relationships.get(name)
        if relationship is None:
            return FALSE
        inner = self.person_rows(relationship.target, subject, case)
        return FALSE if inner == FALSE else Exists(name, inner)

    def _beyond(
        self, name: str, entity: str, rows: Predicate
    ) -> Iterator[tuple[str, str, Predicate]]:
        """Yield the rows together with a person's that are opened wherever they are."""
        reveal = self.roles[name].reveal
        person = self.person_rows(entity, "0" * 18)
        if rows != FALSE and person != FALSE and any(reveal.get(each) for each in BEYOND):
            yield name, entity, any_of(rows, person)

    def _opened(self, principal: Principal, entity: str) -> Iterator[Grant]:
        """Yield what openings grant; numbered behind the roles, and kept in no cache."""
        known = self._entities[entity]
        for place, opening in enumerate(principal.openings, len(principal.roles)):
            role, scope = principal.roles[opening.held], principal.scopes[opening.held]
            holder = Holder(scope, principal.department)
            own = self._granted(opening.held, role, holder, entity)
            if own is None or own.rows == FALSE or not opening.speaks_of(known):
                continue
            rows = self.person_rows(entity, opening.subject, opening.case)
            if rows != FALSE:
                yield _opened_by(opening, place, own, known, rows)

    def _counted(self, name: str, scope: str, entity: str) -> AggregateTerms | None:
        role = self.roles.get(name)
        if role is None or LEVELS.get(len(scope)) not in role.levels:
            return None
        return role.aggregates.get(entity) if self._entities[entity].fields else None

    def _quota_of(self, held: frozenset[tuple[str, int]]) -> Quota:
        roles = ((self.roles.get(name), LEVELS.get(digits)) for name, digits in sorted(held))
        quotas = [role.quota for role, level in roles if role and level in role.levels]
        return widest(quotas) if quotas else narrowest(r.quota for r in self.roles.values())

    def _held(self, principal: Principal) -> Iterator[Role]:
        """Yield the roles that the principal holds in a scope of a level that they may have."""
        for name, scope in zip(principal.roles, principal.scopes, strict=True):
            role = self.roles.get(name)
            if role is not None and LEVELS.get(len(scope)) in role.levels:
                yield role

    def _grant(self, number: int, name: str, holder: Holder, entity: str) -> Grant | None:
        role = self.roles.get(name)
        if role is None or LEVELS.get(len(holder.scope)) not in role.levels:
            return None
        fields = self._entities[entity].fields
        access = {field.name: self._access(role, entity, field) for field in fields.values()}
        return Grant(
            number,
            self._rows(role, holder, entity),
            MappingProxyType(access),
            frozenset(field for field in fields if f"{entity}.{field}" in role.lookup),
            self._follows(entity) if self.rule(role, entity) == "follows" else "",
        )

    def _follows(self, entity: str) -> str:
        if entity in self._terms:
            return self._terms[entity].follows
        return self._terms["facet"].follows if entity in self._facets else ""

    def _rows(self, role: Role, holder: Holder, entity: str) -> Predicate:
        rule = self.rule(role, entity)
        if rule != "follows":
            return RULES[rule](holder, self._terms.get(entity, Terms()))
        name = self._follows(entity)
        relationship = self._entities[entity].relationships.get(name)
        if relationship is None:
            return FALSE
        inner = self._rows(role, holder, relationship.target)
        return FALSE if inner == FALSE else Exists(name, inner)

    def _access(self, role: Role, entity: str, field: Field) -> str:
        line = role.fields.get(f"{entity}.{field.name}")
        if line is not None:
            return line
        if field.sensitivity is Sensitivity.OPEN:
            return SHOWN
        return role.sensitivity.get(field.sensitivity.value, HIDDEN)


def _opened_by(opening: Opening, number: int, own: Grant, entity: Entity, rows: Predicate) -> Grant:
    """Return what an opening grants: what the role shows, or what is open, and its own fields."""
    names = opening.names(entity)
    access = {
        field.name: SHOWN
        if field.name in names
        else HIDDEN
        if opening.is_narrow and field.sensitivity is not Sensitivity.OPEN
        else own.access[field.name]
        for field in entity.fields.values()
    }
    if not opening.inside and entity.name != CASE:
        return Grant(number, rows, MappingProxyType(access), own.lookup)
    inner = all_of(own.rows, rows)
    return Grant(number, inner, MappingProxyType(access), own.lookup, own.follows, own.number)


def _reaches(rules: AbstractSet[str], principal: Principal, department: str) -> bool:
    own = OWN_DEPARTMENT in rules and principal.department == department != ""
    return own or EVERYONE in rules


def masked(mask: str, value: object) -> object:
    """Return what the mask leaves of a value; what is no text is hidden whole."""
    return MASKS[mask](value) if isinstance(value, str) else None
