"""What a field that fetches rows asks of the resolvers, once for all its parents."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import strawberry
from graphql import GraphQLResolveInfo

from contract.entity import Relationship
from contract.errors import SourceFailure, TooComplex
from contract.keyset import total_order
from contract.predicate import Comparison, Operator
from execution.selection import selected
from resolvers import relations
from resolvers.ask import Ask, Selection
from resolvers.context import Partial, RequestContext, Shown
from resolvers.paging import Page, Slice, cursors_for, page_of, paged
from resolvers.provenance import restating
from resolvers.record import Found, Record
from schema.arguments import LARGEST_LIST
from schema.filters import order_of, predicate_of

RawInfo = GraphQLResolveInfo[RequestContext]
PATHS = (("nodes",), ("edges", "node"))
PROVENANCE = "_provenance"
"""The field of every core type that tells where its fields are from."""


def raw_info(info: Any) -> RawInfo:
    """Return graphql-core's own info, to which Strawberry has no public road."""
    raw: RawInfo = info._raw_info  # noqa: SLF001
    return raw


def ask_for(
    context: RequestContext,
    entity: str,
    names: frozenset[str],
    where: object = strawberry.UNSET,
    order_by: object = strawberry.UNSET,
) -> Ask:
    """
    Return the question for an entity's rows with the selected names of them.

    Raises: BadInput, TooComplex.
    """
    entities = context.gate.entities
    known = entities[entity]
    fields, relationships = names & known.fields.keys(), names & known.relationships.keys()
    if known.as_of and (PROVENANCE in names or context.shown is not None):
        fields |= {known.as_of}
    if PROVENANCE in names:
        asked = (relationship.name for relationship, _ in restating(entities, known, fields))
        relationships |= frozenset(asked)
    selection = Selection(entity, fields, relationships)
    return Ask(selection, predicate_of(entity, where, entities), order_of(order_by))


def lists_rows(raw: RawInfo) -> bool:
    """Return whether a connection's rows are selected, not just their number."""
    return bool(selected(raw, ()) - {"totalCount", "__typename"})


def note_missing(raw: Any, failures: Sequence[tuple[SourceFailure, ...]]) -> None:
    """
    Note the systems whose rows the lists at this place lack.

    Shape:  failures (n), for each parent of a level, or for the one there is.
    """
    for index, missing in enumerate(failures):
        if missing:
            at = raw.at(index) if hasattr(raw, "at") else raw
            path = tuple(at.path.as_list())
            raw.context.partial.extend(Partial(failure.source, path) for failure in missing)


def note_shown(raw: RawInfo, records: Sequence[Record]) -> None:
    """Note what is shown at this place, where provenance is wanted."""
    if raw.context.shown is not None:
        path = tuple(step for step in raw.path.as_list() if isinstance(step, str))
        raw.context.shown.append(Shown(path, records))


async def first_of(context: RequestContext, ask: Ask) -> Record | None:
    """Return the first row the principal sees."""
    return (await context.gate.read(context.asker, ask)).first()


async def by_field(
    context: RequestContext, names: frozenset[str], entity: str, by: tuple[str, str]
) -> Record | None:
    """Return the row whose field has the value."""
    ask = ask_for(context, entity, names)
    where = Comparison(by[0], Operator.EQ, by[1])
    order_by = total_order(context.gate.entities[entity], ())
    return await first_of(context, Ask(ask.selection, where, order_by, limit=1))


async def by_id(
    context: RequestContext, names: frozenset[str], text: str, entity: str | None = None
) -> Record | None:
    """Return the row of an id; None for what is no id, not there, or not to be seen."""
    found = context.identity.find(text)
    if found is None or (entity is not None and found[0] != entity):
        return None
    ask = ask_for(context, found[0], names)
    return await first_of(context, Ask(ask.selection, found[1], limit=1))


async def page_for(context: RequestContext, ask: Ask, part: Slice, *, reads: bool) -> Page:
    """Return one page of an entity's rows; an empty one where none are selected."""
    entities, name = context.gate.entities, ask.selection.entity
    cursors = cursors_for(context.cursors, context.asker, entities, ask, name)
    question = paged(ask, part, cursors)
    found = await context.gate.read(context.asker, question) if reads else Found(())
    return page_of(found, part, cursors)


@dataclass(frozen=True, slots=True)
class Following:
    """A relationship followed from the parents of a level; its methods are set resolvers."""

    context: RequestContext
    relationship: Relationship
    ask: Ask

    async def ones(self, parents: Sequence[Record]) -> Sequence[Record | SourceFailure | None]:
        """Return each parent's one related row, the first by key where data has several."""
        context, ask = self.context, self.ask
        entity = context.gate.entities[self.relationship.target]
        order_by = () if self.relationship.target_fields == entity.key else total_order(entity, ())
        question = Ask(ask.selection, ask.where, order_by)
        return await relations.to_one(
            context.gate, context.asker, question, self.relationship, parents
        )

    async def lists(self, parents: Sequence[Record], size: int | None) -> list[Found]:
        """
        Return each parent's related rows, all of them where no size is given.

        Raises: TooComplex where all of them are too many.
        """
        context, ask = self.context, self.ask
        entity = context.gate.entities[self.relationship.target]
        limit = LARGEST_LIST + 1 if size is None else size
        question = Ask(ask.selection, ask.where, total_order(entity, ask.order_by), limit)
        found = await relations.to_many(
            context.gate, context.asker, question, self.relationship, parents
        )
        if size is None and any(len(each.records) > LARGEST_LIST for each in found):
            name = self.relationship.name
            raise TooComplex(f"{name} 超过{LARGEST_LIST}条,请用 first 或 where 缩小范围。")
        return found

    async def pages(self, parents: Sequence[Record], part: Slice, *, reads: bool) -> Sequence[Page]:
        """Return each parent's page of related rows; empty ones where none are selected."""
        context = self.context
        entities, name = context.gate.entities, self.relationship.name
        cursors = cursors_for(context.cursors, context.asker, entities, self.ask, name)
        if not reads:
            return [page_of(Found(()), part, cursors) for _ in parents]
        question = (self.ask, part, cursors)
        return await relations.pages(
            context.gate, context.asker, question, self.relationship, parents
        )

    async def counts(self, parents: Sequence[Record]) -> list[int]:
        """Return how many related rows each parent has."""
        context = self.context
        return await context.gate.count_related(context.asker, self.ask, self.relationship, parents)


async def count_all(context: RequestContext, ask: Ask, _: Sequence[None]) -> list[int]:
    """Return how many rows of the entity the principal sees; of one list, at the root."""
    return [await context.gate.count(context.asker, ask)]
