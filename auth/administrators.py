"""What a policy may not say of administrators of accounts: nothing by which a scope is left."""

from collections.abc import Iterator, Mapping

from auth.policy import EVERYONE, NOBODY, Role
from contract.document import Document, Mistake, Place
from contract.entity import Entity, Sensitivity


def wrong_administrators(
    document: Document, roles: Mapping[str, Role], entities: Mapping[str, Entity]
) -> Iterator[Mistake]:
    """Yield what is wrong with the roles that administrators may give."""
    for name, role in roles.items():
        place: Place = ("role", name)
        if bool(role.gives) != (role.accounts != NOBODY):
            what = f"{name} has one of accounts and gives without the other"
            write = 'Write accounts = "own_division" and gives = ["…"], or neither.'
            yield document.mistake(place, what, write)
        for given in sorted(role.gives):
            yield from _wrong_gift(document, (*place, "gives"), given, (roles, entities))


def _wrong_gift(
    document: Document,
    place: Place,
    given: str,
    known: tuple[Mapping[str, Role], Mapping[str, Entity]],
) -> Iterator[Mistake]:
    roles, entities = known
    if given not in roles:
        what = f'there is no role "{given}"'
        yield document.mistake(place, what, f"Write some of {', '.join(sorted(roles))}.")
        return
    role, write = roles[given], "Leave it out: it is given by the operator alone."
    if role.accounts != NOBODY:
        yield document.mistake(place, f"{given} administers accounts itself", write)
    if EVERYONE in (role.operations, role.ledger):
        yield document.mistake(place, f"{given} sees beyond any division", write)
    for name, entity in entities.items():
        if role.rows.get(name) == EVERYONE and _is_about_people(entity):
            yield document.mistake(place, f"{given} sees every row of {name}", write)


def _is_about_people(entity: Entity) -> bool:
    return any(field.sensitivity is not Sensitivity.OPEN for field in entity.fields.values())
