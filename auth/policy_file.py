"""
Reads policy.toml and refuses, with file and line, what it names that does not exist.

A policy that says nothing of something denies it, so only what is said can be wrong.
"""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from auth.administrators import wrong_administrators
from auth.aggregates import THRESHOLD, AggregateTerms, table_of, wrong_terms
from auth.masking import MASKS
from auth.policy import HIDDEN, NOBODY, SHOWN, Policy, Role
from auth.quota import BUILT_IN, Quota, overlaid, wrong_quota
from auth.reveal import wrong_reveals
from auth.rules import RULES, Terms
from contract.document import Document, Mistake, Mistakes, Place, load
from contract.entity import Entity, Kind

_FOLLOWS: Final = "follows"
_NEEDED: Final = {
    "own_division": "own_division",
    "own_village": "own_village",
    "own_department": "own_department",
    "own_record": "own_record",
    _FOLLOWS: _FOLLOWS,
}

LevelName = Literal["province", "city", "county", "township", "village"]
Default = Literal["shown", "hidden"]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Terms(_Shape):
    own_division: list[str] = []
    own_village: list[str] = []
    own_department: str = ""
    own_record: str = ""
    follows: str = ""


class _Sensitivity(_Shape):
    personal: Default = "hidden"
    restricted: Default = "hidden"


class _Lookup(_Shape):
    fields: list[str] = []


class _Reveal(_Shape):
    case: list[str] = []
    emergency: list[str] = []
    window: list[str] = []

    def ceilings(self) -> dict[str, frozenset[str]]:
        return {purpose: frozenset(fields) for purpose, fields in self.model_dump().items()}


class _Aggregates(_Shape):
    within: str
    by: list[str] = []
    sums: list[str] = []

    def terms(self) -> AggregateTerms:
        return AggregateTerms(self.within, table_of(self.by), frozenset(self.sums))


class _Suppression(_Shape):
    threshold: int = Field(default=THRESHOLD, ge=3)


class _Quota(_Shape):
    questions: str | list[str] = []
    cost: str | list[str] = []
    lookups: str | list[str] = []
    people: str | list[str] = []

    def written(self) -> dict[str, str | list[str]]:
        given: dict[str, str | list[str]] = self.model_dump(exclude_unset=True)
        return given


class _Role(_Shape):
    title: str = Field(min_length=1)
    like: str = ""
    levels: list[LevelName]
    rows: dict[str, str] = {}
    facets: Literal["follows", "nobody"] | None = None
    sensitivity: _Sensitivity | None = None
    fields: dict[str, str] = {}
    lookup: _Lookup | None = None
    operations: Literal["everyone", "own_department", "nobody"] | None = None
    usage: Literal["own_department", "nobody"] | None = None
    ledger: Literal["everyone", "own_division", "own_record", "nobody"] | None = None
    accounts: Literal["own_division", "nobody"] = "nobody"
    gives: list[str] = []
    quota: _Quota = _Quota()
    aggregates: dict[str, _Aggregates] = {}
    reveal: _Reveal | None = None
    break_glass: Literal["own_division", "nobody"] | None = None
    explain: Literal["office", "clauses", "values", "nobody"] | None = None
    plan: Literal["own_questions", "nobody"] | None = None


class _File(_Shape):
    suppression: _Suppression = _Suppression()
    entity: dict[str, _Terms] = {}
    facet: _Terms = _Terms()
    quota: _Quota = _Quota()
    role: dict[str, _Role]


def load_policy(path: Path, entities: Mapping[str, Entity], facets: AbstractSet[str]) -> Policy:
    """
    Return the policy of the file over the entities of the graph.

    Raises: Mistakes, with all of them.
    """
    document = load(path)
    try:
        shape = _File.model_validate(document.data)
    except ValidationError as error:
        raise Mistakes(tuple(_shapeless(document, error))) from error
    mistakes = (
        *_wrong_terms(document, shape, entities),
        *wrong_quota(document, ("quota",), shape.quota.written()),
        *_wrong_roles(document, shape, entities),
    )
    if mistakes:
        raise Mistakes(mistakes)
    roles = {
        name: replace(_role(shape.role, role), quota=_quota(shape, role))
        for name, role in shape.role.items()
    }
    confirmed = (
        *_hidden_lookups(document, roles),
        *wrong_administrators(document, roles, entities),
    )
    if confirmed:
        raise Mistakes(confirmed)
    terms = {name: _terms(given) for name, given in shape.entity.items()}
    every = {**terms, "facet": _terms(shape.facet)}
    policy = Policy(roles, every, entities, facets, shape.suppression.threshold)
    revealed = tuple(wrong_reveals(document, policy, entities))
    if revealed:
        raise Mistakes(revealed)
    return policy


def _terms(given: _Terms) -> Terms:
    department = (given.own_department,) if given.own_department else ()
    record = (given.own_record,) if given.own_record else ()
    divisions, villages = tuple(given.own_division), tuple(given.own_village)
    return Terms(divisions, villages, department, given.follows, record)


def _role(roles: Mapping[str, _Role], role: _Role) -> Role:
    sensitivity = role.sensitivity.model_dump() if role.sensitivity else None
    looked_up = frozenset(role.lookup.fields) if role.lookup else None
    own = Role(
        role.title,
        frozenset(role.levels),
        role.rows,
        role.facets or "nobody",
        sensitivity or {},
        role.fields,
        looked_up or frozenset(),
        role.operations or NOBODY,
        role.usage or NOBODY,
        accounts=role.accounts,
        gives=frozenset(role.gives),
        aggregates={entity: given.terms() for entity, given in role.aggregates.items()},
        reveal=role.reveal.ceilings() if role.reveal else {},
        break_glass=role.break_glass or NOBODY,
        explain=role.explain or NOBODY,
        plan=role.plan or NOBODY,
        ledger=role.ledger or NOBODY,
    )
    if not role.like:
        return own
    like = _role(roles, roles[role.like])
    return replace(
        own,
        rows={**like.rows, **role.rows},
        facets=role.facets or like.facets,
        sensitivity=like.sensitivity if sensitivity is None else sensitivity,
        fields={**like.fields, **role.fields},
        lookup=like.lookup if looked_up is None else looked_up,
        operations=role.operations or like.operations,
        usage=role.usage or like.usage,
        ledger=role.ledger or like.ledger,
        aggregates={**like.aggregates, **own.aggregates},
        reveal=like.reveal if role.reveal is None else own.reveal,
        break_glass=role.break_glass or like.break_glass,
        explain=role.explain or like.explain,
        plan=role.plan or like.plan,
    )


def _quota(shape: _File, role: _Role) -> Quota:
    """Return the role's quota, over that of the role it is like, over what holds for all."""
    base = overlaid(BUILT_IN, shape.quota.written())
    like = shape.role[role.like].quota.written() if role.like else {}
    return overlaid(overlaid(base, like), role.quota.written())


def _hidden_lookups(document: Document, roles: Mapping[str, Role]) -> Iterator[Mistake]:
    """Yield what a role may look up and not see: looking it up would confirm what is hidden."""
    for name, role in roles.items():
        for field in sorted(role.lookup):
            if role.fields.get(field, HIDDEN) == HIDDEN:
                what = f"{field} is hidden from {name} and may be looked up"
                write = "Write [role.….lookup] without it, or mask the field."
                yield document.mistake(("role", name), what, write)


def _shapeless(document: Document, error: ValidationError) -> Iterator[Mistake]:
    for detail in error.errors(include_url=False, include_input=False):
        place: Place = detail["loc"]
        name = ".".join(map(str, place))
        what, write = f"{name}: {detail['msg'].lower()}", "See docs/policy.md for the format."
        if detail["type"] == "extra_forbidden":
            what, write = f'the key "{name}" is not known here', "Leave it out, or correct it."
        yield document.mistake(place, what, write)


def _wrong_terms(
    document: Document, shape: _File, entities: Mapping[str, Entity]
) -> Iterator[Mistake]:
    for name, terms in shape.entity.items():
        place: Place = ("entity", name)
        if name not in entities:
            yield _unknown(document, place, "entity", name, entities.keys())
            continue
        entity = entities[name]
        for rule, fields in (
            ("own_division", terms.own_division),
            ("own_village", terms.own_village),
        ):
            for field in fields:
                yield from _wrong_division(document, (*place, rule), entity, field)
        if terms.own_record and entity.fields and terms.own_record not in entity.fields:
            at = (*place, "own_record")
            yield _unknown(document, at, "field", terms.own_record, entity.fields.keys())
        department = terms.own_department
        if department and entity.fields and department not in entity.fields:
            at = (*place, "own_department")
            yield _unknown(document, at, "field", department, entity.fields.keys())
        if terms.follows and entity.fields and terms.follows not in entity.relationships:
            at = (*place, _FOLLOWS)
            yield _unknown(document, at, "relationship", terms.follows, entity.relationships.keys())
        elif _follows_itself(name, shape, entities):
            what = f"{name} follows a row that follows it"
            yield document.mistake((*place, _FOLLOWS), what, "Give one of them a rule of its own.")


def _follows_itself(name: str, shape: _File, entities: Mapping[str, Entity]) -> bool:
    passed: set[str] = set()
    while name not in passed:
        passed.add(name)
        follows = shape.entity.get(name, _Terms()).follows
        relationship = entities[name].relationships.get(follows) if name in entities else None
        if relationship is None:
            return False
        name = relationship.target
    return True


def _wrong_division(
    document: Document, place: Place, entity: Entity, name: str
) -> Iterator[Mistake]:
    if not entity.fields:
        return  # no system holds the entity here: it has no rows to open
    field = entity.fields.get(name)
    if field is None:
        yield _unknown(document, place, "field", name, entity.fields.keys())
    elif field.kind is not Kind.DIVISION:
        what = f"{entity.name}.{name} is no division"
        yield document.mistake(place, what, "Name fields that hold division codes.")


def _wrong_roles(
    document: Document, shape: _File, entities: Mapping[str, Entity]
) -> Iterator[Mistake]:
    for name, role in shape.role.items():
        place: Place = ("role", name)
        if role.like and (role.like not in shape.role or shape.role[role.like].like):
            what = f'"{role.like}" is no role that stands for itself'
            yield document.mistake((*place, "like"), what, "Name a role that has no like.")
        yield from _wrong_rows(document, place, role, shape, entities)
        yield from _wrong_fields(document, place, role, entities)
        yield from wrong_quota(document, (*place, "quota"), role.quota.written())
        yield from _wrong_aggregates(document, place, role, entities)


def _wrong_rows(
    document: Document,
    place: Place,
    role: _Role,
    shape: _File,
    entities: Mapping[str, Entity],
) -> Iterator[Mistake]:
    for entity, rule in role.rows.items():
        at = (*place, "rows", entity)
        if entity not in entities:
            yield _unknown(document, at, "entity", entity, entities.keys())
        elif rule not in {*RULES, _FOLLOWS}:
            yield _unknown(document, at, "rule", rule, {*RULES, _FOLLOWS})
        elif rule in _NEEDED and not getattr(shape.entity.get(entity, _Terms()), _NEEDED[rule]):
            what = f"the rule {rule} needs to know what it means for {entity}"
            yield document.mistake(at, what, f"Write [entity.{entity}] with {rule} = ….")


def _wrong_aggregates(
    document: Document, place: Place, role: _Role, entities: Mapping[str, Entity]
) -> Iterator[Mistake]:
    for entity, given in role.aggregates.items():
        at = (*place, "aggregates", entity)
        if entity in entities:
            yield from wrong_terms(document, at, entity, given.terms(), entities)
        else:
            yield _unknown(document, at, "entity", entity, entities.keys())


def _wrong_fields(
    document: Document, place: Place, role: _Role, entities: Mapping[str, Entity]
) -> Iterator[Mistake]:
    for name, access in role.fields.items():
        at = (*place, "fields", name)
        yield from _wrong_name(document, at, name, entities)
        if access not in {SHOWN, HIDDEN, *MASKS}:
            yield _unknown(document, at, "mask", access, {SHOWN, HIDDEN, *MASKS})
        elif access in MASKS and _is_code(name, entities):
            what = f"{name} is a code, of which a mask leaves none"
            yield document.mistake(at, what, 'Write "shown" or "hidden".')
    for position, name in enumerate(role.lookup.fields if role.lookup else ()):
        at = (*place, "lookup", "fields", position)
        yield from _wrong_name(document, at, name, entities)


def _is_code(name: str, entities: Mapping[str, Entity]) -> bool:
    entity, _, field = name.partition(".")
    known = entities[entity].fields if entity in entities else {}
    return field in known and known[field].kind is Kind.CODE


def _wrong_name(
    document: Document, place: Place, name: str, entities: Mapping[str, Entity]
) -> Iterator[Mistake]:
    entity, _, field = name.partition(".")
    if entity not in entities:
        yield _unknown(document, place, "entity", entity, entities.keys())
    elif entities[entity].fields and field not in entities[entity].fields:
        yield _unknown(document, place, "field", field, entities[entity].fields.keys())


def _unknown(
    document: Document, place: Place, kind: str, name: str, known: AbstractSet[str]
) -> Mistake:
    near = get_close_matches(name, sorted(known), 1, 0.5)
    write = f"Write {near[0]}." if near else f"Write one of {', '.join(sorted(known))}."
    return document.mistake(place, f'there is no {kind} "{name}"', write)
