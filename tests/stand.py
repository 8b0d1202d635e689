"""Stand-in systems for `check`: they count what they are asked, and may not do what they claim."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from contract.entity import Entity, Field, Kind
from contract.errors import SourceUnavailable
from contract.predicate import TRUE, Comparison, Contains, Operator
from contract.read import Read, Rows
from sources.declaration import Department
from sources.memory import MemorySource

RIGHT, WRONG = "11010519491231002X", "110105194912310021"
CORE = {
    "Resident": Entity(
        "Resident",
        {
            "number": Field("number", Kind.STRING, nullable=False),
            "idNumber": Field("idNumber", Kind.STRING),
            "sex": Field("sex", Kind.CODE, codes=("MALE", "FEMALE")),
            "birthDate": Field("birthDate", Kind.DATE),
            "division": Field("division", Kind.DIVISION),
        },
        ("number",),
    )
}
POPULATION = """\
name = "population"
title = "人口"
department = "公安"
kind = "sql"
url = "sqlite+aiosqlite:///x"
[entity.Resident]
native = "people"
[entity.Resident.fields]
number = { native = "n" }
idNumber = { native = "i", identifier = "citizen_number" }
sex = { native = "s", codes = { "1" = "MALE" } }
birthDate = { native = "b", format = "yyyymmdd" }
division = { native = "d" }
"""
MEDICAL = """\
name = "medical"
title = "医保"
department = "医保"
kind = "rest"
url = "http://127.0.0.1:1"
[entity.Enrollment]
description = "参保 | Enrolment"
attach = { to = "Resident", field = "enrollments", by = { c = "idNumber" } }
native = "/e"
key = ["p"]
subject = "c"
[entity.Enrollment.fields]
number = { native = "p", description = "编号 | Number" }
idNumber = { native = "c", description = "证号 | Id number" }
kind = { native = "k", codes = { "1" = "A", "2" = "B" }, description = "险种 | Kind" }
[entity.Enrollment.pushdown]
by_key = { field = "idNumber", parameter = "c", batch = 7 }
filters = { "kind.eq" = "k" }
"""
Lie = Callable[[Read], Read]


class Stand(MemorySource):
    """A source in memory that counts its reads, claims what it is told and may answer otherwise."""

    def __init__(
        self,
        department: Department,
        rows: Mapping[str, Sequence[Mapping[str, object]]],
        claims: Mapping[str, object] | None = None,
        lie: Lie = lambda read: read,
    ) -> None:
        entities = {name: mapped.entity for name, mapped in department.entities.items()}
        super().__init__(department.name, department.title, entities, rows)
        changes: dict[str, Any] = dict(claims or {})
        self.entities = {
            name: replace(capabilities, **changes) for name, capabilities in self.entities.items()
        }
        self.reads: list[Read] = []
        self._lie = lie

    async def read(self, read: Read) -> Rows:
        self.reads.append(read)
        return await super().read(self._lie(read))


class Broken(Stand):
    """A source that fails always."""

    failure: Exception = SourceUnavailable("population")

    async def read(self, read: Read) -> Rows:
        raise self.failure


def people(count: int) -> list[dict[str, object]]:
    return [
        {
            "number": f"{number:05}",
            "idNumber": f"{number:018}",
            "sex": ("MALE", "FEMALE", None)[number % 3],
            "birthDate": None if number % 7 == 0 else date(1950 + number % 50, 1 + number % 12, 1),
            "division": ("320205006", "320205007", "320411001")[number % 3],
        }
        for number in range(count)
    ]


def without_filter(read: Read) -> Read:
    return replace(read, where=TRUE)


def without_keys(read: Read) -> Read:
    return replace(read, for_each=None, limit=None)


def without_order(read: Read) -> Read:
    return replace(read, order_by=())


def without_limit(read: Read) -> Read:
    return replace(read, limit=None) if read.for_each is None else read


def nulls_first(read: Read) -> Read:
    return replace(
        read, order_by=tuple(replace(order, nulls_first=True) for order in read.order_by)
    )


def lower_excluded(read: Read) -> Read:
    match read.where:
        case Comparison(field, Operator.LTE, operand):
            return replace(read, where=Comparison(field, Operator.LT, operand))
        case Contains(field, text):
            return replace(read, where=Comparison(field, Operator.EQ, text))
        case _:
            return read


def by_key_only() -> dict[str, object]:
    return {
        "operators": {"kind": frozenset({Operator.EQ})},
        "negation": False,
        "disjunction": False,
        "order_by": frozenset(),
        "limit": False,
        "for_each": frozenset({("idNumber",)}),
        "for_each_limit": False,
        "functions": frozenset(),
        "group_by": frozenset(),
        "batch": 7,
        "scan": False,
    }


def enrollments() -> list[dict[str, object]]:
    return [
        {"number": f"{number}", "idNumber": f"{number // 2:018}", "kind": "AB"[number % 2]}
        for number in range(40)
    ]
