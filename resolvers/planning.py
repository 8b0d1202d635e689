"""
The plan of an answer, as far as the principal may know it: what each system was asked, and why.

No value of a question or a row is in it. Numbers of rows are told only of entities of which the
principal sees every row, since they count rows that were fetched and dropped; and where how often a
system was asked may depend on rows that are not seen, its calls are told as one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from auth.policy import Policy
from auth.principal import Principal
from contract.predicate import (
    TRUE,
    And,
    Constant,
    Exists,
    In,
    IsNull,
    Leaf,
    Not,
    Or,
    Predicate,
)
from contract.read import Order
from contract.source import operator_of
from sources.explaining import Asked, Decision, Direction
from sources.federation import Call, Explained

_WHY: Final[Mapping[Direction, str]] = {
    Direction.DRIVING: "the related rows are few enough: they are listed, and their keys ask",
    Direction.FOLLOWING: "the related rows are too many: rows that are found ask by their keys",
    Direction.BY_KEY: "the related side cannot be listed for this, or its system runs it itself",
    Direction.WALKING: "seen through the related rows: these are listed by their key, page by page,"
    " and their keys ask until the page is full",
}
_COMPARED: Final = "both sides are counted, and the fewer rows move"


@dataclass(frozen=True, slots=True)
class Planning:
    """What may be told of plans to one principal."""

    policy: Policy
    principal: Principal

    def told(self, calls: Explained) -> dict[str, Any]:
        """Return the plan as it stands in an answer."""
        entities = sorted({call.entity for call in calls})
        veiled = self._veiled(calls)
        return {
            "policy": [clause for name in entities for clause in self._clauses(name)],
            "joins": [self._join(each) for each in calls.decisions],
            "calls": list(self._calls(calls, veiled)),
            "rows": [
                {
                    "entity": name,
                    "fetched": sum(call.rows for call in calls if call.entity == name),
                    "returned": calls.returned.get(name, 0),
                }
                for name in entities
                if self._sees_all(name)
            ],
        }

    def _sees_all(self, entity: str) -> bool:
        return any(grant.rows == TRUE for grant in self.policy.grants(self.principal, entity))

    def _follows(self, entity: str) -> bool:
        return any(grant.follows for grant in self.policy.grants(self.principal, entity))

    def _clauses(self, entity: str) -> Iterator[dict[str, str]]:
        for grant in self.policy.grants(self.principal, entity):
            if grant.number < len(self.principal.roles):
                name = self.principal.roles[grant.number]
                rule = self.policy.rule(self.policy.roles[name], entity)
                yield {"entity": entity, "role": name, "rule": rule, "rows": words(grant.rows)}
            else:
                yield {"entity": entity, "role": "", "rule": "opening", "rows": words(grant.rows)}

    def _join(self, decision: Decision) -> dict[str, Any]:
        told: dict[str, Any] = {
            "entity": decision.entity,
            "relationship": decision.relationship,
            "direction": str(decision.direction),
            "why": _WHY[decision.direction],
        }
        if self._is_hidden(decision):
            return told | {"direction": "compared", "why": _COMPARED}
        if self._sees_all(decision.entity) and self._sees_all(decision.target):
            told |= {"keys": decision.keys, "rows": decision.rows}
        return told

    def _is_hidden(self, decision: Decision) -> bool:
        """Return whether a direction may tell how many rows there are that are not seen."""
        counted = decision.rows is not None
        return counted and self._follows(decision.entity) and not self._sees_all(decision.entity)

    def _veiled(self, calls: Explained) -> frozenset[str]:
        return frozenset(
            name
            for decision in calls.decisions
            if self._is_hidden(decision)
            for name in (decision.entity, decision.target)
        )

    def _calls(self, calls: Sequence[Call], veiled: frozenset[str]) -> Iterator[dict[str, Any]]:
        together: set[tuple[str, str]] = set()
        for call in calls:
            asked = call.asked
            if asked is None or call.entity in veiled or not self._is_open(call, asked):
                if (call.source, call.entity) not in together:
                    together.add((call.source, call.entity))
                    yield {**_place(call), "asked": None}
            else:
                yield {**_place(call), **_asked(asked), **self._rows(call)}

    def _is_open(self, call: Call, asked: Asked) -> bool:
        """Return whether what was asked, and how often, rests on rows alone that are seen."""
        exact = asked.residual == TRUE and not self._follows(call.entity)
        return self._sees_all(call.entity) or asked.for_each is not None or exact

    def _rows(self, call: Call) -> dict[str, Any]:
        return {"rows": call.rows} if self._sees_all(call.entity) else {}


def _place(call: Call) -> dict[str, Any]:
    return {"source": call.source, "title": call.title, "entity": call.entity, "state": call.state}


def _asked(asked: Asked) -> dict[str, Any]:
    keys = asked.for_each
    return {
        "asked": words(asked.pushed),
        "residual": words(asked.residual),
        "by": list(keys.fields) if keys else [],
        "keys": len(keys.keys) if keys else 0,
        "orderBy": [_order(order) for order in asked.order_by],
        "limit": asked.limit,
        "counted": asked.aggregated,
        "milliseconds": asked.milliseconds,
    }


def _order(order: Order) -> str:
    return f"{order.field} descending" if order.descending else order.field


def words(predicate: Predicate) -> str:
    """Return a condition in words, with a question mark in the place of every value."""
    match predicate:
        case Constant(truth):
            return "every row" if truth else "no row"
        case Not(inner):
            return f"not ({words(inner)})"
        case And(parts):
            return " and ".join(_bracketed(part) for part in parts)
        case Or(parts):
            return " or ".join(_bracketed(part) for part in parts)
        case Exists(relationship, inner):
            return f"exists {relationship} ({words(inner)})"
        case _:
            return _compared(predicate)


def _compared(leaf: Leaf) -> str:
    match leaf:
        case In(field, operands):
            return f"{field} in ? ({len(operands)})"
        case IsNull(field):
            return f"{field} isNull"
        case _:
            return f"{leaf.field} {operator_of(leaf)} ?"


def _bracketed(part: Predicate) -> str:
    return f"({words(part)})" if isinstance(part, And | Or) else words(part)
