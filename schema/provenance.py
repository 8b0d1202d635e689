"""Provenance, of one object (`_provenance`) or of a whole answer (`extensions.provenance`)."""

from collections.abc import Sequence
from typing import Any, Optional

import strawberry
from strawberry.extensions import SchemaExtension

from execution.adapter import set_field
from resolvers.provenance import Origin, as_of, origins
from resolvers.record import Record
from schema.fetching import PROVENANCE


@strawberry.type(
    name="OtherStatement", description="其他系统的不同说法 | What another system says otherwise"
)
class OtherStatement:
    source: str = strawberry.field(description="系统代码 | Name of the system")
    title: str = strawberry.field(description="系统名称 | What the system is called")
    value: str = strawberry.field(
        description="该系统的值,按您的岗位脱敏 | Its value, as you may see it"
    )
    as_of: str | None = strawberry.field(
        description="数据时点,ISO 8601 | As of, date or time in ISO 8601"
    )


@strawberry.type(name="FieldProvenance", description="一个字段的来源 | Where a field is from")
class FieldProvenance:
    field: str = strawberry.field(description="字段 | Field")
    source: str = strawberry.field(description="系统代码 | Name of the system")
    title: str = strawberry.field(description="系统名称 | What the system is called")
    as_of: str | None = strawberry.field(
        description="数据时点,ISO 8601 | As of, date or time in ISO 8601"
    )
    conflicts: list[OtherStatement] = strawberry.field(
        description="其他系统的不同说法 | What other systems say otherwise"
    )


class Provenance(SchemaExtension):
    """Adds `extensions.provenance` where it was asked for: what is shown where, and whose it is."""

    def get_results(self) -> dict[str, Any]:
        """Return one entry per place and system, by their names."""
        context = self.execution_context.context
        if context is None or context.shown is None:
            return {}
        by_place: dict[tuple[tuple[str, ...], str], list[Record]] = {}
        for shown in context.shown:
            for record in shown.records:
                by_place.setdefault((shown.path, record.layout.source), []).append(record)
        return {"provenance": [_entry(place, by_place[place]) for place in sorted(by_place)]}


def _entry(place: tuple[tuple[str, ...], str], records: Sequence[Record]) -> dict[str, Any]:
    times = sorted(told for record in records if (told := as_of(record)))
    layout = records[0].layout
    return {
        "path": list(place[0]),
        "fields": sorted(layout.shown),
        "source": layout.source,
        "title": layout.title,
        "rows": len(records),
        "asOf": {"oldest": times[0], "newest": times[-1]} if times else None,
    }


def provenance_field() -> Any:
    """Return the field of every core type."""
    field = set_field(
        _provenance,
        Optional[list[FieldProvenance]],
        name=PROVENANCE,
        description="本次查询所选字段的来源、时点及与其他系统的出入"
        " | Of the fields selected here: system, as-of, and what other systems say otherwise",
    )
    field.python_name = "provenance"
    return field


async def _provenance(parents: Sequence[Record], info: Any) -> list[list[Origin]]:
    return await origins(info.context.gate, info.context.asker, parents)
