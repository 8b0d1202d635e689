"""Databases and files, each with one fault; a line of `StandIn` says which."""

from tests.onboarding.permits import SQL, moved, natives
from tests.onboarding.stand_in import SOME, StandIn, changed, every, stored
from tests.onboarding.stored_stand_in import COLUMNS, Dropped, InPostgres, Sqlite


def binary(text: str) -> str:
    return text.replace('kind = "sql"', 'kind = "sql"\ncollation = "binary"')


def _other_digit(number: str) -> str:
    return f"{number[:-1]}{(int(number[-1].replace('X', '9')) + 1) % 10}"


MONEY = SQL.replace("{money}", "decimal")
COLUMN = COLUMNS.format(money="numeric")
BUREAU = ("320104003", "320104005", "320205001", "320205002")
MINISTRY = ("320104013", "320104014", "320205001", "320205002")
DECLARED = ", ".join(f"'{row['shop']}'" for row in reversed(natives()))

STORED: tuple[StandIn, ...] = (
    StandIn(
        "a column is missing",
        Sqlite(statements=("ALTER TABLE permits RENAME COLUMN shop TO shops",)),
        ("name is there",),
        write='Write native = "shops".',
    ),
    StandIn(
        "a table is missing",
        Sqlite(statements=("ALTER TABLE permits RENAME TO permit",)),
        ("Permit is there",),
        write="Write native = the name of a table or view",
        state="SOURCE_REFUSED",
    ),
    StandIn(
        "some dates have another format",
        Dropped(rows=changed(SOME, stored(began="2024-05-01"))),
        ("format of startedOn",),
        {"invalidValues": {"startedOn": 3}},
        write="one format",
    ),
    StandIn(
        "times are seconds",
        Sqlite(
            MONEY.replace('format = "plain"', 'storage = "integer", format = "epoch_ms"'),
            rows=every(stored(changed=1_762_000_000)),
            columns=COLUMN.replace("changed text", "changed integer"),
        ),
        ("format of changedAt",),
        {"ancientDates": {"changedAt": 60}},
        write="milliseconds",
    ),
    StandIn(
        "amounts in yuan are declared as fen",
        Sqlite(MONEY.replace('unit = "yuan"', 'unit = "fen"')),
        ("unit of fee",),
        {"brokenCents": {"fee": 45}},
        write='Write unit = "yuan".',
    ),
    StandIn(
        "codes that the file does not know",
        Dropped(rows=changed(SOME, stored(kind="9"))),
        (),
        {"unknownCodes": {"kind": 3}},
        write="Add the missing native codes",
    ),
    StandIn(
        "codes have a zero before them",
        Sqlite(rows=every(lambda row: {**row, "kind": f"0{row['kind']}"})),
        ("codes of kind",),
        {"unknownCodes": {"kind": 60}},
        write='Write codes = { "01" = "SHOP", "02" = "CANTEEN", "03" = "STALL" }.',
    ),
    StandIn(
        "check digits are wrong",
        Sqlite(rows=changed(SOME, lambda row: {**row, "certno": _other_digit(row["certno"])})),
        (),
        {"invalidIdentifiers": {"idNumber": 3}},
        write="Ask the department to correct them",
    ),
    StandIn(
        "dates lie in the future",
        Dropped(rows=changed(SOME, stored(began="20991231"))),
        (),
        {"futureDates": {"startedOn": 3}},
    ),
    StandIn(
        "divisions are of no list",
        Dropped(rows=changed(SOME, stored(area="320205999"))),
        (),
        {"unknownDivisions": {"area": 3}},
        write="Ask the department which places",
    ),
    StandIn(
        "divisions are those of the Statistics Bureau",
        Dropped(rows=every(lambda row: {**row, "area": BUREAU[int(row["no"][1:]) % 4]})),
        ("divisions of area",),
        {"unknownDivisions": {"area": 30}},
        write='Write divisions = "NBS-2023".',
    ),
    StandIn(
        "divisions are those of the Ministry, declared as the Bureau's",
        Sqlite(
            MONEY.replace('kind = "sql"', 'kind = "sql"\ndivisions = "NBS-2023"'),
            rows=every(lambda row: {**row, "area": MINISTRY[int(row["no"][1:]) % 4]}),
        ),
        ("divisions of area",),
        {"untranslatableDivisions": {"area": 30}},
        write='Write divisions = "MCA-2025".',
    ),
    StandIn(
        "a column that is never null has nulls",
        Sqlite(
            MONEY.replace('native = "note"', 'native = "note", nullable = false'),
        ),
        ("note is never null",),
        {"missingValues": {"note": 20}},
        write="Leave nullable out",
    ),
    StandIn(
        "some numbers are texts",
        Sqlite(rows=changed(SOME, stored(months="many"))),
        ("months.isNull",),
        {"invalidValues": {"months": 3}},
    ),
    StandIn(
        "equality does not mind capitals",
        Sqlite(binary(MONEY), columns=COLUMN.replace("shop text", "shop text COLLATE NOCASE")),
        ("name.eq other letters", "order by name"),
        write="Leave collation out.",
    ),
    StandIn(
        "texts are of a type that does not mind capitals",
        InPostgres(
            before=("CREATE EXTENSION citext",),
            columns=COLUMN.replace("shop text", "shop citext"),
        ),
        ("name.contains other letters", "name.eq other letters", "order by name"),
        write="Write the type and storage",
    ),
    StandIn(
        "texts are ordered as they were declared",
        InPostgres(
            binary(MONEY),
            before=(f"CREATE TYPE shop AS ENUM ({DECLARED})",),
            columns=COLUMN.replace("shop text", "shop shop"),
        ),
        (
            *("name.contains other letters", "name.eq other letters", "name.eq blank behind"),
            *("order by name", "pages by name"),
        ),
        write="Leave collation out.",
    ),
    StandIn(
        "a negation keeps nulls",
        InPostgres(
            rows=changed(SOME, stored(certno=None)),
            statements=(
                "CREATE FUNCTION same(text, text) RETURNS boolean IMMUTABLE LANGUAGE sql AS "
                "'SELECT coalesce($1 OPERATOR(pg_catalog.=) $2, false)'",
                "CREATE OPERATOR public.= (FUNCTION = same, LEFTARG = text, RIGHTARG = text)",
                "DO $$BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = public, pg_catalog'"
                ", current_database()); END$$",
            ),
        ),
        ("not",),
    ),
    StandIn(
        "a view makes its keys when it is asked",
        InPostgres(
            statements=(
                "ALTER TABLE permits RENAME TO kept",
                "CREATE VIEW permits AS SELECT 'P' || row_number() OVER (ORDER BY random()) AS no, "
                "certno, shop, kind, began, changed, fee, area, months, note FROM kept",
            )
        ),
        ("same rows again",),
    ),
    StandIn(
        "rows are there twice",
        InPostgres(rows=[*natives(), *natives()[:4]]),
        ("key is unique",),
        write="Write a key that tells rows apart",
        state="SOURCE_REFUSED",
    ),
    StandIn(
        "times of the office are declared as UTC",
        Sqlite(
            MONEY.replace('kind = "sql"', 'kind = "sql"\ntime_zone = "UTC"'),
            rows=changed(SOME, stored(changed="2025-12-01 11:30:00")),
        ),
        ("time zone of changedAt",),
        write='Write time_zone = "Asia/Shanghai".',
    ),
    StandIn(
        "times in UTC are declared as those of the office",
        Sqlite(rows=every(lambda row: moved(row, -8))),
        ("time zone of changedAt",),
        write='Write time_zone = "UTC".',
    ),
)
