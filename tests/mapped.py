"""Mapping files for tests, and the part of a schema that they are read against."""

from pathlib import Path
from types import MappingProxyType

from contract.entity import Entity, Field, Kind, Relationship, Sensitivity

OPEN, PERSONAL, RESTRICTED = Sensitivity.OPEN, Sensitivity.PERSONAL, Sensitivity.RESTRICTED
HOUSEHOLD = Relationship("household", "Household", (("householdNumber", "number"),))
RESIDENT = Entity(
    "Resident",
    {
        "number": Field("number", Kind.STRING, "编号 | Number", nullable=False),
        "idNumber": Field(
            "idNumber", Kind.STRING, "证号 | Id", nullable=False, sensitivity=RESTRICTED
        ),
        "sex": Field(
            "sex", Kind.CODE, "性别 | Sex", sensitivity=PERSONAL, codes=("MALE", "FEMALE")
        ),
        "birthDate": Field("birthDate", Kind.DATE, "生日 | Birth", sensitivity=PERSONAL),
        "income": Field("income", Kind.DECIMAL, "收入 | Income", unit="yuan"),
        "householdNumber": Field("householdNumber", Kind.STRING, "户号 | Household"),
    },
    ("number",),
    MappingProxyType({"household": HOUSEHOLD}),
)
CASE = Entity("Case", {"number": Field("number", Kind.STRING, nullable=False)}, ("number",))
CORE = {"Resident": RESIDENT, "Case": CASE}

HEAD = """\
name = "one"
title = "一"
department = "民政"
kind = "sql"
url = "sqlite+aiosqlite:///one.db"
"""
GOOD = (
    HEAD
    + """\
coverage = ["3202"]
[entity.Resident]
native = "people"
[entity.Resident.fields]
number = { native = "id", storage = "integer" }
idNumber = { native = "GMSFHM", identifier = "citizen_number", case = "upper", trim = true }
sex = { native = "XB", codes = { "1" = "MALE", "2" = "FEMALE", "0" = "UNKNOWN" } }
birthDate = { native = "CSRQ", format = "yyyymmdd", sensitivity = "restricted" }
income = { native = "SR", unit = "fen", storage = "integer" }

[entity.Grant]
description = "补贴 | Grant"
attach = { to = "Resident", field = "grants", by = { ZJHM = "idNumber" } }
native = "aid.grants"
key = ["no"]
subject = "idNumber"
[entity.Grant.fields]
number = { native = "no", description = "编号 | Number" }
idNumber = { native = "ZJHM", identifier = "citizen_number", description = "证号 | Id number" }
paid = { native = "yn", type = "boolean", true = "Y", false = "N", description = "已发 | Paid" }
"""
)
REST = """\
name = "two"
title = "二"
department = "医保"
kind = "rest"
url = "http://127.0.0.1:1"
[entity.Visit]
description = "走访 | Visit"
attach = { to = "Case", field = "visits", by = { c = "number" } }
native = "/visits"
key = ["v"]
[entity.Visit.fields]
number = { native = "v", description = "编号 | Number" }
caseNumber = { native = "c", description = "办件 | Case" }
[entity.Visit.pushdown]
by_key = { field = "caseNumber", parameter = "case" }
"""
GRAPHQL = """\
name = "three"
title = "三"
department = "民政"
kind = "graphql"
url = "http://127.0.0.1:1/graphql"
[entity.Visit]
description = "走访 | Visit"
attach = { to = "Case", field = "visits", by = { caseNumber = "number" } }
native = "visits"
key = ["v"]
[entity.Visit.fields]
number = { native = "v", description = "编号 | Number" }
caseNumber = { native = "c.number", description = "办件 | Case" }
[entity.Visit.graphql]
rows = "nodes"
total = "count"
[entity.Visit.pushdown]
by_key = { field = "caseNumber", parameter = "filter.cases" }
"""


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text, "utf-8")
    return folder
