"""Root lists of departments' records, which have no type of their own in the code: one a facet."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Any

from strawberry.utils.str_converters import to_snake_case

from contract.entity import Entity, Relationship
from schema.connections import connection_type
from schema.fields import Target, root_connection


def record_lists(
    entities: Mapping[str, Entity], core: AbstractSet[str], targets: Mapping[str, Target]
) -> dict[str, Any]:
    """Return the root field of each facet, by the name that it has on what it hangs from."""
    fields: dict[str, Any] = {}
    for relationship in _attached(entities, core):
        name = relationship.name if relationship.many else f"{relationship.name}s"
        target = targets[relationship.target]
        if to_snake_case(name) not in fields:
            chinese, _, english = relationship.description.partition(" | ")
            listed = replace(target, connection=connection_type(target.type))
            field = root_connection(
                listed,
                f"您可见的{chinese}列表;不给 orderBy 时按所属人员(或户、企业)的编号排列"
                f" | The rows you may see of: {english}; by the number of what each belongs to",
                followed=True,
            )
            field.graphql_name = name
            fields[to_snake_case(name)] = field
    return fields


def _attached(entities: Mapping[str, Entity], core: AbstractSet[str]) -> Iterator[Relationship]:
    """Yield the relationship that each facet hangs from, the first where it hangs from several."""
    seen: set[str] = set()
    for name in entities:
        if name not in core:
            continue
        for relationship in entities[name].relationships.values():
            facet = relationship.target
            if facet not in core and facet not in seen and relationship.description:
                seen.add(facet)
                yield relationship
