"""
Faults in what a database holds: a view stands before the table that is asked, and becomes another.

Each form is possible for a real department: a column of another type, a join that doubles rows, a
collation that equates more, a server in another time zone.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias

from tests.scenes.drill.modes import Mode

_DEEP: Final = 100_000


class Database(Protocol):
    """A database that is changed from behind, as its department may."""

    @property
    def engine(self) -> str:
        """Return the name of its engine."""

    async def run(self, *statements: str) -> None:
        """Run the statements, together where the engine can."""

    async def columns(self, table: str) -> Sequence[str]:
        """Return the names of the columns of a table or view."""


@dataclass(frozen=True, slots=True)
class Table:
    """
    What is asked of a system, and which of its columns is what.

    `whose`: what the caller's rows are found by. `text`, `day`, `number`: values that are asked
    for; a number is none that stands for a code. `changed`: the time of a row's last change.
    """

    name: str
    view: str
    key: str
    whose: tuple[str, ...]
    text: str
    day: str
    number: str = ""
    changed: str = ""


TABLES: Mapping[str, Table] = {
    "population": Table(
        *("public.ck_rk", "drill.ck_rk", "rybh", ("jzdxzqh", "hjdxzqh")),
        *("dz", "csrq", "", "gxsj"),
    ),
    "service_platform": Table(
        *("public.up_pro_accept", "drill.up_pro_accept", "project_no", ("applyer_idcard",)),
        *("applyer_name", "accept_date", "", "cd_time"),
    ),
    "health": Table(
        *("public.ehr_archive", "drill.ehr_archive", "arc_no", ("id_card",)),
        *("blood_type", "est_date"),
    ),
    "civil_affairs": Table(
        *("civil.axdf", "drill.axdf", "axdf0001", ("axdf0004",)),
        *("axdf0040", "axdf0021", "axdf0030", "azzx0014"),
    ),
    "social_security": Table(
        *("V_AC02", "drill_V_AC02", "AAZ159", ("AAC002",)),
        *("AAC008", "AAC030", "AAE201", "AAE036"),
    ),
}


@dataclass(frozen=True, slots=True)
class View:
    """
    How the view differs from its table: columns replaced, left out and added, rows added.

    `more`: for each copy of all rows, the columns that differ in it. `tail`: what follows FROM.
    `before` and `after`: what else is done to the database, and undone.
    """

    instead: Mapping[str, str] = field(default_factory=dict)
    without: frozenset[str] = frozenset()
    beside: Mapping[str, str] = field(default_factory=dict)
    more: tuple[Mapping[str, str], ...] = ()
    tail: str = ""
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


WELL: Final = View()
Form: TypeAlias = Callable[[Table, str], View]
"""What the view becomes, by the table and the engine."""


async def build(database: Database, table: Table) -> None:
    """Put the view before its table."""
    if database.engine == "postgresql":
        await database.run("CREATE SCHEMA IF NOT EXISTS drill")
    if database.engine == "mariadb":
        await database.run("CREATE DATABASE IF NOT EXISTS drill CHARACTER SET utf8mb4")
    await replace(database, table, WELL)


async def replace(database: Database, table: Table, view: View) -> None:
    """Replace the view by another one."""
    names = [name for name in await database.columns(table.name) if name not in view.without]
    copies = [view.instead, *({**view.instead, **more} for more in view.more)]
    parts = [_selected(table, names, instead, view) for instead in copies]
    await database.run(
        *view.before,
        f"DROP VIEW IF EXISTS {table.view}",
        f"CREATE VIEW {table.view} AS {' UNION ALL '.join(parts)}",
    )


def _selected(table: Table, names: Sequence[str], instead: Mapping[str, str], view: View) -> str:
    columns = [f"{instead[name]} AS {name}" if name in instead else f"t.{name}" for name in names]
    columns += [f"{what} AS {name}" for name, what in view.beside.items()]
    return f"SELECT {', '.join(columns)} FROM {table.name} t{view.tail}"  # noqa: S608 -- our own


@asynccontextmanager
async def viewed(database: Database, table: Table, view: View) -> AsyncIterator[None]:
    """Let the table be seen otherwise while it is entered."""
    try:
        await replace(database, table, view)
        yield
    finally:
        await database.run(*view.after)
        await replace(database, table, WELL)


def _joined(engine: str, *texts: str) -> str:
    return f"concat({', '.join(texts)})" if engine == "mariadb" else " || ".join(texts)


def _fails(table: Table, engine: str) -> View:
    """Let the server fail while it makes the rows, as with a broken index or a full disk."""
    raised = {
        "postgresql": (
            "CREATE OR REPLACE FUNCTION drill.fail() RETURNS text LANGUAGE plpgsql AS"
            " $$BEGIN RAISE EXCEPTION 'internal' USING ERRCODE = 'XX000'; END$$",
        ),
        "mariadb": (
            "CREATE OR REPLACE FUNCTION drill.fail() RETURNS varchar(9)"
            " BEGIN SIGNAL SQLSTATE '58000' SET MESSAGE_TEXT = 'internal'; RETURN ''; END",
        ),
    }[engine]
    return View({table.text: "drill.fail()"}, before=raised)


def _slow(table: Table, _: str) -> View:
    """Let each row take long, as with a view over a broken index."""
    counted = (
        "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 30000000)"
        " SELECT max(n) FROM c"
    )
    return View(tail=f" WHERE ({counted}) > 0")


def _values_of_other_types(table: Table, engine: str) -> View:
    if engine == "postgresql":
        return View({table.text: "ARRAY[1, 2]", table.day: "'sometime'::text"})
    more = {table.number: "'seven'"} if table.number else {}
    return View({table.text: "7.5", table.day: "'sometime'", **more})


def _keys_of_another_type(table: Table, engine: str) -> View:
    wrong = {"postgresql": f"decode(md5(t.{table.key}), 'hex')", "mariadb": f"crc32(t.{table.key})"}
    return View({table.key: wrong.get(engine, f"length(t.{table.key}) / 7.0")})


def _values_missing(table: Table, _: str) -> View:
    return View(without=frozenset({table.text}))


def _keys_missing(table: Table, _: str) -> View:
    return View(without=frozenset({table.key}))


def _more_columns(_: Table, __: str) -> View:
    return View(beside={"remark_": "'x'", "level_": "1"})


def _twice(_: Table, __: str) -> View:
    return View(more=({},))


def _twice_and_different(table: Table, _: str) -> View:
    return View(more=({table.text: "'X'"},))


def _like_ours(table: Table, engine: str) -> View:
    """Add copies of all rows under other numbers, as of somebody whose number is nearly ours."""
    return View(more=tuple(_nearly(table, engine)))


def _nearly(table: Table, engine: str) -> Iterator[Mapping[str, str]]:
    # A code of a division with more behind it is that of a place within the division.
    behind = () if table.name == "public.ck_rk" else (("{}", "' '"), ("{}", "'0'"))
    for mark, spelled in enumerate((("' '", "{}"), ("'0'", "{}"), *behind)):
        key = _joined(engine, f"'{mark}'", f"t.{table.key}")
        others = {
            name: _joined(engine, *(part.format(f"t.{name}") for part in spelled))
            for name in table.whose
        }
        yield {table.key: key, **others}


_LOOSE: Final = {
    "postgresql": "CAST({} AS char(20))",
    "mariadb": "CONVERT({} USING utf8mb4) COLLATE utf8mb4_unicode_ci",
    "sqlite": "({}) COLLATE RTRIM",
}


def _equating(table: Table, engine: str) -> View:
    """Let the columns compare as if texts that are alike were equal, where there are such rows."""
    loose = _LOOSE[engine]
    if table is TABLES["population"]:  # a code of another length is none, and in no township
        loose = loose.replace("20", "12")
    own = {name: loose.format(f"t.{name}") for name in table.whose}
    if engine == "postgresql":  # texts of a fixed length: each of them has the same blanks behind
        return View(own)
    alike = {name: loose.format(_alike(engine, f"t.{name}")) for name in table.whose}
    return View(own, more=({table.key: _joined(engine, "'w'", f"t.{table.key}"), **alike},))


def _alike(engine: str, text: str) -> str:
    """Return another text that the looser rule takes for it."""
    if engine == "sqlite":
        return f"{text} || ' '"
    for digit in range(10):
        text = f"replace({text}, '{digit}', '{chr(0xFF10 + digit)}')"
    return text


def _giant_rows(_: Table, engine: str) -> View:
    many = {
        "postgresql": "generate_series(1, 200000)",
        "mariadb": "seq_1_to_200000",
        "sqlite": (
            "(WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 200000)"
            " SELECT n FROM c)"
        ),
    }[engine]
    return View(tail=f" CROSS JOIN {many} AS many")


def _giant_values(table: Table, engine: str) -> View:
    size = 4 * 1024 * 1024
    giant = f"hex(zeroblob({size // 2}))" if engine == "sqlite" else f"repeat('x', {size})"
    return View({table.text: giant})


def _not_a_number(table: Table, engine: str) -> View:
    if engine == "postgresql":
        return View({table.day: "'NaN'::float8"})
    return View({table.day: "'NaN'", table.number: "'NaN'"})


def _infinite(table: Table, engine: str) -> View:
    if engine == "postgresql":
        return View({table.day: "'-Infinity'::float8"})
    great = "9e999" if engine == "sqlite" else "1e308"
    return View({table.number: great, table.day: great})


def _deep(table: Table, engine: str) -> View:
    if engine == "sqlite":
        return View({table.day: f"replace(hex(zeroblob({_DEEP})), '00', '[')"})
    deep = f"repeat('[', {_DEEP})", f"repeat(']', {_DEEP})"
    return View({table.day: _joined(engine, *deep)})


def _at_another_time(table: Table, engine: str) -> View:
    """Put the server into another zone and each row's time of change a year ahead."""
    later = {
        "postgresql": "t.{} + interval '1 year'",
        "mariadb": "t.{} + INTERVAL 1 YEAR",
        "sqlite": "(substr(t.{0}, 1, 4) + 1) || substr(t.{0}, 5)",
    }[engine].format(table.changed)
    zone = {
        "postgresql": (
            "DO $$BEGIN EXECUTE format('ALTER DATABASE %I SET timezone = %L',"
            " current_database(), 'America/New_York'); END$$",
            "DO $$BEGIN EXECUTE format('ALTER DATABASE %I RESET timezone',"
            " current_database()); END$$",
        ),
        "mariadb": ("SET GLOBAL time_zone = '-08:00'", "SET GLOBAL time_zone = 'SYSTEM'"),
        "sqlite": ("SELECT 1", "SELECT 1"),
    }[engine]
    instead = {table.changed: later} if table.changed else {}
    return View(instead, before=zone[:1], after=zone[1:])


VIEWS: Mapping[Mode, Mapping[str, Form]] = {
    Mode.FAILED: {"an internal error": _fails},
    Mode.WRONG_TYPES: {"values": _values_of_other_types, "keys": _keys_of_another_type},
    Mode.MISSING_KEYS: {"a value's column": _values_missing, "the key's column": _keys_missing},
    Mode.EXTRA_KEYS: {"more columns": _more_columns},
    Mode.DUPLICATES: {"each row twice": _twice, "twice and different": _twice_and_different},
    Mode.OUT_OF_SCOPE: {"rows of nearly the same number": _like_ours},
    Mode.IGNORED_FILTER: {"a collation that equates more": _equating},
    Mode.GIANT: {"rows": _giant_rows, "values": _giant_values},
    Mode.NAN: {"NaN": _not_a_number, "infinity": _infinite},
    Mode.DEEP: {"in a column": _deep},
    Mode.CLOCK: {"another zone, a year ahead": _at_another_time},
}
SLOW: Final[Form] = _slow
