"""Set resolvers over relationships: all parents in, all values out, same length, same order."""

from collections.abc import Sequence

from contract.entity import Relationship
from contract.errors import SourceFailure
from resolvers.ask import Ask, Asker
from resolvers.gate import Gate
from resolvers.paging import Cursors, Page, Slice, page_of, paged
from resolvers.record import Found, Record


async def to_one(
    gate: Gate, asker: Asker, ask: Ask, relationship: Relationship, parents: Sequence[Record]
) -> list[Record | SourceFailure | None]:
    """
    Return each parent's related row.

    Shape:  parents (n) -> records (n), same order; None where there is none to see, a failure where
            a system that may have it did not answer.
    Reads:  the related entity once.
    """
    return [_one(found) for found in await gate.related(asker, ask, relationship, parents)]


async def to_many(
    gate: Gate, asker: Asker, ask: Ask, relationship: Relationship, parents: Sequence[Record]
) -> list[Found]:
    """
    Return each parent's related rows.

    Shape:  parents (n) -> records found (n), same order.
    Reads:  the related entity once.
    """
    return await gate.related(asker, ask, relationship, parents)


async def pages(
    gate: Gate,
    asker: Asker,
    question: tuple[Ask, Slice, Cursors],
    relationship: Relationship,
    parents: Sequence[Record],
) -> list[Page]:
    """
    Return each parent's page of related rows.

    Shape:  parents (n) -> pages (n), same order; the page size counts per parent.
    Reads:  the related entity once.
    Raises: BadInput for a cursor of another list.
    """
    ask, part, cursors = question
    found = await gate.related(asker, paged(ask, part, cursors), relationship, parents)
    return [page_of(each, part, cursors) for each in found]


def _one(found: Found) -> Record | SourceFailure | None:
    try:
        return found.first()
    except SourceFailure as failure:
        return failure
