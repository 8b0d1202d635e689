"""Policies by chance, among those that may be written: as data, and as the file that says so."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Final

import orjson

from auth.principal import Principal
from contract.entity import Kind
from tests.generated.worlds import DEPARTMENTS, ENTITIES
from tests.world import BENNIU, DONGHU, XIBEI

LEVELS: Final = {2: "province", 4: "city", 6: "county", 9: "township", 12: "village"}
SCOPES: Final[Mapping[str, tuple[str, ...]]] = {
    "province": ("32",),
    "city": ("3202", "3204"),
    "county": ("320205", "320411"),
    "township": (XIBEI, XIBEI, DONGHU, BENNIU),
    "village": (f"{XIBEI}001", f"{BENNIU}002"),
}
RULES: Final[Mapping[str, tuple[str, ...]]] = {
    "Resident": (*["own_division"] * 8, "own_village", "everyone", "nobody"),
    "Household": (*["own_division"] * 8, "own_village", "everyone", "nobody"),
    "Case": (
        *["own_division"] * 5,
        *["own_department"] * 2,
        *["follows"] * 3,
        "everyone",
        "nobody",
    ),
    "CaseEvent": (*["follows"] * 5, "everyone", "nobody"),
    "Enterprise": (*["own_division"] * 6, "everyone", "nobody"),
    "MedicalEnrollment": ("nobody",),
}
MASKS: Final = ("citizen_number", "mobile", "name", "bank_card", "everything")
LOOKED_UP: Final = (
    "Resident.idNumber",
    "Resident.phone",
    "Household.headIdNumber",
    "Case.contactPhone",
)
CONTROL: Final = Principal("control", ("control",), ("32",))
"""Somebody who sees everything, under every policy; no principal drawn by chance has the role."""
_CONTROL: Final = (
    '[role.control]\ntitle = "全部"\nlevels = ["province"]',
    'sensitivity = { personal = "shown", restricted = "shown" }',
    "[role.control.rows]",
    *(f'{entity} = "everyone"' for entity in ENTITIES),
)
FIXED: Final = frozenset(
    {"Household.number", "Case.number", "Case.matterCode"}  # never null in the graph
)


@dataclass(frozen=True, slots=True)
class Role:
    """What one role may do, all of it said here."""

    name: str
    levels: tuple[str, ...]
    rows: Mapping[str, str]
    facets: str
    sensitivity: Mapping[str, str]
    fields: Mapping[str, str]
    lookup: tuple[str, ...]
    like: str = ""


@dataclass(frozen=True, slots=True)
class Terms:
    """Which fields hold the division of a person; the rest is the same in every policy."""

    own_division: tuple[str, ...]

    def lines(self) -> Iterator[str]:
        """Yield the terms as a policy file has them."""
        yield "[entity.Resident]"
        yield f"own_division = {_list(self.own_division)}"
        yield 'own_village = ["village"]'
        yield '[entity.Household]\nown_division = ["division"]\nown_village = ["village"]'
        yield '[entity.Case]\nown_division = ["acceptingDivision"]'
        yield 'own_department = "department"\nfollows = "applicant"'
        yield '[entity.CaseEvent]\nfollows = "case"'
        yield '[entity.Enterprise]\nown_division = ["division"]'
        yield '[facet]\nfollows = "subject"'


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """One policy, with what `like` stands for already put in."""

    terms: Terms
    roles: Mapping[str, Role]
    text: str


def drawn_policy(chance: Random) -> PolicyFile:
    """Return a policy of four roles, the last of them like the first."""
    terms = Terms(
        chance.choice((("residenceDivision", "registeredDivision"), ("residenceDivision",)))
    )
    own = [_role(chance, f"role_{serial}") for serial in range(4)]
    own[-1] = replace(own[-1], like=own[0].name)
    lines = (line for role in own for line in _lines(role))
    text = "\n".join((*terms.lines(), *lines, *_CONTROL))
    whole = {role.name: role for role in own}
    whole[own[-1].name] = _like(own[0], own[-1])
    return PolicyFile(terms, whole, text)


def drawn_principal(chance: Random, policy: PolicyFile) -> Principal:
    """Return somebody with up to three roles, now and then in a scope that none may have."""
    roles = [chance.choice(sorted(policy.roles)) for _ in range(chance.choice((1, 1, 2, 2, 3)))]
    scopes = [_scope(chance, policy.roles[role]) for role in roles]
    department = chance.choice((*DEPARTMENTS, ""))
    return Principal("somebody", tuple(roles), tuple(scopes), department)


def _scope(chance: Random, role: Role) -> str:
    level = chance.choice(sorted(SCOPES) if chance.random() < 0.05 else role.levels)
    if level == "village" and chance.random() < 0.5:
        level = chance.choice(role.levels)  # of which a village has few people
    return chance.choice(SCOPES[level])


def _role(chance: Random, name: str) -> Role:
    fields = dict(_drawn_fields(chance))
    lookup = [field for field in LOOKED_UP if chance.random() < 0.3]
    for field in lookup:
        fields[field] = chance.choice(("citizen_number", "mobile", "shown"))
    return Role(
        name,
        tuple(chance.sample(sorted(SCOPES), chance.choice((2, 4, 5)))),
        {
            name: chance.choice(rules)
            for name, rules in RULES.items()
            if chance.random() < (0.2 if name == "MedicalEnrollment" else 0.95)
        },
        chance.choice(("follows", "follows", "nobody")),
        {
            "personal": chance.choice((*["shown"] * 6, "hidden")),
            "restricted": chance.choice(("shown", "hidden")),
        },
        fields,
        tuple(lookup),
    )


def _drawn_fields(chance: Random) -> Iterator[tuple[str, str]]:
    for name, entity in ENTITIES.items():
        for field in entity.fields.values():
            told = f"{name}.{field.name}"
            if field.name in entity.key or told in FIXED or chance.random() < 0.8:
                continue
            masks = MASKS if field.kind is not Kind.CODE else ()
            yield told, chance.choice(("shown", "shown", "hidden", *masks))


def _like(other: Role, role: Role) -> Role:
    return replace(
        role,
        rows={**other.rows, **role.rows},
        fields={**other.fields, **role.fields},
        like="",
    )


def _lines(role: Role) -> Iterator[str]:
    yield f'[role.{role.name}]\ntitle = "岗位"\nlevels = {_list(role.levels)}'
    yield f'facets = "{role.facets}"'
    if role.like:
        yield f'like = "{role.like}"'
    kinds = ", ".join(f'{kind} = "{access}"' for kind, access in role.sensitivity.items())
    yield f"sensitivity = {{ {kinds} }}"
    yield f"[role.{role.name}.rows]"
    yield from (f'{entity} = "{rule}"' for entity, rule in role.rows.items())
    yield f"[role.{role.name}.fields]"
    yield from (f'"{field}" = "{access}"' for field, access in role.fields.items())
    yield f"[role.{role.name}.lookup]\nfields = {_list(role.lookup)}"


def _list(values: Sequence[str]) -> str:
    return orjson.dumps(list(values)).decode()
