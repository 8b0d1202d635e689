"""The limit: Starlette, asyncpg and orjson, each question written by hand, one SQL a level."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import asyncpg  # type: ignore[import-untyped] # it has no types
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.listening import listen
from benchmarks.scoping import masked, scope_of, span

Row: TypeAlias = Mapping[str, Any]
Scope: TypeAlias = tuple[str, str]
Connection: TypeAlias = Any  # asyncpg has no types

_SEXES: Final = {"1": "MALE", "2": "FEMALE"}
_RESIDENT: Final = """
SELECT id_number, name, sex, birth_date, household_number FROM resident
WHERE id_number = $1 AND division >= $2 AND division < $3
"""
_PAGE: Final = """
SELECT id_number, name, sex, birth_date, household_number FROM resident
WHERE division >= $1 AND division < $2 AND division >= $3 AND division < $4
ORDER BY division, number LIMIT 50
"""
_HOUSEHOLDS: Final = """
SELECT number, address FROM household
WHERE number = ANY($1) AND division >= $2 AND division < $3
"""
_MEMBERS: Final = """
SELECT household_number, name FROM resident
WHERE household_number = ANY($1) AND division >= $2 AND division < $3
ORDER BY household_number, number
"""
_CASES: Final = """
SELECT owner, filed.number, status, matter_code FROM unnest($1::text[]) owner
CROSS JOIN LATERAL (
  SELECT number, status, matter_code FROM case_file
  WHERE applicant_id_number = owner AND division >= $2 AND division < $3
  ORDER BY number LIMIT $4
) filed
"""
_COUNTS: Final = """
SELECT matter_code, status, count(*) AS count FROM case_file
WHERE division >= $1 AND division < $2 AND division >= $3 AND division < $4
GROUP BY matter_code, status ORDER BY matter_code, status
"""
_CATALOGUE: Final = "SELECT code, name FROM matter ORDER BY code LIMIT 100"
_MATTERS: Final = "SELECT code, name FROM matter WHERE code = ANY($1)"


@dataclass(frozen=True, slots=True)
class Answers:
    """The three questions, by operation name, over one connection."""

    connection: Connection

    async def answer(self, operation: str, scope: Scope, variables: Row) -> object:
        """Return the data of the answer."""
        known = {"Q1": self.point, "Q2": self.page, "Q3": self.report}
        return await known[operation](scope, variables)

    async def point(self, scope: Scope, variables: Row) -> object:
        """Return a resident with household and cases."""
        found = await self.connection.fetchrow(_RESIDENT, variables["id"], *scope)
        if found is None:
            return {"resident": None}
        households = await self._households(scope, [found])
        cases = await self._cases(scope, [found], 20)
        matters = await self._matters(cases)
        listed = [
            {"number": case["number"], "status": case["status"], "matter": matters[code]}
            for case in cases
            for code in (case["matter_code"],)
        ]
        household = households.get(found["household_number"])
        return {
            "resident": {
                **_shown(found),
                "household": household
                and {"number": household["number"], "address": household["address"]},
                "cases": {"nodes": listed},
            }
        }

    async def page(self, scope: Scope, variables: Row) -> object:
        """Return the first residents of a township with household, its members, and cases."""
        rows = await self.connection.fetch(_PAGE, *span(variables["township"]), *scope)
        households = await self._households(scope, rows)
        members = await self._members(scope, households)
        cases = await self._cases(scope, rows, 5)
        matters = await self._matters(cases)
        filed: dict[str, list[object]] = {}
        for case in cases:
            matter = {"name": matters[case["matter_code"]]["name"]}
            entry = {"status": case["status"], "matter": matter}
            filed.setdefault(case["owner"], []).append(entry)
        shown = {
            number: {"address": household["address"], "members": members.get(number, [])}
            for number, household in households.items()
        }
        nodes = [
            {
                **_shown(row),
                "household": shown.get(row["household_number"]),
                "cases": {"nodes": filed.get(row["id_number"], [])},
            }
            for row in rows
        ]
        return {"residents": {"nodes": nodes}}

    async def report(self, scope: Scope, variables: Row) -> object:
        """Return a township's cases counted by matter and status, and the matters' names."""
        rows = await self.connection.fetch(_COUNTS, *span(variables["township"]), *scope)
        matters = await self.connection.fetch(_CATALOGUE)
        groups = [
            {"keys": [{"value": matter}, {"value": status}], "count": count}
            for matter, status, count in rows
        ]
        nodes = [{"code": code, "name": name} for code, name in matters]
        return {"aggregate": {"cases": {"groups": groups}}, "matters": {"nodes": nodes}}

    async def _households(self, scope: Scope, rows: Iterable[Row]) -> dict[str, Row]:
        numbers = list({row["household_number"] for row in rows})
        found = await self.connection.fetch(_HOUSEHOLDS, numbers, *scope)
        return {row["number"]: row for row in found}

    async def _members(
        self, scope: Scope, households: Mapping[str, Row]
    ) -> dict[str, list[dict[str, str]]]:
        members: dict[str, list[dict[str, str]]] = {}
        for row in await self.connection.fetch(_MEMBERS, list(households), *scope):
            members.setdefault(row["household_number"], []).append({"name": row["name"]})
        return members

    async def _cases(self, scope: Scope, rows: Iterable[Row], first: int) -> list[Row]:
        owners = [row["id_number"] for row in rows]
        found: list[Row] = await self.connection.fetch(_CASES, owners, *scope, first)
        return found

    async def _matters(self, cases: Iterable[Row]) -> dict[str, Row]:
        found = await self.connection.fetch(_MATTERS, list({case["matter_code"] for case in cases}))
        return {row["code"]: {"code": row["code"], "name": row["name"]} for row in found}


def _shown(row: Row) -> dict[str, object]:
    return {
        "idNumber": masked(row["id_number"]),
        "name": row["name"],
        "sex": _SEXES[row["sex"]],
        "birthDate": row["birth_date"],
    }


async def _kept(_: Connection) -> None:
    """Leave a connection as it is: nothing was set on it."""


def application(address: str) -> Starlette:
    """Return the server of the database."""
    opened: list[Any] = []

    async def answer(request: Request) -> Response:
        if not opened:
            opened.append(await asyncpg.create_pool(address, min_size=16, max_size=16, reset=_kept))
        asked = orjson.loads(await request.body())
        scope = scope_of(request.headers["authorization"])
        async with opened[0].acquire() as connection:
            answers = Answers(connection)
            data = await answers.answer(asked["operationName"], scope, asked["variables"])
        return Response(orjson.dumps({"data": data}), media_type="application/json")

    return Starlette(routes=[Route("/graphql", answer, methods=["POST"])])


if __name__ == "__main__":
    listen(application(os.environ["REGISTRY_URL"].replace("+asyncpg", "")))
