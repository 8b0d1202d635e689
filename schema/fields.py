"""
Fields that fetch rows, as Strawberry fields made from relationships and entities.

Every such field is built here, so that each passes the gate in the same way and selects only the
columns asked for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import repeat
from typing import Annotated, Any, Final, Optional

import strawberry
from strawberry.utils.str_converters import to_snake_case

from contract.entity import Relationship
from contract.errors import BadInput, SourceFailure
from execution.adapter import SetResolver, set_field
from resolvers.ask import Ask
from resolvers.context import RequestContext
from resolvers.record import Found, Record
from schema.connections import Listed, Listing
from schema.fetching import (
    PATHS,
    PageAsked,
    RawInfo,
    ask_for,
    asked_once,
    by_field,
    by_id,
    list_asked,
    lists_rows,
    names_of,
    note_missing,
    note_shown,
    one_asked,
    page_asked,
    part_of,
    raw_info,
    read,
    related,
)
from schema.filters import Inputs

Arguments = Mapping[str, Any]
_NOTHING: Final = Found(())
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
        raw = raw_info(info)
        ask = asked_once(raw, lambda: one_asked(raw, relationship))
        found = await related(raw, relationship, ask, parents)
        note_shown(raw, (each.records[:1] for each in found))
        return [each.records[0] if each.records else _missing(each) for each in found]

    return _field(resolve, relationship, {}, target.type)


def _missing(found: Found) -> SourceFailure | None:
    return found.failures[0] if found.failures else None


def list_field(relationship: Relationship, target: Target) -> Any:
    """Return the field of a to-many relationship that is a plain list."""

    async def resolve(
        parents: Sequence[Record], info: Any, **given: Any
    ) -> Sequence[Sequence[Record]]:
        raw = raw_info(info)
        asked = asked_once(raw, lambda: list_asked(raw, target.entity, given))
        rows = await related(raw, relationship, asked.question, parents)
        found = asked.bounded(relationship.name, rows)
        note_missing(raw, found)
        note_shown(raw, (each.records for each in found))
        return [each.records for each in found]

    arguments = {**_filters(target), "first": Optional[int]}
    return _field(resolve, relationship, arguments, list[target.type])  # type: ignore[name-defined] # a type made at run time


def connection_field(relationship: Relationship, target: Target) -> Any:
    """Return the field of a to-many relationship that is a connection."""

    async def resolve(parents: Sequence[Record], info: Any, **given: Any) -> Sequence[Listing]:
        context, raw = info.context, raw_info(info)
        asked = asked_once(raw, lambda: _page_asked(raw, target.entity, given))
        listed = Listed(
            asked.pages(context, relationship.name),
            partial(context.gate.count_related, context.asker, asked.ask, relationship),
            is_counted=lists_rows(raw),
        )
        found: Sequence[Found] = [_NOTHING] * len(parents)
        if listed.is_counted:
            question = listed.pages.behind(asked.question)
            found = await related(raw, relationship, question, parents)
        return _listings(raw, listed, found, parents)

    return _field(resolve, relationship, {**_filters(target), **_SLICE}, target.connection)


def root_connection(target: Target, description: str, *, followed: bool = False) -> Any:
    """Return the root field that lists an entity, where `followed` by what it is seen through."""

    async def resolve(roots: Sequence[None], info: Any, **given: Any) -> Sequence[Listing]:
        context, raw = info.context, raw_info(info)
        asked = asked_once(raw, lambda: _page_asked(raw, target.entity, given))
        if followed:
            through = context.gate.listed(context.asker, asked.ask)
            asked = page_asked(context, through, asked.part)
        reads = lists_rows(raw)
        listed = Listed(
            asked.pages(context, target.entity),
            partial(_count, context, asked.ask),
            is_counted=reads and not asked.ask.through,
        )
        question = listed.pages.behind(asked.question)
        found = await read(raw, question) if reads else _NOTHING
        return _listings(raw, listed, [found], roots)

    arguments = _signed({**_filters(target), **_SLICE})
    return set_field(resolve, Optional[target.connection], arguments, description=description)


def root_single(target: Target, by: str, description: str) -> Any:
    """Return the root field that finds one row by its id or by a field that names it."""

    async def resolve(_: Sequence[None], info: Any, **given: Any) -> Sequence[Record | None]:
        raw = raw_info(info)
        record = await _single(raw, target.entity, by, given)
        note_shown(raw, [[record]] if record else [])
        return [record]

    named = strawberry.argument(name=by, description=f"{by},须完整 | {by}, the whole of it")
    arguments = {"id": Optional[strawberry.ID], "value": Annotated[Optional[str], named]}
    return set_field(resolve, Optional[target.type], _signed(arguments), description=description)


async def _single(raw: RawInfo, entity: str, by: str, given: Arguments) -> Record | None:
    names = names_of(raw, ((),))
    if given.get("id") is not None:
        return await by_id(raw, names, given["id"], entity)
    if given.get("value") is None:
        raise BadInput(f"请给出 id 或 {by}。")
    return await by_field(raw, names, entity, (by, given["value"]))


def _page_asked(raw: RawInfo, entity: str, given: Arguments) -> PageAsked:
    part = part_of(given)
    return page_asked(raw.context, ask_for(raw, entity, given, *PATHS), part)


def _listings(
    raw: RawInfo, listed: Listed, found: Sequence[Found], parents: Sequence[Any]
) -> Sequence[Listing]:
    nodes = listed.pages.records(found)
    note_missing(raw, found)
    note_shown(raw, nodes)
    return list(map(Listing, repeat(listed), found, nodes, parents))


async def _count(context: RequestContext, ask: Ask, _: Sequence[None]) -> list[int]:
    """Return how many rows of the entity the principal sees; of one list, at the root."""
    return [await context.gate.count(context.asker, ask)]


def _field(
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
