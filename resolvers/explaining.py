"""
Why a row can or cannot be seen, told as far as the policy lets the principal know.

Depth "office" asks as the principal does and reads nothing else: what they cannot see and what is
not there are one answer, by the same questions to systems. Depth "clauses" and "values" read one
row by its key without the policy of rows, within the divisions of the role that may: truths and, at
"values", division codes leave here, and no other value of the row.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from auth.explain import (
    OFFICE,
    VALUES,
    Anchored,
    Clause,
    FieldAccess,
    anchored,
    clauses,
    depth_of,
    divisions_of,
    field_accesses,
    named,
    unfolded,
)
from auth.policy import Grant, Policy
from auth.principal import Principal
from auth.reading import Reading
from contract.entity import Entity, Kind
from contract.errors import BadInput, Forbidden, SourceFailure
from contract.keyset import total_order
from contract.predicate import INVALID, Comparison, Operator, Predicate, all_of, any_of
from contract.read import Read
from resolvers.admission import Admission
from resolvers.ask import Ask, Asker, Selection
from resolvers.subjects import Subject
from sources.federation import ORIGIN, Federation
from sources.holding import Holding

_NOBODY: Final = "nobody"
_NAMED_BY: Final[Mapping[str, str]] = {"Resident": "idNumber", "Enterprise": "creditCode"}
UNSEEN: Final = (
    "不在您的辖区内或不存在;请凭居民身份证在其居住地或户籍地乡镇(街道)查询。"
    "当事人在您的窗口时,可凭依据用 openResident 打开;紧急情况下可说明理由打开,事后复核。"
)
SEEN: Final = "您可以看到该条信息;下列字段被遮盖或隐藏。"
EXPLAINED: Final = "逐条说明如下。"
_UNDECIDED: Final = "无法判定:“{}”暂时没有应答,请稍后重试。"
_NO_TYPE: Final = "type 不是可以说明的类型。"
_NO_KEY: Final = "该类型不能按单一编号说明。"


@dataclass(frozen=True, slots=True)
class Question:
    """Of which row it is asked; `other`: whose roles, where not the principal's own."""

    entity: str
    key: str
    other: Principal | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """What may be told; `visible` is None where it could not be decided."""

    depth: str
    message: str
    visible: bool | None
    clauses: tuple[Clause, ...] = ()
    fields: tuple[FieldAccess, ...] = ()
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Case:
    """One question with what was looked up for it beforehand; no row is read for that."""

    question: Question
    place: Anchored
    by: Comparison
    depth: str
    scopes: tuple[str, ...]

    @property
    def is_deep(self) -> bool:
        """Return whether more is told than which office is responsible."""
        return self.depth != OFFICE


@dataclass(frozen=True, slots=True)
class Explaining:
    """Admission on one side, sources on the other, for the question why."""

    admission: Admission
    federation: Federation
    subjects: Mapping[str, Subject]

    def case(self, asker: Asker, question: Question) -> _Case:
        """
        Return the question, ready to be answered.

        Raises: Forbidden; BadInput; RateLimited; all before any source is asked.
        """
        entities, (depth, scopes) = self.admission.entities, self._depth(asker)
        known = question.entity in entities and bool(entities[question.entity].fields)
        place = anchored(self._policy, entities, question.entity) if known else None
        if depth == _NOBODY or not self._may_ask_of(question, depth, scopes):
            if place is not None:
                self._note(asker, place.anchor, {_name_of(place.anchor)}, None)
            raise Forbidden
        if place is None:
            raise BadInput(_NO_TYPE)
        by = _named_by(place.anchor, question.key)
        # A citizen number tried here is one tried, as in any look-up.
        asker.spending.look_up_by((by,))
        return _Case(question, place, by, depth, scopes)

    def own(self, asker: Asker, case: _Case, tags: frozenset[int] | None) -> Explanation:
        """Return what may be told of a row that the gate gave, by its tags; None for no row."""
        policy, place, principal = self._policy, case.place, asker.principal
        told = tuple(clauses(policy, principal, place, None))
        sources = self._titles(place)
        grants = self._admitting(principal, place, tags or frozenset())
        if not grants:
            return Explanation(OFFICE, UNSEEN, visible=False, clauses=told, sources=sources)
        numbers = {grant.number for grant in grants}
        told = tuple(
            replace(clause, truth=True, is_decided=True) if number in numbers else clause
            for number, clause in enumerate(told)
        )
        roles = [role for role, _ in policy.held(principal)]
        fields = tuple(field_accesses(place.entity, grants, roles))
        return Explanation(OFFICE, SEEN, visible=True, clauses=told, fields=fields, sources=sources)

    async def within(self, asker: Asker, case: _Case) -> Explanation | None:
        """
        Return what the clauses say of the row; None where it is in no division of the role.

        Reads:  the row that decides, by its key, once.
        Raises: SourceFailure.
        """
        policy, place = self._policy, case.place
        whom = case.question.other or asker.principal
        reach = any_of(*(policy.reach(place.anchor.name, scope) for scope in case.scopes))
        row = await self._row(asker, case, whom, reach)
        if row is None:
            return None
        told = [_bared(c, case.depth, place.anchor) for c in clauses(policy, whom, place, row)]
        true = {number for number, clause in enumerate(told) if clause.truth is True}
        grants = [g for g in policy.grants(whom, place.entity.name) if g.number in true]
        roles = [role for role, _ in policy.held(whom)]
        fields = tuple(field_accesses(place.entity, grants, roles)) if grants else ()
        sources = self._titles(place, str(row.get(ORIGIN, "")))
        decided = all(clause.is_decided for clause in told) or bool(grants)
        visible = bool(grants) if decided else None
        return Explanation(case.depth, EXPLAINED, visible, tuple(told), fields, sources)

    def undecided(self, asker: Asker, case: _Case, failure: SourceFailure) -> Explanation:
        """Return that a system that decides did not answer."""
        whom = case.question.other or asker.principal
        titles = {h.source.name: h.source.title for h in self._holders(case.place)}
        told = tuple(clauses(self._policy, whom, case.place, None))
        title = titles.get(failure.source, failure.source)
        message = _UNDECIDED.format(title)
        return Explanation(case.depth, message, None, told, (), (title,))

    async def _row(
        self, asker: Asker, case: _Case, whom: Principal, reach: Predicate
    ) -> dict[str, object] | None:
        anchor, place = case.place.anchor, case.place
        grants = self._policy.grants(whom, place.entity.name)
        rules = (unfolded(grant.rows, place.through) for grant in grants)
        names = frozenset().union(*(named(rule) for rule in rules if rule is not None))
        subject = self.subjects.get(anchor.name)
        fields = {
            *anchor.key,
            *(names & anchor.fields.keys()),
            *(subject.fields if subject else ()),
        }
        origin = (ORIGIN,) if self.federation.is_shared(anchor.name) else ()
        where = all_of(case.by, reach)
        order = total_order(anchor, ())
        read = Read(anchor.name, (*sorted(fields), *origin), where, order, limit=1)
        rows = await self.federation.read(read, asker.calls)
        found = dict(zip(rows.fields, rows.rows[0], strict=True)) if rows.rows else None
        self._note(asker, anchor, {case.by.field, *names}, found)
        if found is None and rows.failures:
            raise rows.failures[0]
        return found

    def _note(
        self, asker: Asker, anchor: Entity, names: set[str], row: dict[str, object] | None
    ) -> None:
        """Note for the ledger of whom, and by which fields, it was explained."""
        subject = self.subjects.get(anchor.name)
        if subject is None:
            return
        told = sorted(f"{anchor.name}.{name}" for name in names)
        values = [] if row is None else [row.get(name) for name in subject.fields[:1]]
        people = [value for value in values if value is not None and value is not INVALID]
        asker.readings.append(
            Reading(anchor, frozenset(), (), lambda: told, subject.kind, people, len(values))
        )

    def _depth(self, asker: Asker) -> tuple[str, tuple[str, ...]]:
        return depth_of(self._policy, asker.principal)

    def _may_ask_of(self, question: Question, depth: str, scopes: tuple[str, ...]) -> bool:
        """Return whether it may be asked in the place of others: of roles beneath the own scope."""
        if question.other is None:
            return True
        known = all(role in self._policy.roles for role in question.other.roles)
        inside = all(scope.startswith(scopes) for scope in question.other.scopes)
        return depth != OFFICE and known and inside

    def _admitting(
        self, principal: Principal, place: Anchored, tags: frozenset[int]
    ) -> tuple[Grant, ...]:
        return tuple(
            grant
            for grant in self._policy.grants(principal, place.entity.name)
            if grant.number in tags and unfolded(grant.rows, place.through) is not None
        )

    def _holders(self, place: Anchored) -> tuple[Holding, ...]:
        return self.federation.holders(place.anchor.name)

    def _titles(self, place: Anchored, origin: str = "") -> tuple[str, ...]:
        """Return what the systems are called that decide."""
        held = [holding.source for holding in self._holders(place)]
        return tuple(each.title for each in held if origin in ("", each.name))

    @property
    def _policy(self) -> Policy:
        return self.admission.policy


def ask_of(case: _Case) -> Ask:
    """Return the question by which the principal's own rows are asked."""
    anchor = case.place.anchor
    return Ask(Selection(anchor.name), case.by, total_order(anchor, ()), limit=1)


def _name_of(anchor: Entity) -> str:
    """Return the field by which people name such a row; nothing where no single one does."""
    return _NAMED_BY.get(anchor.name) or (anchor.key[0] if len(anchor.key) == 1 else "")


def _named_by(anchor: Entity, key: str) -> Comparison:
    name = _name_of(anchor)
    field = anchor.fields.get(name)
    if field is None or field.kind is not Kind.STRING:
        raise BadInput(_NO_KEY)
    return Comparison(name, Operator.EQ, key)


def _bared(clause: Clause, depth: str, anchor: Entity) -> Clause:
    """Return the clause without division codes, where these may not be told."""
    fields = divisions_of(anchor, frozenset(part.field for part in clause.parts))
    parts = (
        part if depth == VALUES and part.field in fields else replace(part, division=None)
        for part in clause.parts
    )
    return replace(clause, parts=tuple(parts))
