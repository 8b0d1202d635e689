"""
The pages of one question, until the system has said everything or contradicts itself.

A page ends the series when it is not full; where the system says how many rows match, when all have
come. A row that was there before, on an earlier page or on the same one, is not counted again, so
neither a page that overlaps nor a row that stands in the place of another hides anything.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sources.declaration import Endpoint, Paging
from sources.http_answer import Mistrusted, Page, Record
from sources.parameter import Parameter


@dataclass(slots=True)
class Series:
    """The state of one series; ask, `take` the page, and again until `finished`."""

    endpoint: Endpoint
    finished: bool = False
    received: int = 0
    pages: int = 0
    answered: list[object] = field(default_factory=list)
    _cursors: list[str | int] = field(default_factory=list)
    _seen: set[tuple[object, ...]] = field(default_factory=set)

    def parameters(self) -> tuple[Parameter, ...]:
        """Return what asks for the next page."""
        paging = self.endpoint.paging
        if paging is None:
            return ()
        size = ((paging.size_parameter, paging.size),) if paging.size_parameter else ()
        return (*self._position(paging), *size)

    def take(self, page: Page, records: Sequence[Record]) -> None:
        """
        Count the page and decide whether another one follows.

        Raises: Mistrusted for too many rows, a repeated page or cursor, or a wrong total.
        """
        self.received += self._fresh(records)
        self.pages += 1
        self.answered.extend(page.answered)
        self.finished = self._is_last(page)
        if page.total is not None and not self._agrees(page.total):
            raise Mistrusted("the number of rows is not the total")

    def _position(self, paging: Paging) -> tuple[Parameter, ...]:
        match paging.style:
            case "page":
                return ((paging.parameter, paging.first + self.pages),)
            case "offset":
                return ((paging.parameter, paging.first + self.received),)
            case "cursor":
                return ((paging.parameter, self._cursors[-1]),) if self._cursors else ()

    def _fresh(self, records: Sequence[Record]) -> int:
        fresh = {record.identity for record in records} - self._seen
        if records and not fresh:
            raise Mistrusted("a page came again")
        self._seen |= fresh
        return len(fresh)

    def _is_last(self, page: Page) -> bool:
        paging = self.endpoint.paging
        if paging is None:
            return True
        if len(page.rows) > paging.size:
            raise Mistrusted("more rows than fit on a page")
        if paging.style == "cursor":
            return not self._continues(page)
        if page.total is not None:
            return self.received >= page.total or not page.rows
        return len(page.rows) < paging.size

    def _agrees(self, total: int) -> bool:
        return self.received == total if self.finished else self.received <= total

    def _continues(self, page: Page) -> bool:
        if page.next is None:
            return False
        if page.next in self._cursors:
            raise Mistrusted("a cursor came again")
        self._cursors.append(page.next)
        return True
