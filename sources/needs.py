"""
What of a person's record the materials of each matter need, as the catalogue declares it.

A name that the graph does not have is refused with its file and line.
"""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path

from contract.document import Document, Mistake, Mistakes, Place, load
from contract.entity import Entity
from sources.matters import CLASSES_FILE, load_matters


def needs_of(folder: Path, entities: Mapping[str, Entity]) -> Mapping[str, frozenset[str]]:
    """
    Return, for each matter by its code, the fields its materials need, as `Entity.field`.

    Raises: Mistakes, with all of them; what is wrong with the catalogue itself is told elsewhere.
    """
    if not folder.is_dir():
        return {}
    records = load_matters(folder)
    known = {name for entity in entities.values() for name in _names(entity)}
    named = {need for record in records for each in record.materials for need in each.needs}
    if any(need not in known and not _is_unheld(entities, need) for need in named):
        raise Mistakes(tuple(_wrong(folder, entities)))
    return {
        record.matter.code: frozenset(need for each in record.materials for need in each.needs)
        for record in records
    }


def _names(entity: Entity) -> Iterator[str]:
    yield from (f"{entity.name}.{field}" for field in entity.fields)


def _is_unheld(entities: Mapping[str, Entity], need: str) -> bool:
    """Return whether no system holds the entity here, so that nothing is known of it."""
    entity = entities.get(need.partition(".")[0])
    return entity is not None and not entity.fields


def _wrong(folder: Path, entities: Mapping[str, Entity]) -> Iterator[Mistake]:
    for path in sorted(folder.glob("*.toml")):
        if path.name != CLASSES_FILE:
            document = load(path)
            for key, material in document.data.get("material", {}).items():
                for position, need in enumerate(material.get("needs", ())):
                    place: Place = ("material", key, "needs", position)
                    yield from _wrong_need(document, place, need, entities)


def _wrong_need(
    document: Document, place: Place, need: str, entities: Mapping[str, Entity]
) -> Iterator[Mistake]:
    name, _, field = need.partition(".")
    entity = entities.get(name)
    if entity is None:
        near = get_close_matches(name, sorted(entities), 1, 0.5)
        write = f"Write {near[0]}." if near else "Write Resident.… or the name of a facet."
        yield document.mistake(place, f'there is no entity "{name}"', write)
    elif entity.fields and field not in entity.fields:
        near = get_close_matches(field, sorted(entity.fields), 1, 0.5)
        write = f"Write one of {', '.join(near or sorted(entity.fields))}."
        yield document.mistake(place, f'there is no field "{field}"', write)
