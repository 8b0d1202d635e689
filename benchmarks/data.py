"""
The province that is measured: made by SQL inside PostgreSQL, the same rows for the same seed.

8 % of cases and 3 % of residents lie outside the township of whom they belong to, so that who
filters by township and who does not give different answers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg  # type: ignore[import-untyped] # it has no types

from sources.divisions import division_tree

VILLAGES: Final = 12  # in each township
MATTERS: Final = 30
STATUSES: Final = ("ACCEPTED", "SUSPENDED", "APPROVED", "REJECTED", "CLOSED")


@dataclass(frozen=True, slots=True)
class Scale:
    """How much data there is; the standard is the data of docs/performance.md."""

    townships: int = 100
    households: int = 70_000
    residents: int = 200_000
    cases: int = 300_000
    seed: int = 1


def townships(count: int) -> tuple[str, ...]:
    """Return townships of ten counties of one city, as far as ten counties have so many."""
    tree = division_tree()
    cities = (tree.children(city.code) for city in tree.children("32"))
    city = max(cities, key=len)
    largest = sorted(city, key=lambda county: (-len(tree.children(county.code)), county.code))
    of_counties = [tree.children(county.code) for county in largest[:10]]
    deepest = max(map(len, of_counties))
    turns = (listed[at] for at in range(deepest) for listed in of_counties if at < len(listed))
    chosen = tuple(division.code for division, _ in zip(turns, range(count), strict=False))
    return chosen if len(chosen) == count else every_township()[:count]


def every_township() -> tuple[str, ...]:
    """Return all townships of the province; zones that are none are left out."""
    tree = division_tree()
    counties = (county for city in tree.children("32") for county in tree.children(city.code))
    beneath = (division for county in counties for division in tree.children(county.code))
    return tuple(division.code for division in beneath if division.kind != "zone")


async def build(address: str, scale: Scale) -> None:
    """Make the tables in an empty database and fill them."""
    connection = await asyncpg.connect(address)
    try:
        await connection.execute("CREATE TABLE township (place int PRIMARY KEY, code text)")
        places = list(enumerate(townships(scale.townships)))
        await connection.executemany("INSERT INTO township VALUES ($1, $2)", places)
        for statement in _statements(scale):
            await connection.execute(statement)
    finally:
        await connection.close()


async def identifiers(
    address: str, count: int, column: str = "id_number", table: str = "resident"
) -> Sequence[tuple[str, str]]:
    """Return what names rows spread over the province, and the township of each."""
    connection = await asyncpg.connect(address)
    try:
        rows = await connection.fetch(
            f"SELECT {column}, division FROM {table} ORDER BY hashtextextended(number, 7) LIMIT $1",
            count,
        )
    finally:
        await connection.close()
    return [(name, division) for name, division in rows]


def _statements(scale: Scale) -> tuple[str, ...]:
    """Return what makes the tables; numbers alone are put into the texts."""
    return _MATTERS, _households(scale), _residents(scale), _cases(scale), *_KEYS


def _chance(scale: Scale, what: str, salt: int, of: int) -> str:
    return f"((hashint8extended({what}, {scale.seed * 1000 + salt}) & 2147483647) % {of})"


def _elsewhere(scale: Scale, place: str, what: str, salt: int) -> str:
    count = scale.townships
    moved = f"({place} + 1 + {_chance(scale, what, salt, max(1, count - 1))}) % {count}"
    share = _ELSEWHERE[salt]
    return (
        f"CASE WHEN {_chance(scale, what, salt + 1, 100)} < {share} THEN {moved} ELSE {place} END"
    )


def _households(scale: Scale) -> str:
    return f"""
    CREATE TABLE household AS
    SELECT 'H' || lpad(n::text, 8, '0') AS number, '幸福路' || n || '号' AS address,
      code AS division,
      code || lpad(((n - 1) / {scale.townships} % {VILLAGES} + 1)::text, 3, '0') AS village,
      NULL::text AS head_id_number, '1' AS kind, 3 AS size, {_CHANGED}
    FROM generate_series(1, {scale.households}::bigint) n
    JOIN township ON place = (n - 1) % {scale.townships}
    """


def _residents(scale: Scale) -> str:
    households = f"(household - 1) % {scale.townships}"
    return f"""
    CREATE TABLE resident AS
    WITH owned AS (
      SELECT n, 1 + (n - 1) * {scale.households} / {scale.residents} AS household
      FROM generate_series(1, {scale.residents}::bigint) n
    ), placed AS (
      SELECT n, household, {_elsewhere(scale, households, "n", 1)} AS at,
        to_char(date '1940-01-01' + (n * 7919 % 25000)::int, 'YYYYMMDD') AS born
      FROM owned
    ), numbered AS (
      SELECT *, '3299' || lpad((n / 2500000)::text, 2, '0') || born
        || lpad((n / 25000 % 100)::text, 3, '0') AS digits
      FROM placed
    )
    SELECT 'R' || lpad(n::text, 9, '0') AS number,
      digits || substr('10X98765432', 1 + ({_CHECK_SUM}) % 11, 1) AS id_number,
      ('{{王,李,张,刘,陈,杨,黄,赵}}'::text[])[1 + {_chance(scale, "n", 3, 8)}]
        || ('{{秀英,伟,芳,娜,静,敏,磊,洋}}'::text[])[1 + {_chance(scale, "n", 4, 8)}] AS name,
      (1 + {_chance(scale, "n", 5, 2)})::text AS sex,
      to_date(born, 'YYYYMMDD') AS birth_date,
      'H' || lpad(household::text, 8, '0') AS household_number,
      code AS division, code AS registered_division,
      code || lpad((n % {VILLAGES} + 1)::text, 3, '0') AS village,
      '139' || lpad(n::text, 8, '0') AS phone, '01' AS nation, '02' AS relation,
      '幸福路' || household || '号' AS address, NULL::date AS death_date, {_CHANGED}
    FROM numbered JOIN township ON place = at
    """


def _cases(scale: Scale) -> str:
    status = f"('{{{','.join(STATUSES)}}}'::text[])[1 + {_chance(scale, 'n', 10, len(STATUSES))}]"
    applied = f"(timestamp '2026-01-01' + interval '1 day' * {_chance(scale, 'n', 11, 300)})"
    return f"""
    CREATE TABLE case_file AS
    WITH filed AS (
      SELECT n, 1 + {_chance(scale, "n", 6, scale.residents)} AS owner
      FROM generate_series(1, {scale.cases}::bigint) n
    ), placed AS (
      SELECT filed.n, id_number, {_elsewhere(scale, "place", "filed.n", 7)} AS at
      FROM filed
      JOIN resident ON resident.number = 'R' || lpad(owner::text, 9, '0')
      JOIN township ON township.code = resident.division
    )
    SELECT 'C' || lpad(n::text, 9, '0') AS number,
      '0000' || lpad((1 + {_chance(scale, "n", 9, MATTERS)})::text, 8, '0') AS matter_code,
      id_number AS applicant_id_number, {status} AS status, code AS division,
      '民政' AS department, '1' AS applicant_type, '2' AS channel, {applied} AS applied_at,
      {applied} + interval '1 day' AS accepted_at,
      ({applied} + interval '20 days')::date AS promised_on,
      NULL::timestamp AS closed_at, NULL::text AS applicant_name, NULL::text AS contact_name,
      NULL::text AS contact_phone, '便民服务中心' AS organisation, '综窗' AS handler, {_CHANGED}
    FROM placed JOIN township ON place = at
    """


_CHANGED: Final = "timestamp '2026-11-01' AS updated_at"
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_SUM: Final = " + ".join(
    f"substr(digits, {place}, 1)::int * {weight}" for place, weight in enumerate(_WEIGHTS, 1)
)

_ELSEWHERE: Final = {1: 3, 7: 8}
"""By salt, how many of a hundred lie in another township: residents, and cases."""
_MATTERS: Final = f"""
    CREATE TABLE matter AS
    SELECT '0000' || lpad(n::text, 8, '0') AS code, '事项' || n AS name, '民政' AS department
    FROM generate_series(1, {MATTERS}) n
    """
_KEYS: Final = (
    "ALTER TABLE matter ADD PRIMARY KEY (code)",
    "ALTER TABLE household ADD PRIMARY KEY (number)",
    "ALTER TABLE resident ADD PRIMARY KEY (number)",
    "ALTER TABLE case_file ADD PRIMARY KEY (number)",
    "CREATE UNIQUE INDEX ON resident (id_number)",
    "CREATE INDEX ON resident (division, number)",
    "CREATE INDEX ON resident (registered_division)",
    "CREATE INDEX ON resident (household_number, number)",
    "CREATE INDEX ON case_file (applicant_id_number, number)",
    "CREATE INDEX ON case_file (division, matter_code, status)",
    "ANALYZE",
)
