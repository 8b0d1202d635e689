"""What a field that fetches rows asks of the resolvers, once for all its parents."""

from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final, Protocol, TypeAlias, TypeVar

from graphql import GraphQLResolveInfo

from contract.entity import Relationship
from contract.errors import SourceFailure, TooComplex
from contract.keyset import total_order
from contract.predicate import TRUE, Comparison, Operator
from execution.selection import selected
from resolvers.ask import Ask, Selection
from resolvers.context import Partial, RequestContext, Shown
from resolvers.paging import Pages, Slice, cursors_for, paged
from resolvers.provenance import restating
from resolvers.record import Found, Record
from schema.arguments import LARGEST_LIST, list_size, slice_of
from schema.filters import order_of, predicate_of
from sources.flights import Flights

Made = TypeVar("Made")
_READS: Final = "reads"
RawInfo = GraphQLResolveInfo[RequestContext]
Paths: TypeAlias = tuple[tuple[str, ...], ...]
PATHS: Final[Paths] = (("nodes",), ("edges", "node"))
PROVENANCE = "_provenance"
"""The field of every core type that tells where its fields are from."""


class Lacking(Protocol):
    """What may lack the rows of systems that failed."""

    @property
    def failures(self) -> tuple[SourceFailure, ...]:
        """Return why rows are missing."""


def raw_info(info: Any) -> RawInfo:
    """Return graphql-core's own info, to which Strawberry has no public road."""
    raw: RawInfo = info._raw_info  # noqa: SLF001
    return raw


def asked_once(raw: RawInfo, make: Callable[[], Made]) -> Made:
    """
    Return what the field asks, made once where its arguments stand in the document.

    It is kept with the document's plan. What it says follows from the document, and from whether
    provenance is wanted; nothing of a principal is in it.
    """
    if not getattr(raw, "are_fixed", False):
        return make()
    known: dict[Any, Made] = raw.known  # type: ignore[attr-defined] # of a set resolver
    key = "asked", raw.context.shown is None
    asked = known.get(key)
    if asked is None:
        asked = known[key] = make()
    return asked


def selection_for(context: RequestContext, entity: str, names: frozenset[str]) -> Selection:
    """Return what of an entity's rows the selected names need."""
    entities = context.gate.entities
    known = entities[entity]
    fields = names.intersection(known.fields)
    relationships = names.intersection(known.relationships)
    if known.as_of and (PROVENANCE in names or context.shown is not None):
        fields |= {known.as_of}
    if PROVENANCE in names:
        asked = (relationship.name for relationship, _ in restating(entities, known, fields))
        relationships |= frozenset(asked)
    return Selection(entity, fields, relationships)


def _selection(raw: RawInfo, entity: str, paths: Paths) -> Selection:
    """Return what of the rows is selected at the paths; kept with the plan as the names are."""
    known: dict[Any, Selection] = getattr(raw, "known", {})
    key = "selection", raw.context.shown is None
    selection = known.get(key)
    if selection is None:
        names = names_of(raw, paths)
        selection = known[key] = selection_for(raw.context, entity, names)
    return selection


def names_of(raw: RawInfo, paths: Paths) -> frozenset[str]:
    """
    Return what is selected at the paths, with what is selected by fields that ask the same.

    Where provenance is told, by the record or for the answer, each is read by itself: it tells of
    the fields of its own place.
    """
    return selected(raw, *paths, beside=not _is_apart(raw, paths))


def _is_apart(raw: RawInfo, paths: Paths) -> bool:
    if not getattr(raw, "are_more", False) or raw.context.shown is not None:
        return True
    # Each look-up counts against the quota: what is filtered, or at the root, is asked as often.
    is_filtered = any(each.name.value == "where" for each in raw.field_nodes[0].arguments or ())
    is_root = raw.parent_type is raw.schema.query_type
    return is_filtered or is_root or PROVENANCE in selected(raw, *paths, beside=True)


def ask_for(raw: RawInfo, entity: str, given: Mapping[str, Any], *paths: tuple[str, ...]) -> Ask:
    """
    Return the question for an entity's rows: what is selected at the paths, `where` and `order_by`.

    Raises: BadInput, TooComplex.
    """
    context = raw.context
    selection = _selection(raw, entity, paths or ((),))
    where = predicate_of(entity, given.get("where"), context.gate.entities)
    return Ask(selection, where, order_of(given.get("order_by")))


def lists_rows(raw: RawInfo) -> bool:
    """Return whether a connection's rows are selected, not just their number."""
    names = selected(raw, (), beside=not _is_apart(raw, PATHS))
    return bool(names - {"totalCount", "__typename"})


def note_missing(raw: Any, found: Sequence[Lacking]) -> None:
    """
    Note the systems whose rows the lists at this place lack.

    Shape:  found (n), for each parent of a level, or for the one there is.
    """
    for index, each in enumerate(found):
        if each.failures:
            at = raw.at(index) if hasattr(raw, "at") else raw
            path = tuple(at.path.as_list())
            raw.context.partial.extend(Partial(failure.source, path) for failure in each.failures)


def note_shown(raw: RawInfo, shown: Iterable[Sequence[Record]]) -> None:
    """Note what is shown at this place, where provenance is wanted."""
    if raw.context.shown is not None:
        path = tuple(step for step in raw.path.as_list() if isinstance(step, str))
        raw.context.shown.append(Shown(path, list(chain.from_iterable(shown))))


async def _once(
    raw: RawInfo,
    ask: Ask,
    parents: Sequence[Any],
    read: Callable[[], Coroutine[Any, Any, Made]],
) -> Made:
    """
    Return what is read, for all fields at this place that ask the same at once.

    Such fields have the very same parents, and what they select is read together. Not with a
    filter: it may look somebody up, and each look-up counts.
    """
    if ask.where != TRUE or not getattr(raw, "are_more", False):
        return await read()
    reads: Any = raw.context.pools.setdefault(_READS, Flights[Any]())
    # The parents are there as long as they are asked about, so no others are taken for them.
    read_once: Made = await reads.ask((raw.field_name, ask, id(parents)), read)
    return read_once


async def by_field(
    raw: RawInfo, names: frozenset[str], entity: str, by: tuple[str, str]
) -> Record | None:
    """Return the row whose field has the value."""
    where = Comparison(by[0], Operator.EQ, by[1])
    order_by = total_order(raw.context.gate.entities[entity], ())
    selection = selection_for(raw.context, entity, names)
    return (await read(raw, Ask(selection, where, order_by, limit=1))).first()


async def by_id(
    raw: RawInfo, names: frozenset[str], text: str, entity: str | None = None
) -> Record | None:
    """Return the row of an id; None for what is no id, not there, or not to be seen."""
    found = raw.context.identity.find(text)
    if found is None or (entity is not None and found[0] != entity):
        return None
    selection = selection_for(raw.context, found[0], names)
    return (await read(raw, Ask(selection, found[1], limit=1))).first()


async def read(raw: RawInfo, ask: Ask) -> Found:
    """Return the rows of an entity, for a field at the root."""
    return await raw.context.gate.read(raw.context.asker, ask)


async def related(
    raw: RawInfo, relationship: Relationship, ask: Ask, parents: Sequence[Record]
) -> Sequence[Found]:
    """
    Return each parent's related rows.

    Shape:  parents (n) -> records found (n), same order.
    """
    context = raw.context
    return await _once(
        raw,
        ask,
        parents,
        lambda: context.gate.related(context.asker, ask, relationship, parents),
    )


def one_asked(raw: RawInfo, relationship: Relationship) -> Ask:
    """Return the question for the one related row, the first by key where data has several."""
    entity = raw.context.gate.entities[relationship.target]
    order_by = () if relationship.target_fields == entity.key else total_order(entity, ())
    return Ask(_selection(raw, entity.name, ((),)), order_by=order_by)


@dataclass(frozen=True, slots=True)
class ListAsked:
    """The question for related rows, so many of each parent; all of them where no size is given."""

    question: Ask
    size: int | None

    def bounded(self, name: str, found: Sequence[Found]) -> Sequence[Found]:
        """
        Return what was found.

        Raises: TooComplex where all rows are wanted and these are too many.
        """
        if self.size is None and any(len(each.records) > LARGEST_LIST for each in found):
            raise TooComplex(f"{name} 超过{LARGEST_LIST}条,请用 first 或 where 缩小范围。")
        return found


def list_asked(raw: RawInfo, entity: str, given: Mapping[str, Any]) -> ListAsked:
    """
    Return the question for the related rows of a plain list.

    Raises: BadInput, TooComplex.
    """
    size = list_size(given.get("first"))
    ask = ask_for(raw, entity, given)
    order_by = total_order(raw.context.gate.entities[entity], ask.order_by)
    limit = LARGEST_LIST + 1 if size is None else size
    return ListAsked(Ask(ask.selection, ask.where, order_by, limit), size)


@dataclass(frozen=True, slots=True)
class PageAsked:
    """The question for all rows of a list, which part of them is wanted, and that for its page."""

    ask: Ask
    part: Slice
    question: Ask

    def pages(self, context: RequestContext, name: str) -> Pages:
        """Return the pages of the list, which `name` tells from others of its entity."""
        entities = context.gate.entities
        return Pages(
            self.part,
            lambda: cursors_for(context.cursors, context.asker, entities, self.ask, name),
        )


def page_asked(context: RequestContext, ask: Ask, part: Slice) -> PageAsked:
    """Return what is asked for a page."""
    return PageAsked(ask, part, paged(ask, part, context.gate.entities[ask.selection.entity]))


def part_of(given: Mapping[str, Any]) -> Slice:
    """
    Return the part of a list that a connection's arguments want.

    Raises: BadInput.
    """
    return slice_of(*(given.get(name) for name in ("first", "after", "last", "before")))
