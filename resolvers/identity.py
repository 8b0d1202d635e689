"""The opaque id of a row: its entity and its owner's own surrogate key, sealed."""

from collections.abc import Mapping

from contract.entity import Entity
from contract.predicate import Comparison, Operator, Predicate, all_of
from resolvers.record import Record
from resolvers.seal import Seal, revived


class Identity:
    """Makes and reads ids; versioned, stable as long as the secret and the key of the row are."""

    def __init__(self, secret: bytes, entities: Mapping[str, Entity]) -> None:
        self._seal = Seal(secret, "id")
        self._entities = entities

    def of(self, record: Record) -> str:
        """Return the record's id."""
        return self._seal.close([record.entity, *record.key()])

    def find(self, text: str) -> tuple[str, Predicate] | None:
        """Return the entity and the predicate of the one row meant; None for what is no id."""
        values = self._seal.open(text)
        if values is None or values[0] not in self._entities:
            return None
        entity = self._entities[str(values[0])]
        if len(values) != len(entity.key) + 1:
            return None
        parts = []
        for name, plain in zip(entity.key, values[1:], strict=True):
            value = revived(entity.fields[name].kind, plain)
            if value is None:
                return None
            parts.append(Comparison(name, Operator.EQ, value))
        return entity.name, all_of(*parts)
