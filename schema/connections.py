"""Connections as in Relay: nodes, edges, pageInfo and an optional totalCount."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Optional

import strawberry

from execution.adapter import set_field
from resolvers.paging import Page
from resolvers.record import Record


@dataclass(frozen=True, slots=True)
class Edge:
    """One row of a page, with the place it has in the list."""

    node: Record
    page: Page

    @property
    def cursor(self) -> str:
        """Return the row's cursor."""
        return self.page.cursors.of(self.node)


@dataclass(frozen=True, slots=True)
class Listing:
    """
    A page on its way to the client.

    `counts` is asked only where totalCount is selected, once for the parents of all lists of a
    level; a list at the root has none.
    """

    page: Page
    parent: Record | None
    counts: Callable[[Sequence[Any]], Awaitable[Sequence[int]]]

    @property
    def nodes(self) -> Sequence[Record]:
        """Return the rows of the page."""
        return self.page.records

    @property
    def edges(self) -> list[Edge]:
        """Return the rows with their cursors."""
        return [Edge(record, self.page) for record in self.page.records]

    @property
    def page_info(self) -> "PageInfo":
        """Return what lies around the page."""
        records, cursors = self.page.records, self.page.cursors
        return PageInfo(
            has_next_page=self.page.has_next,
            has_previous_page=self.page.has_previous,
            start_cursor=cursors.of(records[0]) if records else None,
            end_cursor=cursors.of(records[-1]) if records else None,
        )


@strawberry.type(description="分页信息 | Where a page stands in its list")
class PageInfo:
    has_next_page: bool = strawberry.field(description="后面是否还有 | Whether more follows")
    has_previous_page: bool = strawberry.field(description="前面是否还有 | Whether more precedes")
    start_cursor: str | None = strawberry.field(description="本页第一条的游标 | First row's cursor")
    end_cursor: str | None = strawberry.field(description="本页最后一条的游标 | Last row's cursor")


async def _total_counts(listings: Sequence[Listing], _: object) -> Sequence[int]:
    return await listings[0].counts([listing.parent for listing in listings])


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
