"""
Compiles policy.toml: from a principal to the rows and fields that each role opens of an entity.

Denied by default at both grains: an entity without a line opens no rows, a personal or restricted
field without a line is hidden. A grant belongs to one role in one scope, numbered by its place in
the principal, so that rows and fields of different roles never mix.
"""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final, Literal

from auth.masking import MASKS
from auth.principal import Principal
from auth.rules import RULES, Holder, Terms
from contract.entity import Entity, Field, Relationship, Sensitivity
from contract.predicate import FALSE, TRUE, Exists, Predicate

Level = Literal["province", "city", "county", "township", "village"]
LEVELS: Final[Mapping[int, Level]] = MappingProxyType(
    {2: "province", 4: "city", 6: "county", 9: "township", 12: "village"}
)

SHOWN: Final = "shown"
HIDDEN: Final = "hidden"
EVERYONE: Final = "everyone"
OWN_DEPARTMENT: Final = "own_department"
NOBODY: Final = "nobody"


@dataclass(frozen=True, slots=True)
class Role:
    """
    What policy.toml says of one role, its `like` resolved.

    `operations` and `usage`: of which departments' systems it sees how they run, and who asked them
    how much.
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
    ) -> None:
        self.roles = roles
        self._terms = terms
        self._entities = entities
        self._facets = facets
        self._granted = lru_cache(maxsize=65_536)(self._grant)

    def grants(self, principal: Principal, entity: str) -> tuple[Grant, ...]:
        """Return the grants that open rows of the entity; none where nothing says so."""
        held = enumerate(zip(principal.roles, principal.scopes, strict=True))
        found = (
            self._granted(number, role, Holder(scope, principal.department), entity)
            for number, (role, scope) in held
        )
        return tuple(grant for grant in found if grant is not None and grant.rows != FALSE)

    def sees_operations(self, principal: Principal, department: str) -> bool:
        """Return whether a role of the principal sees how the department's systems run."""
        rules = {role.operations for role in self._held(principal)}
        return _reaches(rules, principal, department)

    def sees_usage(self, principal: Principal, department: str) -> bool:
        """Return whether a role of the principal sees who asked the department's systems."""
        rules = {role.usage for role in self._held(principal)}
        return _reaches(rules, principal, department)

    def rule(self, role: Role, entity: str) -> str:
        """Return the name of the rule by which the role opens rows of the entity."""
        default = role.facets if entity in self._facets else "nobody"
        return role.rows.get(entity, default)

    def own_rules(self) -> Iterator[tuple[str, str, Predicate]]:
        """Yield role, entity and rows for every rule that looks at the entity's own fields."""
        for name, role in self.roles.items():
            level = next(digits for digits, level in LEVELS.items() if level in role.levels)
            holder = Holder("3" * level, "部门")
            for entity, rule in role.rows.items():
                if rule in RULES and self._entities[entity].fields:
                    yield name, entity, RULES[rule](holder, self._terms.get(entity, Terms()))

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


def _reaches(rules: AbstractSet[str], principal: Principal, department: str) -> bool:
    own = OWN_DEPARTMENT in rules and principal.department == department != ""
    return own or EVERYONE in rules


def masked(mask: str, value: object) -> object:
    """Return what the mask leaves of a value; what is no text is hidden whole."""
    return MASKS[mask](value) if isinstance(value, str) else None
