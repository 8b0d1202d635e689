"""What a good mapping file gives."""

import re
from dataclasses import replace
from pathlib import Path

from contract.document import load
from contract.entity import Entity, Field, Kind, Relationship
from sources import mapping_model
from sources.declaration import Attachment, Budget, Endpoint, Paging, Signature
from sources.mapping import attached, load_departments
from sources.mapping_model import Shape
from tests.mapped import (
    CORE,
    GOOD,
    GRAPHQL,
    HEAD,
    OPEN,
    PERSONAL,
    RESIDENT,
    REST,
    RESTRICTED,
    write,
)

DOC = Path(__file__).parents[2] / "docs" / "adding.md"
EXAMPLES = {
    text.partition('"')[2].partition('"')[0]: text
    for text in re.findall(r"```toml\n(.*?)```", DOC.read_text("utf-8"), re.DOTALL)
}


def test_a_good_file_gives_a_department(tmp_path: Path) -> None:
    (department,) = load_departments(write(tmp_path, one=GOOD), CORE, {})
    resident, grant = department.entities.values()

    assert replace(department, entities={}) == replace(
        department,
        name="one",
        title="一",
        department="民政",
        kind="sql",
        url="sqlite+aiosqlite:///one.db",
        entities={},
        coverage=("3202",),
        budget=Budget(),
        signature=Signature(),
        file=str(tmp_path / "one.toml"),
    )
    assert (resident.native, resident.line, resident.endpoint) == ("people", 7, None)
    assert {name: each.native for name, each in resident.columns.items()} == {
        "number": "id",
        "idNumber": "GMSFHM",
        "sex": "XB",
        "birthDate": "CSRQ",
        "income": "SR",
    }
    assert grant.attachments == (Attachment("Resident", "grants", (("idNumber", "idNumber"),)),)
    assert grant.entity == Entity(
        "Grant",
        {
            "number": Field(
                "number", Kind.STRING, "编号 | Number", nullable=False, sensitivity=PERSONAL
            ),
            "idNumber": Field("idNumber", Kind.STRING, "证号 | Id number", sensitivity=RESTRICTED),
            "paid": Field("paid", Kind.BOOLEAN, "已发 | Paid", sensitivity=PERSONAL),
        },
        ("number",),
        {
            "subject": Relationship(
                "subject",
                "Resident",
                (("idNumber", "idNumber"),),
                description="本人 | The person concerned",
            )
        },
        "subject",
        "补贴 | Grant",
    )


def test_a_core_entity_is_the_schemas_restricted_to_what_is_mapped(tmp_path: Path) -> None:
    (department,) = load_departments(write(tmp_path, one=GOOD), CORE, {})

    mapped = dict(RESIDENT.fields)
    del mapped["householdNumber"]
    mapped["birthDate"] = replace(mapped["birthDate"], sensitivity=RESTRICTED)
    assert department.entities["Resident"].entity == replace(RESIDENT, fields=mapped)


def test_types_of_a_core_entity_come_from_the_schema(tmp_path: Path) -> None:
    (department,) = load_departments(write(tmp_path, one=GOOD), CORE, {})
    columns = department.entities["Resident"].columns

    decoded = {
        name: columns[name].codec.decode(native)
        for name, native in {"number": 7, "sex": "9", "birthDate": "20000230", "income": 5}.items()
    }

    assert repr(decoded) == (
        "{'number': '7', 'sex': 'UNKNOWN', 'birthDate': INVALID, 'income': Decimal('0.05')}"
    )


def test_facets_add_relationships_to_core_entities(tmp_path: Path) -> None:
    departments = load_departments(write(tmp_path, one=GOOD, two=REST), CORE, {})
    grant, visit = departments[0].entities["Grant"], departments[1].entities["Visit"]

    assert attached(departments) == {
        "Resident": (
            (
                Relationship("grants", "Grant", (("idNumber", "idNumber"),), True, "补贴 | Grant"),  # noqa: FBT003
                grant,
            ),
        ),
        "Case": (
            (
                Relationship("visits", "Visit", (("number", "caseNumber"),), True, "走访 | Visit"),  # noqa: FBT003
                visit,
            ),
        ),
    }


def test_a_facet_without_a_subject_is_open(tmp_path: Path) -> None:
    (department,) = load_departments(write(tmp_path, two=REST), CORE, {})
    fields = department.entities["Visit"].entity.fields

    assert {field.sensitivity for field in fields.values()} == {OPEN}


def test_the_example_of_the_documentation_loads(tmp_path: Path) -> None:
    text = EXAMPLES["medical_insurance"]
    environment = {"MEDICAL_INSURANCE_URL": "http://127.0.0.1:1", "MEDICAL_INSURANCE_TOKEN": "t0k"}

    (department,) = load_departments(write(tmp_path, medical_insurance=text), CORE, environment)
    enrollment = department.entities["MedicalEnrollment"]

    assert department.budget == Budget(0.8, 16, 5000, 4 * 1024 * 1024)
    assert department.freshness_seconds == 86400
    assert department.signature == Signature("header", "X-Token", "t0k")
    assert enrollment.entity.key == ("personNumber", "kind")
    assert enrollment.endpoint == Endpoint(
        path="/psn/insu",
        by_key={"idNumber": ("certno", 100)},
        parameters={("kind", "eq"): "insutype"},
        rows="output.insuinfo",
        total="output.total",
        success=(("infcode", 0),),
        paging=Paging("page", "pageNum", "pageSize", 200),
    )


def test_the_graphql_example_of_the_documentation_loads(tmp_path: Path) -> None:
    environment = {
        "LOW_INCOME_PLATFORM_URL": "http://127.0.0.1:1",
        "LOW_INCOME_PLATFORM_TOKEN": "t0k",
    }
    folder = write(tmp_path, low_income_platform=EXAMPLES["low_income_platform"])

    (department,) = load_departments(folder, CORE, environment)

    assert department.url == "http://127.0.0.1:1/graphql"
    assert department.signature == Signature("header", "Authorization", "Bearer t0k")
    assert department.entities["LowIncomeRecord"].endpoint == Endpoint(
        method="POST",
        path="monitoredPersons",
        by_key={"idNumber": ("filter.certificateNoIn", 500)},
        key_separator="",
        parameters={("state", "in"): "filter.stateIn"},
        rows="data.monitoredPersons.nodes",
        total="data.monitoredPersons.totalCount",
        refusal="errors",
        paging=Paging(
            "cursor",
            "after",
            "first",
            500,
            first=0,
            next="data.monitoredPersons.pageInfo.endCursor",
            more="data.monitoredPersons.pageInfo.hasNextPage",
        ),
    )


def test_a_graphql_service_is_asked_as_its_file_says(tmp_path: Path) -> None:
    text = GRAPHQL.replace(
        'total = "count"',
        'answered = "cases"\nfixed = { filter = { city = "3202" }, year = 2026 }\n'
        'paging = { style = "cursor", parameter = "after", next = "page.end", more = "page.more" }',
    ).replace('"filter.cases" }', '"filter.cases", batch = 5 }')

    (department,) = load_departments(write(tmp_path, three=text), CORE, {})

    assert department.entities["Visit"].endpoint == Endpoint(
        method="POST",
        path="visits",
        fixed={"filter.city": "3202", "year": 2026},
        by_key={"caseNumber": ("filter.cases", 5)},
        key_separator="",
        rows="data.visits.nodes",
        answered="data.visits.cases",
        refusal="errors",
        paging=Paging(
            "cursor", "after", first=0, next="data.visits.page.end", more="data.visits.page.more"
        ),
    )
    assert department.written == load(tmp_path / "three.toml")


def test_a_graphql_service_is_asked_by_a_thousand_keys_where_nothing_is_said(
    tmp_path: Path,
) -> None:
    (department,) = load_departments(write(tmp_path, three=GRAPHQL), CORE, {})

    endpoint = department.entities["Visit"].endpoint
    assert endpoint is not None
    assert endpoint.by_key == {"caseNumber": ("filter.cases", 1000)}


def test_every_option_is_documented() -> None:
    shapes = [each for each in vars(mapping_model).values() if isinstance(each, type)]
    options = {
        option for shape in shapes if issubclass(shape, Shape) for option in shape.model_fields
    }

    documented = set(re.findall(r"`([a-z_]+)`", DOC.read_text("utf-8")))

    assert options - documented == set()


def test_a_facet_may_hang_from_several_places(tmp_path: Path) -> None:
    text = REST.replace(
        'attach = { to = "Case", field = "visits", by = { c = "number" } }',
        'attach = [\n  { to = "Case", field = "visits", by = { c = "number" } },\n'
        '  { to = "Resident", field = "visit", by = { caseNumber = "number" }, many = false },\n]',
    )

    (department,) = load_departments(write(tmp_path, two=text), CORE, {})

    assert department.entities["Visit"].attachments == (
        Attachment("Case", "visits", (("caseNumber", "number"),)),
        Attachment("Resident", "visit", (("caseNumber", "number"),), many=False),
    )


TYPES = """\
native = "t"
key = ["k"]
description = "表 | Table"
attach = { to = "Case", field = "rows", by = { k = "number" } }
[entity.Row.fields]
key = { native = "k", trim = true, nullable = false, description = "键 | Key" }
count = { native = "a", type = "integer", unit = "人", description = "数 | Count" }
share = { native = "b", type = "decimal", storage = "float", description = "率 | Share" }
paid = { native = "c", type = "money", unit = "fen", storage = "integer", description = "钱 | P" }
level = { native = "d", codes_integer = true, codes = { "1" = "LOW" }, description = "级 | Level" }
active = { native = "e", type = "boolean", description = "在 | Active" }
closed = { native = "f", type = "boolean", true = 1, false = 0, description = "关 | Closed" }
since = { native = "g", type = "date", storage = "date", description = "自 | Since" }
month = { native = "h", type = "date", format = "yyyymm", storage = "text", description = "月 | M" }
made = { native = "i", type = "datetime", format = "epoch_ms", description = "时 | Made" }
seen = { native = "j", type = "datetime", storage = "timestamptz", description = "时 | Seen" }
place = { native = "l", type = "division", digits = 6, description = "地 | Place" }
"""


def test_every_type_has_its_storage_kind_and_unit(tmp_path: Path) -> None:
    (department,) = load_departments(write(tmp_path, one=f"{HEAD}[entity.Row]\n{TYPES}"), CORE, {})
    columns = department.entities["Row"].columns.values()

    assert {
        column.field.name: (column.field.kind.value, column.codec.storage, column.field.unit)
        for column in columns
    } == {
        "key": ("string", "text", ""),
        "count": ("integer", "integer", "人"),
        "share": ("decimal", "float", ""),
        "paid": ("decimal", "integer", "yuan"),
        "level": ("code", "integer", ""),
        "active": ("boolean", "boolean", ""),
        "closed": ("boolean", "integer", ""),
        "since": ("date", "date", ""),
        "month": ("date", "text", ""),
        "made": ("datetime", "integer", ""),
        "seen": ("datetime", "timestamptz", ""),
        "place": ("division", "text", ""),
    }


FORM = """\
[entity.Row.fields.form]
native = "m"
description = "形 | Form"
codes = { "1" = "A", "2" = "B", "3" = "A" }
labels = { B = "乙 | B", A = "甲 | A" }
"""


def test_codes_of_a_facet_are_called_what_its_labels_say(tmp_path: Path) -> None:
    folder = write(tmp_path, one=f"{HEAD}[entity.Row]\n{TYPES}{FORM}")

    (department,) = load_departments(folder, CORE, {})

    fields = department.entities["Row"].entity.fields
    assert (fields["form"].labels, fields["level"].labels) == (
        {"A": "甲 | A", "B": "乙 | B"},
        {"LOW": "LOW"},
    )
