"""
What somebody should be answered, computed the slow way: everything in lists, then filtered.

Shares no code with the product: rules, grants, admission, three-valued truth, order, masks and
pages are written out again, from what docs/policy.md says.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from auth.principal import Principal
from contract.predicate import INVALID
from tests.generated.policies import LEVELS, PolicyFile, Role
from tests.generated.questions import (
    CONNECTIONS,
    Nested,
    Order,
    Question,
    Selection,
    Where,
    plain,
)
from tests.generated.truth import Truth, all_of, any_of, beneath, compared, known, masked
from tests.generated.worlds import ENTITIES, KEYS, Row, World

Path: TypeAlias = tuple[str | int, ...]
FACETS: Final = frozenset({"MedicalEnrollment"})
FOLLOWED: Final = {"Case": "applicant", "CaseEvent": "case", "MedicalEnrollment": "subject"}
DIVISIONS: Final = {"Household": "division", "Case": "acceptingDivision", "Enterprise": "division"}
SHOWN, HIDDEN = "shown", "hidden"


@dataclass(frozen=True, slots=True)
class Grant:
    """One role in one scope; `number` is its place."""

    number: int
    role: Role
    scope: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A row that is shown, and the grants that show it."""

    row: Row
    grants: frozenset[int]


class Refused(Exception):
    """The question names what its asker may not ask by."""


@dataclass(slots=True)
class Answers:
    """The answers of one world to one principal under one policy."""

    world: World
    policy: PolicyFile
    principal: Principal
    errors: list[tuple[Path, str]] = field(default_factory=list)

    # Rows

    def grants(self, entity: str) -> list[Grant]:
        """Return the grants that may open rows of the entity at all."""
        held = enumerate(zip(self.principal.roles, self.principal.scopes, strict=True))
        every = (Grant(number, self.policy.roles[role], scope) for number, (role, scope) in held)
        return [
            grant
            for grant in every
            if LEVELS[len(grant.scope)] in grant.role.levels and self._opens(grant, entity)
        ]

    def _rule(self, role: Role, entity: str) -> str:
        return role.rows.get(entity, role.facets if entity in FACETS else "nobody")

    def _opens(self, grant: Grant, entity: str) -> bool:
        rule = self._rule(grant.role, entity)
        if rule == "follows":
            return self._opens(grant, _target(entity, FOLLOWED[entity]))
        return rule != "nobody" and (rule != "own_department" or self.principal.department != "")

    def admits(self, grant: Grant, entity: str, row: Row) -> bool:
        """Return whether the grant opens the row."""
        match self._rule(grant.role, entity):
            case "everyone":
                return True
            case "own_division":
                names = (
                    (DIVISIONS[entity],) if entity in DIVISIONS else self.policy.terms.own_division
                )
                return any(beneath(row[name], grant.scope) for name in names)
            case "own_village":
                return beneath(row["village"], grant.scope)
            case "own_department":
                own = row["department"] == self.principal.department != ""
                return own and beneath(row["acceptingDivision"], grant.scope)
            case "follows":
                name = FOLLOWED[entity]
                there = self.related(entity, row, name)
                return any(self.admits(grant, _target(entity, name), each) for each in there)
            case _:
                return False

    def related(self, entity: str, row: Row, name: str) -> list[Row]:
        """Return every row that is related, whoever sees it."""
        relationship = ENTITIES[entity].relationships[name]
        ((own, other),) = relationship.on
        if row[own] is None or row[own] is INVALID:
            return []
        return [each for each in self.world[relationship.target] if each[other] == row[own]]

    # Admission

    def admitted(
        self, entity: str, where: Where, order: Order, held: Iterable[Grant]
    ) -> list[Grant]:
        """
        Return the grants that admit a question.

        Raises: Refused where there are grants and none of them does.
        """
        held = list(held)
        found = [grant for grant in held if self._may_ask(grant, entity, where, order)]
        if held and not found:
            raise Refused
        return found

    def _may_ask(self, grant: Grant, entity: str, where: Where, order: Order) -> bool:
        rest = [
            {name: value}
            for name, value in _conjuncts(entity, where)
            if not (f"{entity}.{name}" in grant.role.lookup and set(value) == {"eq"})
        ]
        return self._may_name(grant, entity, {"and": rest}) and all(
            self._may_sort(grant, entity, name, wanted)
            for part in order
            for name, wanted in part.items()
        )

    def _may_sort(self, grant: Grant, entity: str, name: str, wanted: Any) -> bool:
        if isinstance(wanted, str):
            return self.access(grant, entity, name) == SHOWN
        ((inner, _),) = wanted.items()
        return bool(self._sorting(entity, name, inner))

    def _sorting(self, entity: str, name: str, inner: str) -> list[Grant]:
        """Return the grants whose related rows may be sorted by."""
        target = _target(entity, name)
        return [g for g in self.grants(target) if self.access(g, target, inner) == SHOWN]

    def _may_name(self, grant: Grant, entity: str, where: Where) -> bool:
        for name, value in where.items():
            if name in ("and", "or"):
                if not all(self._may_name(grant, entity, part) for part in value):
                    return False
            elif name == "not":
                if not self._may_name(grant, entity, value):
                    return False
            elif name in ENTITIES[entity].relationships:
                if not self._inner(_target(entity, name), value):
                    return False
            elif self.access(grant, entity, name) != SHOWN:
                return False
        return True

    def _inner(self, target: str, where: Where) -> list[Grant]:
        """Return the grants under which related rows may be asked this."""
        return [grant for grant in self.grants(target) if self._may_name(grant, target, where)]

    def access(self, grant: Grant, entity: str, name: str) -> str:
        """Return how the grant shows a field."""
        line = grant.role.fields.get(f"{entity}.{name}")
        sensitivity = ENTITIES[entity].fields[name].sensitivity.value
        return line or (SHOWN if sensitivity == "open" else grant.role.sensitivity[sensitivity])

    # Truth

    def truth(self, entity: str, row: Row, where: Where) -> Truth:
        """Return the truth of a filter for a row."""
        return all_of(self._part(entity, row, name, value) for name, value in where.items())

    def _part(self, entity: str, row: Row, name: str, value: Any) -> Truth:
        match name:
            case "and":
                return all_of(self.truth(entity, row, part) for part in value)
            case "or":
                return any_of(self.truth(entity, row, part) for part in value)
            case "not":
                inner = self.truth(entity, row, value)
                return None if inner is None else not inner
            case _ if name in ENTITIES[entity].relationships:
                return self._exists(entity, row, name, value)
            case _:
                return all_of(compared(row[name], op, given) for op, given in value.items())

    def _exists(self, entity: str, row: Row, name: str, where: Where) -> bool:
        target = _target(entity, name)
        opened = self._inner(target, where)
        return any(
            self.truth(target, each, where) is True
            and any(self.admits(grant, target, each) for grant in opened)
            for each in self.related(entity, row, name)
        )

    # Order

    def ordered(self, entity: str, rows: Iterable[Seen], order: Order) -> list[Seen]:
        """Return the rows in order, nulls last, the key behind it."""
        rest = sorted(rows, key=lambda seen: str(seen.row[KEYS[entity]]))
        for part in reversed(order):
            ((name, wanted),) = part.items()
            values = {
                id(seen.row): self._sorted_by(entity, seen.row, name, wanted) for seen in rest
            }
            known = [seen for seen in rest if values[id(seen.row)] is not None]
            direction = wanted if isinstance(wanted, str) else next(iter(wanted.values()))
            by: Callable[[Seen], Any] = lambda seen, values=values: values[id(seen.row)]  # type: ignore[misc] # noqa: E731
            known.sort(key=by, reverse=direction == "DESC")
            rest = known + [seen for seen in rest if values[id(seen.row)] is None]
        return rest

    def _sorted_by(self, entity: str, row: Row, name: str, wanted: Any) -> Any:
        if isinstance(wanted, str):
            return known(row[name])
        ((inner, direction),) = wanted.items()
        target, opened = _target(entity, name), self._sorting(entity, name, inner)
        values = [
            value
            for each in self.related(entity, row, name)
            if (value := known(each[inner])) is not None
            and any(self.admits(grant, target, each) for grant in opened)
        ]
        return (max if direction == "DESC" else min)(values, default=None)

    # Answers

    def answer(self, question: Question, page: int = 0) -> object:
        """Return the root field's value of one page; what is refused stands in `errors`."""
        path: Path = ("found",)
        try:
            found = self._found(question)
        except Refused:
            self.errors.append((path, "FORBIDDEN"))
            return None
        if question.by or question.key:
            return (
                self._shown(question.entity, [(s, path) for s in found[:1]], question.selection)
                or [None]
            )[0]
        return self._page(question, page, found)

    def _found(self, question: Question) -> list[Seen]:
        entity = question.entity
        where = dict(question.where)
        if question.by:
            where = {
                {"Resident": "idNumber", "Enterprise": "creditCode"}.get(entity, "number"): {
                    "eq": question.by
                }
            }
        if question.key:
            where = {KEYS[entity]: {"eq": question.key}}
        grants = self.admitted(entity, where, question.order, self.grants(entity))
        rows = [row for row in self.world[entity] if self.truth(entity, row, where) is True]
        return self.ordered(entity, self._tagged(entity, rows, grants), question.order)

    def _tagged(self, entity: str, rows: Iterable[Row], grants: Sequence[Grant]) -> Iterator[Seen]:
        for row in rows:
            tags = frozenset(g.number for g in grants if self.admits(g, entity, row))
            if tags:
                yield Seen(row, tags)

    def _page(self, question: Question, page: int, found: list[Seen]) -> object:
        size = abs(question.first)
        if question.first < 0:
            kept, around = found[-size:], (False, len(found) > size)
        else:
            kept = found[page * size : (page + 1) * size]
            around = (len(found) > (page + 1) * size, page > 0)
        places = [(seen, ("found", "nodes", place)) for place, seen in enumerate(kept)]
        return {
            "totalCount": len(found),
            "pageInfo": {"hasNextPage": around[0], "hasPreviousPage": around[1]},
            "nodes": self._shown(question.entity, places, question.selection),
        }

    def _shown(
        self, entity: str, rows: Sequence[tuple[Seen, Path]], selection: Selection
    ) -> list[Any]:
        """Return the rows of one level as they are shown, with all that hangs on them."""
        shown: list[dict[str, object]] = [
            {
                "__typename": entity,
                **{name: self._field(entity, seen, name, path) for name in selection.fields},
            }
            for seen, path in rows
        ]
        for nested in selection.nested:
            for there, value in zip(shown, self._hanging(entity, rows, nested), strict=True):
                there[nested.relationship] = value
        return shown

    def _field(self, entity: str, seen: Seen, name: str, path: Path) -> object:
        grants = [grant for grant in self.grants(entity) if grant.number in seen.grants]
        accesses = {self.access(grant, entity, name) for grant in grants}
        value = seen.row[name]
        if SHOWN in accesses:
            if value is INVALID:
                self.errors.append(((*path, name), "SOURCE_REFUSED"))
                return None
            return plain(value)
        masks = sorted(accesses - {HIDDEN})
        if not masks:
            self.errors.append(((*path, name), "FORBIDDEN"))
            return None
        return masked(masks[0], value) if isinstance(value, str) else None

    def _hanging(
        self, entity: str, rows: Sequence[tuple[Seen, Path]], nested: Nested
    ) -> list[object]:
        """Return what hangs on each row of a level, all of it asked at once."""
        if not rows:
            return []
        target = _target(entity, nested.relationship)
        held = frozenset[int]().union(
            *(seen.grants for seen, _ in rows if self._joins(entity, seen, nested))
        )
        grants = [
            g
            for g in self.grants(target)
            if self._rule(g.role, target) != "follows" or g.number in held
        ]
        try:
            admitted = self.admitted(target, nested.where, nested.order, grants)
        except Refused:
            self.errors += [((*path, nested.relationship), "FORBIDDEN") for _, path in rows]
            return [None] * len(rows)
        return [*self._beneath_all(entity, rows, nested, admitted)]

    def _joins(self, entity: str, seen: Seen, nested: Nested) -> bool:
        own = ENTITIES[entity].relationships[nested.relationship].own_fields[0]
        return known(seen.row[own]) is not None

    def _beneath_all(
        self,
        entity: str,
        rows: Sequence[tuple[Seen, Path]],
        nested: Nested,
        grants: Sequence[Grant],
    ) -> Iterator[object]:
        target = _target(entity, nested.relationship)
        many = ENTITIES[entity].relationships[nested.relationship].many
        listed = (entity, nested.relationship) in CONNECTIONS
        levels: list[tuple[list[tuple[Seen, Path]], int]] = []
        for seen, path in rows:
            below = self._below(entity, seen, nested, grants)
            size = (20 if listed else None) if nested.first is None else nested.first
            kept = below[:size] if many else below[:1]
            inner: Path = (*path, nested.relationship, *(("nodes",) if listed else ()))
            placed = [(each, (*inner, place) if many else inner) for place, each in enumerate(kept)]
            levels.append((placed, len(below)))
        shown = iter(
            self._shown(target, [each for level, _ in levels for each in level], nested.selection)
        )
        for level, total in levels:
            nodes = [next(shown) for _ in level]
            if listed:
                more = total > len(nodes)
                yield {"totalCount": total, "pageInfo": {"hasNextPage": more}, "nodes": nodes}
            else:
                yield nodes if many else next(iter(nodes), None)

    def _below(
        self, entity: str, seen: Seen, nested: Nested, grants: Sequence[Grant]
    ) -> list[Seen]:
        target = _target(entity, nested.relationship)
        rows = self.related(entity, seen.row, nested.relationship)
        kept = [row for row in rows if self.truth(target, row, nested.where) is True]
        return self.ordered(target, self._tagged(target, kept, grants), nested.order)


def _target(entity: str, name: str) -> str:
    return ENTITIES[entity].relationships[name].target


def _conjuncts(entity: str, where: Where) -> Iterator[tuple[str, Any]]:
    """Yield what must all be true; a look-up is one of these, and no part of anything else."""
    for name, value in where.items():
        if name == "and":
            for part in value:
                yield from _conjuncts(entity, part)
        else:
            yield name, value
