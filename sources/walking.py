"""
Lists of records that are seen through the row they speak of: the enrolments of a township's people.

Such records are never listed themselves, since how many there are of others must have no say. What
they follow is listed instead, as far as the caller may see it, in the order of its own key; its
keys ask for records, a few at a time, until the page is full.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any, Final, TypeAlias

from contract.entity import Entity, Relationship
from contract.errors import TooComplex
from contract.keyset import rows_after
from contract.predicate import (
    FALSE,
    TRUE,
    Comparison,
    Exists,
    In,
    Operator,
    Or,
    Predicate,
    all_of,
    any_of,
    conjuncts,
    fields_of,
    relates,
    walk,
)
from contract.read import Extreme, ForEach, Function, Order, Read, Rows
from sources import rowset
from sources.asking import Asking
from sources.explaining import Decision, Direction

_FIRST_LISTED: Final = 200
_MOST_LISTED: Final = 4_000
_MOST_AT_ONCE: Final = 1_000
_TOO_WIDE: Final = (
    "该列表要逐人查询,涉及的人员(或户、企业)过多,请先用 subject 或本身字段的条件缩小范围,"
    "或不指定 orderBy 而逐页查看。"
)
_NOT_FOLLOWED: Final = "您兼任的岗位对该信息的可见规则不同,不能列在同一个列表中;请从人员进入查询。"

Key: TypeAlias = tuple[object, ...]
Placed: TypeAlias = tuple[Key, Any]
"""A key, and where the row it is of stands in the list."""


def natural_order(relationship: Relationship, target: Entity) -> tuple[Order, ...]:
    """Return the order of records by the key of what they follow; none where that has several."""
    if len(target.key) != 1:
        return ()
    extreme = Extreme(relationship.name, target.key[0], Function.MIN)
    return (Order(extreme.name, extreme=extreme),)


def seen_through(where: Predicate, relationship: Relationship) -> tuple[Predicate, Predicate]:
    """
    Return what must be true of the row that is followed, and what else of the record.

    Raises: TooComplex where no condition, the caller's rows among them, is about that row alone.
    """
    parts = conjuncts(where)
    for place, part in enumerate(parts):
        followed = _about(part, relationship)
        if followed is not None:
            return followed, all_of(*parts[:place], *parts[place + 1 :])
    raise TooComplex(_NOT_FOLLOWED)


def _about(part: Predicate, relationship: Relationship) -> Predicate | None:
    """Return the condition as one about the row followed; None where it is none."""
    match part:
        case Exists(name, inner) if name == relationship.name and not part.by_key:
            return inner
        case Or(parts):
            several = [_about(each, relationship) for each in parts]
            known = [each for each in several if each is not None]
            return any_of(*known) if len(known) == len(several) else None
        case _:
            return None


@dataclass(slots=True)
class _Pace:
    """How many keys are asked at once, so that little more is read than the page holds."""

    wanted: int | None
    asked: int = 0
    found: int = 0
    last: int = 0

    def next(self) -> int:
        if self.wanted is None:
            size = _MOST_AT_ONCE
        elif not self.asked:
            size = ceil(self.wanted / 2)  # nobody knows yet how many records a key has
        elif not self.found:
            size = 4 * self.last
        else:
            missing = self.wanted - self.found
            size = min(4 * self.last, ceil(1.25 * missing * self.asked / self.found))
        return max(1, min(size, _MOST_AT_ONCE))

    def note(self, keys: int, rows: int) -> None:
        self.asked, self.found, self.last = self.asked + keys, self.found + rows, keys

    @property
    def is_full(self) -> bool:
        return self.wanted is not None and self.found >= self.wanted


@dataclass(frozen=True, slots=True)
class Walk:
    """
    One list of records seen through a relationship; `most`: keys that may be asked for it.

    `driving` is what is true of the row followed, `rest` what else is asked of the record.
    """

    read: Read
    relationship: Relationship
    asking: Asking
    most: int
    driving: Predicate
    rest: Predicate

    @classmethod
    def of(cls, read: Read, relationship: Relationship, asking: Asking, most: int) -> "Walk":
        """
        Return the walk that answers a read.

        Raises: TooComplex where the rows are not seen through the relationship.
        """
        driving, rest = seen_through(read.where, relationship)
        return cls(read, relationship, asking, most, driving, rest)

    async def rows(self) -> Rows:
        """
        Return the rows asked for.

        Reads:  by their own order the rows followed, page by page, and records by their keys until
                the page is full; by another order all of both.
        Raises: SourceFailure; TooComplex where more keys would have to be asked than may be.
        """
        if not self._is_natural:
            return await self._gathered()
        self._decide(Direction.WALKING)
        pace = _Pace(self.read.limit)
        kept: list[tuple[object, ...]] = []
        copies = []
        async for rows in self._steps(pace):
            kept += rows.rows
            copies += [rows.as_of] if rows.as_of else []
        found = Rows((*self._fields, self._name), kept[: self.read.limit])
        return replace(rowset.project(found, self.read.fields), as_of=min(copies, default=None))

    async def keyed(self) -> Predicate:
        """
        Return the condition with the keys of all rows followed in place of what is true of them.

        Raises: SourceFailure; TooComplex where they are too many.
        """
        if len(self.relationship.on) != 1:
            raise TooComplex(_TOO_WIDE)
        self._decide(Direction.DRIVING)
        (own,), fields = self.relationship.own_fields, self.relationship.target_fields
        asked = Read(self._target.name, fields, self.driving, limit=self.most + 1)
        rows = await self.asking.rows(asked)
        if len(rows.rows) > self.most:
            raise TooComplex(_TOO_WIDE)
        keys = dict.fromkeys(row[0] for row in rows.rows if relates(row))
        if not keys:
            return FALSE
        return all_of(In(own, tuple(keys)), self.rest)  # type: ignore[arg-type] # values of a field

    async def _gathered(self) -> Rows:
        where = await self.keyed()  # names people, so nothing of how it is asked is remembered
        return await self.asking.rows(replace(self.read, where=where, recurs=False))

    def _decide(self, direction: Direction) -> None:
        name, target = self.relationship.name, self._target.name
        self.asking.decided(Decision(self.read.entity, name, target, direction))

    @property
    def _target(self) -> Entity:
        return self.asking.entities[self.relationship.target]

    @property
    def _is_natural(self) -> bool:
        """Return whether the list is in the order of what is followed, from whichever end."""
        natural = natural_order(self.relationship, self._target)
        first = self.read.order_by[:1]
        return bool(natural and first) and first[0].field == natural[0].field

    @property
    def _name(self) -> str:
        return self.read.order_by[0].field

    @property
    def _beyond(self) -> Predicate:
        """Return what is asked of the place in the list, which is where the last page ended."""
        return all_of(*(p for p in conjuncts(self.rest) if self._name in fields_of(p)))

    @property
    def _asked(self) -> Predicate:
        return all_of(*(p for p in conjuncts(self.rest) if self._name not in fields_of(p)))

    @property
    def _fields(self) -> tuple[str, ...]:
        own, names = self.relationship.own_fields, fields_of(self._beyond)
        ordered = (order.field for order in self.read.order_by)
        return tuple(sorted({*self.read.fields, *own, *ordered, *names} - {self._name}))

    async def _steps(self, pace: _Pace) -> AsyncIterator[Rows]:
        """Yield the records of some keys after the other, in order, until the page is full."""
        async for listed in self._listed():
            for keys in _pieces(listed, pace):
                if pace.asked + len(keys) > self.most:
                    raise TooComplex(_TOO_WIDE)
                rows = await self._records(dict(keys))
                pace.note(len(keys), len(rows.rows))
                yield rows
                if pace.is_full:
                    return

    async def _records(self, places: dict[Key, Any]) -> Rows:
        by_key = ForEach(self.relationship.own_fields, tuple(places))
        read = Read(self.read.entity, self._fields, self._asked, for_each=by_key)
        rows = await self.asking.rows(read)
        pick = rowset.picker(rows.fields, self.relationship.own_fields)
        placed = [(*row, places[pick(row)]) for row in rows.rows]
        kept = rowset.keep(Rows((*rows.fields, self._name), placed), self._beyond)
        return replace(rowset.ordered(kept, self.read.order_by), as_of=rows.as_of)

    async def _listed(self) -> AsyncIterator[list[Placed]]:
        """Yield the keys of the rows followed, each once and where it first stands, in order."""
        pinned = self._pinned
        if pinned is not None:
            least = await self._least(pinned)
            yield sorted(least.items(), key=lambda each: each[1], reverse=self._descending)
            return
        order = Order(self._target.key[0], descending=self._descending)
        joined = self.relationship.target_fields
        fields = tuple(dict.fromkeys((*joined, order.field)))
        where, size = all_of(self.driving, self._behind), _FIRST_LISTED
        while True:
            rows = await self.asking.rows(Read(self._target.name, fields, where, (order,), size))
            pick, place = rowset.picker(fields, joined), fields.index(order.field)
            least = await self._least([pick(row) for row in rows.rows])
            keys = ((pick(row), row[place]) for row in rows.rows)
            # One person may be on record twice: where the records stand, the least number says.
            yield [(key, value) for key, value in keys if least.get(key) == value]
            if len(rows.rows) < size:
                return
            where = all_of(
                self.driving, rows_after((order,), (rows.rows[-1][place],), {order.field})
            )
            size = min(2 * size, _MOST_LISTED)

    async def _least(self, keys: Sequence[Key]) -> dict[Key, Any]:
        """Return where each of the keys first stands, of those whose row may be seen."""
        joined, field = self.relationship.target_fields, self._target.key[0]
        wanted = tuple(dict.fromkeys(filter(relates, keys)))
        fields = tuple(dict.fromkeys((*joined, field)))
        by_key = ForEach(joined, wanted)
        rows = await self.asking.rows(
            Read(self._target.name, fields, self.driving, for_each=by_key)
        )
        pick, place = rowset.picker(fields, joined), fields.index(field)
        least: dict[Key, Any] = {}
        for row in rows.rows:
            value: Any = row[place]
            if relates((value,)):
                least[pick(row)] = min(value, least.get(pick(row), value))
        return least

    @property
    def _descending(self) -> bool:
        return self.read.order_by[0].descending

    @property
    def _behind(self) -> Predicate:
        """Return which rows can have records behind the cursor: from its own row on."""
        places = {
            part.operand
            for part in walk(self._beyond)
            if isinstance(part, Comparison) and part.field == self._name
        }
        if len(places) != 1:
            return TRUE
        operator = Operator.LTE if self._descending else Operator.GTE
        return Comparison(self._target.key[0], operator, places.pop())

    @property
    def _pinned(self) -> list[Key] | None:
        """Return the keys that the records themselves are asked for, where they are."""
        for part in conjuncts(self._asked):
            match part:
                case Comparison(name, Operator.EQ, value) if (name,) == self._own:
                    return [(value,)]
                case In(name, values) if (name,) == self._own:
                    return [(value,) for value in values]
                case _:
                    pass
        return None

    @property
    def _own(self) -> tuple[str, ...]:
        return self.relationship.own_fields


def _pieces(listed: Sequence[Placed], pace: _Pace) -> Iterator[Sequence[Placed]]:
    start = 0
    while start < len(listed):
        size = pace.next()
        yield listed[start : start + size]
        start += size
