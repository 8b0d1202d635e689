"""
The stand-in of the cities' low-income monitoring platform: a GraphQL service with its own words.

A script that knows nothing of ours: `low_income_platform.py FILE PORT TOKEN-FILE PID-FILE`.
It matches certificate numbers character by character, as the system it stands for does.
"""

import base64
import os
import secrets
import sqlite3
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import uvicorn
from graphql import GraphQLError, GraphQLObjectType, GraphQLSchema, build_schema, graphql_sync
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

_MOST: Final = 500
_LEVELS: Final = (2, 4, 6, 9, 12)
_SDL: Final = '''
"""低收入家庭类别"""
enum HardshipCategory {
  MINIMUM_LIVING SPECIAL_HARDSHIP MARGINAL RIGID_EXPENDITURE POVERTY_RISK LOW_INCOME OTHER_HARDSHIP
}
"""监测等级"""
enum AlertLevel { RED ORANGE YELLOW GREEN }
"""监测状态"""
enum MonitoringState { MONITORED SUSPENDED LIFTED }
"""风险预警类型"""
enum WarningType { MEDICAL_EXPENSE UNEMPLOYMENT INCOME_DROP DISASTER UNREPORTED_ASSETS }
"""劳动能力"""
enum LaborCapacity { FULL WEAK NONE }

input HouseholdFilter {
  headCertificateNoIn: [String!]
  registerNoIn: [String!]
  categoryIn: [HardshipCategory!]
  alertLevelIn: [AlertLevel!]
  stateIn: [MonitoringState!]
  areaCode: String
  verifiedBefore: String
}
input PersonFilter {
  certificateNoIn: [String!]
  archiveNoIn: [String!]
  stateIn: [MonitoringState!]
}

type Query {
  monitoredHouseholds(
    filter: HouseholdFilter, first: Int = 100, after: String
  ): HouseholdConnection!
  monitoredPersons(filter: PersonFilter, first: Int = 100, after: String): PersonConnection!
}
type PageInfo { hasNextPage: Boolean!, endCursor: String }
type HouseholdConnection { totalCount: Int!, nodes: [MonitoredHousehold!]!, pageInfo: PageInfo! }
type PersonConnection { totalCount: Int!, nodes: [MonitoredPerson!]!, pageInfo: PageInfo! }
type Head { name: String!, certificateNo: String! }
type Verification { verifiedOn: String, method: String }
type RiskWarning { type: WarningType!, raisedAt: String!, message: String! }
type MonitoredHousehold {
  archiveNo: ID!
  registerNo: String!
  head: Head!
  cityCode: String!
  areaCode: String!
  category: HardshipCategory!
  alertLevel: AlertLevel!
  state: MonitoringState!
  memberCount: Int!
  declaredMonthlyIncome: Float
  lastVerification: Verification
  openWarningCount: Int!
  latestWarning: RiskWarning
  updatedAt: String!
  persons: [MonitoredPerson!]!
}
type MonitoredPerson {
  personNo: ID!
  archiveNo: String!
  certificateNo: String!
  name: String!
  isHead: Boolean!
  laborCapacity: LaborCapacity!
  monthlyIncome: Float
  household: MonitoredHousehold!
}
'''
_HOUSEHOLD: Final = {
    "headCertificateNoIn": "h.head_certificate_no",
    "registerNoIn": "h.register_no",
    "categoryIn": "h.category",
    "alertLevelIn": "h.alert_level",
    "stateIn": "h.state",
}
_PERSON: Final = {
    "certificateNoIn": "p.certificate_no",
    "archiveNoIn": "p.archive_no",
    "stateIn": "h.state",
}
_JOINED: Final = "person p JOIN household h ON h.archive_no = p.archive_no"


@dataclass(frozen=True, slots=True)
class Page:
    """What one connection asks for: a condition with its operands, how many, after which key."""

    where: str
    operands: tuple[object, ...]
    first: int
    after: str


class Platform:
    """The platform's file, read only; the root of every answer."""

    def __init__(self, file: Path) -> None:
        self._connection = sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True)
        self._connection.row_factory = sqlite3.Row

    def households(self, page: Page) -> dict[str, object]:
        """Return a connection of households."""
        return self._connection_of("household h", "h.archive_no", page, _household)

    def persons(self, page: Page) -> dict[str, object]:
        """Return a connection of persons."""
        return self._connection_of(_JOINED, "p.person_no", page, _person)

    def members(self, archive: str) -> list[dict[str, object]]:
        """Return the persons of one household."""
        return self.persons(Page("p.archive_no = ?", (archive,), _MOST, ""))["nodes"]  # type: ignore[return-value] # they are

    def _connection_of(self, table: str, key: str, page: Page, node: Any) -> dict[str, object]:
        (total,) = self._connection.execute(
            f"SELECT count(*) FROM {table} WHERE {page.where}",  # noqa: S608 -- our own columns
            page.operands,
        ).fetchone()
        rows = self._connection.execute(
            f"SELECT * FROM {table} WHERE {page.where} AND {key} > ?"  # noqa: S608 -- our own columns
            f" ORDER BY {key} LIMIT ?",
            (*page.operands, page.after, page.first + 1),
        ).fetchall()
        shown = rows[: page.first]
        end = _sealed(str(shown[-1][key.partition(".")[2]])) if shown else None
        return {
            "totalCount": total,
            "nodes": [node(row) for row in shown],
            "pageInfo": {"hasNextPage": len(rows) > len(shown), "endCursor": end},
        }


def schema(platform: Platform) -> GraphQLSchema:
    """Return the service's schema over the platform."""

    def households(_: object, __: object, **asked: Any) -> dict[str, object]:
        return platform.households(_page(asked, _HOUSEHOLD))

    def persons(_: object, __: object, **asked: Any) -> dict[str, object]:
        return platform.persons(_page(asked, _PERSON))

    def members(household: Mapping[str, str], _: object) -> list[dict[str, object]]:
        return platform.members(household["archiveNo"])

    built = build_schema(_SDL)
    assert built.query_type is not None  # noqa: S101 -- it is above
    built.query_type.fields["monitoredHouseholds"].resolve = households
    built.query_type.fields["monitoredPersons"].resolve = persons
    household = built.type_map["MonitoredHousehold"]
    assert isinstance(household, GraphQLObjectType)  # noqa: S101 -- it is above
    household.fields["persons"].resolve = members
    return built


def application(platform: Platform, token: str) -> Starlette:
    """Return the service."""
    built, wanted = schema(platform), f"Bearer {token}".encode()

    async def graphql(request: Request) -> JSONResponse:
        if not secrets.compare_digest(request.headers.get("Authorization", "").encode(), wanted):
            return _failed(401, "令牌无效")
        try:
            asked = await request.json()
            text, variables = asked["query"], asked.get("variables")
        except (ValueError, TypeError, KeyError, AttributeError):
            return _failed(400, "请求不是GraphQL")
        result = graphql_sync(built, text, variable_values=variables)
        return JSONResponse(result.formatted, 200 if result.data is not None else 400)

    return Starlette(routes=[Route("/graphql", graphql, methods=["POST"])])


def _failed(status: int, message: str) -> JSONResponse:
    return JSONResponse({"errors": [{"message": message}]}, status)


def _page(asked: Mapping[str, Any], columns: Mapping[str, str]) -> Page:
    first = asked["first"]
    if first is None or not 1 <= first <= _MOST:
        raise GraphQLError(f"first为1至{_MOST}")
    parts, operands = ["1"], list[object]()
    for name, value in (asked.get("filter") or {}).items():
        part, values = _condition(name, value, columns)
        parts.append(part)
        operands += values
    return Page(" AND ".join(parts), tuple(operands), first, _opened(asked.get("after")))


def _condition(name: str, value: Any, columns: Mapping[str, str]) -> tuple[str, Iterable[object]]:
    if value is None:
        return "1", ()
    if name == "areaCode":
        size = next((size for size in _LEVELS if not value[size:].strip("0")), 12)
        return "substr(h.area_code, 1, ?) = ?", (size, value[:size])
    if name == "verifiedBefore":
        return "h.verified_on < ?", (value,)
    words = tuple(dict.fromkeys(value))
    if len(words) > _MOST:
        raise GraphQLError(f"{name}不超过{_MOST}个")
    return f"{columns[name]} IN ({', '.join('?' * len(words))})", words


def _household(row: sqlite3.Row) -> dict[str, object]:
    warned = row["warning_type"] is not None
    warning = {
        "type": row["warning_type"],
        "raisedAt": row["warned_at"],
        "message": row["warning_message"],
    }
    return {
        "archiveNo": row["archive_no"],
        "registerNo": row["register_no"],
        "head": {"name": row["head_name"], "certificateNo": row["head_certificate_no"]},
        "cityCode": row["city_code"],
        "areaCode": row["area_code"],
        "category": row["category"],
        "alertLevel": row["alert_level"],
        "state": row["state"],
        "memberCount": row["member_count"],
        "declaredMonthlyIncome": row["declared_monthly_income"],
        "lastVerification": {
            "verifiedOn": row["verified_on"],
            "method": row["verification_method"],
        },
        "openWarningCount": row["open_warnings"],
        "latestWarning": warning if warned else None,
        "updatedAt": row["updated_at"],
    }


def _person(row: sqlite3.Row) -> dict[str, object]:
    return {
        "personNo": row["person_no"],
        "archiveNo": row["archive_no"],
        "certificateNo": row["certificate_no"],
        "name": row["name"],
        "isHead": bool(row["is_head"]),
        "laborCapacity": row["labor_capacity"],
        "monthlyIncome": row["monthly_income"],
        "household": _household(row),
    }


def _sealed(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode()


def _opened(cursor: str | None) -> str:
    try:
        return base64.b64decode((cursor or "").encode(), b"-_", validate=True).decode()
    except ValueError:
        raise GraphQLError("游标无效") from None


def main(file: str, port: str, token_file: str, pid_file: str) -> None:
    """Serve the file on loopback until told to stop."""
    Path(pid_file).write_text(str(os.getpid()))
    service = application(Platform(Path(file)), Path(token_file).read_text().strip())
    uvicorn.run(service, host="127.0.0.1", port=int(port), log_level="warning", access_log=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
