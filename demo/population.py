"""
The stand-in of the population system: pinyin columns, two-digit codes, dates as yyyymmdd.

Divisions are 12 digits padded with zeros, but 6 digits where a person is registered far away.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Final

from demo.identifiers import scattered
from demo.people import HOME, Household, Person
from demo.province import Records
from demo.tables import Layout, Row, Table, padded_division
from demo.working_days import TODAY

_RELATIONS: Final = {
    "HEAD": ("02",),
    "SPOUSE": ("11", "12"),
    "SON": ("20", "21", "22"),
    "DAUGHTER": ("30", "31", "32"),
    "GRANDCHILD": ("41", "42"),
    "PARENT": ("51", "52"),
    "SIBLING": ("71", "75"),
    "OTHER": ("97", "99"),
}
"""GB/T 4761; where there are two, the first is the man's."""

_KINDS: Final = {"FAMILY": "1", "COLLECTIVE": "2"}
_UNKNOWN_SEX_IN: Final = 400
_UNKNOWN_RELATION_IN: Final = 350
_PADDED_IN: Final = 15
_ZERO_DATE_IN: Final = 90
_NAME_WIDTH: Final = 20
_UPDATES_OVER_DAYS: Final = 900


def _people(records: Records) -> Iterator[Row]:
    return (_person(person, records.township.name) for person in records.people)


def _person(person: Person, township: str) -> Row:
    chance = scattered(person.serial)
    return (
        person.number,
        person.id_number,
        person.name.ljust(_NAME_WIDTH) if not chance % _PADDED_IN else person.name,
        _sex(person, chance),
        person.nation,
        f"{person.birth:%Y%m%d}",
        person.household,
        _relation(person, chance),
        padded_division(person.registered) if _is_ours(person) else person.registered,
        padded_division(person.residence),
        township,
        person.village,
        person.address,
        person.phone,
        _death(person.death, chance),
        _updated(chance),
    )


def _households(records: Records) -> Iterator[Row]:
    return (_household(household) for household in records.households)


def _household(household: Household) -> Row:
    return (
        household.number,
        household.head and household.head.id_number,
        household.address,
        padded_division(household.township),
        household.village,
        _KINDS[household.kind],
        household.size,
        _updated(scattered(household.members[0].serial)),
    )


def _is_ours(person: Person) -> bool:
    return person.registered.startswith(HOME)


def _sex(person: Person, chance: int) -> str:
    if not chance % _UNKNOWN_SEX_IN:
        return ("0", "9", "3")[chance % 3]
    return "2" if person.female else "1"


def _relation(person: Person, chance: int) -> str:
    if person.relation != "HEAD" and not chance % _UNKNOWN_RELATION_IN:
        return "88"
    codes = _RELATIONS[person.relation]
    return codes[person.female] if len(codes) == 2 else codes[chance % len(codes)]


def _death(death: date | None, chance: int) -> str | None:
    if death:
        return f"{death:%Y%m%d}"
    return "00000000" if not chance % _ZERO_DATE_IN else None


def _updated(chance: int) -> datetime:
    moment = datetime.combine(TODAY, time(3)) - timedelta(days=chance % _UPDATES_OVER_DAYS)
    return moment + timedelta(seconds=chance % 3600)


LAYOUT: Final = Layout(
    tables=(
        Table(
            "ck_rk",
            (
                *("rybh varchar(12)", "gmsfhm varchar(18)", "xm varchar(60)", "xb varchar(1)"),
                *("mz varchar(2)", "csrq varchar(8)", "hh varchar(12)", "yhzgx varchar(2)"),
                *("hjdxzqh varchar(12)", "jzdxzqh varchar(12)", "xzjd varchar(60)"),
                *("jcwh varchar(12)", "dz varchar(200)", "lxdh varchar(20)", "swrq varchar(8)"),
                "gxsj timestamp",
            ),
            _people,
        ),
        Table(
            "ck_hu",
            (
                *("hh varchar(12)", "hzsfzh varchar(18)", "dz varchar(200)", "xzqh varchar(12)"),
                *("jcwh varchar(12)", "hlx varchar(1)", "rks integer", "gxsj timestamp"),
            ),
            _households,
        ),
    ),
    afterwards=(
        "ALTER TABLE ck_rk ADD PRIMARY KEY (rybh)",
        "CREATE INDEX ck_rk_gmsfhm ON ck_rk (gmsfhm)",
        "CREATE INDEX ck_rk_hh ON ck_rk (hh, rybh)",
        "CREATE INDEX ck_rk_jzdxzqh ON ck_rk (jzdxzqh, rybh)",
        "CREATE INDEX ck_rk_hjdxzqh ON ck_rk (hjdxzqh, rybh)",
        "CREATE INDEX ck_rk_jcwh ON ck_rk (jcwh, rybh)",
        "ALTER TABLE ck_hu ADD PRIMARY KEY (hh)",
        "CREATE INDEX ck_hu_hzsfzh ON ck_hu (hzsfzh)",
        "CREATE INDEX ck_hu_xzqh ON ck_hu (xzqh, hh)",
        "CREATE INDEX ck_hu_jcwh ON ck_hu (jcwh, hh)",
    ),
)
