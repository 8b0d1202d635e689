"""Sixty permits for stalls as a department keeps them, and the mapping file of the system."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from demo.identifiers import citizen_number

NOW = datetime(2025, 12, 1, 4, 0, tzinfo=UTC)
OFFICE = ZoneInfo("Asia/Shanghai")
PEOPLE = tuple(
    citizen_number("329900", date(1950 + place, 1 + place % 12, 3), place) for place in range(20)
)
NAMES = ("Anhua", "bolin", "Cheng", "dexing", "ESHAN", "fuxin")
AREAS = ("320205001", "320205002", "320205003", "320411003", "320411004", "320411005")
Native = dict[str, Any]


def natives() -> list[Native]:
    """Return the rows as a careful department keeps them."""
    return [
        {
            "no": f"P{place:03}",
            "certno": PEOPLE[place % 20],
            "shop": f"{NAMES[place % 6]}店{place:02}",
            "kind": "123"[place % 3],
            "began": None if place % 7 == 0 else f"{2020 + place % 5}{1 + place % 12:02}05",
            "changed": f"{worked(place):%Y-%m-%d %H:%M:%S}",
            "fee": Decimal(1000 + place * 125) / 100,
            "area": AREAS[place % 6],
            "months": None if place % 9 == 0 else place % 24,
            "note": None if place % 3 == 0 else "备注",
        }
        for place in range(60)
    ]


def worked(place: int) -> datetime:
    """Return when a row was changed, on the wall of the office."""
    return datetime(2025, 11, 1 + place % 28, 8 + place % 9, place, tzinfo=OFFICE)


def moved(row: Native, hours: int) -> Native:
    """Return the row with its time so many hours later."""
    when = datetime.fromisoformat(row["changed"]) + timedelta(hours=hours)
    return {**row, "changed": f"{when:%Y-%m-%d %H:%M:%S}"}


HEAD = """\
name = "permits"
title = "摊点许可"
department = "城管"
kind = "{kind}"
url = "${{URL}}"
budget = {{ timeout = "5s", rows = 5000 }}

[entity.Permit]
description = "摊点许可 | Permit for a stall"
attach = {{ to = "Resident", field = "permits", by = {{ certno = "idNumber" }} }}
native = "{native}"
key = ["no"]
subject = "certno"

[entity.Permit.fields]
number = {{ native = "no", nullable = false, description = "编号 | Number" }}
idNumber = {{ native = "certno", identifier = "citizen_number", description = "证号 | Id number" }}
name = {{ native = "shop", description = "字号 | Name" }}
kind = {{ native = "kind", codes = {{ "1" = "SHOP", "2" = "CANTEEN", "3" = "STALL" }}, \
  description = "类别 | Kind" }}
startedOn = {{ native = "began", type = "date", format = "yyyymmdd", \
  description = "起始 | First day" }}
changedAt = {{ native = "changed", type = "datetime", format = "plain", \
  description = "更新 | Changed" }}
fee = {{ native = "fee", type = "money", unit = "yuan"{fee}, description = "费用 | Fee" }}
area = {{ native = "area", type = "division", description = "区划 | Division" }}
months = {{ native = "months", type = "integer", description = "月数 | Months" }}
note = {{ native = "note", description = "备注 | Note" }}
"""
REST = (
    HEAD.format(kind="rest", native="/permits", fee="")
    + """
[entity.Permit.rest]
rows = "data.rows"
total = "data.total"
answered = "data.certnos"
success = { code = 0 }
paging = { style = "page", parameter = "page", size_parameter = "size", size = 20 }
scan = true

[entity.Permit.pushdown]
by_key = { field = "idNumber", parameter = "certnos", batch = 30 }

[entity.Permit.pushdown.filters]
"number.eq" = "no"
"name.eq" = "shop"
"name.contains" = "part"
"kind.eq" = "kind"
"kind.in" = "kinds"
"startedOn.lt" = "before"
"months.gte" = "least"
"months.in" = "months"
"changedAt.gte" = "since"
"area.within" = "under"
"note.isNull" = "unnoted"
"""
)
GRAPHQL = (
    HEAD.format(kind="graphql", native="permits", fee="")
    + """
[entity.Permit.graphql]
rows = "nodes"
total = "totalCount"
answered = "certnos"
paging = { style = "cursor", parameter = "after", size_parameter = "first", size = 20, \
  next = "pageInfo.endCursor", more = "pageInfo.hasNextPage" }
scan = true

[entity.Permit.pushdown]
by_key = { field = "idNumber", parameter = "certnos", batch = 30 }

[entity.Permit.pushdown.filters]
"kind.in" = "filter.kindIn"
"months.gte" = "filter.least"
"""
)
SQL = HEAD.format(kind="sql", native="permits", fee=', storage = "{money}"')
FILE = (
    HEAD.format(kind="file", native="permits-*.csv", fee="")
    + """
[entity.Permit.file]
encoding = "utf-8"
"""
)


@dataclass(frozen=True, slots=True)
class Served:
    """A system that runs: its mapping file, and the environment the file is read with."""

    text: str
    environment: Mapping[str, str]
