"""
Fields that fetch rows, as Strawberry fields made from relationships and entities.

Every such field is built here, so that each passes the gate in the same way and selects only the
columns asked for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Final, Optional

import strawberry
from strawberry.types import Info
from strawberry.utils.str_converters import to_snake_case

from contract.entity import Relationship
from contract.errors import BadInput, SourceFailure
from execution.adapter import SetResolver, set_field, sign
from execution.selection import selected
from resolvers.record import Record
from schema.arguments import list_size, slice_of
from schema.connections import Listing
from schema.fetching import (
    PATHS,
    Following,
    RawInfo,
    ask_for,
    by_field,
    by_id,
    count_all,
    lists_rows,
    note_missing,
    note_shown,
    page_for,
    raw_info,
)
from schema.filters import Inputs

Arguments = Mapping[str, Any]
_SLICE: Final[Arguments] = {
    "first": Optional[int],
    "after": Optional[str],
    "last": Optional[int],
    "before": Optional[str],
}
_MEANINGS: Final[Mapping[str, str]] = {
    "where": "筛选条件 | Which rows are meant",
    "order_by": "排序 | In which order",
    "first": "从头取几条,最多100 | How many from the start, at most 100",
    "after": "从该游标之后取,配合 first | Behind this cursor, with first",
    "last": "从尾取几条,最多100 | How many from the end, at most 100",
    "before": "从该游标之前取,配合 last | Before this cursor, with last",
    "id": "不透明标识 | Opaque id",
}


@dataclass(frozen=True, slots=True)
class Target:
    """What a field gives: an entity, its types, and how it may be asked."""

    entity: str
    type: Any
    connection: Any
    inputs: Inputs


def one_field(relationship: Relationship, target: Target) -> Any:
    """Return the field of a to-one relationship."""

    async def resolve(
        parents: Sequence[Record], info: Any
    ) -> Sequence[Record | SourceFailure | None]:
        context, raw = info.context, raw_info(info)
        ask = ask_for(context, target.entity, selected(raw, ()))
        found = await Following(context, relationship, ask).ones(parents)
        note_shown(raw, [each for each in found if isinstance(each, Record)])
        return found

    return _related(resolve, relationship, {}, target.type)


def list_field(relationship: Relationship, target: Target) -> Any:
    """Return the field of a to-many relationship that is a plain list."""

    async def resolve(
        parents: Sequence[Record], info: Any, **given: Any
    ) -> Sequence[Sequence[Record]]:
        context, raw = info.context, raw_info(info)
        size = list_size(given.pop("first", None))
        ask = ask_for(context, target.entity, selected(raw, ()), **given)
        found = await Following(context, relationship, ask).lists(parents, size)
        note_missing(raw, [each.failures for each in found])
        note_shown(raw, [record for each in found for record in each.records])
        return [each.records for each in found]

    arguments = {**_filters(target), "first": Optional[int]}
    return _related(resolve, relationship, arguments, list[target.type])  # type: ignore[name-defined] # a type made at run time


def connection_field(relationship: Relationship, target: Target) -> Any:
    """Return the field of a to-many relationship that is a connection."""

    async def resolve(parents: Sequence[Record], info: Any, **given: Any) -> Sequence[Listing]:
        context, raw = info.context, raw_info(info)
        part = slice_of(*(given.pop(name, None) for name in _SLICE))
        ask = ask_for(context, target.entity, selected(raw, *PATHS), **given)
        following = Following(context, relationship, ask)
        pages = await following.pages(parents, part, reads=lists_rows(raw))
        note_missing(raw, [page.failures for page in pages])
        note_shown(raw, [record for page in pages for record in page.records])
        return [
            Listing(page, parent, following.counts)
            for page, parent in zip(pages, parents, strict=True)
        ]

    return _related(resolve, relationship, {**_filters(target), **_SLICE}, target.connection)


def root_connection(target: Target, description: str, *, followed: bool = False) -> Any:
    """Return the root field that lists an entity, where `followed` by what it is seen through."""

    async def resolve(info: Any, **given: Any) -> Listing:
        context, raw = info.context, raw_info(info)
        part = slice_of(*(given.pop(name, None) for name in _SLICE))
        ask = ask_for(context, target.entity, selected(raw, *PATHS), **given)
        if followed:
            ask = context.gate.listed(context.asker, ask)
        page = await page_for(context, ask, part, reads=lists_rows(raw))
        note_missing(raw, [page.failures])
        note_shown(raw, page.records)
        return Listing(page, None, partial(count_all, context, ask))

    sign(
        resolve,
        {"info": Info},
        _signed({**_filters(target), **_SLICE}),
        Optional[target.connection],
    )
    return strawberry.field(resolver=resolve, description=description)


def root_single(target: Target, by: str, description: str) -> Any:
    """Return the root field that finds one row by its id or by a field that names it."""

    async def resolve(info: Any, **given: Any) -> Record | None:
        raw = raw_info(info)
        record = await _single(raw, target.entity, by, given)
        note_shown(raw, [record] if record else [])
        return record

    named = strawberry.argument(name=by, description=f"{by},须完整 | {by}, the whole of it")
    arguments = {"id": Optional[strawberry.ID], "value": Annotated[Optional[str], named]}
    sign(resolve, {"info": Info}, _signed(arguments), Optional[target.type])
    return strawberry.field(resolver=resolve, description=description)


async def _single(raw: RawInfo, entity: str, by: str, given: Arguments) -> Record | None:
    names = selected(raw, ())
    if given.get("id") is not None:
        return await by_id(raw.context, names, given["id"], entity)
    if given.get("value") is None:
        raise BadInput(f"请给出 id 或 {by}。")
    return await by_field(raw.context, names, entity, (by, given["value"]))


def _related(
    resolve: SetResolver,
    relationship: Relationship,
    arguments: Arguments,
    returns: Any,
) -> Any:
    field = set_field(
        resolve,
        Optional[returns],
        _signed(arguments),
        name=relationship.name,
        description=relationship.description,
    )
    field.python_name = to_snake_case(relationship.name)
    return field


def _filters(target: Target) -> dict[str, Any]:
    filters: dict[str, Any] = {"where": Optional[target.inputs.where]}
    if target.inputs.order is not None:
        filters["order_by"] = Optional[list[target.inputs.order]]  # type: ignore[name-defined] # a type made at run time
    return filters


def _signed(arguments: Arguments) -> Arguments:
    return {name: _described(name, annotation) for name, annotation in arguments.items()}


def _described(name: str, annotation: Any) -> Any:
    meaning = _MEANINGS.get(name)
    if meaning is None:
        return annotation
    return Annotated[annotation, strawberry.argument(description=meaning)]
