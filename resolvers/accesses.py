"""
The access ledger as a question may read it; that it was read is noted for the ledger itself.

Who may read which records is decided by the policy and the question alone, before any is read.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from auth.access_log import AccessLog, Record, Wanted
from auth.policy import LedgerView
from auth.reading import Consulted
from contract.errors import BadInput, Forbidden, RateLimited
from contract.identifier import is_citizen_number
from resolvers.context import RequestContext
from resolvers.seal import Seal

_USE = "ledger"
_CURSOR = "游标无效或已不适用于当前查询,请从第一页重新查询。"
_NUMBER = "subject 须为完整的18位公民身份号码。"
_ZONE = "时间要带时区,如 2026-01-01T08:00:00+08:00。"


@dataclass(frozen=True, slots=True)
class AccessPage:
    """Some records, the last first, and where they stand."""

    records: Sequence[Record]
    has_next: bool
    has_previous: bool
    cursors: "AccessCursors"


@dataclass(frozen=True, slots=True)
class AccessCursors:
    """Makes and reads the cursors of one search by one principal."""

    seal: Seal
    use: str

    def of(self, record: Record) -> str:
        """Return the cursor of a record."""
        return self.seal.close([record["sequence"]], _USE, self.use)

    def place(self, cursor: str) -> int:
        """
        Return the place that a cursor names.

        Raises: BadInput, one and the same for every cursor that is not of this search.
        """
        values = self.seal.open(cursor, _USE, self.use)
        if values is None or len(values) != 1 or not isinstance(values[0], int):
            raise BadInput(_CURSOR)
        return values[0]


async def access_page(
    context: RequestContext, wanted: Wanted, first: int, after: str | None
) -> AccessPage:
    """
    Return one page of the records that the principal may see.

    Raises: Forbidden, BadInput, decided before anything is read; TooComplex.
    """
    view, log = _searching(context)
    _check(wanted)
    if wanted.person:
        _look_up(context, wanted)
    principal = context.principal
    held = principal.account, principal.roles, principal.scopes
    cursors = AccessCursors(context.cursors, repr((held, wanted)))
    below = cursors.place(after) if after is not None else None
    found = await log.latest(view, wanted, below, first + 1)
    _note(context, wanted, min(first, len(found)))
    return AccessPage(found[:first], len(found) > first, after is not None, cursors)


async def accessed_by(
    context: RequestContext, persons: Sequence[str | None], wanted: Wanted, first: int
) -> list[Sequence[Record]]:
    """
    Return, for each person, the records of who read them.

    Shape:  citizen numbers (n) -> lists of records (n), same order.
    Raises: Forbidden, decided before any record is read.
    """
    view, log = _view(context)
    if not view.searches and not (view.citizen and set(persons) <= {view.citizen}):
        context.consulted.append(Consulted({"field": "accessedBy"}))
        raise Forbidden
    found: list[Sequence[Record]] = []
    for person in persons:
        if not person:
            found.append(())
            continue
        asked = Wanted(wanted.since, wanted.until, person=person)
        _check_times(asked)
        seen = _own(view, person)
        records = (
            await log.latest(seen, asked, None, first) if seen.searches or seen.citizen else ()
        )
        _note(context, asked, len(records))
        found.append(records)
    return found


def _own(view: LedgerView, person: str) -> LedgerView:
    """Return the view without what of it is another person's."""
    return view if view.citizen == person else LedgerView(view.everyone, view.divisions)


def _view(context: RequestContext) -> tuple[LedgerView, AccessLog]:
    if context.accesses is None:
        raise Forbidden
    return context.accesses.view, context.accesses.log


def _searching(context: RequestContext) -> tuple[LedgerView, AccessLog]:
    view, log = _view(context)
    if not view.searches:
        context.consulted.append(Consulted({"field": "accessLog"}))
        raise Forbidden
    return LedgerView(view.everyone, view.divisions), log


def _look_up(context: RequestContext, wanted: Wanted) -> None:
    """Spend a look-up: who tries numbers learns of each whether somebody read the person."""
    try:
        context.spending.look_up()
    except RateLimited:
        _note(context, wanted, 0)
        raise


def _check(wanted: Wanted) -> None:
    if wanted.person and not is_citizen_number(wanted.person):
        raise BadInput(_NUMBER)
    _check_times(wanted)


def _check_times(wanted: Wanted) -> None:
    for time in (wanted.since, wanted.until):
        if time is not None and time.tzinfo is None:
            raise BadInput(_ZONE)


def _note(context: RequestContext, wanted: Wanted, rows: int) -> None:
    persons = (wanted.person,) if wanted.person else ()
    context.consulted.append(Consulted(wanted.named(), persons, rows))
