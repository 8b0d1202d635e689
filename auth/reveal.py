"""What a policy may not let its roles reveal: what does not exist, and what is no one person's."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from difflib import get_close_matches

from auth.openings import CASE, Purpose
from auth.policy import NOBODY, Policy
from contract.document import Document, Mistake, Place
from contract.entity import Entity
from contract.predicate import FALSE

_NOBODY_IN_PARTICULAR = "0" * 18


def wrong_reveals(
    document: Document, policy: Policy, entities: Mapping[str, Entity]
) -> Iterator[Mistake]:
    """Yield what is wrong with the fields that roles may reveal."""
    for name, role in policy.roles.items():
        for purpose, fields in role.reveal.items():
            for field in sorted(fields):
                place: Place = ("role", name, "reveal", purpose)
                for what, write in _wrong(policy, entities, (name, purpose), field):
                    yield document.mistake(place, what, write)


def _wrong(
    policy: Policy, entities: Mapping[str, Entity], where: tuple[str, str], name: str
) -> Iterator[tuple[str, str]]:
    entity, _, field = name.partition(".")
    role, purpose = where
    if entity not in entities:
        yield f'there is no entity "{entity}"', _near(entity, entities.keys())
        return
    known = entities[entity]
    if not known.fields:
        return  # no system holds the entity here: there is nothing to reveal
    if field not in known.fields:
        yield f'there is no field "{field}"', _near(field, known.fields.keys())
    elif policy.rule(policy.roles[role], entity) == NOBODY:
        yield f"{role} reveals {name} and opens no row of {entity}", "Leave it out."
    elif not _is_of_a_person(policy, entity, purpose):
        what = f"{name} cannot be revealed for {purpose}: no row of {entity} is one person's alone"
        yield what, "Name fields of Resident and of facets whose subject is a resident."


def _is_of_a_person(policy: Policy, entity: str, purpose: str) -> bool:
    case = CASE if purpose == Purpose.CASE else ""
    return policy.person_rows(entity, _NOBODY_IN_PARTICULAR, case) != FALSE


def _near(name: str, known: AbstractSet[str]) -> str:
    near = get_close_matches(name, sorted(known), 1, 0.5)
    return f"Write {near[0]}." if near else f"Write one of {', '.join(sorted(known))}."
