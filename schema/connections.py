"""Connections as in Relay: nodes, edges, pageInfo and an optional totalCount."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Optional

import strawberry

from execution.adapter import set_field
from resolvers.paging import Pages
from resolvers.record import Found, Record


@dataclass(frozen=True, slots=True)
class Listed:
    """
    What the lists of one field at one level share.

    `counts` is asked where totalCount is selected, once for the parents of all lists, unless their
    pages are all there is and `is_counted` by them. A list at the root has no parent.
    """

    pages: Pages
    counts: Callable[[Sequence[Any]], Awaitable[Sequence[int]]]
    is_counted: bool


class Listing:
    """A page on its way to the client, and what lies around it."""

    __slots__ = ("found", "listed", "nodes", "parent")

    def __init__(
        self, listed: Listed, found: Found, nodes: Sequence[Record], parent: Record | None
    ) -> None:
        self.listed = listed
        self.found = found
        self.nodes = nodes
        self.parent = parent

    @property
    def edges(self) -> "list[Edge]":
        """Return the rows with their cursors."""
        return [Edge(record, self.listed.pages) for record in self.nodes]

    @property
    def page_info(self) -> "Listing":
        """Return what PageInfo is read from."""
        return self

    @property
    def has_next_page(self) -> bool:
        """Return whether more follows the page."""
        pages = self.listed.pages
        return pages.part.before is not None if pages.part.backwards else pages.has_more(self.found)

    @property
    def has_previous_page(self) -> bool:
        """Return whether more precedes the page."""
        pages = self.listed.pages
        return pages.has_more(self.found) if pages.part.backwards else pages.part.after is not None

    @property
    def start_cursor(self) -> str | None:
        """Return the first row's cursor."""
        return self.listed.pages.cursors.of(self.nodes[0]) if self.nodes else None

    @property
    def end_cursor(self) -> str | None:
        """Return the last row's cursor."""
        return self.listed.pages.cursors.of(self.nodes[-1]) if self.nodes else None


@dataclass(frozen=True, slots=True)
class Edge:
    """One row of a page, with the place it has in the list."""

    node: Record
    pages: Pages

    @property
    def cursor(self) -> str:
        """Return the row's cursor."""
        return self.pages.cursors.of(self.node)


@strawberry.type(description="分页信息 | Where a page stands in its list")
class PageInfo:
    has_next_page: bool = strawberry.field(description="后面是否还有 | Whether more follows")
    has_previous_page: bool = strawberry.field(description="前面是否还有 | Whether more precedes")
    start_cursor: str | None = strawberry.field(description="本页第一条的游标 | First row's cursor")
    end_cursor: str | None = strawberry.field(description="本页最后一条的游标 | Last row's cursor")


async def _total_counts(listings: Sequence[Listing], _: object) -> Sequence[int]:
    listed = listings[0].listed
    if listed.is_counted and all(listed.pages.is_whole(listing.found) for listing in listings):
        return [len(listing.found.records) for listing in listings]
    return await listed.counts([listing.parent for listing in listings])


def connection_type(node: Any) -> Any:
    """Return the connection type of a core type."""
    name = node.__name__
    edge: Any = type(f"{name}Edge", (), {"__annotations__": {"cursor": str, "node": node}})
    edge.cursor = strawberry.field(
        description="游标,用于 after、before | Cursor, for after, before"
    )
    edge.node = strawberry.field(description="该条记录 | The row")
    strawberry.type(edge, description=f"列表中的一条 | A row of a list of {name}")
    listed = {"nodes": list[node], "edges": list[edge], "page_info": PageInfo}
    connection: Any = type(f"{name}Connection", (), {"__annotations__": listed})
    connection.nodes = strawberry.field(description="本页的记录 | The rows of the page")
    connection.edges = strawberry.field(
        description="本页的记录及游标 | The rows with their cursors"
    )
    connection.page_info = strawberry.field(description="分页信息 | Where the page stands")
    connection.total_count = set_field(
        _total_counts,
        Optional[int],
        description="您可见的总数(单独统计) | How many rows you may see; counted when asked",
    )
    return strawberry.type(connection, description=f"{name} 列表的一页 | A page of {name}")
