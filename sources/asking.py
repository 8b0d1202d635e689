"""The rest of the graph, as far as a filter or an order over related rows needs it."""

from collections.abc import Mapping
from typing import Protocol

from contract.entity import Entity
from contract.predicate import Predicate
from contract.read import Aggregate, Read, Rows
from sources.explaining import Decision


class Asking(Protocol):
    """The rest of the graph, as far as an order needs it."""

    @property
    def entities(self) -> Mapping[str, Entity]:
        """Return every entity of the graph."""

    @property
    def scan_rows(self) -> int:
        """Return how many rows one answer may rest on."""

    async def rows(self, read: Read) -> Rows:
        """Return all rows asked for, or fail."""

    async def measures(self, aggregate: Aggregate) -> Rows:
        """Return the measures asked for, or fail."""

    async def count(self, entity: str, where: Predicate) -> int | None:
        """Return how many rows there are; None where a system cannot say."""

    def decided(self, decision: Decision) -> None:
        """Note which side is read first, where somebody asked for the plan."""
