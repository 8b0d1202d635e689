import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from demo.identifiers import citizen_number
from demo.mariadb import Mariadb
from demo.postgres import Postgres
from onboarding.drafts.draft import Wanted
from onboarding.drafts.model import DraftRefused
from schema.graph import core_entities
from sources.declaration import Department
from tests.onboarding.decided import decided, draft, read

DRAFTS = Path(__file__).with_name("drafts")
RECORDS = """
CREATE TABLE jbxx (
    id INTEGER PRIMARY KEY, sfzh VARCHAR(18), xm VARCHAR(30), zt CHAR(2), xzqh CHAR(12),
    csrq CHAR(8), gxsj DATETIME, je DECIMAL(10,2), yx CHAR(1), lxdh VARCHAR(20), jbr VARCHAR(20),
    ms INTEGER, lb VARCHAR(10), bz VARCHAR(200), zp BLOB, "户编号" VARCHAR(20)
);
"""
NUMBERS = [citizen_number("329900", date(1953, 4, 12), serial) for serial in range(1, 241)]
NAMES = ("张三丰", "李小龙", "王大锤")


def row(number: int) -> tuple[object, ...]:
    return (
        number,
        NUMBERS[number],
        f"赵{number}",
        ("01", "02", "03")[number % 3] if number < 200 else "99",
        ("320205106000", "320205107000", None)[number % 3],
        "19530412",
        f"2026-01-{1 + number % 28:02} 08:30:00",
        12.5,
        "YN"[number % 2],
        f"139{number:08}",
        NAMES[number % 3],
        1_700_000_000_000 + number,
        ("正常", "注销")[number % 2],
        "邻居说他不在家",
        b"\x00",
        f"H{number:04}",
    )


@pytest.fixture
def records(tmp_path: Path) -> str:
    with closing(sqlite3.connect(tmp_path / "records.db")) as connection:
        connection.executescript(RECORDS)
        marks = ", ".join("?" * 16)
        insert = f"INSERT INTO jbxx VALUES ({marks})"  # noqa: S608 -- marks alone
        connection.executemany(insert, map(row, range(240)))
        connection.commit()
    return f"sqlite+aiosqlite:///{tmp_path}/records.db"


def fields(department: Department) -> dict[str, tuple[str, str, str]]:
    (entity,) = department.entities.values()
    return {
        name: (str(column.field.kind), str(column.field.sensitivity), column.identifier)
        for name, column in entity.columns.items()
    }


async def test_the_values_of_a_few_rows_say_what_the_columns_are(
    records: str, tmp_path: Path
) -> None:
    text = await draft(Wanted(records))

    assert fields(read(tmp_path, decided(text))) == {
        "number": ("string", "personal", ""),
        "sfzh": ("string", "restricted", "citizen_number"),
        "xm": ("string", "restricted", ""),
        "zt": ("code", "personal", ""),
        "xzqh": ("division", "personal", ""),
        "csrq": ("date", "restricted", ""),
        "gxsj": ("datetime", "personal", ""),
        "je": ("decimal", "personal", ""),
        "yx": ("boolean", "personal", ""),
        "lxdh": ("string", "restricted", ""),
        "jbr": ("string", "restricted", ""),
        "ms": ("datetime", "personal", ""),
        "lb": ("code", "personal", ""),
        "bz": ("string", "restricted", ""),
        "field": ("string", "personal", ""),
    }


async def test_no_value_of_a_record_but_codes_gets_into_the_draft(records: str) -> None:
    text = await draft(Wanted(records))

    values = {str(value) for number in range(240) for value in row(number)[1:] if value is not None}
    found = {value for value in values if f'"{value}"' in text or f" {value} " in text}
    assert found == {"01", "02", "03", "正常", "注销", "Y", "N"}
    assert "# left out: jbxx.zp, of type BLOB; a view may give it as text" in text


async def test_a_code_beyond_the_sampled_rows_is_not_known(records: str) -> None:
    text = await draft(Wanted(records))

    assert 'codes = { "01" = "CODE_01", "02" = "CODE_02", "03" = "CODE_03" }' in text
    assert "# decide: what the codes mean; 3 different ones in 200 values" in text


async def test_a_citizen_number_gives_attachment_and_subject(records: str) -> None:
    text = await draft(Wanted(records))

    assert 'attach = { to = "Resident", field = "jbxxs", by = { sfzh = "idNumber" } }' in text
    assert 'subject = "sfzh"' in text
    assert "# guess: citizen_number, 200 of 200 values have the right check digit" in text
    assert 'as_of = "gxsj"' in text


async def test_an_address_stays_in_the_environment(records: str) -> None:
    shown = await draft(Wanted(records, "records"))
    named = await draft(Wanted("${ELSEWHERE}", "records"), {"ELSEWHERE": records})

    assert 'url = "${RECORDS_URL}"' in shown
    assert 'url = "${ELSEWHERE}"' in named
    assert shown.replace("RECORDS_URL", "ELSEWHERE") == named


POSTGRES = (
    "CREATE SCHEMA sb",
    "CREATE TYPE sb.kind AS ENUM ('URBAN', 'RURAL')",
    "CREATE TABLE sb.person (no BIGINT PRIMARY KEY, name CHAR(10), born DATE)",
    """CREATE TABLE sb.insured (
        no BIGINT PRIMARY KEY, person_no BIGINT REFERENCES sb.person (no), credit_code VARCHAR(18),
        kind sb.kind, state SMALLINT, active BOOLEAN, monthly_fee NUMERIC(10,2), share REAL,
        began TIMESTAMP, updated_at TIMESTAMPTZ, tags TEXT[], extra JSONB, "from" TEXT)""",
    "COMMENT ON TABLE sb.insured IS '参保登记 | 表'",
    "COMMENT ON COLUMN sb.insured.began IS '参保\n时间'",
    """INSERT INTO sb.insured SELECT n, NULL, '91329900MA9990011R', 'URBAN', n % 3, true, 1, 1,
        '2026-01-01 08:00', now(), '{}', '{}', 'x' FROM generate_series(1, 30) n""",
)


async def filled(url: str, statements: tuple[str, ...]) -> None:
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        for statement in statements:
            await connection.exec_driver_sql(statement)
    await engine.dispose()


async def test_a_postgresql_database_is_read_by_its_types_and_comments(
    postgres: Postgres, tmp_path: Path
) -> None:
    postgres.create_database("drafted")
    await filled(postgres.url("drafted"), POSTGRES)

    text = await draft(Wanted(postgres.url("drafted"), "insured", only=("insured",)))

    assert text == (DRAFTS / "insured.toml").read_text("utf-8")
    assert list(read(tmp_path, decided(text)).entities) == ["Insured"]


MARIADB = (
    "CREATE TABLE dbdx (bh INT PRIMARY KEY COMMENT '编号', zjhm CHAR(18) COMMENT '证件号码',"
    " bt DECIMAL(10,2), ksrq DATE, yx TINYINT(1), gxsj DATETIME, wz POINT) COMMENT '低保对象'",
    f"INSERT INTO dbdx VALUES (1, '{NUMBERS[0]}', 1.5, '2026-01-01', 1, '2026-01-01', NULL)",  # noqa: S608 -- made up
)


async def test_a_mariadb_database_is_read_by_its_types_and_comments(
    mariadb: Mariadb, tmp_path: Path
) -> None:
    mariadb.create_database("drafted")
    await filled(mariadb.url("drafted"), MARIADB)

    text = await draft(Wanted(mariadb.url("drafted"), "allowances"))

    (entity,) = read(tmp_path, decided(text)).entities.values()
    assert entity.entity.description == "低保对象 | Undecided"
    assert {name: column.codec.storage for name, column in entity.columns.items()} == {
        "bh": "integer",
        "zjhm": "text",
        "bt": "decimal",
        "ksrq": "date",
        "yx": "integer",
        "gxsj": "timestamp",
    }
    assert [(each.to, each.on) for each in entity.attachments] == [
        ("Resident", (("zjhm", "idNumber"),))
    ]


async def test_no_password_is_told_where_no_draft_can_be_written(postgres: Postgres) -> None:
    right = postgres.url("postgres")
    secret = right.partition("township:")[2].partition("@")[0]
    told = []

    for url in (
        right.replace(secret, quote("pass word/1")),
        "oracle+oracledb://u:pass%20word@127.0.0.1/x",
        "sqlite+aiosqlite:////nowhere/pass%20word.db",
        "${ABSENT}",
    ):
        with pytest.raises(DraftRefused) as caught:
            await draft(Wanted(url, "x"))
        told.append(str(caught.value))

    assert told == [
        "the database does not answer: SOURCE_UNAVAILABLE",
        "use postgresql+asyncpg, sqlite+aiosqlite, mysql+asyncmy or mariadb+asyncmy",
        "the database does not answer: SOURCE_UNAVAILABLE",
        "the variable ABSENT is not set",
    ]


async def test_a_table_that_is_called_as_a_core_entity_gets_a_name_of_its_own(
    tmp_path: Path,
) -> None:
    with closing(sqlite3.connect(tmp_path / "x.db")) as connection:
        connection.execute("CREATE TABLE resident (id INTEGER PRIMARY KEY)")

    text = await draft(Wanted(f"sqlite+aiosqlite:///{tmp_path}/x.db"))

    assert "[entity.ResidentRecord]" in text
    assert "Resident" in core_entities()


async def test_a_view_that_cannot_be_read_is_drafted_without_a_sample(postgres: Postgres) -> None:
    postgres.create_database("broken")
    await filled(
        postgres.url("broken"),
        ("CREATE VIEW broken AS SELECT n, 1 / (n - n) AS x FROM generate_series(1, 3) n",),
    )

    text = await draft(Wanted(postgres.url("broken")))

    assert 'name = "broken"' in text
    assert "# guess: without a sample, as its rows cannot be read (SOURCE_REFUSED)\n" in text
    assert 'x = { native = "x", type = "integer", description = "… | …" }' in text


@pytest.mark.parametrize(
    ("url", "name", "told"),
    [
        ("sqlite+aiosqlite:///x.db", "No 1", "'No 1' cannot be a name: small letters and _ only"),
        ("postgresql+asyncpg://u:secret@[::1", "", "the address cannot be read"),
        (
            "mysql+aiomysql://u:secret@127.0.0.1/x",
            "",
            "use postgresql+asyncpg, sqlite+aiosqlite, mysql+asyncmy or mariadb+asyncmy",
        ),
    ],
)
async def test_what_cannot_be_drafted_is_refused_before_anything_is_asked(
    url: str, name: str, told: str
) -> None:
    with pytest.raises(DraftRefused) as caught:
        await draft(Wanted(url, name))

    assert str(caught.value) == told
